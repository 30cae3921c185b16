//! What pods need, and what workloads need whose pods are yet to be.

use keelson_model::CiRef;
use serde_json::Value as Json;

use crate::draft::Section;
use crate::object::{Header, Object};
use crate::relate::{MAX_OWNERS, Relating};
use crate::secret;
use crate::table;

impl<'a> Relating<'a> {
    /// What a pod, or the template of pods that are yet to be, needs.
    pub(crate) fn pods(&mut self, at: usize, object: &'a Object) {
        let Some(template) = object.header.row().and_then(|row| row.template) else { return };
        let spec = format!("{template}/spec");
        let is_pod = object.is("Pod");
        if is_pod || !object.is_live() {
            self.pod_needs(object, &spec);
        }
        if is_pod {
            if let Some(node) = object.value.pointer("/spec/nodeName").filter(|node| node.as_str() != Some("")) {
                self.needs_named(table::NODE_NAME, object, "Node", Some(node), "/spec/nodeName");
            }
            // The environment of a pod is that of its template.
            let owner = object.controller().map(|(_, owner)| self.template_of(owner));
            if owner == Some(true) {
                return;
            }
        }
        self.environment(at, object, &spec);
    }

    /// Whether the template of an owner's pods was read and is that of a workload that is described.
    fn template_of(&self, owner: &Json) -> bool {
        let mut owner = Some(owner);
        for _ in 0..MAX_OWNERS {
            let uid = owner.and_then(|owner| owner.get("uid")).and_then(Json::as_str);
            let Some(known) = uid.and_then(|uid| self.object_with(uid)) else { return false };
            let object = &self.objects[known];
            if object.is_described() {
                return object.header.row().is_some_and(|row| row.template.is_some());
            }
            owner = object.controller().map(|(_, owner)| owner);
        }
        false
    }

    /// Claims, settings and the account of a pod.
    fn pod_needs(&mut self, object: &Object, spec: &str) {
        for (index, volume) in object.rows(&format!("{spec}/volumes")) {
            let at = format!("{spec}/volumes/{index}");
            if let Some(claim) = volume.get("persistentVolumeClaim").filter(|claim| !claim.is_null()) {
                let pointer = format!("{at}/persistentVolumeClaim/claimName");
                self.needs_named(table::CLAIM, object, "PersistentVolumeClaim", claim.get("claimName"), &pointer);
            }
            let name = volume.get("name").and_then(Json::as_str);
            if let (Some(_), Some(name), true) = (volume.get("ephemeral"), name, object.is("Pod")) {
                // The platform names such a claim by the pod and the volume.
                let claim = Json::from(format!("{}-{name}", object.header.name));
                let pointer = format!("{at}/ephemeral");
                self.needs_named(table::CLAIM, object, "PersistentVolumeClaim", Some(&claim), &pointer);
            }
            self.settings(object, volume.get("configMap"), &format!("{at}/configMap"));
            let sources = volume.pointer("/projected/sources").and_then(Json::as_array).into_iter().flatten();
            for (number, source) in sources.enumerate() {
                self.settings(object, source.get("configMap"), &format!("{at}/projected/sources/{number}/configMap"));
            }
        }
        for (at, container) in containers(object, spec) {
            let rows = |field: &str| container.get(field).and_then(Json::as_array).into_iter().flatten().enumerate();
            for (index, row) in rows("envFrom") {
                self.settings(object, row.get("configMapRef"), &format!("{at}/envFrom/{index}/configMapRef"));
            }
            for (index, row) in rows("env") {
                let pointer = "/valueFrom/configMapKeyRef";
                self.settings(object, row.pointer(pointer), &format!("{at}/env/{index}{pointer}"));
            }
        }
        let field = ["serviceAccountName", "serviceAccount"].map(|field| format!("{spec}/{field}"));
        if let Some(pointer) = field.iter().find(|pointer| object.text(pointer).is_some()) {
            let name = object.value.pointer(pointer);
            self.needs_named(table::SERVICE_ACCOUNT, object, "ServiceAccount", name, pointer);
        }
    }

    /// A reference to a ConfigMap. One that may be missing is needed only where it is there.
    fn settings(&mut self, object: &Object, reference: Option<&Json>, at: &str) {
        let Some(reference) = reference.filter(|reference| !reference.is_null()) else { return };
        let pointer = format!("{at}/name");
        let Some((to, position)) = self.named(object, "ConfigMap", reference.get("name"), &pointer) else { return };
        let optional = reference.get("optional") == Some(&Json::Bool(true));
        let known = matches!(&to, CiRef::Source { key, .. } if self.object_of(key).is_some());
        if !optional || known {
            self.state(table::CONFIG_MAP, object.ci(), to, position, &Section::of(&object.header));
        }
    }

    /// Services whose addresses are in the environment of the containers.
    fn environment(&mut self, at: usize, object: &Object, spec: &str) {
        let section = Section::of(&object.header);
        for (pointer, container) in containers(object, spec) {
            for (index, row) in container.get("env").and_then(Json::as_array).into_iter().flatten().enumerate() {
                let Some(fields) = row.as_object() else { continue };
                let own = self.objects[at].namespace();
                let Some((namespace, name)) = secret::address(fields, own, &self.reading.services) else { continue };
                let position = object.place.at(&format!("{pointer}/env/{index}/value"));
                let header = Header::new("", "Service", Some(&namespace), &name, "");
                if let Some(to) = self.refer(&header, &position, &section) {
                    self.state(table::ENV, object.ci(), to, position, &section);
                }
            }
        }
    }
}

/// The containers of a pod with their pointers.
fn containers<'o>(object: &'o Object, spec: &str) -> Vec<(String, &'o Json)> {
    let fields = ["initContainers", "containers", "ephemeralContainers"].map(|field| format!("{spec}/{field}"));
    let rows = |field: String| object.rows(&field).map(move |(index, row)| (format!("{field}/{index}"), row)).collect();
    fields.into_iter().flat_map(|field| -> Vec<_> { rows(field) }).collect()
}
