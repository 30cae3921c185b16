//! The demonstration estate says what it was made to say.

use std::future::Future;

use keelson_app::answers::drift::DriftQuestion;
use keelson_app::answers::impact::ImpactAnswer;
use keelson_app::answers::supplier::concentration::ConcentrationQuestion;
use keelson_model::Standing;

use super::*;

fn run(test: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(keelson_store::WORKER_STACK_BYTES)
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

async fn imported(folder: &std::path::Path) -> (Keelson, Estate) {
    let schema = std::sync::Arc::new(keelson_model::builtin::schema([]).unwrap());
    let keelson = Keelson::open(keelson_app::Options::in_folder(folder), schema).await.unwrap();
    let estate = Estate::built_in().unwrap();
    import(&keelson, &estate, Form::Document).await.unwrap();
    (keelson, estate)
}

fn keys<'a>(subjects: impl Iterator<Item = &'a keelson_app::answers::Subject>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = subjects.map(|subject| subject.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn services(answer: &ImpactAnswer, verdict: VerdictWord) -> Vec<&str> {
    let lines = answer.items.iter().filter(|line| line.is_service && line.verdict == verdict);
    keys(lines.map(|line| &line.subject))
}

#[test]
fn every_assessment_has_the_answer_worked_out_by_hand() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (keelson, estate) = imported(folder.path()).await;
        for expected in &estate.assessments {
            let seeds = expected.seeds.iter().map(|seed| SeedInput { key: seed.key.clone(), loss: seed.loss });
            let question =
                Question::Impact { seeds: seeds.collect(), interval: None, budget: USUAL_BUDGET, most: 1_000 };
            let Answer::Impact(answer) = keelson.ask(question, None).await.unwrap() else { panic!("not an impact") };
            let id = &expected.id;
            assert_eq!(services(&answer, VerdictWord::Breached), expected.breached, "{id}");
            assert_eq!(services(&answer, VerdictWord::Degraded), expected.degraded, "{id}");
            assert_eq!(keys(answer.protected.iter().map(|line| &line.subject)), expected.protected, "{id}");
            let possible = &answer.certainty.as_ref().unwrap().possible;
            assert_eq!(keys(possible.iter()), expected.possible, "{id}");
            assert_eq!((answer.touched, answer.lost), (expected.touched, expected.lost), "{id}");
        }
    });
}

#[test]
fn what_several_sources_tell_is_one_item_and_no_secret_came_in() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (keelson, _) = imported(folder.path()).await;
        let view = keelson.view();
        let sources = |key: &str| {
            let ix = view.catalogue.find_key(key).unwrap_or_else(|| panic!("there is no {key}"));
            let ci = view.catalogue.ci(ix);
            let mut sources: Vec<&str> = ci.live_claims().map(|claim| claim.provenance.source.as_str()).collect();
            sources.dedup();
            sources.len()
        };
        assert_eq!(sources("virtual-machine/tarn-cp-1"), 3);
        assert_eq!(sources("virtual-machine/tarn-wk-1"), 2);
        assert_eq!(sources("kubernetes-cluster/tarn-eu1"), 4);
        assert_eq!(sources("database/portal-db"), 3);
        let described = view.catalogue.cis().filter(|(_, slot)| slot.ci.standing == Standing::Live).count();
        assert!((300..=500).contains(&described), "{described} configuration items");
        assert!(keelson.verify(|_| ()).await.unwrap().is_clean());
        for (_, run) in view.catalogue.runs() {
            for digest in &run.payloads {
                let payload = keelson.store().payload(digest).await.unwrap().unwrap();
                assert!(
                    !String::from_utf8_lossy(&payload).contains("demo-dummy"),
                    "a secret of {} came in",
                    run.source
                );
            }
        }
        for revision in 1..=view.revision().0 {
            let header = keelson.store().header(keelson_model::Revision(revision)).await.unwrap().unwrap();
            for chunk in 0..header.chunks.len() {
                let changes = keelson.store().chunk(&header, u32::try_from(chunk).unwrap()).await.unwrap();
                assert!(!serde_json::to_string(&changes).unwrap().contains("demo-dummy"), "revision {revision}");
            }
        }
    });
}

#[test]
fn the_week_has_one_collision_one_freeze_violated_and_margins_lost() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (keelson, _) = imported(folder.path()).await;
        let answer = schedule(&keelson, 1, Form::Document).await.unwrap();
        assert_eq!((answer.changes.len(), answer.without_interruption.as_slice()), (7, &["RFC-2040".to_owned()][..]));
        let planned: Vec<_> = answer.collisions.iter().filter(|line| line.collision.reversed.is_none()).collect();
        let services = keys(planned.iter().map(|line| &line.collision.service));
        assert_eq!(
            services,
            ["service/customer-portal", "service/payroll", "service/records-archive", "service/sign-on"]
        );
        for line in &planned {
            assert_eq!(line.collision.changes, ["RFC-2041", "RFC-2042"]);
            assert_eq!(line.smallest_shift.as_ref().unwrap().seconds, 3_600);
        }
        let view = keelson.view();
        let kept = |key: &str| view.catalogue.find_request(key).unwrap().record.clone();
        let violated = |key: &str| kept(key).assessment.as_ref().unwrap().violations.len();
        assert_eq!((violated("RFC-2044"), violated("RFC-2045"), violated("RFC-2041")), (1, 0, 0));
        let payments = view.catalogue.ci(view.catalogue.find_key("service/card-payments").unwrap()).id;
        let standard = kept("RFC-2043");
        let effects = &standard.approval.as_ref().unwrap().assessment.effects;
        let payments = effects.iter().find(|effect| effect.ci == payments).unwrap();
        assert_eq!((payments.at_worst, payments.new_single_points.is_empty()), (Effect::MarginLost, false));
    });
}

#[test]
fn what_was_seen_of_the_payroll_databases_makes_one_hypervisor_a_single_point() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (keelson, _) = imported(folder.path()).await;
        let Answer::Drift(answer) = keelson.ask(Question::Drift(DriftQuestion::default()), None).await.unwrap() else {
            panic!("not drift")
        };
        assert_eq!(keys(answer.services.iter().map(|line| &line.subject)), ["service/payroll"]);
        let payroll = &answer.services[0];
        assert!(payroll.observed_points.contains(&"hypervisor/hv-04".to_owned()), "{payroll:?}");
        assert!(!payroll.declared_points.contains(&"hypervisor/hv-04".to_owned()), "{payroll:?}");
        let because = &payroll.because[0];
        assert_eq!(
            (because.dependent.as_str(), because.dependency.as_str()),
            ("virtual-machine/hr-db-2", "hypervisor/hv-04")
        );
    });
}

#[test]
fn whoever_owns_both_name_servers_takes_what_needs_either() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (keelson, _) = imported(folder.path()).await;
        let question = Question::Concentration(ConcentrationQuestion { most: 100, pairs: 0 });
        let Answer::Concentration(answer) = keelson.ask(question, None).await.unwrap() else {
            panic!("not concentration")
        };
        let suppliers = ["supplier/corriedale-dns", "supplier/dunnerdale-hosting"];
        let alone = answer.suppliers.iter().filter(|line| suppliers.contains(&line.name.as_str()));
        assert!(alone.clone().count() == 2 && alone.into_iter().all(|line| line.felled_count == 0));
        let owner = answer.owners.iter().find(|line| line.name == "organisation/ravensholm-group").unwrap();
        assert!(owner.felled_count > 0, "{owner:?}");
    });
}
