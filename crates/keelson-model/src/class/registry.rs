//! The class hierarchy, put together and checked.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use thiserror::Error;

use super::{
    AttributeDefinition, AttributeType, ClassDefinition, ClassExtension, ClassFile, IdentityRule, NeedRule, ROOT_CLASS,
    Stages, UnavailabilityRange,
};
use crate::{Symbol, unit};

/// A class with all it inherits.
#[derive(Clone, Debug)]
pub struct Class {
    /// What its file says.
    pub definition: ClassDefinition,
    /// The class itself and all above it, nearest first.
    pub lineage: Vec<Symbol>,
    /// Its attributes and all inherited ones, by name.
    pub attributes: BTreeMap<Symbol, Arc<AttributeDefinition>>,
    /// Its identity rules and all inherited ones, by priority.
    pub identities: Vec<IdentityRule>,
    /// Its default need rules, then the inherited ones.
    pub needs: Vec<NeedRule>,
    /// Its stages of life.
    pub stages: Stages,
    /// Days after which an observation is stale.
    pub stale_after_days: u32,
    /// Between what the unavailability of one that states none lies, where the class or one above says so.
    pub unavailability: Option<UnavailabilityRange>,
}

/// All known classes.
#[derive(Clone, Debug, Default)]
pub struct ClassRegistry {
    classes: HashMap<Symbol, Arc<Class>>,
}

/// Why class files cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClassError {
    /// The file is not TOML or has unknown fields.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader said, with line and column.
        reason: String,
    },
    /// The same class twice.
    #[error("{file}: class '{class}' is already defined in {other}")]
    Twice {
        /// The second file.
        file: String,
        /// The class.
        class: Symbol,
        /// The first file.
        other: String,
    },
    /// The class above does not exist.
    #[error("{file}: class '{class}' is_a '{above}', which no file defines")]
    NoSuchParent {
        /// The file.
        file: String,
        /// The class.
        class: Symbol,
        /// What it names.
        above: Symbol,
    },
    /// A class without one above, other than the root.
    #[error("{file}: class '{class}' names no class above it; use is_a = \"configuration-item\"")]
    Rootless {
        /// The file.
        file: String,
        /// The class.
        class: Symbol,
    },
    /// A class that is its own ancestor.
    #[error("{file}: class '{class}' descends from itself through is_a")]
    Cycle {
        /// The file.
        file: String,
        /// The class.
        class: Symbol,
    },
    /// Something about one attribute or rule.
    #[error("{file}: class '{class}': {reason}")]
    Invalid {
        /// The file.
        file: String,
        /// The class.
        class: Symbol,
        /// What is wrong.
        reason: String,
    },
}

impl ClassRegistry {
    /// Puts class files together; each is given with the name to use in messages.
    ///
    /// # Errors
    /// Returns everything that is wrong, so that it can be mended in one go.
    pub fn build<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<ClassError>> {
        let mut errors = Vec::new();
        let mut defined: BTreeMap<Symbol, (String, ClassDefinition)> = BTreeMap::new();
        let mut extensions: Vec<(String, ClassExtension)> = Vec::new();
        for (name, text) in files {
            match toml::from_str::<ClassFile>(text) {
                Err(error) => {
                    errors.push(ClassError::Unreadable { file: name.into(), reason: error.to_string() });
                }
                Ok(file) => {
                    extensions.extend(file.extensions.into_iter().map(|extension| (name.to_owned(), extension)));
                    for class in file.classes {
                        if let Some((other, _)) = defined.get(&class.name) {
                            errors.push(ClassError::Twice {
                                file: name.into(),
                                class: class.name,
                                other: other.clone(),
                            });
                        } else {
                            defined.insert(class.name.clone(), (name.to_owned(), class));
                        }
                    }
                }
            }
        }
        for (file, extension) in extensions {
            match defined.get_mut(&extension.class) {
                Some((_, definition)) => definition.attributes.extend(extension.attributes),
                None => errors.push(ClassError::Invalid {
                    file,
                    class: extension.class,
                    reason: "extend names a class that no file defines".to_owned(),
                }),
            }
        }
        let mut classes = HashMap::new();
        for (file, definition) in defined.values() {
            match lineage(file, definition, &defined).and_then(|lineage| resolve(file, lineage, &defined)) {
                Ok(class) => {
                    classes.insert(definition.name.clone(), Arc::new(class));
                }
                Err(error) => errors.push(error),
            }
        }
        let registry = Self { classes };
        for (file, definition) in defined.values() {
            errors.extend(registry.dangling(file, definition));
        }
        if errors.is_empty() { Ok(registry) } else { Err(errors) }
    }

    /// Names of classes that attributes and need rules refer to, but that do not exist.
    fn dangling(&self, file: &str, definition: &ClassDefinition) -> Vec<ClassError> {
        let of_attributes = definition.attributes.iter().filter_map(|a| a.class.as_ref());
        let of_needs = definition.needs.iter().map(|n| &n.members);
        of_attributes
            .chain(of_needs)
            .filter(|class| !self.classes.contains_key(*class))
            .map(|class| ClassError::Invalid {
                file: file.to_owned(),
                class: definition.name.clone(),
                reason: format!("refers to the class '{class}', which no file defines"),
            })
            .collect()
    }

    /// Returns the class of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Class>> {
        self.classes.get(name)
    }

    /// Whether `class` is `above` or descends from it.
    #[must_use]
    pub fn is_a(&self, class: &str, above: &str) -> bool {
        class == above || self.get(class).is_some_and(|c| c.lineage.iter().any(|name| name == above))
    }

    /// Every class, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Class>> {
        let mut names: Vec<_> = self.classes.keys().collect();
        names.sort();
        names.into_iter().map(|name| &self.classes[name])
    }

    /// How many classes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no class at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The rule a need of `dependent` over `member` takes when its source does not say.
    #[must_use]
    pub fn need_rule(&self, dependent: &str, member: &str) -> Option<&NeedRule> {
        self.get(dependent)?.needs.iter().find(|rule| self.is_a(member, &rule.members))
    }

    /// Up to three known names that resemble `name`, nearest first, for messages.
    #[must_use]
    pub fn resembling(&self, name: &str) -> Vec<Symbol> {
        let wanted = name.to_ascii_lowercase().replace('_', "-");
        let mut close: Vec<_> = self
            .classes
            .keys()
            .filter(|known| known.contains(wanted.as_str()) || (wanted.len() > 3 && wanted.contains(known.as_str())))
            .cloned()
            .collect();
        close.sort_by_key(|known| (known.len().abs_diff(wanted.len()), known.clone()));
        close.truncate(3);
        close
    }
}

type Defined = BTreeMap<Symbol, (String, ClassDefinition)>;

fn lineage(file: &str, definition: &ClassDefinition, defined: &Defined) -> Result<Vec<Symbol>, ClassError> {
    let mut lineage = vec![definition.name.clone()];
    let mut seen: HashSet<Symbol> = HashSet::from([definition.name.clone()]);
    let mut at = definition;
    while let Some(above) = &at.is_a {
        let Some((_, next)) = defined.get(above) else {
            return Err(ClassError::NoSuchParent { file: file.into(), class: at.name.clone(), above: above.clone() });
        };
        if !seen.insert(above.clone()) {
            return Err(ClassError::Cycle { file: file.into(), class: definition.name.clone() });
        }
        lineage.push(above.clone());
        at = next;
    }
    if at.name != ROOT_CLASS {
        return Err(ClassError::Rootless { file: file.into(), class: at.name.clone() });
    }
    Ok(lineage)
}

fn resolve(file: &str, lineage: Vec<Symbol>, defined: &Defined) -> Result<Class, ClassError> {
    let definition = defined[&lineage[0]].1.clone();
    let invalid = |reason: String| ClassError::Invalid { file: file.into(), class: definition.name.clone(), reason };
    let mut attributes: BTreeMap<Symbol, Arc<AttributeDefinition>> = BTreeMap::new();
    let mut identities = Vec::new();
    let mut needs = Vec::new();
    let mut stages = None;
    let mut stale_after_days = None;
    let mut unavailability = None;
    for name in &lineage {
        let class = &defined[name].1;
        for attribute in &class.attributes {
            if let Some(nearer) = attributes.get(&attribute.name) {
                return Err(invalid(format!(
                    "attribute '{}' is already an attribute of '{name}' ({:?} there, {:?} here); choose another name",
                    attribute.name, attribute.kind, nearer.kind
                )));
            }
            check_attribute(attribute).map_err(&invalid)?;
            attributes.insert(attribute.name.clone(), Arc::new(attribute.clone()));
        }
        identities.extend(class.identities.iter().cloned());
        needs.extend(class.needs.iter().cloned());
        stages = stages.or(class.stages);
        stale_after_days = stale_after_days.or(class.stale_after_days);
        unavailability = unavailability.or(class.unavailability);
    }
    if let Some(range) = unavailability.filter(|range: &UnavailabilityRange| !range.is_valid()) {
        return Err(invalid(format!("its unavailability lies between {} and {}", range.low, range.high)));
    }
    identities.sort_by_key(|rule| rule.priority);
    for rule in &identities {
        let unknown = rule.attributes.iter().find(|name| *name != "name" && !attributes.contains_key(*name));
        if let Some(name) = unknown {
            return Err(invalid(format!("identity rule {} names the unknown attribute '{name}'", rule.priority)));
        }
        if rule.attributes.is_empty() {
            return Err(invalid(format!("identity rule {} names no attribute", rule.priority)));
        }
    }
    Ok(Class {
        definition,
        lineage,
        attributes,
        identities,
        needs,
        stages: stages.unwrap_or(Stages::Component),
        stale_after_days: stale_after_days.unwrap_or(60),
        unavailability,
    })
}

fn check_attribute(attribute: &AttributeDefinition) -> Result<(), String> {
    let name = &attribute.name;
    let is_enum = attribute.kind == AttributeType::Enum || attribute.items == Some(AttributeType::Enum);
    if is_enum && attribute.values.is_empty() {
        return Err(format!("attribute '{name}' is an enumeration without values"));
    }
    if attribute.kind == AttributeType::List && matches!(attribute.items, None | Some(AttributeType::List)) {
        return Err(format!("attribute '{name}' is a list and must say of what: items = \"string\""));
    }
    if attribute.money && attribute.kind != AttributeType::Quantity {
        return Err(format!("attribute '{name}' is money, but only quantities are: type = \"quantity\""));
    }
    match &attribute.unit {
        Some(symbol) if attribute.kind != AttributeType::Decimal => {
            Err(format!("attribute '{name}' has the unit '{symbol}', but only decimals have one"))
        }
        Some(symbol) if unit::unit(symbol).is_none() => {
            Err(format!("attribute '{name}' has the unknown unit '{symbol}'"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"
        [[class]]
        name = "configuration-item"
        title = "Configuration item"
        description = "Anything."
        [[class.attribute]]
        name = "serial_number"
        type = "string"
        description = "By its maker."
    "#;

    fn build(more: &str) -> Result<ClassRegistry, Vec<ClassError>> {
        ClassRegistry::build([("root.toml", ROOT), ("more.toml", more)])
    }

    #[test]
    fn classes_inherit() {
        let registry = build(
            r#"
            [[class]]
            name = "host"
            is_a = "configuration-item"
            title = "Host"
            description = "A computer."
            stages = "component"
            [[class.identity]]
            priority = 10
            attributes = ["serial_number"]
            ignore_values = ["0"]
            [[class]]
            name = "linux-host"
            is_a = "host"
            title = "Linux host"
            description = "A computer running Linux."
            [[class.need]]
            members = "host"
            rule = "at_least"
            k = 2
            "#,
        )
        .unwrap();
        let class = registry.get("linux-host").unwrap();
        assert!(class.attributes.contains_key("serial_number"));
        assert_eq!(class.identities.len(), 1);
        assert!(registry.is_a("linux-host", "configuration-item"));
        assert!(!registry.is_a("host", "linux-host"));
        assert_eq!(registry.need_rule("linux-host", "linux-host").unwrap().rule, crate::Rule::AtLeast { k: 2 });
        assert_eq!(registry.resembling("linux"), ["linux-host"]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let errors = build(
            r#"
            [[class]]
            name = "a"
            is_a = "b"
            title = "A"
            description = ""
            [[class]]
            name = "b"
            is_a = "a"
            title = "B"
            description = ""
            [[class]]
            name = "c"
            is_a = "nowhere"
            title = "C"
            description = ""
            [[class]]
            name = "d"
            is_a = "configuration-item"
            title = "D"
            description = ""
            [[class.attribute]]
            name = "serial_number"
            type = "integer"
            description = "Clashes."
            "#,
        )
        .unwrap_err();
        assert_eq!(errors.len(), 4, "{errors:?}");
    }
}
