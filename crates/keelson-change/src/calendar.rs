//! When freezes and maintenance windows are, and what violates them.
//!
//! Both act through what a change does to services: a change violates a freeze of a service when it
//! breaches it, degrades it, or takes more margin from it than the freeze allows; not because it could
//! reach it. Of a site (or anything else that is no service), a freeze is violated by an interruption of
//! something that is there: the item itself, or what depends on it and is altered.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use keelson_model::{CalendarEntry, CalendarEntryId, CalendarKind, CiId, Effect, Recurrence, Window};
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

/// Most occurrences looked at of one entry within one question.
pub const MOST_OCCURRENCES: u16 = 1_000;
/// Years in which something may begin to repeat: every time from the first one on has to be counted.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

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
    for at in [first.start(), first.end()] {
        if !YEARS.contains(&at.year()) {
            let (from, to) = (YEARS.start(), YEARS.end());
            return Err(format!("what repeats begins between {from} and {to}, and not in the year {}", at.year()));
        }
    }
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

/// The times of an entry that have something in common with a window: the first one, as it was entered,
/// whether the rule would have it or not, and those by the rule.
#[must_use]
pub fn occurrences(entry: &CalendarEntry, within: Window) -> Occurrences {
    let first = entry.window.overlap(&within).map(|_| entry.window);
    let Some(recurrence) = &entry.recurrence else {
        return Occurrences { windows: first.into_iter().collect(), is_cut: false };
    };
    // What was checked on writing cannot fail on reading.
    let Ok(rules) = rules(entry.window, recurrence) else {
        return Occurrences { windows: first.into_iter().collect(), is_cut: true };
    };
    let length = entry.window.length();
    let zone = rrule::Tz::UTC;
    let from = within.start().checked_sub_signed(length).unwrap_or(DateTime::<Utc>::MIN_UTC).with_timezone(&zone);
    let found = rules.after(from).before(within.end().with_timezone(&zone)).all(MOST_OCCURRENCES);
    let windows = found.dates.into_iter().filter_map(|start| {
        let start = start.with_timezone(&Utc);
        let end = start.checked_add_signed(length)?;
        Window::new(start, end).ok().filter(|window| *window != entry.window && window.overlap(&within).is_some())
    });
    let mut windows: Vec<Window> = first.into_iter().chain(windows).collect();
    windows.sort_unstable();
    Occurrences { windows, is_cut: found.limited }
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

/// Whether some times together take in all of a window, those that touch joined.
fn cover(times: impl Iterator<Item = Window>, window: Window) -> bool {
    let mut times: Vec<Window> = times.collect();
    times.sort_unstable();
    let mut reached = window.start();
    for time in times {
        if time.start() <= reached {
            reached = reached.max(time.end());
        }
    }
    window.end() <= reached
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
    found.extend(outside_of_agreed(&agreed, doing, &name));
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

/// What is harmed outside of the times that were agreed for that: services, and places at which something is
/// interrupted.
fn outside_of_agreed(agreed: &[&Timed<'_>], doing: &Doing<'_>, name: &impl Fn(CiId) -> String) -> Vec<Violation> {
    let outside = |ci: CiId, is_about: &dyn Fn(&CalendarEntry) -> bool, what: String| {
        let own: Vec<&&Timed<'_>> = agreed.iter().filter(|timed| is_about(timed.entry)).collect();
        let first = own.first()?;
        if cover(own.iter().flat_map(|timed| timed.times.windows.iter().copied()), doing.window) {
            return None;
        }
        let names: Vec<&str> = own.iter().map(|timed| &*timed.entry.name).collect();
        Some(Violation {
            entry: first.entry.id,
            ci: Some(ci),
            during: doing.window,
            only_in_shadow: false,
            text: format!("{what} outside of its maintenance windows ({})", names.join(", ")),
        })
    };
    let harmed = doing.services.iter().filter(|service| service.effect >= Effect::Degraded);
    let harmed = harmed.filter_map(|service| {
        let what = if service.effect == Effect::Breached { "breached" } else { "degraded" };
        let is_about = |entry: &CalendarEntry| entry.items.is_empty() || entry.items.contains(&service.ci);
        outside(service.ci, &is_about, format!("{} is {what}", service.name))
    });
    let services: HashSet<CiId> = doing.services.iter().map(|service| service.ci).collect();
    let mut places: Vec<CiId> = agreed.iter().flat_map(|timed| &timed.entry.items).copied().collect();
    places.sort_unstable();
    places.dedup();
    places.retain(|place| doing.beneath.contains(place) && !services.contains(place));
    let interrupted = places.into_iter().filter_map(|place| {
        let is_about = |entry: &CalendarEntry| entry.items.contains(&place);
        outside(place, &is_about, format!("something at {} is interrupted", name(place)))
    });
    harmed.chain(interrupted).collect()
}
