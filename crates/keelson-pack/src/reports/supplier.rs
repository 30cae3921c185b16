//! Reports about suppliers: what falls over with one, and concentration.

use keelson_answers::attributes::Money;
use keelson_answers::supplier::chain::CircleLine;
use keelson_answers::supplier::concentration::{ConcentrationAnswer, Place, ShareLine};
use keelson_answers::supplier::loss::{ContractLine, SupplierLossAnswer, TouchedService};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::availability::nines;
use super::{Frame, amounts, limits, proof};
use crate::words::{NAMES, count, item, names, percent};

/// The supplier report: chain, touches, degrades, falls over, contracts and alternatives.
#[must_use]
pub fn supplier_loss(answer: &SupplierLossAnswer, frame: &Frame) -> Document {
    let name = &answer.supplier.name;
    let mut document = frame.document(format!("Loss of {name}"), &answer.basis);
    document.push(loss_summary(answer));
    document.push(touched("falls-over", "Falls over", &answer.falls_over, "No service falls over."));
    document.push(touched("degraded", "Is degraded", &answer.degraded, "No service is degraded."));
    document.push(holds(answer));
    if let Some(found) = &answer.place {
        document.push(place(found));
    }
    document.push(alternatives(answer));
    document.push(chain(answer));
    document.push(contracts(answer, frame));
    let proved: Vec<&TouchedService> =
        answer.falls_over.iter().chain(&answer.degraded).filter(|one| !one.proof.is_empty()).collect();
    if !proved.is_empty() {
        let mut section = Section::new("Why").paragraph("Each line is explained by the deeper ones below it.");
        for one in proved {
            section = section.block(proof(&one.proof));
        }
        document.push(section);
    }
    document.push(limits(&answer.basis));
    document
}

fn loss_summary(answer: &SupplierLossAnswer) -> Section {
    let name = &answer.supplier.name;
    let touched = count(answer.touched_count, "service", "services");
    let (severity, sentence) = match (answer.falls_over_count, answer.degraded_count) {
        (0, 0) => (Severity::Good, format!("{touched} rest on {name}; none falls over with it, and none is degraded.")),
        (0, degraded) => {
            (Severity::Caution, format!("{touched} rest on {name}; {degraded} of them would be degraded."))
        }
        (fallen, 0) => (Severity::Critical, format!("{touched} rest on {name}; {fallen} of them would fall over.")),
        (fallen, degraded) => (
            Severity::Critical,
            format!("{touched} rest on {name}; {fallen} would fall over and {degraded} be degraded."),
        ),
    };
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    if !answer.value_per_hour.is_empty() {
        section =
            section.paragraph(format!("An hour without what falls over costs {}.", amounts(&answer.value_per_hour)));
    }
    if !answer.may_fall_over.is_empty() {
        let keys: Vec<&str> = answer.may_fall_over.iter().map(|one| one.key.as_str()).collect();
        let text = format!("May fall over as well, depending on unknown facts: {}.", names(&keys, keys.len(), NAMES));
        section = section.paragraph(text);
    }
    let months = answer.substitution_months.map(|months| format!("replacing it takes {months} months"));
    let plan = match (answer.exit_plan, answer.exit_plan_tested) {
        (Some(true), Some(at)) => format!("the exit plan was last exercised on {}", at.format("%Y-%m-%d")),
        (Some(true), None) => "there is an exit plan, which nobody exercised".to_owned(),
        (Some(false), _) => "there is no exit plan".to_owned(),
        (None, _) => "nobody says whether there is an exit plan".to_owned(),
    };
    let months = months.unwrap_or_else(|| "nobody says how long replacing it takes".to_owned());
    section.paragraph(format!("{}; {plan}.", crate::words::capital(&months)))
}

fn touched(file: &str, title: &str, lines: &[TouchedService], none: &str) -> Section {
    let section = Section::new(title);
    if lines.is_empty() {
        return section.paragraph(none);
    }
    let mut table = Table::new(file, format!("{title}, every need as it is written"))
        .naming_column("Service")
        .column("Criticality")
        .number_column("Lost")
        .number_column("Value of an hour");
    for one in lines {
        let criticality =
            one.criticality.map_or_else(|| "not stated".to_owned(), |criticality| criticality.to_string());
        let value = amounts(one.value_per_hour.as_slice());
        table.push(None, [item(&one.subject).into(), criticality.into(), percent(one.loss).into(), value.into()]);
    }
    section.block(table)
}

fn holds(answer: &SupplierLossAnswer) -> Section {
    let section = Section::new("Is touched and holds");
    if answer.holds.is_empty() {
        return section.paragraph("No service is touched and holds.");
    }
    let mut table =
        Table::new("holds", "What holds each service: the alternatives").naming_column("Service").column("Held by");
    for one in &answer.holds {
        let held: Vec<String> = one
            .held_by
            .iter()
            .map(|by| {
                let of = by.of_item.as_ref().map(|key| format!(" of {key}")).unwrap_or_default();
                let margin = by.margin.map(|margin| format!(", {margin} more may fail")).unwrap_or_default();
                format!("'{}'{of}: {} of {} up{margin}", by.need.name, by.up, by.need.of)
            })
            .collect();
        let held = if held.is_empty() { "no need of it lost a member".to_owned() } else { held.join("; ") };
        table.push(None, [item(&one.subject).into(), held.into()]);
    }
    section.block(table)
}

/// Where it stands among all suppliers.
fn place(place: &Place) -> Section {
    let line = &place.line;
    let of = count(place.supplier_count, "supplier", "suppliers");
    let rank = place.rank.map_or_else(
        || format!("Its rank among {of} is not known."),
        |rank| format!("By what would fall with each, it has rank {rank} of {of}."),
    );
    let share = |share: Option<f64>| share.map_or_else(|| "not stated".to_owned(), percent);
    let mut table = Table::new("place", "How much rests on it and is paid to it")
        .naming_column("What")
        .number_column("Amount")
        .number_column("Share");
    let critical = count(place.critical_count, "critical service", "critical services");
    table.push(
        None,
        [
            "Critical services that fall over".into(),
            format!("{} of {critical}", line.felled_count).into(),
            percent(line.share).into(),
        ],
    );
    table.push(None, ["Their value of an hour".into(), "".into(), share(line.value_share).into()]);
    table.push(None, ["Critical services touched".into(), line.touched_count.to_string().into(), "".into()]);
    table.push(None, ["Paid a year".into(), paid(line).into(), paid_share(line).into()]);
    Section::new("Place in the concentration").paragraph(rank).block(table)
}

/// Who and what could take its place.
fn alternatives(answer: &SupplierLossAnswer) -> Section {
    let mut section = Section::new("Alternatives").block(alternative(answer));
    let hard = answer.substitutability.as_deref().unwrap_or("not stated");
    let months = answer.substitution_months.map_or_else(|| "not stated".to_owned(), |months| format!("{months}"));
    let left = answer.place.as_ref().and_then(|place| place.line.months_left);
    let left = left.map_or_else(|| "not known".to_owned(), |left| format!("{left:.1}"));
    let text = format!(
        "How hard it would be to replace: {hard}; months it would take: {months}; months until the first contract ends or \
         runs out: {left}."
    );
    section = section.paragraph(text);
    if answer.standing_in.is_empty() {
        return section.paragraph("No item stands in for what is lost.");
    }
    let mut table = Table::new("standing-in", "Items that stand in for what is lost, need by need")
        .naming_column("Of")
        .column("Need")
        .column("Enough")
        .column("Stand")
        .column("Lost");
    for one in &answer.standing_in {
        let enough = match one.holds {
            Some(true) => Cell::mark(Severity::Good, "yes"),
            Some(false) => Cell::mark(Severity::Serious, "no"),
            None => Cell::from("as much as they weigh"),
        };
        table.push(
            None,
            [
                item(&one.of_item).into(),
                one.need.name.as_str().into(),
                enough,
                names(&one.standing, one.standing.len(), NAMES).into(),
                names(&one.lost, one.lost.len(), NAMES).into(),
            ],
        );
    }
    section.block(table)
}

/// The supplier that is to take its place.
fn alternative(answer: &SupplierLossAnswer) -> Note {
    let Some(other) = &answer.alternative else {
        return Note { severity: Severity::Caution, text: "No supplier is identified to take its place.".into() };
    };
    let name = other.name.as_ref().unwrap_or(&other.key);
    let shared = names(&other.shared, other.shared.len(), NAMES);
    let (severity, text) = match other.loss {
        _ if other.name.is_none() => {
            (Severity::Serious, format!("{name} is to take its place, and is not in the catalogue."))
        }
        None => (Severity::Serious, format!("{name} is to take its place, and is not in service.")),
        Some(loss) if loss > 0.0 => {
            (Severity::Serious, format!("{name} is to take its place, and {} of it is lost as well.", percent(loss)))
        }
        Some(_) if !other.shared.is_empty() => (
            Severity::Caution,
            format!("{name} is to take its place, and works with the same sub-contractors: {shared}."),
        ),
        Some(_) => (Severity::Good, format!("{name} is to take its place, and stands without it.")),
    };
    Note { severity, text: text.into() }
}

fn chain(answer: &SupplierLossAnswer) -> Section {
    let mut table = Table::new("chain", "Who works for it, at which rank")
        .number_column("Rank")
        .naming_column("Provider")
        .column("Works for");
    for one in &answer.chain {
        let recipient = one.recipient.as_deref().unwrap_or("us, or whoever names it");
        table.push(None, [one.rank.to_string().into(), item(&one.provider).into(), recipient.into()]);
    }
    let known = answer.chain_known_to_rank.map_or_else(
        || "Nobody says down to which rank the chain is known: there may be more behind it.".to_owned(),
        |rank| format!("The chain is known down to rank {rank}."),
    );
    let mut section = Section::new("Chain of sub-contractors").paragraph(known).block(table);
    if !answer.circles.is_empty() {
        let circle = |one: &CircleLine| format!("{} passes work on to {}", one.recipient, one.provider);
        let circles: Vec<String> = answer.circles.iter().map(circle).collect();
        let text =
            format!("Circles, work that comes back to who passed it on: {}.", names(&circles, circles.len(), NAMES));
        section = section.block(Note { severity: Severity::Serious, text: text.into() });
    }
    if answer.works_for.is_empty() {
        return section;
    }
    section.paragraph(format!("It is a sub-contractor of {}.", names(&answer.works_for, answer.works_for.len(), NAMES)))
}

fn contracts(answer: &SupplierLossAnswer, frame: &Frame) -> Section {
    let section = Section::new("Contracts");
    if answer.contracts.is_empty() {
        return section.paragraph("No contract is signed with it.");
    }
    let mut table = Table::new("contracts", "Contracts with it")
        .naming_column("Contract")
        .column("State")
        .column("Ends")
        .number_column("Notice we give")
        .number_column("Notice it gives")
        .number_column("Promises")
        .column("Runs out");
    for one in &answer.contracts {
        let days = |days: Option<f64>| days.map_or_else(|| "not stated".to_owned(), |days| format!("{days} days"));
        let state = if one.has_ended {
            Cell::mark(Severity::Serious, "has ended")
        } else {
            Cell::mark(Severity::Good, "in force")
        };
        table.push(
            None,
            [
                item(&one.subject).into(),
                state,
                one.end.map_or_else(|| "not stated".to_owned(), |end| frame.day(end)).into(),
                days(one.notice_days).into(),
                days(one.supplier_notice_days).into(),
                one.target.map_or_else(|| "no target stated".to_owned(), nines).into(),
                runs_out(one, frame),
            ],
        );
    }
    section.block(table)
}

/// When something that rests on a contract runs out, against the end of the contract.
fn runs_out(one: &ContractLine, frame: &Frame) -> Cell {
    let (Some(at), Some(what)) = (one.runs_out_at, &one.runs_out) else { return Cell::from("not known") };
    let text = format!("{what} on {}", frame.day(at));
    match one.runs_out_first {
        Some(true) => Cell::mark(Severity::Caution, format!("{text}, before it ends")),
        _ => Cell::from(text),
    }
}

/// The report about concentration: how much rests on few suppliers.
#[must_use]
pub fn concentration(answer: &ConcentrationAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Concentration of suppliers", &answer.basis);
    document.push(concentration_summary(answer));
    document.push(shares("suppliers", "By supplier", &answer.suppliers));
    document.push(shares("owners", "By ultimate owner", &answer.owners));
    document.push(shares("countries", "By country", &answer.countries));
    document.push(shares("regions", "By region", &answer.regions));
    document.push(pairs(answer));
    document.push(spend(answer));
    document.push(limits(&answer.basis));
    document
}

fn concentration_summary(answer: &ConcentrationAnswer) -> Section {
    let of = count(answer.critical_count, "critical service", "critical services");
    let (severity, sentence) = match answer.suppliers.first() {
        None => (Severity::Caution, "The catalogue names no supplier.".to_owned()),
        Some(first) if first.felled_count == 0 => (Severity::Good, format!("No single supplier fells one of {of}.")),
        Some(first) => {
            let paid = first.spend.as_ref().map_or_else(
                || "nothing is paid to it directly".to_owned(),
                |paid| format!("{} a year are paid to it", crate::words::money(paid.amount, &paid.currency)),
            );
            let severity = if first.share >= 0.5 { Severity::Critical } else { Severity::Serious };
            (severity, {
                let verb = if first.felled_count == 1 { "falls" } else { "fall" };
                format!("With {}, {} of {of} {verb} over; {paid}.", first.name, first.felled_count)
            })
        }
    };
    let section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    section.paragraph("Suppliers are ranked by what would fall with them, not by what is paid to them.")
}

fn shares(file: &str, title: &str, lines: &[ShareLine]) -> Section {
    let section = Section::new(title);
    if lines.is_empty() {
        return section.paragraph("Nothing states it.");
    }
    let mut table = Table::new(file, format!("{title}: what falls when all of it is lost"))
        .naming_column("Name")
        .number_column("Suppliers")
        .number_column("Felled")
        .number_column("Of the critical")
        .number_column("Of their value")
        .number_column("Touched")
        .number_column("Paid a year")
        .number_column("Of all paid")
        .number_column("Months to replace it")
        .number_column("Months left")
        .column("Which");
    for one in lines {
        let share = |share: Option<f64>| share.map_or_else(|| "not stated".to_owned(), percent);
        let months =
            |months: Option<f64>| months.map_or_else(|| "not known".to_owned(), |months| format!("{months:.1}"));
        let severity = if one.felled_count > 0 { Severity::Serious } else { Severity::Good };
        table.push(
            Some(severity),
            [
                one.name.as_str().into(),
                one.suppliers.len().to_string().into(),
                one.felled_count.to_string().into(),
                percent(one.share).into(),
                share(one.value_share).into(),
                one.touched_count.to_string().into(),
                paid(one).into(),
                paid_share(one).into(),
                months(one.substitution_months).into(),
                match one.is_replaceable_in_time {
                    Some(false) => Cell::mark(Severity::Serious, months(one.months_left)),
                    _ => months(one.months_left).into(),
                },
                names(&one.felled, one.felled_count, NAMES).into(),
            ],
        );
    }
    section.block(table)
}

/// What is paid, currency by currency.
fn paid(one: &ShareLine) -> String {
    let all: Vec<Money> = one.spend.iter().chain(one.other_spend.iter().map(|other| &other.paid)).cloned().collect();
    amounts(&all)
}

/// The share of all that is paid in each currency; which currency is said where there are several.
fn paid_share(one: &ShareLine) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "not stated".to_owned(), percent);
    let Some(spend) = one.spend.as_ref().filter(|_| !one.other_spend.is_empty()) else { return share(one.spend_share) };
    let others = one.other_spend.iter().map(|other| (other.share, &other.paid));
    let all = [(one.spend_share, spend)].into_iter().chain(others);
    all.map(|(part, paid)| format!("{} of {}", share(part), paid.currency)).collect::<Vec<_>>().join(", ")
}

fn pairs(answer: &ConcentrationAnswer) -> Section {
    let section = Section::new("Two at once");
    if answer.pairs.is_empty() {
        return section.paragraph("No two suppliers fell together what neither fells alone.");
    }
    let mut table = Table::new("pairs", "Suppliers that fell together what neither fells alone")
        .naming_column("Suppliers")
        .number_column("Felled")
        .column("Which");
    for one in &answer.pairs {
        let felled = names(&one.felled, one.felled.len(), NAMES);
        table.push(None, [one.suppliers.join(" and ").into(), one.felled.len().to_string().into(), felled.into()]);
    }
    section.block(table)
}

fn spend(answer: &ConcentrationAnswer) -> Section {
    let section = Section::new("Spend").paragraph(
        "The Herfindahl\u{2013}Hirschman index is the sum of the squared shares in percent, up to 10 000. Above 1 800 counts as \
         highly concentrated; that limit is to be confirmed against the official text.",
    );
    if answer.spend.is_empty() {
        return section.paragraph("No supplier states what is paid to it.");
    }
    let mut table = Table::new("spend", "What is paid to suppliers in a year")
        .naming_column("Currency")
        .number_column("Total")
        .number_column("Suppliers")
        .number_column("Index");
    for one in &answer.spend {
        table.push(
            None,
            [
                one.total.currency.as_str().into(),
                crate::words::money(one.total.amount, &one.total.currency).into(),
                one.suppliers.to_string().into(),
                format!("{:.0}", one.hhi).into(),
            ],
        );
    }
    section.block(table)
}
