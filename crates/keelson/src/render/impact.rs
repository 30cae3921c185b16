//! The impact answer as an indented proof tree.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use keelson_app::answers::impact::{
    Because, CertaintyAnswer, ImpactAnswer, ImpactLine, ProtectedBy, ProtectedLine, VerdictWord,
};

use super::{counted, day, footer};
use crate::output::percent;

/// Deepest indentation shown; a proof may be longer than any screen is wide.
const MOST_DEPTH: usize = 24;
/// Lines of proof shown for one item.
const MOST_LINES: usize = 40;

/// What losing the seeds costs.
pub(crate) fn impact(out: &mut dyn Write, answer: &ImpactAnswer) -> io::Result<()> {
    let seeds: Vec<String> = answer
        .seeds
        .iter()
        .map(|seed| {
            let (key, own) = (&seed.subject.key, percent(seed.loss));
            if seed.whole_loss > seed.loss {
                format!("{key} ({own} lost, {} with what it needs)", percent(seed.whole_loss))
            } else if seed.loss < 1.0 {
                format!("{key} ({own} lost)")
            } else {
                key.clone()
            }
        })
        .collect();
    let interval = answer.interval.map(|i| format!(", {} to {} UTC", day(i.start), day(i.end))).unwrap_or_default();
    writeln!(out, "Losing {}{interval}", seeds.join(" and "))?;
    writeln!(
        out,
        "touches {}; {} {} something, {} of them everything.",
        counted(answer.touched, "item"),
        answer.affected,
        if answer.affected == 1 { "loses" } else { "lose" },
        answer.lost
    )?;
    let possible: HashSet<&str> =
        answer.certainty.iter().flat_map(|certainty| &certainty.possible).map(|service| service.key.as_str()).collect();
    let tree = Tree::of(answer);
    let services: Vec<&ImpactLine> = answer.items.iter().filter(|line| line.is_service).collect();
    if services.is_empty() {
        writeln!(out, "\nNo service loses anything.")?;
    }
    let mut shown = HashSet::new();
    for line in &services {
        writeln!(out, "\n{}", headline(line, &possible))?;
        tree.print(out, line, &mut shown)?;
    }
    let others: Vec<&ImpactLine> = answer.items.iter().filter(|line| !line.is_service).collect();
    if !others.is_empty() {
        writeln!(out, "\nAlso losing something")?;
        for line in others.iter().take(MOST_LINES) {
            let loss = if line.loss < 1.0 { format!(" {}", percent(line.loss)) } else { String::new() };
            let why = line.because.as_ref().map(|because| format!("  <- {}", words(because))).unwrap_or_default();
            writeln!(out, "  {}{loss}{why}", line.subject.key)?;
        }
        if others.len() > MOST_LINES {
            writeln!(out, "  … and {} more (--output json lists them)", others.len() - MOST_LINES)?;
        }
    }
    if !answer.protected.is_empty() {
        writeln!(out, "\nTouched, and held by redundancy")?;
        answer.protected.iter().try_for_each(|line| protected(out, line, &possible))?;
    }
    if let Some(certainty) = &answer.certainty {
        certain(out, certainty)?;
    }
    footer(out, &answer.basis)
}

/// The line above a proof. A service that is breached only for some answers to the unknown facts, or
/// may be breached where it is degraded, is said to be.
fn headline(line: &ImpactLine, possible: &HashSet<&str>) -> String {
    let verdict = line.verdict.as_str().to_uppercase();
    let verdict = match (possible.contains(line.subject.key.as_str()), line.verdict) {
        (false, _) => verdict,
        (true, VerdictWord::Breached) => format!("{verdict} (possibly)"),
        (true, _) => format!("{verdict} (possibly breached)"),
    };
    let criticality = line.criticality.map(|criticality| format!(", {criticality}")).unwrap_or_default();
    let loss = if line.loss < 1.0 { format!(", loses {}", percent(line.loss)) } else { String::new() };
    format!("{verdict}  {}  ({}{criticality}{loss})", line.subject.key, line.subject.name)
}

fn words(because: &Because) -> String {
    let (need, members) = (&because.need, because.members.join(", "));
    let rule = match (need.rule.as_str(), need.k) {
        _ if need.of == 1 => String::new(),
        ("all", _) => format!(" needs all {}", need.of),
        ("share", _) => format!(" shares its load among {}", need.of),
        (_, Some(k)) => format!(" needs {k} of {}", need.of),
        (rule, None) => format!(" ({rule} of {})", need.of),
    };
    let cap = need.cap.map(|cap| format!(" (at most {})", percent(cap))).unwrap_or_default();
    format!("{}{rule}{cap}: {members}", need.name)
}

/// The lines of an answer by key, to follow reasons.
struct Tree<'a> {
    lines: HashMap<&'a str, &'a ImpactLine>,
    seeds: HashSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn of(answer: &'a ImpactAnswer) -> Self {
        Self {
            lines: answer.items.iter().map(|line| (line.subject.key.as_str(), line)).collect(),
            seeds: answer.seeds.iter().map(|seed| seed.subject.key.as_str()).collect(),
        }
    }

    /// Prints the reasons beneath a line; what was `shown` before, here or for another line, is not
    /// shown again.
    fn print(&self, out: &mut dyn Write, top: &'a ImpactLine, shown: &mut HashSet<&'a str>) -> io::Result<()> {
        let mut stack: Vec<(usize, &'a ImpactLine)> = vec![(1, top)];
        let mut printed = 0;
        while let Some((depth, line)) = stack.pop() {
            let key = line.subject.key.as_str();
            let indent = "  ".repeat(depth.min(MOST_DEPTH));
            let Some(because) = &line.because else { continue };
            let name = if depth == 1 { String::new() } else { format!("{key}  ") };
            if printed == MOST_LINES {
                return writeln!(out, "{indent}… the proof goes on (--output json has all of it)");
            }
            printed += 1;
            if !shown.insert(key) {
                writeln!(out, "{indent}{name}<- as above")?;
                continue;
            }
            writeln!(out, "{indent}{name}<- {}", words(because))?;
            let beneath = because.members.iter().rev().filter(|member| !self.seeds.contains(member.as_str()));
            stack.extend(beneath.filter_map(|member| Some((depth + 1, *self.lines.get(member.as_str())?))));
        }
        Ok(())
    }
}

fn protected(out: &mut dyn Write, line: &ProtectedLine, possible: &HashSet<&str>) -> io::Result<()> {
    let key = line.subject.key.as_str();
    let doubt = if possible.contains(key) { "; possibly breached" } else { "" };
    let Some(by) = &line.by else { return writeln!(out, "  {key}{doubt}") };
    let whose = by.of_item.as_ref().map(|item| format!(" of {item}")).unwrap_or_default();
    let holds = match (by.need.k, by.margin) {
        (Some(k), Some(margin)) => {
            format!("needs {k} of {}, {} up: survives {}", by.need.of, by.up, survives(by, margin))
        }
        _ => format!("{} of {} up", by.up, by.need.of),
    };
    writeln!(out, "  {key}  by {}{whose}: {holds} (lost {}){doubt}", by.need.name, by.lost.join(", "))
}

/// How many further failures a need stands, with what that depends on.
fn survives(by: &ProtectedBy, margin: u32) -> String {
    if by.may_have_given_way {
        return "NO further failure, and may have given way already".to_owned();
    }
    let left = match margin {
        0 => "NO further failure".to_owned(),
        1 => "one more failure".to_owned(),
        more => format!("{more} more failures"),
    };
    match by.possible_margin {
        Some(most) => format!("{left} for certain, {most} at best"),
        None => left,
    }
}

fn certain(out: &mut dyn Write, certainty: &CertaintyAnswer) -> io::Result<()> {
    if certainty.possible.is_empty() && certainty.decisive.is_empty() {
        return Ok(());
    }
    let keys = |subjects: &[keelson_app::answers::Subject]| {
        let keys: Vec<&str> = subjects.iter().map(|subject| subject.key.as_str()).collect();
        if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
    };
    writeln!(out, "\nBreached for certain: {}", keys(&certainty.certain))?;
    writeln!(out, "Breached possibly:    {}", keys(&certainty.possible))?;
    if certainty.decisive.is_empty() {
        return Ok(());
    }
    writeln!(out, "Questions that decide")?;
    for decisive in &certainty.decisive {
        let questions: Vec<&str> = decisive.facts.iter().map(|fact| fact.question.as_str()).collect();
        writeln!(out, "  - {}", questions.join(" and "))?;
        for outcome in &decisive.outcomes {
            let shifts: Vec<String> = outcome
                .shifts
                .iter()
                .map(|shift| {
                    let to = serde_json::to_value(shift.to).unwrap_or_default();
                    format!("{} is then {}", shift.key, to.as_str().unwrap_or_default())
                })
                .collect();
            let then = if shifts.is_empty() { "nothing changes".to_owned() } else { shifts.join(", ") };
            writeln!(out, "      {}: {then}", outcome.answers.join(", "))?;
        }
    }
    Ok(())
}
