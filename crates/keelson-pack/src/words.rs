//! Numbers, times and verdicts as a board reads them.

use keelson_answers::Subject;
use keelson_answers::change::EffectLine;
use keelson_model::{Effect, Window};
use keelson_report::document::{Cell, Text};
use keelson_report::drawing::State;
use keelson_report::zone::Zone;

/// Most names in a sentence.
pub(crate) const NAMES: usize = 6;

/// A word of the model for people: `in_progress` is `in progress`.
pub(crate) fn said(word: &str) -> String {
    word.replace('_', " ")
}

/// A text as a sentence begins.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A count with its noun.
pub(crate) fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Names in a sentence, of `total` that there are: `a, b and 3 more`.
pub(crate) fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>, total: usize, most: usize) -> String {
    joined(names, total, most, ", ")
}

/// Parts of a sentence that may have commas of their own, of `total` that there are.
pub(crate) fn clauses<T: AsRef<str>>(clauses: impl IntoIterator<Item = T>, total: usize, most: usize) -> String {
    joined(clauses, total, most, "; ")
}

fn joined<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, total: usize, most: usize, between: &str) -> String {
    let shown: Vec<T> = parts.into_iter().take(most).collect();
    let text = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(between);
    match total.saturating_sub(shown.len()) {
        0 => text,
        left if text.is_empty() => format!("{left}"),
        left if between == ", " => format!("{text} and {left} more"),
        left => format!("{text}{between}and {left} more"),
    }
}

/// The state of drawings that stands for an effect.
pub(crate) fn state(effect: Effect) -> State {
    match effect {
        Effect::Breached => State::Breached,
        Effect::Degraded => State::Degraded,
        Effect::MarginLost => State::AtRisk,
        Effect::Protected => State::Protected,
    }
}

/// The word for an effect.
pub(crate) fn effect(effect: Effect) -> &'static str {
    state(effect).word()
}

/// The verdict on a service. What depends on unknown facts says so.
pub(crate) fn verdict(line: &EffectLine) -> Cell {
    let state = state(line.effect);
    let word = if line.is_certain { state.word().to_owned() } else { format!("at worst {}", state.word()) };
    Cell::Mark { severity: state.severity(), symbol: state.symbol(), word }
}

/// An item as a table names it: its name, and its key where that is more than a class and the name.
pub(crate) fn item(subject: &Subject) -> Text {
    let name = Text::from(subject.name.as_str());
    match subject.key.split_once('/') {
        Some((_, rest)) if rest == subject.name => name,
        _ => name.plain(" ").code(subject.key.as_str()),
    }
}

/// What a request does to an item, seen from the item.
pub(crate) fn done(action: &str) -> String {
    match action {
        "takes_down" => "taken down by".to_owned(),
        "degrades" => "degraded by".to_owned(),
        "restarts" => "restarted by".to_owned(),
        "replaces" => "replaced by".to_owned(),
        "retires" => "retired by".to_owned(),
        "adds" => "added by".to_owned(),
        "no_interruption" => "altered without an interruption by".to_owned(),
        other => format!("{} by", said(other)),
    }
}

/// One of several items that is enough: `a`, `a or b`, `any of 7, such as a and b`.
pub(crate) fn any_of(keys: &[String]) -> String {
    match keys {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [one, other] => format!("{one} or {other}"),
        [one, other, ..] => format!("any of {}, such as {one} or {other},", keys.len()),
    }
}

/// A window in the zone of the document: `Mon 2026-11-02 01:00–03:00`.
pub(crate) fn window(zone: Zone, window: Window) -> String {
    let (start, end) = (zone.local(window.start()), zone.local(window.end()));
    let day = "%a %Y-%m-%d %H:%M";
    if start.date() == end.date() {
        format!("{}\u{2013}{}", start.format(day), end.format("%H:%M"))
    } else {
        format!("{} \u{2013} {}", start.format(day), end.format(day))
    }
}

/// A time in the zone of the document.
pub(crate) fn time(zone: Zone, at: chrono::DateTime<chrono::Utc>) -> String {
    zone.local(at).format("%a %Y-%m-%d %H:%M").to_string()
}

/// A length of time: `1 h 30 min`.
pub(crate) fn length(seconds: u64) -> String {
    match (seconds / 3_600, seconds % 3_600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The length of a window.
pub(crate) fn length_of(window: Window) -> String {
    length(u64::try_from(window.length().num_seconds()).unwrap_or(0))
}

/// Hours for a column of numbers: `2`, `1.5`, `0.08`.
pub(crate) fn hours(hours: f64) -> String {
    let text = format!("{hours:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A fraction in percent. What is not nothing is never shown as nothing, nor what is not all as all.
pub(crate) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if fraction > 0.0 && percent < 0.05 {
        "under 0.1 %".to_owned()
    } else if fraction < 1.0 && percent >= 99.95 {
        "over 99.9 %".to_owned()
    } else if percent < 10.0 && percent.fract() > 1e-9 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A sum of money, its thousands apart.
pub(crate) fn money(sum: f64, currency: &str) -> String {
    if sum > 0.0 && sum < 1.0 {
        return format!("under 1 {currency}");
    }
    let digits = format!("{:.0}", sum.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    let sign = if sum < 0.0 && digits != "0" { "\u{2212}" } else { "" };
    format!("{sign}{text} {currency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_lie() {
        assert_eq!(
            [0.0, 0.0001, 0.061, 0.3, 0.99999, 1.0].map(percent),
            ["0 %", "under 0.1 %", "6.1 %", "30 %", "over 99.9 %", "100 %"]
        );
        assert_eq!([2.0, 1.5, 0.0833, 100.0].map(hours), ["2", "1.5", "0.08", "100"]);
        assert_eq!(
            [0.0, 0.4, 999.6, 1_234_567.0].map(|sum| money(sum, "EUR")),
            ["0 EUR", "under 1 EUR", "1\u{a0}000 EUR", "1\u{a0}234\u{a0}567 EUR"]
        );
        assert_eq!([45, 600, 3_600, 5_400].map(length), ["45 s", "10 min", "1 h", "1 h 30 min"]);
    }

    #[test]
    fn what_is_not_named_is_counted() {
        assert_eq!(names(["a", "b", "c"], 3, 6), "a, b, c");
        assert_eq!(names(["a", "b", "c"], 9, 2), "a, b and 7 more");
        assert_eq!(names([""; 0], 4, 2), "4");
    }
}
