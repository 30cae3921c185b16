//! Graphviz. An arrow goes from the dependent to the dependency; a need with redundancy is a small
//! box of its own with its rule in it.

use std::collections::HashSet;
use std::io::{self, Write};

use keelson_app::answers::needs::is_redundant;
use keelson_catalogue::CiIx;

use super::Extract;

/// Writes items, redundant needs and relationships.
pub(super) fn write(out: &mut dyn Write, extract: &Extract) -> io::Result<()> {
    let catalogue = &extract.view.catalogue;
    writeln!(out, "digraph keelson {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    for ix in &extract.items {
        let ci = catalogue.ci(*ix);
        let label = format!("{}\n{}", ci.name(), ci.class);
        writeln!(out, "  {} [label={}];", quoted(&ci.key), quoted(&label))?;
    }
    let mut through_need: HashSet<(CiIx, CiIx)> = HashSet::new();
    for (number, ix) in extract.needs().enumerate() {
        let slot = catalogue.need(ix);
        let need = &slot.need;
        if !is_redundant(&need.definition) {
            continue;
        }
        let n = need.definition.members.len();
        let k = need.definition.rule.required(n).unwrap_or_default();
        let label = format!("{}\n{k} of {n}", need.name);
        writeln!(out, "  \"need {number}\" [shape=ellipse, style=dashed, label={}];", quoted(&label))?;
        writeln!(out, "  {} -> \"need {number}\";", quoted(extract.key(slot.dependent)))?;
        for member in need.definition.members.iter().filter_map(|member| catalogue.find_id(member.ci)) {
            if extract.within.contains(&member) {
                writeln!(out, "  \"need {number}\" -> {};", quoted(extract.key(member)))?;
                through_need.insert((slot.dependent, member));
            }
        }
    }
    for ix in extract.relationships() {
        let slot = catalogue.relationship(ix);
        if through_need.contains(&(slot.dependent, slot.dependency)) {
            continue;
        }
        let kind = &slot.relationship.key.kind;
        let style = if catalogue.schema().kinds.carries_loss(kind) { "" } else { ", style=dotted" };
        let (from, to) = (quoted(extract.key(slot.dependent)), quoted(extract.key(slot.dependency)));
        writeln!(out, "  {from} -> {to} [label={}{style}];", quoted(kind))?;
    }
    writeln!(out, "}}")
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
