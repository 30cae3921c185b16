//! Questions about the worked estate whose answers were worked out by hand, outside of this project: examples E5, E6, E8 to
//! E11, E13, E15 to E17 of the design.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::availability::{AvailabilityQuestion, MethodWord, availability};
use keelson_answers::capacity::{CapacityAnswer, CapacityQuestion, capacity};
use keelson_answers::cut_sets::{CutSetsQuestion, cut_sets};
use keelson_answers::demand::{DemandQuestion, demand};
use keelson_answers::drift::{Change, DriftKind, DriftQuestion, RedundancyFault, drift};
use keelson_answers::health::{HealthQuestion, health};
use keelson_answers::impact::{ImpactQuestion, VerdictWord, assess};
use keelson_answers::recovery::{RecoveryOutcome, RecoveryQuestion, recovery};
use keelson_answers::sample::{SampleQuestion, sample};
use keelson_answers::single_points::{SinglePointsQuestion, single_points};
use keelson_answers::supplier::concentration::{ConcentrationQuestion, concentration, hhi};
use keelson_answers::supplier::loss::{SupplierLossQuestion, supplier_loss};
use keelson_answers::supplier::promise::{PromiseQuestion, promise};
use keelson_answers::supplier::register::{FindingKind, RegisterQuestion, register};
use keelson_answers::suppose::{Supposed, scenarios};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/");

fn view(file: &str) -> View {
    Estate::of(&format!("{FIXTURES}{file}")).view()
}

/// The worked estate with its figures.
fn figures() -> View {
    view("worked-estate-figures.ndjson")
}

/// The worked estate with its figures, and a second batch laid over it.
fn with(file: &str) -> View {
    let mut estate = Estate::of(&format!("{FIXTURES}worked-estate-figures.ndjson"));
    estate.import_file(&format!("{FIXTURES}{file}"));
    estate.view()
}

fn now() -> Asked {
    Asked::now(minutes(0))
}

fn pool() -> Pool {
    Pool::default()
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted} ± {tolerance}");
}

#[test]
fn e6_from_everything_off_seventeen_are_stuck() {
    let question = RecoveryQuestion { most: 100, budget: 2_000, ..RecoveryQuestion::default() };
    let answer = recovery(&figures(), &question, now(), &pool(), None).unwrap();
    assert_eq!(answer.stuck_count, 17);
    let circle: Vec<&str> = answer.circle.iter().map(|wait| wait.item.as_str()).collect();
    assert!(circle.contains(&"service/dns") && circle.contains(&"host/hv1"), "{circle:?}");
    assert!(answer.services.iter().all(|one| one.outcome == RecoveryOutcome::Stuck));
    let way = &answer.ways[0];
    assert_eq!((way.needs.len(), way.needs[0].need.as_str()), (1, "dns"));
    assert!(answer.is_smallest);
}

#[test]
fn e6_with_static_host_names_payments_is_up_after_forty_minutes() {
    let text = std::fs::read_to_string(format!("{FIXTURES}worked-estate-figures.ndjson")).unwrap();
    let is_start = |line: &&str| line.contains("host/hv2") && line.contains("start");
    assert_eq!(text.lines().filter(is_start).count(), 1);
    let rto = r#"service/payments", "class": "service", "name": "payments", "attributes": {"#;
    assert!(text.contains(rto));
    let text = text.replace(rto, &format!("{rto}\"rto_minutes\": 30, "));
    let text: Vec<&str> = text.lines().filter(|line| !is_start(line)).collect();
    let view = Estate::of_text(&text.join("\n")).view();
    let question = RecoveryQuestion { most: 100, budget: 100, ..RecoveryQuestion::default() };
    let answer = recovery(&view, &question, now(), &pool(), None).unwrap();
    assert_eq!(answer.stuck_count, 0);
    let up = |name: &str| answer.order.iter().find(|one| one.subject.name == name).unwrap().up;
    for (name, minutes) in [
        ("siteY", 10.0),
        ("hv2", 25.0),
        ("dns2", 27.0),
        ("dns", 27.0),
        ("sso", 29.0),
        ("hv1", 37.0),
        ("web1", 40.0),
        ("dbB", 40.0),
        ("payments", 40.0),
        ("dbA", 52.0),
    ] {
        near(up(name).least, minutes, 1e-9);
        near(up(name).most, minutes, 1e-9);
    }
    let payments = answer.services.iter().find(|one| one.subject.name == "payments").unwrap();
    assert_eq!(payments.outcome, RecoveryOutcome::Missed);
    near(payments.late.unwrap().most, 10.0, 1e-9);
    let path: Vec<(&str, f64)> = payments
        .critical_path
        .iter()
        .map(|one| (one.subject.name.as_str(), one.own.most))
        .filter(|(_, own)| *own > 0.0)
        .collect();
    assert_eq!(path, [("siteY", 10.0), ("swY", 5.0), ("hv2", 10.0), ("dbB", 15.0)]);
}

#[test]
fn e5_the_best_fix_takes_most_of_the_hours_down() {
    let question = SinglePointsQuestion {
        services: vec!["service/payments".to_owned()],
        most: 10,
        fixes: 3,
        ..SinglePointsQuestion::default()
    };
    let answer = single_points(&figures(), &question, now(), &pool(), None).unwrap();
    let (fix, hours) = (&answer.fixes[0], answer.fixes[0].effects[0].hours_per_year.unwrap());
    assert_eq!((fix.removed, fix.added, fix.effect_count), (4, 0, 1));
    // The new place is there as rarely as the second host with all it rests on, which is close to 0.0045.
    near(hours.before, 46.61, 0.005);
    near(hours.after, 10.3, 0.1);
}

#[test]
fn e8_and_e10_unavailability_and_what_costs_most() {
    let question = AvailabilityQuestion { most: 10, contributors: 30, ..AvailabilityQuestion::default() };
    let answer = availability(&figures(), &question, now(), &pool(), None).unwrap();
    let of = |name: &str| answer.services.iter().find(|one| one.subject.name == name).unwrap();
    for (name, wanted) in [
        ("payments", 0.005_320_953_861_331_006),
        ("portal", 0.000_376_020_532_842_137_1),
        ("sso", 0.000_330_399_910_373_948_96),
        ("dns", 0.000_142_038_291_529_109_95),
    ] {
        near(of(name).unavailability, wanted, 1e-9);
        near(of(name).least, wanted, 1e-9);
        near(of(name).most, wanted, 1e-9);
        assert_eq!(of(name).method, MethodWord::Exact);
    }
    let payments = of("payments");
    near(payments.hours_per_year, 46.61, 0.005);
    let first = &payments.hurts[0];
    assert_eq!(first.subject.name, "hv2");
    near(first.birnbaum, 0.996_672, 1e-6);
    near(first.criticality, 0.3746, 1e-4);
    let swy = payments.vital.iter().find(|one| one.subject.name == "swY").unwrap();
    near(swy.birnbaum, 0.995_675, 1e-6);
    near(swy.criticality, 0.1871, 1e-4);
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn e9_cut_sets_and_how_many_failures_it_takes() {
    let question = |down: &[&str]| CutSetsQuestion {
        service: "service/payments".to_owned(),
        down: down.iter().map(|key| (*key).to_owned()).collect(),
        most: 100,
        proofs: 1,
        ..CutSetsQuestion::default()
    };
    let answer = cut_sets(&figures(), &question(&[]), now(), &pool(), None).unwrap();
    assert_eq!((answer.count.as_str(), answer.is_count_exact, answer.sets.len()), ("36", true, 36));
    assert_eq!(answer.by_order[..2], ["5", "31"]);
    let mut alone: Vec<&str> =
        answer.sets.iter().filter(|set| set.order == 1).map(|set| set.items[0].name.as_str()).collect();
    alone.sort_unstable();
    assert_eq!(alone, ["ColoY", "PowerCo", "hv2", "siteY", "swY"]);
    assert_eq!((answer.resilience.at_least, answer.resilience.at_most), (1, Some(1)));
    near(answer.probability_sum.unwrap(), 0.005_340_5, 1e-9);
    near(answer.probability_bound.unwrap(), 0.005_329_408_088_507_015, 1e-9);
    assert!(!answer.sets[0].proof.is_empty() && answer.sets[1].proof.is_empty());

    let given =
        cut_sets(&figures(), &question(&["database/dbA", "software-instance/web1"]), now(), &pool(), None).unwrap();
    assert_eq!(given.by_order[0], "8");
}

fn plan(factor: Option<&str>) -> CapacityAnswer {
    let mut view = view("capacity-model.ndjson");
    if let Some(name) = factor {
        let (growth, lines) = scenarios(&view.catalogue, &[name.to_owned()]).unwrap();
        view = view.supposing(Supposed { base: view.revision(), growth, lines }).unwrap();
    }
    let services = vec!["service/payments".to_owned()];
    let question = CapacityQuestion { services, most: 100, ..CapacityQuestion::default() };
    capacity(&view, &question, now(), &pool(), None).unwrap()
}

#[test]
fn e11_what_runs_out_first_by_the_date_of_the_decision() {
    let answer = plan(None);
    let rows: Vec<&str> = answer.resources.iter().map(|one| one.subject.name.as_str()).collect();
    assert_eq!(rows[..2], ["db", "idp"]);
    assert_eq!(rows[4], "mail");
    let grown = plan(Some("growth-30"));
    assert_eq!(grown.basis.supposing.len(), 1);
    for (name, sensitivity, limit, now, then, exhausted, decide) in [
        ("db", 6.0, 120.0, 0.667, 0.867, 9.21, 5.21),
        ("idp", 0.2, 125.0, 0.800, 1.040, 11.27, 5.27),
        ("web", 1.0, 144.0, 0.556, 0.722, 18.41, 17.41),
        ("api", 2.0, 144.0, 0.556, 0.722, 18.41, 17.41),
        ("mail", 0.1, 400.0, 0.250, 0.325, 70.01, 67.01),
    ] {
        let of =
            |answer: &CapacityAnswer| answer.resources.iter().find(|one| one.subject.name == name).unwrap().clone();
        let row = of(&answer);
        near(row.sensitivity.unwrap(), sensitivity, 0.005);
        near(row.service_limit.unwrap(), limit, 0.005);
        near(row.utilisation, now, 0.0005);
        near(of(&grown).utilisation, then, 0.0005);
        near(row.exhausted_months.unwrap(), exhausted, 0.005);
        near(row.decide_months.unwrap(), decide, 0.005);
    }
    let over: Vec<&str> =
        grown.resources.iter().filter(|one| one.is_over_limit).map(|one| one.subject.name.as_str()).collect();
    assert_eq!(over, ["idp", "db"], "both have run out; the longer lead time comes first");
    let broken: Vec<&str> =
        grown.resources.iter().filter(|one| one.is_over_capacity).map(|one| one.subject.name.as_str()).collect();
    assert_eq!(broken, ["idp"]);
    let db = answer.resources.iter().find(|one| one.subject.name == "db").unwrap();
    assert_eq!(db.path, ["service/payments", "cluster/web", "cluster/api", "licence/db"]);
    let (web, api) = (&answer.resources[2], &answer.resources[3]);
    assert_eq!(web.rank, api.rank, "what is due together is told together");
}

fn loop_of(back: f64) -> View {
    let text = format!(
        r#"{{"batch":{{"format":"keelson/1","source":"loop","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}}}
{{"ci":{{"key":"service/a","class":"service","name":"a","attributes":{{"peak_demand":{{"value":10,"unit":"requests/s"}}}}}}}}
{{"ci":{{"key":"service/b","class":"service","name":"b"}}}}
{{"relationship":{{"dependent":"service/a","kind":"calls","dependency":"service/b","attributes":{{"visits":0.5}}}}}}
{{"relationship":{{"dependent":"service/b","kind":"calls","dependency":"service/a","attributes":{{"visits":{back}}}}}}}"#
    );
    Estate::of_text(&text).view()
}

#[test]
fn e11_demand_in_a_loop_is_solved_and_an_amplifying_one_is_named() {
    let question = DemandQuestion { most: 10, ..DemandQuestion::default() };
    let answer = demand(&loop_of(0.4), &question, now(), &pool(), None).unwrap();
    let of = |name: &str| answer.items.iter().find(|one| one.subject.name == name).unwrap().demand;
    near(of("a"), 12.5, 1e-9);
    near(of("b"), 6.25, 1e-9);
    near(answer.loops[0].gain_high, 0.447, 0.0005);
    assert!(!answer.loops[0].is_amplifying);

    let answer = demand(&loop_of(2.5), &question, now(), &pool(), None).unwrap();
    assert!(answer.loops[0].is_amplifying && answer.items.is_empty() && !answer.basis.complete);
    let left_out = answer.services[0].left_out.as_ref().unwrap_or_else(|| panic!("it says why"));
    assert!(left_out.contains("amplifying loop") && left_out.contains("service/b"), "{left_out}");
}

/// At +30 % web carries 130 × 1.02^24 = 209.1 after two years: 261.4 at its limit of 0.8, so two steps of 60 beside the
/// 180 there are. Of db, idp and api nobody says in which steps there could be more.
#[test]
fn e11_what_to_buy_together_for_a_scenario() {
    let now = plan(None).purchases;
    assert_eq!((now.purchase_count, now.purchases[0].steps, now.cost[0].amount), (1, 1, 8_000.0));
    let grown = plan(Some("growth-30")).purchases;
    assert_eq!((grown.purchases[0].steps, grown.cost[0].amount), (2, 16_000.0));
    assert_eq!((grown.cost[0].currency.as_str(), grown.without_cost_count, grown.lasts_months), ("EUR", 0, 24.0));
    let short: Vec<&str> = grown.unrelieved.iter().map(|one| one.subject.name.as_str()).collect();
    assert_eq!((short, grown.unrelieved_count), (vec!["idp", "db", "api"], 3), "idp is broken already");
    let db = &grown.unrelieved[1].short;
    near(db.value, 130.0 * 1.02_f64.powi(24) * 6.0 / 0.8 - 900.0, 1e-6);
    assert_eq!(db.unit, "transactions/s");
}

fn pooled(peak: u32) -> CapacityAnswer {
    let text = std::fs::read_to_string(format!("{FIXTURES}worked-estate-figures.ndjson")).unwrap();
    let payments = r#"service/payments", "class": "service", "name": "payments", "attributes": {"#;
    let demand = format!(
        "{payments}\"peak_demand\": {{\"value\": {peak}, \"unit\": \"transactions/s\"}}, \"demand_growth_per_month\": 0.02, "
    );
    let view = Estate::of_text(&text.replace(payments, &demand)).view();
    let services = vec!["service/payments".to_owned()];
    let question = CapacityQuestion { services, most: 100, ..CapacityQuestion::default() };
    capacity(&view, &question, now(), &pool(), None).unwrap()
}

#[test]
fn e13_growth_takes_redundancy_away() {
    let web = |answer: &CapacityAnswer| answer.redundancy.iter().find(|one| one.need == "web pool").unwrap().clone();
    let at_night = web(&pooled(40));
    assert_eq!((at_night.required, at_night.margin), (Some(1), Some(2)));
    let at_peak = web(&pooled(100));
    assert_eq!((at_peak.required, at_peak.margin, at_peak.declared), (Some(2), Some(1), Some(2)));
    near(at_peak.carries_without_one.unwrap(), 120.0, 1e-9);
    near(at_peak.expires_months.unwrap(), 9.21, 0.005);
    let grown = web(&pooled(130));
    assert_eq!((grown.required, grown.margin, grown.is_redundancy_false), (Some(3), Some(0), true));
    near(grown.delivered_without_one.unwrap(), 0.923, 0.0005);
}

#[test]
fn e15_what_falls_over_with_a_supplier_at_any_depth() {
    let ask = |supplier: &str| {
        let question = SupplierLossQuestion {
            supplier: supplier.to_owned(),
            most: 100,
            proofs: 10,
            ..SupplierLossQuestion::default()
        };
        supplier_loss(&figures(), &question, now(), &pool(), None).unwrap()
    };
    let names = |lines: &[keelson_answers::supplier::loss::TouchedService]| {
        let mut names: Vec<String> = lines.iter().map(|one| one.subject.name.clone()).collect();
        names.sort();
        names
    };
    let all = ["dns", "payments", "portal", "sso"];
    let power = ask("supplier/PowerCo");
    assert_eq!((power.touched_count, names(&power.falls_over)), (4, all.map(str::to_owned).to_vec()));
    assert!(power.falls_over.iter().all(|one| !one.proof.is_empty()));
    let x = ask("supplier/ColoX");
    assert_eq!((x.touched_count, x.falls_over.len(), x.degraded.len(), x.holds.len()), (4, 0, 0, 4));
    assert!(x.holds.iter().all(|one| !one.held_by.is_empty()), "what holds is told");
    let y = ask("supplier/ColoY");
    assert_eq!((y.touched_count, names(&y.falls_over)), (4, vec!["payments".to_owned()]));
    let mail = ask("supplier-service/mailapi");
    assert_eq!((mail.touched_count, names(&mail.degraded)), (1, vec!["portal".to_owned()]));
    near(mail.degraded[0].loss, 0.3, 1e-9);
}

#[test]
fn e15_a_sub_contractor_nobody_pays_takes_everything() {
    near(hhi(&[40.0, 30.0, 20.0, 10.0]), 3_000.0, 1e-9);
    let question = ConcentrationQuestion { most: 100, pairs: 100 };
    let answer = concentration(&with("worked-contracts.ndjson"), &question, now(), &pool(), None).unwrap();
    let of = |name: &str| answer.suppliers.iter().find(|one| one.name == name).unwrap();
    assert_eq!(of("supplier/PowerCo").spend, None, "nobody buys from it");
    near(of("supplier/PowerCo").share, 1.0, 1e-9);
    near(of("supplier/ColoX").share, 0.0, 1e-9);
    near(answer.spend[0].hhi, 40.0 * 40.0 + 60.0 * 60.0, 1e-9);
    let countries: Vec<&str> = answer.countries.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(countries, ["FR", "DE"], "what falls with ColoY weighs more than what stands with ColoX");
}

#[test]
fn e16_a_promise_no_contract_is_strong_enough_for() {
    let question = PromiseQuestion { most: 10, ..PromiseQuestion::default() };
    let answer = promise(&view("promises.ndjson"), &question, now(), &pool(), None).unwrap();
    let line = &answer.services[0];
    near(line.contracted.availability, 0.998_475_537_487_5, 1e-8);
    near(line.contracted.minutes, 65.9, 0.05);
    near(line.promised_minutes, 43.2, 0.05);
    near(line.gap_minutes, 22.7, 0.05);
    assert_eq!(line.has_gap, Some(true));
    let weakest = &line.contracts[0];
    assert_eq!(weakest.subject.key, "contract/identity");
    near(weakest.needed.unwrap(), 0.999_524_7, 1e-7);
    let broken: Vec<(&str, &str)> = line
        .terms
        .iter()
        .filter(|term| term.holds == Some(false))
        .map(|term| (term.contract.name.as_str(), term.term.as_str()))
        .collect();
    assert_eq!(broken, [("identity", "support hours"), ("identity", "recovery time"), ("identity", "notice")]);
}

#[test]
fn e17_ranks_of_the_chain_and_alternatives_that_are_none() {
    let question = RegisterQuestion { most: 100, ..RegisterQuestion::default() };
    let answer = register(&with("worked-contracts.ndjson"), &question, now(), &pool(), None).unwrap();
    assert_eq!(answer.templates.len(), 15);
    let chain = answer.templates.iter().find(|template| template.code == "B_05.02").unwrap();
    let rows: Vec<[&str; 4]> = chain.rows.iter().map(|row| [&*row[0], &*row[2], &*row[4], &*row[5]]).collect();
    assert_eq!(
        rows,
        [
            ["ColoX-2026", "supplier/ColoX", "1", ""],
            ["ColoX-2026", "supplier/PowerCo", "2", "supplier/ColoX"],
            ["ColoY-2026", "supplier/ColoY", "1", ""],
            ["ColoY-2026", "supplier/PowerCo", "2", "supplier/ColoY"],
        ]
    );
    let of = |kind| answer.findings.iter().filter(move |finding| finding.kind == kind);
    let shared: Vec<_> = of(FindingKind::AlternativesNotIndependent).collect();
    assert_eq!(shared.len(), 1);
    assert_eq!(
        (shared[0].subject.as_str(), shared[0].rank, &shared[0].contracts[..], &shared[0].functions[..]),
        (
            "supplier/PowerCo",
            Some(2),
            &["contract/ColoX-2026".to_owned(), "contract/ColoY-2026".to_owned()][..],
            &["service/payments".to_owned()][..]
        )
    );
    assert_eq!(
        shared[0].message,
        "PowerCo is rank 2 under two contracts supporting the same critical function: the alternatives are not independent"
    );
    let ended: Vec<&str> = of(FindingKind::ContractEnded).map(|finding| finding.subject.as_str()).collect();
    assert_eq!(ended, ["contract/ColoY-2026"]);
    for template in &answer.templates {
        assert!(template.rows.iter().all(|row| row.len() == template.columns.len()), "{}", template.code);
    }
}

/// The third web server on a host of its own as declared, and seen on the second; the portal seen using the first.
const SEEN: &str = r#"{"batch":{"format":"keelson/1","source":"traces","scope":"all","observed_at":"2026-11-01T00:00:00Z"}}
{"relationship":{"dependent":"software-instance/web3","kind":"runs_on","dependency":"host/hv2","basis":"observed"}}
{"relationship":{"dependent":"service/portal","kind":"calls","dependency":"software-instance/web1","basis":"observed"}}"#;

fn moved_and_seen(seen: &str) -> View {
    let text = std::fs::read_to_string(format!("{FIXTURES}worked-estate-figures.ndjson")).unwrap();
    let is_placement = |line: &&str| line.contains("\"dependent\": \"software-instance/web3\"");
    assert_eq!(text.lines().filter(is_placement).count(), 1);
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_placement(line)).collect();
    lines.push(r#"{"ci":{"key":"host/hv3","class":"host","name":"hv3","attributes":{"unavailability":0.0045}}}"#);
    lines.push(r#"{"need":{"dependent":"software-instance/web3","name":"hv3","rule":"all","members":["host/hv3"]}}"#);
    let mut estate = Estate::of_text(&lines.join("\n"));
    estate.import_text(seen);
    estate.view()
}

#[test]
fn e18_a_placement_that_was_seen_elsewhere_matters_and_a_member_of_a_pool_does_not() {
    let answer = drift(&moved_and_seen(SEEN), &DriftQuestion::default(), now(), &pool(), None).unwrap();
    near(answer.unseen_chance, 0.0009, 0.0005);
    assert_eq!(answer.missing, 1, "what the portal uses is a member of its pool, and confirms it");
    let services: Vec<&str> = answer.services.iter().map(|one| one.subject.name.as_str()).collect();
    assert_eq!(services, ["payments"]);
    let payments = &answer.services[0];
    assert_eq!((payments.declared_points.len(), payments.observed_points.len()), (3, 7));
    assert!(payments.observed_points.contains(&"host/hv2".to_owned()));
    assert_eq!(payments.because.len(), 1);
    let because = &payments.because[0];
    assert_eq!(
        (because.kind, because.dependent.as_str(), because.dependency.as_str()),
        (DriftKind::Missing, "software-instance/web3", "host/hv2")
    );
    // Three of seven single points stay, and one failure is enough on every graph.
    assert_eq!(payments.changes, [Change::SinglePoints]);
    assert_eq!((payments.declared.resilience.at_most, payments.observed.resilience.at_most), (Some(1), Some(1)));
    near(payments.stability, 4.0 / 8.0, 1e-9);
    let shared: Vec<_> = answer.redundancy.iter().filter(|one| one.subject.name == "payments").collect();
    assert_eq!(
        (shared.len(), shared[0].fault, shared[0].need.as_str()),
        (1, RedundancyFault::SharedAsObserved, "web pool")
    );
    assert!(shared[0].shared.contains(&"host/hv2".to_owned()), "{:?}", shared[0]);
    // Of what is in sight, the portal's first web server was seen, the rest of its members and web3's host were not.
    assert!(answer.in_sight > answer.confirmed && answer.confirmed == 1);

    let sampled = DriftQuestion { sampling: 0.1, ..DriftQuestion::default() };
    let answer = drift(&moved_and_seen(SEEN), &sampled, now(), &pool(), None).unwrap();
    near(answer.unseen_chance, 0.497, 0.0005);
    assert_eq!(answer.aspirational, 0, "one cannot tell");
    assert!(answer.differences.iter().any(|one| one.kind == DriftKind::Unobserved));
}

#[test]
fn e19_the_same_sample_is_drawn_again_and_another_period_draws_another() {
    let question =
        |period: &str| SampleQuestion { period: period.to_owned(), size: Some(8), ..SampleQuestion::default() };
    let draw = |view: &View, period: &str| {
        let answer = sample(view, &question(period), now(), &pool(), None).unwrap();
        let keys: Vec<String> = answer.items.iter().map(|one| one.subject.key.clone()).collect();
        (answer.seed, keys)
    };
    let view = figures();
    assert_eq!(draw(&view, "2026-Q3"), draw(&figures(), "2026-Q3"));
    assert_ne!(draw(&view, "2026-Q3").1, draw(&view, "2026-Q4").1);
    let more = with("worked-contracts.ndjson");
    assert_ne!(draw(&view, "2026-Q3").0, draw(&more, "2026-Q3").0, "another population is another seed");

    let answer = sample(&more, &question("2026-Q3"), now(), &pool(), None).unwrap();
    assert_eq!((answer.items.len(), answer.size, answer.population), (8, 8, 27));
    assert_eq!(answer.strata.iter().map(|stratum| stratum.drawn).sum::<usize>(), 8);
    assert!(answer.items.iter().all(|one| !one.evidence.is_empty() && one.changes > 0));

    let whole = SampleQuestion { period: "2026-Q3".to_owned(), ..SampleQuestion::default() };
    assert_eq!(
        sample(&view, &whole, now(), &pool(), None).unwrap().size,
        19,
        "of 25, of which 2 deviate: 6/25 · 5/24 = 0.05"
    );
    let none = SampleQuestion { found: Some(0), ..whole.clone() };
    let verdict = sample(&view, &none, now(), &pool(), None).unwrap().verdict.unwrap();
    assert!(verdict.is_tolerable, "what was planned for is what is judged");
    near(verdict.upper_limit, 0.04, 1e-12);
    let judged = SampleQuestion { found: Some(1), ..whole };
    let verdict = sample(&view, &judged, now(), &pool(), None).unwrap().verdict.unwrap();
    assert!(!verdict.is_tolerable && verdict.upper_limit > 0.05);
}

#[test]
fn a_sample_states_the_confidence_it_reaches_with_the_deviations_it_allows() {
    let view = with("worked-contracts.ndjson");
    let asked = |question: SampleQuestion| sample(&view, &question, now(), &pool(), None);
    // Of 27, 3 deviate where a tenth does: with two of them allowed, a sample proves nothing but with the third in it.
    let base = SampleQuestion { period: "2026-Q3".to_owned(), tolerable: 0.1, ..SampleQuestion::default() };
    let answer = asked(SampleQuestion { size: Some(10), deviations: 2, ..base.clone() }).unwrap();
    // Two of them may lie in a part of which one is looked at: then they are never all found.
    assert!(answer.strata.iter().any(|one| one.drawn == 1 && one.population > 1), "{:?}", answer.strata);
    assert_eq!(answer.reached_confidence, 0.0);
    assert_eq!(asked(SampleQuestion { size: Some(2), deviations: 2, ..base.clone() }).unwrap().reached_confidence, 0.0);
    let planned = asked(SampleQuestion { deviations: 2, ..base.clone() }).unwrap();
    assert!(planned.reached_confidence >= 0.95 && planned.size == 27, "{planned:?}");
    for size in [None, Some(10)] {
        let error = asked(SampleQuestion { size, deviations: 9, ..base.clone() }).unwrap_err().to_string();
        assert!(error.contains("9 deviations cannot be allowed"), "{error}");
    }
}

#[test]
fn health_weighs_findings_by_what_rests_on_the_item() {
    let value = r#"service/payments", "class": "service", "name": "payments", "attributes": {"#;
    let text = std::fs::read_to_string(format!("{FIXTURES}worked-estate-figures.ndjson")).unwrap();
    let text = text.replace(value, &format!("{value}\"value_per_hour\": {{\"value\": 20000, \"unit\": \"EUR\"}}, "));
    let lonely = r#"{"ci":{"key":"host/printer","class":"host","name":"printer"}}"#;
    // One of a pair that nobody describes, beside one that is down a hundredth of the time.
    let other = r#"{"ci":{"key":"host/other","class":"host","name":"other","attributes":{"unavailability":0.01}}}"#;
    let pair = r#"{"need":{"dependent":"service/payments","name":"pair","rule":"any","members":["host/other","host/silent"]}}"#;
    let view = Estate::of_text(&format!("{text}\n{lonely}\n{other}\n{pair}")).view();
    let question = HealthQuestion { most: 1_000, budget: 100_000 };
    let answer = health(&view, &question, now(), &pool(), None).unwrap();
    let place = |key: &str| answer.findings.iter().position(|line| line.key == key).unwrap();
    assert!(place("service/payments") < place("host/printer"), "what costs most comes first");
    assert_eq!(answer.findings[0].value_at_stake[0].amount.to_bits(), 20_000.0_f64.to_bits());
    // What a lost member of a pair puts at risk is its importance, not all that rests on it.
    let share = |key: &str| answer.findings[place(key)].value_at_risk[0].amount / 20_000.0;
    assert!(share("service/payments") > 0.99);
    near(share("host/silent"), 0.01 * (1.0 - 0.005_320_954), 1e-6);
    assert!(answer.findings[place("host/printer")].value_at_stake.is_empty());
    assert!(answer.next.as_ref().is_some_and(|next| next.contains(&answer.findings[0].key)), "{:?}", answer.next);
    assert!(answer.scores.iter().all(|score| (0.0..=1.0).contains(&score.share)));
}

/// Half of sso is taken, and dns, which all of it needs, is lost: sso is lost wholly, and that is told of it.
#[test]
fn what_is_lost_in_part_is_told_with_what_else_takes_of_it() {
    let view = figures();
    let seeds = vec![("service/sso".to_owned(), 0.5), ("service/dns".to_owned(), 1.0)];
    let question = ImpactQuestion { seeds, ..ImpactQuestion::gone([]) };
    let answer = assess(&view, &question, now(), &pool()).unwrap().answer(10);
    let sso = answer.seeds.iter().find(|seed| seed.subject.key == "service/sso").unwrap();
    assert_eq!((sso.loss, sso.whole_loss, sso.verdict), (0.5, 1.0, VerdictWord::Breached));
}

#[test]
fn a_shared_load_that_nobody_states_is_named() {
    let head = r#"{"batch":{"format":"keelson/1","source":"s","scope":"all","observed_at":"2026-11-01T00:00:00Z"}}"#;
    let ci = |key: &str| {
        let class = key.split('/').next().unwrap();
        format!(r#"{{"ci":{{"key":"{key}","class":"{class}","name":"{key}"}}}}"#)
    };
    let ask = |demand: &str| {
        let need = format!(
            r#"{{"need":{{"dependent":"service/a","name":"pool","rule":"share","members":["host/x","host/y"],"capacities":[50,50],"unit":"requests/s"{demand}}}}}"#
        );
        let lines = [head.to_owned(), ci("service/a"), ci("host/x"), ci("host/y"), need];
        let view = Estate::of_text(&lines.join("\n")).view();
        assess(&view, &ImpactQuestion::gone(["host/x"]), now(), &pool()).unwrap().answer(10)
    };
    let unstated = ask("");
    let says = |answer: &keelson_answers::impact::ImpactAnswer| {
        answer
            .basis
            .limits
            .iter()
            .any(|limit| limit.message.contains("'pool' of 'service/a' first: nothing is lost by them"))
    };
    assert!(says(&unstated) && !unstated.basis.complete && unstated.affected == 0, "{:?}", unstated.basis);
    let stated = ask(r#","demand":100"#);
    assert!(!says(&stated) && (stated.items[0].loss - 0.5).abs() < 1e-9);
}

/// E16, told beside the availability of the service.
#[test]
fn e16_the_availability_of_a_service_tells_the_gap_of_its_promise() {
    let view = view("promises.ndjson");
    let question = AvailabilityQuestion { most: 10, contributors: 5, ..AvailabilityQuestion::default() };
    let answer = availability(&view, &question, now(), &pool(), None).unwrap();
    let line = answer.promises.iter().find(|one| one.subject.key == "service/checkout").unwrap();
    near(line.gap_minutes, 22.7, 0.05);
    near(line.contracts[0].needed.unwrap(), 0.999_524_7, 1e-7);
    let plain = availability(&figures(), &question, now(), &pool(), None).unwrap();
    assert!(plain.promises.is_empty(), "nothing is promised");
}
