//! A view that grew commit by commit is the one drawn afresh; what left its source and is still
//! needed stays visible.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::{Limits, Pool};
use keelson_answers::basis::last_seen;
use keelson_answers::check::{CheckAnswer, CheckCode, check};
use keelson_answers::impact::{ImpactAnswer, ImpactQuestion, ProtectedBy, assess};
use keelson_answers::items::item_answer;
use keelson_answers::walk::{WalkQuestion, Way, walk};
use keelson_answers::{Asked, Brief, LimitCode, View, item};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{
    Basis, Batch, BatchId, CiRef, CommitHeader, Completeness, ImporterVersion, Lifecycle, MemberObservation,
    NeedObservation, Observation, Payload, Phase, Position, RelationshipObservation, Rule, Scope, SequentialIds,
    SourceKey, Symbol, builtin,
};
use keelson_reconcile::{Settings, plan};
use proptest::prelude::*;

/// What a source lists: hosts with what they use, and what they need so many of.
#[derive(Clone, Debug)]
struct Listed {
    host: u8,
    retired: bool,
    uses: BTreeSet<u8>,
    /// What it is connected to, without a direction.
    peers: BTreeSet<u8>,
    pool: BTreeSet<u8>,
    rule: Option<Rule>,
    phase: Phase,
}

fn one(host: u8, uses: &[u8]) -> Listed {
    let uses = uses.iter().copied().collect();
    Listed { host, retired: false, uses, peers: BTreeSet::new(), pool: BTreeSet::new(), rule: None, phase: Phase::Run }
}

fn wired(host: u8, uses: &[u8], peers: &[u8]) -> Listed {
    Listed { peers: peers.iter().copied().collect(), ..one(host, uses) }
}

fn pool(host: u8, k: u32, pool: &[u8]) -> Listed {
    Listed { pool: pool.iter().copied().collect(), rule: Some(Rule::AtLeast { k }), ..one(host, &[]) }
}

#[derive(Clone, Debug)]
struct Delivery {
    source: u8,
    /// Whether it lists everything the source has, so that the state of its scope says so.
    is_partial: bool,
    listed: Vec<Listed>,
}

fn lists(source: u8, listed: Vec<Listed>) -> Delivery {
    Delivery { source, is_partial: false, listed }
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let few = || prop::collection::btree_set(0u8..8, 0..3);
    let rule = prop_oneof![
        Just(None),
        Just(Some(Rule::Any)),
        Just(Some(Rule::All)),
        (1u32..4).prop_map(|k| Some(Rule::AtLeast { k })),
        (1u32..4).prop_map(|threshold| {
            Some(Rule::Weight { weights: vec![1.0, 2.0, 1.0, 3.0], threshold: f64::from(threshold) })
        }),
    ];
    let phase = prop_oneof![4 => Just(Phase::Run), 1 => Just(Phase::Start), 1 => Just(Phase::Both)];
    let members = prop::collection::btree_set(0u8..8, 0..5);
    let listed = (0u8..8, prop::bool::weighted(0.1), few(), few(), members, rule, phase).prop_map(
        |(host, retired, uses, peers, pool, rule, phase)| Listed { host, retired, uses, peers, pool, rule, phase },
    );
    let listed = prop::collection::vec(listed, 1..6);
    (0u8..3, prop::bool::weighted(0.2), listed).prop_map(|(source, is_partial, mut listed)| {
        listed.sort_by_key(|one| one.host);
        listed.dedup_by_key(|one| one.host);
        Delivery { source, is_partial, listed }
    })
}

fn reference(host: u8) -> CiRef {
    let key = format!("host/h{host}");
    CiRef::Catalogue(keelson_model::CiKey::new(&key).expect("a key"))
}

fn batch(delivery: &Delivery, at: DateTime<Utc>) -> Batch {
    let importer = ImporterVersion { name: "test".to_owned(), version: "1".to_owned() };
    let mut batch = Batch::new(&format!("source-{}", delivery.source), Scope::named("all"), importer, at);
    if !delivery.is_partial {
        batch.completeness = Completeness::Complete { proof: "the test says so".to_owned() };
    }
    batch.payloads = vec![Payload::new("a", "text/plain", format!("{delivery:?}").into_bytes())];
    for one in &delivery.listed {
        let key = format!("host/h{}", one.host);
        let mut observation = Observation::new(SourceKey::new(&key).expect("a key"), "host", Position::default());
        observation.key = Some(keelson_model::CiKey::new(&key).expect("a key"));
        observation.lifecycle = one.retired.then_some(Lifecycle::Retired);
        batch.observations.push(observation);
        let related = one.uses.iter().map(|other| ("uses", other));
        let related = related.chain(one.peers.iter().map(|other| ("connected_to", other)));
        for (kind, other) in related.filter(|(_, other)| **other != one.host) {
            let ends = (reference(one.host), reference(*other));
            batch.relationships.push(RelationshipObservation::new(kind, ends.0, ends.1, Position::default()));
        }
        let members: Vec<MemberObservation> = one
            .pool
            .iter()
            .filter(|other| **other != one.host)
            .map(|other| MemberObservation { ci: reference(*other), doubtful: false })
            .collect();
        if !members.is_empty() {
            batch.needs.push(NeedObservation {
                dependent: reference(one.host),
                name: Arc::from("pool"),
                kind: Symbol::new("depends_on"),
                rule: one.rule.clone().map(|rule| fitting(rule, members.len())),
                members,
                possible_counts: Vec::new(),
                cap: None,
                phase: one.phase,
                confidence: None,
                common_cause: None,
                basis: Basis::Declared,
                evidence: None,
                position: Position::default(),
            });
        }
    }
    batch
}

/// A rule cut to the number of members.
fn fitting(rule: Rule, members: usize) -> Rule {
    match rule {
        Rule::AtLeast { k } => Rule::AtLeast { k: k.min(u32::try_from(members).expect("few")) },
        Rule::Weight { weights, threshold } => {
            let weights: Vec<f64> = weights.into_iter().take(members).collect();
            let threshold = threshold.min(weights.iter().sum());
            Rule::Weight { weights, threshold }
        }
        rule => rule,
    }
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
        let header = CommitHeader {
            batch: Some(plan.batch),
            ..keelson_testkit::header(&self.view.catalogue, self.at, &plan.changes)
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

/// What the records say of an item.
fn read(catalogue: &Catalogue, ix: CiIx) -> Brief {
    let slot = catalogue.slot(ix);
    let relationships = slot.dependencies.iter().chain(&slot.dependents).map(|ix| catalogue.relationship(*ix));
    let classes = &catalogue.schema().classes;
    Brief {
        standing: slot.ci.standing,
        criticality: slot.ci.facts().criticality,
        is_service: classes.is_a(&slot.ci.class, "service"),
        had_undirected: relationships.into_iter().any(|slot| slot.relationship.key.kind == "connected_to"),
        last_seen: last_seen(catalogue, ix),
        stale_after_days: classes.get(&slot.ci.class).map(|class| class.stale_after_days),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_view_that_grew_is_the_one_drawn_afresh(deliveries in prop::collection::vec(delivery(), 1..8)) {
        let mut world = World::new();
        for delivery in &deliveries {
            world.take(delivery);
            let afresh = View::of(Arc::clone(&world.view.catalogue)).expect("a graph");
            prop_assert_eq!(drawn(&world.view), drawn(&afresh));
            for (ix, slot) in world.view.catalogue.cis() {
                let brief = world.view.brief(ix);
                prop_assert_eq!(brief, afresh.brief(ix), "{}", slot.ci.key);
                prop_assert_eq!(brief, read(&world.view.catalogue, ix), "{}", slot.ci.key);
            }
        }
    }
}

#[test]
fn what_left_its_source_and_is_still_needed_stays_visible_and_says_so() {
    let mut world = World::new();
    world.take(&lists(0, vec![one(1, &[2]), one(2, &[3]), one(3, &[])]));
    // The next listing no longer describes host 2, and still says that host 1 uses it.
    world.take(&lists(0, vec![one(1, &[2]), one(3, &[])]));
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
    world.take(&lists(0, vec![one(1, &[]), one(3, &[])]));
    assert!(assess(&world.view, &question, Asked::now(world.at), &pool).is_err());
}

impl World {
    /// What the losses of hosts cost.
    fn impact(&self, keys: &[&str]) -> ImpactAnswer {
        let question = ImpactQuestion::gone(keys.iter().copied());
        assess(&self.view, &question, Asked::now(self.at), &Pool::new()).expect("an answer").answer(10)
    }

    fn check(&self) -> CheckAnswer {
        check(&self.view, 10, 1_000, Asked::now(self.at), &Pool::new())
    }

    /// The findings of a code: key and related items.
    fn found(&self, code: CheckCode) -> Vec<(String, Vec<String>)> {
        let findings = self.check().findings.into_iter().filter(|line| line.code == code);
        findings.map(|line| (line.key, line.related)).collect()
    }
}

fn is_withdrawn_noted(basis: &keelson_answers::Basis) -> bool {
    !basis.complete && basis.limits.iter().any(|limit| limit.code == LimitCode::Withdrawn)
}

#[test]
fn a_need_whose_members_are_withdrawn_stays_what_it_is_and_its_breach_becomes_possible() {
    let mut world = World::new();
    let service = Listed { pool: BTreeSet::from([3]), rule: Some(Rule::All), ..one(5, &[]) };
    world.take(&lists(0, vec![pool(4, 2, &[1, 2, 3]), service.clone()]));
    world.take(&lists(1, vec![one(1, &[]), one(2, &[]), one(3, &[])]));
    assert_eq!(world.found(CheckCode::StillNeeded), []);
    assert!(world.impact(&["host/h1"]).basis.complete);

    // Another source withdraws h2 and h3; who needs them says so still.
    world.take(&lists(1, vec![one(1, &[])]));
    let needs = item_answer(&world.view, "host/h4", 10, Asked::now(world.at)).expect("an item").needs;
    assert_eq!((needs[0].need.k, needs[0].need.of), (Some(2), 3), "k and n are what the source states");
    assert_eq!(needs[0].doubts.len(), 2, "{:?}", needs[0].doubts);
    let needs = item_answer(&world.view, "host/h5", 10, Asked::now(world.at)).expect("an item").needs;
    assert_eq!(needs[0].members, ["host/h3"], "the need on what is withdrawn does not disappear");

    // h1 is the only one certain: without the others the pool gives way with it.
    assert_eq!(pessimistically_lost(&world, "host/h1"), ["host/h1", "host/h4"]);
    assert_eq!(pessimistically_lost(&world, "host/h3"), ["host/h3", "host/h4", "host/h5"]);
    for (seed, affected) in [("host/h1", &[][..]), ("host/h3", &["host/h5"][..])] {
        let answer = world.impact(&[seed]);
        let keys: Vec<&str> = answer.items.iter().map(|line| line.subject.key.as_str()).collect();
        assert_eq!(keys, affected, "{seed}");
        assert!(is_withdrawn_noted(&answer.basis), "{seed}: {:?}", answer.basis.limits);
    }
    // What perhaps is no member is no margin.
    let by = protection(&world, "host/h1", "host/h4");
    assert_eq!((by.up, by.margin, by.possible_margin), (2, Some(0), None));
    assert!(by.may_have_given_way, "h1 may have been the only one");
    assert_eq!(by.doubtful, ["host/h2", "host/h3"]);
    let asked = Asked::now(world.at);
    for way in [Way::Needs, Way::Dependents] {
        let question = WalkQuestion { way, class: None, most: 10, limits: Limits::default() };
        let start = if way == Way::Needs { "host/h4" } else { "host/h1" };
        let walked = walk(&world.view, start, &question, asked, &Pool::new()).expect("a walk");
        assert!(is_withdrawn_noted(&walked.basis), "{way:?}");
    }
    let gone = |key: &str, by: &[&str]| (key.to_owned(), by.iter().map(ToString::to_string).collect::<Vec<_>>());
    let expected = [gone("host/h2", &["host/h4"]), gone("host/h3", &["host/h4", "host/h5"])];
    assert_eq!(world.found(CheckCode::StillNeeded), expected);
    assert_eq!(world.found(CheckCode::NeedCannotHold), [], "what is withdrawn may still be there");
}

/// What protects an item most narrowly when another one is gone.
fn protection(world: &World, seed: &str, key: &str) -> ProtectedBy {
    let question = ImpactQuestion::gone([seed]);
    let assessment = assess(&world.view, &question, Asked::now(world.at), &Pool::new()).expect("an answer");
    let ix = item(world.view.catalogue.find_key(key).expect("a key"));
    assessment.protected_line(&assessment.protection(), ix).by.expect("it holds")
}

#[test]
fn a_margin_counts_on_nothing_that_is_withdrawn() {
    let mut world = World::new();
    world.take(&Delivery { source: 0, is_partial: false, listed: vec![pool(4, 1, &[1, 2, 3])] });
    world.take(&Delivery { source: 1, is_partial: false, listed: vec![one(1, &[]), one(2, &[]), one(3, &[])] });
    let by = protection(&world, "host/h1", "host/h4");
    assert_eq!((by.up, by.margin, by.possible_margin, by.may_have_given_way), (2, Some(1), None, false));
    world.take(&Delivery { source: 1, is_partial: false, listed: vec![one(1, &[]), one(2, &[])] });
    let by = protection(&world, "host/h1", "host/h4");
    assert_eq!((by.up, by.margin, by.possible_margin, by.may_have_given_way), (2, Some(0), Some(1), false));
    assert_eq!(by.doubtful, ["host/h3"]);
}

/// What is lost when every doubt is settled for the worst.
fn pessimistically_lost(world: &World, seed: &str) -> Vec<String> {
    use keelson_analysis::Reading;
    use keelson_analysis::impact::{Question, Seed, impact};
    let ix = world.view.catalogue.find_key(seed).expect("a key");
    let seeds = [Seed::gone(item(ix))];
    let question = Question { reading: Reading::Pessimistic, ..Question::about(&seeds) };
    let impact = impact(&world.view.graph, &question, &Pool::new()).expect("an answer");
    let key = |ix: keelson_graph::ItemIx| world.view.catalogue.ci(CiIx(ix.0)).key.to_string();
    impact.affected().map(|affected| key(affected.item)).collect()
}

#[test]
fn a_need_with_too_few_members_left_because_they_are_retired_is_found() {
    let mut world = World::new();
    let retired = |host| Listed { retired: true, ..one(host, &[]) };
    let listed = |third| vec![pool(4, 2, &[1, 2, 3]), one(1, &[]), retired(2), third];
    world.take(&lists(0, listed(one(3, &[]))));
    assert_eq!(world.found(CheckCode::NeedCannotHold), [], "two are enough");
    world.take(&lists(0, listed(retired(3))));
    let answer = world.check();
    let line = answer.findings.iter().find(|line| line.code == CheckCode::NeedCannotHold).expect("a finding");
    assert_eq!(line.key, "host/h4");
    assert!(line.message.contains("'pool' needs 2 of 3, and only 1 are left"), "{}", line.message);
    assert_eq!(line.related, ["host/h2", "host/h3"]);
    assert_eq!(answer.worst(), Some(keelson_model::Severity::Error));
}

#[test]
fn what_sources_say_otherwise_about_a_need_is_shown() {
    let mut world = World::new();
    world.take(&lists(0, vec![pool(4, 1, &[1, 2, 3])]));
    world.take(&lists(1, vec![pool(4, 1, &[1, 2, 3])]));
    assert_eq!(world.found(CheckCode::Disagreement), []);
    world.take(&lists(1, vec![pool(4, 2, &[1, 2, 3])]));
    let need = &item_answer(&world.view, "host/h4", 10, Asked::now(world.at)).expect("an item").needs[0];
    let others: Vec<_> = need.others.iter().collect();
    let (in_force, k) = (need.sources.clone(), need.need.k.expect("a count"));
    assert_eq!((in_force.len(), others.len()), (1, 1));
    let (other, said) = others[0];
    assert!(
        in_force[0] != *other && *said == if k == 1 { "needs 2 of 3" } else { "needs one of 3" },
        "{other}: {said}"
    );
    let findings = world.check().findings;
    let line = findings.iter().find(|line| line.code == CheckCode::Disagreement).expect("a finding");
    assert!(line.message.contains(said.as_str()) && line.message.contains(other.as_str()), "{}", line.message);
}

#[test]
fn a_listing_that_changes_nothing_moves_when_everything_in_it_was_last_seen() {
    let mut world = World::new();
    world.take(&lists(0, vec![one(1, &[2]), one(2, &[])]));
    world.take(&lists(1, vec![one(2, &[]), one(3, &[])]));
    let second = world.at;
    let records: Vec<_> = world.view.catalogue.cis().map(|(_, slot)| Arc::clone(&slot.ci)).collect();
    world.take(&lists(0, vec![one(1, &[2]), one(2, &[])]));
    let seen = |world: &World, key: &str| {
        let ix = world.view.catalogue.find_key(key).expect("a key");
        world.view.brief(ix).last_seen.expect("a time")
    };
    assert!(world.view.catalogue.cis().map(|(_, slot)| &slot.ci).eq(&records), "no record changed");
    assert_eq!(["host/h1", "host/h2", "host/h3"].map(|key| seen(&world, key)), [world.at, world.at, second]);
    // Changes, not a listing: they confirm nothing that they do not name.
    let third = world.at;
    world.take(&Delivery { is_partial: true, ..lists(0, vec![one(4, &[])]) });
    assert_eq!(["host/h1", "host/h4"].map(|key| seen(&world, key)), [third, world.at]);
    assert_eq!(world.impact(&["host/h2"]).basis.oldest_observation, Some(third));
}

/// How many relationships without a direction an answer notes.
fn undirected(answer: &ImpactAnswer) -> Vec<&str> {
    let limits = answer.basis.limits.iter().filter(|limit| limit.code == LimitCode::KindWithoutRule);
    limits.map(|limit| limit.message.split_once(' ').expect("words").0).collect()
}

#[test]
fn a_relationship_without_direction_counts_once_even_where_both_ends_are_lost() {
    let mut world = World::new();
    let listed = vec![wired(1, &[2], &[2, 3]), wired(2, &[], &[4]), one(3, &[]), one(4, &[]), wired(5, &[], &[3, 4])];
    world.take(&lists(0, listed));
    assert_eq!(undirected(&world.impact(&["host/h2"])), ["3"], "h1 - h2 with both ends lost, h1 - h3, h2 - h4");
    assert_eq!(undirected(&world.impact(&["host/h1"])), ["2"]);
    assert_eq!(undirected(&world.impact(&["host/h3"])), ["2"]);
    // What is not listed any longer does not count.
    world.take(&lists(0, vec![one(1, &[2]), one(2, &[]), one(3, &[]), one(4, &[])]));
    assert_eq!(undirected(&world.impact(&["host/h2"])), [""; 0]);
}

#[test]
fn a_check_rests_on_everything_in_service() {
    let mut world = World::new();
    world.take(&lists(0, vec![one(1, &[2]), one(2, &[])]));
    let seen = world.at;
    world.take(&lists(1, vec![one(3, &[1])]));
    let answer = check(&world.view, 0, 1_000, Asked::now(world.at + TimeDelta::days(4_000)), &Pool::new());
    assert_eq!((answer.basis.stale, answer.counts[&CheckCode::Stale]), (3, 3));
    assert_eq!(answer.basis.oldest_observation, Some(seen));
    assert!(answer.basis.complete, "a page is no less complete");
}
