//! What several tests share: the worked estate and short ways to ask about a fixture.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{collections::HashMap, fmt::Write as _};

use keelson_analysis::{
    Pool,
    availability::Chance,
    impact::{Impact, Question, Reason, Seed, impact},
};
use keelson_graph::{ItemIx, fixture::Fixture};

/// The worked estate of analyses 1.11.
pub(crate) const ESTATE: &str = "
    payments: [web pool] 2of web1 web2 web3 | [api pool] any api1 api2 | [db pair] any dbA dbB | sso
    portal:   [web pool] any web1 web2 web3 | sso | [mail] cap 0.3 mailapi
    sso:      [idp pool] any idp1 idp2 | dns
    dns:      [dns pool] any dns1 dns2
    web1: hv1
    api1: hv1
    dbA:  hv1
    dns1: hv1
    idp1: hv1
    web2: hv2
    web3: hv2
    api2: hv2
    dbB:  hv2
    dns2: hv2
    idp2: hv2
    hv1:   swX | start dns
    swX:   siteX
    siteX: ColoX
    ColoX: PowerCo
    hv2:   swY | start dns
    swY:   siteY
    siteY: ColoY
    ColoY: PowerCo";

/// How likely the items of the worked estate fail of themselves; the services do not.
pub(crate) const UNAVAILABILITY: &str = "
    PowerCo 0.0001  ColoX 0.001  ColoY 0.001  siteX 0.0005  siteY 0.0005  swX 0.001  swY 0.001
    hv1 0.002  hv2 0.002  dns1 0.002  dns2 0.002  idp1 0.01  idp2 0.01  web1 0.01  web2 0.01  web3 0.01
    api1 0.01  api2 0.01  dbA 0.005  dbB 0.005  mailapi 0.005";

/// Chances written as names, each followed by its number; what is not named cannot fail of itself.
pub(crate) fn chances<'g>(graph: &'g Fixture, text: &str) -> impl Fn(ItemIx) -> Chance + use<'g> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let known: HashMap<ItemIx, Chance> = words
        .chunks_exact(2)
        .map(|pair| (graph.item(pair[0]), Chance::exactly(pair[1].parse().expect("a chance"))))
        .collect();
    move |item| known.get(&item).copied().unwrap_or(Chance::NEVER)
}

/// Seeds written as `name` or `name=loss`, separated by spaces.
pub(crate) fn seeds(graph: &Fixture, text: &str) -> Vec<Seed> {
    let seed = |word: &str| {
        let (name, loss) = word.split_once('=').unwrap_or((word, "1"));
        Seed { item: graph.item(name), loss: loss.parse().expect("a loss") }
    };
    text.split_whitespace().map(seed).collect()
}

pub(crate) fn run(graph: &Fixture, text: &str) -> Impact {
    let seeds = seeds(graph, text);
    impact(&graph.snapshot, &Question::about(&seeds), &Pool::new()).expect("the fixture names the seeds")
}

pub(crate) fn lost(graph: &Fixture, text: &str) -> String {
    graph.names(run(graph, text).lost())
}

pub(crate) fn loss(graph: &Fixture, text: &str, item: &str) -> f64 {
    run(graph, text).loss(graph.item(item))
}

/// A proof as a person would see it.
pub(crate) fn tree(graph: &Fixture, seeds: &str, item: &str, most: usize) -> String {
    let impact = run(graph, seeds);
    let proof = impact.proof(&graph.snapshot, graph.item(item), most).expect("the item loses something");
    let mut text = String::new();
    for line in &proof.lines {
        let indent = "  ".repeat(line.depth as usize);
        write!(text, "{indent}{} <- ", graph.name(line.item)).expect("strings take everything");
        match &line.reason {
            _ if line.shown_above => text.push_str("(above)"),
            Reason::Seed => text.push_str("(seed)"),
            Reason::Need { need, because } => {
                let label = graph.label(graph.snapshot.need(*need).tag);
                if !label.is_empty() {
                    write!(text, "{label}: ").expect("strings take everything");
                }
                let names: Vec<&str> = because.iter().map(|&member| graph.name(member)).collect();
                text.push_str(&names.join(" "));
            }
        }
        text.push('\n');
    }
    if proof.is_cut {
        text.push_str("…\n");
    }
    text
}

/// How long an item of the worked estate takes to start by itself, in minutes.
pub(crate) fn recovery_minutes(name: &str) -> u64 {
    match name.trim_end_matches(['1', '2', '3', 'A', 'B', 'X', 'Y']) {
        "site" | "hv" => 10,
        "sw" => 5,
        "dns" if name != "dns" => 2,
        "idp" => 4,
        "web" | "api" => 3,
        "db" => 15,
        _ => 0,
    }
}
