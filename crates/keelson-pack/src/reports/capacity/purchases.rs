//! The cheapest purchases that carry everything for a time.

use keelson_answers::capacity::{CapacityAnswer, PurchaseLine, ShortLine};
use keelson_report::document::{Section, Table};

use super::{amount, months};
use crate::reports::amounts;
use crate::words::{count, item};

/// What to buy, and what it costs together.
pub(super) fn purchases(answer: &CapacityAnswer) -> Section {
    let found = &answer.purchases;
    let lasts = months(found.lasts_months);
    let mut section = Section::new("What to buy together");
    if found.purchase_count == 0 && found.unrelieved_count == 0 {
        section = section.paragraph(format!("Nothing has to be bought to carry the demand for {lasts}."));
    } else if found.purchase_count == 0 {
        section = section.paragraph("Nothing can be told: what falls short states no step of buying.");
    } else {
        let more = if found.without_cost_count == 0 {
            String::new()
        } else {
            format!("; {} of them state no cost, so it is more", found.without_cost_count)
        };
        section = section.paragraph(format!(
            "To carry the demand for {lasts}, with a server lost where their number is stated, there is to be more of {}. \
             That costs {}{more}.",
            count(found.purchase_count, "resource", "resources"),
            amounts(&found.cost)
        ));
        section = section.block(table(&found.purchases));
    }
    if found.unrelieved_count > 0 {
        let told = found.unrelieved.iter().map(short).collect::<Vec<_>>();
        let first = if told.len() < found.unrelieved_count {
            format!(" The first {} of {}.", told.len(), found.unrelieved_count)
        } else {
            String::new()
        };
        section = section
            .paragraph(format!("Falling short, without a stated step of buying, so not in the sum:{first}"))
            .list(told);
    }
    if found.ending_redundancy_count > 0 {
        section = section.paragraph(format!(
            "Needs of several members that lose their redundancy by then: {}; what another member costs is not in the sum.",
            found.ending_redundancy_count
        ));
    }
    section
}

fn table(lines: &[PurchaseLine]) -> Table {
    let mut table = Table::new("purchases", "Purchases, those to be decided on first")
        .naming_column("Resource")
        .number_column("Steps")
        .number_column("More of it")
        .number_column("Cost")
        .column("Needed for");
    for one in lines {
        let why = if one.is_for_redundancy { "a server lost" } else { "the load" };
        table.push(
            None,
            [
                item(&one.subject).into(),
                one.steps.to_string().into(),
                amount(&one.adds).into(),
                amounts(one.cost.as_slice()).into(),
                why.into(),
            ],
        );
    }
    table
}

fn short(one: &ShortLine) -> String {
    format!("{}: {} more", one.subject.key, amount(&one.short))
}
