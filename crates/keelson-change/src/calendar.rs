//! When freezes and maintenance windows are, and what violates them.
//!
//! Both act through what a change does to services: a change violates a freeze of a service when it
//! breaches it, degrades it, or takes more margin from it than the freeze allows; not because it could
//! reach it. Of a site (or anything else that is no service), a freeze is violated by an interruption of
//! something that is there: the item itself, or what depends on it and is altered.

use std::collections::HashSet;

use chrono::Utc;
use chrono_tz::Tz;
use keelson_model::{CalendarEntry, CalendarEntryId, CalendarKind, CiId, Effect, Recurrence, Window};
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

/// Most occurrences looked at of one entry within one question.
pub const MOST_OCCURRENCES: u16 = 1_000;

/// The times of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Those that have something in common with what was asked for, oldest first.
    pub windows: Vec<Window>,
    /// Whether there are more than were looked at.
    pub is_cut: bool,
}

/// Checks a recurrence.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check(first: Window, recurrence: &Recurrence) -> Result<(), String> {
    rules(first, recurrence).map(|_| ())
}

fn rules(first: Window, recurrence: &Recurrence) -> Result<RRuleSet, String> {
    let zone: Tz = recurrence
        .zone
        .parse()
        .map_err(|_| format!("'{}' is not a time zone; name one as the IANA does: Europe/Berlin", recurrence.zone))?;
    let text = recurrence.rule.trim();
    let text = text.strip_prefix("RRULE:").unwrap_or(text);
    let rule: RRule<Unvalidated> =
        text.parse().map_err(|error| format!("'{text}' is no recurrence rule of RFC 5545: {error}"))?;
    if !matches!(rule.get_freq(), Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly) {
        return Err(format!("'{text}' repeats more often than daily; name the windows of a day one by one"));
    }
    let start = first.start().with_timezone(&rrule::Tz::Tz(zone));
    let rule = rule.validate(start).map_err(|error| format!("'{text}' cannot be used: {error}"))?;
    Ok(RRuleSet::new(start).rrule(rule))
}

/// The times of an entry that have something in common with a window.
#[must_use]
pub fn occurrences(entry: &CalendarEntry, within: Window) -> Occurrences {
    let Some(recurrence) = &entry.recurrence else {
        let windows = entry.window.overlap(&within).map(|_| entry.window).into_iter().collect();
        return Occurrences { windows, is_cut: false };
    };
    // What was checked on writing cannot fail on reading.
    let Ok(rules) = rules(entry.window, recurrence) else {
        return Occurrences { windows: Vec::new(), is_cut: true };
    };
    let length = entry.window.length();
    let zone = rrule::Tz::UTC;
    let from = (within.start() - length).with_timezone(&zone);
    let found = rules.after(from).before(within.end().with_timezone(&zone)).all(MOST_OCCURRENCES);
    let windows = found.dates.into_iter().filter_map(|start| {
        let start = start.with_timezone(&Utc);
        Window::new(start, start + length).ok().filter(|window| window.overlap(&within).is_some())
    });
    Occurrences { windows: windows.collect(), is_cut: found.limited }
}

/// An entry of the calendar with its times.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed<'a> {
    /// The entry.
    pub entry: &'a CalendarEntry,
    /// Its times that have something in common with what was asked for.
    pub times: Occurrences,
}

impl<'a> Timed<'a> {
    /// An entry with its times that have something in common with a window.
    #[must_use]
    pub fn within(entry: &'a CalendarEntry, within: Window) -> Self {
        Self { entry, times: occurrences(entry, within) }
    }

    /// The first of its times that have something in common with a window, cut to that.
    fn overlap(&self, window: Window) -> Option<Window> {
        self.times.windows.iter().find_map(|one| one.overlap(&window))
    }
}

/// A service as the calendar sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtStake<'a> {
    /// The service.
    pub ci: CiId,
    /// Its name, for the reason.
    pub name: &'a str,
    /// What becomes of it, at worst.
    pub effect: Effect,
    /// How many members of a redundancy need it loses, in the need that loses most.
    pub margin_taken: u32,
}

/// What a change does, as the calendar sees it.
#[derive(Clone, Copy, Debug)]
pub struct Doing<'a> {
    /// When it is done.
    pub window: Window,
    /// When it might still be in the middle of being reversed.
    pub shadow: Option<Window>,
    /// What becomes of services.
    pub services: &'a [AtStake<'a>],
    /// What is interrupted, and what that depends on.
    pub beneath: &'a HashSet<CiId>,
}

impl Doing<'_> {
    /// All of the time in which it can violate something: that of the work, and that of reversing it.
    #[must_use]
    pub fn span(&self) -> Window {
        self.window.through(self.shadow)
    }
}

/// A freeze or maintenance window that a change violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The entry; of maintenance windows, the first of those that were agreed.
    pub entry: CalendarEntryId,
    /// What it is about; absent when it is about every service.
    pub ci: Option<CiId>,
    /// When the two overlap; of maintenance windows, the time of the work.
    pub during: Window,
    /// Whether it is only violated if the change has to be reversed.
    pub only_in_shadow: bool,
    /// Why, in a sentence.
    pub text: String,
}

/// Every freeze and maintenance window that a change violates, in the order of the entries, of which at least
/// the times within [`Doing::span`] are given. `freeze_margin` is how much margin a freeze lets go that says
/// nothing itself; `name` gives an item its name.
#[must_use]
pub fn violations(
    entries: &[Timed<'_>],
    doing: &Doing<'_>,
    freeze_margin: u32,
    name: impl Fn(CiId) -> String,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut agreed = Vec::new();
    for timed in entries.iter().filter(|timed| timed.entry.lifted_at.is_none()) {
        match timed.entry.kind {
            CalendarKind::Freeze => {
                let allowed = timed.entry.margin.unwrap_or(freeze_margin);
                found.extend(freeze(timed, doing, allowed, &name));
            }
            CalendarKind::Maintenance => agreed.push(timed),
        }
    }
    found.extend(outside_of_agreed(&agreed, doing));
    found
}

/// What of a change violates a freeze: the worst it does to each service, in the plan or in its shadow.
fn freeze(timed: &Timed<'_>, doing: &Doing<'_>, allowed: u32, name: &impl Fn(CiId) -> String) -> Vec<Violation> {
    let entry = timed.entry;
    let in_shadow = doing.shadow.and_then(|shadow| timed.overlap(shadow));
    let (during, only_in_shadow) = match (timed.overlap(doing.window), in_shadow) {
        (Some(during), _) => (during, false),
        (None, Some(during)) => (during, true),
        (None, None) => return Vec::new(),
    };
    let condition = if only_in_shadow { " if it has to be reversed" } else { "" };
    let violation = |ci: Option<CiId>, what: String| Violation {
        entry: entry.id,
        ci,
        during,
        only_in_shadow,
        text: format!("{what}{condition} during the freeze '{}' ({during})", entry.name),
    };
    let is_about = |service: &&AtStake<'_>| entry.items.is_empty() || entry.items.contains(&service.ci);
    let harmed = doing.services.iter().filter(is_about).filter_map(|service| {
        let what = match service.effect {
            Effect::Breached => format!("{} is breached", service.name),
            Effect::Degraded => format!("{} is degraded", service.name),
            Effect::MarginLost | Effect::Protected if service.margin_taken > allowed => {
                format!("{} loses {} of its redundancy, more than {allowed},", service.name, service.margin_taken)
            }
            Effect::MarginLost | Effect::Protected => return None,
        };
        Some(violation(Some(service.ci), what))
    });
    let services: HashSet<CiId> = doing.services.iter().map(|service| service.ci).collect();
    let places = entry.items.iter().filter(|item| !services.contains(item) && doing.beneath.contains(item));
    harmed
        .chain(places.map(|item| violation(Some(*item), format!("something at {} is interrupted", name(*item)))))
        .collect()
}

/// Services that are harmed outside of the times that were agreed for that.
fn outside_of_agreed(agreed: &[&Timed<'_>], doing: &Doing<'_>) -> Vec<Violation> {
    let harmed = doing.services.iter().filter(|service| service.effect >= Effect::Degraded);
    let outside = harmed.filter_map(|service| {
        let own: Vec<&&Timed<'_>> = agreed.iter().filter(|timed| timed.entry.items.contains(&service.ci)).collect();
        let first = own.first()?.entry;
        if own.iter().any(|timed| timed.times.windows.iter().any(|window| window.covers(&doing.window))) {
            return None;
        }
        let names: Vec<&str> = own.iter().map(|timed| &*timed.entry.name).collect();
        let what = if service.effect == Effect::Breached { "breached" } else { "degraded" };
        Some(Violation {
            entry: first.id,
            ci: Some(service.ci),
            during: doing.window,
            only_in_shadow: false,
            text: format!("{} is {what} outside of its maintenance windows ({})", service.name, names.join(", ")),
        })
    });
    outside.collect()
}
