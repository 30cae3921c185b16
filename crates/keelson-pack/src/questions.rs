//! What nobody knows: facts that decide, what was not stated, and what limits the answer.

use keelson_answers::impact::{ClassWord, DecisiveFacts, OutcomeLine};
use keelson_model::Effect;
use keelson_report::document::{Section, Text};

use crate::part::Part;
use crate::words::{NAMES, capital, count, names};

/// Questions that find room.
const MOST: usize = 20;

/// The section of open questions.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let answer = part.answer;
    let decisive = answer.certainty.as_ref().map_or(&[][..], |certainty| &certainty.decisive);
    let mut questions: Vec<Text> = decisive.iter().take(MOST).map(decides).collect();
    questions.extend(left_open(part));
    let section = part.section("questions", "Open questions");
    let section = match decisive.len().saturating_sub(MOST) {
        _ if questions.is_empty() => section.paragraph(format!("None ({}).", part.stamp())),
        0 => section.numbered(questions),
        left => section
            .numbered(questions)
            .paragraph(format!("{} more that decide are not shown.", count(left, "question", "questions"))),
    };
    if answer.basis.limits.is_empty() {
        return section.paragraph("Nothing limits the answer.");
    }
    let word = if answer.basis.complete { "complete; what it does not show" } else { "incomplete; what limits it" };
    section
        .paragraph(format!("The answer is {word}:"))
        .list(answer.basis.limits.iter().map(|limit| limit.message.as_str()))
}

/// A question with what its answers lead to.
fn decides(decisive: &DecisiveFacts) -> Text {
    let questions: Vec<&str> = decisive.facts.iter().map(|fact| fact.question.as_str()).collect();
    let mut text = Text::new().strong(capital(&questions.join(" and ")));
    let outcomes: Vec<String> = decisive.outcomes.iter().map(outcome).collect();
    if !outcomes.is_empty() {
        text = text.plain(format!(" {}.", outcomes.join("; ")));
    }
    text
}

fn outcome(outcome: &OutcomeLine) -> String {
    let answers = outcome.answers.join(" and ");
    if outcome.shifts.is_empty() {
        return format!("{answers}: nothing changes");
    }
    let moved = outcome.shifts.iter().map(|shift| {
        let becomes = match shift.to {
            ClassWord::Protected => "is not breached",
            ClassWord::Possible => "may be breached",
            ClassWord::Certain => "is breached for certain",
        };
        format!("{} {becomes}", shift.key)
    });
    format!("{answers}: {}", names(moved, outcome.shifts.len(), NAMES))
}

/// What nobody has stated and a board needs.
fn left_open(part: &Part<'_>) -> Vec<Text> {
    let answer = part.answer;
    let mut open: Vec<Text> = Vec::new();
    if answer.change.window.is_none() {
        open.push("When is it to be done? Without a window there is no calendar and no collision to look at.".into());
    }
    if answer.change.rollback_minutes.is_none() && !answer.change.alterations.is_empty() {
        open.push("How long does backing out take? Nobody has stated it, so no time is set aside for it.".into());
    }
    let at_stake = || answer.services.iter().filter(|line| line.effect > Effect::Protected);
    let unowned: Vec<&str> =
        at_stake().filter(|line| line.owners.is_empty()).map(|line| line.subject.name.as_str()).collect();
    if !unowned.is_empty() {
        open.push(format!("Who speaks for {}? No owner is stated.", names(&unowned, unowned.len(), NAMES)).into());
    }
    if answer.risk.without_value > 0 {
        let services = count(answer.risk.without_value, "service", "services");
        open.push(format!("What does an hour cost without {services} at stake? No value is stated.").into());
    }
    if answer.risk.without_unavailability > 0 {
        let items = count(answer.risk.without_unavailability, "new single point", "new single points");
        open.push(format!("How often do {items} of failure fail? Nobody has stated it; they count as never.").into());
    }
    if answer.basis.stale > 0 {
        let items = count(answer.basis.stale, "item", "items");
        open.push(format!("Is the catalogue right? {items} it rests on were last seen too long ago.").into());
    }
    let unexamined =
        at_stake().filter(|line| line.effect == Effect::MarginLost && !line.single_points_examined).count();
    if unexamined > 0 {
        let services = count(unexamined, "service", "services");
        open.push(format!("Which failures would now breach {services} that lose redundancy? Nobody looked.").into());
    }
    open
}
