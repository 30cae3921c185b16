//! Killed in the middle of imports, again and again: what was acknowledged is there, what was not
//! is there wholly or not at all, and the store is sound.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use common::Place;

/// How often the program is killed.
const KILLS: u32 = 20;
/// Batches a run is given; more than it can take in before it is killed.
const BATCHES: u32 = 12;

/// Items of a batch: small ones are one transaction, every third is larger than that.
fn items(batch: u32) -> u32 {
    if batch % 3 == 2 { 2_600 } else { 40 }
}

fn batch(round: u32, number: u32) -> String {
    let mut text = format!(
        "{{\"batch\":{{\"format\":\"keelson/1\",\"source\":\"crash\",\"scope\":\"r{round}-b{number}\",\"complete\":true,\
         \"observed_at\":\"2026-11-01T00:00:00Z\"}}}}\n"
    );
    for item in 0..items(number) {
        text.push_str(&format!(
            "{{\"ci\":{{\"key\":\"host/r{round}-b{number}-{item}\",\"class\":\"host\",\"attributes\":{{\"memory\":{item}}}}}}}\n"
        ));
    }
    text
}

#[test]
fn nothing_acknowledged_is_lost_and_no_batch_is_there_in_part() {
    let place = Place::new();
    let mut acknowledged: BTreeMap<String, u32> = BTreeMap::new();
    // On a busy machine it takes longer until anything is acknowledged at all.
    let mut patience = 1;
    for round in 0..KILLS {
        let files: Vec<String> = (0..BATCHES)
            .map(|number| place.file(&format!("r{round}-b{number:02}.ndjson"), batch(round, number)))
            .collect();
        let mut child = place
            .command()
            .args(["import", "batch", "--output", "ndjson"])
            .args(&files)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        // Somewhere in its work: later in every round, so that every sort of moment is met.
        std::thread::sleep(Duration::from_millis((60 + u64::from(round) * 37) * patience));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in BufReader::new(output).lines() {
            // The last line may have been cut off by the kill; then it acknowledges nothing.
            let Ok(summary) = serde_json::from_str::<serde_json::Value>(&line.unwrap()) else { continue };
            assert_eq!(summary["outcome"], "committed", "{summary}");
            let scope = summary["scope"].as_str().unwrap().to_owned();
            let number: u32 = scope.rsplit('b').next().unwrap().parse().unwrap();
            acknowledged.insert(scope, items(number));
        }
        if acknowledged.is_empty() && patience < 64 {
            patience *= 2;
        }
        let verified = place.run(&["verify"]);
        assert!(
            verified.status == 0 || verified.err.contains("no store"),
            "round {round}: {}{}",
            verified.out,
            verified.err
        );
        if verified.status == 0 {
            check(&place, &acknowledged);
        }
    }
    assert!(!acknowledged.is_empty(), "no batch was ever acknowledged; the test tests nothing");
}

fn check(place: &Place, acknowledged: &BTreeMap<String, u32>) {
    let listed = place.ok(&["list", "--class", "host", "--limit", "1000000", "--output", "ndjson"]);
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for line in listed.lines() {
        let item: serde_json::Value = serde_json::from_str(line).unwrap();
        let key = item["key"].as_str().unwrap().strip_prefix("host/").unwrap();
        let (scope, _) = key.rsplit_once('-').unwrap();
        *found.entry(scope.to_owned()).or_default() += 1;
    }
    for (scope, expected) in acknowledged {
        assert_eq!(found.get(scope), Some(expected), "acknowledged batch {scope}");
    }
    for (scope, present) in &found {
        let number: u32 = scope.rsplit('b').next().unwrap().parse().unwrap();
        assert_eq!(*present, items(number), "batch {scope} is there in part");
    }
}
