//! A catalogue on disk: what is committed is seen by the next question, survives reopening, and
//! the past stays readable.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_app::{AsOf, Draft, Keelson, Options};
use keelson_model::{
    BatchId, Change, CiId, CiKey, ConfigurationItem, Member, Need, NeedClaim, NeedDefinition, NeedId, Phase, Position,
    Provenance, RecordChange, Revision, Rule, Scope, SequentialIds, Standing, Symbol, builtin,
};

fn time(hour: u32) -> DateTime<Utc> {
    format!("2026-11-01T{hour:02}:00:00Z").parse().unwrap()
}

fn item(number: u128, key: &str) -> ConfigurationItem {
    ConfigurationItem {
        id: CiId::next(&mut SequentialIds::after(number)),
        key: CiKey::new(key).unwrap(),
        class: Symbol::new(key.split('/').next().unwrap()),
        standing: Standing::Placeholder,
        version: 1,
        claims: Default::default(),
        merged: None,
        succeeds: None,
        withdrawn_at: None,
    }
}

fn need(dependent: &ConfigurationItem, members: &[&ConfigurationItem]) -> Need {
    let definition = NeedDefinition {
        rule: Rule::Any,
        assumed: false,
        possible_counts: Vec::new(),
        members: members.iter().map(|member| Member { ci: member.id, doubtful: false }).collect(),
        kind: Symbol::new("uses"),
        cap: None,
        phase: Phase::Run,
        confidence: None,
        common_cause: None,
    };
    let provenance = Provenance {
        source: Symbol::new("test"),
        scope: Scope::named("all"),
        batch: BatchId::next(&mut SequentialIds::default()),
        first_observed: time(0),
        observed_at: time(0),
        position: Position::default(),
        tombstone: None,
    };
    Need {
        id: NeedId::next(&mut SequentialIds::after(77)),
        dependent: dependent.id,
        name: Arc::from("db pair"),
        standing: Standing::Live,
        version: 1,
        definition: definition.clone(),
        claims: [NeedClaim { provenance, definition }].into_iter().collect(),
        withdrawn_at: None,
    }
}

fn draft(planned_at: u64, hour: u32, changes: Vec<RecordChange>) -> Draft {
    Draft {
        planned_at: Revision(planned_at),
        at: time(hour),
        recorded_at: None,
        actor: Arc::from("tester"),
        action: Arc::from("test"),
        source: None,
        reason: None,
        batch: None,
        changes,
        payloads: Vec::new(),
        findings: Vec::new(),
    }
}

fn run<F: Future<Output = ()> + Send + 'static>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(keelson_store::WORKER_STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

#[test]
fn a_commit_is_seen_by_the_next_question_and_the_past_stays_readable() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let schema = Arc::new(builtin::schema([]).unwrap());
        let keelson = Keelson::open(Options::in_folder(folder.path()), Arc::clone(&schema)).await.unwrap();
        let (payments, a, b) = (item(1, "service/payments"), item(2, "database/a"), item(3, "database/b"));
        let created = |ci: &ConfigurationItem| RecordChange::Ci(Change::created(ci.clone()));
        keelson.commit(draft(0, 1, vec![created(&payments), created(&a)])).await.unwrap();
        let first = keelson.view();
        let pair = need(&payments, &[&a, &b]);
        keelson.commit(draft(1, 2, vec![created(&b), RecordChange::Need(Change::created(pair))])).await.unwrap();

        let present = keelson.view();
        assert_eq!((first.revision(), present.revision()), (Revision(1), Revision(2)));
        assert_eq!((first.graph.items(), first.graph.memberships()), (2, 0), "a reader keeps its revision");
        assert_eq!((present.graph.items(), present.graph.memberships()), (3, 2));

        let past = keelson.view_as_of(AsOf::Time(time(1))).await.unwrap();
        assert_eq!((past.revision(), past.graph.items()), (Revision(1), 2));
        assert!(keelson.view_as_of(AsOf::Time(time(0))).await.is_err());
        assert_eq!(keelson.view_as_of(AsOf::Revision(Revision(2))).await.unwrap().revision(), Revision(2));
        let error = |number| {
            let asked = keelson.view_as_of(AsOf::Revision(Revision(number)));
            async { asked.await.err().map(|error| error.to_string()).unwrap_or_default() }
        };
        assert_eq!(error(99).await, "there is no revision 99 yet; the last one is revision 2");
        assert!(error(0).await.contains("nothing was known at revision 0"));
        let past = keelson.view_as_of(AsOf::Revision(Revision(1))).await.unwrap();
        assert!(past.catalogue.find_key("database/b").is_none());
        assert!(keelson.store().verify(|_| true).await.unwrap().is_clean());
    });
}
