//! Attributes in the flat form that states upgraded from before version 0.12 have:
//! `{"tags.%": "1", "tags.Name": "web", "subnets.#": "1", "subnets.123": "subnet-1"}`.

use serde_json::{Map, Value as Json};

/// Deepest nesting that is put together again; what lies deeper stays in the payload alone.
const MAX_DEPTH: usize = 64;

/// The attributes with their nesting. Lists and sets become lists, in order of their keys.
pub(crate) fn nested(flat: &Map<String, Json>) -> Map<String, Json> {
    let mut root = Map::new();
    for (path, value) in flat {
        let parts: Vec<&str> = path.split('.').collect();
        let Some((last, above)) = parts.split_last() else { continue };
        if *last == "%" || parts.len() > MAX_DEPTH {
            continue;
        }
        if let Some(at) = below(&mut root, above) {
            at.entry(*last).or_insert_with(|| value.clone());
        }
    }
    let mut whole = Json::Object(root);
    lists(&mut whole);
    match whole {
        Json::Object(root) => root,
        _ => Map::new(),
    }
}

/// The object at a path, made where it is not there; nothing where something else stands on the way.
fn below<'a>(root: &'a mut Map<String, Json>, path: &[&str]) -> Option<&'a mut Map<String, Json>> {
    let mut at = root;
    for part in path {
        at = at.entry(*part).or_insert_with(|| Json::Object(Map::new())).as_object_mut()?;
    }
    Some(at)
}

/// The name of the attribute that a flat name begins with.
pub(crate) fn first_part(name: &str) -> &str {
    name.split_once('.').map_or(name, |(first, _)| first)
}

/// Turns every object with a count of members into the list of these members.
fn lists(whole: &mut Json) {
    let mut open = vec![whole];
    while let Some(value) = open.pop() {
        if let Json::Object(fields) = value
            && fields.remove("#").is_some()
        {
            let mut members: Vec<(String, Json)> = std::mem::take(fields).into_iter().collect();
            members.sort_by_key(|(key, _)| (key.parse::<u64>().unwrap_or(u64::MAX), key.clone()));
            *value = Json::Array(members.into_iter().map(|(_, member)| member).collect());
        }
        match value {
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.values_mut()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flat_attributes_are_nested_again() {
        let flat = json!({
            "id": "i-1", "tags.%": "1", "tags.Name": "web", "subnets.#": "2", "subnets.10": "b", "subnets.9": "a",
            "disk.#": "1", "disk.0.size": "8", "disk.0.id.#": "0", "id.odd": "x",
        });
        let nested = Json::Object(nested(flat.as_object().unwrap()));
        let expected =
            json!({"id": "i-1", "tags": {"Name": "web"}, "subnets": ["a", "b"], "disk": [{"size": "8", "id": []}]});
        assert_eq!(nested, expected);
    }
}
