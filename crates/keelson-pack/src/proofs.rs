//! Why services lose something, line by line, and what keeps up those that hold.

use keelson_answers::change::EffectLine;
use keelson_model::Effect;
use keelson_report::document::{Proof, Section, Text};

use crate::part::Part;
use crate::verdicts::{guards, held};
use crate::words::{count, done, effect, names, percent};

/// Services whose proof finds room.
const MOST: usize = 10;
/// Lines of a proof that find room.
const MOST_LINES: usize = 40;

/// The section of proofs.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let section = part.section("proofs", "Proofs");
    let losing: Vec<&EffectLine> = of(part, |line| line.effect >= Effect::Degraded);
    let thinner: Vec<&EffectLine> = of(part, |line| line.effect == Effect::MarginLost);
    let mut section = if losing.is_empty() {
        section.paragraph("Nothing to prove: no service goes down or works less well.")
    } else {
        let about = format!("Each line needs what is set in below it, down to what is taken ({}).", part.stamp());
        section.paragraph(about)
    };
    for line in losing.iter().take(MOST) {
        section = section.block(proof(part, line));
    }
    let summary = &part.answer.summary;
    let left = (summary.breached + summary.degraded).saturating_sub(losing.len().min(MOST));
    if left > 0 {
        section = section.paragraph(format!("The proofs of {} are not shown.", count(left, "service", "services")));
    }
    if thinner.is_empty() {
        return section;
    }
    section = section.paragraph("What keeps up the services that lose redundancy:");
    section = section.list(thinner.iter().take(MOST).map(|line| holds(part, line)));
    match summary.margin_lost.saturating_sub(thinner.len().min(MOST)) {
        0 => section,
        left => section
            .paragraph(format!("{} more that lose redundancy are not shown.", count(left, "service", "services"))),
    }
}

fn of<'a>(part: &Part<'a>, wanted: impl Fn(&EffectLine) -> bool) -> Vec<&'a EffectLine> {
    part.answer.services.iter().filter(|line| wanted(line)).collect()
}

fn proof(part: &Part<'_>, line: &EffectLine) -> Proof {
    let certain = if line.is_certain { "" } else { "at worst " };
    let head = Text::new().strong(line.subject.name.as_str()).plain(format!(
        " is {certain}{}{}",
        effect(line.effect),
        if line.loss > 0.0 && line.loss < 1.0 { format!(", {} lost", percent(line.loss)) } else { String::new() }
    ));
    let mut proof = Proof::new().line(0, head);
    if line.proof.is_empty() {
        proof.push(1, "as the needs are written it holds; unknown facts may turn out badly, see the open questions");
    }
    for step in line.proof.iter().take(MOST_LINES) {
        let depth = u16::try_from(step.depth).unwrap_or(u16::MAX).saturating_add(1);
        let mut text = Text::new().code(step.key.as_str()).plain(": ");
        text = match taken(part, &step.key).filter(|_| step.depth == 0 && line.because.is_none()) {
            Some(taken) => text.plain(taken),
            None => text.plain(step.why.as_str()),
        };
        if step.loss < 1.0 {
            text = text.plain(format!(", {} lost", percent(step.loss)));
        }
        if step.shown_above {
            text = text.emphasis(" (shown above)");
        }
        proof.push(depth, text);
    }
    if let Some(left) = line.proof.len().checked_sub(MOST_LINES).filter(|left| *left > 0) {
        proof.push(1, format!("{} more", count(left, "line", "lines")));
    }
    for end in ends(part, line) {
        proof.push(1, end);
    }
    proof
}

/// What a proof ends at: items that are altered, or down anyway.
fn ends(part: &Part<'_>, line: &EffectLine) -> Vec<Text> {
    let altered = part.answer.change.alterations.iter().map(|one| &one.subject.key);
    let down = part.answer.starting_state.iter().map(|one| &one.subject.key);
    let mut keys: Vec<&String> = altered.chain(down).filter(|key| **key != line.subject.key).collect();
    keys.dedup();
    let named = |key: &str| line.proof.iter().any(|step| step.why.split([' ', ',']).any(|word| word == key));
    let told = keys
        .into_iter()
        .filter(|key| named(key))
        .filter_map(|key| Some(Text::new().code(key.as_str()).plain(": ").plain(taken(part, key)?)));
    told.collect()
}

/// What takes an item, in words.
fn taken(part: &Part<'_>, key: &str) -> Option<String> {
    let change = &part.answer.change;
    if let Some(line) = change.alterations.iter().find(|line| line.subject.key == key) {
        return Some(format!("{} {}", done(&line.action), change.key));
    }
    let line = part.answer.starting_state.iter().find(|line| line.subject.key == key)?;
    let reference = line.reference.as_ref().map_or_else(String::new, |reference| format!(" {reference}"));
    Some(format!("down anyway, {}{reference}", line.kind.as_str()))
}

fn holds(part: &Part<'_>, line: &EffectLine) -> Text {
    let text = Text::new().strong(line.subject.name.as_str()).plain(": ");
    let guards: Vec<String> = guards(part, line).into_iter().map(held).collect();
    let text = match guards.len() {
        0 => text.plain("no need of it lost a member"),
        total => text.plain(crate::words::clauses(&guards, total, 3)),
    };
    let points = match (line.new_single_points.len(), line.single_points_examined) {
        (0, false) => "; new single points of failure were not looked for".to_owned(),
        (0, true) => "; no new single point of failure".to_owned(),
        (total, _) => format!("; new single points of failure: {}", names(&line.new_single_points, total, MOST)),
    };
    text.plain(points)
}
