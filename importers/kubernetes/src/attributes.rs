//! What an object says of itself, as attributes of its class.

use std::collections::BTreeMap;

use keelson_model::{CiKey, Finding, FindingCode, Lifecycle, Observation, Severity, Symbol};
use serde_json::Value as Json;

use crate::object::Object;
use crate::quantity::{self, GIBI, MEBI};
use crate::table;

/// The attribute of a Service that keeps what it stands for outside the cluster.
pub(crate) const EXTERNAL_ENDPOINTS: &str = "external_endpoints";

/// Describes an object. A key of the catalogue that is none is a finding, and the object stays.
pub(crate) fn observe(object: &Object, class: &str, findings: &mut Vec<Finding>) -> Observation {
    let mut observation = Observation::new(object.key.clone(), class, object.place.at(""));
    observation.name = Some(object.header.name.as_str().into());
    observation.native_id = object.header.uid.as_deref().map(Into::into);
    observation.native_version = object.text("/metadata/resourceVersion").and_then(|version| version.parse().ok());
    if object.value.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        observation.lifecycle = Some(Lifecycle::GoingAway);
    }
    observation.key = stated_key(object, findings);
    let mut to = Attributes { object, attributes: &mut observation.attributes };
    to.common();
    match object.header.row().map(|row| row.name) {
        Some("Namespace") => to.text("status", "/status/phase"),
        Some("Node") => to.node(),
        Some("StorageClass") => {
            to.text("provisioner", "/provisioner");
            to.text("reclaim_policy", "/reclaimPolicy");
        }
        Some("PersistentVolume") => to.volume(),
        Some("PersistentVolumeClaim") => to.claim(),
        Some("Pod") => to.pod(),
        Some("ReplicaSet" | "ReplicationController" | "Deployment" | "StatefulSet") => to.workload(),
        Some("DaemonSet") => to.daemon_set(),
        Some("CronJob") => {
            to.text("schedule", "/spec/schedule");
            to.value("suspended", "/spec/suspend");
        }
        Some("Job") => to.value("suspended", "/spec/suspend"),
        Some("HorizontalPodAutoscaler") => {
            to.value("minimum_replicas", "/spec/minReplicas");
            to.value("maximum_replicas", "/spec/maxReplicas");
        }
        Some("Service") => to.service(),
        Some("Ingress") => to.ingress(),
        Some(_) => {}
        None => {
            let kind = object.header.kind_in_group();
            to.put("resource_type", Some(Json::from(kind)));
            to.text("api_group", "/apiVersion");
        }
    }
    observation
}

/// The key of the catalogue that an annotation names.
fn stated_key(object: &Object, findings: &mut Vec<Finding>) -> Option<CiKey> {
    let annotation = object.value.pointer("/metadata/annotations").and_then(|all| all.get(table::KEY_ANNOTATION));
    let text = annotation?.as_str()?;
    match CiKey::new(text) {
        Ok(key) => Some(key),
        Err(error) => {
            let position = object.place.at("/metadata/annotations/keelson~1key");
            let message = format!("the annotation {} is no key of the catalogue: {error}", table::KEY_ANNOTATION);
            let finding = Finding::new(FindingCode::MalformedRow, position, message).about(object.key.as_str());
            findings.push(finding.with_severity(Severity::Warning));
            None
        }
    }
}

/// The attributes being gathered.
struct Attributes<'a> {
    object: &'a Object,
    attributes: &'a mut BTreeMap<Symbol, Json>,
}

impl Attributes<'_> {
    fn put(&mut self, name: &str, value: Option<Json>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.attributes.insert(Symbol::new(name), value);
        }
    }

    fn text(&mut self, name: &str, pointer: &str) {
        self.put(name, self.object.text(pointer).map(Json::from));
    }

    /// A number or a flag.
    fn value(&mut self, name: &str, pointer: &str) {
        let value = self.object.value.pointer(pointer);
        self.put(name, value.filter(|value| value.is_u64() || value.is_boolean()).cloned());
    }

    fn list(&mut self, name: &str, values: Vec<String>) {
        self.put(name, (!values.is_empty()).then(|| Json::from(values)));
    }

    fn quantity(&mut self, name: &str, pointer: &str, unit: f64) {
        let value = self.object.value.pointer(pointer).and_then(|value| quantity::in_unit(value, unit));
        self.put(name, value);
    }

    /// The texts of a list.
    fn texts(&self, pointer: &str) -> Vec<String> {
        self.object.rows(pointer).filter_map(|(_, text)| text.as_str().map(str::to_owned)).collect()
    }

    fn common(&mut self) {
        let labels = self.object.labels("/metadata").map(|(name, value)| format!("{name}={value}")).collect();
        self.list("labels", labels);
        let is_part = |class: &str| class != "namespace";
        if self.object.header.class().is_some_and(is_part) {
            self.text("created_at", "/metadata/creationTimestamp");
            self.text("version", "/metadata/labels/app.kubernetes.io~1version");
        }
        // A job says its namespace by being part of it.
        let says_namespace = |class: &str| !["namespace", "job"].contains(&class);
        if self.object.header.class().is_some_and(says_namespace) {
            let namespace = self.object.header.namespace.clone();
            self.put("namespace", namespace.map(Json::from));
        }
    }

    fn node(&mut self) {
        for (attribute, pointer) in [
            ("system_uuid", "/status/nodeInfo/systemUUID"),
            ("operating_system", "/status/nodeInfo/osImage"),
            ("kernel_version", "/status/nodeInfo/kernelVersion"),
            ("architecture", "/status/nodeInfo/architecture"),
            ("container_runtime", "/status/nodeInfo/containerRuntimeVersion"),
            ("kubelet_version", "/status/nodeInfo/kubeletVersion"),
        ] {
            self.text(attribute, pointer);
        }
        let label = |name: &str| self.object.labels("/metadata").find(|(label, _)| *label == name);
        let either = |names: &[&str]| names.iter().find_map(|name| label(name)).map(|(_, value)| Json::from(value));
        let size = either(&["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"]);
        let region = either(&["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"]);
        let zone = either(&["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]);
        let hostname = either(&["kubernetes.io/hostname"]);
        let roles =
            self.object.labels("/metadata").filter_map(|(name, _)| name.strip_prefix("node-role.kubernetes.io/"));
        let roles = roles.map(str::to_owned).collect();
        for (name, value) in [("instance_type", size), ("region", region), ("zone", zone), ("hostname", hostname)] {
            self.put(name, value);
        }
        self.list("roles", roles);
        self.quantity("processors", "/status/capacity/cpu", 1.0);
        self.quantity("memory", "/status/capacity/memory", MEBI);
        if let Some(id) = self.object.text("/spec/providerID") {
            let scheme = id.split_once(':').map_or("", |(scheme, _)| scheme);
            let provider = table::PROVIDERS.iter().find(|(known, _)| *known == scheme);
            self.put("provider", provider.map(|(_, provider)| Json::from(*provider)));
            let attribute = if table::LOCAL_PROVIDERS.contains(&scheme) { "native_id" } else { "provider_id" };
            self.put(attribute, Some(Json::from(id)));
        }
        let of_type = |wanted: &str| {
            let rows = self.object.rows("/status/addresses").map(|(_, row)| row);
            let of_type =
                rows.filter(|row| row.get("type").and_then(Json::as_str).is_some_and(|t| t.ends_with(wanted)));
            of_type.filter_map(|row| row.get("address")?.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let (inner, all) = (of_type("InternalIP"), of_type("IP"));
        self.put("ip_address", inner.first().map(|address| Json::from(address.as_str())));
        self.list("ip_addresses", all);
        let mut conditions = self.object.rows("/status/conditions").map(|(_, row)| row);
        let ready = conditions.find(|row| row.get("type").and_then(Json::as_str) == Some("Ready"));
        let ready = ready.and_then(|row| row.get("status")).and_then(Json::as_str);
        self.put("status", ready.map(|ready| Json::from(if ready == "True" { "Ready" } else { "NotReady" })));
    }

    fn volume(&mut self) {
        self.quantity("size", "/spec/capacity/storage", GIBI);
        let modes = self.texts("/spec/accessModes");
        self.list("access_modes", modes);
        self.text("reclaim_policy", "/spec/persistentVolumeReclaimPolicy");
        self.text("volume_type", "/spec/csi/driver");
        self.text("volume_handle", "/spec/csi/volumeHandle");
        self.text("status", "/status/phase");
    }

    fn claim(&mut self) {
        self.quantity("size", "/spec/resources/requests/storage", GIBI);
        let modes = self.texts("/spec/accessModes");
        self.list("access_modes", modes);
        self.text("status", "/status/phase");
    }

    fn images(&mut self, spec: &str) {
        let rows = self.object.rows(&format!("{spec}/containers"));
        let images: Vec<String> =
            rows.filter_map(|(_, container)| container.get("image")?.as_str().map(str::to_owned)).collect();
        self.put("image", images.first().map(|image| Json::from(image.as_str())));
        self.list("images", images);
    }

    fn pod(&mut self) {
        self.images("/spec");
        self.text("phase", "/status/phase");
        self.text("quality_class", "/status/qosClass");
        self.text("ip_address", "/status/podIP");
        let counts = self.object.rows("/status/containerStatuses");
        let counts: Vec<u64> = counts.filter_map(|(_, status)| status.get("restartCount")?.as_u64()).collect();
        self.put("restarts", (!counts.is_empty()).then(|| Json::from(counts.iter().sum::<u64>())));
        for (attribute, resource, unit) in [("processors_requested", "cpu", 1.0), ("memory_requested", "memory", MEBI)]
        {
            let pointer = format!("/resources/requests/{resource}");
            let containers = self.object.rows("/spec/containers");
            let requests: Vec<f64> =
                containers.filter_map(|(_, container)| quantity::read(container.pointer(&pointer)?)).collect();
            // Summed in thousandths, so that the order of containers plays no part.
            let sum = requests.iter().map(|request| (request * 1000.0).round()).sum::<f64>() / 1000.0;
            self.put(attribute, (!requests.is_empty()).then(|| quantity::json(sum / unit)));
        }
    }

    fn workload(&mut self) {
        self.images("/spec/template/spec");
        self.value("replicas", "/spec/replicas");
        self.value("ready_replicas", "/status/readyReplicas");
        self.text("strategy", "/spec/strategy/type");
        self.text("strategy", "/spec/updateStrategy/type");
    }

    fn daemon_set(&mut self) {
        self.workload();
        self.value("replicas", "/status/desiredNumberScheduled");
        self.value("ready_replicas", "/status/numberReady");
    }

    fn service(&mut self) {
        self.text("service_type", "/spec/type");
        self.text("cluster_ip", "/spec/clusterIP");
        let ports = self.object.rows("/spec/ports").filter_map(|(_, port)| port.get("port")?.as_u64());
        let ports: Vec<u64> = ports.collect();
        self.put("ports", (!ports.is_empty()).then(|| Json::from(ports)));
        let selector = self.object.value.pointer("/spec/selector").and_then(Json::as_object).into_iter().flatten();
        let selector = selector.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        let selector = selector.collect();
        self.list("selector", selector);
        let name = self.object.text("/spec/externalName").map(str::to_owned);
        self.list(EXTERNAL_ENDPOINTS, name.into_iter().collect());
    }

    fn ingress(&mut self) {
        let hosts = self.object.rows("/spec/rules").filter_map(|(_, rule)| rule.get("host")?.as_str());
        let mut hosts: Vec<String> = hosts.filter(|host| !host.is_empty()).map(str::to_owned).collect();
        hosts.sort();
        hosts.dedup();
        self.list("hosts", hosts);
        self.text("ingress_class", "/metadata/annotations/kubernetes.io~1ingress.class");
        self.text("ingress_class", "/spec/ingressClassName");
    }
}

/// Leaves out of the Nodes what identifies but is said by several of them: machines of one desk
/// share what their firmware says.
pub(crate) fn drop_shared_identities(observations: &mut [&mut Observation], findings: &mut Vec<Finding>) {
    for attribute in ["provider_id", "system_uuid"] {
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        let text = |observation: &Observation| Some(observation.attributes.get(attribute)?.as_str()?.to_owned());
        for observation in observations.iter() {
            *said.entry(text(observation).unwrap_or_default()).or_default() += 1;
        }
        for observation in observations.iter_mut() {
            let Some(value) = text(observation) else { continue };
            if said.get(&value).is_some_and(|count| *count > 1) {
                observation.attributes.remove(attribute);
                let message =
                    format!("several Nodes say the same {attribute}, which therefore identifies none of them");
                let finding = Finding::new(FindingCode::AmbiguousIdentity, observation.position.clone(), message);
                let finding = finding.about(observation.source_key.as_str()).in_field(attribute);
                findings.push(finding.with_severity(Severity::Warning));
            }
        }
    }
}

/// Lets every key of the catalogue belong to one object; the others lose their claim to it.
pub(crate) fn settle_keys(observations: &mut [&mut Observation], findings: &mut Vec<Finding>) {
    let mut claimed: BTreeMap<CiKey, String> = BTreeMap::new();
    for observation in observations {
        let Some(key) = observation.key.clone() else { continue };
        let own = observation.source_key.to_string();
        let holder = claimed.entry(key.clone()).or_insert_with(|| own.clone());
        if *holder != own {
            let message = format!("the key '{key}' is already claimed by '{holder}'");
            let finding = Finding::new(FindingCode::AmbiguousIdentity, observation.position.clone(), message);
            findings.push(finding.about(own).with_severity(Severity::Warning));
            observation.key = None;
        }
    }
}
