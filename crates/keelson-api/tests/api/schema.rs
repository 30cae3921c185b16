//! The schema as it is published: current, and shaped as the conventions say.

use std::collections::BTreeMap;

use async_graphql::Value as ConstValue;
use async_graphql::parser::types::{InputObjectType, TypeKind, TypeSystemDefinition};
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::common::{Place, run};

/// The schema in `schema/graphql/` is the one the code has. `KEELSON_BLESS=1` rewrites it.
#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/graphql/keelson.graphql");
    let sdl = keelson_api::sdl();
    if std::env::var_os("KEELSON_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &sdl).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == sdl,
        "schema/graphql/keelson.graphql is not current; run with KEELSON_BLESS=1 and look at the diff"
    );
}

const INTROSPECTION: &str = "{ __schema { types { kind name description fields { name description \
    args { name description type { ...Ref } } type { ...Ref } } inputFields { name description type { ...Ref } } \
    enumValues { name description } } } } fragment Ref on __Type { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name } } } } } }";

/// A type as the schema language writes it: `[X!]!`.
fn written(reference: &Json) -> String {
    match reference["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&reference["ofType"])),
        "LIST" => format!("[{}]", written(&reference["ofType"])),
        _ => reference["name"].as_str().unwrap().to_owned(),
    }
}

fn entries<'a>(of: &'a Json, list: &str) -> impl Iterator<Item = &'a Json> {
    of[list].as_array().into_iter().flatten()
}

/// The conventions of names, nullability, paging and payloads, type by type.
#[test]
fn every_type_keeps_the_conventions() {
    run(async {
        let place = Place::empty().await;
        let data = place.data(INTROSPECTION, json!({})).await;
        let mut problems = Vec::new();
        for meta in entries(&data["__schema"], "types") {
            let name = meta["name"].as_str().unwrap();
            if name.starts_with("__") || ["Boolean", "Float", "Int", "String", "ID"].contains(&name) {
                continue;
            }
            check_type(meta, name, &mut problems);
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    });
}

fn check_type(meta: &Json, name: &str, problems: &mut Vec<String>) {
    let mut wrong = |place: &str, what: &str| problems.push(format!("{name}{place}: {what}"));
    let described = |of: &Json| of["description"].as_str().is_some_and(|text| !text.is_empty());
    if !described(meta) {
        wrong("", "is not described");
    }
    if !name.starts_with(char::is_uppercase) || name.contains('_') {
        wrong("", "is not in PascalCase");
    }
    for value in entries(meta, "enumValues") {
        let word = value["name"].as_str().unwrap();
        if !described(value) || word != word.to_ascii_uppercase() {
            wrong(word, "is not described or not in capitals");
        }
    }
    for field in entries(meta, "fields").chain(entries(meta, "inputFields")) {
        let (field_name, shape) = (field["name"].as_str().unwrap(), written(&field["type"]));
        let place = format!(".{field_name}");
        if !described(field) {
            wrong(&place, "is not described");
        }
        if !field_name.starts_with(char::is_lowercase) || field_name.contains('_') {
            wrong(&place, "is not in camelCase");
        }
        if field_name.starts_with("get") || field_name.starts_with("list") {
            wrong(&place, "has a prefix that says nothing");
        }
        let arguments: Vec<&str> = entries(field, "args").map(|one| one["name"].as_str().unwrap()).collect();
        if entries(field, "args").any(|argument| !described(argument)) {
            wrong(&place, "has an argument that is not described");
        }
        let is_output = meta["kind"] != "INPUT_OBJECT";
        if is_output && shape.starts_with('[') && (name, field_name) != ("Query", "nodes") && !shape.ends_with("!]!") {
            wrong(&place, "is a list that may hold nothing or be nothing");
        }
        if shape.trim_end_matches('!').ends_with("Connection")
            && !["first", "after", "last", "before"].iter().all(|argument| arguments.contains(argument))
        {
            wrong(&place, "is a connection without the arguments of one");
        }
        if name == "Mutation" {
            let pascal = field_name[..1].to_uppercase() + &field_name[1..];
            let inputs: Vec<String> = entries(field, "args").map(|argument| written(&argument["type"])).collect();
            if inputs != [format!("{pascal}Input!")] || shape != format!("{pascal}Payload!") {
                wrong(&place, "does not take its own input and give its own payload");
            }
        }
    }
    if name.ends_with("Payload") && !entries(meta, "fields").any(|field| field["name"] == "userErrors") {
        wrong("", "has no userErrors");
    }
}

/// An argument that is left out means what an empty one does, for every field of the schema.
#[test]
fn an_input_that_is_left_out_is_an_empty_one() {
    let document = async_graphql::parser::parse_schema(keelson_api::sdl()).unwrap();
    let types: Vec<_> = document
        .definitions
        .iter()
        .filter_map(|found| match found {
            TypeSystemDefinition::Type(found) => Some(&found.node),
            _ => None,
        })
        .collect();
    let inputs: BTreeMap<&str, &InputObjectType> = types
        .iter()
        .filter_map(|found| match &found.kind {
            TypeKind::InputObject(input) => Some((found.name.node.as_str(), input)),
            _ => None,
        })
        .collect();
    let objects =
        types.iter().filter_map(|found| if let TypeKind::Object(object) = &found.kind { Some(object) } else { None });
    let mut compared = 0;
    for field in objects.flat_map(|object| &object.fields) {
        for argument in &field.node.arguments {
            let (argument, name) = (&argument.node, &field.node.name.node);
            let wanted = argument.ty.node.to_string().trim_end_matches('!').to_owned();
            let Some(input) = inputs.get(wanted.as_str()) else { continue };
            let Some(ConstValue::Object(given)) = argument.default_value.as_ref().map(|value| &value.node) else {
                continue;
            };
            compared += 1;
            for of_input in &input.fields {
                let (key, stated) = (&of_input.node.name.node, of_input.node.default_value.as_ref());
                let stated = stated.map_or(ConstValue::Null, |value| value.node.clone());
                let taken = given.get(key).cloned().unwrap_or(ConstValue::Null);
                assert_eq!(taken.to_string(), stated.to_string(), "'{key}' of the input of '{name}'");
            }
        }
    }
    assert!(compared >= 9, "only {compared} inputs have a default");
}
