//! Answers for people: plain text, one function per answer.

mod board;
mod board_rows;
mod document;
mod impact;
mod rows;

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use keelson_app::HistoryAnswer;
use keelson_app::answers::Basis;
use keelson_app::answers::check::CheckAnswer;
use keelson_app::answers::items::{ItemAnswer, ListAnswer, RelationLine};
use keelson_app::answers::needs::NeedLine;
use keelson_app::answers::walk::{PathAnswer, WalkAnswer, Way};

use crate::output::{percent, print, table};

pub(crate) use board::{
    baseline, baselines, calendar, change, comparison, gate, request, requests, schedule, score, trends,
};
pub(crate) use document::document;
pub(crate) use impact::impact;

type Out<'a> = &'a mut dyn Write;

/// A number with its noun: `1 item`, `2 items`.
fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Columns a line of a check may take.
const WIDE: usize = 160;

/// A text broken at blanks into lines of at most [`WIDE`] columns, the further ones indented.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDE {
            lines.push('\n');
            lines.push_str(indent);
            width = indent.chars().count();
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}

/// As many names as fit in one line, and how many more there are.
fn named(names: &[String]) -> String {
    let (mut shown, mut width) = (0, 0);
    for name in names {
        width += name.chars().count() + 2;
        if shown > 0 && width > WIDE {
            break;
        }
        shown += 1;
    }
    let more = names.len() - shown;
    let more = if more > 0 { format!(" … and {more} more") } else { String::new() };
    names[..shown].join(", ") + &more
}

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// What an answer rests on, as its last lines.
fn footer(out: Out<'_>, basis: &Basis) -> io::Result<()> {
    let as_of = basis.as_of.map(|time| format!(", as of {}", day(time))).unwrap_or_default();
    let oldest = basis.oldest_observation.map(|time| format!(", oldest observation {}", day(time))).unwrap_or_default();
    let stale = if basis.stale > 0 { format!(", {} stale", basis.stale) } else { String::new() };
    let complete = if basis.complete { "complete" } else { "NOT COMPLETE" };
    writeln!(out, "\nrevision {}{as_of}; {complete}{oldest}{stale}", basis.revision)?;
    for line in &basis.supposing {
        writeln!(out, "  supposing {line}")?;
    }
    for limit in &basis.limits {
        writeln!(out, "  - {}", limit.message)?;
    }
    Ok(())
}

/// A list of items.
pub(crate) fn list(out: Out<'_>, answer: &ListAnswer) -> io::Result<()> {
    let mut lines = table(&["key", "class", "name", "lifecycle", "criticality", "sources", "last seen"]);
    for item in &answer.items {
        lines.add_row([
            item.subject.key.clone(),
            item.subject.class.clone(),
            item.subject.name.clone(),
            if item.standing == keelson_model::Standing::Live {
                item.lifecycle.to_string()
            } else {
                item.standing.to_string()
            },
            item.criticality.map(|criticality| criticality.to_string()).unwrap_or_default(),
            item.sources.join(", "),
            item.last_seen.map(day).unwrap_or_default(),
        ]);
    }
    if !answer.items.is_empty() {
        print(out, &lines)?;
    }
    writeln!(out, "{}", counted(answer.total, "configuration item"))?;
    footer(out, &answer.basis)
}

/// Everything about one item.
pub(crate) fn item(out: Out<'_>, answer: &ItemAnswer) -> io::Result<()> {
    let line = &answer.line;
    writeln!(out, "{}  {}", line.subject.key, line.subject.name)?;
    writeln!(out, "  class        {}", answer.lineage.join(" < "))?;
    let criticality = line.criticality.map(|criticality| format!(", criticality {criticality}")).unwrap_or_default();
    writeln!(out, "  standing     {}, {}{criticality}, version {}", line.standing, line.lifecycle, answer.version)?;
    if let Some(time) = answer.withdrawn_at {
        writeln!(out, "  withdrawn    {}", day(time))?;
    }
    if let Some(earlier) = &answer.succeeds {
        writeln!(out, "  succeeds     an earlier {earlier}")?;
    }
    if !answer.attributes.is_empty() {
        writeln!(out, "\nattributes")?;
        let mut lines = table(&[]);
        for (name, attribute) in &answer.attributes {
            let others: Vec<String> =
                attribute.others.iter().map(|(source, value)| format!("{source} says {}", plain(value))).collect();
            let source = attribute.source.clone().unwrap_or_default();
            lines.add_row([format!("  {name}"), plain(&attribute.value), source, others.join(", ")]);
        }
        print(out, &lines)?;
    }
    if !answer.unmodelled.is_empty() {
        writeln!(out, "\nfurther attributes, not of its class")?;
        for (name, value) in &answer.unmodelled {
            writeln!(out, "  {name} = {}", plain(value))?;
        }
    }
    writeln!(out, "\nsources")?;
    for claim in &answer.claims {
        let state = if claim.live { "last seen" } else { "withdrawn; last seen" };
        let place = if claim.position.is_empty() { String::new() } else { format!(" ({})", claim.position) };
        writeln!(out, "  {} as '{}', {state} {}{place}", claim.source, claim.source_key, day(claim.last_seen))?;
    }
    if !answer.needs.is_empty() {
        writeln!(out, "\nneeds")?;
        answer.needs.iter().try_for_each(|need| need_line(out, need))?;
    }
    relations(out, "relates to", &answer.dependencies)?;
    relations(out, "is related to by", &answer.dependents)?;
    footer(out, &answer.basis)
}

fn relations(out: Out<'_>, title: &str, relations: &[RelationLine]) -> io::Result<()> {
    if relations.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    let mut lines = table(&[]);
    for relation in relations {
        let note = if relation.member_only { "through a need" } else { "" };
        lines.add_row([
            format!("  {}", relation.reads),
            relation.other.key.clone(),
            relation.sources.join(", "),
            note.to_owned(),
        ]);
    }
    print(out, &lines)
}

fn need_line(out: Out<'_>, line: &NeedLine) -> io::Result<()> {
    let need = &line.need;
    let rule = match (need.rule.as_str(), need.k) {
        _ if need.of == 1 => String::new(),
        ("all", _) => format!(" (all {})", need.of),
        (_, Some(k)) => format!(" ({k} of {})", need.of),
        (rule, None) => format!(" ({rule})"),
    };
    let cap = need.cap.map(|cap| format!(", at most {}", percent(cap))).unwrap_or_default();
    let phase = if line.phase == keelson_model::Phase::Start { ", to start" } else { "" };
    writeln!(out, "  {}{rule}{cap}{phase}: {}", need.name, line.members.join(", "))?;
    line.doubts.iter().try_for_each(|doubt| writeln!(out, "      not known: {doubt}"))?;
    if !line.others.is_empty() {
        writeln!(out, "      in force from {}", line.sources.join(" and "))?;
    }
    line.others.iter().try_for_each(|(source, said)| writeln!(out, "      {source} says: {said}"))
}

/// A JSON value as people write it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(fields) => match (fields.get("value"), fields.get("unit")) {
            (Some(number), Some(serde_json::Value::String(unit))) => format!("{} {unit}", plain(number)),
            _ => value.to_string(),
        },
        serde_json::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// How an item changed.
pub(crate) fn history(out: Out<'_>, answer: &HistoryAnswer) -> io::Result<()> {
    writeln!(out, "{}: {}", answer.key, counted(answer.total, "change"))?;
    for entry in &answer.entries {
        let why = entry.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let source = entry.source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
        let what = serde_json::to_value(entry.what).unwrap_or_default();
        writeln!(
            out,
            "\nr{}  {}  {} {} by {}, {}{source}{why}",
            entry.revision,
            day(entry.at),
            entry.record,
            plain(&what),
            entry.actor,
            entry.action
        )?;
        for change in &entry.changes {
            writeln!(out, "    {}: {} → {}", change.field, plain(&change.before), plain(&change.after))?;
        }
    }
    footer(out, &answer.basis)
}

/// What an item needs, or what depends on it.
pub(crate) fn walk(out: Out<'_>, answer: &WalkAnswer) -> io::Result<()> {
    match answer.way {
        Way::Needs => {
            writeln!(out, "{} needs", answer.start.key)?;
            for owned in &answer.needs {
                need_line(out, &owned.line)?;
            }
            writeln!(out, "\nand with that, {}", counted(answer.met, "item"))?;
        }
        Way::Dependents => {
            writeln!(out, "{} is needed by", answer.start.key)?;
            for owned in &answer.needs {
                write!(out, "  {}:", owned.dependent)?;
                need_line(out, &owned.line)?;
            }
            let depend = if answer.met == 1 { "depends" } else { "depend" };
            writeln!(out, "\nand by that, {} {depend} on it", counted(answer.met, "item"))?;
        }
    }
    let mut lines = table(&["distance", "key", "class", "name"]);
    for met in &answer.items {
        lines.add_row([
            met.distance.to_string(),
            met.subject.key.clone(),
            met.subject.class.clone(),
            met.subject.name.clone(),
        ]);
    }
    if !answer.items.is_empty() {
        print(out, &lines)?;
    }
    footer(out, &answer.basis)
}

/// Why one item depends on another.
pub(crate) fn path(out: Out<'_>, answer: &PathAnswer) -> io::Result<()> {
    if answer.depends {
        for (depth, line) in answer.lines().iter().enumerate() {
            writeln!(out, "{}{line}", "  ".repeat(depth))?;
        }
    } else {
        let found = if answer.basis.complete { "does not depend on" } else { "was not found to depend on" };
        writeln!(out, "{} {found} {}", answer.from.key, answer.to.key)?;
    }
    footer(out, &answer.basis)
}

/// What is wrong with the catalogue.
pub(crate) fn check(out: Out<'_>, answer: &CheckAnswer) -> io::Result<()> {
    if answer.findings.is_empty() {
        writeln!(out, "nothing found")?;
    }
    let mut last = None;
    for finding in &answer.findings {
        if last != Some(finding.code) {
            let count = answer.counts.get(&finding.code).copied().unwrap_or_default();
            writeln!(out, "\n{} ({count}, {})", finding.code.as_str().replace('_', " "), finding.severity)?;
            last = Some(finding.code);
        }
        writeln!(out, "  {}", wrapped(&format!("{}: {}", finding.key, finding.message), "      "))?;
        if finding.related.len() > 1 {
            writeln!(out, "      {}", named(&finding.related))?;
        }
    }
    footer(out, &answer.basis)
}
