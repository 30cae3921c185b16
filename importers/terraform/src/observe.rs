//! An instance as an observation: class, name, attributes.

use chrono::DateTime;
use keelson_model::{Lifecycle, Observation, Position, SourceKey, Symbol};
use serde_json::{Map, Value as Json};

use crate::identity;
use crate::instance::Instance;
use crate::table::fields::{self, Field, Take};
use crate::table::{self, types};

/// Makes the observation of a managed instance.
pub(crate) fn observe(instance: &Instance<'_>, key: SourceKey, file: &str, serial: Option<u64>) -> Observation {
    let kind = instance.address.kind.as_str();
    let (class, _) = table::class(kind);
    let mut observation = Observation::new(key, class, Position::pointer(file, &instance.pointer));
    observation.name = Some(name(instance).into());
    observation.native_version = serial;
    let identity = identity::of(instance);
    observation.native_id = identity::lifetime(instance, &identity).map(Into::into);
    // What was replaced and is yet to be destroyed.
    observation.lifecycle = instance.deposed.map(|_| Lifecycle::Retired);
    let of_class = fields::OF_CLASSES.iter().find(|(name, _)| *name == class);
    let of_class = of_class.into_iter().flat_map(|(_, lists)| lists.iter().copied());
    take(&mut observation, instance, of_class);
    let is_component = !table::NO_COMPONENTS.contains(&class);
    if is_component {
        take(&mut observation, instance, [fields::OF_COMPONENTS].into_iter());
    }
    take(&mut observation, instance, [fields::OF_ALL].into_iter());
    let mut put = |attribute: &str, value: Option<String>| {
        if let Some(value) = value {
            observation.attributes.insert(Symbol::new(attribute), Json::String(value));
        }
    };
    match class {
        "cloud-account" => {
            put("provider", identity.platform);
            put("account_type", Some("project".to_owned()));
        }
        "resource-group" => {
            put("account", identity.account);
            put("region", identity.region);
        }
        _ if is_component => {
            put("native_id", instance.text("id").map(str::to_owned));
            put("resource_type", Some(kind.to_owned()));
            put("iac_address", Some(instance.address.to_string()));
            put("arn", identity.arn);
            put("resource_id", identity.resource_id);
            put("provider", identity.platform);
            put("account", identity.account);
            put("region", identity.region);
            put("provider_id", identity.provider_id);
            put("status", instance.deposed.map(|_| "deposed").or(instance.status).map(str::to_owned));
        }
        _ => {}
    }
    settle(&mut observation, instance);
    let labels = labels(instance);
    if !labels.is_empty() {
        observation.attributes.insert(Symbol::new("labels"), Json::from(labels));
    }
    observation
}

/// The name for people: the attribute that names the type, `name`, the tag `Name`, the address.
pub(crate) fn name(instance: &Instance<'_>) -> String {
    let kind = instance.address.kind.as_str();
    let own = |attribute: &str| instance.text(attribute).map(str::to_owned);
    let named = own("name").filter(|_| !types::NAME_IS_ANOTHER.contains(&kind));
    let tag = || {
        let tags = ["/tags", "/tags_all"].iter().find_map(|at| instance.at(at)?.get("Name")?.as_str());
        tags.filter(|name| !name.trim().is_empty()).map(str::to_owned)
    };
    let name = named.or_else(tag).or_else(|| table::named_by(kind).and_then(own));
    name.unwrap_or_else(|| instance.address.to_string())
}

/// Takes the fields of a class; the first that gives an attribute wins.
fn take<'f>(observation: &mut Observation, instance: &Instance<'_>, lists: impl Iterator<Item = &'f [Field]>) {
    for field in lists.flatten() {
        let value = instance.at(field.pointer).and_then(|value| taken(value, field.take));
        if let Some(value) = value {
            observation.attributes.entry(Symbol::new(field.attribute)).or_insert(value);
        }
    }
}

/// A value as an attribute; nothing where it is of another shape or says nothing.
fn taken(value: &Json, take: Take) -> Option<Json> {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
    match take {
        Take::Text => match value {
            Json::Number(number) => Some(Json::String(number.to_string())),
            _ => text.map(Json::from),
        },
        Take::Domain => text.map(|text| Json::from(text.strip_suffix('.').unwrap_or(text))).filter(|name| *name != ""),
        Take::Number => {
            let number = match text {
                Some(text) => text.parse::<u64>().ok().map(Into::into),
                None => value.as_number().cloned(),
            };
            number.filter(|number| number.as_f64().is_some_and(|value| value >= 0.0)).map(Json::Number)
        }
        Take::Flag => flag(value).map(Json::Bool),
        Take::Words(yes, no) => flag(value).map(|flag| Json::from(if flag { yes } else { no })),
        Take::Texts => {
            let texts: Vec<&str> =
                value.as_array()?.iter().filter_map(Json::as_str).filter(|t| !t.is_empty()).collect();
            (!texts.is_empty()).then(|| Json::from(texts))
        }
        Take::Time => text.filter(|text| DateTime::parse_from_rfc3339(text).is_ok()).map(Json::from),
    }
}

fn flag(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// What a row of the tables cannot say.
fn settle(observation: &mut Observation, instance: &Instance<'_>) {
    let kind = instance.address.kind.as_str();
    let attributes = &mut observation.attributes;
    match observation.class.as_str() {
        "dns-zone" if !attributes.contains_key("visibility") => {
            // A zone that is tied to networks is seen from there alone.
            let tied = instance.at("/vpc").and_then(Json::as_array).map(|networks| !networks.is_empty());
            let visibility = match (kind, tied) {
                ("aws_route53_zone", Some(false)) | ("azurerm_dns_zone", _) => Some("public"),
                ("aws_route53_zone", Some(true)) | ("azurerm_private_dns_zone", _) => Some("private"),
                _ => None,
            };
            attributes.extend(visibility.map(|visibility| (Symbol::new("visibility"), Json::from(visibility))));
        }
        // Several records of one name and type, told apart by a policy: their name does not identify.
        "dns-record" if instance.text("set_identifier").is_some() => {
            attributes.remove("record_type");
        }
        "dns-record" if !attributes.contains_key("record_type") => {
            let stated = types::RECORD_TYPES.iter().find(|(end, _)| kind.ends_with(end));
            attributes.extend(stated.map(|(_, of)| (Symbol::new("record_type"), Json::from(*of))));
        }
        "dns-record" if kind == "google_dns_record_set" => {
            if let Some(name) = instance.text("name") {
                let name = name.strip_suffix('.').unwrap_or(name);
                attributes.entry(Symbol::new("fqdn")).or_insert_with(|| Json::from(name));
            }
        }
        _ => {}
    }
}

/// Tags as `key=value`, in order of their keys.
fn labels(instance: &Instance<'_>) -> Vec<String> {
    let tags = fields::TAGS.iter().find_map(|at| instance.at(at)?.as_object().filter(|tags| !tags.is_empty()));
    let none = Map::new();
    let mut labels: Vec<String> = Vec::new();
    for (name, value) in tags.unwrap_or(&none) {
        match value {
            Json::String(value) => labels.push(format!("{name}={value}")),
            Json::Number(_) | Json::Bool(_) => labels.push(format!("{name}={value}")),
            _ => {}
        }
    }
    labels.sort();
    labels
}
