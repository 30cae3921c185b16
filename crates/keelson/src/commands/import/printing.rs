//! What an import did, as people and scripts read it.

use std::io::{self, Write};

use keelson_model::{Finding, RowCounts};
use keelson_server::summary::Summary;

use crate::failure::Failure;
use crate::output;

/// Prints what became of a batch, with at most `most` findings.
pub(crate) fn print_summary(out: &mut dyn Write, summary: &Summary, most: usize) -> io::Result<()> {
    let complete = if summary.complete { "complete" } else { "delta" };
    let revision = summary.revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
    writeln!(
        out,
        "{} ({}, scope {}, {complete}, read {}): {}{revision}",
        summary.source,
        summary.importer,
        summary.scope,
        summary.observed_at.format("%Y-%m-%d %H:%M"),
        summary.outcome.as_str().replace('_', " ")
    )?;
    for (what, counts) in [
        ("configuration items", &summary.configuration_items),
        ("relationships", &summary.relationships),
        ("needs", &summary.needs),
    ] {
        let words = words(counts);
        if !words.is_empty() {
            writeln!(out, "  {what:<20} {}", words.join(", "))?;
        }
    }
    if !summary.finding_counts.is_empty() {
        let counts: Vec<String> =
            summary.finding_counts.iter().map(|(code, count)| format!("{count} {code}")).collect();
        writeln!(out, "  {:<20} {}", "findings", counts.join(", "))?;
    }
    let mut findings: Vec<&Finding> = summary.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in findings.iter().take(most) {
        writeln!(out, "    {finding}")?;
    }
    if findings.len() > most && most > 0 {
        writeln!(out, "    … and {} more (--findings {})", findings.len() - most, findings.len())?;
    }
    for row in &summary.rows {
        let place = if row.position.is_empty() { String::new() } else { format!(" [{}]", row.position) };
        writeln!(out, "    {:<18} {}{place}", row.outcome.as_str().replace('_', " "), row.source_key)?;
        for change in &row.changed {
            let value = |value: &Option<serde_json::Value>| value.as_ref().map_or("–".to_owned(), ToString::to_string);
            writeln!(out, "        {}: {} → {}", change.attribute, value(&change.before), value(&change.after))?;
        }
    }
    Ok(())
}

fn words(counts: &RowCounts) -> Vec<String> {
    [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.filled_placeholder, "placeholders filled"),
        (counts.revived, "revived"),
        (counts.withdrawn, "withdrawn"),
        (counts.ambiguous, "waiting for review"),
        (counts.skipped, "skipped"),
        (counts.rejected, "rejected"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect()
}

pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

pub(super) fn print_line(value: &serde_json::Value) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{value}")?;
    Ok(())
}

pub(super) fn print_csv(summaries: &[Summary]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(io::stdout().lock());
    csv.write_record([
        "source",
        "scope",
        "outcome",
        "revision",
        "what",
        "created",
        "updated",
        "unchanged",
        "withdrawn",
        "rejected",
    ])
    .map_err(io::Error::other)?;
    for summary in summaries {
        let revision = summary.revision.map(|revision| revision.to_string()).unwrap_or_default();
        for (what, counts) in [
            ("configuration items", &summary.configuration_items),
            ("relationships", &summary.relationships),
            ("needs", &summary.needs),
        ] {
            let numbers = [counts.created, counts.updated, counts.unchanged, counts.withdrawn, counts.rejected];
            let cells = [
                output::harmless(&summary.source),
                output::harmless(&summary.scope),
                summary.outcome.to_string(),
                revision.clone(),
                what.to_owned(),
            ];
            csv.write_record(cells.into_iter().chain(numbers.iter().map(u64::to_string))).map_err(io::Error::other)?;
        }
    }
    csv.flush()?;
    Ok(())
}
