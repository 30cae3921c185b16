//! Requests for change from the first draft to the review, over a real store: what is frozen stays, what
//! changes meanwhile is noticed with the commit that did it, and nobody gets past the gate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use keelson_app::answers::check::CheckCode;
use keelson_app::change::{Policy, ProblemCode};
use keelson_app::{
    Act, ActError, Acted, Actor, AlterationInput, Answer, Asked, ImportOptions, Keelson, ObservedInput, Options,
    Question, RecordSort, RequestInput, ReviewInput, Selection, Stop, Subject,
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
        assert_eq!(assessment.collides_with(), [Arc::<str>::from(&*key)]);
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

#[test]
fn whoever_has_not_seen_the_last_version_does_nothing() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        let submitted = board.request(&key).version;
        board.act("ann", Act::Assess(of(&key))).await.unwrap();
        // The conflict is named before anything else that speaks against the step.
        let late = board.keelson.act_on(Act::Submit(of(&key)), Some(submitted), Actor::named("ann")).await;
        let late = late.err().unwrap();
        let problem = &late.problems()[0];
        assert_eq!((late.problems().len(), problem.code), (1, ProblemCode::VersionConflict));
        assert_eq!(problem.current_version, Some(submitted + 1));
        let seen = board.keelson.act_on(Act::Approve(of(&key)), Some(submitted + 1), Actor::named("bob")).await;
        assert_eq!(seen.unwrap().outcome().state, Some(ChangeState::Approved));
    });
}

#[test]
fn what_was_altered_and_altered_back_does_not_show() {
    on_a_board(|board| async move {
        let say = |number: u32, memory: &str| {
            format!(
                r#"{{"batch":{{"format":"keelson/1","source":"worked-estate","scope":"all","complete":false,"observed_at":"2026-11-03T00:00:0{number}Z"}}}}
{{"ci":{{"key":"database/dbA","class":"database","name":"dbA","attributes":{{"version":"{memory}"}}}}}}
"#
            )
        };
        board.import(&say(0, "16")).await;
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        board.act("cleo", Act::Start(of(&key))).await.unwrap();
        board.import(&say(1, "17")).await;
        board.import(&say(2, "16")).await;
        let finish = Act::Finish { subject: of(&key), backed_out: false };
        let refused = board.act("cleo", finish.clone()).await.err().unwrap();
        assert!(refused.to_string().contains("does not show in the catalogue"), "{refused}");
        board.import(&say(3, "18")).await;
        board.act("cleo", finish).await.unwrap();
        assert_eq!(board.request(&key).completion.as_ref().unwrap().showing.len(), 1);
    });
}

#[test]
fn records_of_change_management_say_how_they_came_to_be_what_they_are() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        let question = Question::RecordHistory { sort: RecordSort::Request, name: key.clone(), before: None, most: 10 };
        let Answer::History(answer) = board.keelson.ask(question, None).await.unwrap() else { panic!("a history") };
        let actions: Vec<&str> = answer.entries.iter().map(|entry| entry.action.as_str()).collect();
        let steps = ["approve", "assess", "submit", "create"].map(|step| format!("{step}RequestForChange"));
        assert_eq!(actions, steps);
        assert_eq!(answer.entries[0].actor, "bob");
        // Items are named by their keys, and of the assessment only its digest is told.
        let created = answer.entries.last().unwrap();
        let field = |entry: &keelson_app::HistoryEntry, name: &str| {
            entry.changes.iter().find(|change| change.field == name).unwrap().after.to_string()
        };
        assert!(field(created, "alterations").contains("database/dbA"), "{created:?}");
        let approval = field(&answer.entries[0], "approval");
        assert!(approval.contains("document") && !approval.contains("effects"), "{approval}");

        let template = |longest_minutes| Act::PutTemplate {
            name: "restart".into(),
            title: "Restart a host".into(),
            classes: vec!["host".into()],
            actions: vec![Action::Restarts],
            longest_minutes,
            rollback: Rollback { plan: "boot it again".into(), minutes: 10 },
            verification: "it answers".into(),
        };
        board.act("ann", template(60)).await.unwrap();
        board.act("bob", Act::ApproveTemplate { name: "restart".into() }).await.unwrap();
        let withdraw = Act::WithdrawTemplate { name: "restart".into() };
        assert_eq!(board.act("ann", withdraw.clone()).await.err().unwrap().problems()[0].code, ProblemCode::Missing);
        board.say("ann", "no more hosts", withdraw).await.unwrap();
        let question =
            Question::RecordHistory { sort: RecordSort::Template, name: "restart".into(), before: None, most: 10 };
        let Answer::History(answer) = board.keelson.ask(question, None).await.unwrap() else { panic!("a history") };
        assert_eq!((answer.total, answer.entries[0].reason.as_deref()), (3, Some("no more hosts")));
        let missing = Question::RecordHistory { sort: RecordSort::Calendar, name: "x".into(), before: None, most: 1 };
        let missing = board.keelson.ask(missing, None).await.err().unwrap();
        assert_eq!(missing.to_string(), "there is no calendar entry 'x'");
    });
}

#[test]
fn what_nobody_predicted_is_work_on_the_catalogue_until_it_is_explained() {
    on_a_board(|board| async move {
        let key = board.new_request("database/dbA").await;
        board.approve(&key).await;
        board.act("cleo", Act::Start(of(&key))).await.unwrap();
        board.say("cleo", "nothing is to be seen", Act::Finish { subject: of(&key), backed_out: false }).await.unwrap();
        let over = Question::Score { key: "RFC-9".into(), most: 10 };
        assert!(board.keelson.ask(over, None).await.is_err());
        let review = ReviewInput {
            is_monitored: true,
            incidents: vec!["INC-7".into()],
            observed: vec![ObservedInput {
                key: "service/sso".into(),
                loss: 1.0,
                minutes: 12,
                reference: Some("INC-7".into()),
            }],
            has_failed: None,
            lessons: "sign-on keeps its sessions there".into(),
        };
        board.act("dora", Act::Review { subject: of(&key), review }).await.unwrap();
        let Answer::Score(score) =
            board.keelson.ask(Question::Score { key: key.clone(), most: 10 }, None).await.unwrap()
        else {
            panic!("a score")
        };
        let figures = score.figures.as_ref().unwrap();
        assert_eq!((figures.hits, figures.misses, figures.recall), (0, 1, Some(0.0)));
        let unexplained = || async {
            let check = Question::Check { most: 10, budget: 1_000 };
            let Answer::Check(answer) = board.keelson.ask(check, None).await.unwrap() else { panic!("a check") };
            let found = answer.findings.into_iter().filter(|line| line.code == CheckCode::UnexplainedLoss);
            found.map(|line| (line.key, line.message)).collect::<Vec<_>>()
        };
        let found = unexplained().await;
        assert_eq!((found.len(), found[0].0.as_str()), (1, "service/sso"));
        assert!(found[0].1.contains("nothing says that it depends on database/dbA"), "{}", found[0].1);
        // Once the catalogue says so, it is explained.
        board
            .import(
                r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"all","complete":false,"observed_at":"2026-11-04T00:00:00Z"}}
{"need":{"dependent":"service/sso","name":"sessions","rule":"all","members":["database/dbA"]}}
"#,
            )
            .await;
        assert_eq!(unexplained().await, []);
    });
}

#[test]
fn a_question_that_nobody_waits_for_any_more_is_given_up() {
    on_a_board(|board| async move {
        let key = board.new_request("host/hv2").await;
        let stop = Stop::default();
        stop.raise();
        let question = Question::Change { key: key.clone(), budget: 100, most: 10 };
        let Answer::Change(answer) = board.keelson.ask_until(question, None, &stop).await.unwrap() else {
            panic!("an assessment")
        };
        assert!(!answer.basis.complete, "{:?}", answer.basis);
        // Nothing rests on an answer that was given up: the gate would be closed.
        assert!(!answer.frozen(&Arc::from("x"), Utc::now()).unsearched.is_empty());
    });
}
