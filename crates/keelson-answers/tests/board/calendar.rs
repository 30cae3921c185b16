//! Freezes and maintenance windows act through what a change does.

use keelson_change::records::{EntryFields, new_entry};
use keelson_model::{CalendarKind, CiId, RecordChange, Window};

use super::estate::{Estate, hours};

fn enter(estate: &mut Estate, name: &str, kind: CalendarKind, items: Vec<CiId>, window: Window, margin: Option<u32>) {
    let fields =
        EntryFields { name: name.into(), kind, items, window, recurrence: None, margin, reason: "because".into() };
    let change = new_entry(&estate.catalogue, fields, &"ann".into(), &mut estate.ids).unwrap();
    estate.commit(&[RecordChange::Calendar(change)]);
}

fn violations(estate: &Estate, key: &str) -> Vec<String> {
    estate.assess(key).violations.into_iter().map(|line| line.text).collect()
}

#[test]
fn a_freeze_is_violated_by_a_breach_and_by_lost_margin_beyond_what_it_allows() {
    let mut estate = Estate::new();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    estate.request("A", &["dbA"], Some(hours(1.0, 3.0)), 30);
    estate.request("M", &["mailapi"], Some(hours(1.0, 3.0)), 30);
    let payments = estate.id("payments");
    enter(&mut estate, "year end", CalendarKind::Freeze, vec![payments], hours(2.0, 24.0), None);
    assert!(violations(&estate, "H")[0].starts_with("payments is breached during the freeze 'year end'"));
    assert!(violations(&estate, "A")[0].starts_with("payments loses 1 of its redundancy"));
    assert_eq!(violations(&estate, "M"), [""; 0], "portal is degraded, and payments not touched");
    let frozen = estate.assess("H").frozen(&"ann".into(), hours(0.0, 1.0).start());
    assert_eq!(frozen.violations.len(), 1);
}

#[test]
fn a_freeze_of_a_site_is_about_what_stands_there() {
    let mut estate = Estate::new();
    estate.request("A", &["dbA"], Some(hours(1.0, 3.0)), 30);
    estate.request("B", &["dbB"], Some(hours(1.0, 3.0)), 30);
    let site = estate.id("siteX");
    enter(&mut estate, "power works", CalendarKind::Freeze, vec![site], hours(0.0, 24.0), None);
    assert!(violations(&estate, "A")[0].starts_with("something at siteX is interrupted"));
    assert_eq!(violations(&estate, "B"), [""; 0]);
}

#[test]
fn a_freeze_of_an_item_is_violated_by_what_takes_it_down() {
    let mut estate = Estate::new();
    estate.request("H", &["hv1"], Some(hours(1.0, 3.0)), 30);
    estate.request("O", &["hv2"], Some(hours(1.0, 3.0)), 30);
    let database = estate.id("dbA");
    enter(&mut estate, "year end", CalendarKind::Freeze, vec![database], hours(0.0, 24.0), None);
    assert!(violations(&estate, "H")[0].starts_with("something at dbA is interrupted"));
    assert_eq!(violations(&estate, "O"), [""; 0]);
}

#[test]
fn harm_outside_of_agreed_windows_is_a_violation() {
    let mut estate = Estate::new();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    estate.request("L", &["hv2"], Some(hours(30.0, 33.0)), 30);
    let payments = estate.id("payments");
    enter(&mut estate, "nights", CalendarKind::Maintenance, vec![payments], hours(0.0, 4.0), None);
    assert_eq!(violations(&estate, "H"), [""; 0]);
    assert_eq!(estate.assess("L").violations[0].kind, CalendarKind::Maintenance);
    assert!(violations(&estate, "L")[0].contains("outside of its maintenance windows (nights)"));
}
