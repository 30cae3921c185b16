//! Reads a generated batch of many lines and prints how long that took.
//!
//! `cargo run --release -p keelson-import-batch --example read_speed [lines]`

use std::fmt::Write;
use std::time::Instant;

use keelson_import_batch::BatchImporter;
use keelson_importer::conformance::context;
use keelson_importer::{Importer, Input, SourceFile};

fn main() {
    let lines: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(600_000);
    let mut text = String::from("{\"batch\":{\"format\":\"keelson/1\",\"source\":\"speed\",\"complete\":true}}\n");
    let items = lines / 6;
    for item in 0..items {
        let _ = writeln!(
            text,
            "{{\"ci\":{{\"key\":\"host/h{item}\",\"class\":\"host\",\"name\":\"Host {item}\",\"external_id\":\"arn:aws:ec2:eu-west-1:123456789012:instance/i-{item:017x}\",\"owner\":\"team/t{}\",\"attributes\":{{\"memory\":{{\"value\":16,\"unit\":\"GiB\"}},\"address\":\"10.0.{}.{}\",\"cores\":4}}}}}}",
            item % 50,
            item / 250 % 250,
            item % 250
        );
    }
    for line in items..lines {
        let (from, to) = (line % items, (line * 7_919 + line / items) % items);
        let _ = writeln!(
            text,
            "{{\"relationship\":{{\"kind\":\"uses\",\"dependent\":\"host/h{from}\",\"dependency\":\"host/h{to}\"}}}}"
        );
    }
    let bytes = text.len();
    let input = Input::from_files(vec![SourceFile::from_bytes("speed.ndjson", text.into_bytes())]);
    let start = Instant::now();
    match BatchImporter.normalise(&input, &context("speed")) {
        Ok(batches) => {
            let batch = &batches[0];
            println!(
                "{lines} lines, {} MiB: {} observations, {} relationships, {} findings in {:.2} s",
                bytes >> 20,
                batch.observations.len(),
                batch.relationships.len(),
                batch.findings.len(),
                start.elapsed().as_secs_f64()
            );
        }
        Err(error) => println!("{error}"),
    }
}
