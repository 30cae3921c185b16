//! Timelines of few and of many changes.

use chrono::TimeDelta;
use keelson_report::document::Id;
use keelson_report::timeline::{Band, BandKind, Change, Collision, Interval, Timeline, Violation};
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

fn band(kind: BandKind, label: &str, start: &str, end: &str) -> Band {
    Band { kind, label: label.to_owned(), times: vec![sample::interval(start, end)] }
}

/// Where the marks of a hatching are, from their left to their right edges; the last one is that of the legend.
fn hatched(markup: &str, pattern: &str) -> Vec<(f64, f64)> {
    let filled = format!("fill=\"url(#x-{pattern})\"");
    let rects = markup.split("<rect ").skip(1).filter_map(|rest| rest.split_once("/>").map(|(rect, _)| rect));
    let number = |rect: &str, name: &str| -> f64 {
        let (_, rest) = rect.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let places = rects.filter(|rect| rect.contains(&filled)).map(|rect| {
        let from = number(rect, "x");
        (from, from + number(rect, " width"))
    });
    places.collect()
}

#[test]
fn the_calendar_has_rows_of_its_own_cut_to_the_times_drawn() {
    let mut timeline = many(4);
    let alone = timeline.draw().svg;
    timeline.band(band(BandKind::Freeze, "Closing", "2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
    timeline.band(band(BandKind::Maintenance, "Nights", "2026-03-01T06:00:00Z", "2026-03-01T09:00:00Z"));
    let drawn = timeline.draw();
    assert!(drawn.description.contains("Of the calendar: 1 freeze (Closing), 1 maintenance window (Nights)."));
    let markup = drawn.svg.markup(&Id::new("x"));
    // The chart begins after the names and is 800 wide.
    assert_eq!(hatched(&markup, "freeze")[0], (282.0, 1082.0));
    let (from, to) = hatched(&markup, "maintenance")[0];
    assert!(282.0 < from && from < to && to < 1082.0, "{from} to {to}");
    for said in [
        ">Freeze</text>",
        ">Closing</text>",
        ">freeze</text>",
        "<title>Maintenance Nights: 2026-03-01 06:00 until 2026-03-01 09:00</title>",
        ">maintenance window</text>",
    ] {
        assert!(markup.contains(said), "{said}");
    }
    let plain = alone.markup(&Id::new("x"));
    assert!(!plain.contains(">freeze</text>") && hatched(&plain, "freeze").is_empty());
    assert_eq!(drawn.svg.height() - alone.height(), 40.0, "two rows, and the axis says the same");
    assert_eq!(markup.matches(">00:00</text>").count(), plain.matches(">00:00</text>").count());
}

#[test]
fn freezes_get_a_row_before_maintenance_windows_and_the_rest_is_counted() {
    let mut timeline = many(4);
    for number in 0..15 {
        let label = format!("Nights {number}");
        timeline.band(band(BandKind::Maintenance, &label, "2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z"));
    }
    timeline.band(band(BandKind::Freeze, "Closing", "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z"));
    timeline.band(band(BandKind::Freeze, "Next year", "2027-03-01T12:00:00Z", "2027-03-02T00:00:00Z"));
    timeline.band(Band { kind: BandKind::Maintenance, label: "Never".to_owned(), times: Vec::new() });
    let drawn = timeline.draw();
    let markup = drawn.svg.markup(&Id::new("x"));
    assert!(markup.contains(">Closing</text>") && markup.contains(">Nights 10</text>"));
    assert!(!markup.contains(">Nights 11</text>") && !markup.contains(">Next year</text>"));
    assert!(
        markup
            .contains("and 4 maintenance windows without a row; 1 freeze and 1 maintenance window outside these times")
    );
    assert!(drawn.description.contains("2 freezes (Closing; Next year), 16 maintenance windows ("));
    assert!(drawn.description.contains("; 13 more)"), "{}", drawn.description);
}

#[test]
fn times_without_number_are_few_marks() {
    let mut timeline = many(4);
    let start = sample::at("2026-03-01T00:00:00Z");
    let minute = |at: i64| Interval::new(start + TimeDelta::minutes(at), start + TimeDelta::minutes(at + 1)).unwrap();
    let times = (0..1_000).map(|number| minute(number * 2)).collect();
    timeline.band(Band { kind: BandKind::Maintenance, label: "Minutes".to_owned(), times });
    let markup = timeline.draw().svg.markup(&Id::new("x"));
    let marks = hatched(&markup, "maintenance");
    assert!(marks.len() <= 321, "{} marks", marks.len());
    assert!(markup.contains("and 997 more times</title>"));
}

#[test]
fn what_violates_the_calendar_has_a_row_and_a_mark_there() {
    let mut timeline = many(143);
    let during = sample::interval("2026-04-10T20:00:00Z", "2026-04-10T23:00:00Z");
    let reason = "payments is breached during the freeze 'Closing'".to_owned();
    timeline.violation(Violation { change: "CHG-0141".to_owned(), during, reason });
    let drawn = timeline.draw();
    assert!(drawn.rows.contains(&"CHG-0141".to_owned()) && drawn.left_out.contains(&"CHG-0142".to_owned()));
    assert!(drawn.description.contains("1 violation of the calendar"));
    let markup = drawn.svg.markup(&Id::new("x"));
    assert!(markup.contains("<title>payments is breached during the freeze &#39;Closing&#39;</title>"));
    assert!(markup.contains(">violates the calendar</text>"));
    let mut crowded = many(3).max_rows(1);
    for change in ["CHG-0001", "CHG-0002"] {
        crowded.violation(Violation { change: change.to_owned(), during, reason: "x".to_owned() });
    }
    let markup = crowded.draw().svg.markup(&Id::new("x"));
    assert!(markup.contains("1 violation of the calendar by changes without a row"));
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
