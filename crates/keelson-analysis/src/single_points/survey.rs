//! What each item takes down alone, weighted by what that is worth.

use std::{cmp::Reverse, ops::ControlFlow};

use keelson_graph::{ItemIx, Snapshot};

use super::{Asked, Cut, Pass, Question, SinglePoints, visit};
use crate::AnalysisError;

/// An item whose failure is worth something, usually a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// The item.
    pub item: ItemIx,
    /// What its failure costs, in any unit; 1 to count.
    pub value: f64,
}

/// What is kept of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What each item takes down alone, and the single points of every watched item. Their words
    /// count towards [`Question::max_live`].
    Points,
    /// Only what each item takes down alone.
    Felling,
}

/// What the failure of one item takes down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Felling {
    /// The item.
    pub item: ItemIx,
    /// How many watched items fail with it; itself is not counted.
    pub felled: u32,
    /// What they are worth together.
    pub value: f64,
}

/// Who can take down what, alone.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    watched: Vec<ItemIx>,
    /// The single points of each watched item, in the order given; empty unless they were to be kept.
    pub points: Vec<SinglePoints>,
    /// The items that take something down alone, those that are worth most first, then those that
    /// fell most items, then by number.
    pub felling: Vec<Felling>,
    /// What the walk did. If it was cut, watched items may be missing from every figure.
    pub pass: Pass,
}

impl Survey {
    /// The watched items that an item takes down alone, in the order given. Only known where the
    /// single points were kept.
    pub fn felled_by(&self, item: ItemIx) -> impl Iterator<Item = ItemIx> + '_ {
        let watched = self.watched.iter().zip(&self.points);
        watched.filter(move |(_, points)| points.items.binary_search(&item).is_ok()).map(|(watched, _)| *watched)
    }
}

/// Finds the single points of watched items in one walk, and what each item takes down alone.
///
/// # Errors
/// As [`visit`].
pub fn survey(
    snapshot: &Snapshot,
    watched: &[Watched],
    keep: Keep,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<Survey, AnalysisError> {
    let items: Vec<ItemIx> = watched.iter().map(|watched| watched.item).collect();
    let asked = Asked::new(&items);
    let mut points = vec![SinglePoints::cut(); if keep == Keep::Points { items.len() } else { 0 }];
    // By place in the walk, where what is felled together lies together.
    let (mut felled, mut order) = (vec![(0_u32, 0.0_f64); snapshot.items()], Vec::new());
    let mut kept = 0;
    let mut pass = visit(snapshot, items.iter().copied(), question, seeds, |found| {
        order.push(found.item());
        for at in asked.places(found.item()) {
            for point in found.places() {
                let (count, value) = &mut felled[point];
                *count += 1;
                *value += watched[at].value;
            }
            if let Some(points) = points.get_mut(at) {
                *points = found.to_points();
                kept += points.items.len();
            }
        }
        if kept > question.max_live { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if pass.cut == Some(Cut::Visitor) {
        pass.cut = Some(Cut::Live);
    }
    pass.most_live += kept;
    let fell = order.into_iter().zip(felled).filter(|(_, (felled, _))| *felled > 0);
    let mut felling: Vec<Felling> = fell.map(|(item, (felled, value))| Felling { item, felled, value }).collect();
    felling.sort_by(|a, b| {
        b.value.total_cmp(&a.value).then_with(|| (Reverse(a.felled), a.item).cmp(&(Reverse(b.felled), b.item)))
    });
    Ok(Survey { watched: items, points, felling, pass })
}
