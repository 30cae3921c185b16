//! One request: effects, margin (E4), certainty (E2), starting state, what was judged by hand.

use std::sync::Arc;

use keelson_answers::change::ChangeAnswer;
use keelson_change::records::DisruptionFields;
use keelson_model::{Action, Alteration, DisruptionKind, NotImpacted, RecordChange, RequestForChange};
use keelson_testkit::{Estate, hours, minutes};

/// The effects of an answer: name of the service and effect.
fn effects(answer: &ChangeAnswer) -> Vec<(String, &'static str)> {
    answer.services.iter().map(|line| (line.subject.name.clone(), line.effect.as_str())).collect()
}

/// One effect as tests write it.
fn is(name: &str, effect: &'static str) -> (String, &'static str) {
    (name.to_owned(), effect)
}

#[test]
fn margin_lost_is_told_from_protected() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 30);
    estate.request("W", &["web1"], Some(hours(40.0, 44.0)), 30);
    let answer = estate.assess("A");
    assert_eq!(effects(&answer), [is("payments", "margin_lost")]);
    let payments = &answer.services[0];
    assert_eq!(
        payments.new_single_points,
        [estate.view().catalogue.ci(estate.catalogue.find_id(estate.id("dbB")).unwrap()).key.to_string()]
    );
    assert_eq!((payments.margin, payments.margin_taken, payments.hours), (Some(0), 1, Some(4.0)));
    assert_eq!(payments.protected_by[0].need.name, "db pair");
    assert!(payments.single_points_examined && answer.basis.complete);
    let answer = estate.assess("W");
    let (payments, portal) = (&answer.services[0], &answer.services[1]);
    let names: Vec<&str> = payments.new_single_points.iter().filter_map(|key| key.split('/').nth(1)).collect();
    assert_eq!((payments.subject.name.as_str(), &names[..]), ("payments", &["web2", "web3"][..]));
    // portal needs one of three and has two left, but both stand on one host: counting members would
    // have called that safe.
    assert_eq!(
        (portal.subject.name.as_str(), portal.effect.as_str(), portal.margin),
        ("portal", "margin_lost", Some(1))
    );
    assert!(portal.new_single_points.contains(&"host/hv2".to_owned()), "{:?}", portal.new_single_points);
}

#[test]
fn what_breaches_says_why_and_whom_to_tell() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    let answer = estate.assess("H");
    let payments = &answer.services[0];
    assert_eq!((payments.subject.name.as_str(), payments.effect.as_str()), ("payments", "breached"));
    assert!(payments.is_certain);
    assert_eq!(payments.because.as_ref().unwrap().members.len(), 2);
    assert!(payments.proof.len() == 3 && payments.proof[0].why.contains("web pool"), "{:?}", payments.proof);
    assert_eq!((answer.summary.breached, answer.summary.certainly_breached, answer.summary.margin_lost), (1, 1, 3));
}

#[test]
fn a_restart_interrupts_and_an_addition_does_not() {
    let mut estate = Estate::worked();
    let (mail, hv2) = (estate.id("mailapi"), estate.id("hv2"));
    estate.request_of("R", vec![Alteration { ci: mail, action: Action::Restarts }], Some(hours(1.0, 2.0)), 5);
    assert_eq!(effects(&estate.assess("R")), [is("portal", "degraded")]);
    estate.request_of("N", vec![Alteration { ci: hv2, action: Action::NoInterruption }], Some(hours(1.0, 2.0)), 5);
    let answer = estate.assess("N");
    assert_eq!((effects(&answer), answer.summary.protected), (Vec::new(), 0));
    estate.request_of(
        "D",
        vec![Alteration { ci: mail, action: Action::Degrades { loss: 0.1 } }],
        Some(hours(1.0, 2.0)),
        5,
    );
    let portal = &estate.assess("D").services[0];
    assert!((portal.loss - 0.1).abs() < 1e-9);
}

#[test]
fn what_is_down_anyway_is_where_the_change_starts_from() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 30);
    let fields = DisruptionFields {
        ci: estate.id("dbB"),
        kind: DisruptionKind::Incident,
        loss: 1.0,
        from: minutes(-60),
        until: None,
        reference: Some("INC-7".into()),
        description: None,
    };
    let disruption = estate.disrupt(&fields);
    let answer = estate.assess("A");
    assert_eq!(effects(&answer), [is("payments", "breached")]);
    assert_eq!(answer.starting_state[0].reference.as_deref(), Some("INC-7"));
    let before = answer.inputs.clone();
    // It ends before the window: it no longer counts, and other inputs went in.
    let ended = keelson_change::records::end_disruption(&disruption, minutes(60)).unwrap();
    estate.commit(&[RecordChange::Disruption(ended)]);
    let answer = estate.assess("A");
    assert_eq!(effects(&answer), [is("payments", "margin_lost")]);
    assert!(answer.starting_state.is_empty() && answer.inputs != before);
}

/// The new single points of payments, by name.
fn points(estate: &Estate, key: &str) -> Vec<String> {
    let answer = estate.assess(key);
    let payments = answer.services.iter().find(|line| line.subject.name == "payments").unwrap();
    assert_eq!(payments.effect.as_str(), "margin_lost");
    payments.new_single_points.iter().filter_map(|key| key.split('/').nth(1)).map(str::to_owned).collect()
}

#[test]
fn what_is_merely_impaired_or_up_again_soon_is_still_taken_by_the_change() {
    // One of the pair is slow anyway; then the change takes it down.
    let mut estate = Estate::worked();
    estate.down("dbA", 0.2, -60, None);
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 1);
    assert_eq!(points(&estate, "A"), ["dbB"]);
    // Its host is down for the first five minutes of the four hours.
    let mut estate = Estate::worked();
    estate.down("hv1", 1.0, 22 * 60, Some(22 * 60 + 5));
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 1);
    assert_eq!(points(&estate, "A"), ["dbB"]);
    // Its host is down all the time: the change takes nothing more.
    let mut estate = Estate::worked();
    estate.down("hv1", 1.0, 22 * 60, None);
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 1);
    assert_eq!(effects(&estate.assess("A")), [is("payments", "protected")]);
    // Another need lost a member for five minutes, which is not the change's doing.
    let mut estate = Estate::worked();
    estate.down("api1", 1.0, 22 * 60, Some(22 * 60 + 5));
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 1);
    assert_eq!(points(&estate, "A"), ["dbB"]);
    assert_eq!(estate.assess("A").services[0].margin_taken, 1);
}

#[test]
fn a_doubtful_member_is_no_redundancy_at_worst() {
    let pool = r#""members":["software-instance/web1","software-instance/web2","software-instance/web3"]}}"#;
    let doubtful = pool.replace("]}}", r#"],"doubtful":["software-instance/web3"]}}"#);
    let mut estate = Estate::worked_with(pool, &doubtful);
    estate.request("W", &["web2"], Some(hours(1.0, 2.0)), 5);
    let answer = estate.assess("W");
    let portal = answer.services.iter().find(|line| line.subject.name == "portal").unwrap();
    assert_eq!((portal.effect.as_str(), portal.is_certain), ("margin_lost", false));
    assert!(portal.new_single_points.contains(&"software-instance/web1".to_owned()), "{:?}", portal.new_single_points);
}

#[test]
fn what_is_degraded_enough_to_breach_is_no_redundancy() {
    // payments must deliver half: with dbA at a tenth it is one failure away, with dbA at nine tenths not.
    for (loss, new) in [(0.9, "margin_lost"), (0.1, "protected")] {
        let mut estate = Estate::worked();
        let alteration = Alteration { ci: estate.id("dbA"), action: Action::Degrades { loss } };
        estate.request_of("D", vec![alteration], Some(hours(1.0, 2.0)), 5);
        assert_eq!(effects(&estate.assess("D")), [is("payments", new)], "{loss}");
    }
}

/// Marks an item as not impacted by a request.
fn mark(estate: &mut Estate, key: &str, item: &str) {
    let before = estate.catalogue.find_request(key).unwrap().record.clone();
    let mut after = RequestForChange::clone(&before);
    after.version += 1;
    after.not_impacted.push(NotImpacted {
        ci: estate.id(item),
        by: "ann".into(),
        at: minutes(0),
        reason: "moved to another host last night".into(),
    });
    estate.commit(&[RecordChange::Request(keelson_model::Change::updated(before, after))]);
}

#[test]
fn what_is_judged_by_hand_stops_the_spread_and_is_named() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    mark(&mut estate, "H", "web3");
    let answer = estate.assess("H");
    assert_eq!(answer.services[0].effect.as_str(), "margin_lost");
    assert_eq!(answer.not_impacted[0].reason, "moved to another host last night");
}

#[test]
fn a_mark_is_about_its_request_and_not_about_what_else_happens() {
    let sso = |estate: &Estate| {
        let answer = estate.assess("I");
        let sso = answer.services.iter().find(|line| line.subject.name == "sso").unwrap();
        (sso.effect.as_str(), answer.collisions.iter().filter(|line| line.service.name == "sso").count())
    };
    for is_marked in [false, true] {
        // Of the pair below sso one is taken by the request, and the other is on a host that is down,
        let mut estate = Estate::worked();
        estate.request("I", &["idp1"], Some(hours(1.0, 3.0)), 30);
        estate.down("hv2", 1.0, 0, None);
        if is_marked {
            mark(&mut estate, "I", "idp2");
        }
        assert_eq!(sso(&estate), ("breached", 0), "{is_marked}");
        // or that another request takes down.
        let mut estate = Estate::worked();
        estate.request("I", &["idp1"], Some(hours(1.0, 3.0)), 30);
        estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
        if is_marked {
            mark(&mut estate, "I", "idp2");
        }
        assert_eq!(sso(&estate), ("margin_lost", 1), "{is_marked}");
    }
}

#[test]
fn a_request_without_a_window_is_assessed_and_says_about_which_times() {
    let mut estate = Estate::worked();
    estate.request("X", &["hv2"], None, 30);
    let answer = estate.assess("X");
    assert_eq!((answer.during, answer.services[0].hours), (hours(0.0, 1.0), None));
}

#[test]
fn the_same_question_on_the_same_revision_gives_the_same_bytes() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    let by: Arc<str> = "ann".into();
    let frozen = || estate.assess("H").frozen(&by, minutes(0));
    assert_eq!(frozen(), frozen());
    assert_eq!(frozen().effects.len(), 4);
}

/// The worked estate in which nobody said how many of the three web servers payments needs.
fn unknown_pool() -> Estate {
    let stated = r#""service/payments","name":"web pool","rule":"at_least","members":["software-instance/web1","software-instance/web2","software-instance/web3"],"k":2}"#;
    let unknown = r#""service/payments","name":"web pool","assumed":true,"members":["software-instance/web1","software-instance/web2","software-instance/web3"]}"#;
    Estate::worked_with(stated, unknown)
}

#[test]
fn what_depends_on_what_nobody_knows_is_possible_and_names_the_question() {
    // E2: one, two or three of the web servers may be needed.
    let mut estate = unknown_pool();
    estate.request("W", &["web2"], Some(hours(1.0, 2.0)), 5);
    estate.request("H", &["hv2"], Some(hours(3.0, 4.0)), 5);
    for key in ["W", "H"] {
        let answer = estate.assess(key);
        let certainty = answer.certainty.as_ref().unwrap();
        let possible: Vec<&str> = certainty.possible.iter().map(|subject| subject.name.as_str()).collect();
        assert_eq!((certainty.certain.len(), &possible[..]), (0, &["payments"][..]), "{key}");
        let facts: Vec<&str> = certainty.decisive.iter().map(|one| one.facts[0].need.as_str()).collect();
        assert_eq!((certainty.unknowns, &facts[..]), (1, &["web pool"][..]), "{key}");
        let payments = answer.services.iter().find(|line| line.subject.name == "payments").unwrap();
        assert_eq!((payments.effect.as_str(), payments.is_certain), ("breached", false), "{key}");
    }
}

#[test]
fn repairing_what_is_down_violates_nothing() {
    let mut estate = Estate::worked();
    let payments = estate.id("payments");
    estate.enter_calendar(keelson_change::records::EntryFields {
        name: "year end".into(),
        kind: keelson_model::CalendarKind::Freeze,
        items: vec![payments],
        window: hours(0.0, 24.0),
        recurrence: None,
        margin: None,
        reason: "because".into(),
    });
    estate.request("R", &["hv2"], Some(hours(1.0, 2.0)), 5);
    assert_eq!(estate.assess("R").violations.len(), 1);
    // Down anyway, from before until after: the repair takes nothing more.
    estate.down("hv2", 1.0, 0, None);
    assert_eq!(estate.assess("R").violations, []);
}

#[test]
fn what_is_breached_together_is_expected_to_cost_its_hours() {
    // E7: an hour in which the pair is gone, at 20 000 an hour.
    let stated = r#"{"key":"service/payments","class":"service","name":"payments","attributes":{"#;
    let valued = format!(r#"{stated}"value_per_hour":{{"value":20000,"unit":"EUR"}},"#);
    let mut estate = Estate::worked_with(stated, &valued);
    estate.request("C1", &["dbA"], Some(hours(22.0, 26.0)), 8 * 60);
    let planned = |estate: &Estate| estate.assess("C1").risk.expected_loss[0].planned;
    assert!(planned(&estate).abs() < 1e-9);
    estate.request("C2", &["dbB"], Some(hours(25.0, 27.0)), 1);
    assert!((planned(&estate) - 20_000.0).abs() < 1e-6, "{}", planned(&estate));
}
