//! Words of messages for people.

/// A class with the article before it: `a host`, `an object-store`.
pub(crate) fn a(class: &str) -> String {
    let sounds_like_you = ["uni", "use", "usa", "usu", "uti"].iter().any(|start| class.starts_with(start));
    let article = if class.starts_with(['a', 'e', 'i', 'o', 'u']) && !sounds_like_you { "an" } else { "a" };
    format!("{article} {class}")
}

#[cfg(test)]
mod tests {
    use super::a;

    #[test]
    fn the_article_goes_by_the_sound() {
        let classes = ["host", "object-store", "api", "uplink", "unit", "user"];
        let expected = ["a host", "an object-store", "an api", "an uplink", "a unit", "a user"];
        assert_eq!(classes.map(a), expected);
    }
}
