//! Taking secrets out of an object, before anything else is made of it.

use keelson_importer::redaction;
use serde_json::{Map, Value as Json};

use crate::address::Services;
use crate::table;

/// Fields whose texts may be command lines.
const COMMANDS: &[&str] = &["args", "command"];
/// Fields of a ConfigMap that hold its content.
const CONTENT: &[&str] = &["data", "binaryData"];

/// Takes out of an object whatever must not be kept: the content of a ConfigMap, repetitions of
/// the object as it was applied, values of the environment that are no addresses of Services,
/// secrets on command lines, and what [`redaction::redact`] knows by name or shape. Returns the
/// JSON pointers of what was taken out, sorted.
///
/// Containers are looked for everywhere, because custom resources and revisions embed them.
pub(crate) fn take_out(object: &mut Json, kind: &str, namespace: &str, services: &Services) -> Vec<String> {
    let mut taken = Vec::new();
    if kind == "ConfigMap" {
        for field in CONTENT {
            clear(object.get_mut(*field), || format!("/{field}"), &mut taken);
        }
    }
    for annotation in table::APPLIED {
        let pointer = format!("/metadata/annotations/{}", escaped(annotation));
        let found = object.pointer_mut("/metadata/annotations").and_then(|all| all.get_mut(*annotation));
        clear(found, || pointer, &mut taken);
    }
    let mut open = vec![(String::new(), object as &mut Json)];
    while let Some((at, value)) = open.pop() {
        match value {
            Json::Array(items) => {
                let inner = items.iter_mut().enumerate().filter(|(_, item)| item.is_object() || item.is_array());
                open.extend(inner.map(|(index, item)| (format!("{at}/{index}"), item)));
            }
            Json::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    let at = format!("{at}/{}", escaped(name));
                    match field {
                        Json::Array(rows) if name == "env" => environment(rows, &at, namespace, services, &mut taken),
                        Json::Array(words) if COMMANDS.contains(&name.as_str()) => command(words, &at, &mut taken),
                        _ => {}
                    }
                    if field.is_object() || field.is_array() {
                        open.push((at, field));
                    }
                }
            }
            _ => {}
        }
    }
    taken.extend(redaction::redact(object, &[]));
    taken.sort();
    taken.dedup();
    taken
}

/// Makes a value nothing, unless it is.
fn clear(value: Option<&mut Json>, pointer: impl FnOnce() -> String, taken: &mut Vec<String>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        *value = Json::Null;
        taken.push(pointer());
    }
}

fn environment(rows: &mut [Json], at: &str, namespace: &str, services: &Services, taken: &mut Vec<String>) {
    for (index, row) in rows.iter_mut().enumerate() {
        let Json::Object(fields) = row else {
            clear(Some(row), || format!("{at}/{index}"), taken);
            continue;
        };
        let is_address = address(fields, namespace, services).is_some();
        let value = fields.get_mut("value").filter(|value| !is_address && value.as_str() != Some(""));
        clear(value, || format!("{at}/{index}/value"), taken);
    }
}

/// The Service whose address a row of an environment holds.
pub(crate) fn address(row: &Map<String, Json>, namespace: &str, services: &Services) -> Option<(String, String)> {
    let text = |name: &str| row.get(name).and_then(Json::as_str);
    services.read(text("name")?, text("value")?, namespace)
}

/// Takes secrets off a command line: any word that speaks of a secret, and what follows an option
/// that does.
fn command(words: &mut [Json], at: &str, taken: &mut Vec<String>) {
    let mut follows = false;
    for (index, word) in words.iter_mut().enumerate() {
        let text = word.as_str().unwrap_or_default();
        let speaks = redaction::is_secret_name(text);
        let is_option = text.starts_with('-');
        let next = speaks && is_option && !text.contains('=');
        if (speaks && !next) || (follows && !is_option) {
            clear(Some(word), || format!("{at}/{index}"), taken);
        }
        follows = next;
    }
}

/// A name as a segment of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_containers_are() {
        let mut services = Services::default();
        services.add("shop", "carts");
        let container = json!({
            "args": ["--port=1", "--password=dummy", "--token", "dummy", "-v", "run --secret dummy"],
            "env": [
                {"name": "CARTS", "value": "carts:80"},
                {"name": "MODE", "value": "dummy"},
                {"name": "NONE", "value": ""},
                {"name": "NUMBER", "value": 1},
                {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "x"}}},
                "dummy",
            ],
        });
        let mut object = json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "dummy", "a": "b"}},
            "data": {"a": "dummy"},
            "spec": {"deep": [{"containers": [container]}]},
        });
        let taken = take_out(&mut object, "ConfigMap", "shop", &services);
        let at = "/spec/deep/0/containers/0";
        let expected = [
            "/data".to_owned(),
            "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration".to_owned(),
            format!("{at}/args/1"),
            format!("{at}/args/3"),
            format!("{at}/args/5"),
            format!("{at}/env/1/value"),
            format!("{at}/env/3/value"),
            format!("{at}/env/5"),
        ];
        assert_eq!(taken, expected);
        let text = object.to_string();
        assert!(!text.contains("dummy") && text.contains("carts:80"), "{text}");
        assert!(take_out(&mut object, "ConfigMap", "shop", &services).is_empty());
    }
}
