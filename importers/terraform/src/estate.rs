//! All instances of one state, and how they are found.

use std::collections::{HashMap, HashSet};

use keelson_model::{CiRef, SourceKey, Symbol};

use crate::address::{Mode, Reference, module_address, without_key};
use crate::identity::{google_path, is_azure_id, is_uuid};
use crate::instance::Instance;
use crate::observe;
use crate::table::pairs::{KEYS, KEYS_OF};
use crate::table::{self, Standing};

/// An instance by its place in the state.
pub(crate) type At = usize;

/// The instances of a state, in order of their addresses.
pub(crate) struct Estate<'a> {
    pub(crate) instances: Vec<Instance<'a>>,
    /// Their source keys; none where the address makes no key.
    pub(crate) keys: Vec<Option<SourceKey>>,
    by_address: HashMap<String, Vec<At>>,
    by_identifier: HashMap<String, Vec<At>>,
    by_name: HashMap<(&'static str, String), Vec<At>>,
}

impl<'a> Estate<'a> {
    /// Looks over instances that are in order of their addresses.
    pub(crate) fn new(instances: Vec<Instance<'a>>, keys: Vec<Option<SourceKey>>) -> Self {
        let mut estate = Self {
            instances,
            keys,
            by_address: HashMap::new(),
            by_identifier: HashMap::new(),
            by_name: HashMap::new(),
        };
        let mut seen = HashSet::new();
        for (at, instance) in estate.instances.iter().enumerate() {
            // What is to be destroyed is needed by nothing any longer.
            let Some(key) = estate.keys[at].as_ref().filter(|_| instance.deposed.is_none()) else { continue };
            // An address that is listed again is the same thing.
            if !seen.insert(key) {
                continue;
            }
            estate.by_address.entry(instance.address.configured()).or_default().push(at);
            for identifier in identifiers(instance) {
                let found = estate.by_identifier.entry(identifier).or_default();
                if found.last() != Some(&at) {
                    found.push(at);
                }
            }
        }
        drop(seen);
        estate.index_names();
        estate
    }

    /// Remembers by what short name attributes may mean an instance.
    fn index_names(&mut self) {
        for row in table::pairs::NAMES {
            for (at, instance) in self.instances.iter().enumerate() {
                let is_there = instance.deposed.is_none() && instance.address.mode == Mode::Managed;
                let fits = is_there && row.types.contains(&instance.address.kind.as_str());
                if let Some(name) = instance.text(row.key).filter(|_| fits && self.keys[at].is_some()) {
                    self.by_name.entry((row.attribute, name.to_owned())).or_default().push(at);
                }
            }
        }
    }

    /// The instances that a dependency of one of them means: all instances of the resource, within
    /// the same instance of every module that both are in.
    pub(crate) fn meant(&self, holder: At, reference: &Reference) -> Vec<At> {
        let all = self.by_address.get(&reference.configured).map_or(&[][..], Vec::as_slice);
        let modules = &self.instances[holder].address.modules;
        let common =
            modules.iter().zip(&reference.modules).take_while(|(own, named)| without_key(own) == *named).count();
        let near = |at: &&At| self.instances[**at].address.modules[..common] == modules[..common];
        let within: Vec<At> = all.iter().filter(near).copied().collect();
        if within.is_empty() { all.to_vec() } else { within }
    }

    /// The one instance that a value among the attributes of another identifies.
    pub(crate) fn identified(&self, holder: At, value: &str) -> Option<At> {
        let found = self.by_identifier.get(&comparable(value)?)?;
        found.iter().copied().min_by_key(|at| self.distance(holder, *at))
    }

    /// The one managed instance that a value means by a short name, in an attribute of this name.
    pub(crate) fn named(&self, holder: At, attribute: &'static str, value: &str) -> Option<At> {
        let found = self.by_name.get(&(attribute, value.to_owned()))?;
        let prefix = |at: At| provider_prefix(&self.instances[at].address.kind);
        let of_provider = found.iter().copied().filter(|at| prefix(*at) == prefix(holder));
        let mut nearest: Vec<At> = of_provider.collect();
        nearest.sort_by_key(|at| self.distance(holder, *at));
        match nearest[..] {
            [only] => Some(only),
            // A short name that several have means nothing, unless one of them is nearer.
            [first, second, ..] => {
                let elsewhere = |at: At| self.distance(holder, at).1;
                (!elsewhere(first) && elsewhere(second)).then_some(first)
            }
            [] => None,
        }
    }

    /// How far a candidate is from what names it: managed ones first, then those of the same
    /// module, then by address.
    fn distance(&self, holder: At, at: At) -> (Mode, bool, At) {
        let (own, other) = (&self.instances[holder].address, &self.instances[at].address);
        (other.mode, own.modules != other.modules, at)
    }

    /// The reference to an instance, with what a placeholder would keep of it.
    pub(crate) fn reference(&self, at: At) -> Option<CiRef> {
        let key = self.keys[at].clone()?;
        let instance = &self.instances[at];
        if instance.address.mode == Mode::Managed {
            let (class, _) = table::class(&instance.address.kind);
            return Some(CiRef::of_class(key, class));
        }
        let class = known_class(&instance.address.kind);
        Some(CiRef::Source { key, class, name: Some(observe::name(instance).into()) })
    }

    /// The addresses of all modules that managed instances are in, with the modules around them.
    pub(crate) fn modules(&self) -> Vec<(String, At)> {
        let mut first: std::collections::BTreeMap<String, At> = std::collections::BTreeMap::new();
        for (at, instance) in self.instances.iter().enumerate() {
            if instance.address.mode != Mode::Managed || self.keys[at].is_none() {
                continue;
            }
            let modules = &instance.address.modules;
            for depth in 1..=modules.len() {
                first.entry(module_address(modules[..depth].iter().map(String::as_str))).or_insert(at);
            }
        }
        first.into_iter().collect()
    }
}

/// The class of a type for something that is only referred to: only what the table knows.
pub(crate) fn known_class(kind: &str) -> Option<Symbol> {
    let (class, standing) = table::class(kind);
    (standing != Standing::Unknown).then(|| Symbol::new(class))
}

fn provider_prefix(kind: &str) -> &str {
    kind.split_once('_').map_or(kind, |(prefix, _)| prefix)
}

/// The values by which others name an instance. What only sets something about others often has
/// their identifiers, and of a type nobody knows only an ARN is surely its own.
fn identifiers(instance: &Instance<'_>) -> Vec<String> {
    let kind = instance.address.kind.as_str();
    let (_, standing) = table::class(kind);
    let keys: &[&str] = match standing {
        Standing::Known => KEYS,
        Standing::Unknown => &["arn"],
        Standing::Setting => &[],
    };
    let own =
        KEYS_OF.iter().filter(|(of, _)| *of == kind && standing == Standing::Known).map(|(_, attribute)| *attribute);
    let values = keys.iter().copied().chain(own).filter_map(|attribute| instance.text(attribute));
    values.filter_map(comparable).collect()
}

/// An identifier as it is compared; nothing where a value is too ordinary to identify anything by
/// itself.
fn comparable(value: &str) -> Option<String> {
    if value.len() < 8 || value.chars().any(char::is_whitespace) {
        return None;
    }
    if is_azure_id(value) {
        return Some(value.to_ascii_lowercase());
    }
    let path = google_path(value);
    if value.starts_with("arn:") || path.starts_with("projects/") {
        return Some(path.to_owned());
    }
    if value.contains("://") || value.contains('@') || is_host(value) {
        let bare = value.strip_prefix("dualstack.").unwrap_or(value);
        return Some(bare.trim_end_matches('.').to_ascii_lowercase());
    }
    is_native(value).then(|| value.to_owned())
}

/// Whether a value is shaped like the name of a host of a provider.
fn is_host(value: &str) -> bool {
    value.split('.').count() >= 3
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether a value is shaped like an identifier that a provider makes up: `vpc-0a1b2c3d`, a UUID.
fn is_native(value: &str) -> bool {
    let last = value.rsplit_once('-').filter(|(before, _)| !before.is_empty()).map(|(_, last)| last);
    let made_up = |part: &str| {
        part.len() >= 8
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    is_uuid(value) || last.is_some_and(made_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identifiers_identify() {
        for value in [
            "vpc-1b20b966",
            "sg-0ffa4896e4d57eec1",
            "2ff83afc-ccfa-452c-8569-c7ab49870fd2",
            "arn:aws:s3:::a",
            "projects/p/topics/t",
            "db.c8x.eu-west-1.rds.example",
            "a@b.example",
        ] {
            assert!(comparable(value).is_some(), "{value}");
        }
        for value in [
            "eu-central-1",
            "2024",
            "m6i.large",
            "main-database",
            "10.0.0.0/16",
            "true",
            "some words here",
            "10.60.16.11",
        ] {
            assert!(comparable(value).is_none(), "{value}");
        }
        let link = "https://www.googleapis.com/compute/v1/projects/p/global/networks/n";
        assert_eq!(comparable(link), comparable("projects/p/global/networks/n"));
        assert_eq!(comparable("dualstack.LB.elb.example."), comparable("lb.elb.example"));
    }
}
