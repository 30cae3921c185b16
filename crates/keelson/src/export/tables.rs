//! Two tables with a blank line between them: items, then relationships.

use std::io::{self, Write};

use super::Extract;
use crate::output::harmless;

/// Writes both tables.
pub(super) fn write(out: &mut dyn Write, extract: &Extract) -> io::Result<()> {
    let catalogue = &extract.view.catalogue;
    {
        let mut csv = csv::Writer::from_writer(&mut *out);
        csv.write_record(["key", "class", "name", "standing", "lifecycle", "criticality", "attributes"])
            .map_err(io::Error::other)?;
        for ix in &extract.items {
            let ci = catalogue.ci(*ix);
            let attributes: serde_json::Map<String, serde_json::Value> =
                ci.facts().attributes.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
            let cells = [
                harmless(&ci.key),
                harmless(&ci.class),
                harmless(ci.name()),
                ci.standing.to_string(),
                ci.lifecycle().to_string(),
                ci.facts().criticality.map(|criticality| criticality.to_string()).unwrap_or_default(),
                serde_json::Value::Object(attributes).to_string(),
            ];
            csv.write_record(&cells).map_err(io::Error::other)?;
        }
        csv.flush()?;
    }
    writeln!(out)?;
    let mut csv = csv::Writer::from_writer(&mut *out);
    csv.write_record(["dependent", "kind", "dependency", "basis", "sources"]).map_err(io::Error::other)?;
    for ix in extract.relationships() {
        let slot = catalogue.relationship(ix);
        let sources: Vec<&str> =
            slot.relationship.live_claims().map(|claim| claim.provenance.source.as_str()).collect();
        let cells = [
            harmless(extract.key(slot.dependent)),
            slot.relationship.key.kind.to_string(),
            harmless(extract.key(slot.dependency)),
            slot.relationship.basis().to_string(),
            harmless(&sources.join("+")),
        ];
        csv.write_record(&cells).map_err(io::Error::other)?;
    }
    csv.flush()
}
