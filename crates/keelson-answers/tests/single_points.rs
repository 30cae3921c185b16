//! Single points of failure of the worked estate, known by hand (example E5), and what a question supposes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::single_points::{SinglePointsAnswer, SinglePointsQuestion, single_points};
use keelson_answers::suppose::{Supposed, scenarios};
use keelson_answers::{Asked, QuestionError, View};
use keelson_testkit::{Estate, minutes};

const PAYMENTS: &str = "service/payments";

fn ask(view: &View, question: &SinglePointsQuestion) -> SinglePointsAnswer {
    single_points(view, question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn all() -> SinglePointsQuestion {
    SinglePointsQuestion { most: 100, ..SinglePointsQuestion::default() }
}

fn certain<'a>(answer: &'a SinglePointsAnswer, service: &str) -> Vec<&'a str> {
    let line = answer.services.iter().find(|one| one.subject.key == service).unwrap();
    line.certain.iter().map(|point| point.subject.name.as_str()).collect()
}

#[test]
fn points_of_each_service_and_what_each_item_fells() {
    let answer = ask(&Estate::worked().view(), &all());
    let mut points = certain(&answer, PAYMENTS);
    points.sort_unstable();
    assert_eq!(points, ["ColoY", "PowerCo", "dns", "hv2", "siteY", "sso", "swY"]);
    let mut points = certain(&answer, "service/portal");
    points.sort_unstable();
    assert_eq!(points, ["PowerCo", "dns", "sso"]);
    assert_eq!((answer.service_count, answer.exposed_count), (4, 4));
    let power = answer.items.iter().find(|line| line.subject.key == "supplier/PowerCo").unwrap();
    assert_eq!(power.service_count, 4);
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn the_best_fix_puts_the_third_web_server_elsewhere() {
    let question = SinglePointsQuestion { services: vec![PAYMENTS.to_owned()], fixes: 3, ..all() };
    let answer = ask(&Estate::worked().view(), &question);
    let fix = &answer.fixes[0];
    assert_eq!(
        fix.action, "move software-instance/web2 from host/hv2 to a new host that depends on nothing that is there",
        "one of the two that stand together"
    );
    assert_eq!((fix.removed, fix.added), (4, 0));
    let mut removed = fix.effects[0].removed.clone();
    removed.sort_unstable();
    assert_eq!(removed, ["host/hv2", "network-device/swY", "site/siteY", "supplier/ColoY"]);
    assert_eq!(fix.effects[0].hours_per_year, None, "nothing states how often it fails");
}

/// Both carriers lay their lines in the ducts of one company; a company for payments is no other way to lay them.
#[test]
fn what_a_supplier_does_is_not_moved_to_whatever_supplier_there_is() {
    let text = r#"{"batch":{"format":"keelson/1","source":"x"}}
{"ci":{"key":"service/site","class":"service","name":"site"}}
{"ci":{"key":"supplier/one","class":"supplier","name":"one"}}
{"ci":{"key":"supplier/two","class":"supplier","name":"two"}}
{"ci":{"key":"supplier/ducts","class":"supplier","name":"ducts"}}
{"ci":{"key":"supplier/payments","class":"supplier","name":"payments"}}
{"need":{"dependent":"service/site","name":"uplinks","rule":"any","members":["supplier/one","supplier/two"]}}
{"need":{"dependent":"supplier/one","name":"ducts","rule":"all","members":["supplier/ducts"]}}
{"need":{"dependent":"supplier/two","name":"ducts","rule":"all","members":["supplier/ducts"]}}"#;
    let answer = ask(&Estate::of_text(text).view(), &SinglePointsQuestion { fixes: 5, ..all() });
    let actions: Vec<&str> = answer.fixes.iter().map(|fix| fix.action.as_str()).collect();
    let new = "from supplier/ducts to a new supplier that depends on nothing that is there";
    assert!(!actions.is_empty() && actions.iter().all(|action| action.ends_with(new)), "{actions:?}");
}

#[test]
fn with_a_database_out_the_other_is_a_point() {
    let question = SinglePointsQuestion { down: vec!["database/dbA".to_owned()], ..all() };
    let answer = ask(&Estate::worked().view(), &question);
    assert!(certain(&answer, PAYMENTS).contains(&"dbB"));
    assert_eq!(answer.down, ["database/dbA"]);
}

#[test]
fn proofs_are_as_many_as_asked_for() {
    let answer = ask(&Estate::worked().view(), &SinglePointsQuestion { proofs: 2, ..all() });
    let proofs = answer.services.iter().flat_map(|one| &one.certain).filter(|point| !point.proof.is_empty());
    assert_eq!(proofs.count(), 2);
}

#[test]
fn a_rule_nobody_states_makes_points_possible() {
    let part = r#""name":"web pool","rule":"at_least","members":["software-instance/web1","software-instance/web2","software-instance/web3"],"k":2"#;
    let other =
        r#""name":"web pool","members":["software-instance/web1","software-instance/web2","software-instance/web3"]"#;
    let answer = ask(&Estate::worked_with(part, other).view(), &all());
    let line = answer.services.iter().find(|one| one.subject.key == PAYMENTS).unwrap();
    let possible: Vec<&str> = line.possible.iter().map(|point| point.subject.name.as_str()).collect();
    for name in ["web1", "web2", "web3", "hv1", "hv2"] {
        assert!(possible.contains(&name), "{name} is possible, for all members might be needed: {possible:?}");
    }
    assert!(certain(&answer, PAYMENTS).contains(&"dns"));
}

#[test]
fn what_is_supposed_is_said_and_the_revision_is_the_real_one() {
    let scenario = r#"{"ci":{"key":"scenario/growth-30","class":"scenario","name":"growth-30","attributes":{"demand_factor":1.3,"assumed_by":"sales"}}}"#;
    let first = r#"{"ci":{"key":"supplier/PowerCo","class":"supplier","name":"PowerCo"}}"#;
    let view = Estate::worked_with(first, &format!("{first}\n{scenario}")).view();
    let (growth, lines) = scenarios(&view.catalogue, &["growth-30".to_owned()]).unwrap();
    let supposed = view.supposing(Supposed { base: view.revision(), growth, lines }).unwrap();
    let answer = ask(&supposed, &all());
    assert_eq!(answer.basis.supposing, ["scenario growth-30: demand on every service times 1.3; assumed by sales"]);
    assert_eq!(answer.basis.revision, view.revision());

    let unknown = scenarios(&view.catalogue, &["growth".to_owned()]).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no scenario 'growth'; there are growth-30");
    assert!(matches!(unknown, QuestionError::UnknownScenario { .. }));
}

#[test]
fn a_soft_need_fells_a_service_that_must_deliver_more_than_it_leaves() {
    let text = |least: &str| {
        format!(
            r#"{{"batch":{{"format":"keelson/1","source":"soft","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}}}
{{"ci":{{"key":"service/shop","class":"service","name":"shop"{least}}}}}
{{"ci":{{"key":"service/mail","class":"service","name":"mail"}}}}
{{"ci":{{"key":"host/h","class":"host","name":"h"}}}}
{{"ci":{{"key":"host/m","class":"host","name":"m"}}}}
{{"need":{{"dependent":"service/shop","name":"host","rule":"all","members":["host/h"]}}}}
{{"need":{{"dependent":"service/shop","name":"mail","rule":"all","members":["service/mail"],"cap":0.3}}}}
{{"need":{{"dependent":"service/mail","name":"host","rule":"all","members":["host/m"]}}}}
"#
        )
    };
    let points = |least: &str| {
        let answer = ask(&Estate::of_text(&text(least)).view(), &SinglePointsQuestion { proofs: 9, ..all() });
        let shop = answer.services.iter().find(|one| one.subject.key == "service/shop").unwrap().clone();
        assert!(shop.certain.iter().all(|point| !point.proof.is_empty()), "{shop:?}");
        shop.certain.into_iter().map(|point| point.subject.name).collect::<Vec<_>>()
    };
    assert_eq!(points(""), ["h"]);
    assert_eq!(points(r#","attributes":{"minimum_delivered":0.7}"#), ["h"]);
    assert_eq!(points(r#","attributes":{"minimum_delivered":0.8}"#), ["h", "m", "mail"]);
}
