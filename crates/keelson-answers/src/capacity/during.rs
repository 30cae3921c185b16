//! Whether what is left of a redundancy carries its load while members of it are out, hour by hour (analyses 4.3, 1.5).
//!
//! Only what the catalogue states counts, nothing that was measured since: so the answer is the same whenever it is drawn
//! of a revision.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, DurationRound, TimeDelta, Timelike, Utc};
use keelson_analysis::Limits;
use keelson_analysis::demand::Model;
use keelson_analysis::expiry::Standing;
use keelson_graph::{ItemIx, NeedView};
use keelson_model::Window;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::growth::of_everybody;
use super::hours::{Loads, Profiles};
use super::pools::{Carried, carried};
use super::shared::{Loaded, Taken};
use crate::attributes::{Amount, amount};
use crate::demand::{refused, visits};
use crate::needs::title;
use crate::profile::Days;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, QuestionError, Subject, View};

/// Hours of a window that are looked at.
const MOST_HOURS: i64 = 24 * 31;
/// Losses that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// A time in which a need stands alike against its load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadSpan {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when, itself left out.
    pub until: DateTime<Utc>,
    /// The highest load in it.
    pub load: f64,
    /// How many members must be up at that load; absent where not even all that are left carry it.
    pub required: Option<u32>,
    /// How many more may be lost; absent where what is left does not carry the load.
    pub margin: Option<u32>,
    /// What is delivered of the load, as a fraction.
    pub delivered: Option<f64>,
}

/// How a need of several members stands against its load while some of them are out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadLine {
    /// Whose need it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it is called.
    pub need: String,
    /// How many members it has.
    pub members: usize,
    /// Those that are out, wholly or in part, by key.
    pub lost: Vec<String>,
    /// The load at its peak, and its unit.
    pub peak: Amount,
    /// Whether it is stated how the load goes through the day; otherwise it counts with its peak all the time.
    pub has_profile: bool,
    /// The times in which it stands alike, in order.
    pub spans: Vec<LoadSpan>,
}

impl LoadLine {
    /// Whether what is left does not carry the load at some time.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.spans.iter().any(LoadSpan::falls_short)
    }
}

impl LoadSpan {
    /// Whether what is left does not carry the load.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.delivered.is_some_and(|delivered| delivered < 1.0 - ROUNDING)
    }
}

/// What an item loses because what is left of a redundancy does not carry its load, though enough members are left by
/// what is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shortfall {
    /// Whose need it is.
    pub(crate) item: ItemIx,
    /// What is not delivered at worst, as a fraction.
    pub(crate) loss: f64,
    /// Whether it is known how the load goes through the day; otherwise it is that of the peak.
    pub(crate) is_certain: bool,
}

/// How redundancy stands while items have lost something.
#[derive(Default)]
pub(crate) struct Meanwhile {
    /// By need; those worst off first.
    pub(crate) lines: Vec<LoadLine>,
    /// What falls short of its load that would not without what is asked about.
    pub(crate) shortfalls: Vec<Shortfall>,
}

/// What is lost by item, in the order of the items.
pub(crate) type Losses = [(ItemIx, f64)];

fn loss(losses: &Losses, item: ItemIx) -> f64 {
    losses.binary_search_by_key(&item, |(lost, _)| *lost).map_or(0.0, |at| losses[at].1).clamp(0.0, 1.0)
}

fn is_gone(losses: &Losses, item: ItemIx) -> bool {
    loss(losses, item) >= 1.0 - ROUNDING
}

/// How redundancy stands against its load while items have lost something, and what they would have lost before.
pub(crate) fn during(
    view: &View,
    (losses, before): (&Losses, &Losses),
    window: Window,
    stop: Option<&AtomicBool>,
    basis: &mut Basis,
) -> Result<Meanwhile, QuestionError> {
    let needs = pools(view, losses);
    if needs.is_empty() {
        return Ok(Meanwhile::default());
    }
    let stated = View { series: None, ..view.clone() };
    let limits = Limits { stop, ..Limits::default() };
    let (visits, _) = visits(&stated, window.start())?;
    let model = Model::new(&view.graph, &visits, &limits);
    let (all, demand, amounts) = of_everybody(&stated, &model, window.start(), &limits)?;
    let profiles = Profiles::of(&stated, &demand, &all);
    let mut found = Meanwhile::default();
    let loaded = Loaded::new(&stated, &model, &amounts);
    for need in &needs {
        // What is gone is told by its place.
        let left = |losses: &Losses, member| if is_gone(losses, member) { 1.0 } else { 1.0 - loss(losses, member) };
        let carried = |losses| carried(&loaded, need, |member| left(losses, member));
        let Ok((known, unit)) = carried(losses)? else { continue };
        // Whoever loads the members does so whatever is lost.
        let taken = Taken::of(known.shared.shares.iter(), |items| {
            model.taken_from_all(items, &limits).map_err(|error| refused(view, &error))
        })?;
        let loads = profiles.by_hour(&demand, &taken);
        let spans = |known: &Carried, losses: &Losses| {
            let gone = |(_, member): &(usize, &ItemIx)| is_gone(losses, **member);
            let down: Vec<usize> = need.members.iter().enumerate().filter(gone).map(|(place, _)| place).collect();
            spans(known, &down, loads.as_ref(), window)
        };
        let meanwhile = spans(&known, losses)?;
        let worst = delivered(&meanwhile);
        if worst < 1.0 - ROUNDING {
            let is_worse = match carried(before)? {
                Ok((before_it, _)) => delivered(&spans(&before_it, before)?) > worst + ROUNDING,
                Err(_) => true,
            };
            if is_worse {
                let is_certain = loads.as_ref().is_some_and(|loads| !loads.is_partial);
                found.shortfalls.push(Shortfall { item: need.owner(), loss: 1.0 - worst, is_certain });
            }
        }
        let meanwhile =
            Stands { spans: meanwhile, peak: Amount { value: known.load, unit }, has_profile: loads.is_some() };
        found.lines.push(line(view, need, losses, meanwhile));
    }
    note(basis, window);
    profiles.note(basis);
    found.lines.sort_by(|a, b| {
        let order = delivered(&a.spans).total_cmp(&delivered(&b.spans)).then_with(|| a.subject.key.cmp(&b.subject.key));
        order.then_with(|| a.need.cmp(&b.need))
    });
    Ok(found)
}

/// How a need stands.
struct Stands {
    spans: Vec<LoadSpan>,
    peak: Amount,
    has_profile: bool,
}

/// What is delivered at worst.
fn delivered(spans: &[LoadSpan]) -> f64 {
    spans.iter().filter_map(|span| span.delivered).fold(1.0, f64::min)
}

/// The needs of several members that state how much they carry, of which some have lost something.
fn pools<'a>(view: &'a View, losses: &Losses) -> Vec<NeedView<'a>> {
    let owners: BTreeSet<ItemIx> =
        losses.iter().flat_map(|(lost, _)| view.graph.owners(*lost).iter().copied()).collect();
    let is_pool = |need: &NeedView<'_>| {
        let has_capacity = |member: &ItemIx| amount(view, *member, "capacity").is_some();
        need.members.len() > 1
            && need.phase().runs()
            && need.members.iter().any(|member| loss(losses, *member) > ROUNDING)
            && need.members.iter().all(has_capacity)
    };
    owners.iter().flat_map(|owner| view.graph.needs(*owner)).filter(is_pool).collect()
}

fn line(view: &View, need: &NeedView<'_>, losses: &Losses, stands: Stands) -> LoadLine {
    let lost = need.members.iter().filter(|member| loss(losses, **member) > ROUNDING);
    LoadLine {
        subject: Subject::of(&view.catalogue, ci_of(need.owner())),
        need: title(&view.catalogue, need).0,
        members: need.members.len(),
        lost: lost.map(|member| key_of(&view.catalogue, *member)).collect(),
        peak: stands.peak,
        has_profile: stands.has_profile,
        spans: stands.spans,
    }
}

fn note(basis: &mut Basis, window: Window) {
    if window.end() - window.start() > TimeDelta::hours(MOST_HOURS) {
        let message = format!("loads were looked at for the first {} days of the window", MOST_HOURS / 24);
        basis.limit(LimitCode::Items, message);
    }
}

/// The times of a window in which a pool stands alike, cut at full hours.
fn spans(
    known: &Carried,
    down: &[usize],
    loads: Option<&Loads>,
    window: Window,
) -> Result<Vec<LoadSpan>, QuestionError> {
    let mut spans: Vec<LoadSpan> = Vec::new();
    let end = window.end().min(window.start() + TimeDelta::hours(MOST_HOURS));
    let mut from = window.start();
    while from < end {
        let next = from.duration_trunc(TimeDelta::hours(1)).unwrap_or(from) + TimeDelta::hours(1);
        let until = if loads.is_some() { next.min(end) } else { end };
        let load = loads.map_or(known.load, |loads| loads.at(Days::of(from), from.hour() as usize));
        let standing = known.pool.standing(load, down).map_err(|error| QuestionError::Figures(error.to_string()))?;
        let Standing { required, margin, delivered, .. } = standing;
        match spans.last_mut() {
            Some(last) if (last.required, last.margin, last.delivered) == (required, margin, delivered) => {
                last.until = until;
                last.load = last.load.max(load);
            }
            _ => spans.push(LoadSpan { from, until, load, required, margin, delivered }),
        }
        from = until;
    }
    Ok(spans)
}
