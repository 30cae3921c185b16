//! Records of change management by what people call them.

use keelson_catalogue::{Catalogue, Kept};
use keelson_model::{CalendarEntry, ChangeTemplate, Disruption};

use crate::workflow::is_same;

/// A freeze or maintenance window by its id, or the one in force under a name, or the last one that was.
#[must_use]
pub fn calendar_entry<'a>(catalogue: &'a Catalogue, named: &str) -> Option<&'a Kept<CalendarEntry>> {
    if let Some(kept) = named.parse().ok().and_then(|id| catalogue.calendar_entry(id)) {
        return Some(kept);
    }
    let of_name = catalogue.calendar().rev().filter(|kept| is_same(&kept.record.name, named));
    // Of several the first that is not lifted; the newest come first.
    of_name.min_by_key(|kept| kept.record.lifted_at.is_some())
}

/// A disruption by its id, or the one under a reference: the one that is open, or began last.
#[must_use]
pub fn disruption<'a>(catalogue: &'a Catalogue, named: &str) -> Option<&'a Kept<Disruption>> {
    if let Some(kept) = named.parse().ok().and_then(|id| catalogue.disruption(id)) {
        return Some(kept);
    }
    let is_it =
        |kept: &&Kept<Disruption>| kept.record.reference.as_deref().is_some_and(|reference| is_same(reference, named));
    catalogue.disruptions().filter(is_it).max_by_key(|kept| (kept.record.until.is_none(), kept.record.from))
}

/// A template by its name; outer blanks do not matter.
#[must_use]
pub fn template<'a>(catalogue: &'a Catalogue, named: &str) -> Option<&'a Kept<ChangeTemplate>> {
    catalogue.template(named.trim())
}
