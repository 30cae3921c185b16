//! The classes and kinds of relationship that come with Keelson.

use crate::{ClassError, Schema};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../schema/classes/", $name)))),*]
    };
}

/// The built-in class files, with their names.
pub const CLASS_FILES: &[(&str, &str)] = files![
    "agreements.toml",
    "compute.toml",
    "data.toml",
    "groupings.toml",
    "kubernetes.toml",
    "network.toml",
    "parties.toml",
    "places.toml",
    "planning.toml",
    "root.toml",
    "security.toml",
    "services.toml",
    "software.toml",
];

/// The built-in kinds of relationship, with the names of their files.
pub const KIND_FILES: &[(&str, &str)] = files!["kinds/relationship-kinds.toml"];

/// Builds the schema of the built-in files and of further class files (name and text).
///
/// # Errors
/// Returns everything that is wrong with the further files; the built-in ones are tested.
pub fn schema<'a>(further: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Schema, Vec<ClassError>> {
    Schema::build(CLASS_FILES.iter().copied().chain(further), KIND_FILES.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_class_file_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/classes");
        let found: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"))
            .collect();
        let listed: BTreeSet<String> = CLASS_FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn the_built_in_schema_holds() {
        let schema = schema([]).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert!(schema.classes.len() >= 45, "{} classes", schema.classes.len());
        for class in schema.classes.iter() {
            assert!(!class.definition.description.is_empty(), "{} has no description", class.definition.name);
            for rule in &class.identities {
                if let Some(kind) = &rule.relative {
                    assert!(schema.kinds.get(kind).is_some(), "{}: no kind {kind}", class.definition.name);
                }
            }
        }
    }

    #[test]
    fn what_is_stated_in_a_currency_is_money() {
        let schema = schema([]).unwrap();
        let mut found = BTreeSet::new();
        for (name, attribute) in schema.classes.iter().flat_map(|class| &class.attributes) {
            assert_eq!(attribute.money, attribute.description.contains("in a currency"), "{name}");
            found.extend(attribute.money.then(|| name.to_string()));
        }
        assert_eq!(found.len(), 8, "{found:?}");
    }

    #[test]
    fn only_quantities_are_money() {
        let own = |kind: &str| {
            format!(
                "[[class]]\nname = 'mainframe'\nis_a = 'host'\ntitle = 'Mainframe'\ndescription = 'A large host.'\n\
                 [[class.attribute]]\nname = 'rent'\ntype = '{kind}'\nmoney = true\ndescription = 'What it costs.'\n"
            )
        };
        assert!(schema([("own.toml", own("quantity").as_str())]).is_ok());
        let errors = schema([("own.toml", own("decimal").as_str())]).unwrap_err();
        assert!(errors[0].to_string().contains("'rent' is money, but only quantities are"), "{errors:?}");
    }

    #[test]
    fn a_user_adds_classes_and_cannot_contradict() {
        let own = "[[class]]\nname = 'mainframe'\nis_a = 'host'\ntitle = 'Mainframe'\ndescription = 'A large host.'\n";
        assert!(schema([("own.toml", own)]).unwrap().classes.is_a("mainframe", "configuration-item"));
        let ranged = |range: &str| format!("{own}unavailability = {range}\n");
        let known = schema([("own.toml", ranged("{ low = 0.001, high = 0.01 }").as_str())]).unwrap();
        let range = known.classes.get("mainframe").and_then(|class| class.unavailability).unwrap();
        assert!(range.low < range.high && known.classes.get("host").unwrap().unavailability.is_none());
        assert!(schema([("own.toml", ranged("{ low = 0.2, high = 0.1 }").as_str())]).is_err());
        let again = own.replace("mainframe", "host").replace("is_a = 'host'", "is_a = 'component'");
        let errors = schema([("own.toml", again.as_str())]).unwrap_err();
        assert!(errors[0].to_string().contains("already defined"), "{errors:?}");
    }
}
