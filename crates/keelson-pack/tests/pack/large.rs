//! A change that reaches 300 services stays readable, and nothing is dropped in silence.

use std::fmt::Write as _;

use keelson_answers::change::USUAL_ITEMS;
use keelson_pack::{ChangeInput, RequestInput, request};
use keelson_report::document::Document;
use keelson_report::{html, markdown};
use keelson_testkit::{Estate, hours, minutes};

use super::sample::{request_for, zone};

/// 300 services, each on a pair of instances; half of the pairs stand on one host.
fn estate() -> Estate {
    let mut text = String::from(
        "{\"batch\":{\"format\":\"keelson/1\",\"source\":\"large\",\"scope\":\"all\",\"complete\":true,\
         \"observed_at\":\"2026-11-01T00:00:00Z\"}}\n",
    );
    for host in 0..10 {
        let _ = writeln!(text, "{{\"ci\":{{\"key\":\"host/h{host}\",\"class\":\"host\",\"name\":\"h{host}\"}}}}");
    }
    for number in 0..300 {
        let criticality = ["low", "medium", "high", "critical"][number % 4];
        let _ = writeln!(
            text,
            "{{\"ci\":{{\"key\":\"service/s{number}\",\"class\":\"service\",\"name\":\"Service {number}\",\
             \"criticality\":\"{criticality}\",\"attributes\":{{\"minimum_delivered\":0.5}}}}}}"
        );
        for side in ["a", "b"] {
            // Every second pair has both of its members on host 0.
            let host = if side == "a" || number % 2 == 0 { 0 } else { 1 + number % 9 };
            let key = format!("software-instance/s{number}{side}");
            let _ = writeln!(
                text,
                "{{\"ci\":{{\"key\":\"{key}\",\"class\":\"software-instance\",\"name\":\"s{number}{side}\"}}}}\n\
                 {{\"need\":{{\"dependent\":\"{key}\",\"name\":\"host\",\"rule\":\"all\",\"members\":[\"host/h{host}\"]}}}}"
            );
        }
        let _ = writeln!(
            text,
            "{{\"need\":{{\"dependent\":\"service/s{number}\",\"name\":\"pair\",\"rule\":\"any\",\"members\":\
             [\"software-instance/s{number}a\",\"software-instance/s{number}b\"]}}}}"
        );
    }
    let file = format!("{}/large-{}.ndjson", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&file, text).unwrap();
    let estate = Estate::of(&file);
    std::fs::remove_file(&file).unwrap();
    estate
}

fn pack() -> Document {
    let mut estate = estate();
    request_for(&mut estate, "CHG-900", "Replace host h0", "h0", Some(hours(1.0, 3.0)), 60);
    let answer = estate.assess("CHG-900");
    let picture = estate.picture(&answer, USUAL_ITEMS);
    let input = ChangeInput {
        title: None,
        computed_at: minutes(0),
        zone: zone(),
        request: RequestInput { answer: &answer, picture: Some(&picture), since: None },
        others: &[],
    };
    request(&input)
}

#[test]
fn three_hundred_services_are_cut_to_what_can_be_read_and_the_rest_is_counted() {
    let document = pack();
    if let Ok(path) = std::env::var("KEELSON_LOOK") {
        std::fs::write(path, html::render(&document)).unwrap();
    }
    let text = markdown::render(&document, &markdown::Options::default());
    let (_, table) = document.named_tables().find(|(name, _)| name.as_str() == "services").unwrap();
    assert_eq!(table.rows().len(), 40);
    assert!(text.contains("40 of 300, the worst off first"), "{text}");
    assert!(text.contains("110 services breached, 150 services margin lost"), "{text}");
    assert!(text.contains("The proofs of 140 services are not shown."), "{text}");
    assert!(text.contains("and 144 more"), "the summary counts what it does not name: {text}");
    let page = html::render(&document);
    assert!(page.len() < 200_000, "{} bytes", page.len());
}
