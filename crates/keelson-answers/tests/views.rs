//! A view that grew commit by commit is the one drawn afresh; what left its source and is still
//! needed stays visible.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::{Limits, Pool};
use keelson_answers::impact::{ImpactQuestion, assess};
use keelson_answers::walk::{WalkQuestion, Way, walk};
use keelson_answers::{Asked, LimitCode, View, item};
use keelson_catalogue::Catalogue;
use keelson_model::{
    Basis, Batch, BatchId, CiRef, CommitHeader, Completeness, ImporterVersion, Lifecycle, MemberObservation,
    NeedObservation, Observation, Payload, Phase, Position, RelationshipObservation, Rule, Scope, SequentialIds,
    SourceKey, Symbol, builtin,
};
use keelson_reconcile::{Settings, plan};
use proptest::prelude::*;

/// What a source lists: hosts with what they use, and what they need one of.
#[derive(Clone, Debug)]
struct Listed {
    host: u8,
    retired: bool,
    uses: BTreeSet<u8>,
    pair: BTreeSet<u8>,
}

#[derive(Clone, Debug)]
struct Delivery {
    source: u8,
    listed: Vec<Listed>,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let few = || prop::collection::btree_set(0u8..8, 0..3);
    let listed = (0u8..8, prop::bool::weighted(0.1), few(), few()).prop_map(|(host, retired, uses, pair)| Listed {
        host,
        retired,
        uses,
        pair,
    });
    (0u8..3, prop::collection::vec(listed, 1..6)).prop_map(|(source, mut listed)| {
        listed.sort_by_key(|one| one.host);
        listed.dedup_by_key(|one| one.host);
        Delivery { source, listed }
    })
}

fn reference(host: u8) -> CiRef {
    let key = format!("host/h{host}");
    CiRef::Catalogue(keelson_model::CiKey::new(&key).expect("a key"))
}

fn batch(delivery: &Delivery, at: DateTime<Utc>) -> Batch {
    let importer = ImporterVersion { name: "test".to_owned(), version: "1".to_owned() };
    let mut batch = Batch::new(&format!("source-{}", delivery.source), Scope::named("all"), importer, at);
    batch.completeness = Completeness::Complete { proof: "the test says so".to_owned() };
    batch.payloads = vec![Payload::new("a", "text/plain", format!("{delivery:?}").into_bytes())];
    for one in &delivery.listed {
        let key = format!("host/h{}", one.host);
        let mut observation = Observation::new(SourceKey::new(&key).expect("a key"), "host", Position::default());
        observation.key = Some(keelson_model::CiKey::new(&key).expect("a key"));
        observation.lifecycle = one.retired.then_some(Lifecycle::Retired);
        batch.observations.push(observation);
        for other in one.uses.iter().filter(|other| **other != one.host) {
            let relationship =
                RelationshipObservation::new("uses", reference(one.host), reference(*other), Position::default());
            batch.relationships.push(relationship);
        }
        let members: Vec<MemberObservation> = one
            .pair
            .iter()
            .filter(|other| **other != one.host)
            .map(|other| MemberObservation { ci: reference(*other), doubtful: false })
            .collect();
        if !members.is_empty() {
            batch.needs.push(NeedObservation {
                dependent: reference(one.host),
                name: Arc::from("pair"),
                kind: Symbol::new("depends_on"),
                members,
                rule: Some(Rule::Any),
                possible_counts: Vec::new(),
                cap: None,
                phase: Phase::Run,
                confidence: None,
                basis: Basis::Declared,
                evidence: None,
                position: Position::default(),
            });
        }
    }
    batch
}

struct World {
    view: View,
    ids: SequentialIds,
    at: DateTime<Utc>,
}

impl World {
    fn new() -> Self {
        let schema = Arc::new(builtin::schema([]).expect("the built-in classes"));
        let view = View::of(Arc::new(Catalogue::new(schema))).expect("an empty graph");
        Self { view, ids: SequentialIds::default(), at: "2026-11-01T00:00:00Z".parse().expect("a time") }
    }

    fn take(&mut self, delivery: &Delivery) {
        self.at += TimeDelta::hours(1);
        let settings = Settings { guard_percent: 100.0, ..Settings::default() };
        let batch = batch(delivery, self.at);
        let id = BatchId::next(&mut self.ids);
        let plan = plan(&self.view.catalogue, &batch, id, self.at, &settings, &mut self.ids);
        if plan.changes.is_empty() {
            return;
        }
        let head = self.view.catalogue.head();
        let header = CommitHeader {
            revision: head.revision.next(),
            at: self.at,
            recorded_at: None,
            actor: Arc::from("tester"),
            action: Arc::from("test"),
            source: None,
            reason: None,
            batch: Some(plan.batch),
            previous: head.digest,
            changes: plan.changes.len() as u64,
            chunks: Vec::new(),
        };
        let mut catalogue = Catalogue::clone(&self.view.catalogue);
        catalogue.apply(&header, plan.changes.iter().map(|change| (0, change))).expect("the changes follow");
        self.view = self.view.after(Arc::new(catalogue), &plan.changes).expect("the graph can be drawn on");
    }
}

/// Every item of the graph with its needs, as lines.
fn drawn(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for (ix, slot) in view.catalogue.cis() {
        if !view.graph.contains(item(ix)) {
            continue;
        }
        let mut needs: Vec<String> = view.graph.needs(item(ix)).map(|need| format!("{:?}", need.to_spec())).collect();
        needs.sort();
        lines.push(format!("{}: {needs:?}", slot.ci.key));
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_view_that_grew_is_the_one_drawn_afresh(deliveries in prop::collection::vec(delivery(), 1..8)) {
        let mut world = World::new();
        for delivery in &deliveries {
            world.take(delivery);
            let afresh = View::of(Arc::clone(&world.view.catalogue)).expect("a graph");
            prop_assert_eq!(drawn(&world.view), drawn(&afresh));
        }
    }
}

#[test]
fn what_left_its_source_and_is_still_needed_stays_visible_and_says_so() {
    let one = |host: u8, uses: &[u8]| Listed {
        host,
        retired: false,
        uses: uses.iter().copied().collect(),
        pair: BTreeSet::new(),
    };
    let mut world = World::new();
    world.take(&Delivery { source: 0, listed: vec![one(1, &[2]), one(2, &[3]), one(3, &[])] });
    // The next listing no longer describes host 2, and still says that host 1 uses it.
    world.take(&Delivery { source: 0, listed: vec![one(1, &[2]), one(3, &[])] });
    let (view, asked, pool) = (&world.view, Asked::now(world.at), Pool::new());
    let question = ImpactQuestion::gone(["host/h2"]);
    let answer = assess(view, &question, asked, &pool).expect("it can still be asked about").answer(10);
    assert_eq!(answer.items.iter().map(|line| line.subject.key.as_str()).collect::<Vec<_>>(), ["host/h1"]);
    assert!(!answer.basis.complete);
    assert!(answer.basis.limits.iter().any(|limit| limit.code == LimitCode::Withdrawn), "{:?}", answer.basis.limits);
    let needs = WalkQuestion { way: Way::Needs, class: None, most: 10, limits: Limits::default() };
    let met = walk(view, "host/h1", &needs, asked, &pool).expect("a walk").items;
    assert_eq!(met.iter().map(|met| met.subject.key.as_str()).collect::<Vec<_>>(), ["host/h2"]);
    // Once nothing needs it any more, it leaves analyses.
    world.take(&Delivery { source: 0, listed: vec![one(1, &[]), one(3, &[])] });
    assert!(assess(&world.view, &question, Asked::now(world.at), &pool).is_err());
}
