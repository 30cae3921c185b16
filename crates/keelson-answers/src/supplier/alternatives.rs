//! Who and what could take the place of a supplier.

use std::collections::BTreeSet;

use keelson_catalogue::CiIx;
use keelson_graph::{ItemIx, NeedIx};
use keelson_model::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, chain};
use crate::attributes::text;
use crate::impact::Assessment;
use crate::needs::{NeedRule, is_load};
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, Subject, item};

/// The supplier that was identified to take the place of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlternativeSupplier {
    /// Its key, as it is stated.
    pub key: String,
    /// Its name; absent where the catalogue does not know it.
    pub name: Option<String>,
    /// How much of it is lost with the other, from 0 (whole) to 1 (gone): only what is whole can take its place. Absent
    /// where it takes no part in analyses.
    pub loss: Option<f64>,
    /// Who stands in the chains of both, by key.
    pub shared: Vec<String>,
}

/// A need that lost members and has others that stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingIn {
    /// What has the need.
    pub of_item: Subject,
    /// The need, and its rule.
    #[serde(flatten)]
    pub need: NeedRule,
    /// The members that lost something, by key.
    pub lost: Vec<String>,
    /// The members that lost nothing, by key.
    pub standing: Vec<String>,
    /// Whether so many are enough; absent where members do not count alike.
    pub holds: Option<bool>,
}

/// The supplier that was identified to take the place of one; says where the catalogue does not know it.
pub(super) fn alternative(
    assessment: &Assessment,
    supplier: ItemIx,
    behind: &Chain,
    basis: &mut Basis,
) -> Option<AlternativeSupplier> {
    let view = assessment.view();
    let key = text(view, supplier, "alternative_supplier")?;
    let Ok(ix) = crate::find(&view.catalogue, &key) else {
        let message = format!("'{key}' is to take its place, and is not in the catalogue");
        basis.limit(LimitCode::FigureMissing, message);
        return Some(AlternativeSupplier { key, name: None, loss: None, shared: Vec::new() });
    };
    let own: BTreeSet<CiIx> = chain(view, &[ix]).links.iter().map(|(provider, _, _)| *provider).collect();
    let shared: BTreeSet<CiIx> =
        behind.links.iter().map(|(provider, _, _)| *provider).filter(|one| own.contains(one)).collect();
    Some(AlternativeSupplier {
        name: Some(view.catalogue.ci(ix).name().to_owned()),
        loss: view.graph.contains(item(ix)).then(|| assessment.impact().loss(item(ix))),
        shared: shared.into_iter().map(|one| view.catalogue.ci(one).key.to_string()).collect(),
        key,
    })
}

/// The needs that lost members and of which others stand, at any depth, by what has them.
pub(super) fn standing_in(assessment: &Assessment) -> Vec<StandingIn> {
    let (graph, impact) = (&assessment.view().graph, assessment.impact());
    let seeds = impact.seeds().iter().copied();
    let losing: BTreeSet<ItemIx> = seeds.chain(impact.affected().map(|one| one.item)).collect();
    let needs = losing.iter().flat_map(|one| graph.dependents(*one).counted().iter().copied());
    let needs: BTreeSet<NeedIx> = needs.collect();
    let mut lines: Vec<StandingIn> = needs.into_iter().filter_map(|need| line(assessment, need)).collect();
    lines.sort_by(|a, b| a.of_item.key.cmp(&b.of_item.key).then_with(|| a.need.name.cmp(&b.need.name)));
    lines
}

fn line(assessment: &Assessment, need: NeedIx) -> Option<StandingIn> {
    let view = assessment.view();
    let need = view.graph.need(need);
    if need.rule() == Rule::All || is_load(&need) {
        return None;
    }
    let (standing, lost): (Vec<ItemIx>, Vec<ItemIx>) =
        need.members.iter().partition(|one| assessment.impact().loss(**one) <= 0.0);
    if standing.is_empty() || lost.is_empty() {
        return None;
    }
    let keys = |items: &[ItemIx]| items.iter().map(|one| key_of(&view.catalogue, *one)).collect();
    Some(StandingIn {
        of_item: Subject::of(&view.catalogue, ci_of(need.owner())),
        need: NeedRule::of(&view.catalogue, &need),
        holds: need.required().map(|required| standing.len() >= required as usize),
        lost: keys(&lost),
        standing: keys(&standing),
    })
}
