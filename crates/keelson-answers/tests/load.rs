//! Declared redundancy that the load contradicts: it holds by what is declared at best, and by its load at worst
//! (analyses 1.5, 1.6; example E13).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_analysis::impact::Verdict;
use keelson_answers::availability::{AvailabilityQuestion, ServiceAvailability, availability};
use keelson_answers::cut_sets::{CutSetsQuestion, cut_sets};
use keelson_answers::impact::{Assessment, ClassWord, ImpactQuestion, assess, proof_lines};
use keelson_answers::single_points::{SinglePointsQuestion, single_points};
use keelson_answers::supplier::concentration::{ConcentrationQuestion, concentration};
use keelson_answers::supplier::promise::{PromiseQuestion, promise};
use keelson_answers::suppose::{Supposed, scenarios};
use keelson_answers::{Asked, Basis, View, item};
use keelson_testkit::{Estate, minutes};

const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate-figures.ndjson");
const SERVICE: &str = "service/payments";

/// The worked estate, whose payments have three web servers of 60 a second, two of which are declared to be enough.
fn estate(peak: u32, least: f64) -> View {
    let text = std::fs::read_to_string(FIGURES).unwrap();
    let payments = r#"service/payments", "class": "service", "name": "payments", "attributes": {"#;
    let stated = r#""minimum_delivered": 0.5"#;
    let line = text.lines().find(|line| line.contains(payments)).unwrap();
    assert!(line.contains(stated), "{line}");
    let demand = format!(
        "{payments}\"peak_demand\": {{\"value\": {peak}, \"unit\": \"transactions/s\"}}, \"target_availability\": 0.999, \"criticality\": \"critical\", "
    );
    let changed = line.replace(payments, &demand).replace(stated, &format!("\"minimum_delivered\": {least}"));
    Estate::of_text(&text.replace(line, &changed)).view()
}

fn asked() -> Asked {
    Asked::now(minutes(0))
}

fn available(view: &View) -> ServiceAvailability {
    let question =
        AvailabilityQuestion { services: vec![SERVICE.to_owned()], most: 10, ..AvailabilityQuestion::default() };
    availability(view, &question, asked(), &Pool::default(), None).unwrap().services.remove(0)
}

fn lose(view: &View, key: &str) -> Assessment {
    let question = ImpactQuestion { budget: 100, ..ImpactQuestion::gone([key]) };
    assess(view, &question, asked(), &Pool::default()).unwrap()
}

fn payments(view: &View) -> keelson_graph::ItemIx {
    item(view.catalogue.find_key(SERVICE).unwrap())
}

/// The figures of E13 for two and three of three.
#[test]
fn e13_a_service_that_must_deliver_all_is_down_seven_times_as_long_at_worst() {
    let close = |value: f64, known: f64| assert!((value - known).abs() < 1e-12, "{value} is not {known}");
    let line = available(&estate(130, 1.0));
    close(line.least, 0.005_320_953_861_331_006);
    close(line.most, 0.038_716_856_950_110_42);
    close(line.unavailability, line.most);
    // Two carry 100, and half of 130 too.
    for view in [estate(100, 1.0), estate(130, 0.5)] {
        let line = available(&view);
        close(line.least, 0.005_320_953_861_331_006);
        close(line.most, 0.005_320_953_861_331_006);
    }
}

/// Growth by 30 % for one question alone takes the redundancy away as well.
#[test]
fn e13_growth_that_is_supposed_takes_redundancy_away() {
    let view = estate(100, 1.0);
    let scenario = Estate::of_text(
        r#"{"batch":{"format":"keelson/1","source":"x"}}
{"ci":{"key":"scenario/g30","class":"scenario","name":"growth-30","attributes":{"demand_factor":1.3}}}"#,
    );
    let (growth, lines) = scenarios(&scenario.view().catalogue, &["growth-30".to_owned()]).unwrap();
    let supposed = view.supposing(Supposed { base: view.revision(), growth, lines }).unwrap();
    assert!((available(&supposed).most - 0.038_716_856_950_110_42).abs() < 1e-12);
    assert!((available(&view).most - 0.005_320_953_861_331_006).abs() < 1e-12);
}

#[test]
fn a_loss_takes_its_share_of_the_load_and_what_is_certain_holds_by_what_is_declared() {
    let view = estate(130, 0.5);
    let found = lose(&view, "host/hv1");
    let service = payments(&view);
    assert!((found.impact().loss(service) - 10.0 / 130.0).abs() < 1e-12, "two of three carry 120 of 130");
    assert_eq!(found.verdict(service), Verdict::Degraded);
    let proof = proof_lines(&found, service, 10).0;
    assert_eq!(proof[0].why, "web pool at its load: shares a load of 130 transactions/s <- software-instance/web1");
    // Whoever must deliver all is breached, unless the load is not what it is said to be.
    let view = estate(130, 1.0);
    let found = lose(&view, "host/hv1");
    assert_eq!(found.verdict(service), Verdict::Breached);
    let certainty = found.certainty_answer().unwrap();
    let keys: Vec<&str> = certainty.possible.iter().map(|one| one.key.as_str()).collect();
    assert_eq!((keys.as_slice(), certainty.certain.len()), (&[SERVICE][..], 0));
    let decisive = &certainty.decisive[0];
    assert!(decisive.facts[0].question.starts_with("'web pool at its load' of service/payments shares a load of 130"));
    let shifts = decisive.outcomes.iter().flat_map(|outcome| &outcome.shifts);
    assert_eq!(shifts.map(|shift| shift.to).collect::<Vec<_>>(), [ClassWord::Certain, ClassWord::Protected]);
    assert!(lose(&estate(100, 1.0), "host/hv1").impact().loss(service) <= 0.0);
}

/// What not even all carry is short before anything is lost: a loss takes its share of what they do carry.
#[test]
fn what_is_short_anyhow_is_no_effect_of_a_loss() {
    let view = estate(400, 0.5);
    let service = payments(&view);
    assert!((lose(&view, "host/hv1").impact().loss(service) - 1.0 / 3.0).abs() < 1e-12);
    assert!(lose(&view, "database/dbA").impact().loss(service) <= 0.0);
}

#[test]
fn single_points_and_cut_sets_tell_what_fells_at_the_load() {
    let view = estate(130, 1.0);
    let question =
        SinglePointsQuestion { services: vec![SERVICE.to_owned()], most: 20, ..SinglePointsQuestion::default() };
    let found = single_points(&view, &question, asked(), &Pool::default(), None).unwrap();
    let keys = |lines: &[keelson_answers::single_points::PointLine]| -> Vec<String> {
        lines.iter().map(|line| line.subject.name.clone()).collect()
    };
    let line = &found.services[0];
    assert_eq!(line.certain_count, 7, "E5");
    let mut possible = keys(&line.possible);
    possible.sort();
    assert_eq!(possible, ["ColoX", "hv1", "siteX", "swX", "web1", "web2", "web3"]);
    let question = CutSetsQuestion { service: SERVICE.to_owned(), most: 10, ..CutSetsQuestion::default() };
    let sets = cut_sets(&view, &question, asked(), &Pool::default(), None).unwrap();
    assert_eq!(sets.by_order[0], "12", "five by what is declared, and seven more by the load");
    let at = |peak| cut_sets(&estate(peak, 1.0), &question, asked(), &Pool::default(), None).unwrap();
    assert_eq!((at(100).by_order[0].as_str(), at(100).count.as_str()), ("5", "36"), "E9");
}

#[test]
fn every_answer_it_counts_in_says_so() {
    let says = |basis: &Basis| {
        let found = basis.limits.iter().filter(|limit| limit.message.contains("the load contradicts declared")).count();
        assert!(found < 2, "{:?}", basis.limits);
        found == 1 && !basis.complete
    };
    let told = |view: &View| -> Vec<bool> {
        let (asked, pool, key) = (asked(), Pool::default(), SERVICE.to_owned());
        let points = SinglePointsQuestion { most: 10, ..SinglePointsQuestion::default() };
        let sets = CutSetsQuestion { service: key.clone(), most: 10, ..CutSetsQuestion::default() };
        let available = AvailabilityQuestion { services: vec![key], most: 10, ..AvailabilityQuestion::default() };
        let promised = PromiseQuestion { most: 10, ..PromiseQuestion::default() };
        let suppliers = ConcentrationQuestion::default();
        vec![
            says(lose(view, "host/hv1").basis()),
            says(&single_points(view, &points, asked, &pool, None).unwrap().basis),
            says(&cut_sets(view, &sets, asked, &pool, None).unwrap().basis),
            says(&availability(view, &available, asked, &pool, None).unwrap().basis),
            says(&promise(view, &promised, asked, &pool, None).unwrap().basis),
            says(&concentration(view, &suppliers, asked, &pool, None).unwrap().basis),
        ]
    };
    assert_eq!(told(&estate(130, 0.5)), [true; 6]);
    assert_eq!(told(&estate(100, 0.5)), [false; 6], "two carry 100");
}

/// A need that is in doubt, and cannot hold if it is there: then the service is breached already.
#[test]
fn a_service_that_may_be_breached_already_is_named() {
    let text = r#"{"batch":{"format":"keelson/1","source":"x"}}
{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"minimum_delivered":0.5}}}
{"ci":{"key":"host/a","class":"host","name":"a"}}
{"ci":{"key":"host/b","class":"host","name":"b"}}
{"need":{"dependent":"service/shop","name":"web","rule":"any","members":["host/a","host/b"]}}
{"need":{"dependent":"service/shop","name":"load","rule":"share","members":["host/a","host/b"],"capacities":[10,10],"unit":"requests/s","demand":90,"confidence":0.3}}"#;
    let question = SinglePointsQuestion { most: 20, ..SinglePointsQuestion::default() };
    let found = single_points(&Estate::of_text(text).view(), &question, asked(), &Pool::default(), None).unwrap();
    let says = |what: &str| found.basis.limits.iter().any(|limit| limit.message.contains(what));
    assert!(says("1 services are breached with nothing more down if doubts turn out badly, 'service/shop' first"));
    assert!(!found.basis.complete);
}
