//! Killed while it serves edits and deliveries, again and again: what was answered is there, and the
//! store is sound.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Place, Serving};
use serde_json::{Value as Json, json};

/// How often the program is killed.
const KILLS: u64 = 20;
/// Clients that edit at the same time.
const CLIENTS: usize = 3;

/// Sends a document and gives the answer, or nothing when the server is gone.
fn ask(address: &str, query: &str, variables: &Json) -> Option<Json> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let mut stream = TcpStream::connect(address).ok()?;
    write!(
        stream,
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

const CREATE: &str = "mutation($input: CreateConfigurationItemInput!) { createConfigurationItem(input: $input) { \
    configurationItem { key } userErrors { message } } }";
const SUBMIT: &str =
    "mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { outcome userErrors { message } } }";

/// Keys of items that the server has said are in the catalogue.
type Acknowledged = Arc<Mutex<BTreeSet<String>>>;

/// Edits until the server is gone.
fn edit(address: &str, name: &str, acknowledged: &Acknowledged) {
    for number in 0.. {
        let key = format!("host/{name}-{number}");
        let input = json!({ "key": key, "class": "host", "name": key });
        let Some(answer) = ask(address, CREATE, &json!({ "input": input })) else { return };
        if answer["data"]["createConfigurationItem"]["configurationItem"]["key"] == key.as_str() {
            acknowledged.lock().unwrap().insert(key);
        }
    }
}

/// Delivers batches until the server is gone; every second one is journalled.
fn deliver(address: &str, name: &str, acknowledged: &Acknowledged) {
    for number in 0.. {
        let items = if number % 2 == 0 { 30 } else { 2_200 };
        let mut content = json!({ "batch": {
            "format": "keelson/1", "source": name, "scope": format!("b{number}"), "complete": true,
            "observed_at": "2026-11-01T00:00:00Z" } })
        .to_string();
        for item in 0..items {
            content +=
                &format!("\n{}", json!({ "ci": { "key": format!("host/{name}-b{number}-{item}"), "class": "host" } }));
        }
        let Some(answer) = ask(address, SUBMIT, &json!({ "input": { "content": content } })) else { return };
        if answer["data"]["submitBatch"]["outcome"] == "COMMITTED" {
            acknowledged.lock().unwrap().extend((0..items).map(|item| format!("host/{name}-b{number}-{item}")));
        }
    }
}

#[test]
fn nothing_answered_is_lost_when_the_server_is_killed() {
    let place = Place::new();
    let acknowledged = Acknowledged::default();
    // On a busy machine it takes longer until anything is answered at all.
    let mut patience = 1;
    for round in 0..KILLS {
        let mut serving = Serving::start(&place, &["serve"]);
        let address = serving.url.strip_prefix("http://").unwrap().to_owned();
        let clients: Vec<_> = (0..=CLIENTS)
            .map(|client| {
                let (address, acknowledged) = (address.clone(), Arc::clone(&acknowledged));
                let name = format!("r{round}-c{client}");
                std::thread::spawn(move || {
                    if client == CLIENTS {
                        deliver(&address, &name, &acknowledged);
                    } else {
                        edit(&address, &name, &acknowledged);
                    }
                })
            })
            .collect();
        // Somewhere in its work: later in every round, so that every sort of moment is met.
        std::thread::sleep(Duration::from_millis((80 + round * 41) * patience));
        serving.child.kill().unwrap();
        serving.child.wait().unwrap();
        clients.into_iter().for_each(|client| client.join().unwrap());
        if acknowledged.lock().unwrap().is_empty() && patience < 64 {
            patience *= 2;
        }
        let verified = place.run(&["verify"]);
        assert_eq!(verified.status, 0, "round {round}: {}{}", verified.out, verified.err);
        check(&place, &acknowledged.lock().unwrap());
    }
    let edits = acknowledged.lock().unwrap().iter().filter(|key| !key.contains("-b")).count();
    assert!(edits > 0, "no edit was ever answered; the test tests nothing");
}

/// Everything answered is there, and every batch is there wholly or not at all.
fn check(place: &Place, acknowledged: &BTreeSet<String>) {
    let listed = place.ok(&["list", "--class", "host", "--limit", "1000000", "--output", "ndjson"]);
    let found: BTreeSet<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["key"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<&String> = acknowledged.difference(&found).take(5).collect();
    assert!(missing.is_empty(), "answered, and gone: {missing:?}");
    let mut batches = std::collections::BTreeMap::<&str, usize>::new();
    for key in found.iter().filter(|key| key.contains("-b")) {
        *batches.entry(key.rsplit_once('-').unwrap().0).or_default() += 1;
    }
    for (batch, items) in batches {
        assert!([30, 2_200].contains(&items), "batch {batch} is there in part: {items}");
    }
}
