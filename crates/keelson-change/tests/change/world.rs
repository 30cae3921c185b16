//! A catalogue of a few hosts and services, and requests on it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::Catalogue;
use keelson_change::draft::{self, Fields};
use keelson_change::workflow::{self, By};
use keelson_change::{Policy, ProblemCode, Problems};
use keelson_model::{
    Action, Alteration, BatchId, Change, CiId, CiKey, Claim, CommitHeader, ConfigurationItem, Digest, Effect, EffectOn,
    Facts, FrozenAssessment, IdSource, Position, Provenance, RecordChange, RequestForChange, Revision, Rollback, Scope,
    SequentialIds, SourceKey, Standing, Symbol, Window, builtin,
};
use smallvec::smallvec;

pub(crate) struct World {
    pub(crate) catalogue: Catalogue,
    pub(crate) ids: SequentialIds,
    pub(crate) policy: Policy,
}

pub(crate) fn at(hour: i64) -> DateTime<Utc> {
    let midnight: DateTime<Utc> = "2026-11-02T00:00:00Z".parse().unwrap();
    midnight + TimeDelta::hours(hour)
}

pub(crate) fn hours(from: i64, to: i64) -> Window {
    Window::new(at(from), at(to)).unwrap()
}

pub(crate) fn name(name: &str) -> Arc<str> {
    Arc::from(name)
}

/// Somebody, at the midnight the tests begin at, without a word.
pub(crate) fn by(actor: &Arc<str>) -> By<'_> {
    By { actor, at: at(0), reason: None }
}

pub(crate) fn effect(ci: CiId, effect: Effect) -> EffectOn {
    let loss = if effect == Effect::Breached { 1.0 } else { 0.0 };
    EffectOn { ci, at_best: effect, at_worst: effect, loss, new_single_points: Vec::new() }
}

pub(crate) fn assessment(revision: u64, effects: Vec<EffectOn>) -> FrozenAssessment {
    FrozenAssessment {
        revision: Revision(revision),
        at: at(0),
        by: name("ann"),
        inputs: Digest::of(b"inputs"),
        document: Digest::of(b"document"),
        is_complete: true,
        major: Vec::new(),
        violations: Vec::new(),
        collides_with: Vec::new(),
        effects,
    }
}

#[track_caller]
pub(crate) fn codes(refused: Result<impl std::fmt::Debug, Problems>) -> Vec<ProblemCode> {
    refused.expect_err("should have been refused").0.into_iter().map(|problem| problem.code).collect()
}

impl World {
    /// Two hosts and a service.
    pub(crate) fn new() -> Self {
        let schema = builtin::schema(std::iter::empty::<(&str, &str)>()).unwrap();
        let catalogue = Catalogue::new(Arc::new(schema));
        let mut world = Self { catalogue, ids: SequentialIds::after(1_000), policy: Policy::default() };
        for (class, name) in [("host", "hv1"), ("host", "hv2"), ("business-service", "payments")] {
            let ci = world.item(class, name);
            world.commit(&[RecordChange::Ci(Change::created(ci))]);
        }
        world
    }

    fn item(&mut self, class: &str, name: &str) -> ConfigurationItem {
        let provenance = Provenance {
            source: Symbol::new("test"),
            scope: Scope::named("all"),
            batch: BatchId::next(&mut self.ids),
            first_observed: at(0),
            observed_at: at(0),
            position: Position::default(),
            tombstone: None,
        };
        let facts = Facts { name: Some(Arc::from(name)), ..Facts::default() };
        ConfigurationItem {
            id: CiId::next(&mut self.ids),
            key: CiKey::of(class, name),
            class: Symbol::new(class),
            standing: Standing::Live,
            version: 1,
            claims: smallvec![Claim {
                provenance,
                source_key: SourceKey::new(name).unwrap(),
                stated_key: None,
                native_id: None,
                native_version: None,
                facts,
                self_relationships: Vec::new(),
            }],
            merged: None,
            succeeds: None,
            withdrawn_at: None,
        }
    }

    pub(crate) fn commit(&mut self, changes: &[RecordChange]) {
        let header = CommitHeader {
            revision: self.catalogue.revision().next(),
            at: at(0),
            recorded_at: None,
            actor: name("test"),
            action: name("test"),
            source: None,
            reason: None,
            batch: None,
            previous: self.catalogue.head().digest,
            changes: changes.len() as u64,
            chunks: Vec::new(),
        };
        self.catalogue.apply(&header, changes.iter().map(|change| (0, change))).unwrap();
    }

    pub(crate) fn id(&self, key: &str) -> CiId {
        self.catalogue.ci(self.catalogue.find_key(key).unwrap()).id
    }

    /// What a request for restarting hv1 says.
    pub(crate) fn fields(&self) -> Fields {
        Fields {
            title: "Restart hv1".into(),
            reason: "new kernel".into(),
            alterations: vec![Alteration { ci: self.id("host/hv1"), action: Action::Restarts }],
            window: Some(hours(22, 26)),
            rollback: Some(Rollback { plan: Arc::from("boot the old kernel"), minutes: 30 }),
            ..Fields::default()
        }
    }

    /// Commits a change of a request and returns it.
    pub(crate) fn take(&mut self, change: Result<Change<RequestForChange>, Problems>) -> Arc<RequestForChange> {
        let change = change.unwrap();
        let after = Arc::clone(change.after.as_ref().unwrap());
        self.commit(&[RecordChange::Request(change)]);
        after
    }

    pub(crate) fn new_request(&mut self, fields: &Fields) -> Result<Change<RequestForChange>, Problems> {
        let mut ids = self.ids.clone();
        self.ids.next_ulid();
        draft::new(&self.catalogue, fields, &name("ann"), at(0), &mut ids)
    }

    /// A request that has come as far as being assessed, with no effect on anything.
    pub(crate) fn assessed(&mut self, fields: &Fields) -> Arc<RequestForChange> {
        let new = self.new_request(fields);
        let request = self.take(new);
        let request = self.take(workflow::submit(&request, by(&name("ann"))));
        self.take(workflow::assess(&request, assessment(3, Vec::new()), by(&name("ann"))))
    }

    pub(crate) fn approved(&mut self, fields: &Fields, effects: Vec<EffectOn>) -> Arc<RequestForChange> {
        let request = self.assessed(fields);
        let request = self.take(workflow::assess(&request, assessment(3, effects.clone()), by(&name("ann"))));
        let policy = self.policy.clone();
        self.take(workflow::approve(&request, assessment(3, effects), &self.catalogue, by(&name("bob")), &policy))
    }
}
