//! Steps, and who may take them.

use std::sync::Arc;

use keelson_change::ProblemCode::{
    BadValue, CalendarViolated, DuplicateKey, IllegalTransition, Missing, NotAllowed, NotFound, Outdated,
};
use keelson_change::draft::{self, Fields};
use keelson_change::records::{TemplateFields, approve_template, put_template, withdraw_template};
use keelson_change::workflow::{self, By};
use keelson_model::{
    Action, Alteration, BaselineId, ChangeCategory, ChangeState, CiId, Completion, Effect, RecordChange, ReviewRecord,
    Revision, Rollback, SequentialIds, Symbol,
};

use super::world::{World, assessment, at, by, codes, effect, hours, name};

#[test]
fn a_request_goes_its_way_and_every_step_says_who_when_and_why() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.approved(&fields, Vec::new());
    assert_eq!(&*request.key, "RFC-1");
    let request = world.take(workflow::schedule(&request, by(&name("bob"))));
    let baseline = BaselineId::next(&mut SequentialIds::after(9));
    let request = world.take(workflow::start(&request, &[], baseline, By { at: at(22), ..by(&name("cleo")) }));
    assert_eq!(request.baseline, Some(baseline));
    let completion = completion(&world, ChangeState::Done, true);
    let request = world.take(workflow::finish(&request, completion, By { at: at(23), ..by(&name("cleo")) }));
    let request = world.take(workflow::review(&request, review(), by(&name("dora"))));
    let states: Vec<&str> = request.steps.iter().map(|step| step.to.as_str()).collect();
    assert_eq!(
        states,
        ["draft", "submitted", "assessed", "assessed", "approved", "scheduled", "in_progress", "done", "reviewed"]
    );
    assert_eq!(request.step_to(ChangeState::Approved).unwrap().by, name("bob"));
    assert_eq!(world.catalogue.open_requests().count(), 0);
    assert_eq!(world.catalogue.find_request("rfc-1").unwrap().trail.len(), states.len());
}

fn completion(world: &World, outcome: ChangeState, shows: bool) -> Completion {
    let host = world.id("host/hv1");
    Completion {
        outcome,
        started_at: at(22),
        finished_at: at(23),
        compared_at: Revision(9),
        showing: if shows { vec![host] } else { Vec::new() },
        not_showing: if shows { Vec::new() } else { vec![host] },
        reason: None,
    }
}

fn review() -> ReviewRecord {
    ReviewRecord {
        by: name("dora"),
        at: at(48),
        is_monitored: true,
        incidents: Vec::new(),
        observed: Vec::new(),
        has_failed: false,
        lessons: name("all as predicted"),
    }
}

#[test]
fn a_request_says_everything_that_is_wrong_with_it_at_once() {
    let mut world = World::new();
    let nobody = CiId::next(&mut SequentialIds::after(5));
    let host = world.id("host/hv1");
    let fields = Fields {
        key: Some("a/b".into()),
        alterations: vec![
            Alteration { ci: nobody, action: Action::Restarts },
            Alteration { ci: host, action: Action::Restarts },
            Alteration { ci: host, action: Action::Degrades { loss: 2.0 } },
        ],
        rollback: Some(Rollback { plan: Arc::from(" "), minutes: 0 }),
        category: Some(ChangeCategory::Standard),
        ..Fields::default()
    };
    let found = codes(world.new_request(&fields));
    assert_eq!(found, [BadValue, Missing, Missing, Missing, BadValue, NotFound, BadValue, BadValue, Missing]);
    assert_eq!(world.catalogue.request_count(), 0);
}

#[test]
fn keys_are_unique_in_any_case_of_letters() {
    let mut world = World::new();
    let fields = Fields { key: Some("CHG-7".into()), ..world.fields() };
    let new = world.new_request(&fields);
    world.take(new);
    let again = Fields { key: Some("chg-7".into()), ..fields };
    assert_eq!(codes(world.new_request(&again)), [DuplicateKey]);
    let numbered = world.new_request(&world.fields()).unwrap();
    assert_eq!(&*numbered.after.unwrap().key, "RFC-2");
}

#[test]
fn nothing_is_approved_without_window_rollback_and_assessed_impact() {
    let mut world = World::new();
    let fields = Fields { window: None, rollback: None, ..world.fields() };
    let new = world.new_request(&fields);
    let request = world.take(new);
    let request = world.take(workflow::submit(&request, by(&name("ann"))));
    let bob = name("bob");
    let refused = workflow::approve(&request, assessment(3, Vec::new()), &world.catalogue, by(&bob), &world.policy);
    assert_eq!(codes(refused), [IllegalTransition, Missing, Missing, Missing]);
    let request = world.take(workflow::assess(&request, assessment(3, Vec::new()), by(&bob)));
    let refused = workflow::approve(&request, assessment(3, Vec::new()), &world.catalogue, by(&bob), &world.policy);
    assert_eq!(codes(refused), [Missing, Missing]);
}

#[test]
fn a_requester_does_not_approve_under_any_spelling() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.assessed(&fields);
    let refused =
        workflow::approve(&request, assessment(3, Vec::new()), &world.catalogue, by(&name(" Ann ")), &world.policy);
    assert_eq!(codes(refused), [NotAllowed]);
}

#[test]
fn whoever_wrote_what_a_request_says_does_not_approve_it() {
    let mut world = World::new();
    let fields = world.fields();
    let new = world.new_request(&fields);
    let request = world.take(new);
    let altered = draft::altered(&world.catalogue, &request, &fields, &name("bob"), at(1));
    let request = world.take(altered);
    let request = world.take(workflow::submit(&request, by(&name("ann"))));
    let request = world.take(workflow::assess(&request, assessment(3, Vec::new()), by(&name("ann"))));
    let approve = |who: &str| {
        workflow::approve(&request, assessment(3, Vec::new()), &world.catalogue, by(&name(who)), &world.policy)
            .map(|_| ())
    };
    assert_eq!(codes(approve("Bob")), [NotAllowed]);
    assert_eq!(codes(approve("ann")), [NotAllowed]);
    assert!(approve("cleo").is_ok());
}

#[test]
fn a_requester_who_is_replaced_still_does_not_approve() {
    let mut world = World::new();
    let fields = world.fields();
    let new = world.new_request(&fields);
    let request = world.take(new);
    let handed_on = Fields { requester: Some("carl".into()), ..fields };
    let altered = draft::altered(&world.catalogue, &request, &handed_on, &name("bob"), at(1));
    let request = world.take(altered);
    let request = world.take(workflow::submit(&request, by(&name("carl"))));
    let request = world.take(workflow::assess(&request, assessment(3, Vec::new()), by(&name("carl"))));
    for who in ["ann", "bob", "carl"] {
        let (seen, who) = (assessment(3, Vec::new()), name(who));
        let refused = workflow::approve(&request, seen, &world.catalogue, by(&who), &world.policy);
        assert_eq!(codes(refused), [NotAllowed], "{who}");
    }
}

#[test]
fn what_was_handed_in_is_not_emptied_afterwards() {
    let mut world = World::new();
    let fields = world.fields();
    let new = world.new_request(&fields);
    let request = world.take(new);
    let nothing = Fields { alterations: Vec::new(), ..fields };
    assert!(draft::altered(&world.catalogue, &request, &nothing, &name("ann"), at(1)).is_ok(), "a draft may be");
    let request = world.take(workflow::submit(&request, by(&name("ann"))));
    let refused = draft::altered(&world.catalogue, &request, &nothing, &name("ann"), at(1));
    assert_eq!(codes(refused), [Missing]);
}

#[test]
fn what_has_changed_since_it_was_looked_at_is_not_approved() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.assessed(&fields);
    let payments = world.id("business-service/payments");
    let fresh = assessment(4, vec![effect(payments, Effect::Breached)]);
    let refused = workflow::approve(&request, fresh, &world.catalogue, by(&name("bob")), &world.policy);
    assert_eq!(codes(refused), [Outdated]);
}

#[test]
fn an_emergency_is_approved_by_those_named_for_it_alone() {
    let mut world = World::new();
    let fields = Fields { category: Some(ChangeCategory::Emergency), ..world.fields() };
    let request = world.assessed(&fields);
    let frozen = || assessment(3, Vec::new());
    let nobody_named = workflow::approve(&request, frozen(), &world.catalogue, by(&name("bob")), &world.policy);
    assert_eq!(codes(nobody_named), [NotAllowed]);
    world.policy.emergency_approvers = vec!["duty manager".into(), "Ann".into()];
    let (bob, ann, duty) = (name("bob"), name("ann"), name("Duty Manager"));
    assert_eq!(codes(workflow::approve(&request, frozen(), &world.catalogue, by(&bob), &world.policy)), [NotAllowed]);
    assert_eq!(codes(workflow::approve(&request, frozen(), &world.catalogue, by(&ann), &world.policy)), [NotAllowed]);
    assert!(workflow::approve(&request, frozen(), &world.catalogue, by(&duty), &world.policy).is_ok());
}

#[test]
fn the_calendar_is_heeded_unless_it_is_an_emergency_with_a_reason() {
    let mut world = World::new();
    world.policy.emergency_approvers = vec!["bob".into()];
    let violating = || {
        let mut frozen = assessment(3, Vec::new());
        frozen.violations = vec![name("payments is breached during the freeze 'year end'")];
        frozen
    };
    let bob = name("bob");
    for (category, silent, spoken) in [
        (ChangeCategory::Normal, vec![CalendarViolated], vec![CalendarViolated]),
        (ChangeCategory::Emergency, vec![Missing], vec![]),
    ] {
        let fields = Fields { category: Some(category), ..world.fields() };
        let request = world.assessed(&fields);
        let request = world.take(workflow::assess(&request, violating(), by(&name("ann"))));
        assert_eq!(codes(workflow::approve(&request, violating(), &world.catalogue, by(&bob), &world.policy)), silent);
        let reason = name("the hole is being used");
        let said = By { reason: Some(&reason), ..by(&bob) };
        let decided = workflow::approve(&request, violating(), &world.catalogue, said, &world.policy);
        if spoken.is_empty() {
            assert_eq!(decided.unwrap().after.unwrap().approval.as_ref().unwrap().reason, Some(reason.clone()));
        } else {
            assert_eq!(codes(decided), spoken);
        }
    }
}

#[test]
fn steps_follow_from_where_the_request_stands() {
    let mut world = World::new();
    let fields = world.fields();
    let new = world.new_request(&fields);
    let request = world.take(new);
    let reason = name("because");
    let ann = name("ann");
    let said = By { reason: Some(&reason), ..by(&ann) };
    assert_eq!(codes(workflow::reject(&request, said)), [IllegalTransition]);
    assert_eq!(codes(workflow::schedule(&request, said)), [IllegalTransition]);
    assert_eq!(
        codes(workflow::finish(&request, completion(&world, ChangeState::Done, true), said)),
        [IllegalTransition]
    );
    assert_eq!(codes(workflow::review(&request, review(), said)), [IllegalTransition]);
    assert_eq!(codes(workflow::cancel(&request, by(&ann))), [Missing]);
    let request = world.take(workflow::cancel(&request, said));
    assert_eq!(codes(workflow::submit(&request, said)), [IllegalTransition]);
    assert_eq!(codes(draft::altered(&world.catalogue, &request, &fields, &ann, at(1))), [IllegalTransition]);
}

#[test]
fn an_altered_request_loses_its_approval() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.approved(&fields, Vec::new());
    let later = Fields { window: Some(hours(46, 50)), ..fields };
    let altered = draft::altered(&world.catalogue, &request, &later, &name("ann"), at(1));
    let request = world.take(altered);
    assert_eq!((request.state, request.approval.is_none()), (ChangeState::Submitted, true));
    assert!(request.steps.last().unwrap().reason.as_ref().unwrap().contains("no longer holds"));
}

#[test]
fn what_is_judged_by_hand_needs_a_reason_and_another_assessment() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.assessed(&fields);
    let (payments, host) = (world.id("business-service/payments"), world.id("host/hv1"));
    let ann = name("ann");
    assert_eq!(codes(workflow::mark_not_impacted(&request, payments, by(&ann))), [Missing]);
    let reason = name("it caches for a day");
    let said = By { reason: Some(&reason), ..by(&ann) };
    assert_eq!(codes(workflow::mark_not_impacted(&request, host, said)), [BadValue]);
    let request = world.take(workflow::mark_not_impacted(&request, payments, said));
    assert_eq!((request.state, request.assessment.is_none()), (ChangeState::Submitted, true));
    assert_eq!(request.not_impacted[0].reason, reason);
    assert_eq!(codes(workflow::mark_not_impacted(&request, payments, said)), [BadValue]);
}

#[test]
fn what_does_not_show_is_not_done_without_a_reason() {
    let mut world = World::new();
    let fields = world.fields();
    let request = world.approved(&fields, Vec::new());
    let baseline = BaselineId::next(&mut SequentialIds::after(9));
    let cleo = name("cleo");
    let request = world.take(workflow::start(&request, &[], baseline, by(&cleo)));
    let unseen = completion(&world, ChangeState::Done, false);
    assert_eq!(codes(workflow::finish(&request, unseen.clone(), by(&cleo))), [Missing]);
    let back = completion(&world, ChangeState::BackedOut, false);
    assert_eq!(codes(workflow::finish(&request, back, by(&cleo))), [Missing]);
    let reason = name("a restart leaves no trace");
    let request = world.take(workflow::finish(&request, unseen, By { reason: Some(&reason), ..by(&cleo) }));
    assert_eq!(request.completion.as_ref().unwrap().reason, Some(reason));
}

fn template_fields() -> TemplateFields {
    TemplateFields {
        name: "restart a host".into(),
        title: "Restart a host".into(),
        classes: vec![Symbol::new("host")],
        actions: vec![Action::Restarts],
        longest_minutes: 240,
        rollback: Rollback { plan: Arc::from("boot the old kernel"), minutes: 30 },
        verification: "it answers".into(),
    }
}

#[test]
fn a_standard_change_keeps_to_an_approved_template() {
    let mut world = World::new();
    let change = put_template(&world.catalogue, template_fields(), &name("ann")).unwrap();
    let template = change.after.clone().unwrap();
    world.commit(&[RecordChange::Template(change)]);
    let standard = Fields { template: Some("restart a host".into()), ..world.fields() };
    assert_eq!(codes(world.new_request(&standard)), [BadValue], "not approved yet");
    assert_eq!(codes(approve_template(&template, &name("ANN"), at(0))), [NotAllowed]);
    world.commit(&[RecordChange::Template(approve_template(&template, &name("bob"), at(0)).unwrap())]);
    let payments = world.id("business-service/payments");
    let beyond = Fields {
        alterations: vec![Alteration { ci: payments, action: Action::TakesDown }],
        window: Some(hours(0, 5)),
        ..standard.clone()
    };
    assert_eq!(codes(world.new_request(&beyond)), [BadValue; 3]);
    let request = world.assessed(&standard);
    assert_eq!(request.category, ChangeCategory::Standard);
    let approved = |world: &World| {
        workflow::approve(&request, assessment(3, Vec::new()), &world.catalogue, by(&name("ann")), &world.policy)
    };
    let by_template = approved(&world).unwrap().after.unwrap();
    assert_eq!(by_template.approval.as_ref().unwrap().by, name("bob"));

    // Once withdrawn, and once written anew without approval, it decides nothing any more.
    let known = |world: &World| Arc::clone(&world.catalogue.template("restart a host").unwrap().record);
    assert_eq!(codes(withdraw_template(&known(&world), None, at(1))), [Missing]);
    let withdrawn = withdraw_template(&known(&world), Some(&name("the hosts are gone")), at(1)).unwrap();
    world.commit(&[RecordChange::Template(withdrawn)]);
    assert_eq!(codes(approved(&world)), [BadValue]);
    assert_eq!(codes(world.new_request(&standard)), [BadValue]);
    assert_eq!(codes(approve_template(&known(&world), &name("bob"), at(1))), [IllegalTransition]);
    let anew = put_template(&world.catalogue, template_fields(), &name("ann")).unwrap();
    world.commit(&[RecordChange::Template(anew)]);
    assert_eq!(codes(approved(&world)), [BadValue], "its new version is not approved");
}
