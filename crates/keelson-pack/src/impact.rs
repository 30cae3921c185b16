//! The impact drawing: what the request alters, and the way from there to the services at stake.

use keelson_answers::change::{Picture, PictureEdge, PictureNode, PictureState};
use keelson_model::Effect;
use keelson_report::document::{Cell, Section, Table};
use keelson_report::drawing::{Drawing, DrawnBox, Item, Relationship, State};

use crate::part::Part;
use crate::summary;
use crate::words::{count, names};

/// Boxes of a drawing; more cannot be read on A4.
const MOST_BOXES: usize = 40;
/// Items of a box that are named.
const MOST_NAMES: usize = 12;

/// The section with the drawing.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let section = part.section("impact", "Impact drawing");
    let Some(picture) = part.picture else {
        return section.paragraph("No drawing was made for this document.");
    };
    if picture.nodes.is_empty() {
        return section.paragraph("Nothing to draw: no service is at stake, and nothing known is altered.");
    }
    let drawn = drawing(part, picture).draw();
    let mut section = section.block(drawn.figure(&part.file("impact")));
    let listed = part.answer.services.iter().filter(|line| line.effect > Effect::Protected).count();
    let at_stake = summary::at_stake(part.answer);
    if listed < at_stake {
        let text = format!("It is drawn from the {listed} services that the answer lists, of {at_stake} at stake.");
        section = section.paragraph(text);
    }
    if picture.left_out > 0 {
        let items = count(picture.left_out, "item belongs", "items belong");
        section = section.paragraph(format!("{items} to it that the drawing does not hold at all."));
    }
    if picture.edges_left_out > 0 {
        let needs = count(picture.edges_left_out, "need", "needs");
        section = section.paragraph(format!("{needs} between its items are not drawn; none is part of a proof."));
    }
    let caption = format!("What the boxes hold ({})", part.stamp());
    let mut table = Table::new(&part.file("impact-boxes"), caption)
        .naming_column("Box")
        .column("State")
        .column("Class")
        .number_column("Items")
        .column("Which")
        .column("Needs");
    for one in &drawn.boxes {
        table.push(None, row(one));
    }
    section = section.block(table);
    match drawn.left_out.len() {
        0 => section,
        left => section.paragraph(format!(
            "{} found no room in the drawing: {}.",
            count(left, "item", "items"),
            names(&drawn.left_out, left, MOST_NAMES)
        )),
    }
}

fn row(one: &DrawnBox) -> [Cell; 6] {
    [
        one.label.as_str().into(),
        Cell::state(one.state),
        one.class.as_str().into(),
        one.items.len().to_string().into(),
        names(&one.items, one.items.len(), MOST_NAMES).into(),
        names(&one.needs, one.needs.len(), 4).into(),
    ]
}

fn drawing(part: &Part<'_>, picture: &Picture) -> Drawing {
    let title = format!("What {} reaches, revision {}", part.key(), picture.revision.0);
    let mut drawing = Drawing::new(title).max_boxes(MOST_BOXES);
    for node in &picture.nodes {
        drawing.item(item(node));
    }
    for edge in &picture.edges {
        drawing.relationship(relationship(edge));
    }
    drawing
}

fn item(node: &PictureNode) -> Item {
    let remark = match (node.is_certain, node.is_down_anyway) {
        (true, false) => "",
        (true, true) => " (down anyway)",
        (false, false) => " (at worst)",
        (false, true) => " (down anyway, at worst)",
    };
    Item {
        id: node.subject.key.clone(),
        label: format!("{}{remark}", node.subject.name),
        class: node.subject.class.clone(),
        state: match node.state {
            PictureState::Altered => State::Changed,
            PictureState::Lost => State::Lost,
            PictureState::Breached => State::Breached,
            PictureState::Degraded => State::Degraded,
            PictureState::MarginLost => State::AtRisk,
            PictureState::SinglePoint => State::SinglePoint,
            PictureState::Protected => State::Protected,
            PictureState::NotAffected => State::Neutral,
        },
        group: None,
    }
}

fn relationship(edge: &PictureEdge) -> Relationship {
    let relationship = Relationship::new(edge.dependent.as_str(), edge.dependency.as_str());
    let relationship = if edge.is_in_proof { relationship.in_proof() } else { relationship };
    match &edge.rule {
        Some(rule) => relationship.need(format!("{}: {rule}", edge.need)),
        None => relationship.label(edge.need.as_str()),
    }
}
