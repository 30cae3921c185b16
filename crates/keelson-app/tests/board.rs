//! Requests for change from the first draft to the review, over a real store: what is frozen stays, what
//! changes meanwhile is noticed with the commit that did it, and nobody gets past the gate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use keelson_app::change::{Policy, ProblemCode};
use keelson_app::{
    Act, ActError, Acted, Actor, AlterationInput, Asked, ImportOptions, Keelson, Options, RequestInput, ReviewInput,
    Selection, Subject,
};
use keelson_import_batch::BatchImporter;
use keelson_importer::conformance::context;
use keelson_importer::{Importer, Input, Limits};
use keelson_model::{
    Action, CalendarKind, ChangeState, DisruptionKind, Effect, RecheckReason, RequestForChange, Revision, Rollback,
    Window, builtin,
};

struct Board {
    keelson: Keelson,
    _folder: tempfile::TempDir,
}

fn on_a_board<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Board) -> F + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap();
    let work = async move {
        let folder = tempfile::tempdir().unwrap();
        let schema = Arc::new(builtin::schema([]).unwrap());
        let keelson = Keelson::open(Options::in_folder(folder.path()), schema).await.unwrap();
        let policy = Policy { emergency_approvers: vec!["duty manager".into()], ..Policy::default() };
        let board = Board { keelson: keelson.with_policy(policy), _folder: folder };
        let estate = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate.ndjson");
        board.import(&std::fs::read_to_string(estate).unwrap()).await;
        test(board).await;
    };
    runtime.block_on(async { tokio::spawn(work).await.unwrap() });
}

fn of(key: &str) -> Subject {
    Subject { key: key.into() }
}

impl Board {
    /// Imports a batch and returns the revision it led to.
    async fn import(&self, text: &str) -> Revision {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.ndjson");
        std::fs::write(&path, text).unwrap();
        let input = Input::from_paths(&[path], Limits::default()).unwrap();
        let batch = BatchImporter.normalise(&input, &context("all")).unwrap().remove(0);
        let options =
            ImportOptions { actor: Actor::named("importer"), batch_id: None, dry_run: false, backdated: false };
        let imported = self.keelson.import(batch, options).await.unwrap();
        imported.committed.unwrap_or_else(|| panic!("{:?}", imported.plan.findings)).revision
    }

    async fn act(&self, who: &str, act: Act) -> Result<Acted, ActError> {
        self.keelson.act(act, Actor::named(who)).await
    }

    async fn say(&self, who: &str, why: &str, act: Act) -> Result<Acted, ActError> {
        self.keelson.act(act, Actor { name: Arc::from(who), reason: Some(Arc::from(why)) }).await
    }

    fn request(&self, key: &str) -> Arc<RequestForChange> {
        Arc::clone(&self.keelson.view().catalogue.find_request(key).unwrap().record)
    }

    /// A request for taking an item down, from an hour ago until in an hour.
    async fn new_request(&self, item: &str) -> String {
        let now = Utc::now();
        let content = RequestInput {
            title: format!("Replace {item}"),
            reason: "it is old".into(),
            alterations: vec![AlterationInput { key: item.into(), action: Action::TakesDown }],
            window: Some(Window::new(now - TimeDelta::hours(1), now + TimeDelta::hours(1)).unwrap()),
            rollback: Some(Rollback { plan: "put it back".into(), minutes: 30 }),
            ..RequestInput::default()
        };
        self.act("ann", Act::NewRequest(Box::new(content))).await.unwrap();
        let view = self.keelson.view();
        let key = view.catalogue.requests().next_back().unwrap().record.key.to_string();
        self.act("ann", Act::Submit(of(&key))).await.unwrap();
        key
    }

    async fn approve(&self, key: &str) {
        self.act("ann", Act::Assess(of(key))).await.unwrap();
        self.act("bob", Act::Approve(of(key))).await.unwrap();
    }

    async fn gate(&self, key: &str) -> Vec<ProblemCode> {
        self.keelson.gate(key).await.unwrap().into_iter().map(|problem| problem.code).collect()
    }
}

/// A second source that says that payments needs both databases.
const BOTH: &str = r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"all","complete":false,"observed_at":"2026-11-02T00:00:00Z"}}
{"need":{"dependent":"service/payments","name":"db pair","rule":"all","members":["database/dbA","database/dbB"]}}
"#;

#[test]
fn an_import_that_touches_an_approved_request_is_noticed_and_closes_the_gate() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        assert_eq!(board.gate(&key).await, []);
        let before = board.request(&key);
        let approved = &before.approval.as_ref().unwrap().assessment;
        assert_eq!(approved.effects[0].at_worst, Effect::MarginLost);

        let cause = board.import(BOTH).await;
        let request = board.request(&key);
        let recheck = request.rechecks.last().unwrap();
        assert_eq!((recheck.cause, recheck.reason, recheck.needs_approval), (cause, RecheckReason::Catalogue, true));
        assert_eq!(recheck.worse[0].at_worst, Effect::Breached);
        assert_eq!(board.gate(&key).await, [ProblemCode::Outdated]);
        let refused = board.act("cleo", Act::Start(of(&key))).await.err().unwrap();
        assert_eq!(refused.problems()[0].code, ProblemCode::Outdated);
        assert_eq!(request.approval, before.approval, "what was decided on stays as it was");

        // Looked at again and approved again, it may go ahead.
        board.approve(&key).await;
        assert_eq!(board.gate(&key).await, []);
        board.act("cleo", Act::Start(of(&key))).await.unwrap();
        let report = board.keelson.verify(|_| ()).await.unwrap();
        assert_eq!(report.problems, []);
    });
}

#[test]
fn what_the_board_decided_on_is_kept_and_proves_itself() {
    on_a_board(|board| async move {
        let key = board.new_request("host/hv2").await;
        board.approve(&key).await;
        let frozen = board.request(&key).approval.as_ref().unwrap().assessment.clone();
        let document = board.keelson.store().payload(&frozen.document.to_string()).await.unwrap().unwrap();
        assert_eq!(keelson_model::Digest::of(&document), frozen.document);
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["services"][0]["key"], "service/payments");
        assert_eq!(document["revision"], frozen.revision.0);
        // Others look at the past as it was.
        let then = keelson_app::AsOf::Revision(frozen.revision);
        let past = board.keelson.view_as_of(then).await.unwrap();
        assert_eq!(past.catalogue.find_request(&key).unwrap().record.state, ChangeState::Assessed);
    });
}

#[test]
fn the_work_is_compared_with_the_baseline_and_reviewed() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        board.act("cleo", Act::Start(of(&key))).await.unwrap();
        let baseline = board.request(&key).baseline.unwrap();
        let view = board.keelson.view();
        let baseline = Arc::clone(&view.catalogue.baseline(baseline).unwrap().record);
        assert_eq!((&*baseline.name, baseline.items.len()), (&*format!("before {key}"), 2), "dbA and payments");
        let finish = |backed_out| Act::Finish { subject: of(&key), backed_out };
        let refused = board.act("cleo", finish(false)).await.err().unwrap();
        assert!(refused.to_string().contains("does not show in the catalogue"), "{refused}");

        let done = board
            .import(
                r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"all","complete":false,"observed_at":"2026-11-03T00:00:00Z"}}
{"ci":{"key":"database/dbA","class":"database","name":"dbA","attributes":{"version":"17"}}}
"#,
            )
            .await;
        let compared = board
            .keelson
            .compare_baselines(&board.keelson.view(), &baseline.name, None, 10, Asked::now(Utc::now()))
            .await;
        let compared = compared.unwrap().unwrap();
        assert_eq!((compared.different, compared.items[0].subject.key.as_str()), (1, "database/dbA"));
        let record = &compared.items[0].records[0];
        assert_eq!((record.revision, record.changes[0].field.as_str()), (done, "attributes.version"));
        assert!(board.keelson.prove_baseline(&baseline).await.unwrap());

        board.act("cleo", finish(false)).await.unwrap();
        let request = board.request(&key);
        assert_eq!((request.state, request.completion.as_ref().unwrap().showing.len()), (ChangeState::Done, 1));
        let review = ReviewInput {
            is_monitored: true,
            incidents: Vec::new(),
            observed: Vec::new(),
            has_failed: None,
            lessons: "as predicted".into(),
        };
        board.act("dora", Act::Review { subject: of(&key), review }).await.unwrap();
        assert!(!board.request(&key).review.as_ref().unwrap().has_failed);
    });
}

#[test]
fn a_disruption_or_another_request_at_the_same_time_is_noticed_too() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        let report = Act::ReportDisruption {
            item: "database/dbB".into(),
            kind: DisruptionKind::Incident,
            loss: 1.0,
            from: None,
            until: None,
            reference: Some("INC-1".into()),
        };
        let cause = board.act("duty", report).await.unwrap().committed.revision;
        let recheck = board.request(&key).rechecks.last().unwrap().clone();
        assert_eq!((recheck.cause, recheck.reason), (cause, RecheckReason::Schedule));
        assert_eq!(board.gate(&key).await, [ProblemCode::Outdated]);
        let end = Act::EndDisruption { disruption: "INC-1".into(), until: Some(Utc::now() + TimeDelta::seconds(1)) };
        board.act("duty", end).await.unwrap();
        // What was down lies within the window, so that it still counts for it.
        assert_eq!(board.gate(&key).await, [ProblemCode::Outdated]);

        // Another request takes the other database down at the same time: both hear of it.
        let other = board.new_request("database/dbB").await;
        board.act("ann", Act::Assess(of(&other))).await.unwrap();
        let assessment = board.request(&other).assessment.clone().unwrap();
        assert_eq!(assessment.collides_with.iter().map(|key| &**key).collect::<Vec<_>>(), [&*key]);
        let silent = board.act("bob", Act::Approve(of(&other))).await.err().unwrap();
        assert!(silent.to_string().contains("although it collides"), "{silent}");
        board.say("bob", "the duty manager agreed", Act::Approve(of(&other))).await.unwrap();
    });
}

#[test]
fn what_is_refused_changes_nothing_and_names_every_reason() {
    on_a_board(|board| async move {
        let before = board.keelson.view().revision();
        let content = RequestInput {
            alterations: vec![AlterationInput { key: "database/dbX".into(), action: Action::Restarts }],
            ..RequestInput::default()
        };
        let refused = board.act("ann", Act::NewRequest(Box::new(content))).await.err().unwrap();
        assert_eq!(refused.problems()[0].field, ["alterations", "0", "key"]);
        let refused = board.act("ann", Act::Submit(of("RFC-9"))).await.err().unwrap();
        assert!(matches!(refused, ActError::Question(_)), "{refused}");
        let freeze = |name: &str| Act::EnterCalendar {
            name: name.into(),
            kind: CalendarKind::Freeze,
            items: vec!["service/nobody".into()],
            window: Window::new(Utc::now(), Utc::now() + TimeDelta::hours(1)).unwrap(),
            recurrence: None,
            margin: None,
        };
        assert_eq!(board.act("ann", freeze("x")).await.err().unwrap().problems()[0].code, ProblemCode::NotFound);
        let take =
            Act::TakeBaseline { name: "b".into(), items: Selection::Items(Vec::new()), as_of: None, change: None };
        assert_eq!(board.act("ann", take).await.err().unwrap().problems()[0].code, ProblemCode::Missing);
        assert_eq!(board.keelson.view().revision(), before);
    });
}
