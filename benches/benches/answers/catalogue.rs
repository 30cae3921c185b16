//! Synthetic estates as a catalogue holds them: with figures, so that whole answers can be timed.
//!
//! An [`Estate`] written in the batch format, read and planned as an import is. Everything states how often it fails and
//! how long it takes to start; services state demand, growth, value and targets; one item in ten, a capacity.

use std::fmt::Write as _;

use keelson_answers::View;
use keelson_benches::estate::{Estate, Size};
use keelson_testkit::Estate as Told;

/// Bytes after which another batch is begun: a file may have 256 MiB.
const LONGEST: usize = 200_000_000;

/// Draws the view of a size.
pub(crate) fn view(size: Size) -> View {
    let batches = batches(&Estate::of(size));
    let mut told: Option<Told> = None;
    for text in batches {
        match &mut told {
            Some(told) => told.import_text(&text),
            None => told = Some(Told::of_text(&text)),
        }
    }
    told.expect("there is a batch").view()
}

/// The estate as batches: the items, and their needs.
fn batches(estate: &Estate) -> Vec<String> {
    let head = |number: usize| {
        format!(
            r#"{{"batch":{{"format":"keelson/1","source":"bench-{number}","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}}}"#
        ) + "\n"
    };
    let (mut batches, mut text) = (Vec::new(), head(0));
    let mut is_service = vec![false; estate.items as usize];
    for service in &estate.services {
        is_service[service.index()] = true;
    }
    let key = |item: u32| if is_service[item as usize] { format!("service/s{item}") } else { format!("host/h{item}") };
    for item in 0..estate.items {
        write_item(&mut text, item, is_service[item as usize]);
    }
    for (number, need) in estate.needs.iter().enumerate() {
        if text.len() > LONGEST {
            let next = head(batches.len() + 1);
            batches.push(std::mem::replace(&mut text, next));
        }
        let owner = key(need.owner);
        for member in &need.members {
            let member = key(*member);
            let line = writeln!(
                text,
                r#"{{"relationship":{{"kind":"depends_on","dependent":"{owner}","dependency":"{member}","attributes":{{"visits":0.2}}}}}}"#,
            );
            line.expect("a text takes every line");
        }
        if need.members.len() > 1 {
            let members: Vec<String> = need.members.iter().map(|member| format!("\"{}\"", key(*member))).collect();
            let line = writeln!(
                text,
                r#"{{"need":{{"dependent":"{owner}","name":"n{number}","rule":"at_least","k":{},"kind":"depends_on","members":[{}]}}}}"#,
                need.required,
                members.join(",")
            );
            line.expect("a text takes every line");
        }
    }
    batches.push(text);
    batches
}

fn write_item(text: &mut String, item: u32, is_service: bool) {
    let line = if is_service {
        writeln!(
            text,
            r#"{{"ci":{{"key":"service/s{item}","class":"service","name":"s{item}","criticality":"{}","attributes":{{"target_availability":0.999,"rto_minutes":120,"value_per_hour":{{"value":{},"unit":"EUR"}},"peak_demand":{{"value":100,"unit":"requests/s"}},"demand_growth_per_month":0.0{}}}}}}}"#,
            if item.is_multiple_of(4) { "critical" } else { "medium" },
            item % 1_000,
            item % 5
        )
    } else {
        let capacity = if item.is_multiple_of(10) {
            r#","capacity":{"value":200000,"unit":"requests/s"},"lead_time_days":90,"increment":{"value":50000,"unit":"requests/s"},"increment_cost":{"value":1000,"unit":"EUR"}"#
        } else {
            ""
        };
        writeln!(
            text,
            r#"{{"ci":{{"key":"host/h{item}","class":"host","name":"h{item}","attributes":{{"unavailability":0.000{:02},"recovery_minutes":{}{capacity}}}}}}}"#,
            item % 97 + 1,
            item % 20
        )
    };
    line.expect("a text takes every line");
}
