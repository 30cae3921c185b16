//! Small builders: a world that imports batches, and batches of a few words.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{
    Batch, BatchId, CiKey, CiRef, CommitHeader, Completeness, ConfigurationItem, Digest, Finding, FindingCode,
    ImporterVersion, MemberObservation, NeedObservation, Observation, Payload, Phase, Position, RecordChange,
    Relationship, RelationshipObservation, Removal, RemovalTarget, ReviewTask, Rule, Scope, SequentialIds, SourceKey,
    Standing, Symbol,
};
use keelson_reconcile::{Plan, PlanOutcome, RowOutcome, Settings, plan};

/// Classes beside the built-in ones.
const OWN: &str = r#"
[[class]]
name = "pool"
is_a = "component"
title = "Pool"
description = "Members that stand in for each other."
[[class.need]]
members = "host"
rule = "at_least"
k = 2
"#;

pub(crate) fn day(number: i64) -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(number)
}

pub(crate) struct World {
    pub(crate) catalogue: Catalogue,
    pub(crate) settings: Settings,
    pub(crate) ids: SequentialIds,
    pub(crate) now: DateTime<Utc>,
}

impl World {
    pub(crate) fn new() -> Self {
        let schema = keelson_model::builtin::schema([("own.toml", OWN)]).unwrap();
        Self {
            catalogue: Catalogue::new(Arc::new(schema)),
            settings: Settings::default(),
            ids: SequentialIds::default(),
            now: day(0),
        }
    }

    /// Plans without applying.
    pub(crate) fn plan(&mut self, batch: &B) -> Plan {
        let id = BatchId::next(&mut self.ids);
        self.plan_as(batch, id)
    }

    pub(crate) fn plan_as(&mut self, batch: &B, id: BatchId) -> Plan {
        self.now = self.now.max(batch.0.observed_at);
        plan(&self.catalogue, &batch.sealed(), id, self.now, &self.settings, &mut self.ids)
    }

    /// Plans and applies.
    pub(crate) fn import(&mut self, batch: &B) -> Plan {
        let plan = self.plan(batch);
        self.apply(&plan.changes);
        plan
    }

    /// Plans and applies what must be ready.
    #[track_caller]
    pub(crate) fn take(&mut self, batch: &B) -> Plan {
        let plan = self.import(batch);
        assert_eq!(plan.outcome, PlanOutcome::Ready, "{:#?}", plan.findings);
        plan
    }

    /// Plans again what was just applied, with a later reading of the source, and finds nothing
    /// to change.
    #[track_caller]
    pub(crate) fn assert_settled(&mut self, batch: &B) {
        let mut again = B(batch.0.clone());
        again.0.observed_at += TimeDelta::minutes(1);
        let plan = self.plan(&again);
        assert_eq!(plan.outcome, PlanOutcome::Ready, "{:#?}", plan.findings);
        assert!(!plan.changes_content(), "{:#?}", plan.changes);
    }

    #[track_caller]
    pub(crate) fn apply(&mut self, changes: &[RecordChange]) {
        if changes.is_empty() {
            return;
        }
        let header = CommitHeader {
            revision: self.catalogue.revision().next(),
            at: self.now,
            recorded_at: None,
            actor: Arc::from("tester"),
            action: Arc::from("test"),
            source: None,
            reason: None,
            batch: None,
            previous: self.catalogue.head().digest,
            changes: changes.len() as u64,
            chunks: vec![Digest::of(b"")],
        };
        for change in changes {
            assert_follows(&self.catalogue, change);
        }
        self.catalogue.apply(&header, changes.iter().map(|change| (0, change))).unwrap();
    }

    pub(crate) fn by_source(&self, source: &str, key: &str) -> Option<&ConfigurationItem> {
        let ix = self.catalogue.find_source(&Symbol::new(source), &SourceKey::new(key).unwrap())?;
        Some(self.catalogue.ci(ix))
    }

    #[track_caller]
    pub(crate) fn ci(&self, key: &str) -> &ConfigurationItem {
        let known: Vec<_> = self.catalogue.cis().map(|(_, slot)| slot.ci.key.to_string()).collect();
        let ix = self.catalogue.find_key(key).unwrap_or_else(|| panic!("no {key} among {known:?}"));
        self.catalogue.ci(ix)
    }

    pub(crate) fn ix(&self, key: &str) -> CiIx {
        self.catalogue.find_key(key).unwrap_or_else(|| panic!("no {key}"))
    }

    pub(crate) fn relationship(&self, dependent: &str, kind: &str, dependency: &str) -> Option<&Relationship> {
        let ix = self.catalogue.find_relationship(self.ix(dependent), &Symbol::new(kind), self.ix(dependency))?;
        Some(&self.catalogue.relationship(ix).relationship)
    }

    pub(crate) fn live_cis(&self) -> Vec<String> {
        let live = self.catalogue.cis().filter(|(_, slot)| slot.ci.standing == Standing::Live);
        let mut keys: Vec<String> = live.map(|(_, slot)| slot.ci.key.to_string()).collect();
        keys.sort();
        keys
    }

    pub(crate) fn open_reviews(&self) -> Vec<&ReviewTask> {
        let reviews = self.catalogue.reviews();
        reviews.filter(|task| task.state == keelson_model::ReviewState::Open).map(|task| &**task).collect()
    }
}

/// Every change must start from the very record the catalogue has.
#[track_caller]
fn assert_follows(catalogue: &Catalogue, change: &RecordChange) {
    match change {
        RecordChange::Ci(change) => {
            let known = catalogue.find_id(change.after.as_ref().unwrap().id).map(|ix| catalogue.ci(ix));
            assert_eq!(change.before.as_ref(), known);
            let before = change.before.as_ref().map_or(0, |ci| ci.version);
            assert_eq!(change.after.as_ref().unwrap().version, before + 1);
        }
        RecordChange::Relationship(change) => {
            let key = &change.after.as_ref().unwrap().key;
            let known = catalogue.find_relationship_key(key).map(|ix| &catalogue.relationship(ix).relationship);
            assert_eq!(change.before.as_ref(), known);
        }
        RecordChange::Need(change) => {
            let known = catalogue.find_need(change.after.as_ref().unwrap().id).map(|ix| &catalogue.need(ix).need);
            assert_eq!(change.before.as_ref(), known);
        }
        RecordChange::Review(change) => {
            assert_eq!(change.before.as_ref(), catalogue.review(change.after.as_ref().unwrap().id));
        }
        _ => {}
    }
}

/// A batch in the making.
#[derive(Clone)]
pub(crate) struct B(pub(crate) Batch);

impl B {
    pub(crate) fn delta(source: &str, at: DateTime<Utc>) -> Self {
        let importer = ImporterVersion { name: "test".into(), version: "1".into() };
        Self(Batch::new(source, Scope::named("all"), importer, at))
    }

    pub(crate) fn complete(source: &str, at: DateTime<Utc>) -> Self {
        let mut batch = Self::delta(source, at);
        batch.0.completeness = Completeness::Complete { proof: "the test says so".into() };
        batch
    }

    pub(crate) fn in_scope(mut self, scope: &str) -> Self {
        self.0.scope = Scope::named(scope);
        self
    }

    fn line(&self) -> u32 {
        let rows = self.0.observations.len() + self.0.relationships.len() + self.0.needs.len() + self.0.removals.len();
        u32::try_from(rows).unwrap() + 1
    }

    pub(crate) fn position(&self) -> Position {
        Position::line("batch", self.line())
    }

    pub(crate) fn ci(self, key: &str, class: &str) -> Self {
        self.ci_with(key, class, |observation| observation)
    }

    pub(crate) fn ci_with(mut self, key: &str, class: &str, with: impl FnOnce(Observation) -> Observation) -> Self {
        let mut observation = Observation::new(SourceKey::new(key).unwrap(), class, self.position());
        observation.name = Some(Arc::from(key));
        self.0.observations.push(with(observation));
        self
    }

    pub(crate) fn uses(self, dependent: &str, dependency: &str) -> Self {
        self.related(dependent, "uses", dependency)
    }

    pub(crate) fn related(mut self, dependent: &str, kind: &str, dependency: &str) -> Self {
        let row = RelationshipObservation::new(kind, source(dependent), source(dependency), self.position());
        self.0.relationships.push(row);
        self
    }

    pub(crate) fn relate(mut self, row: RelationshipObservation) -> Self {
        self.0.relationships.push(row);
        self
    }

    pub(crate) fn need(mut self, dependent: &str, name: &str, rule: Option<Rule>, members: &[&str]) -> Self {
        let members = members.iter().map(|key| MemberObservation { ci: source(key), doubtful: false }).collect();
        self.0.needs.push(NeedObservation {
            dependent: source(dependent),
            name: Arc::from(name),
            kind: Symbol::new("depends_on"),
            members,
            rule,
            possible_counts: Vec::new(),
            cap: None,
            phase: Phase::Run,
            confidence: None,
            common_cause: None,
            basis: keelson_model::Basis::Declared,
            evidence: None,
            position: self.position(),
        });
        self
    }

    pub(crate) fn gone(mut self, key: &str) -> Self {
        let target = RemovalTarget::Ci(source(key));
        self.0.removals.push(Removal { target, reason: None, position: self.position() });
        self
    }

    pub(crate) fn gone_target(mut self, target: RemovalTarget) -> Self {
        self.0.removals.push(Removal { target, reason: None, position: self.position() });
        self
    }

    /// With a payload that stands for the content, so that the digest does.
    pub(crate) fn sealed(&self) -> Batch {
        let mut batch = self.0.clone();
        let content = format!("{:?}{:?}{:?}{:?}", batch.observations, batch.relationships, batch.needs, batch.removals);
        batch.payloads = vec![Payload::new("batch", "text/plain", content.into_bytes())];
        batch
    }
}

pub(crate) fn source(key: &str) -> CiRef {
    CiRef::source(SourceKey::new(key).unwrap())
}

pub(crate) fn catalogue_key(key: &str) -> CiRef {
    CiRef::Catalogue(CiKey::new(key).unwrap())
}

pub(crate) fn keyed(key: &str) -> impl FnOnce(Observation) -> Observation + '_ {
    move |mut observation| {
        observation.key = Some(CiKey::new(key).unwrap());
        observation
    }
}

pub(crate) fn codes(plan: &Plan) -> Vec<FindingCode> {
    plan.findings.iter().map(|finding| finding.code).collect()
}

#[track_caller]
pub(crate) fn finding(plan: &Plan, code: FindingCode) -> &Finding {
    let found = plan.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} among {:#?}", plan.findings))
}

pub(crate) fn outcomes(plan: &Plan) -> Vec<(String, RowOutcome)> {
    plan.rows.iter().map(|row| (row.source_key.to_string(), row.outcome)).collect()
}
