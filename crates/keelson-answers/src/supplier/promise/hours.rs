//! Hours of a week as people write them: `24x7`, `Mo-Fr 07:00-19:00`, several joined by commas or semicolons.

/// Minutes in a week.
const WEEK: usize = 7 * 1_440;

/// Whether some hours cover others; `None` where one of them cannot be read and they are not written alike.
pub(super) fn covers(wider: &str, narrower: &str) -> Option<bool> {
    if wider.trim().eq_ignore_ascii_case(narrower.trim()) {
        return Some(true);
    }
    let (wider, narrower) = (minutes(wider)?, minutes(narrower)?);
    Some(narrower.iter().zip(&wider).all(|(wanted, there)| !wanted || *there))
}

/// The minutes of a week, from Monday at midnight; `None` where the text cannot be read.
pub(super) fn minutes(text: &str) -> Option<Vec<bool>> {
    let text = text.trim();
    if ["24x7", "24/7", "always"].iter().any(|always| text.eq_ignore_ascii_case(always)) {
        return Some(vec![true; WEEK]);
    }
    let mut week = vec![false; WEEK];
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let (days, hours) = part.split_once(' ').map_or((part, "00:00-24:00"), |(days, hours)| (days, hours.trim()));
        let (from, to) = hours.split_once(['-', '\u{2013}'])?;
        let (from, to) = (clock(from)?, clock(to)?);
        if from >= to {
            return None;
        }
        for day in self::days(days)? {
            week[day * 1_440 + from..day * 1_440 + to].fill(true);
        }
    }
    week.contains(&true).then_some(week)
}

fn days(text: &str) -> Option<Vec<usize>> {
    match text.split_once(['-', '\u{2013}']) {
        None => Some(vec![day(text)?]),
        Some((from, to)) => {
            let (from, to) = (day(from)?, day(to)?);
            Some(if from <= to { (from..=to).collect() } else { (from..7).chain(0..=to).collect() })
        }
    }
}

fn day(text: &str) -> Option<usize> {
    let text = text.trim().to_lowercase();
    let names = ["mo", "tu", "we", "th", "fr", "sa", "su"];
    names.iter().position(|name| text.starts_with(name) && text.chars().all(char::is_alphabetic))
}

fn clock(text: &str) -> Option<usize> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (usize, usize) = (hours.parse().ok()?, minutes.parse().ok()?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= 1_440).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn hours_cover_each_other_as_they_are_read() {
        assert_eq!(covers("24x7", "Mo-Fr 07:00-19:00"), Some(true));
        assert_eq!(covers("Mo-Fr 08:00-18:00", "Mo-Fr 07:00-19:00"), Some(false));
        assert_eq!(covers("Mo-Su 00:00-24:00", "24x7"), Some(true));
        assert_eq!(covers("Mo-Fr 07:00-19:00, Sa 09:00-12:00", "Sa 10:00-11:00"), Some(true));
        assert_eq!(covers("Fr-Mo 10:00-12:00", "Su 10:00-12:00"), Some(true));
        assert_eq!(covers("office hours", "Office hours"), Some(true));
        assert_eq!(covers("office hours", "24x7"), None);
    }
}
