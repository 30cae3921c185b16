//! People's own edits.

use std::collections::BTreeMap;

use keelson_model::{
    BatchId, CiId, CiKey, FindingCode, Lifecycle, Phase, ReviewState, Rule, Standing, Strength, Symbol,
};
use keelson_reconcile::edit::{
    CiFields, Edit, EditCode, EditPlan, EditProblem, MemberEdit, NeedFields, Touched, plan_edits,
};

use crate::common::{B, World, day, keyed};

fn plan(world: &mut World, edits: &[Edit]) -> Result<EditPlan, Vec<EditProblem>> {
    let batch = BatchId::next(&mut world.ids);
    plan_edits(&world.catalogue, edits, "ann", world.now, batch, &world.settings, &mut world.ids)
}

#[track_caller]
fn apply(world: &mut World, edits: &[Edit]) -> Vec<Touched> {
    let plan = plan(world, edits).unwrap_or_else(|problems| panic!("{problems:#?}"));
    world.apply(&plan.changes);
    plan.touched
}

#[track_caller]
fn refused(world: &mut World, edits: &[Edit]) -> Vec<(usize, EditCode)> {
    let problems = plan(world, edits).unwrap_err();
    problems.iter().map(|problem| (problem.edit, problem.code)).collect()
}

fn create(key: Option<&str>, class: &str, name: &str) -> Edit {
    Edit::CreateCi {
        key: key.map(|key| CiKey::new(key).unwrap()),
        class: class.into(),
        name: name.to_owned(),
        lifecycle: None,
        criticality: None,
        attributes: BTreeMap::new(),
    }
}

fn attributes(pairs: &[(&str, serde_json::Value)]) -> BTreeMap<Symbol, serde_json::Value> {
    pairs.iter().map(|(name, value)| (Symbol::new(name), value.clone())).collect()
}

fn set(world: &World, key: &str, set: CiFields) -> Edit {
    let ci = world.ci(key);
    Edit::UpdateCi { id: ci.id, expected_version: ci.version, set }
}

fn id(world: &World, key: &str) -> CiId {
    world.ci(key).id
}

fn fields(rule: Rule, members: &[CiId]) -> NeedFields {
    NeedFields {
        rule,
        possible_counts: Vec::new(),
        members: members.iter().map(|ci| MemberEdit { ci: *ci, doubtful: false }).collect(),
        kind: "depends_on".into(),
        cap: None,
        phase: Phase::Run,
        confidence: None,
        common_cause: None,
    }
}

#[test]
fn a_person_creates_changes_retires_and_revives() {
    let mut world = World::new();
    let touched = apply(&mut world, &[create(None, "service", "Payments")]);
    let ci = world.ci("service/Payments");
    assert_eq!(touched, [Touched::Ci(ci.id)]);
    assert_eq!((ci.standing, ci.name(), ci.version), (Standing::Live, "Payments", 1));
    let change = CiFields {
        name: Some(Some("Pay".into())),
        attributes: attributes(&[("minimum_delivered", 0.5.into())]),
        ..CiFields::default()
    };
    let edit = set(&world, "service/Payments", change);
    apply(&mut world, std::slice::from_ref(&edit));
    assert_eq!(world.ci("service/Payments").name(), "Pay");
    assert_eq!(refused(&mut world, &[edit]), [(0, EditCode::VersionConflict)]);
    let ci = world.ci("service/Payments").clone();
    apply(&mut world, &[Edit::RetireCi { id: ci.id, expected_version: ci.version }]);
    assert_eq!(world.ci("service/Payments").lifecycle(), Lifecycle::Retired);
    let version = ci.version + 1;
    assert_eq!(
        refused(&mut world, &[Edit::RetireCi { id: ci.id, expected_version: version }]),
        [(0, EditCode::IllegalTransition)]
    );
    apply(&mut world, &[Edit::ReviveCi { id: ci.id, expected_version: version }]);
    assert_eq!(world.ci("service/Payments").lifecycle(), Lifecycle::Live);
}

#[test]
fn every_problem_is_told_and_nothing_applies() {
    let mut world = World::new();
    apply(&mut world, &[create(None, "service", "a")]);
    let bad = Edit::CreateCi {
        key: None,
        class: "service".into(),
        name: String::new(),
        lifecycle: Some(Lifecycle::Build),
        criticality: None,
        attributes: attributes(&[("minimum_delivered", 7.into()), ("colour", "red".into())]),
    };
    let nobody = CiId::next(&mut world.ids);
    let edits = [
        create(Some("service/b"), "service", "b"),
        bad,
        create(None, "servce", "x"),
        create(None, "service", "a"),
        Edit::RetireCi { id: nobody, expected_version: 1 },
        Edit::CreateRelationship {
            kind: "adores".into(),
            dependent: id(&world, "service/a"),
            dependency: id(&world, "service/a"),
            strength: Some(Strength::Soft { cap: 2.0 }),
            confidence: None,
        },
    ];
    use EditCode::{BadValue, DuplicateKey, Missing, NotFound, SelfRelationship, UnknownClass, UnknownKind};
    assert_eq!(
        refused(&mut world, &edits),
        [
            (1, Missing),
            (1, BadValue),
            (1, BadValue),
            (1, BadValue),
            (2, UnknownClass),
            (3, DuplicateKey),
            (4, NotFound),
            (5, UnknownKind),
            (5, SelfRelationship),
            (5, BadValue),
        ]
    );
    assert_eq!(world.live_cis(), ["service/a"]);
}

#[test]
fn two_edits_of_one_call_may_not_take_one_key() {
    let mut world = World::new();
    let edits = [create(Some("service/a"), "service", "a"), create(Some("service/a"), "service", "b")];
    assert_eq!(refused(&mut world, &edits), [(1, EditCode::DuplicateKey)]);
}

#[test]
fn an_annotation_outranks_sources_and_outlives_none_of_them() {
    let mut world = World::new();
    let batch = |at, memory: i64| {
        B::complete("cloud", day(at)).ci("other", "host").ci_with("web", "host", |o| o.with("memory", memory))
    };
    world.take(&batch(1, 4));
    let change = CiFields { attributes: attributes(&[("memory", 16.into())]), ..CiFields::default() };
    let edit = set(&world, "host/web", change);
    apply(&mut world, &[edit]);
    let memory = |world: &World| {
        let ci = world.ci("host/web");
        (ci.attribute("memory").unwrap().to_string(), ci.source_of("memory").unwrap().to_string())
    };
    assert_eq!(memory(&world), ("16".to_owned(), "manual".to_owned()));
    world.take(&batch(2, 8));
    assert_eq!(memory(&world), ("16".to_owned(), "manual".to_owned()), "the source cannot undo it");
    assert_eq!(world.ci("host/web").source_of("name").unwrap().as_str(), "cloud");
    // Null takes the person's value back.
    let change = CiFields { attributes: attributes(&[("memory", serde_json::Value::Null)]), ..CiFields::default() };
    let edit = set(&world, "host/web", change.clone());
    apply(&mut world, &[edit]);
    assert_eq!(memory(&world), ("8".to_owned(), "cloud".to_owned()));
    // With a value set again, the item still goes when its source no longer lists it.
    let change = CiFields { attributes: attributes(&[("memory", 32.into())]), ..CiFields::default() };
    let edit = set(&world, "host/web", change);
    apply(&mut world, &[edit]);
    world.take(&B::complete("cloud", day(3)).ci("other", "host"));
    let gone = world.ci("host/web");
    assert_eq!((gone.standing, gone.attribute("memory").unwrap().to_string().as_str()), (Standing::Withdrawn, "32"));
    // A person may say that it is there all the same.
    let edit = Edit::ReviveCi { id: gone.id, expected_version: gone.version };
    apply(&mut world, &[edit]);
    assert_eq!(world.ci("host/web").standing, Standing::Live);
}

#[test]
fn a_person_describes_a_placeholder() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("web", "host").uses("web", "db"));
    let placeholder = world.by_source("cloud", "db").unwrap().key.to_string();
    let change = CiFields {
        class: Some(Some("database".into())),
        name: Some(Some("The database".into())),
        ..CiFields::default()
    };
    let edit = set(&world, &placeholder, change);
    apply(&mut world, &[edit]);
    let ci = world.by_source("cloud", "db").unwrap();
    assert_eq!((ci.standing, ci.class.as_str(), ci.name()), (Standing::Live, "database", "The database"));
    world.assert_settled(&B::complete("cloud", day(2)).ci("web", "host").uses("web", "db"));
}

#[test]
fn relationships_by_people() {
    let mut world = World::new();
    let hosts = |at| B::complete("cloud", day(at)).ci("a", "host").ci("b", "host").uses("a", "b");
    world.take(&hosts(1));
    let (a, b) = (id(&world, "host/a"), id(&world, "host/b"));
    let edit = Edit::CreateRelationship {
        kind: "uses".into(),
        dependent: a,
        dependency: b,
        strength: Some(Strength::Soft { cap: 0.5 }),
        confidence: None,
    };
    apply(&mut world, std::slice::from_ref(&edit));
    assert!(plan(&mut world, &[edit]).unwrap().changes.is_empty(), "said already");
    let r = world.relationship("host/a", "uses", "host/b").unwrap().clone();
    assert_eq!(r.claims.len(), 2);
    world.assert_settled(&hosts(2));
    apply(&mut world, &[Edit::RemoveRelationship { key: r.key.clone(), expected_version: r.version }]);
    let r = world.relationship("host/a", "uses", "host/b").unwrap().clone();
    assert_eq!(r.standing, Standing::Live, "the source still states it");
    let again = Edit::RemoveRelationship { key: r.key, expected_version: r.version };
    assert_eq!(refused(&mut world, &[again]), [(0, EditCode::NotManual)]);
}

#[test]
fn needs_by_people() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").ci("c", "host"));
    let [a, b, c] = ["host/a", "host/b", "host/c"].map(|key| id(&world, key));
    let touched = apply(
        &mut world,
        &[Edit::CreateNeed { dependent: a, name: "pair".into(), fields: fields(Rule::AtLeast { k: 1 }, &[b, c]) }],
    );
    let Touched::Need(need) = touched[0] else { panic!("{touched:?}") };
    assert!(!world.relationship("host/a", "depends_on", "host/b").unwrap().is_plain());
    let twice = Edit::CreateNeed { dependent: a, name: "pair".into(), fields: fields(Rule::Any, &[b]) };
    assert_eq!(refused(&mut world, &[twice]), [(0, EditCode::DuplicateKey)]);
    let bad = Edit::CreateNeed { dependent: a, name: "x".into(), fields: fields(Rule::AtLeast { k: 3 }, &[a, b, b]) };
    use EditCode::{BadValue, SelfRelationship};
    assert_eq!(refused(&mut world, &[bad]), [(0, SelfRelationship), (0, BadValue)]);
    apply(&mut world, &[Edit::UpdateNeed { id: need, expected_version: 1, fields: fields(Rule::Any, &[b]) }]);
    assert_eq!(world.relationship("host/a", "depends_on", "host/c").unwrap().standing, Standing::Withdrawn);
    apply(&mut world, &[Edit::RemoveNeed { id: need, expected_version: 2 }]);
    assert_eq!(world.relationship("host/a", "depends_on", "host/b").unwrap().standing, Standing::Withdrawn);
    assert_eq!(
        refused(&mut world, &[Edit::RemoveNeed { id: need, expected_version: 3 }]),
        [(0, EditCode::IllegalTransition)]
    );
}

#[test]
fn a_persons_need_outranks_a_sources() {
    let mut world = World::new();
    let hosts = B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").ci("c", "host");
    world.take(&hosts.need("a", "n", Some(Rule::All), &["b", "c"]));
    let need = world.catalogue.needs().next().unwrap().1.need.clone();
    let members = [id(&world, "host/b"), id(&world, "host/c")];
    apply(&mut world, &[Edit::UpdateNeed { id: need.id, expected_version: 1, fields: fields(Rule::Any, &members) }]);
    let need = world.catalogue.needs().next().unwrap().1.need.clone();
    assert_eq!((need.definition.rule.clone(), need.claims.len()), (Rule::Any, 2));
}

#[test]
fn review_tasks_are_settled_once() {
    let mut world = World::new();
    let hosts =
        |n: usize, at| (0..n).fold(B::complete("cloud", day(at)), |batch, n| batch.ci(&format!("h{n}"), "host"));
    world.take(&hosts(10, 1));
    world.import(&hosts(2, 2));
    let task = world.open_reviews()[0].clone();
    assert_eq!(task.code, FindingCode::GuardTripped);
    let settle = |candidate, reason: &str| Edit::SettleReview {
        id: task.id,
        expected_version: task.version,
        candidate,
        by: "ann".into(),
        reason: reason.into(),
    };
    let host = id(&world, "host/h0");
    assert_eq!(refused(&mut world, &[settle(Some(host), "")]), [(0, EditCode::Missing), (0, EditCode::BadValue)]);
    assert_eq!(refused(&mut world, &[settle(None, "ok"), settle(None, "ok")]), [(1, EditCode::IllegalTransition)]);
    apply(&mut world, &[settle(None, "they were switched off")]);
    assert_eq!(world.catalogue.review(task.id).unwrap().state, ReviewState::Settled);
    world.take(&hosts(2, 3));
    assert_eq!(world.live_cis().len(), 2);
}

#[test]
fn two_items_become_one_and_two_again() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("web", "host").ci("db", "database").uses("web", "db"));
    let agent = |at| {
        B::complete("agent", day(at))
            .ci_with("w", "host", |o| o.with("memory", 4))
            .ci_with("lb", "host", keyed("host/lb"))
            .ci("x", "host")
            .uses("lb", "w")
            .need("lb", "pool", Some(Rule::Any), &["w", "x"])
            .need("w", "own", Some(Rule::All), &["x"])
    };
    world.take(&agent(1));
    let (keep, absorb) = (world.ci("host/web").clone(), world.ci("host/w").clone());
    let merge =
        Edit::MergeCis { keep: keep.id, keep_version: keep.version, absorb: absorb.id, absorb_version: absorb.version };
    apply(&mut world, &[merge]);
    let one = world.by_source("agent", "w").unwrap();
    assert_eq!((one.id, one.live_claims().count()), (keep.id, 2));
    assert_eq!(one.attribute("memory").unwrap().to_string(), "4");
    let gone = world.catalogue.ci(world.catalogue.find_id(absorb.id).unwrap()).clone();
    assert_eq!(gone.standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/lb", "uses", "host/web").unwrap().standing, Standing::Live);
    assert_eq!(world.relationship("host/lb", "uses", "host/w").unwrap().standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/web", "depends_on", "host/x").unwrap().standing, Standing::Live);
    world.assert_settled(&agent(2));
    world.take(&agent(3));
    // And back.
    apply(&mut world, &[Edit::UndoMerge { absorbed: absorb.id, expected_version: gone.version }]);
    assert_eq!(world.by_source("agent", "w").unwrap().id, absorb.id);
    assert_eq!(world.by_source("cloud", "web").unwrap().id, keep.id);
    assert_eq!(world.ci("host/web").live_claims().count(), 1);
    let standing = |a: &str, kind: &str, b: &str| world.relationship(a, kind, b).unwrap().standing;
    assert_eq!(standing("host/lb", "uses", "host/w"), Standing::Live);
    assert_eq!(standing("host/lb", "uses", "host/web"), Standing::Withdrawn);
    assert_eq!(standing("host/w", "depends_on", "host/x"), Standing::Live);
    assert_eq!(standing("host/web", "depends_on", "host/x"), Standing::Withdrawn);
    assert_eq!(standing("host/web", "uses", "database/db"), Standing::Live);
    world.assert_settled(&agent(4));
}

#[test]
fn a_merged_key_leads_to_the_item_that_stays() {
    let mut world = World::new();
    let spaces = |at| {
        B::complete("own", day(at))
            .ci("cluster", "kubernetes-cluster")
            .ci_with("a", "namespace", keyed("namespace/a"))
            .ci_with("b", "namespace", keyed("namespace/b"))
            .related("a", "part_of", "cluster")
            .related("b", "part_of", "cluster")
    };
    world.take(&spaces(1));
    // Which of the two was known first plays no part, though identities are looked up anew.
    let (keep, absorb) = (world.ci("namespace/a").clone(), world.ci("namespace/b").clone());
    let merge = Edit::MergeCis { keep: keep.id, keep_version: 1, absorb: absorb.id, absorb_version: 1 };
    apply(&mut world, &[merge]);
    world.assert_settled(&spaces(2));
    let by_key = |at| {
        let batch = B::complete("other", day(at)).ci("x", "application");
        let position = batch.position();
        batch.relate(keelson_model::RelationshipObservation::new(
            "uses",
            crate::common::source("x"),
            crate::common::catalogue_key("namespace/b"),
            position,
        ))
    };
    world.take(&by_key(2));
    assert!(world.relationship("application/x", "uses", "namespace/a").is_some());
    assert_eq!(world.ci("namespace/b").standing, Standing::Withdrawn);
}
