//! The sample pack in every format is the one in `golden/`. `KEELSON_BLESS=1` rewrites the files.

use std::path::Path;

use keelson_report::document::Id;
use keelson_report::{csv, html, markdown};

use crate::sample;

fn files() -> Vec<(String, String)> {
    let pack = sample::pack();
    let mut files = vec![
        ("pack.html".to_owned(), html::render(&pack)),
        ("pack.md".to_owned(), markdown::render(&pack, &markdown::Options { figure_files: Some(String::new()) })),
        ("pack.json".to_owned(), pack.to_json().unwrap()),
        ("schedule.ics".to_owned(), sample::calendar().to_ics()),
    ];
    files.extend(csv::render(&pack).into_iter().map(|file| (file.name, file.text)));
    files.extend(
        pack.named_figures().map(|(name, one)| (format!("{}.svg", name.as_str()), one.svg.markup(&Id::new("file")))),
    );
    files
}

#[test]
fn the_sample_pack_is_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/golden");
    let blessing = std::env::var_os("KEELSON_BLESS").is_some();
    let mut stale = Vec::new();
    let mut known = Vec::new();
    for (name, text) in files() {
        let path = folder.join(&name);
        if blessing {
            std::fs::write(&path, &text).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            stale.push(name.clone());
        }
        known.push(name);
    }
    assert!(stale.is_empty(), "not current: {stale:?}; run with KEELSON_BLESS=1 and look at the diff");
    let there = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strangers: Vec<String> = there.filter(|name| !known.contains(name)).collect();
    assert!(strangers.is_empty(), "files nobody writes: {strangers:?}");
}

#[test]
fn the_same_pack_gives_the_same_bytes() {
    assert_eq!(files(), files());
}
