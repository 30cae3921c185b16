//! The proof as text: an indented tree a person can follow.

use keelson_analysis::impact::{ProofLine, Reason};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assessment, key_of};
use crate::needs::{self, rule_in_words};

/// One line of a proof as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProofText {
    /// How far it is indented.
    pub depth: u32,
    /// The item.
    pub key: String,
    /// The item's loss.
    pub loss: f64,
    /// Why, in words: `web pool: needs 2 of 3`, `is hosted on host/hv2`.
    pub why: String,
    /// Whether its own reasons were shown further up.
    pub shown_above: bool,
}

/// The proof that an item lost something, in at most `most` lines, and whether it is longer. Empty
/// for an item that lost nothing.
#[must_use]
pub fn proof_lines(assessment: &Assessment, item: ItemIx, most: usize) -> (Vec<ProofText>, bool) {
    let graph = &assessment.view.graph;
    let Some(proof) = assessment.impact.proof(graph, item, most) else { return (Vec::new(), false) };
    let lines = proof.lines.iter().map(|line| text(assessment, line)).collect();
    (lines, proof.is_cut)
}

fn text(assessment: &Assessment, line: &ProofLine) -> ProofText {
    let catalogue = &assessment.view.catalogue;
    let why = match &line.reason {
        Reason::Seed => "lost by the question".to_owned(),
        Reason::Need { need, because } => {
            let view = assessment.view.graph.need(*need);
            let (name, _) = needs::title(catalogue, &view);
            let members: Vec<String> = because.iter().map(|member| key_of(catalogue, *member)).collect();
            let of = u32::try_from(view.members.len()).unwrap_or(u32::MAX);
            let mut why = if of == 1 {
                format!("{name} <- {}", members.join(", "))
            } else {
                format!("{name}: {} <- {}", rule_in_words(&view.rule(), view.required(), of), members.join(", "))
            };
            if view.cap() < 1.0 {
                why.push_str(&format!(" (at most {:.0} %)", view.cap() * 100.0));
            }
            why
        }
    };
    ProofText {
        depth: line.depth,
        key: key_of(catalogue, line.item),
        loss: line.loss,
        why,
        shown_above: line.shown_above,
    }
}
