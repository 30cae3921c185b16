//! What the words of Terraform and of its providers mean here, as data.
//!
//! Classes come from [`types`], attributes from [`fields`], and what it means that one resource
//! names another from [`pairs`]. Nothing is read from the wording of a type beyond these rows.

pub mod fields;
pub mod pairs;
pub mod types;

use pairs::{ByName, Join, Pair};

/// How much a type of resource is a thing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has a class.
    Known,
    /// It only sets, joins or allows something about others, or exists in the state alone.
    Setting,
    /// Nobody gave it a class yet.
    Unknown,
}

/// The class of a type of resource, and how it came by it.
#[must_use]
pub fn class(kind: &str) -> (&'static str, Standing) {
    if let Ok(at) = types::TYPES.binary_search_by_key(&kind, |(name, _)| name) {
        return (types::TYPES[at].1, Standing::Known);
    }
    if types::RECORD_TYPES.iter().any(|(end, _)| kind.ends_with(end)) {
        return (types::RECORD, Standing::Known);
    }
    let setting = types::SETTING_ENDS.iter().any(|end| kind.ends_with(end))
        || types::LOGICAL.iter().any(|beginning| kind.starts_with(beginning));
    if setting { (types::SETTING, Standing::Setting) } else { (types::OTHERWISE, Standing::Unknown) }
}

/// The attribute that names resources of a type, where there is one of its own.
#[must_use]
pub fn named_by(kind: &str) -> Option<&'static str> {
    types::NAMED_BY.iter().find(|(name, _)| *name == kind).map(|(_, attribute)| *attribute)
}

/// Classes that are no components and have none of their attributes.
pub const NO_COMPONENTS: &[&str] = &["cloud-account", "module", "resource-group", "team"];

/// Platforms by the name of their provider. Others are called like their provider; the providers
/// of logical resources have none.
pub const PLATFORMS: &[(&str, Option<&str>)] = &[
    ("archive", None),
    ("awscc", Some("aws")),
    ("azapi", Some("azure")),
    ("azuread", Some("azure")),
    ("azurerm", Some("azure")),
    ("external", None),
    ("google-beta", Some("google")),
    ("http", None),
    ("local", None),
    ("null", None),
    ("random", None),
    ("template", None),
    ("terraform", None),
    ("time", None),
    ("tls", None),
];

/// The platform behind a provider.
#[must_use]
pub fn platform(provider: &str) -> Option<&str> {
    PLATFORMS.iter().find(|(name, _)| *name == provider).map_or(Some(provider), |(_, platform)| *platform)
}

/// The services of Google Cloud whose full resource names begin with a project, by the beginning
/// of the types: `//pubsub.googleapis.com/projects/p/topics/t`.
pub const GOOGLE_SERVICES: &[(&str, &str)] = &[
    ("google_bigquery_", "bigquery.googleapis.com"),
    ("google_bigtable_", "bigtable.googleapis.com"),
    ("google_compute_", "compute.googleapis.com"),
    ("google_filestore_", "file.googleapis.com"),
    ("google_kms_", "cloudkms.googleapis.com"),
    ("google_pubsub_", "pubsub.googleapis.com"),
    ("google_redis_", "redis.googleapis.com"),
    ("google_service_account", "iam.googleapis.com"),
    ("google_sql_database_instance", "cloudsql.googleapis.com"),
];

/// Beginnings of types of platforms that give every resource a UUID.
pub const UNIQUE_IDS: &[&str] = &["flexibleengine_", "openstack_"];

/// What a pair means: the types and classes of the one whose attribute it is and of the one named.
#[must_use]
pub fn pair(holder: (&str, &str), named: (&str, &str)) -> Option<Pair> {
    let fits =
        |list: &[&str], (kind, class): (&str, &str)| list.is_empty() || list.contains(&kind) || list.contains(&class);
    let row = pairs::PAIRS.iter().find(|pair| fits(pair.holder, holder) && fits(pair.named, named));
    let needs = || {
        let general = pairs::NEEDS_WHAT_IT_NAMES.iter().any(|beginning| holder.0.starts_with(beginning));
        general.then_some(Pair { holder: &[], named: &[], kind: "depends_on", way: pairs::Way::Each })
    };
    row.copied().or_else(needs)
}

/// The rows of a type that joins two others.
pub fn joins(kind: &str) -> impl Iterator<Item = &'static Join> {
    pairs::JOINS.iter().filter(move |join| join.stated_in == kind)
}

/// The rows for an attribute that may name by a short name.
pub fn names(attribute: &str) -> impl Iterator<Item = &'static ByName> {
    pairs::NAMES.iter().filter(move |row| row.attribute == attribute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_known_classes_kinds_and_attributes() {
        let schema = keelson_model::builtin::schema([]).unwrap();
        let class = |name: &str| schema.classes.get(name).unwrap_or_else(|| panic!("no class '{name}'"));
        assert!(types::TYPES.is_sorted_by(|a, b| a.0 < b.0));
        for (_, name) in types::TYPES {
            let known = schema.classes.is_a(class(name).definition.name.as_str(), "component");
            assert_eq!(known, !NO_COMPONENTS.contains(name), "{name}");
        }
        for name in [types::OTHERWISE, types::SETTING, types::RECORD, "module"] {
            class(name);
        }
        for field in fields::OF_ALL {
            assert!(class("configuration-item").attributes.contains_key(field.attribute), "{}", field.attribute);
        }
        for field in fields::OF_COMPONENTS {
            assert!(class("component").attributes.contains_key(field.attribute), "{}", field.attribute);
        }
        for (name, lists) in fields::OF_CLASSES {
            for field in lists.iter().flat_map(|list| list.iter()) {
                assert!(class(name).attributes.contains_key(field.attribute), "{name}: {}", field.attribute);
            }
        }
        let kinds = pairs::PAIRS.iter().map(|pair| pair.kind).chain(pairs::JOINS.iter().map(|join| join.kind));
        for kind in kinds {
            assert!(schema.kinds.get(kind).is_some(), "{kind}");
        }
        for side in pairs::PAIRS.iter().flat_map(|pair| pair.holder.iter().chain(pair.named)) {
            // Classes are written with hyphens, types with underscores.
            let is_type = side.contains('_');
            assert!(is_type || schema.classes.get(side).is_some(), "{side}");
        }
    }

    #[test]
    fn types_have_the_class_of_their_row() {
        assert_eq!(class("aws_instance"), ("virtual-machine", Standing::Known));
        assert_eq!(class("aws_sns_topic_policy"), ("resource", Standing::Setting));
        assert_eq!(class("random_password"), ("resource", Standing::Setting));
        assert_eq!(class("aws_codedeploy_app"), ("component", Standing::Unknown));
        assert_eq!(platform("azurerm"), Some("azure"));
        assert_eq!(platform("openstack"), Some("openstack"));
        assert_eq!(platform("null"), None);
    }
}
