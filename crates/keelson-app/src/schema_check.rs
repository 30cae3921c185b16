//! Whether the classes in force still fit what is stored.

use std::collections::BTreeMap;
use std::fmt;

use keelson_catalogue::Catalogue;
use keelson_model::Standing;

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
    /// Checks that the classes and kinds in force fit everything that is not withdrawn.
    ///
    /// # Errors
    /// With all the reasons why they do not.
    pub fn check_schema(&self) -> Result<(), SchemaContradiction> {
        let reasons = contradictions(&self.view().catalogue);
        if reasons.is_empty() { Ok(()) } else { Err(SchemaContradiction { reasons }) }
    }
}

fn contradictions(catalogue: &Catalogue) -> BTreeMap<String, usize> {
    let schema = catalogue.schema();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
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
            *reasons.entry(reason).or_default() += 1;
        }
    }
    for (_, slot) in catalogue.relationships() {
        let record = &slot.relationship;
        if record.standing != Standing::Withdrawn && schema.kinds.get(&record.key.kind).is_none() {
            *reasons.entry(format!("no file defines the kind of relationship '{}'", record.key.kind)).or_default() += 1;
        }
    }
    reasons
}
