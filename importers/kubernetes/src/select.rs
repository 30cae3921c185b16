//! Services and the pods they stand for: by selector, and by EndpointSlices.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keelson_model::{CiRef, Finding, FindingCode, Position, Symbol};
use serde_json::Value as Json;

use crate::attributes::EXTERNAL_ENDPOINTS;
use crate::draft::Section;
use crate::object::{Header, Object, group_of};
use crate::relate::Relating;
use crate::table;

/// The label by which an EndpointSlice names its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// Name of the need of a Service.
const ENDPOINTS: &str = "endpoints";

/// Which objects have a label, by whether they are live, namespace and label.
struct Labels<'a> {
    having: HashMap<(bool, &'a str, &'a str, &'a str), Vec<usize>>,
    objects: &'a [Object],
    /// Whether pods, or templates of pods, were read at all.
    live_pods: bool,
    declared_pods: bool,
}

/// Where the labels of the pods of an object are: of its own where it is a pod, of its template
/// where it is a workload nobody has started yet.
fn pod_metadata(object: &Object) -> Option<String> {
    let row = object.header.row()?;
    let counts = row.name == "Pod" || (!object.is_live() && row.runs_pods && object.is_described());
    row.template.filter(|_| counts).map(|template| format!("{template}/metadata"))
}

impl<'a> Labels<'a> {
    fn of(objects: &'a [Object]) -> Self {
        let mut labels = Self { having: HashMap::new(), objects, live_pods: false, declared_pods: false };
        for (at, object) in objects.iter().enumerate() {
            let Some(metadata) = pod_metadata(object) else { continue };
            let live = object.is_live();
            labels.live_pods |= live;
            labels.declared_pods |= !live;
            for (name, value) in object.labels(&metadata) {
                labels.having.entry((live, object.namespace(), name, value)).or_default().push(at);
            }
        }
        labels
    }

    /// The objects that have one label of a selector.
    fn having<'s>(&'s self, service: &'s Object, (name, value): (&'s str, &'s str)) -> &'s [usize] {
        let label = (service.is_live(), service.namespace(), name, value);
        self.having.get(&label).map_or(&[], Vec::as_slice)
    }

    /// The objects that have all labels of a selector.
    fn matching(&self, service: &Object, selector: &[(&str, &str)]) -> Vec<usize> {
        let having = selector.iter().map(|label| self.having(service, *label));
        let Some(rarest) = having.min_by_key(|objects| objects.len()) else { return Vec::new() };
        let has_all = |at: &usize| {
            let object = &self.objects[*at];
            let Some(metadata) = pod_metadata(object) else { return false };
            let labels: HashMap<&str, &str> = object.labels(&metadata).collect();
            selector.iter().all(|(name, value)| labels.get(name) == Some(value))
        };
        rarest.iter().copied().filter(has_all).collect()
    }
}

impl Relating<'_> {
    /// The need of every Service.
    pub(crate) fn services(&mut self) {
        let labels = Labels::of(self.objects);
        for (at, service) in self.objects.iter().enumerate().filter(|(_, object)| object.is("Service")) {
            let selector = service.value.pointer("/spec/selector").and_then(Json::as_object);
            let all = selector.map_or(0, serde_json::Map::len);
            let selector: Vec<_> = selector
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .collect();
            // Without a selector its endpoints are outside, or named by EndpointSlices only.
            if selector.is_empty() || selector.len() < all {
                continue;
            }
            let pods = labels.matching(service, &selector);
            let could_match = if service.is_live() { labels.live_pods } else { labels.declared_pods };
            if pods.is_empty() && could_match {
                let position = service.place.at("/spec/selector");
                let message = format!("the selector of '{}' meets no pod in its namespace", service.key);
                let finding = Finding::new(FindingCode::EmptySelection, position, message).about(service.key.as_str());
                self.draft.section(&Section::of(&service.header)).findings.push(finding);
            }
            for pod in pods {
                let member = self.objects[pod].ci();
                self.member(at, ENDPOINTS, table::SELECTOR, member, || service.place.at("/spec/selector"));
            }
        }
        self.endpoints();
    }

    /// What EndpointSlices, and the Endpoints before them, refer to.
    fn endpoints(&mut self) {
        let mut outside: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for object in self.objects {
            let slice = object.header.kind == "EndpointSlice" && object.header.group == "discovery.k8s.io";
            let older = object.header.kind == "Endpoints" && object.header.group.is_empty();
            if slice {
                let name = object.labels("/metadata").find(|(label, _)| *label == SERVICE_LABEL).map(|(_, name)| name);
                for (index, endpoint) in object.rows("/endpoints") {
                    let addresses = endpoint.get("addresses").and_then(Json::as_array).into_iter().flatten();
                    self.outside(object, name, endpoint, addresses, &mut outside);
                    self.target(object, name, endpoint, &format!("/endpoints/{index}/targetRef"));
                }
            } else if older {
                let name = Some(object.header.name.as_str());
                for (index, subset) in object.rows("/subsets") {
                    for field in ["addresses", "notReadyAddresses"] {
                        let rows = subset.get(field).and_then(Json::as_array).into_iter().flatten().enumerate();
                        for (number, address) in rows {
                            self.outside(object, name, address, address.get("ip"), &mut outside);
                            self.target(object, name, address, &format!("/subsets/{index}/{field}/{number}/targetRef"));
                        }
                    }
                }
            }
        }
        self.state_outside(outside);
    }

    /// Notes the addresses of an endpoint that is nothing of the cluster, where the Service selects
    /// nothing.
    fn outside<'j>(
        &self,
        slice: &Object,
        service: Option<&str>,
        endpoint: &Json,
        addresses: impl IntoIterator<Item = &'j Json>,
        outside: &mut BTreeMap<usize, BTreeSet<String>>,
    ) {
        let Some(service) = service.and_then(|name| self.service(slice, name)) else { return };
        let selects = self.objects[service].value.pointer("/spec/selector").is_some_and(|selector| !selector.is_null());
        if selects || endpoint.get("targetRef").is_some_and(|target| !target.is_null()) {
            return;
        }
        let addresses = addresses.into_iter().filter_map(|address| address.as_str().map(str::to_owned));
        outside.entry(service).or_default().extend(addresses);
    }

    /// Puts down what Services stand for outside the cluster.
    fn state_outside(&mut self, outside: BTreeMap<usize, BTreeSet<String>>) {
        let observations = &mut self.draft.section(&Section::named("Service")).observations;
        let mut by_key: HashMap<_, _> = observations.iter_mut().map(|o| (o.source_key.clone(), o)).collect();
        for (service, addresses) in outside {
            let observation = by_key.get_mut(&self.objects[service].key).filter(|_| !addresses.is_empty());
            if let Some(observation) = observation {
                let addresses: Vec<String> = addresses.into_iter().collect();
                observation.attributes.entry(Symbol::new(EXTERNAL_ENDPOINTS)).or_insert_with(|| Json::from(addresses));
            }
        }
    }

    /// One endpoint of a Service that was read.
    fn target(&mut self, slice: &Object, service: Option<&str>, endpoint: &Json, pointer: &str) {
        let Some(service) = service.and_then(|name| self.service(slice, name)) else { return };
        let Some(target) = endpoint.get("targetRef").filter(|target| !target.is_null()) else { return };
        let position = slice.place.at(pointer);
        let Some(member) = self.target_of(slice, target, &position) else { return };
        self.member(service, ENDPOINTS, table::TARGET_REF, member, || position);
    }

    /// The Service of a name in the namespace of a slice.
    fn service(&self, slice: &Object, name: &str) -> Option<usize> {
        let header = Header::new("", "Service", slice.header.namespace.as_deref(), name, &self.reading.namespace);
        let key = keelson_model::SourceKey::new(&header.key(&self.reading.cluster.key)).ok()?;
        self.object_of(&key)
    }

    /// Whom a target reference means: a pod or a Node, mostly.
    fn target_of(&mut self, slice: &Object, target: &Json, position: &Position) -> Option<CiRef> {
        let text = |name: &str| target.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty());
        if let Some(known) = text("uid").and_then(|uid| self.object_with(uid)) {
            return self.objects[known].is_described().then(|| self.objects[known].ci());
        }
        let section = Section::named("Service");
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
            let finding = Finding::new(FindingCode::NullTarget, position.clone(), "this row names no target");
            self.draft.section(&section).findings.push(finding.about(slice.key.as_str()));
            return None;
        };
        let group = group_of(text("apiVersion").unwrap_or_default());
        let namespace = text("namespace").or(slice.header.namespace.as_deref());
        let header = Header::new(group, kind, namespace, name, &self.reading.namespace);
        header.class()?;
        self.refer(&header, position, &section)
    }
}
