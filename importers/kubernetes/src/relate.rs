//! Relationships that one object states: its place, its owners, the volume of a claim, what stands
//! behind an Ingress, what an autoscaler scales.

use std::collections::{BTreeMap, HashMap};

use keelson_importer::rows;
use keelson_model::{
    Basis, CiRef, Finding, FindingCode, MemberObservation, NeedObservation, Phase, Position, RelationshipObservation,
    SourceKey, Symbol,
};
use serde_json::Value as Json;

use crate::draft::{Draft, Section};
use crate::object::{Header, Object, group_of};
use crate::read::Reading;
use crate::table::{self, Relation};

/// Steps that are followed from an owner to the owner's owner.
pub(crate) const MAX_OWNERS: usize = 8;

/// The objects, ready to be related.
pub(crate) struct Relating<'a> {
    pub(crate) reading: &'a Reading,
    /// In order of their keys.
    pub(crate) objects: &'a [Object],
    pub(crate) draft: &'a mut Draft,
    by_uid: HashMap<&'a str, usize>,
    by_key: HashMap<&'a SourceKey, usize>,
    /// Needs in the making, by dependent.
    pub(crate) needs: BTreeMap<(usize, &'static str), Need>,
}

/// One need in the making.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) kind: &'static str,
    /// Members with their evidence.
    pub(crate) members: BTreeMap<CiRef, Vec<&'static str>>,
    pub(crate) position: Position,
}

/// Whom an owner reference means.
enum Owner {
    /// An object that was read.
    Known(usize),
    /// Something that was not.
    Missing(CiRef),
    /// Nothing that could be related.
    Nobody,
}

impl<'a> Relating<'a> {
    pub(crate) fn new(reading: &'a Reading, objects: &'a [Object], draft: &'a mut Draft) -> Self {
        let uids = objects.iter().enumerate();
        let by_uid = uids.filter_map(|(at, object)| Some((object.header.uid.as_deref()?, at))).collect();
        let mut by_key = HashMap::new();
        for (at, object) in objects.iter().enumerate() {
            by_key.entry(&object.key).or_insert(at);
        }
        Self { reading, objects, draft, by_uid, by_key, needs: BTreeMap::new() }
    }

    /// Reads what every object states.
    pub(crate) fn relate(&mut self) {
        let objects = self.objects;
        for (at, object) in objects.iter().enumerate() {
            if !object.is_described() {
                continue;
            }
            self.place(object);
            self.owners(at, object);
            self.pods(at, object);
            match object.header.row().map(|row| row.name) {
                Some("PersistentVolumeClaim") => self.claim(object),
                Some("HorizontalPodAutoscaler") => self.scale_target(object),
                Some("Ingress") => self.backends(object),
                _ => {}
            }
        }
        self.services();
    }

    /// The object of a source key.
    pub(crate) fn object_of(&self, key: &SourceKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// The object of a uid.
    pub(crate) fn object_with(&self, uid: &str) -> Option<usize> {
        self.by_uid.get(uid).copied()
    }

    /// A reference to an object by its header. What names nothing is reported.
    pub(crate) fn refer(&mut self, header: &Header, position: &Position, section: &Section) -> Option<CiRef> {
        let content = self.draft.section(section);
        let text = header.key(&self.reading.cluster.key);
        let key = rows::source_key(&text, position, &mut content.findings)?;
        let class = header.class().map(Symbol::new);
        Some(CiRef::Source { key, class, name: Some(header.name.as_str().into()) })
    }

    /// A reference to an object of a kind of the table, by the name a field gives.
    pub(crate) fn named(
        &mut self,
        by: &Object,
        kind: &str,
        value: Option<&Json>,
        pointer: &str,
    ) -> Option<(CiRef, Position)> {
        let position = by.place.at(pointer);
        let section = Section::of(&by.header);
        let Some(name) = value.and_then(Json::as_str).filter(|name| !name.trim().is_empty()) else {
            let message = "this row names nothing".to_owned();
            let finding = Finding::new(FindingCode::NullTarget, position, message).about(by.key.as_str());
            self.draft.section(&section).findings.push(finding);
            return None;
        };
        let row = table::named(kind);
        let namespace = by.header.namespace.as_deref();
        let header = Header::new(row.groups[0], row.name, namespace, name, &self.reading.namespace);
        Some((self.refer(&header, &position, &section)?, position))
    }

    pub(crate) fn state(
        &mut self,
        relation: Relation,
        dependent: CiRef,
        dependency: CiRef,
        position: Position,
        section: &Section,
    ) {
        let mut stated = RelationshipObservation::new(relation.kind, dependent, dependency, position);
        stated.evidence = Some(Symbol::new(relation.evidence));
        stated.source_type = Some(Symbol::new(relation.stated_as));
        self.draft.section(section).relationships.push(stated);
    }

    /// States a relationship of an object to what a field of it names.
    pub(crate) fn needs_named(
        &mut self,
        relation: Relation,
        by: &Object,
        kind: &str,
        value: Option<&Json>,
        pointer: &str,
    ) {
        if let Some((to, position)) = self.named(by, kind, value, pointer) {
            self.state(relation, by.ci(), to, position, &Section::of(&by.header));
        }
    }

    /// What an object lies in: its namespace, or the cluster.
    fn place(&mut self, object: &Object) {
        let section = Section::of(&object.header);
        let position = object.place.at("/metadata/namespace");
        match object.header.namespace.as_deref() {
            Some(namespace) => {
                let header = Header::new("", "Namespace", None, namespace, "");
                if let Some(to) = self.refer(&header, &position, &section) {
                    self.state(table::NAMESPACE, object.ci(), to, position, &section);
                }
            }
            None => {
                let position = object.place.at("");
                let Some(cluster) = self.cluster(&position, &section) else { return };
                self.state(table::CLUSTER, object.ci(), cluster, position, &section);
            }
        }
    }

    /// The cluster itself.
    pub(crate) fn cluster(&mut self, position: &Position, section: &Section) -> Option<CiRef> {
        let findings = &mut self.draft.section(section).findings;
        rows::source_key(&self.reading.cluster.key, position, findings)
            .map(|key| CiRef::of_class(key, "kubernetes-cluster"))
    }

    /// The owners of an object, and the need of the controller among them.
    fn owners(&mut self, at: usize, object: &'a Object) {
        for (index, row) in object.rows("/metadata/ownerReferences") {
            let position = object.place.at(&format!("/metadata/ownerReferences/{index}"));
            let section = Section::of(&object.header);
            let to = match self.owner(object, row, &position, &section) {
                Owner::Nobody => continue,
                Owner::Missing(to) => to,
                Owner::Known(owner) if owner == at => continue,
                Owner::Known(owner) => {
                    let owner_object = &self.objects[owner];
                    let runs_pods =
                        owner_object.is_described() && owner_object.header.row().is_some_and(|row| row.runs_pods);
                    if object.is("Pod") && runs_pods && row.get("controller") == Some(&Json::Bool(true)) {
                        self.member(owner, "pods", table::CONTROLLED, object.ci(), || position.clone());
                    }
                    self.objects[owner].ci()
                }
            };
            self.state(table::OWNER, object.ci(), to, position, &section);
        }
    }

    /// Whom an owner reference means, past ReplicaSets that only stand in between.
    fn owner(&mut self, object: &'a Object, row: &'a Json, position: &Position, section: &Section) -> Owner {
        let (mut object, mut row) = (object, row);
        for _ in 0..MAX_OWNERS {
            let text = |name: &str| row.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty());
            let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
                let finding = Finding::new(FindingCode::NullTarget, position.clone(), "this row names no owner");
                self.draft.section(section).findings.push(finding.about(object.key.as_str()));
                return Owner::Nobody;
            };
            let group = group_of(text("apiVersion").unwrap_or_default());
            let namespace = object.header.namespace.as_deref();
            let header = Header::new(group, kind, namespace, name, &self.reading.namespace);
            let Some(known) = text("uid").and_then(|uid| self.object_with(uid)) else {
                return self.missing_owner(object, &header, text("uid").is_some(), position, section);
            };
            let owner = &self.objects[known];
            match owner.controller().filter(|_| owner.is_between()) {
                Some((_, next)) => (object, row) = (owner, next),
                None if owner.header.class().is_some() => return Owner::Known(known),
                None => return Owner::Nobody,
            }
        }
        Owner::Nobody
    }

    /// An owner whose uid no object has.
    fn missing_owner(
        &mut self,
        object: &Object,
        header: &Header,
        has_uid: bool,
        position: &Position,
        section: &Section,
    ) -> Owner {
        if header.class().is_none() {
            return Owner::Nobody;
        }
        let Some(reference) = self.refer(header, position, section) else { return Owner::Nobody };
        let CiRef::Source { key, .. } = &reference else { return Owner::Nobody };
        match self.object_of(key) {
            Some(known) if has_uid && self.objects[known].is_live() => {
                let message = format!("its owner is an earlier lifetime of '{key}'; the row is left out");
                let finding = Finding::new(FindingCode::MissingTarget, position.clone(), message);
                self.draft.section(section).findings.push(finding.about(object.key.as_str()));
                Owner::Nobody
            }
            Some(known) if self.objects[known].is_described() => Owner::Known(known),
            _ => Owner::Missing(reference),
        }
    }

    /// Adds a member to a need of an object.
    pub(crate) fn member(
        &mut self,
        of: usize,
        name: &'static str,
        relation: Relation,
        member: CiRef,
        position: impl FnOnce() -> Position,
    ) {
        // An object that was listed twice has one need.
        let of = self.object_of(&self.objects[of].key).unwrap_or(of);
        let need = self.needs.entry((of, name)).or_insert_with(|| Need {
            kind: relation.kind,
            members: BTreeMap::new(),
            position: position(),
        });
        need.members.entry(member).or_default().push(relation.evidence);
    }

    /// The volume that fulfils a claim, and the recipe it is made by.
    fn claim(&mut self, object: &Object) {
        for (relation, kind, pointer) in [
            (table::VOLUME_NAME, "PersistentVolume", "/spec/volumeName"),
            (table::STORAGE_CLASS, "StorageClass", "/spec/storageClassName"),
        ] {
            // Empty means none on purpose: no class, or not bound yet.
            if object.text(pointer).is_some() {
                self.needs_named(relation, object, kind, object.value.pointer(pointer), pointer);
            }
        }
    }

    /// What an autoscaler scales is managed by it.
    fn scale_target(&mut self, object: &Object) {
        let position = object.place.at("/spec/scaleTargetRef");
        let section = Section::of(&object.header);
        let text = |name: &str| object.text(&format!("/spec/scaleTargetRef/{name}"));
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
            let finding = Finding::new(FindingCode::NullTarget, position, "this row names nothing to scale");
            self.draft.section(&section).findings.push(finding.about(object.key.as_str()));
            return;
        };
        let group = group_of(text("apiVersion").unwrap_or_default());
        let header = Header::new(group, kind, object.header.namespace.as_deref(), name, &self.reading.namespace);
        if let Some(target) = self.refer(&header, &position, &section) {
            self.state(table::SCALE_TARGET, target, object.ci(), position, &section);
        }
    }

    /// The Services behind an Ingress.
    fn backends(&mut self, object: &Object) {
        let mut backends: Vec<(String, &Json)> = Vec::new();
        for field in ["/spec/defaultBackend", "/spec/backend"] {
            backends.extend(object.value.pointer(field).map(|backend| (field.to_owned(), backend)));
        }
        for (index, rule) in object.rows("/spec/rules") {
            let paths = rule.pointer("/http/paths").and_then(Json::as_array).into_iter().flatten().enumerate();
            backends.extend(paths.filter_map(|(number, path)| {
                Some((format!("/spec/rules/{index}/http/paths/{number}/backend"), path.get("backend")?))
            }));
        }
        for (at, backend) in backends {
            // The second spelling is that of versions before 2020; a `resource` is no Service.
            let fields = ["/service/name", "/serviceName"];
            let field = fields.iter().find(|field| backend.pointer(field).is_some());
            if let Some(field) =
                field.or((backend.get("resource").is_none() && !backend.is_null()).then_some(&fields[0]))
            {
                self.needs_named(table::BACKEND, object, "Service", backend.pointer(field), &format!("{at}{field}"));
            }
        }
    }

    /// Puts the needs down. Their rules are those of the classes.
    pub(crate) fn state_needs(&mut self) {
        for ((of, name), need) in std::mem::take(&mut self.needs) {
            let object = &self.objects[of];
            let dependent = object.ci();
            let section = Section::of(&object.header);
            self.draft.section(&section).needs.push(need.observe(dependent, name));
        }
    }
}

impl Need {
    /// The need as it is put down.
    pub(crate) fn observe(self, dependent: CiRef, name: &str) -> NeedObservation {
        let mut evidence: Vec<&str> = self.members.values().flatten().copied().collect();
        evidence.sort_unstable();
        evidence.dedup();
        NeedObservation {
            dependent,
            name: name.into(),
            kind: Symbol::new(self.kind),
            members: self.members.into_keys().map(|ci| MemberObservation { ci, doubtful: false }).collect(),
            rule: None,
            possible_counts: Vec::new(),
            cap: None,
            phase: Phase::Run,
            confidence: None,
            common_cause: None,
            basis: Basis::Declared,
            evidence: Some(Symbol::new(&evidence.join("+"))),
            position: self.position,
        }
    }
}
