//! The same thing described twice.

use std::fmt::Display;

use crate::{Finding, FindingCode, Observation, Severity};

/// Most characters of a value that are shown.
const MOST_SHOWN: usize = 80;
/// Most differing fields that are named.
const MOST_NAMED: usize = 5;

impl Observation {
    /// Folds a later observation of the same source key into this one and says what came of it: the
    /// earlier value wins, the later one fills gaps.
    ///
    /// The finding stands at the position of the later one: `duplicate` when it says nothing else,
    /// `duplicate_conflict` naming fields that differ with both values. The latter is a warning,
    /// because nothing was refused.
    pub fn fold(&mut self, later: Self) -> Finding {
        let mut clashes: Vec<(String, String)> = Vec::new();
        let mut clash = |field: &str, a: &dyn Display, b: &dyn Display| {
            let (a, b) = (shortened(&a.to_string()), shortened(&b.to_string()));
            clashes.push((field.to_owned(), format!("{field} '{a}' kept, '{b}' left out")));
        };
        if self.class != later.class {
            clash("class", &self.class, &later.class);
        }
        macro_rules! fill {
            ($($field:ident),*) => {$(
                match (&self.$field, later.$field) {
                    (Some(a), Some(b)) if *a != b => clash(stringify!($field), a, &b),
                    (None, Some(b)) => self.$field = Some(b),
                    _ => {}
                }
            )*};
        }
        fill!(key, name, lifecycle, criticality, native_id, native_version);
        for (attribute, b) in later.attributes {
            match self.attributes.get(&attribute) {
                Some(a) if *a != b => clash(attribute.as_str(), a, &b),
                Some(_) => {}
                None => {
                    self.attributes.insert(attribute, b);
                }
            }
        }
        self.told_again(later.position, clashes)
    }

    fn told_again(&self, position: crate::Position, mut clashes: Vec<(String, String)>) -> Finding {
        let (key, first) = (self.source_key.as_str(), &self.position);
        if clashes.is_empty() {
            let message = format!("'{key}' is listed again; it was first at {first}");
            return Finding::new(FindingCode::Duplicate, position, message).about(key);
        }
        let named: Vec<&str> = clashes.iter().take(MOST_NAMED).map(|(_, told)| told.as_str()).collect();
        let more = match clashes.len() - named.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let message = format!("'{key}' is listed again with other content than at {first}: {}{more}", named.join("; "));
        Finding::new(FindingCode::DuplicateConflict, position, message)
            .about(key)
            .in_field(&clashes.swap_remove(0).0)
            .with_severity(Severity::Warning)
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
