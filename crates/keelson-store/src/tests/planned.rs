//! Requests for change and what belongs to them, in the log and as rows.

use keelson_model::{
    Action, Alteration, Baseline, BaselineId, CalendarEntry, CalendarEntryId, CalendarKind, ChangeCategory, ChangeId,
    ChangeState, ChangeTemplate, Digest, Disruption, DisruptionId, DisruptionKind, Recurrence, RequestForChange,
    Rollback, Step, Window,
};

use super::*;

fn window() -> Window {
    Window::new(time(), time() + chrono::TimeDelta::hours(4)).unwrap()
}

fn rollback() -> Rollback {
    Rollback { plan: Arc::from("put the old image back"), minutes: 30 }
}

fn request(version: u32, state: ChangeState) -> RequestForChange {
    RequestForChange {
        id: ChangeId::next(&mut SequentialIds::after(70)),
        key: Arc::from("RFC-1"),
        version,
        title: Arc::from("New image"),
        reason: Arc::from("a hole in the old one"),
        category: ChangeCategory::Normal,
        template: None,
        team: Some(Arc::from("platform")),
        requester: Arc::from("ann"),
        edited_by: Vec::new(),
        alterations: vec![Alteration { ci: ci(1, 1).id, action: Action::Degrades { loss: 0.1 } }],
        window: Some(window()),
        rollback: Some(rollback()),
        verification: None,
        releases: Vec::new(),
        state,
        steps: vec![Step { to: state, by: Arc::from("ann"), at: time(), reason: None }],
        not_impacted: Vec::new(),
        assessment: None,
        approval: None,
        rechecks: Vec::new(),
        baseline: None,
        completion: None,
        review: None,
    }
}

fn one_of_each() -> Vec<RecordChange> {
    let (ann, bob): (Arc<str>, Arc<str>) = (Arc::from("ann"), Arc::from("bob"));
    let template = ChangeTemplate {
        name: Arc::from("patch a host"),
        version: 1,
        title: Arc::from("Patch a host"),
        classes: vec![Symbol::new("host")],
        actions: vec![Action::Restarts],
        longest_minutes: 60,
        rollback: rollback(),
        verification: Arc::from("it answers"),
        by: Arc::clone(&ann),
        approved_by: Some(bob),
        approved_at: Some(time()),
        withdrawn_at: None,
    };
    let entry = CalendarEntry {
        id: CalendarEntryId::next(&mut SequentialIds::after(71)),
        name: Arc::from("end of the year"),
        version: 1,
        kind: CalendarKind::Freeze,
        items: vec![ci(1, 1).id],
        window: window(),
        recurrence: Some(Recurrence { rule: Arc::from("FREQ=YEARLY"), zone: Arc::from("Europe/Berlin") }),
        margin: None,
        reason: Arc::from("annual accounts"),
        by: Arc::clone(&ann),
        lifted_at: None,
    };
    let disruption = Disruption {
        id: DisruptionId::next(&mut SequentialIds::after(72)),
        version: 1,
        ci: ci(2, 1).id,
        kind: DisruptionKind::Incident,
        loss: 1.0,
        from: time(),
        until: None,
        reference: Some(Arc::from("INC-1")),
        description: None,
        by: Arc::clone(&ann),
    };
    let baseline = Baseline {
        id: BaselineId::next(&mut SequentialIds::after(73)),
        name: Arc::from("before RFC-1"),
        revision: Revision(0),
        items: vec![ci(1, 1).id],
        chosen: Arc::from("chosen"),
        digest: Digest::of(b"state"),
        by: ann,
        at: time(),
        reason: None,
        change: Some(request(1, ChangeState::Draft).id),
    };
    vec![
        RecordChange::Request(Change::created(request(1, ChangeState::Draft))),
        RecordChange::Template(Change::created(template)),
        RecordChange::Calendar(Change::created(entry)),
        RecordChange::Disruption(Change::created(disruption)),
        RecordChange::Baseline(Change::created(baseline)),
    ]
}

#[test]
fn requests_and_what_belongs_to_them_are_kept() {
    on_every_engine(|store| async move {
        let changes: Vec<_> = some_changes().into_iter().chain(one_of_each()).collect();
        store.commit(draft(0, changes.clone())).await.unwrap();
        let before = Arc::new(request(1, ChangeState::Draft));
        let submitted = RecordChange::Request(Change::updated(before, request(2, ChangeState::Submitted)));
        store.commit(draft(1, vec![submitted])).await.unwrap();
        let log: Vec<_> = store.replay(Revision(0), Revision(2)).try_collect().await.unwrap();
        assert_eq!(log[0].0.changes, changes);
        let report = store.verify(|_| true).await.unwrap();
        assert_eq!((report.problems, report.rows), (vec![], 8));
    });
}
