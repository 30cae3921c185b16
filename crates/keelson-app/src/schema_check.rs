//! Whether the classes in force still fit what is stored.
//!
//! Two things look alike: classes that were changed after data were written, and data that were
//! never of their class. The first is for the operator to mend before anything else is written; the
//! second is not the files' doing, must keep nobody out, and goes with the next import of the items
//! concerned. They are told apart by the claims beneath the effective facts: what fits the class
//! that its own source states, or the class that a review task asks about, was not taken away by a
//! file.

use std::collections::BTreeMap;
use std::fmt;

use keelson_catalogue::Catalogue;
use keelson_model::{CiId, ClassRegistry, ConfigurationItem, Standing, Symbol, Value};
use keelson_reconcile::class_in_question;
use keelson_store::Problem;

use crate::Keelson;

/// Reasons shown.
const MOST: usize = 20;

/// Classes that contradict stored data: the reasons, each with how many items it concerns.
#[derive(Debug, thiserror::Error)]
pub struct SchemaContradiction {
    /// What does not fit, and how many configuration items that concerns.
    pub reasons: BTreeMap<String, usize>,
}

impl fmt::Display for SchemaContradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the class files contradict what is stored; give the folder the data was written with, or mend it:")?;
        for (reason, items) in self.reasons.iter().take(MOST) {
            write!(f, "\n  {reason} ({items} configuration items)")?;
        }
        let more = self.reasons.len().saturating_sub(MOST);
        if more > 0 { write!(f, "\n  and {more} further reasons") } else { Ok(()) }
    }
}

impl Keelson {
    /// Checks that the classes and kinds in force fit everything that is not withdrawn, as far as
    /// it is for the files to fit. What does not fit for another reason is told by
    /// [`Keelson::verify`].
    ///
    /// # Errors
    /// With all the reasons why they do not.
    pub fn check_schema(&self) -> Result<(), SchemaContradiction> {
        let reasons = contradictions(&self.view().catalogue).of_files;
        if reasons.is_empty() { Ok(()) } else { Err(SchemaContradiction { reasons }) }
    }
}

/// What does not fit: the reasons, each with how many items it concerns.
#[derive(Default)]
struct Contradictions {
    /// The files are not those the data were written with.
    of_files: BTreeMap<String, usize>,
    /// Data that were written with another class than their item's.
    of_data: BTreeMap<String, usize>,
}

/// Everything that does not fit, as problems.
pub(crate) fn problems(catalogue: &Catalogue) -> Vec<Problem> {
    let Contradictions { of_files, of_data } = contradictions(catalogue);
    let told = |advice: &'static str| {
        move |(what, items): (String, usize)| Problem {
            place: "classes".to_owned(),
            what: format!("{what} ({items} configuration items)"),
            advice: advice.to_owned(),
        }
    };
    let files = told("give the folder of classes that the data were written with, or mend it");
    let data = told("import the sources of these items again; the attributes are kept as unmodelled ones then");
    of_files.into_iter().map(files).chain(of_data.into_iter().map(data)).take(keelson_store::MAX_PROBLEMS).collect()
}

/// Of items whose class is in question, the classes they are said to have.
fn questioned(catalogue: &Catalogue) -> BTreeMap<CiId, Vec<Symbol>> {
    let mut classes: BTreeMap<CiId, Vec<Symbol>> = BTreeMap::new();
    for task in catalogue.reviews() {
        if let Some((_, class)) = class_in_question(task) {
            for candidate in &task.candidates {
                classes.entry(*candidate).or_default().push(Symbol::new(class));
            }
        }
    }
    classes
}

/// Whether a value is one of a class beneath the item other than its own: of the class that a live
/// claim with that value states, or of one that a question names.
fn is_of_another_class(
    ci: &ConfigurationItem,
    asked: &[Symbol],
    (name, value): (&Symbol, &Value),
    classes: &ClassRegistry,
) -> bool {
    let fits = |class: &Symbol| {
        let definition = classes.get(class).and_then(|class| class.attributes.get(name));
        *class != ci.class && definition.is_some_and(|definition| definition.read(&value.to_json()).is_ok())
    };
    let mut stated = ci.live_claims().filter(|claim| claim.facts.attributes.contains_key(name));
    asked.iter().any(fits) || stated.any(|claim| claim.facts.class.as_ref().is_some_and(fits))
}

fn contradictions(catalogue: &Catalogue) -> Contradictions {
    let schema = catalogue.schema();
    let mut found = Contradictions::default();
    let reasons = &mut found.of_files;
    let questioned = questioned(catalogue);
    for (_, slot) in catalogue.cis().filter(|(_, slot)| slot.ci.standing != Standing::Withdrawn) {
        let Some(class) = schema.classes.get(&slot.ci.class) else {
            *reasons.entry(format!("no file defines the class '{}'", slot.ci.class)).or_default() += 1;
            continue;
        };
        for (name, value) in &slot.ci.facts().attributes {
            let reason = match class.attributes.get(name) {
                None => format!("class '{}' no longer has the attribute '{name}'", slot.ci.class),
                Some(definition) => match definition.read(&value.to_json()) {
                    Ok(_) => continue,
                    Err(error) => format!("class '{}', attribute '{name}': {error}", slot.ci.class),
                },
            };
            let asked = questioned.get(&slot.ci.id).map_or(&[][..], Vec::as_slice);
            if is_of_another_class(&slot.ci, asked, (name, value), &schema.classes) {
                *found.of_data.entry(reason).or_default() += 1;
            } else {
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    for (_, slot) in catalogue.relationships() {
        let record = &slot.relationship;
        if record.standing != Standing::Withdrawn && schema.kinds.get(&record.key.kind).is_none() {
            *reasons.entry(format!("no file defines the kind of relationship '{}'", record.key.kind)).or_default() += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, Utc};
    use keelson_model::{
        BatchId, Change, CiKey, Claim, CommitHeader, Digest, Facts, FindingCode, Merged, Position, Provenance,
        RecordChange, ReviewState, ReviewTask, ReviewTaskId, Revision, Scope, SequentialIds, SourceKey, builtin,
    };

    use super::*;

    fn time() -> DateTime<Utc> {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    fn claim(source: &str, class: &str, attribute: &str) -> Claim {
        let attributes = [(Symbol::new(attribute), Value::text("x"))];
        Claim {
            provenance: Provenance {
                source: Symbol::new(source),
                scope: Scope::named("all"),
                batch: BatchId::next(&mut SequentialIds::default()),
                first_observed: time(),
                observed_at: time(),
                position: Position::default(),
                tombstone: None,
            },
            source_key: SourceKey::new("x").unwrap(),
            stated_key: None,
            native_id: None,
            native_version: None,
            facts: Facts {
                class: Some(Symbol::new(class)),
                attributes: attributes.into_iter().collect(),
                ..Facts::default()
            },
            self_relationships: Vec::new(),
        }
    }

    fn item(claims: Vec<Claim>) -> ConfigurationItem {
        let mut merged = claims[0].facts.clone();
        for claim in &claims {
            merged.attributes.extend(claim.facts.attributes.clone());
        }
        let several = claims.len() > 1;
        ConfigurationItem {
            id: CiId::next(&mut SequentialIds::default()),
            key: CiKey::new("host/x").unwrap(),
            class: Symbol::new("host"),
            standing: Standing::Live,
            version: 1,
            claims: claims.into_iter().collect(),
            merged: several.then(|| Box::new(Merged { facts: merged, sources: BTreeMap::new() })),
            succeeds: None,
            withdrawn_at: None,
        }
    }

    fn question(ci: CiId) -> ReviewTask {
        ReviewTask {
            id: ReviewTaskId::next(&mut SequentialIds::default()),
            code: FindingCode::AmbiguousIdentity,
            state: ReviewState::Open,
            version: 1,
            source: Symbol::new("a"),
            scope: Scope::named("all"),
            batch: BatchId::next(&mut SequentialIds::default()),
            source_key: Some(SourceKey::new("x").unwrap()),
            question: "?".into(),
            candidates: vec![ci],
            evidence: vec!["class change: host -> database".into()],
            position: Position::default(),
            raised_at: time(),
            decision: None,
        }
    }

    /// How many reasons are the files', and how many the data's.
    fn found(item: ConfigurationItem, asked: bool) -> (usize, usize) {
        let mut catalogue = Catalogue::new(Arc::new(builtin::schema([]).unwrap()));
        let task = question(item.id);
        let mut changes = vec![RecordChange::Ci(Change::created(item))];
        if asked {
            changes.push(RecordChange::Review(Change::created(task)));
        }
        let header = CommitHeader {
            revision: Revision(1),
            at: time(),
            recorded_at: None,
            actor: "tester".into(),
            action: "test".into(),
            source: None,
            reason: None,
            batch: None,
            previous: catalogue.head().digest,
            changes: changes.len() as u64,
            chunks: vec![Digest::of(b"")],
        };
        catalogue.apply(&header, changes.iter().map(|change| (0, change))).unwrap();
        let Contradictions { of_files, of_data } = contradictions(&catalogue);
        assert_eq!(problems(&catalogue).len(), of_files.len() + of_data.len(), "verification tells both");
        (of_files.len(), of_data.len())
    }

    #[test]
    fn files_that_lost_an_attribute_contradict_the_data() {
        assert_eq!(found(item(vec![claim("a", "host", "architecture")]), false), (0, 0));
        assert_eq!(found(item(vec![claim("a", "host", "colour")]), false), (1, 0));
        assert_eq!(found(item(vec![claim("a", "host", "engine")]), false), (1, 0));
    }

    #[test]
    fn attributes_of_another_claim_or_of_a_class_in_question_keep_nobody_out() {
        let joined = vec![claim("a", "host", "architecture"), claim("b", "database", "engine")];
        assert_eq!(found(item(joined), false), (0, 1));
        assert_eq!(found(item(vec![claim("a", "host", "engine")]), true), (0, 1));
    }
}
