//! The calendar and baselines, for people.

use std::io;

use keelson_app::answers::register::{BaselinesAnswer, CalendarAnswer};
use keelson_app::{BaselineAnswer, BaselineComparison};

use super::Out;
use crate::output::{print, table};
use crate::render::{counted, day, footer, wrapped};

/// Freezes, maintenance windows, disruptions and templates.
pub(crate) fn calendar(out: Out<'_>, answer: &CalendarAnswer) -> io::Result<()> {
    writeln!(out, "{}", answer.within)?;
    for entry in &answer.entries {
        let items: Vec<&str> = entry.items.iter().map(|item| item.key.as_str()).collect();
        let about = if items.is_empty() { "every service".to_owned() } else { items.join(", ") };
        let lifted = entry.lifted_at.map(|at| format!(", LIFTED {}", day(at))).unwrap_or_default();
        writeln!(out, "\n{} '{}' of {about}{lifted}: {}", entry.kind, entry.name, entry.reason)?;
        if let Some(recurrence) = &entry.recurrence {
            writeln!(out, "  repeats {} in {}", recurrence.rule, recurrence.zone)?;
        }
        for window in entry.occurrences.iter().take(5) {
            writeln!(out, "  {window}")?;
        }
        if entry.occurrences.len() > 5 {
            writeln!(out, "  … and {} more", entry.occurrences.len() - 5)?;
        }
    }
    for line in &answer.disruptions {
        let until = line.until.map_or("nobody knows when it ends".to_owned(), |until| format!("until {}", day(until)));
        let number = line.reference.as_deref().unwrap_or(&line.id);
        writeln!(out, "\n{} {number}: {} down since {}, {until}", line.kind, line.subject.key, day(line.from))?;
    }
    for line in &answer.templates {
        let approved = line.approved_by.as_ref().map_or("NOT APPROVED".to_owned(), |by| format!("approved by {by}"));
        let (actions, classes) = (line.actions.join(", "), line.classes.join(", "));
        writeln!(
            out,
            "\ntemplate '{}' ({approved}): {actions} of {classes}, {} min at most",
            line.name, line.longest_minutes
        )?;
    }
    footer(out, &answer.basis)
}

/// One baseline.
pub(crate) fn baseline(out: Out<'_>, answer: &BaselineAnswer) -> io::Result<()> {
    let line = &answer.baseline;
    writeln!(out, "{}  revision {}, taken {} by {}", line.name, line.revision, day(line.at), line.by)?;
    writeln!(out, "  {} ({})", counted(line.items, "item"), line.chosen)?;
    writeln!(out, "  digest {}", line.digest)?;
    let proven = if answer.is_proven { "the log has the same state" } else { "THE LOG HAS ANOTHER STATE" };
    writeln!(out, "  {proven}")?;
    for key in &line.keys {
        writeln!(out, "    {key}")?;
    }
    footer(out, &answer.basis)
}

/// Baselines in a list.
pub(crate) fn baselines(out: Out<'_>, answer: &BaselinesAnswer) -> io::Result<()> {
    let mut lines = table(&["name", "revision", "taken", "by", "items", "chosen", "change"]);
    for line in &answer.baselines {
        lines.add_row([
            line.name.clone(),
            line.revision.to_string(),
            day(line.at),
            line.by.clone(),
            line.items.to_string(),
            line.chosen.clone(),
            line.change.clone().unwrap_or_default(),
        ]);
    }
    if !answer.baselines.is_empty() {
        print(out, &lines)?;
    }
    writeln!(out, "{}", counted(answer.total, "baseline"))?;
    footer(out, &answer.basis)
}

/// How two baselines differ.
pub(crate) fn comparison(out: Out<'_>, answer: &BaselineComparison) -> io::Result<()> {
    let name = |side: &keelson_app::Side| {
        let name = side.baseline.as_deref().map_or("now".to_owned(), |name| format!("'{name}'"));
        format!("{name} (revision {}, {})", side.revision, counted(side.items, "item"))
    };
    writeln!(
        out,
        "From {} to {}: {} differ",
        name(&answer.earlier),
        name(&answer.later),
        counted(answer.different, "item")
    )?;
    for item in &answer.items {
        let held = match item.held.as_str() {
            "added" => " (held by the later one alone)",
            "removed" => " (held by the earlier one alone)",
            _ => "",
        };
        writeln!(out, "\n{}{held}", item.subject.key)?;
        for record in &item.records {
            let what = format!("{:?}", record.what).to_lowercase();
            writeln!(
                out,
                "  {} {what} by revision {} ({}, {})",
                record.record,
                record.revision,
                record.actor,
                day(record.at)
            )?;
            for field in &record.changes {
                writeln!(
                    out,
                    "    {}",
                    wrapped(&format!("{}: {} -> {}", field.field, field.before, field.after), "      ")
                )?;
            }
        }
    }
    footer(out, &answer.basis)
}
