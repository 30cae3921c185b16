//! The worked estate (analyses 1.11) and its exact answers: E1, E2 and the conformance vectors.

mod common;

use common::{ESTATE, loss, lost, run, tree};
use keelson_analysis::{
    Limits, Pool,
    certainty::{Answer, Certainty, Class, Fact, Outcome, Target, certainty},
    impact::{Protection, Question, Seed, Verdict, impact, verdict},
};
use keelson_graph::{Builder, ItemIx, NeedSpec, fixture::Fixture};
use keelson_model::{
    Rule,
    rule::imported::{ImportedRuleError, ZabbixRule, icinga_group, itop_count, itop_percent, zabbix},
};

const CYCLE: &str = "
    a: b | any x c
    b: a";

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

fn touched(graph: &Fixture, seeds: &str) -> String {
    let impact = run(graph, seeds);
    graph.names(impact.touched().expect("asked for").iter().copied())
}

/// What protects an item: need, members up, margin.
fn guards(graph: &Fixture, seeds: &str, item: &str) -> Vec<(String, u32, Option<u32>)> {
    let impact = run(graph, seeds);
    let guards = Protection::new(&graph.snapshot, &impact).of(graph.item(item));
    let told = |guard: &keelson_analysis::impact::Guard| {
        let need = graph.snapshot.need(guard.need);
        (graph.label(need.tag).to_owned(), guard.up, guard.margin.map(|margin| margin.least))
    };
    guards.iter().map(told).collect()
}

#[test]
fn a_failover_pair_protects_payments_from_the_loss_of_one_database() {
    let graph = estate();
    assert_eq!(touched(&graph, "dbA"), "payments");
    assert_eq!(lost(&graph, "dbA"), "");
    assert_eq!(guards(&graph, "dbA", "payments"), [("db pair".to_owned(), 1, Some(0))]);
}

#[test]
fn losing_the_first_hypervisor_touches_nine_and_fells_no_service() {
    let graph = estate();
    assert_eq!(touched(&graph, "hv1"), "api1 dbA dns dns1 idp1 payments portal sso web1");
    assert_eq!(lost(&graph, "hv1"), "api1 dbA dns1 idp1 web1");
    // Portal stands two further web failures; payments none of any kind.
    assert_eq!(guards(&graph, "hv1", "portal"), [("web pool".to_owned(), 2, Some(1))]);
    let payments: Vec<_> =
        guards(&graph, "hv1", "payments").into_iter().map(|(need, _, margin)| (need, margin)).collect();
    let zero = |need: &str| (need.to_owned(), Some(0));
    assert_eq!(payments, [zero("web pool"), zero("api pool"), zero("db pair")]);
}

#[test]
fn a_loss_stopped_further_down_is_explained_by_what_stopped_it() {
    let graph = estate();
    assert_eq!(touched(&graph, "dns1"), "dns payments portal sso");
    assert_eq!(guards(&graph, "dns1", "portal"), [("dns pool".to_owned(), 1, Some(0))]);
    assert_eq!(guards(&graph, "dns1", "dns2"), [], "what was not touched needs no protection");
}

#[test]
fn losing_the_second_hypervisor_fells_payments_with_a_proof() {
    let graph = estate();
    assert_eq!(lost(&graph, "hv2"), "api2 dbB dns2 idp2 payments web2 web3");
    let expected = "\
payments <- web pool: web2 web3
  web2 <- hv2
  web3 <- hv2
";
    assert_eq!(tree(&graph, "hv2", "payments", 100), expected);
}

#[test]
fn a_soft_need_costs_at_most_its_cap() {
    let graph = estate();
    let impact = run(&graph, "mailapi");
    let of = |name: &str| impact.loss(graph.item(name));
    assert_eq!((of("portal"), of("payments"), of("sso"), of("dns")), (0.3, 0.0, 0.0, 0.0));
    assert_eq!(verdict(of("portal"), 0.5), Verdict::Degraded);
    assert_eq!(verdict(of("portal"), 0.7), Verdict::Degraded, "exactly what it must deliver");
    assert_eq!(verdict(of("portal"), 0.71), Verdict::Breached);
    assert_eq!(verdict(of("dns"), 0.5), Verdict::Protected);
    assert_eq!(impact.lost().count(), 0);
}

#[test]
fn graded_losses_take_the_right_rank() {
    let graph = estate();
    assert_eq!(loss(&graph, "dbA=0.5 dbB=0.2", "payments"), 0.2);
    assert_eq!(loss(&graph, "web1=0.5 web2=0.2 web3=0.4", "payments"), 0.4);
    assert_eq!(loss(&graph, "web1=0.5 web2=0.2 web3=0.4", "portal"), 0.2);
}

#[test]
fn a_cycle_never_fails_by_itself() {
    let graph = Fixture::parse(CYCLE).expect("well formed");
    let all = |seeds: &str| graph.names(run(&graph, seeds).affected().map(|affected| affected.item));
    assert_eq!(all(""), "");
    assert_eq!(all("a"), "a b");
    assert_eq!(all("x"), "x");
    assert_eq!(all("x c"), "a b c x");
}

#[test]
fn shared_parts_of_a_proof_are_shown_once() {
    let graph = estate();
    let proof = tree(&graph, "PowerCo", "dns", 100);
    let expected = "\
dns <- dns pool: dns1 dns2
  dns1 <- hv1
    hv1 <- swX
      swX <- siteX
        siteX <- ColoX
          ColoX <- PowerCo
  dns2 <- hv2
    hv2 <- swY
      swY <- siteY
        siteY <- ColoY
          ColoY <- PowerCo
";
    assert_eq!(proof, expected);
    let payments = tree(&graph, "siteY", "payments", 100);
    assert_eq!(payments.matches("hv2 <- swY").count(), 1, "{payments}");
    assert_eq!(payments.matches("hv2 <- (above)").count(), 1, "{payments}");
    assert_eq!(tree(&graph, "siteY", "payments", 2).lines().count(), 3, "two lines and a word that it was cut");
}

/// The answer to how certain a breach is, for services that must deliver half.
fn ask(graph: &Fixture, seeds: &str, targets: &str) -> Certainty {
    let seeds: Vec<Seed> = graph.items(seeds).into_iter().map(Seed::gone).collect();
    let targets: Vec<Target> =
        graph.items(targets).into_iter().map(|item| Target { item, min_delivered: 0.5 }).collect();
    certainty(&graph.snapshot, &seeds, &targets, 1_000, &Limits::default(), &Pool::new()).expect("known items")
}

fn with_web_pool(pool: &str) -> Fixture {
    let text = ESTATE.replace("[web pool] 2of web1 web2 web3", pool);
    assert_ne!(text, ESTATE);
    Fixture::parse(&text).expect("well formed")
}

#[test]
fn an_unknown_count_is_the_one_question_that_decides() {
    let graph = with_web_pool("[web pool] k 1,2,3 2of web1 web2 web3");
    for (seeds, felled_by) in [("web2", vec![3]), ("hv2", vec![2, 3])] {
        let answer = ask(&graph, seeds, "payments portal sso dns");
        assert_eq!(graph.names(answer.of(Class::Certain)), "");
        assert_eq!(graph.names(answer.of(Class::Possible)), "payments");
        assert_eq!(graph.names(answer.of(Class::Protected)), "dns portal sso");

        let [decisive] = &answer.decisive[..] else { panic!("one decisive fact: {:?}", answer.decisive) };
        let [fact] = decisive.facts[..] else { panic!("a single one") };
        let need = graph.snapshot.need(fact.need);
        assert_eq!((graph.name(need.owner()), graph.label(need.tag), fact.fact), ("payments", "web pool", Fact::Count));
        let breaching: Vec<u32> = decisive
            .outcomes
            .iter()
            .filter(|outcome| outcome.shifts.iter().all(|shift| shift.to != Class::Protected))
            .map(|outcome| match outcome.answers[..] {
                [Answer::Count(k)] => k,
                _ => panic!("a count"),
            })
            .collect();
        assert_eq!(breaching, felled_by);
        assert!(!answer.is_budget_spent && answer.truncations.is_empty());
    }
}

#[test]
fn leaving_out_a_doubtful_member_is_the_pessimistic_reading() {
    let graph = with_web_pool("[web pool] 2of web1 web2 web3?");
    let answer = ask(&graph, "web1", "payments");
    assert_eq!(graph.names(answer.of(Class::Certain)), "");
    assert_eq!(graph.names(answer.of(Class::Possible)), "payments");
    let outcomes = &answer.decisive[0].outcomes;
    assert_eq!(answer.decisive[0].facts[0].fact, Fact::Member(graph.item("web3")));
    let to = |answer: Answer| {
        outcomes.iter().find(|outcome| outcome.answers == [answer]).map(|outcome| outcome.shifts[0].to)
    };
    assert_eq!((to(Answer::Yes), to(Answer::No)), (Some(Class::Protected), Some(Class::Certain)));
}

#[test]
fn an_assumed_rule_and_a_doubtful_need_are_bracketed() {
    let graph = with_web_pool("[web pool] assumed all web1 web2 web3");
    assert_eq!(graph.names(ask(&graph, "web1", "payments").of(Class::Possible)), "payments");
    assert_eq!(graph.names(ask(&graph, "web1 web2 web3", "payments").of(Class::Certain)), "payments");

    let graph = with_web_pool("[web pool] doubtful all web1 web2 web3");
    let answer = ask(&graph, "web1 web2 web3", "payments portal");
    assert_eq!(graph.names(answer.of(Class::Possible)), "payments");
    assert_eq!(graph.names(answer.of(Class::Certain)), "portal");
}

/// For each count: to what the first service moves, if it does.
fn outcomes(answer: &Certainty) -> Vec<(u32, Option<Class>)> {
    let [decisive] = &answer.decisive[..] else { panic!("one decisive fact: {:?}", answer.decisive) };
    let to = |outcome: &Outcome| match outcome.answers[..] {
        [Answer::Count(k)] => (k, outcome.shifts.first().map(|shift| shift.to)),
        _ => panic!("a count"),
    };
    decisive.outcomes.iter().map(to).collect()
}

#[test]
fn a_rule_that_nobody_stated_is_asked_for_as_a_count() {
    let graph = with_web_pool("[web pool] assumed all web1 web2 web3");
    let answer = ask(&graph, "web2 web3", "payments");
    assert_eq!(answer.decisive[0].facts[0].fact, Fact::Rule);
    let (holds, falls) = (Some(Class::Protected), Some(Class::Certain));
    assert_eq!(outcomes(&answer), [(1, holds), (2, falls), (3, falls)]);
    assert_eq!(outcomes(&ask(&graph, "web2", "payments")), [(1, holds), (2, holds), (3, falls)]);
}

#[test]
fn of_many_members_a_few_counts_are_asked_for_and_fewer_tried() {
    let names: Vec<String> = (1..=100).map(|number| format!("m{number}")).collect();
    let graph = Fixture::parse(&format!("owner: assumed all {}", names.join(" "))).expect("well formed");
    let answer = ask(&graph, &names[..50].join(" "), "owner");
    let outcomes = outcomes(&answer);
    assert_eq!((outcomes.len(), outcomes[0].0, outcomes[19].0), (20, 1, 100));
    assert!(outcomes.iter().all(|(k, to)| *to == Some(if *k > 50 { Class::Certain } else { Class::Protected })));
    assert!(answer.evaluations < 20, "{} propagations", answer.evaluations);
}

#[test]
fn two_questions_that_decide_only_together_are_found_as_a_pair() {
    let graph = Fixture::parse(
        "
        shop: any left right
        left: doubtful x
        right: doubtful x",
    )
    .expect("well formed");
    let answer = ask(&graph, "x", "shop");
    assert_eq!(graph.names(answer.of(Class::Possible)), "shop");
    // Either doubt settled with "no" protects the shop; only both with "yes" fell it.
    assert_eq!(answer.decisive.len(), 2);

    let graph = Fixture::parse(
        "
        shop: 2of a b c d
        a: doubtful x
        b: doubtful x
        c: doubtful x
        d: y",
    )
    .expect("well formed");
    let answer = ask(&graph, "x y", "shop");
    assert_eq!(graph.names(answer.of(Class::Possible)), "shop");
    let pair = answer.decisive.first().expect("a pair decides");
    assert_eq!(pair.facts.len(), 2);
    assert!(pair.outcomes.iter().all(|outcome| outcome.answers[0] == outcome.answers[1]));
}

#[test]
fn a_spent_budget_is_admitted() {
    let graph = with_web_pool("[web pool] k 1,2,3 2of web1 web2 web3");
    let seeds = [Seed::gone(graph.item("hv2"))];
    let targets = [Target { item: graph.item("payments"), min_delivered: 0.5 }];
    let answer =
        certainty(&graph.snapshot, &seeds, &targets, 4, &Limits::default(), &Pool::new()).expect("known items");
    assert!(answer.is_budget_spent && answer.evaluations <= 4);
    assert_eq!(answer.of(Class::Possible).count(), 1, "the classes themselves never depend on the budget");
}

/// Rules brought over from other products (analyses 1.10): at how many lost members they trip.
#[test]
fn rules_brought_over_trip_where_the_other_product_does() {
    let trips_at = |rule: Result<Rule, ImportedRuleError>, members: u32| -> u32 {
        let mut builder = Builder::new();
        for item in 0..=members {
            builder.item(ItemIx(item));
        }
        let need =
            NeedSpec::new(ItemIx(0), (1..=members).map(ItemIx).collect(), rule.expect("it has a counterpart"), 0);
        builder.need(need).expect("meaningful");
        let snapshot = builder.build().expect("whole");
        let felled = |down: &u32| {
            let seeds: Vec<Seed> = (1..=*down).map(|item| Seed::gone(ItemIx(item))).collect();
            let impact = impact(&snapshot, &Question::about(&seeds), &Pool::new()).expect("items");
            impact.loss(ItemIx(0)) == 1.0
        };
        (1..=members).find(felled).expect("losing everything trips every rule")
    };
    // iTop: four hypervisors of which two must be up; 50 % of three.
    assert_eq!(trips_at(itop_count(4, 2), 4), 3);
    assert_eq!(trips_at(itop_percent(3, 50), 3), 2);
    // Icinga 2: a redundancy group fails when no member is left.
    assert_eq!(trips_at(icinga_group(3), 3), 3);
    // Zabbix: one of three children is 33 %, two are 66 %.
    assert_eq!(zabbix(ZabbixRule::AtLeastPercent(34), &[1; 3]), Ok(Rule::AtLeast { k: 2 }));
    assert_eq!(trips_at(zabbix(ZabbixRule::AtLeastPercent(34), &[1; 3]), 3), 2);
    assert_eq!(trips_at(zabbix(ZabbixRule::AtLeast(3), &[1; 4]), 4), 3);
    assert_eq!(trips_at(zabbix(ZabbixRule::WeightAtLeast(3), &[1, 2, 4]), 3), 2);
}

#[test]
fn questions_about_strangers_are_refused() {
    let graph = estate();
    let stranger = ItemIx(9_999);
    let seeds = [Seed::gone(stranger)];
    assert!(impact(&graph.snapshot, &Question::about(&seeds), &Pool::new()).is_err());
    let seeds = [Seed { item: graph.item("dns"), loss: 1.5 }];
    assert!(impact(&graph.snapshot, &Question::about(&seeds), &Pool::new()).is_err());
}
