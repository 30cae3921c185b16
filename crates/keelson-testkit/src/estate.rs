//! An estate with requests on it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_answers::change::{ChangeAnswer, ChangeQuestion, Picture, assess, picture};
use keelson_answers::schedule::{ScheduleAnswer, ScheduleQuestion};
use keelson_answers::{Asked, View, schedule};
use keelson_catalogue::Catalogue;
use keelson_change::Policy;
use keelson_change::draft::{self, Fields};
use keelson_change::records::{DisruptionFields, EntryFields, new_disruption, new_entry};
use keelson_import_batch::BatchImporter;
use keelson_importer::conformance::context;
use keelson_importer::{Importer, Input, Limits, SourceFile};
use keelson_model::{
    Action, Alteration, Batch, BatchId, ChangeState, CiId, CommitHeader, Completion, Disruption, DisruptionKind,
    IdSource, RecordChange, RequestForChange, Rollback, SequentialIds, Window, builtin,
};
use keelson_reconcile::{Settings, plan};

use crate::minutes;

/// Lines that answers list at most.
const MOST: usize = 100;
/// The file of the worked estate.
const WORKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate.ndjson");

/// A catalogue that tests write to directly, commit by commit.
#[derive(Clone, Debug)]
pub struct Estate {
    /// Its state.
    pub catalogue: Catalogue,
    /// Where its ids come from.
    pub ids: SequentialIds,
    /// What the organisation decided for itself.
    pub policy: Policy,
}

/// The header of the next commit of a catalogue.
#[must_use]
pub fn header(catalogue: &Catalogue, at: DateTime<Utc>, changes: &[RecordChange]) -> CommitHeader {
    CommitHeader {
        revision: catalogue.revision().next(),
        at,
        recorded_at: None,
        actor: "test".into(),
        action: "test".into(),
        source: None,
        reason: None,
        batch: None,
        previous: catalogue.head().digest,
        changes: changes.len() as u64,
        chunks: Vec::new(),
    }
}

impl Estate {
    /// The worked estate, whose answers are known by hand.
    #[must_use]
    pub fn worked() -> Self {
        Self::of(WORKED)
    }

    /// The worked estate with a part of its text replaced.
    #[must_use]
    pub fn worked_with(part: &str, other: &str) -> Self {
        let text = std::fs::read_to_string(WORKED).unwrap();
        assert!(text.contains(part), "the worked estate does not say {part}");
        let text = text.replace(part, other);
        Self::read(&Input::from_files(vec![SourceFile::from_bytes("worked-estate.ndjson", text.as_bytes())]))
    }

    /// The estate that a file tells: a batch of our own form.
    #[must_use]
    pub fn of(file: &str) -> Self {
        Self::read(&Input::from_paths(&[file.into()], Limits::default()).unwrap())
    }

    /// The estate that a text tells: a batch of our own form.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self::read(&Input::from_files(vec![SourceFile::from_bytes("estate.ndjson", text.as_bytes())]))
    }

    /// The estate that a text tells, under the built-in classes and those of a further file.
    #[must_use]
    pub fn of_text_under(classes: &str, text: &str) -> Self {
        let schema = builtin::schema([("further.toml", classes)]).unwrap();
        let catalogue = Catalogue::new(Arc::new(schema));
        let mut estate = Self { catalogue, ids: SequentialIds::after(7_000), policy: Policy::default() };
        estate.import_text(text);
        estate
    }

    /// The estate that a reader holds.
    #[must_use]
    pub fn over(view: &View) -> Self {
        let catalogue = (*view.catalogue).clone();
        Self { catalogue, ids: SequentialIds::after(9_000_000), policy: Policy::default() }
    }

    /// Commits what the batch in a file states.
    pub fn import_file(&mut self, file: &str) {
        let input = Input::from_paths(&[file.into()], Limits::default()).unwrap();
        let batch = BatchImporter.normalise(&input, &context("all")).unwrap().remove(0);
        self.import(&batch);
    }

    /// Commits what the batch in a text states.
    pub fn import_text(&mut self, text: &str) {
        let input = Input::from_files(vec![SourceFile::from_bytes("estate.ndjson", text.as_bytes())]);
        let batch = BatchImporter.normalise(&input, &context("all")).unwrap().remove(0);
        self.import(&batch);
    }

    fn read(input: &Input) -> Self {
        let batch = BatchImporter.normalise(input, &context("all")).unwrap().remove(0);
        let catalogue = Catalogue::new(Arc::new(builtin::schema([]).unwrap()));
        let mut estate = Self { catalogue, ids: SequentialIds::after(7_000), policy: Policy::default() };
        estate.import(&batch);
        estate
    }

    /// Commits what a batch states.
    pub fn import(&mut self, batch: &Batch) {
        let id = BatchId::next(&mut self.ids);
        let plan = plan(&self.catalogue, batch, id, batch.observed_at, &Settings::default(), &mut self.ids);
        self.commit(&plan.changes);
    }

    /// Commits changes, at midnight.
    pub fn commit(&mut self, changes: &[RecordChange]) {
        let header = header(&self.catalogue, minutes(0), changes);
        self.catalogue.apply(&header, changes.iter().map(|change| (0, change))).unwrap();
    }

    /// What a reader holds.
    #[must_use]
    pub fn view(&self) -> View {
        View::of(Arc::new(self.catalogue.clone())).unwrap()
    }

    /// The id of the item with a name; names are unique in these estates.
    #[must_use]
    pub fn id(&self, name: &str) -> CiId {
        let found = self.catalogue.cis().find(|(_, slot)| slot.ci.name() == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.ci.id
    }

    /// Commits a submitted request that takes items down, called by its key.
    pub fn request(&mut self, key: &str, down: &[&str], window: Option<Window>, rollback: u32) {
        let fields = self.taking_down(key, down, window, rollback);
        self.enter(&fields, ChangeState::Submitted);
    }

    /// Commits a submitted request, called by its key.
    pub fn request_of(&mut self, key: &str, alterations: Vec<Alteration>, window: Option<Window>, rollback: u32) {
        self.enter(&said(key, alterations, window, rollback), ChangeState::Submitted);
    }

    /// What a request says that takes items down. It is called by its key, and its rollback takes so many minutes.
    #[must_use]
    pub fn taking_down(&self, key: &str, down: &[&str], window: Option<Window>, rollback: u32) -> Fields {
        let alterations = down.iter().map(|name| Alteration { ci: self.id(name), action: Action::TakesDown });
        said(key, alterations.collect(), window, rollback)
    }

    /// Commits a request that has come to a state, without the steps to it. Work that is over ended twenty days ago.
    pub fn enter(&mut self, fields: &Fields, state: ChangeState) {
        let mut ids = self.ids.clone();
        self.ids.next_ulid();
        let mut change = draft::new(&self.catalogue, fields, &"ann".into(), minutes(0), &mut ids).unwrap();
        let mut after = RequestForChange::clone(change.after.as_ref().unwrap());
        after.state = state;
        if matches!(state, ChangeState::Done | ChangeState::BackedOut) {
            after.completion = Some(Completion {
                outcome: state,
                started_at: minutes(-20 * 24 * 60),
                finished_at: minutes(-20 * 24 * 60 + 90),
                compared_at: self.catalogue.revision(),
                showing: Vec::new(),
                not_showing: Vec::new(),
                reason: None,
            });
        }
        change.after = Some(Arc::new(after));
        self.commit(&[RecordChange::Request(change)]);
    }

    /// Commits a freeze or maintenance window.
    pub fn enter_calendar(&mut self, fields: EntryFields) {
        let change = new_entry(&self.catalogue, fields, &"ann".into(), &mut self.ids).unwrap();
        self.commit(&[RecordChange::Calendar(change)]);
    }

    /// Commits something that is down, and returns it.
    pub fn disrupt(&mut self, fields: &DisruptionFields) -> Arc<Disruption> {
        let change = new_disruption(&self.catalogue, fields, &"ann".into(), &mut self.ids).unwrap();
        let disruption = Arc::clone(change.after.as_ref().unwrap());
        self.commit(&[RecordChange::Disruption(change)]);
        disruption
    }

    /// Commits that an item is down or impaired, from and until so many minutes from midnight.
    pub fn down(&mut self, item: &str, loss: f64, from: i64, until: Option<i64>) {
        let fields = DisruptionFields {
            ci: self.id(item),
            kind: DisruptionKind::Incident,
            loss,
            from: minutes(from),
            until: until.map(minutes),
            reference: None,
            description: None,
        };
        self.disrupt(&fields);
    }

    /// What a request does, asked at midnight.
    #[must_use]
    pub fn assess(&self, key: &str) -> ChangeAnswer {
        let view = self.view();
        let request = schedule::find_request(&view, key).unwrap();
        let question = ChangeQuestion { request, policy: &self.policy, budget: 200, most: MOST, stop: None };
        assess(&view, &question, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }

    /// What a drawing of an answer shows, with at most so many items.
    #[must_use]
    pub fn picture(&self, answer: &ChangeAnswer, most: usize) -> Picture {
        let view = self.view();
        let request = schedule::find_request(&view, &answer.change.key).unwrap();
        picture(&view, request, answer, most, &Pool::new()).unwrap()
    }

    /// What the requests of some times do, asked at midnight.
    #[must_use]
    pub fn schedule(&self, within: Window) -> ScheduleAnswer {
        let question = ScheduleQuestion { within, only: &[], policy: &self.policy, most: MOST, stop: None };
        schedule::assess(&self.view(), &question, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }
}

/// What a request says that is called by its key.
fn said(key: &str, alterations: Vec<Alteration>, window: Option<Window>, rollback: u32) -> Fields {
    Fields {
        key: Some(key.into()),
        title: key.into(),
        reason: "because".into(),
        alterations,
        window,
        rollback: Some(Rollback { plan: "back".into(), minutes: rollback }),
        ..Fields::default()
    }
}
