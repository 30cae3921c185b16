//! Timelines of few and of many changes.

use chrono::TimeDelta;
use keelson_report::document::Id;
use keelson_report::timeline::{Change, Collision, Interval, Timeline};
use keelson_report::zone::Zone;

use crate::sample;

pub(crate) fn many(count: i64) -> Timeline {
    let mut timeline = Timeline::new("A busy month", Zone::UTC);
    let start = sample::at("2026-03-01T00:00:00Z");
    for number in 0..count {
        let from = start + TimeDelta::hours(number * 7);
        timeline.change(Change {
            id: format!("CHG-{number:04}"),
            label: format!("Change number {number}"),
            window: Interval::new(from, from + TimeDelta::hours(3 + number % 9)).unwrap(),
            backed_out_by: (number % 3 == 0).then(|| from + TimeDelta::hours(14)),
            verdict: None,
        });
    }
    timeline
}

#[test]
fn a_window_ends_where_the_next_begins() {
    let first = sample::interval("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z");
    let second = sample::interval("2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z");
    assert!(!first.overlaps(&second) && first.overlaps(&first));
    assert_eq!(Interval::new(first.end(), first.end()), None);
}

#[test]
fn what_collides_has_the_first_claim_on_rows() {
    let mut timeline = many(143);
    timeline.collision(Collision {
        changes: vec!["CHG-0140".to_owned(), "CHG-0142".to_owned()],
        during: sample::interval("2026-04-10T20:00:00Z", "2026-04-11T04:00:00Z"),
        reason: "same pool".to_owned(),
    });
    let drawn = timeline.draw();
    assert_eq!((drawn.rows.len(), drawn.left_out.len()), (60, 83));
    assert!(drawn.rows.contains(&"CHG-0142".to_owned()) && drawn.left_out.contains(&"CHG-0141".to_owned()));
    let markup = drawn.svg.markup(&Id::new("x"));
    assert!(markup.contains("and 83 more changes without a row"));
    assert!(markup.contains("\u{d7}1 CHG-0140 \u{d7} CHG-0142"));
}

#[test]
fn crowded_collisions_are_numbered_and_none_is_dropped() {
    let mut timeline = many(30);
    let first = sample::at("2026-03-02T00:00:00Z");
    for number in 0..9 {
        let start = first + TimeDelta::hours(5 * number);
        let during = Interval::new(start, start + TimeDelta::hours(1)).unwrap();
        let changes = vec!["CHG-0001".to_owned(), "CHG-0002".to_owned()];
        timeline.collision(Collision { changes, during, reason: "x".to_owned() });
    }
    let changes = vec!["CHG-0001".to_owned()];
    let during = sample::interval("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z");
    timeline.collision(Collision { changes, during, reason: "later".to_owned() });
    let markup = timeline.draw().svg.markup(&Id::new("x"));
    assert!((1..=9).all(|number| markup.contains(&format!(">\u{d7}{number}</text>"))));
    assert!(markup.contains("<title>\u{d7}1 CHG-0001 \u{d7} CHG-0002</title>"));
    assert!(markup.contains("and 1 collision outside these times"));
    assert_eq!(timeline.table("t").rows().len(), 10);
}

#[test]
fn an_empty_schedule_says_so() {
    let drawn = Timeline::new("Nothing", Zone::UTC).draw();
    assert_eq!(drawn.description, "Nothing is scheduled.");
    assert!(drawn.svg.markup(&Id::new("x")).contains(">Nothing is scheduled.</text>"));
}

#[test]
fn the_zone_is_only_for_display() {
    let mut timeline = sample::schedule();
    let berlin = timeline.draw().svg.markup(&Id::new("x"));
    timeline.zone = "+05:30".parse().unwrap();
    let kolkata = timeline.draw().svg.markup(&Id::new("x"));
    assert!(berlin.contains("Europe/Berlin (UTC+01:00)") && kolkata.contains("UTC+05:30"));
    assert!(
        berlin.contains(
            "CHG-2041 Firmware of hv2: 2026-03-06 21:00 until 2026-03-07 00:00, backed out by 2026-03-07 01:30"
        )
    );
    assert!(kolkata.contains("CHG-2041 Firmware of hv2: 2026-03-07 01:30 until 2026-03-07 04:30"));
}

#[test]
fn a_narrow_timeline_fits_an_upright_page() {
    let narrow = sample::schedule().narrow().draw();
    assert!(narrow.svg.width() * 25.4 / 96.0 < 190.0, "{}", narrow.svg.width());
    assert_eq!(narrow.rows, sample::schedule().draw().rows);
}
