//! Whatever sources and people say of classes, effective facts are facts of the effective class.

use std::collections::BTreeMap;

use keelson_model::{CiId, FindingCode, OnError, ReviewState, Standing, Symbol};
use keelson_reconcile::edit::{CiFields, Edit, EditCode, EditProblem, plan_edits};
use proptest::prelude::*;

use crate::common::{B, World, day, finding, keyed};
use crate::identity::settle;

/// What is wrong with the effective facts of the items that are not withdrawn.
fn faults(world: &World) -> Vec<String> {
    let schema = world.catalogue.schema();
    let mut faults = Vec::new();
    for (_, slot) in world.catalogue.cis().filter(|(_, slot)| slot.ci.standing != Standing::Withdrawn) {
        let class = schema.classes.get(&slot.ci.class).unwrap();
        let facts = slot.ci.facts();
        if slot.ci.standing == Standing::Live && facts.class.as_ref() != Some(&slot.ci.class) {
            faults.push(format!("{} is a {} and said to be {:?}", slot.ci.key, slot.ci.class, facts.class));
        }
        for (name, value) in &facts.attributes {
            let read = class.attributes.get(name).map(|definition| definition.read(&value.to_json()));
            if !matches!(&read, Some(Ok(read)) if read == value) {
                faults.push(format!("{} of class {} has {name} = {value}", slot.ci.key, slot.ci.class));
            }
        }
    }
    faults
}

fn edit(world: &mut World, edit: Edit) -> Result<(), Vec<EditProblem>> {
    let batch = keelson_model::BatchId::next(&mut world.ids);
    let plan = plan_edits(&world.catalogue, &[edit], "ann", world.now, batch, &world.settings, &mut world.ids)?;
    world.apply(&plan.changes);
    Ok(())
}

fn merge(world: &World, keep: CiId, absorb: CiId) -> Edit {
    let version = |id| world.catalogue.ci(world.catalogue.find_id(id).unwrap()).version;
    Edit::MergeCis { keep, keep_version: version(keep), absorb, absorb_version: version(absorb) }
}

fn answer(world: &World, candidate: Option<CiId>) -> Edit {
    let task = world.open_reviews()[0];
    Edit::SettleReview {
        id: task.id,
        expected_version: task.version,
        candidate,
        by: "ann".into(),
        reason: "looked".into(),
    }
}

fn host(at: i64) -> B {
    B::complete("cloud", day(at)).ci_with("web", "host", |o| o.with("memory", 64).with("arn", "arn:web"))
}

fn database(at: i64) -> B {
    B::complete("cloud", day(at)).ci_with("web", "database", |o| o.with("engine", "postgres").with("arn", "arn:web"))
}

#[test]
fn attributes_of_a_class_that_is_in_question_are_kept_uninterpreted() {
    let mut world = World::new();
    world.take(&host(1));
    let plan = world.take(&database(2));
    assert_eq!(finding(&plan, FindingCode::AmbiguousIdentity).field.as_deref(), Some("class"));
    assert_eq!(faults(&world), [""; 0]);
    let facts = world.ci("host/web").facts().clone();
    assert!(facts.attributes.contains_key("arn") && !facts.attributes.contains_key("engine"));
    assert_eq!(&*facts.unmodelled["engine"], "\"postgres\"");
    world.assert_settled(&database(3));
    // Once a person has said so, they are interpreted.
    let id = world.ci("host/web").id;
    settle(&mut world, Some(id));
    world.take(&database(4));
    let ci = world.ci("host/web");
    assert_eq!((ci.class.as_str(), ci.attribute("engine").unwrap().to_string()), ("database", "postgres".to_owned()));
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn a_delta_that_changes_the_class_leaves_nothing_of_the_old_one() {
    let mut world = World::new();
    let delta = |batch: B| B(keelson_model::Batch { completeness: keelson_model::Completeness::Delta, ..batch.0 });
    world.take(&delta(host(1)));
    world.take(&delta(database(2)));
    assert_eq!(faults(&world), [""; 0]);
    let id = world.ci("host/web").id;
    settle(&mut world, Some(id));
    world.take(&delta(database(2)));
    assert_eq!(world.ci("host/web").class.as_str(), "database");
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn related_classes_of_several_sources_give_attributes_of_the_effective_one() {
    let mut world = World::new();
    world.settings.precedence.sources = vec!["a".into(), "b".into()];
    let of = |source: &str, at, class: &str, attribute: &str| {
        B::complete(source, day(at)).ci_with("x", class, |o| o.with("arn", "arn:x").with(attribute, 3))
    };
    world.take(&of("a", 1, "host", "memory"));
    world.take(&of("b", 1, "virtual-machine", "memory"));
    // What two sources say of two branches: the more trusted one's holds.
    world.take(&of("a", 2, "physical-host", "rack_units"));
    assert_eq!(world.by_source("a", "x").unwrap().class.as_str(), "physical-host");
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn a_task_is_settled_with_one_of_its_candidates() {
    let mut world = World::new();
    world.take(&B::complete("other", day(1)).ci("db", "database").ci("bystander", "host"));
    let two = B::complete("cloud", day(1)).ci_with("a", "host", |o| o.with("system_uuid", "u"));
    world.take(&two.ci_with("b", "host", |o| o.with("serial_number", "s").with("manufacturer", "m")));
    let both =
        |o: keelson_model::Observation| o.with("system_uuid", "u").with("serial_number", "s").with("manufacturer", "m");
    world.take(&B::complete("agent", day(1)).ci_with("x", "host", both));
    for (key, word) in [("database/db", "database"), ("host/bystander", "candidate")] {
        let id = world.ci(key).id;
        let task = answer(&world, Some(id));
        let problems = edit(&mut world, task).unwrap_err();
        assert_eq!((problems[0].code, problems.len()), (EditCode::BadValue, 1));
        assert!(problems[0].message.contains(word), "{}", problems[0].message);
    }
    let id = world.by_source("cloud", "b").unwrap().id;
    let task = answer(&world, Some(id));
    edit(&mut world, task).unwrap();
}

#[test]
fn what_a_key_means_is_no_candidate_for_another_class() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci_with("web", "host", keyed("host/web")));
    let row =
        |at| B::complete("own", day(at)).ci_with("x", "database", |o| keyed("host/web")(o).with("engine", "postgres"));
    let plan = world.take(&row(1));
    assert_eq!(plan.run.configuration_items.ambiguous, 1);
    assert!(world.open_reviews()[0].candidates.is_empty());
    let id = world.ci("host/web").id;
    let task = answer(&world, Some(id));
    let problems = edit(&mut world, task).unwrap_err();
    assert!(problems[0].message.contains("database") && problems[0].message.contains("host"), "{problems:?}");
    // An answer from before such answers were refused is not followed: the question is asked again.
    settle(&mut world, Some(id));
    world.take(&row(2));
    assert!(world.by_source("own", "x").is_none());
    assert_eq!(world.open_reviews().len(), 1);
    settle(&mut world, None);
    world.take(&row(2));
    assert_ne!(world.by_source("own", "x").unwrap().id, id);
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn items_of_unrelated_classes_are_not_merged() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("web", "host").ci("vm", "virtual-machine").ci("pay", "service"));
    let [web, vm, pay] = ["host/web", "virtual-machine/vm", "service/pay"].map(|key| world.ci(key).id);
    let into_service = merge(&world, pay, web);
    let problems = edit(&mut world, into_service).unwrap_err();
    assert_eq!(problems[0].code, EditCode::BadValue);
    assert!(problems[0].message.contains("service/pay"), "{}", problems[0].message);
    let refined = merge(&world, web, vm);
    edit(&mut world, refined).unwrap();
    assert_eq!(world.ci("host/web").class.as_str(), "virtual-machine");
}

#[test]
fn a_person_who_changes_a_class_changes_what_is_an_attribute() {
    let mut world = World::new();
    let create = Edit::CreateCi {
        key: None,
        class: "database".into(),
        name: "x".into(),
        lifecycle: None,
        criticality: None,
        attributes: BTreeMap::from([(Symbol::new("engine"), "postgres".into())]),
    };
    edit(&mut world, create).unwrap();
    let ci = world.ci("database/x").clone();
    let set = CiFields { class: Some(Some("host".into())), ..CiFields::default() };
    edit(&mut world, Edit::UpdateCi { id: ci.id, expected_version: 1, set }).unwrap();
    assert_eq!(world.ci("database/x").class.as_str(), "host");
    assert_eq!(faults(&world), [""; 0]);
}

#[test]
fn a_dismissed_question_is_asked_again() {
    let mut world = World::new();
    world.take(&host(1));
    world.take(&database(2));
    let task = world.open_reviews()[0].clone();
    edit(&mut world, Edit::DismissReview { id: task.id, expected_version: task.version }).unwrap();
    let dismissed = world.catalogue.review(task.id).unwrap();
    assert_eq!(dismissed.state, ReviewState::Obsolete);
    assert!(dismissed.question.contains("dismissed by ann"), "{}", dismissed.question);
    let mut strict = database(3);
    strict.0.on_error = OnError::Stop;
    world.import(&strict);
    assert_eq!(world.open_reviews().len(), 1);
    assert_ne!(world.open_reviews()[0].id, task.id);
}

const CLASSES: [&str; 7] =
    ["component", "host", "virtual-machine", "physical-host", "database", "database-cluster", "service"];
const ATTRIBUTES: [&str; 7] = ["arn", "system_uuid", "memory", "engine", "rack_units", "role", "minimum_delivered"];

/// One row: number, class, stated key, attributes.
type Row = (u8, usize, Option<u8>, Vec<(usize, u8)>);

#[derive(Clone, Debug)]
enum Step {
    Batch { source: usize, complete: bool, rows: Vec<Row> },
    Class { of: u8, class: Option<usize> },
    Attribute { of: u8, attribute: usize, value: Option<u8> },
    Merge { keep: u8, absorb: u8 },
    Undo { absorbed: u8 },
    Revive { of: u8 },
    Settle { task: u8, candidate: Option<u8> },
}

fn step() -> impl Strategy<Value = Step> {
    let attributes = prop::collection::vec((0..ATTRIBUTES.len(), 0u8..3), 0..4);
    let row = (0u8..4, 0..CLASSES.len(), prop::option::of(0u8..3), attributes);
    let rows = prop::collection::vec(row, 1..4);
    let class = || prop::option::of(0..CLASSES.len());
    prop_oneof![
        6 => (0usize..3, any::<bool>(), rows).prop_map(|(source, complete, rows)| Step::Batch { source, complete, rows }),
        1 => (any::<u8>(), class()).prop_map(|(of, class)| Step::Class { of, class }),
        1 => (any::<u8>(), 0..ATTRIBUTES.len(), prop::option::of(0u8..3))
            .prop_map(|(of, attribute, value)| Step::Attribute { of, attribute, value }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(keep, absorb)| Step::Merge { keep, absorb }),
        1 => any::<u8>().prop_map(|absorbed| Step::Undo { absorbed }),
        1 => any::<u8>().prop_map(|of| Step::Revive { of }),
        2 => (any::<u8>(), prop::option::of(any::<u8>()))
            .prop_map(|(task, candidate)| Step::Settle { task, candidate }),
    ]
}

fn value(attribute: usize, number: u8) -> serde_json::Value {
    match ATTRIBUTES[attribute] {
        "arn" | "system_uuid" | "engine" | "role" => format!("v{number}").into(),
        "minimum_delivered" => 1.into(),
        _ => number.into(),
    }
}

/// The item of a number; there may be none.
fn pick(world: &World, number: u8) -> Option<(CiId, u32)> {
    let count = world.catalogue.ci_count();
    let (_, slot) = world.catalogue.cis().nth(usize::from(number).checked_rem(count)?)?;
    Some((slot.ci.id, slot.ci.version))
}

fn edit_of(world: &World, step: &Step) -> Option<Edit> {
    let update = |of: u8, set: CiFields| {
        let (id, expected_version) = pick(world, of)?;
        Some(Edit::UpdateCi { id, expected_version, set })
    };
    match step {
        Step::Batch { .. } => None,
        Step::Class { of, class } => {
            let class = Some(class.map(|class| CLASSES[class].into()));
            update(*of, CiFields { class, ..CiFields::default() })
        }
        Step::Attribute { of, attribute, value: number } => {
            let json = number.map_or(serde_json::Value::Null, |number| value(*attribute, number));
            let attributes = BTreeMap::from([(Symbol::new(ATTRIBUTES[*attribute]), json)]);
            update(*of, CiFields { attributes, ..CiFields::default() })
        }
        Step::Merge { keep, absorb } => Some(merge(world, pick(world, *keep)?.0, pick(world, *absorb)?.0)),
        Step::Undo { absorbed } => {
            let (absorbed, expected_version) = pick(world, *absorbed)?;
            Some(Edit::UndoMerge { absorbed, expected_version })
        }
        Step::Revive { of } => {
            let (id, expected_version) = pick(world, *of)?;
            Some(Edit::ReviveCi { id, expected_version })
        }
        Step::Settle { task, candidate } => {
            let open = world.open_reviews();
            let task = open.get(usize::from(*task).checked_rem(open.len())?)?;
            let candidate = match candidate {
                Some(number) => match usize::from(*number).checked_rem(task.candidates.len()) {
                    Some(at) => Some(task.candidates[at]),
                    None => pick(world, *number).map(|(id, _)| id),
                },
                None => None,
            };
            let (id, expected_version) = (task.id, task.version);
            Some(Edit::SettleReview { id, expected_version, candidate, by: "ann".into(), reason: "so".into() })
        }
    }
}

fn take(world: &mut World, at: i64, step: &Step) {
    if let Step::Batch { source, complete, rows } = step {
        let source = ["x", "y", "z"][*source];
        let start = if *complete { B::complete(source, day(at)) } else { B::delta(source, day(at)) };
        let batch = rows.iter().fold(start, |batch, (number, class, key, attributes)| {
            batch.ci_with(&format!("r{number}"), CLASSES[*class], |mut o| {
                o.key = key.map(|key| format!("item/k{key}").parse().unwrap());
                attributes
                    .iter()
                    .fold(o, |o, (attribute, number)| o.with(ATTRIBUTES[*attribute], value(*attribute, *number)))
            })
        });
        world.take(&batch);
        return;
    }
    if let Some(wanted) = edit_of(world, step) {
        // Refused edits change nothing.
        let _ = edit(world, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn effective_attributes_are_those_of_the_effective_class(steps in prop::collection::vec(step(), 1..16)) {
        let mut world = World::new();
        world.settings.guard_percent = 100.0;
        for (at, step) in (1..).zip(&steps) {
            take(&mut world, at, step);
            let faults = faults(&world);
            prop_assert!(faults.is_empty(), "after step {at} {step:?}: {faults:?}");
        }
    }
}
