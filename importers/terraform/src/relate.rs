//! From what attributes and lists of dependencies say to relationships and needs.

use std::collections::{HashMap, HashSet};

use keelson_importer::rows;
use keelson_model::{
    Basis, Batch, CiRef, Finding, FindingCode, MemberObservation, NeedObservation, Phase, Position,
    RelationshipObservation, Symbol,
};
use serde_json::Value as Json;

use crate::address::{self, Mode, Reference};
use crate::estate::{At, Estate, known_class};
use crate::instance::Stated;
use crate::links::{Link, Links};

/// How sure the order of creation makes a dependency: below what analyses take for certain,
/// because the lists name everything that had to be there before, near or far.
pub const ORDER_CONFIDENCE: f64 = 0.3;

/// Most members that the needs made by lists of dependencies have in one state: all instances of
/// one resource may depend on all of another.
const MAX_IN_ORDER: usize = 1_000_000;

/// Evidence that an attribute names the other.
const BY_ATTRIBUTE: &str = "attribute";
/// Evidence that one was created after the other.
const BY_ORDER: &str = "iac_order";

/// The relationships of one state in the making.
pub(crate) struct Relating<'a, 'e> {
    pub(crate) estate: &'e Estate<'a>,
    pub(crate) links: Links,
    pub(crate) batch: &'e mut Batch,
    pub(crate) file: &'e str,
    pub(crate) lineage: &'e str,
    /// Needs by their dependent and name, which are unique.
    needs: HashMap<(CiRef, String), usize>,
    /// Who is a member of which need.
    members: HashSet<(usize, CiRef)>,
    /// Members that lists of dependencies made.
    in_order: usize,
}

impl<'a, 'e> Relating<'a, 'e> {
    pub(crate) fn new(estate: &'e Estate<'a>, batch: &'e mut Batch, file: &'e str, lineage: &'e str) -> Self {
        Self {
            estate,
            links: Links::read(estate),
            batch,
            file,
            lineage,
            needs: HashMap::new(),
            members: HashSet::new(),
            in_order: 0,
        }
    }

    /// Adds every relationship and need to the batch.
    pub(crate) fn relate(mut self) {
        self.modules();
        // First, because it decides what is left for the order of creation to say.
        for holder in 0..self.estate.instances.len() {
            let instance = &self.estate.instances[holder];
            if instance.address.mode == Mode::Data || self.estate.keys[holder].is_none() {
                continue;
            }
            for stated in &instance.dependencies {
                self.depend(holder, stated);
            }
        }
        self.state_links();
        self.batch.findings.extend(self.links.unknown(self.file));
    }

    /// Makes instances part of their module, and modules of the module around them.
    fn modules(&mut self) {
        let mut part_of = |dependent: CiRef, module: &str, position: Position| {
            let key = format!("{}/{module}", self.lineage);
            let Some(key) = rows::source_key(&key, &position, &mut self.batch.findings) else { return };
            let dependency = CiRef::of_class(key, "module");
            let mut observed = RelationshipObservation::new("part_of", dependent, dependency, position);
            observed.evidence = Some(Symbol::new("address"));
            observed.source_type = Some(Symbol::new("module"));
            self.batch.relationships.push(observed);
        };
        let mut around: Vec<(String, String, At)> = Vec::new();
        for (at, instance) in self.estate.instances.iter().enumerate() {
            let module = instance.address.module();
            if instance.address.mode == Mode::Managed
                && !module.is_empty()
                && let Some(dependent) = self.estate.reference(at)
            {
                part_of(dependent, &module, Position::pointer(self.file, &instance.pointer));
            }
        }
        for (module, at) in self.estate.modules() {
            let calls = address::modules(&module).unwrap_or_default();
            let outer = calls.len().saturating_sub(1);
            let outer = address::module_address(calls[..outer].iter().map(String::as_str));
            if !outer.is_empty() {
                around.push((module, outer, at));
            }
        }
        for (module, outer, at) in around {
            let position = Position::pointer(self.file, &self.estate.instances[at].pointer);
            let key = format!("{}/{module}", self.lineage);
            // A module without a key was reported where it is described.
            if let Ok(key) = keelson_model::SourceKey::new(&key) {
                part_of(CiRef::of_class(key, "module"), &outer, position);
            }
        }
    }

    /// Takes one row of a list of dependencies.
    fn depend(&mut self, holder: At, stated: &Stated<'_>) {
        let position = Position::pointer(self.file, &stated.pointer);
        let about = self.estate.keys[holder].as_ref().map_or("", |key| key.as_str());
        let mut refuse = |code, message: &str| {
            let finding = Finding::new(code, position.clone(), message);
            self.batch.findings.push(finding.about(about).in_field(stated.field));
        };
        let text = match stated.target {
            Json::Null => return refuse(FindingCode::NullTarget, "the row names nothing"),
            Json::String(text) if text.trim().is_empty() => {
                return refuse(FindingCode::NullTarget, "the row names nothing");
            }
            Json::String(text) => text,
            _ => return refuse(FindingCode::MalformedRow, "a dependency is the address of a resource; it is left out"),
        };
        let Some(reference) = address::reference(text) else {
            return refuse(FindingCode::MalformedRow, "this is no address of a resource; it is left out");
        };
        let targets = self.estate.meant(holder, &reference);
        if self.links.follow_from(holder, &targets) {
            return;
        }
        match targets[..] {
            [] => self.depend_on_missing(holder, &reference, stated, &position),
            [target] => {
                if let Some(dependency) = self.estate.reference(target) {
                    self.order(holder, dependency, stated, position);
                }
            }
            _ => self.depend_on_all(holder, &reference, &targets, position),
        }
    }

    /// A resource that the state does not hold: it becomes a placeholder.
    fn depend_on_missing(&mut self, holder: At, reference: &Reference, stated: &Stated<'_>, position: &Position) {
        let key = format!("{}/{}", self.lineage, reference.configured);
        let Some(key) = rows::source_key(&key, position, &mut self.batch.findings) else { return };
        let name = Some(reference.configured.as_str().into());
        let dependency = CiRef::Source { key, class: known_class(&reference.kind), name };
        self.order(holder, dependency, stated, position.clone());
    }

    fn order(&mut self, holder: At, dependency: CiRef, stated: &Stated<'_>, position: Position) {
        let Some(dependent) = self.estate.reference(holder) else { return };
        let mut observed = RelationshipObservation::new("depends_on", dependent, dependency, position);
        observed.evidence = Some(Symbol::new(BY_ORDER));
        observed.source_type = Some(Symbol::new(stated.field));
        observed.confidence = Some(ORDER_CONFIDENCE);
        self.batch.relationships.push(observed);
    }

    /// All instances of a resource, of which nobody says how many are needed.
    fn depend_on_all(&mut self, holder: At, reference: &Reference, targets: &[At], position: Position) {
        let Some(dependent) = self.estate.reference(holder) else { return };
        self.in_order += targets.len();
        if targets.len() > rows::MAX_RELATIONSHIPS || self.in_order > MAX_IN_ORDER {
            if self.in_order - targets.len() <= MAX_IN_ORDER {
                let message = format!(
                    "'{}' has {} instances, with which there are too many dependencies; this one is left out",
                    reference.configured,
                    targets.len()
                );
                let finding = Finding::new(FindingCode::LimitExceeded, position, message);
                self.batch.findings.push(finding.about(dependent.as_str()));
            }
            return;
        }
        let members = targets.iter().filter_map(|target| self.estate.reference(*target)).collect();
        let said = Said { kind: "depends_on", evidence: BY_ORDER.to_owned(), confidence: Some(ORDER_CONFIDENCE) };
        self.need(dependent, reference.configured.clone(), members, said, position);
    }

    /// Adds what attributes state. Those that stand in for each other become one need, unless there
    /// is only one of them.
    fn state_links(&mut self) {
        let links = std::mem::take(&mut self.links.links);
        let mut groups: HashMap<(At, &str, &str), HashSet<At>> = HashMap::new();
        for link in &links {
            if let Some(need) = &link.need {
                groups.entry((link.dependent, link.kind, need)).or_default().insert(link.dependency);
            }
        }
        for link in &links {
            let ends = (self.estate.reference(link.dependent), self.estate.reference(link.dependency));
            let (Some(dependent), Some(dependency)) = ends else { continue };
            let position = Position::pointer(self.file, &link.pointer);
            let evidence = evidence(link);
            match &link.need {
                Some(need) if groups[&(link.dependent, link.kind, need.as_str())].len() > 1 => {
                    let said = Said { kind: link.kind, evidence, confidence: None };
                    self.need(dependent, need.clone(), vec![dependency], said, position);
                }
                _ => {
                    let mut observed = RelationshipObservation::new(link.kind, dependent, dependency, position);
                    observed.evidence = Some(Symbol::new(&evidence));
                    observed.source_type = Some(Symbol::new(&link.attribute));
                    self.batch.relationships.push(observed);
                }
            }
        }
        self.links.links = links;
    }

    /// Adds a need, or members to the need of that name. Its rule is for the class to say.
    fn need(&mut self, dependent: CiRef, name: String, members: Vec<CiRef>, said: Said, position: Position) {
        let Said { kind, evidence, confidence } = said;
        let place = *self.needs.entry((dependent.clone(), name.clone())).or_insert_with(|| {
            self.batch.needs.push(NeedObservation {
                dependent,
                name: name.into(),
                kind: Symbol::new(kind),
                members: Vec::new(),
                rule: None,
                possible_counts: Vec::new(),
                cap: None,
                phase: Phase::Run,
                confidence,
                common_cause: None,
                basis: Basis::Declared,
                evidence: Some(Symbol::new(&evidence)),
                position,
            });
            self.batch.needs.len() - 1
        });
        let need = &mut self.batch.needs[place];
        if evidence.len() > need.evidence.as_ref().map_or(0, |evidence| evidence.len()) {
            need.evidence = Some(Symbol::new(&evidence));
        }
        for ci in members {
            if self.members.insert((place, ci.clone())) {
                need.members.push(MemberObservation { ci, doubtful: false });
            }
        }
    }
}

/// How a need is stated.
struct Said {
    kind: &'static str,
    evidence: String,
    confidence: Option<f64>,
}

fn evidence(link: &Link) -> String {
    if link.in_order { format!("{BY_ATTRIBUTE}+{BY_ORDER}") } else { BY_ATTRIBUTE.to_owned() }
}
