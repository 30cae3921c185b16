//! The impact drawing: what is changed, what is lost by it, and why, in layers.
//!
//! Dependents stand above their dependencies. Alike items are drawn as one box with a count until the drawing has
//! few enough boxes ([`Drawing::max_boxes`]); what still finds no room is counted below the drawing. Every item is
//! drawn or counted. The state of an item is told by a word, a symbol and the style of the border; colour only
//! helps, and a black and white print loses nothing.
//!
//! [`Drawing::draw`] gives the picture, what it shows in words, and a [`Table`] of what each box holds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::{Cell, Figure, Id, Severity, Table};
use crate::svg::Svg;
use crate::text::plural;

mod fold;
mod layout;
mod order;
mod paint;

use fold::Folded;

/// What is to be drawn.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// What it is.
    pub title: String,
    /// How many boxes there may be; more items are folded. On A4, up to 40 can be read without effort.
    pub max_boxes: usize,
    items: Vec<Item>,
    relationships: Vec<Relationship>,
    by_id: BTreeMap<String, usize>,
    strangers: usize,
}

/// A configuration item to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What relationships call it; its key.
    pub id: String,
    /// What a reader calls it.
    pub label: String,
    /// Its CI class.
    pub class: String,
    /// What becomes of it.
    pub state: State,
    /// What it belongs to; items of the same group, class and state may be drawn as one.
    pub group: Option<String>,
}

/// A relationship to be drawn: *dependent needs dependency*.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    /// The id of the item that needs the other.
    pub dependent: String,
    /// The id of the item that is needed.
    pub dependency: String,
    /// The kind of relationship.
    pub label: Option<String>,
    /// Whether it is part of the proof of a loss.
    pub in_proof: bool,
    /// The need of the dependent that it belongs to, as `needs 2 of 3`.
    pub need: Option<String>,
}

impl Relationship {
    /// Says that one item needs another.
    pub fn new(dependent: impl Into<String>, dependency: impl Into<String>) -> Self {
        let (dependent, dependency) = (dependent.into(), dependency.into());
        Self { dependent, dependency, label: None, in_proof: false, need: None }
    }

    /// Makes it part of the proof.
    #[must_use]
    pub fn in_proof(mut self) -> Self {
        self.in_proof = true;
        self
    }

    /// Says which kind of relationship it is.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says which need of the dependent it belongs to.
    #[must_use]
    pub fn need(mut self, need: impl Into<String>) -> Self {
        self.need = Some(need.into());
        self
    }
}

/// What becomes of an item. The order is that of attention: what comes first is drawn last to be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is what the change alters.
    Changed,
    /// It is lost.
    Lost,
    /// It falls short of what was promised.
    Breached,
    /// It works less well.
    Degraded,
    /// It works, but nothing more may fail.
    AtRisk,
    /// It works, and meanwhile others rest on it alone.
    SinglePoint,
    /// It is reached, and redundancy holds it.
    Protected,
    /// It stands here to explain others.
    Neutral,
}

impl State {
    /// All of them, in the order of attention.
    pub const ALL: [Self; 8] = [
        Self::Changed,
        Self::Lost,
        Self::Breached,
        Self::Degraded,
        Self::AtRisk,
        Self::SinglePoint,
        Self::Protected,
        Self::Neutral,
    ];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Lost => "lost",
            Self::Breached => "breached",
            Self::Degraded => "degraded",
            Self::AtRisk => "margin lost",
            Self::SinglePoint => "single point",
            Self::Protected => "protected",
            Self::Neutral => "not affected",
        }
    }

    /// Returns the symbol for it in text; drawings have the same shape.
    pub fn symbol(self) -> char {
        match self {
            Self::Changed => '\u{25c6}',
            Self::Lost => '\u{2715}',
            Self::Breached => '\u{25bd}',
            Self::Degraded => '\u{2193}',
            Self::AtRisk => '!',
            Self::SinglePoint => '\u{25cb}',
            Self::Protected => '\u{2713}',
            Self::Neutral => '\u{2013}',
        }
    }

    /// Returns how much it matters, for tables beside the drawing.
    pub fn severity(self) -> Severity {
        match self {
            Self::Lost => Severity::Critical,
            Self::Breached => Severity::Serious,
            Self::Degraded | Self::AtRisk | Self::SinglePoint => Severity::Caution,
            Self::Protected => Severity::Good,
            Self::Changed | Self::Neutral => Severity::Information,
        }
    }
}

/// A finished drawing.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The picture.
    pub svg: Svg,
    /// What it is.
    pub title: String,
    /// What it shows, in a few sentences.
    pub description: String,
    /// The boxes of the picture, from the top left.
    pub boxes: Vec<DrawnBox>,
    /// The ids of the items that found no room; they are counted below the picture.
    pub left_out: Vec<String>,
}

/// A box of a finished drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnBox {
    /// What stands in it.
    pub label: String,
    /// The CI class of its items.
    pub class: String,
    /// What becomes of its items.
    pub state: State,
    /// The ids of its items.
    pub items: Vec<String>,
    /// What its items need, as it was given.
    pub needs: Vec<String>,
}

impl Drawing {
    /// Starts a drawing of at most 60 boxes.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            max_boxes: 60,
            items: Vec::new(),
            relationships: Vec::new(),
            by_id: BTreeMap::new(),
            strangers: 0,
        }
    }

    /// Sets how many boxes there may be, at least 2.
    #[must_use]
    pub fn max_boxes(mut self, boxes: usize) -> Self {
        self.max_boxes = boxes.max(2);
        self
    }

    /// Adds an item. One with the same id replaces it.
    pub fn item(&mut self, item: Item) {
        if let Some(&at) = self.by_id.get(&item.id) {
            self.items[at] = item;
            return;
        }
        self.by_id.insert(item.id.clone(), self.items.len());
        self.items.push(item);
    }

    /// Adds a relationship. Both ends must be there already; one with an end that is not is only counted.
    pub fn relationship(&mut self, relationship: Relationship) {
        let known = |id: &String| self.by_id.contains_key(id);
        if known(&relationship.dependent) && known(&relationship.dependency) {
            self.relationships.push(relationship);
        } else {
            self.strangers += 1;
        }
    }

    /// Returns the items in the order in which they were added.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let folded = fold::fold(self);
        let description = self.describe(&folded);
        let (svg, order) = paint::paint(self, &folded, &description);
        let ids = |members: &[usize]| members.iter().map(|&item| self.items[item].id.clone()).collect();
        let boxes = order.into_iter().map(|number| &folded.boxes[number]);
        let boxes = boxes.map(|one| DrawnBox {
            label: one.label.clone(),
            class: one.class.clone(),
            state: one.state,
            items: ids(&one.members),
            needs: one.needs.clone(),
        });
        let boxes = boxes.collect();
        Drawn { svg, title: self.title.clone(), description, boxes, left_out: ids(&folded.left_out) }
    }

    fn describe(&self, folded: &Folded) -> String {
        let count = plural(self.items.len(), "configuration item", "configuration items");
        let mut text = format!("{count} in {}", plural(folded.boxes.len(), "box", "boxes"));
        let states = counts_by_state(self.items.iter().map(|item| item.state));
        if !states.is_empty() {
            text = format!("{text}: {states}");
        }
        text.push_str(". Dependents stand above what they need.");
        if !folded.left_out.is_empty() {
            let left_out = counts_by_state(folded.left_out.iter().map(|&item| self.items[item].state));
            text = format!("{text} {} more found no room ({left_out}).", folded.left_out.len());
        }
        if self.strangers > 0 {
            let some = plural(self.strangers, "relationship", "relationships");
            text = format!("{text} {some} to items outside the drawing not shown.");
        }
        text
    }
}

impl Drawn {
    /// Returns the picture as a figure of a document.
    pub fn figure(&self, name: &str) -> Figure {
        let (title, description) = (self.title.clone(), self.description.clone());
        Figure { name: Id::new(name), title, description, svg: self.svg.clone() }
    }

    /// Returns what each box holds, for those who read rather than look.
    pub fn table(&self, name: &str) -> Table {
        let caption = format!("{}: what the boxes hold", self.title);
        let mut table = Table::new(name, caption)
            .naming_column("Box")
            .column("State")
            .column("Class")
            .number_column("Items")
            .column("Which")
            .column("Needs");
        for one in &self.boxes {
            let cells: [Cell; 6] = [
                one.label.as_str().into(),
                Cell::state(one.state),
                one.class.as_str().into(),
                one.items.len().to_string().into(),
                one.items.join(", ").into(),
                one.needs.join("; ").into(),
            ];
            table.push(None, cells);
        }
        if !self.left_out.is_empty() {
            let count = self.left_out.len().to_string().into();
            let cells: [Cell; 5] =
                ["not drawn for want of room".into(), "".into(), "".into(), count, self.left_out.join(", ").into()];
            table.push(None, cells);
        }
        table
    }
}

/// Returns `3 lost, 12 protected`, in the order of attention.
fn counts_by_state(states: impl Iterator<Item = State>) -> String {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for state in states {
        *counts.entry(state).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {}", state.word())).collect();
    parts.join(", ")
}
