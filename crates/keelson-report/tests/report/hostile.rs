//! Text is data, whatever stands in it.

use keelson_report::document::{Cell, Document, Figure, Note, Proof, Section, Severity, Table, Text};
use keelson_report::drawing::{Drawing, Relationship, State};
use keelson_report::timeline::{Band, BandKind, Change, Collision, Timeline, Violation};
use keelson_report::zone::Zone;
use keelson_report::{csv, html, markdown};
use proptest::prelude::*;

use crate::sample;

pub(crate) const HOSTILE: &str = "<script>alert(\"x\")</script>' onload='y|a\r\n# b\u{0}\u{1}\u{1b}[0m\u{202e}\u{200f}</style>*/ ]]> --> `c` &amp; \\";

fn figures(text: &str) -> [Figure; 2] {
    let mut drawing = Drawing::new(text);
    for id in [text, "other"] {
        drawing.item(sample::item(id, text, State::Lost));
    }
    drawing.relationship(Relationship::new(text, "other").label(text).need(text));
    let mut timeline = Timeline::new(text, Zone::UTC);
    let window = sample::interval("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z");
    let verdict = Some((Severity::Good, text.to_owned()));
    timeline.change(Change { id: text.to_owned(), label: text.to_owned(), window, backed_out_by: None, verdict });
    timeline.band(Band { kind: BandKind::Freeze, label: text.to_owned(), times: vec![window] });
    timeline.violation(Violation { change: text.to_owned(), during: window, reason: text.to_owned() });
    timeline.collision(Collision { changes: vec![text.to_owned()], during: window, reason: text.to_owned() });
    [drawing.draw().figure(text), timeline.draw().figure(text)]
}

pub(crate) fn document(text: &str) -> Document {
    let all = Text::new().plain(text).emphasis(text).strong(text).code(text).link(text, text);
    let link = Text::new().link("go", format!("javascript:{text}")).link("on", format!("https://example.com/{text}"));
    let table = Table::new(text, text)
        .naming_column(text)
        .column(text)
        .row(Some(Severity::Serious), [Cell::from(text), Cell::mark(Severity::Good, text)])
        .row(Some(Severity::Serious), [Cell::from(all.clone()), Cell::from(text)]);
    let [drawing, timeline] = figures(text);
    let mut document = Document::new(text).subtitle(text).fact(text, all.clone()).section(
        Section::new(text)
            .paragraph(all.clone())
            .paragraph(link)
            .block(Note { severity: Severity::Critical, text: all.clone() })
            .list([all.clone()])
            .numbered([all.clone()])
            .block(Proof::new().line(0, all.clone()).line(1, all))
            .block(table.clone())
            .block(table)
            .block(drawing)
            .block(timeline),
    );
    document.language = text.to_owned();
    document
}

/// The ids of a page, and what tags there are.
fn tags(page: &str) -> Vec<&str> {
    let body = page.split_once("</style>").unwrap().1;
    let names = body.split('<').skip(1).map(|rest| rest.split([' ', '>', '/', '\n']).next().unwrap());
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn nothing_becomes_markup() {
    let page = html::render(&document(HOSTILE));
    let harmless = html::render(&document("name"));
    // The same tags as with a harmless text, but for breaks at line ends and links that are links.
    let of = |page: &str| -> Vec<String> {
        tags(page).into_iter().filter(|tag| *tag != "br" && *tag != "a").map(str::to_owned).collect()
    };
    assert_eq!(of(&page), of(&harmless));
    assert!(!page.contains("<script") && !page.contains("javascript:"));
    assert!(!page.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)));
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn ids_are_unique_whatever_names_repeat() {
    let mut document = document("name");
    for section in document.clone().sections() {
        document.push(section.clone());
    }
    let page = html::render(&document);
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for part in page.split("url(#").skip(1) {
        let id = part.split(')').next().unwrap();
        assert!(ids.binary_search(&id).is_ok(), "{id}");
    }
}

#[test]
fn markdown_tables_keep_their_shape() {
    let text = markdown::render(&document(HOSTILE), &markdown::Options::default());
    assert!(!text.contains("<script"));
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        assert_eq!(bars, 3, "{line}");
    }
}

#[test]
fn files_of_tables_have_names_of_their_own() {
    let files = csv::render(&document("../../etc/passwd"));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["etc-passwd.csv", "etc-passwd-2.csv"]);
}

#[test]
#[should_panic(expected = "too many cells")]
fn a_cell_too_many_is_not_lost_silently() {
    let _ = Table::new("t", "T").column("a").row(None, [Cell::from("1"), Cell::from("2")]);
}

#[test]
fn headings_never_skip_a_level() {
    let document = Document::new("d").section(Section::new("a").level(4)).section(Section::new("b").level(5));
    let levels: Vec<u8> = document.sections().iter().map(Section::heading_level).collect();
    assert_eq!(levels, [1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_data(text in "(?s).{0,40}") {
        let (page, harmless) = (html::render(&document(&text)), html::render(&document("name")));
        let of = |page: &str| tags(page).into_iter().filter(|tag| !["br", "a"].contains(tag)).count();
        prop_assert_eq!(of(&page), of(&harmless));
        let _ = markdown::render(&document(&text), &markdown::Options::default());
        for file in csv::render(&document(&text)) {
            let mut reader = ::csv::ReaderBuilder::new().from_reader(file.text.as_bytes());
            prop_assert!(reader.records().all(|record| record.is_ok_and(|record| record.len() == 3 || record.len() == 2)));
        }
    }
}
