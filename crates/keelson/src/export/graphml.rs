//! GraphML, for graph tools. An edge goes from the dependent to the dependency.

use std::io::{self, Write};

use super::{Extract, escaped};

/// Writes nodes, then one edge per relationship.
pub(super) fn write(out: &mut dyn Write, extract: &Extract) -> io::Result<()> {
    let catalogue = &extract.view.catalogue;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">")?;
    for (id, of) in
        [("class", "node"), ("name", "node"), ("lifecycle", "node"), ("criticality", "node"), ("kind", "edge")]
    {
        writeln!(out, "  <key id=\"{id}\" for=\"{of}\" attr.name=\"{id}\" attr.type=\"string\"/>")?;
    }
    writeln!(out, "  <graph id=\"revision-{}\" edgedefault=\"directed\">", extract.view.revision())?;
    for ix in &extract.items {
        let ci = catalogue.ci(*ix);
        writeln!(out, "    <node id=\"{}\">", escaped(&ci.key))?;
        let criticality = ci.facts().criticality.map(keelson_model::Criticality::as_str).unwrap_or_default();
        for (key, value) in [
            ("class", ci.class.as_str()),
            ("name", ci.name()),
            ("lifecycle", ci.lifecycle().as_str()),
            ("criticality", criticality),
        ] {
            if !value.is_empty() {
                writeln!(out, "      <data key=\"{key}\">{}</data>", escaped(value))?;
            }
        }
        writeln!(out, "    </node>")?;
    }
    for ix in extract.relationships() {
        let slot = catalogue.relationship(ix);
        writeln!(
            out,
            "    <edge source=\"{}\" target=\"{}\"><data key=\"kind\">{}</data></edge>",
            escaped(extract.key(slot.dependent)),
            escaped(extract.key(slot.dependency)),
            escaped(&slot.relationship.key.kind)
        )?;
    }
    writeln!(out, "  </graph>\n</graphml>")
}
