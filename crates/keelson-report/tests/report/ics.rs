//! Calendars are read again by a reader that is not ours.

use icalendar::parser::{read_calendar, unfold};
use keelson_report::ics::{Calendar, Event, Status};

use crate::sample;

fn event(summary: &str, description: &str) -> Event {
    let (start, end) = (sample::at("2026-03-06T20:00:00Z"), sample::at("2026-03-06T23:00:00Z"));
    Event {
        uid: "one@example.com".to_owned(),
        stamp: start,
        start,
        end,
        summary: summary.to_owned(),
        description: Some(description.to_owned()),
        categories: vec!["a,b".to_owned(), "c".to_owned()],
        status: Status::Confirmed,
        url: Some("https://example.com/a;b,c".to_owned()),
        last_modified: None,
        sequence: 0,
    }
}

#[test]
fn another_reader_understands_it() {
    let text = sample::calendar().to_ics();
    let unfolded = unfold(&text);
    let calendar = read_calendar(&unfolded).unwrap();
    let event = &calendar.components[0];
    let value = |name: &str| event.find_prop(name).map(|one| one.val.as_str().to_owned());
    assert_eq!(event.name, "VEVENT");
    assert_eq!(value("UID").unwrap(), "CHG-2041@cmdb.example.com");
    assert_eq!(value("DTSTART").unwrap(), "20260306T200000Z");
    assert_eq!(value("DTEND").unwrap(), "20260306T230000Z");
    assert_eq!(value("SEQUENCE").unwrap(), "3");
    assert_eq!(value("URL").unwrap(), "https://wiki.example.com/chg/2041");
    assert_eq!(value("STATUS").unwrap(), "TENTATIVE");
}

#[test]
fn hostile_text_starts_no_event() {
    let hostile = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\nATTACH:file;a,b\\\u{0}\u{202e}";
    let calendar = Calendar { name: hostile.to_owned(), events: vec![event(hostile, hostile)] };
    let text = calendar.to_ics();
    assert_eq!(text.matches("\r\nBEGIN:VEVENT\r\n").count(), 1);
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\r', '\0'])));
    assert!(text.contains("CATEGORIES:a\\,b,c\r\n") && text.contains("URL:https://example.com/a;b,c\r\n"));
    let unfolded = unfold(&text);
    assert_eq!(read_calendar(&unfolded).unwrap().components.len(), 1);
}

#[test]
fn an_address_that_would_break_the_line_is_left_out() {
    let mut one = event("a", "b");
    one.url = Some("https://example.com/\r\nATTENDEE:mailto:x@example.com".to_owned());
    let text = Calendar { name: "n".to_owned(), events: vec![one] }.to_ics();
    assert!(!text.contains("URL") && !text.contains("ATTENDEE"));
}
