//! Baselines compared with each other and with now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_answers::{Basis, Subject, baseline};
use keelson_catalogue::CiIx;
use keelson_model::{Baseline, CiId, Digest, Revision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{difference_between, trail};
use crate::{AsOf, Asked, Error, HistoryEntry, Keelson, RecordRef, View};

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The baseline, by name; absent for now.
    pub baseline: Option<String>,
    /// The revision.
    pub revision: Revision,
    /// When the baseline was taken.
    pub at: Option<DateTime<Utc>>,
    /// How many items it holds.
    pub items: usize,
    /// The digest of their state, as it was taken.
    pub digest: Option<String>,
    /// Whether what the log says today has that digest; absent where it was not checked.
    pub proven: Option<bool>,
}

/// How one item differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemDifference {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Whether it is held by the later side alone (`added`), by the earlier alone (`removed`), or by both.
    pub held: String,
    /// What happened to its record, its relationships and its needs in between, net, each with the commit
    /// of the last change.
    pub records: Vec<HistoryEntry>,
}

/// How two baselines differ, or a baseline and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselineComparison {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The earlier side.
    pub earlier: Side,
    /// The later side.
    pub later: Side,
    /// How many items differ.
    pub different: usize,
    /// Those that do, by key.
    pub items: Vec<ItemDifference>,
}

/// The records that make up the state of an item.
fn records_of(view: &View, ix: CiIx) -> Vec<RecordRef> {
    let slot = view.catalogue.slot(ix);
    let relationships = slot.dependencies.iter().map(|ix| RecordRef::Relationship(*ix));
    let needs = slot.needs.iter().map(|ix| RecordRef::Need(*ix));
    std::iter::once(RecordRef::Ci(ix)).chain(relationships).chain(needs).collect()
}

fn changed_since(view: &View, record: &RecordRef, since: Revision, until: Revision) -> bool {
    trail(view, record).iter().any(|at| since < at.revision() && at.revision() <= until)
}

impl Keelson {
    /// Compares a baseline of a view with another one, or with the view itself: with now.
    ///
    /// Costs a look at every item held, and reads of the log only for those that changed in between.
    ///
    /// # Errors
    /// When nobody knows a baseline; otherwise as the store fails.
    pub async fn compare_baselines(
        &self,
        view: &View,
        earlier: &str,
        later: Option<&str>,
        most: usize,
        asked: Asked,
    ) -> Result<Option<BaselineComparison>, Error> {
        let named = |name: &str| view.catalogue.find_baseline(name).map(|kept| std::sync::Arc::clone(&kept.record));
        let Some(mut first) = named(earlier) else { return Ok(None) };
        let mut second = match later {
            None => None,
            Some(name) => match named(name) {
                None => return Ok(None),
                found => found,
            },
        };
        if let Some(other) = &mut second
            && other.revision < first.revision
        {
            std::mem::swap(&mut first, other);
        }
        let (since, until) = (first.revision, second.as_ref().map_or(view.revision(), |second| second.revision));
        let held = held(&first, second.as_deref());
        let mut different = Vec::new();
        for (id, held) in held {
            let Some(ix) = view.catalogue.find_id(id) else { continue };
            let changed: Vec<RecordRef> =
                records_of(view, ix).into_iter().filter(|record| changed_since(view, record, since, until)).collect();
            if held != "both" || !changed.is_empty() {
                different.push((ix, held, changed));
            }
        }
        let mut items = Vec::new();
        let mut count = 0;
        for (ix, held, changed) in different {
            let mut records = Vec::new();
            for record in changed {
                records.extend(self.net_change(view, ix, &record, since, until).await?);
            }
            // What came and went in between, or was merely seen again, is no difference.
            if records.is_empty() && held == "both" {
                continue;
            }
            count += 1;
            if items.len() < most {
                items.push(ItemDifference {
                    subject: Subject::of(&view.catalogue, ix),
                    held: held.to_owned(),
                    records,
                });
            }
        }
        items.sort_by(|a, b| a.subject.key.cmp(&b.subject.key));
        let mut basis = Basis::of(view, asked);
        basis.page("different items", items.len(), count);
        let later = match &second {
            Some(baseline) => side(baseline),
            None => Side {
                baseline: None,
                revision: until,
                at: None,
                items: first.items.len(),
                digest: Some(baseline::digest(view, &first.items).to_string()),
                proven: None,
            },
        };
        Ok(Some(BaselineComparison { basis, earlier: side(&first), later, different: count, items }))
    }

    /// What the change of a record from one revision to another comes to; absent when it comes to nothing.
    async fn net_change(
        &self,
        view: &View,
        item: CiIx,
        record: &RecordRef,
        since: Revision,
        until: Revision,
    ) -> Result<Option<HistoryEntry>, Error> {
        let between = trail(view, record).iter().copied();
        let between: Vec<_> = between.filter(|at| since < at.revision() && at.revision() <= until).collect();
        let (Some(first), Some(last)) = (between.first(), between.last()) else { return Ok(None) };
        let before = self.change_at(view, record, *first, true).await?;
        let after = self.change_at(view, record, *last, false).await?;
        let (Some((_, before)), Some((header, after))) = (before, after) else { return Ok(None) };
        Ok(difference_between(view, item, record, &header, &before, &after))
    }

    /// The items a request alters that differ from what they were when its work began, net: what was altered
    /// and altered back, or merely seen again, does not. Reads the log of those alone.
    ///
    /// # Errors
    /// As the store fails.
    pub(super) async fn showing(&self, view: &View, key: &str) -> Result<BTreeSet<CiId>, Error> {
        let mut showing = BTreeSet::new();
        let Some(request) = view.catalogue.find_request(key).map(|kept| &kept.record) else { return Ok(showing) };
        let Some(baseline) = request.baseline.and_then(|id| view.catalogue.baseline(id)) else { return Ok(showing) };
        let (since, until) = (baseline.record.revision, view.revision());
        for alteration in &request.alterations {
            let Some(ix) = view.catalogue.find_id(alteration.ci) else { continue };
            for record in records_of(view, ix) {
                if self.net_change(view, ix, &record, since, until).await?.is_some() {
                    showing.insert(alteration.ci);
                    break;
                }
            }
        }
        Ok(showing)
    }

    /// Checks that what the log says of a baseline's items at its revision has the digest that was taken.
    ///
    /// # Errors
    /// As the store fails.
    pub async fn prove_baseline(&self, baseline: &Baseline) -> Result<bool, Error> {
        let view = self.view_as_of(AsOf::Revision(baseline.revision)).await?;
        let (items, digest): (Vec<CiId>, Digest) = (baseline.items.clone(), baseline.digest);
        crate::keelson::blocking(move || baseline::digest(&view, &items) == digest).await
    }
}

fn side(baseline: &Baseline) -> Side {
    Side {
        baseline: Some(baseline.name.to_string()),
        revision: baseline.revision,
        at: Some(baseline.at),
        items: baseline.items.len(),
        digest: Some(baseline.digest.to_string()),
        proven: None,
    }
}

/// Which items either side holds, and which of the two.
fn held(first: &Baseline, second: Option<&Baseline>) -> BTreeMap<CiId, &'static str> {
    let mut held: BTreeMap<CiId, &'static str> =
        first.items.iter().map(|id| (*id, if second.is_some() { "removed" } else { "both" })).collect();
    for id in second.iter().flat_map(|second| &second.items) {
        held.entry(*id).and_modify(|held| *held = "both").or_insert("added");
    }
    held
}
