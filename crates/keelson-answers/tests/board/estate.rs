//! The worked estate, with requests on it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::Pool;
use keelson_answers::change::{ChangeAnswer, ChangeQuestion, assess};
use keelson_answers::schedule::{ScheduleAnswer, ScheduleQuestion};
use keelson_answers::{Asked, View, schedule};
use keelson_catalogue::Catalogue;
use keelson_change::Policy;
use keelson_change::draft::{self, Fields};
use keelson_change::records::{DisruptionFields, new_disruption};
use keelson_import_batch::BatchImporter;
use keelson_importer::conformance::context;
use keelson_importer::{Importer, Input, Limits};
use keelson_model::{
    Action, Alteration, Batch, BatchId, ChangeState, CiId, CommitHeader, DisruptionKind, IdSource, RecordChange,
    RequestForChange, Rollback, SequentialIds, Window, builtin,
};
use keelson_reconcile::{Settings, plan};

pub(crate) struct Estate {
    pub(crate) catalogue: Catalogue,
    pub(crate) ids: SequentialIds,
    pub(crate) policy: Policy,
}

/// Minutes from midnight of day 0.
pub(crate) fn minutes(minutes: i64) -> DateTime<Utc> {
    let midnight: DateTime<Utc> = "2026-11-02T00:00:00Z".parse().unwrap();
    midnight + TimeDelta::minutes(minutes)
}

/// Hours from midnight of day 0; halves are allowed.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn hours(from: f64, to: f64) -> Window {
    Window::new(minutes((from * 60.0) as i64), minutes((to * 60.0) as i64)).unwrap()
}

impl Estate {
    pub(crate) fn new() -> Self {
        Self::of(concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate.ndjson"))
    }

    /// The estate with a part of its text replaced.
    pub(crate) fn with(name: &str, part: &str, other: &str) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate.ndjson");
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(part), "{part}");
        let changed = format!("{}/{name}.ndjson", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&changed, text.replace(part, other)).unwrap();
        Self::of(&changed)
    }

    fn of(file: &str) -> Self {
        let input = Input::from_paths(&[file.into()], Limits::default()).unwrap();
        let batch = BatchImporter.normalise(&input, &context("all")).unwrap().remove(0);
        let catalogue = Catalogue::new(Arc::new(builtin::schema([]).unwrap()));
        let mut estate = Self { catalogue, ids: SequentialIds::after(7_000), policy: Policy::default() };
        estate.import(&batch);
        estate
    }

    pub(crate) fn import(&mut self, batch: &Batch) {
        let id = BatchId::next(&mut self.ids);
        let plan = plan(&self.catalogue, batch, id, batch.observed_at, &Settings::default(), &mut self.ids);
        self.commit(&plan.changes);
    }

    pub(crate) fn commit(&mut self, changes: &[RecordChange]) {
        let header = CommitHeader {
            revision: self.catalogue.revision().next(),
            at: minutes(0),
            recorded_at: None,
            actor: "test".into(),
            action: "test".into(),
            source: None,
            reason: None,
            batch: None,
            previous: self.catalogue.head().digest,
            changes: changes.len() as u64,
            chunks: Vec::new(),
        };
        self.catalogue.apply(&header, changes.iter().map(|change| (0, change))).unwrap();
    }

    pub(crate) fn view(&self) -> View {
        View::of(Arc::new(self.catalogue.clone())).unwrap()
    }

    /// The id of the item with a name; names are unique in this estate.
    pub(crate) fn id(&self, name: &str) -> CiId {
        let found = self.catalogue.cis().find(|(_, slot)| slot.ci.name() == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.ci.id
    }

    /// Commits a submitted request that takes an item down in a window.
    pub(crate) fn request(&mut self, key: &str, down: &[&str], window: Option<Window>, rollback: u32) {
        let alterations = down.iter().map(|name| Alteration { ci: self.id(name), action: Action::TakesDown });
        self.request_of(key, alterations.collect(), window, rollback);
    }

    pub(crate) fn request_of(
        &mut self,
        key: &str,
        alterations: Vec<Alteration>,
        window: Option<Window>,
        rollback: u32,
    ) {
        let fields = Fields {
            key: Some(key.into()),
            title: key.into(),
            reason: "because".into(),
            alterations,
            window,
            rollback: Some(Rollback { plan: "back".into(), minutes: rollback }),
            ..Fields::default()
        };
        let mut ids = self.ids.clone();
        self.ids.next_ulid();
        let mut change = draft::new(&self.catalogue, &fields, &"ann".into(), minutes(0), &mut ids).unwrap();
        let mut after = RequestForChange::clone(change.after.as_ref().unwrap());
        after.state = ChangeState::Submitted;
        change.after = Some(Arc::new(after));
        self.commit(&[RecordChange::Request(change)]);
    }

    /// Commits that an item is down or impaired, from and until so many minutes from midnight of day 0.
    pub(crate) fn down(&mut self, item: &str, loss: f64, from: i64, until: Option<i64>) {
        let fields = DisruptionFields {
            ci: self.id(item),
            kind: DisruptionKind::Incident,
            loss,
            from: minutes(from),
            until: until.map(minutes),
            reference: None,
            description: None,
        };
        let change = new_disruption(&self.catalogue, &fields, &"ann".into(), &mut self.ids).unwrap();
        self.commit(&[RecordChange::Disruption(change)]);
    }

    pub(crate) fn assess(&self, key: &str) -> ChangeAnswer {
        let view = self.view();
        let request = schedule::find_request(&view, key).unwrap();
        let question = ChangeQuestion { request, policy: &self.policy, budget: 200, most: 100, stop: None };
        assess(&view, &question, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }

    pub(crate) fn schedule(&self, within: Window) -> ScheduleAnswer {
        let question = ScheduleQuestion { within, only: &[], policy: &self.policy, most: 100, stop: None };
        schedule::assess(&self.view(), &question, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }
}

/// The effects of an answer: name of the service and effect.
pub(crate) fn effects(answer: &ChangeAnswer) -> Vec<(String, &'static str)> {
    answer.services.iter().map(|line| (line.subject.name.clone(), line.effect.as_str())).collect()
}

/// One effect as tests write it.
pub(crate) fn is(name: &str, effect: &'static str) -> (String, &'static str) {
    (name.to_owned(), effect)
}
