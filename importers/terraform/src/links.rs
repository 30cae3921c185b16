//! What attributes say: that one resource names another.

use std::collections::{BTreeMap, HashMap};

use keelson_model::{Finding, FindingCode, Position};
use serde_json::Value as Json;

use crate::address::Mode;
use crate::estate::{At, Estate};
use crate::identity::is_azure_id;
use crate::table::pairs::{PASSED_OVER, Way};
use crate::table::{self, Standing};

/// One relationship between two instances that an attribute states.
pub(crate) struct Link {
    pub(crate) dependent: At,
    pub(crate) dependency: At,
    pub(crate) kind: &'static str,
    /// What those that stand in for each other are called together.
    pub(crate) need: Option<String>,
    /// The attribute: `vpc_config.subnet_ids`.
    pub(crate) attribute: String,
    /// JSON pointer of the value.
    pub(crate) pointer: String,
    /// Whether the order of creation says so as well.
    pub(crate) in_order: bool,
}

/// All that attributes state.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) links: Vec<Link>,
    /// Which links an instance states about another, whatever their direction.
    stated: HashMap<(At, At), Vec<usize>>,
    /// Pairs of types without a row, with how often and where first.
    unknown: BTreeMap<(String, String), (usize, String, String)>,
}

/// A value among attributes that is being looked at.
struct Value<'a> {
    json: &'a Json,
    /// The names on the way to it, without positions in lists.
    path: String,
    /// The last of these names.
    name: &'a str,
    pointer: String,
}

impl Links {
    /// Reads the attributes of all managed instances.
    pub(crate) fn read(estate: &Estate<'_>) -> Self {
        let mut links = Self::default();
        for at in 0..estate.instances.len() {
            if estate.instances[at].address.mode == Mode::Managed && estate.keys[at].is_some() {
                links.scan(estate, at);
                links.join(estate, at);
                links.nest(estate, at);
            }
        }
        links
    }

    /// Marks what an instance states about others as what the order of creation follows from.
    /// Says whether it states anything about any of them.
    pub(crate) fn follow_from(&mut self, holder: At, targets: &[At]) -> bool {
        let mut any = false;
        for target in targets {
            for link in self.stated.get(&(holder, *target)).into_iter().flatten() {
                self.links[*link].in_order = true;
                any = true;
            }
        }
        any
    }

    /// A finding for every pair of types that no row of the table gives a direction.
    pub(crate) fn unknown(&self, file: &str) -> Vec<Finding> {
        let report = |((holder, named), (count, attribute, pointer)): (&(String, String), &(usize, String, String))| {
            let message = format!(
                "'{attribute}' of {holder} names a resource of type {named}, which has no direction here; \
                 {count} of them are left out"
            );
            let finding = Finding::new(FindingCode::UnknownRelationType, Position::pointer(file, pointer), message);
            finding.about(format!("{holder} {named}")).in_field(attribute.as_str())
        };
        self.unknown.iter().map(report).collect()
    }

    /// Looks for identifiers of other instances in every attribute.
    fn scan(&mut self, estate: &Estate<'_>, holder: At) {
        let instance = &estate.instances[holder];
        let mut open: Vec<Value<'_>> = Vec::new();
        for (name, json) in instance.attributes.iter().rev() {
            // Its own identifiers.
            if !["id", "arn", "self_link"].contains(&name.as_str()) {
                let pointer = format!("{}/{}", instance.attributes_at, escaped(name));
                open.push(Value { json, path: name.clone(), name, pointer });
            }
        }
        while let Some(value) = open.pop() {
            if PASSED_OVER.contains(&value.name) {
                continue;
            }
            match value.json {
                Json::String(text) => self.look_up(estate, holder, text, &value),
                Json::Array(items) => {
                    let below = items.iter().enumerate().rev().filter(|(_, item)| may_name(item));
                    open.extend(below.map(|(number, json)| {
                        let pointer = format!("{}/{number}", value.pointer);
                        Value { json, path: value.path.clone(), name: value.name, pointer }
                    }));
                }
                Json::Object(fields) => {
                    let below = fields.iter().rev().filter(|(_, field)| may_name(field));
                    open.extend(below.map(|(name, json)| {
                        let pointer = format!("{}/{}", value.pointer, escaped(name));
                        Value { json, path: format!("{}.{name}", value.path), name, pointer }
                    }));
                }
                _ => {}
            }
        }
    }

    fn look_up(&mut self, estate: &Estate<'_>, holder: At, text: &str, value: &Value<'_>) {
        let named = find(estate, holder, value.name, text);
        let Some(named) = named.filter(|named| *named != holder) else { return };
        let side = |at: At| {
            let kind = estate.instances[at].address.kind.as_str();
            (kind, table::class(kind).0)
        };
        let Some(pair) = table::pair(side(holder), side(named)) else {
            let types = (side(holder).0.to_owned(), side(named).0.to_owned());
            let first = || (0, value.path.clone(), value.pointer.clone());
            self.unknown.entry(types).or_insert_with(first).0 += 1;
            return;
        };
        let members = |at: At| Some(format!("{}s", side(at).1));
        let (dependent, dependency, need) = match pair.way {
            Way::Each => (holder, named, None),
            Way::StandIn => (holder, named, members(named)),
            Way::Back => (named, holder, None),
            Way::BackStandIn => (named, holder, members(holder)),
        };
        let (attribute, pointer) = (value.path.clone(), value.pointer.clone());
        let link = Link { dependent, dependency, kind: pair.kind, need, attribute, pointer, in_order: false };
        self.add(estate, holder, named, link);
    }

    /// Takes what a type that only joins two others says about these.
    fn join(&mut self, estate: &Estate<'_>, holder: At) {
        let instance = &estate.instances[holder];
        let end = |attribute: &'static str| find(estate, holder, attribute, instance.text(attribute)?);
        for join in table::joins(&instance.address.kind) {
            let (Some(dependent), Some(dependency)) = (end(join.dependent), end(join.dependency)) else { continue };
            let link = Link {
                dependent,
                dependency,
                kind: join.kind,
                need: join.need.map(str::to_owned),
                attribute: format!("{}.{}", instance.address.kind, join.dependency),
                pointer: format!("{}/{}", instance.attributes_at, join.dependency),
                in_order: false,
            };
            self.add(estate, dependent, dependency, link);
            return;
        }
    }

    /// Makes an Azure resource part of the nearest one that its identifier lies in.
    fn nest(&mut self, estate: &Estate<'_>, holder: At) {
        let instance = &estate.instances[holder];
        // What only sets something about others lies in their identifiers.
        let is_own = table::class(&instance.address.kind).1 != Standing::Setting;
        let Some(id) = instance.text("id").filter(|id| is_own && is_azure_id(id)) else { return };
        let mut outer = id;
        while let Some((before, _)) = outer.rsplit_once('/') {
            outer = before;
            let Some(named) = estate.identified(holder, outer).filter(|named| *named != holder) else { continue };
            if !self.stated.contains_key(&(holder, named)) {
                let (attribute, pointer) = ("id".to_owned(), format!("{}/id", instance.attributes_at));
                let (dependent, dependency) = (holder, named);
                let link =
                    Link { dependent, dependency, kind: "part_of", need: None, attribute, pointer, in_order: false };
                self.add(estate, holder, named, link);
            }
            return;
        }
    }

    fn add(&mut self, estate: &Estate<'_>, holder: At, named: At, link: Link) {
        // What was only looked up needs nothing.
        if estate.instances[link.dependent].address.mode == Mode::Data || link.dependent == link.dependency {
            return;
        }
        let stated = self.stated.entry((holder, named)).or_default();
        let same = |known: &&usize| {
            let known = &self.links[**known];
            (known.dependent, known.dependency, known.kind) == (link.dependent, link.dependency, link.kind)
        };
        // Several attributes that say the same.
        if let Some(known) = stated.iter().find(same).copied() {
            let known = &mut self.links[known];
            if known.attribute.split('+').all(|attribute| attribute != link.attribute) {
                known.attribute = format!("{}+{}", known.attribute, link.attribute);
            }
            return;
        }
        stated.push(self.links.len());
        self.links.push(link);
    }
}

/// What a value in an attribute of this name means: by what identifies, else by a short name.
fn find(estate: &Estate<'_>, holder: At, attribute: &str, text: &str) -> Option<At> {
    let by_name = || table::names(attribute).find_map(|row| estate.named(holder, row.attribute, text));
    estate.identified(holder, text).or_else(by_name)
}

fn may_name(value: &Json) -> bool {
    matches!(value, Json::String(_) | Json::Array(_) | Json::Object(_))
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
