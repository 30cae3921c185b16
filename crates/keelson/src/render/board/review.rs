//! What was predicted against what happened, for people.

use std::io;

use keelson_app::answers::review::{RateLine, ReviewScore, ScoreLine, TrendsAnswer, Verdict};

use super::{Out, effect_words};
use crate::output::{percent, print, table};
use crate::render::{counted, day, footer, wrapped};

/// How often changes fail, and how good predictions were.
pub(crate) fn trends(out: Out<'_>, answer: &TrendsAnswer) -> io::Result<()> {
    writeln!(
        out,
        "{} whose work is over, {} of them not reviewed",
        counted(answer.over, "change"),
        answer.not_reviewed
    )?;
    let mut lines = table(&["changes", "failed", "chance", "from", "to", "of"]);
    let all = std::iter::once(&answer.portfolio).chain(&answer.classes).chain(&answer.teams).chain(&answer.templates);
    for line in all {
        lines.add_row(rate(line));
    }
    print(out, &lines)?;
    writeln!(out, "\nimpact predictions right in {} of {} watched changes", answer.right, answer.watched)?;
    if let (Some(brier), Some(base)) = (answer.brier, answer.brier_of_base_rate) {
        writeln!(out, "Brier score of the chances {brier:.4}, of the mean rate {base:.4}")?;
    }
    for note in &answer.notes {
        writeln!(out, "  - {}", wrapped(note, "    "))?;
    }
    footer(out, &answer.basis)
}

fn rate(line: &RateLine) -> [String; 6] {
    let parts = [&line.template, &line.team, &line.class].into_iter().flatten().cloned();
    let of: Vec<String> = parts.collect();
    let of = if of.is_empty() { "all changes".to_owned() } else { of.join(", ") };
    let (low, high) = line.interval;
    [line.changes.to_string(), line.failures.to_string(), percent(line.failure), percent(low), percent(high), of]
}

/// What was predicted of one request against what happened.
pub(crate) fn score(out: Out<'_>, answer: &ReviewScore) -> io::Result<()> {
    let ended = if answer.backed_out { "backed out" } else { "done" };
    writeln!(
        out,
        "{}  {}: {ended}, {} to {}",
        answer.change.key,
        answer.change.title,
        day(answer.started_at),
        day(answer.finished_at)
    )?;
    writeln!(out, "  {}", wrapped(&answer.summary, "  "))?;
    if let Some(figures) = &answer.figures {
        let known = |figure: Option<f64>| figure.map_or("unknown".to_owned(), percent);
        writeln!(out, "  precision {}, recall {}", known(figures.precision), known(figures.recall))?;
    }
    if !answer.services.is_empty() {
        let mut lines = table(&["service", "verdict", "predicted", "observed", "minutes", "written down in"]);
        for line in &answer.services {
            lines.add_row(service(line));
        }
        writeln!(out)?;
        print(out, &lines)?;
    }
    for line in &answer.elsewhere {
        let reference = line.reference.as_deref().unwrap_or("without a number");
        writeln!(
            out,
            "\nmeanwhile, not put down to it: {} lost {} since {} ({reference})",
            line.subject.key,
            percent(line.loss),
            day(line.from)
        )?;
    }
    let failed = match answer.failed {
        Some(true) => "it counts as failed",
        Some(false) => "it counts as held",
        None => "whether it failed is not known yet",
    };
    writeln!(out, "\n{failed}; by the records, {}", answer.suggestion.reason)?;
    footer(out, &answer.basis)
}

fn service(line: &ScoreLine) -> [String; 6] {
    let verdict = match line.verdict {
        Verdict::Miss => "NOT PREDICTED",
        Verdict::FalseAlarm => "did not happen",
        Verdict::Hit => "as predicted",
        Verdict::Spared => "held",
        Verdict::Unknown => "unknown",
    };
    [
        line.subject.key.clone(),
        verdict.to_owned(),
        line.predicted.map(|effect| effect_words(effect).to_owned()).unwrap_or_default(),
        line.observed_loss.map(percent).unwrap_or_default(),
        line.observed_minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
        line.references.join(", "),
    ]
}
