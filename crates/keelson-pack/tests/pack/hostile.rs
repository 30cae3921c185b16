//! Whatever stands in names, reasons and titles, it stays text.

use keelson_pack::request;
use keelson_report::{csv, html, markdown};

use super::sample::Week;

const EVIL: &str = "=1+1</td><script>alert(1)</script>\u{202e}|[x](javascript:alert(1))\n# ![]()";

#[test]
fn names_and_reasons_are_data() {
    let mut week = Week::new();
    let answer = &mut week.answers[2];
    answer.change.title = EVIL.to_owned();
    answer.change.reason = EVIL.to_owned();
    answer.change.requester = EVIL.to_owned();
    answer.change.team = Some(EVIL.to_owned());
    answer.major.push(EVIL.to_owned());
    answer.approvers.push(EVIL.to_owned());
    for line in &mut answer.services {
        line.subject.name = EVIL.to_owned();
        line.owners = vec![EVIL.to_owned()];
        line.new_single_points.push(EVIL.to_owned());
        for step in &mut line.proof {
            step.why = EVIL.to_owned();
        }
    }
    for line in &mut answer.violations {
        line.entry = EVIL.to_owned();
        line.text = EVIL.to_owned();
    }
    for line in &mut answer.calendar {
        line.name = EVIL.to_owned();
        line.reason = EVIL.to_owned();
        line.items.iter_mut().for_each(|item| item.name = EVIL.to_owned());
    }
    for line in &mut answer.starting_state {
        line.reference = Some(EVIL.to_owned());
    }
    let document = request(&week.request(2));
    let page = html::render(&document);
    assert!(!page.contains("<script") && !page.contains("javascript:alert(1)\""));
    assert!(!page.contains('\u{202e}'));
    let text = markdown::render(&document, &markdown::Options::default());
    assert!(!text.contains("<script") && !text.replace("\\]", "").contains("](javascript"));
    for file in csv::render(&document) {
        assert!(!file.text.lines().any(|line| line.starts_with('=')), "{}", file.text);
        assert!(!file.text.contains(",=1") && !file.text.contains("\"=1"), "{}", file.text);
    }
}

#[test]
fn a_title_of_nothing_and_keys_that_read_alike_are_no_trouble() {
    let mut week = Week::new();
    week.answers[0].change.title = String::new();
    week.answers[0].change.key = "A/1".to_owned();
    week.answers[1].change.key = "A-1".to_owned();
    week.meeting(|input| {
        let document = keelson_pack::meeting(input);
        let page = html::render(&document);
        assert!(page.contains("href=\"#s-r1-request\"") && page.contains("id=\"s-r2-request\""));
        let names: Vec<_> = csv::render(&document).into_iter().map(|file| file.name).collect();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    });
}
