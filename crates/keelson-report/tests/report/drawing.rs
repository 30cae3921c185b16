//! Drawings of estates of every size.

use std::collections::BTreeSet;

use keelson_report::drawing::{Drawing, Drawn, Relationship, State};
use proptest::prelude::*;

use crate::sample;

/// Every item is in just one box, or counted as left out.
fn check(drawing: &Drawing) -> Drawn {
    let drawn = drawing.draw();
    let mut seen: Vec<&String> = drawn.boxes.iter().flat_map(|one| &one.items).chain(&drawn.left_out).collect();
    seen.sort_unstable();
    let mut all: Vec<&String> = drawing.items().iter().map(|item| &item.id).collect();
    all.sort_unstable();
    assert_eq!(seen, all);
    assert!(drawn.boxes.len() <= drawing.max_boxes.max(1));
    for one in &drawn.boxes {
        let of_box = drawing.items().iter().filter(|item| one.items.contains(&item.id));
        assert!(of_box.into_iter().all(|item| item.state == one.state && item.class == one.class));
    }
    assert_eq!(drawing.draw().svg, drawn.svg);
    drawn
}

/// Services on applications on machines on hosts on switches; hosts of the first rack are changed.
pub(crate) fn large(items: usize) -> Drawing {
    let mut drawing = Drawing::new("A large estate");
    let classes = ["service", "application", "virtual-machine", "hypervisor", "network-switch"];
    let share = [1, 2, 5, 1, 1];
    let mut layers: Vec<Vec<String>> = Vec::new();
    for (class, share) in classes.iter().zip(share) {
        let count = (items * share / 10).max(1);
        layers.push((0..count).map(|number| format!("{class}-{number}")).collect());
        for (number, id) in layers.last().unwrap().iter().enumerate() {
            let state = match (*class, number % 7) {
                ("hypervisor", 0) => State::Changed,
                ("virtual-machine", 0 | 1) => State::Lost,
                ("application", 0) => State::Degraded,
                ("service", 0) => State::Breached,
                ("service", 3) => State::AtRisk,
                (_, 2) => State::Protected,
                _ => State::Neutral,
            };
            let mut item = sample::item(id, class, state);
            item.group = Some(format!("rack {}", number % 9));
            drawing.item(item);
        }
    }
    for (upper, lower) in layers.iter().zip(layers.iter().skip(1)) {
        for (number, id) in upper.iter().enumerate() {
            for step in 0..3 {
                let to = &lower[(number * 3 + step * step * 7) % lower.len()];
                let mut one = Relationship::new(id, to).need("needs 2 of 3");
                one.in_proof = number % 7 == 0 && step == 0;
                drawing.relationship(one);
            }
        }
    }
    drawing
}

#[test]
fn a_small_estate_is_drawn_as_it_is() {
    let drawing = sample::estate();
    let drawn = check(&drawing);
    assert_eq!(drawn.boxes.len(), drawing.items().len());
    assert!(drawn.left_out.is_empty());
}

#[test]
fn alike_items_share_a_box() {
    let mut drawing = Drawing::new("pool").max_boxes(4);
    drawing.item(sample::item("pool", "pool", State::AtRisk));
    for number in 0..12 {
        drawing.item(sample::item(&format!("vm{number}"), "virtual-machine", State::Protected));
        drawing.relationship(Relationship::new("pool", format!("vm{number}")));
    }
    drawing.item(sample::item("odd", "virtual-machine", State::Lost));
    drawing.relationship(Relationship::new("pool", "odd").in_proof());
    let drawn = check(&drawing);
    let labels: BTreeSet<&str> = drawn.boxes.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, BTreeSet::from(["pool", "12 \u{d7} virtual-machine", "odd"]));
}

#[test]
fn hundreds_of_items_fit() {
    for items in [100, 500, 3_000] {
        let drawn = check(&large(items));
        let size = (drawn.svg.width(), drawn.svg.height());
        assert!(size.0 < 2_600.0 && size.1 < 2_000.0, "{items} items give {size:?}");
    }
}

#[test]
fn five_hundred_boxes_can_be_had() {
    let drawing = large(500).max_boxes(600);
    assert!(check(&drawing).boxes.len() >= 495);
}

#[test]
fn what_finds_no_room_is_counted() {
    let mut drawing = Drawing::new("many kinds").max_boxes(10);
    for number in 0..153 {
        let state = if number < 3 { State::Lost } else { State::Neutral };
        drawing.item(sample::item(&format!("item {number}"), &format!("class {number}"), state));
    }
    let drawn = check(&drawing);
    assert_eq!((drawn.boxes.len(), drawn.left_out.len()), (10, 143));
    assert_eq!(drawn.boxes.iter().filter(|one| one.state == State::Lost).count(), 3);
    let markup = drawn.svg.markup(&keelson_report::document::Id::new("x"));
    assert!(markup.contains("and 143 more that found no room: 143 not affected"));
}

#[test]
fn nothing_can_be_drawn_too() {
    let drawn = check(&Drawing::new("nothing"));
    assert_eq!(drawn.description, "0 configuration items in 0 boxes. Dependents stand above what they need.");
}

#[test]
fn a_relationship_to_a_stranger_is_counted() {
    let mut drawing = Drawing::new("one");
    drawing.item(sample::item("a", "service", State::Neutral));
    drawing.relationship(Relationship::new("a", "b"));
    assert!(drawing.draw().description.contains("1 relationship to items outside the drawing not shown."));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_item_is_drawn_or_counted(
        kinds in prop::collection::vec((0..3_usize, 0..7_usize, prop::option::of(0..3_usize)), 0..60),
        edges in prop::collection::vec((0..60_usize, 0..60_usize, any::<bool>()), 0..120),
        most in 2..20_usize,
    ) {
        let mut drawing = Drawing::new("any").max_boxes(most);
        for (number, (class, state, group)) in kinds.iter().enumerate() {
            let mut item = sample::item(&number.to_string(), &format!("class {class}"), State::ALL[*state]);
            item.group = group.map(|group| group.to_string());
            drawing.item(item);
        }
        for (from, to, in_proof) in edges {
            let mut one = Relationship::new(from.to_string(), to.to_string());
            one.in_proof = in_proof;
            drawing.relationship(one);
        }
        check(&drawing);
    }
}
