//! The sample packs are the ones in `golden/`. `KEELSON_BLESS=1` rewrites the files.

use std::path::Path;

use keelson_pack::{meeting, meeting_json, request, request_json};
use keelson_report::document::{Document, Id};
use keelson_report::{csv, html, markdown};

use super::sample::Week;

fn files(folder: &str, document: &Document, json: Vec<u8>) -> Vec<(String, String)> {
    let mut files = vec![
        ("pack.html".to_owned(), html::render(document)),
        ("pack.md".to_owned(), markdown::render(document, &markdown::Options { figure_files: Some(String::new()) })),
        ("answer.json".to_owned(), String::from_utf8(json).unwrap()),
    ];
    files.extend(csv::render(document).into_iter().map(|file| (file.name, file.text)));
    let figures = document.named_figures();
    files.extend(figures.map(|(name, one)| (format!("{}.svg", name.as_str()), one.svg.markup(&Id::new("file")))));
    files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)).collect()
}

fn all() -> Vec<(String, String)> {
    let week = Week::new();
    let one = week.request(0);
    let mut all = files("request", &request(&one), request_json(&one));
    let breach = week.request(2);
    all.extend(files("breach", &request(&breach), request_json(&breach)));
    all.extend(week.meeting(|input| files("meeting", &meeting(input), meeting_json(input))));
    all
}

#[test]
fn the_sample_packs_are_as_they_were() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack/golden");
    let blessing = std::env::var_os("KEELSON_BLESS").is_some();
    let (mut stale, mut known) = (Vec::new(), Vec::new());
    for (name, text) in all() {
        let path = golden.join(&name);
        if blessing {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            stale.push(name.clone());
        }
        known.push(name);
    }
    assert!(stale.is_empty(), "not current: {stale:?}; run with KEELSON_BLESS=1 and look at the diff");
    for folder in ["request", "breach", "meeting"] {
        for entry in std::fs::read_dir(golden.join(folder)).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap());
            assert!(known.contains(&name), "a file nobody writes: {name}");
        }
    }
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    assert_eq!(all(), all());
}
