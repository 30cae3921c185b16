//! What a board reads first, what is said where there is nothing, and what can be proved.

use keelson_model::{CalendarKind, Digest};
use keelson_pack::{meeting, meeting_json, request, request_json};
use keelson_report::document::Document;
use keelson_report::{csv, markdown};
use keelson_testkit::{hours, minutes};

use super::sample::Week;

fn text(document: &Document) -> String {
    markdown::render(document, &markdown::Options::default())
}

#[test]
fn the_top_of_a_request_is_enough_to_decide() {
    let week = Week::new();
    let pack = text(&request(&week.request(2)));
    let top = pack.split("## Services").next().unwrap();
    for said in [
        "1 service goes down",
        "It is a major change",
        "payments (critical)",
        "Closing of the month",
        "3 services at stake state no value per hour",
        "team/card",
        "Retail",
        "2 h 30 min",
    ] {
        assert!(top.contains(said), "{said} is not in\n{top}");
    }
    let collides = text(&request(&week.request(0)));
    let top = collides.split("## Services").next().unwrap();
    for said in [
        "It is a major change, it collides with CHG-102",
        "With CHG-102 on payments",
        "Smallest shift: CHG-101 by",
        "n = 12",
        "At most 20\u{a0}432 EUR",
    ] {
        assert!(top.contains(said), "{said} is not in\n{top}");
    }
}

#[test]
fn what_there_is_nothing_of_is_said() {
    let week = Week::new();
    let pack = text(&request(&week.request(3)));
    for said in ["No violations:", "Nothing to compare with", "None: CHG-101, the only other request of this time"] {
        assert!(pack.contains(said), "{said} is not in\n{pack}");
    }
    let without_window = text(&request(&week.request(5)));
    assert!(without_window.contains("When is it to be done?"), "{without_window}");
    assert!(without_window.contains("No window yet"), "{without_window}");
}

#[test]
fn the_digest_is_that_of_the_json() {
    let week = Week::new();
    let input = week.request(0);
    let digest = Digest::of(&request_json(&input)).to_string();
    assert!(text(&request(&input)).contains(&digest));
    assert_eq!(digest, week.answers[0].frozen(&"ann".into(), minutes(0)).document.to_string());
    week.meeting(|input| {
        let digest = Digest::of(&meeting_json(input)).to_string();
        assert!(text(&meeting(input)).contains(&digest));
    });
}

#[test]
fn the_tables_have_the_names_that_people_file() {
    let week = Week::new();
    let names = |document: &Document| csv::render(document).into_iter().map(|file| file.name).collect::<Vec<_>>();
    let one = names(&request(&week.request(2)));
    for name in ["services", "violations", "calendar", "alterations", "starting-state", "timeline", "differences"] {
        assert!(one.contains(&format!("{name}.csv")), "{name} is not among {one:?}");
    }
    let all = week.meeting(|input| names(&meeting(input)));
    for name in ["requests", "services", "collisions", "violations", "starting-state", "timeline", "services-chg-101"] {
        assert!(all.contains(&format!("{name}.csv")), "{name} is not among {all:?}");
    }
}

#[test]
fn every_table_and_figure_says_its_revision() {
    let week = Week::new();
    let check = |document: &Document| {
        for (name, table) in document.named_tables() {
            assert!(table.caption.contains("revision "), "{}: {}", name.as_str(), table.caption);
        }
        for (name, figure) in document.named_figures() {
            assert!(figure.title.contains("revision "), "{}: {}", name.as_str(), figure.title);
        }
    };
    (0..6).for_each(|at| check(&request(&week.request(at))));
    week.meeting(|input| check(&meeting(input)));
}

#[test]
fn a_collision_has_the_same_number_in_the_table_and_in_the_drawing() {
    let week = Week::new();
    let document = week.meeting(meeting);
    let files = csv::render(&document);
    let table = &files.iter().find(|file| file.name == "collisions.csv").unwrap().text;
    let (_, figure) = document.named_figures().find(|(name, _)| name.as_str() == "timeline-drawing").unwrap();
    let drawn = figure.svg.markup(&keelson_report::document::Id::new("x"));
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let at = drawn.find(&format!("{} ", cells[0])).unwrap_or_else(|| panic!("{} is not drawn", cells[0]));
        let title = &drawn[at..at + 200.min(drawn.len() - at)];
        assert!(title.contains("CHG-101"), "{title}");
    }
}

#[test]
fn the_calendar_is_drawn_and_listed_whether_or_not_it_is_violated() {
    let week = Week::new();
    let pack = text(&request(&week.request(2)));
    for said in [
        "1 violation of the calendar",
        "1 freeze (Closing of the month: payments), 1 maintenance window (Nights: reporting)",
        "Freezes and maintenance windows that have a time in Wed 2026-11-04 02:00\u{2013}05:30 (CHG-103, revision",
        "| Closing of the month | freeze | payments | Wed 2026-11-04 01:00 | Fri 2026-11-06 01:00 | books are closed |",
        "| Nights | maintenance | reporting | Wed 2026-11-04 01:00 | Wed 2026-11-04 05:00 | nobody reads reports then |",
        "| maintenance window 'Nights' (reporting) | Wed 2026-11-04 01:00 | Wed 2026-11-04 05:00 |",
    ] {
        assert!(pack.contains(said), "{said} is not in\n{pack}");
    }
    let outside = text(&request(&week.request(3)));
    assert!(outside.contains("0 freezes, 0 maintenance windows"), "{outside}");
    assert!(outside.contains("No freeze and no maintenance window has a time in Tue 2026-11-03 07:00"), "{outside}");
    let all = week.meeting(|input| csv::render(&meeting(input)));
    let calendar = &all.iter().find(|file| file.name == "calendar.csv").unwrap().text;
    let kinds: Vec<&str> = calendar.lines().skip(1).map(|row| row.split(',').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["freeze", "maintenance", "maintenance", "maintenance"], "{calendar}");
}

#[test]
fn a_maintenance_window_is_not_drawn_as_a_freeze() {
    let mut week = Week::new();
    let answer = &mut week.answers[2];
    answer.violations.iter_mut().for_each(|line| line.kind = CalendarKind::Maintenance);
    answer.calendar.iter_mut().for_each(|line| line.kind = CalendarKind::Maintenance);
    let pack = text(&request(&week.request(2)));
    assert!(pack.contains("0 freezes, 2 maintenance windows") && pack.contains("| maintenance |"), "{pack}");
}

#[test]
fn times_for_which_the_calendar_was_not_looked_up_are_told() {
    let mut week = Week::new();
    let beyond = "were looked up for Mon 2026-11-02 23:00 \u{2013} Tue 2026-11-03 11:00, and not beyond.";
    assert!(!text(&request(&week.request(0))).contains(beyond));
    assert!(!text(&week.meeting(meeting)).contains("and not beyond"));
    week.others[0][0].rollback_minutes = Some(24 * 60);
    assert!(text(&request(&week.request(0))).contains(beyond));
    week.schedule.within = hours(0.0, 48.0);
    assert!(text(&week.meeting(meeting)).contains("and not beyond"));
}

#[test]
fn that_requests_backed_out_at_once_are_not_looked_at_stands_with_the_collisions() {
    let week = Week::new();
    let section = |pack: &str| {
        let (_, rest) = pack.split_once("## Collisions").unwrap();
        rest.split("## ").next().unwrap().to_owned()
    };
    let said = "Changes are looked at as being reversed one at a time: that several of CHG-101, CHG-102";
    assert!(section(&text(&request(&week.request(0)))).contains(said));
    let meeting = text(&week.meeting(meeting));
    assert!(
        section(&meeting).contains(said) && meeting.contains("the schedule is complete; every request"),
        "{meeting}"
    );
    assert!(!text(&request(&week.request(2))).contains("reversed one at a time"));
}

#[test]
fn answers_of_another_revision_than_the_schedule_are_told() {
    let mut week = Week::new();
    week.answers[1].basis.revision = keelson_model::Revision(3);
    let pack = text(&week.meeting(meeting));
    assert!(pack.contains("these answers of others: CHG-102 at revision 3"), "{pack}");
}
