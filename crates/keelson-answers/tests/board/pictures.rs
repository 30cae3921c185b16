//! The part of the graph that a drawing of a request shows.

use keelson_answers::change::{Picture, PictureState};
use keelson_testkit::{Estate, hours};

fn drawn(estate: &Estate, key: &str, most: usize) -> Picture {
    estate.picture(&estate.assess(key), most)
}

fn states(picture: &Picture) -> Vec<(&str, PictureState)> {
    picture.nodes.iter().map(|node| (node.subject.name.as_str(), node.state)).collect()
}

#[test]
fn a_breach_is_drawn_with_its_proof() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    let picture = drawn(&estate, "H", 500);
    let states = states(&picture);
    assert_eq!(states[0], ("payments", PictureState::Breached));
    assert!(states.contains(&("hv2", PictureState::Altered)), "{states:?}");
    assert!(states.contains(&("web2", PictureState::Lost)) && states.contains(&("web3", PictureState::Lost)));
    let proof: Vec<(&str, &str)> = picture
        .edges
        .iter()
        .filter(|edge| edge.is_in_proof && edge.dependent == "service/payments")
        .map(|edge| (edge.dependency.as_str(), edge.rule.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        proof,
        [("software-instance/web2", "needs 2 of 3"), ("software-instance/web3", "needs 2 of 3")],
        "the need that gave way, with the members that tripped it"
    );
    assert_eq!((picture.left_out, picture.edges_left_out), (0, 0));
}

#[test]
fn what_holds_is_drawn_with_what_holds_it_and_the_new_single_points() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(22.0, 26.0)), 30);
    let picture = drawn(&estate, "A", 500);
    assert_eq!(
        states(&picture),
        [("payments", PictureState::MarginLost), ("dbA", PictureState::Altered), ("dbB", PictureState::SinglePoint)]
    );
    assert!(picture.edges.iter().all(|edge| edge.need == "db pair" && !edge.is_in_proof));
}

#[test]
fn every_edge_joins_two_items_and_what_finds_no_room_is_counted() {
    let mut estate = Estate::worked();
    estate.request("P", &["PowerCo"], Some(hours(1.0, 3.0)), 30);
    let whole = drawn(&estate, "P", 500);
    let cut = drawn(&estate, "P", 5);
    assert_eq!((cut.nodes.len(), cut.left_out), (5, whole.nodes.len() - 5));
    assert_eq!(cut.nodes[..], whole.nodes[..5]);
    for picture in [&whole, &cut] {
        let there = |key: &String| picture.nodes.iter().any(|node| node.subject.key == *key);
        assert!(picture.edges.iter().all(|edge| there(&edge.dependent) && there(&edge.dependency)));
    }
}
