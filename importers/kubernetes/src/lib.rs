//! The importer of Kubernetes clusters and manifests.
//!
//! Reads lists as the API answers them (`PodList`), lists as clients print them (`List`), support
//! bundles and manifests, as JSON or YAML.
//!
//! | Kubernetes says | Keelson stores |
//! | --- | --- |
//! | Ingress backend | the Ingress routes to the Service |
//! | `selector` of a Service, `targetRef` of an EndpointSlice | the Service routes to its pods: one need |
//! | `nodeName` of a pod | the pod runs on the Node |
//! | a claim, a ConfigMap, the account of a pod | the pod mounts or uses it |
//! | `volumeName`, `storageClassName` of a claim | the claim is bound to the volume, depends on the class |
//! | `ownerReferences` of A | A is managed by its owner; a controller depends on its pods: one need |
//! | `scaleTargetRef` of an autoscaler | the target is managed by the autoscaler |
//! | `host:port` in the environment | the workload uses the Service |
//! | a namespace, or none | the object is part of the namespace, or of the cluster |
//! | Nodes | the cluster runs on its Nodes: one need |
//!
//! The rows are data ([`table::RELATIONS`]), as are the kinds of objects ([`table::KINDS`]). A pod
//! never depends on what controls it, and a ReplicaSet between a Deployment and its pods is passed
//! by. What manifests declare has no pods yet: there the workload stands for them.
//!
//! An object is known by cluster, API group, kind, namespace and name; its uid tells one lifetime
//! of that name from the next. The cluster is known by the uid of its namespace `kube-system`, or
//! by the option `cluster`. Lists of the API become one batch per kind, because each of them is a
//! listing of its own; everything else becomes one batch. Only what the caller vouches for and the
//! lists can prove is complete; a support bundle never is.
//!
//! This crate refuses to keep secrets: Secrets, the content of ConfigMaps, and values of the
//! environment that are no addresses of Services leave no trace but their place. It refuses to
//! guess which cluster something is of.

mod address;
mod attributes;
mod complete;
mod draft;
mod files;
mod object;
mod pods;
mod quantity;
mod read;
mod relate;
mod secret;
mod select;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use keelson_importer::{Context, EnvelopeError, Importer, Input, merge, rows};
use keelson_model::{Batch, CiRef, Finding, FindingCode, ImporterVersion, Observation, Scope, Severity, SourceKey};

use draft::{Content, Draft, Section};
use files::Form;
use object::{DEFAULT_NAMESPACE, Object};
use read::Reading;
use relate::{Need, Relating};

/// Reads Kubernetes.
///
/// Options: `cluster`, the name of the cluster, which is needed where the namespace `kube-system`
/// is not among the objects. `namespace`, the one namespace the lists were asked for, and the one
/// that manifests go to which state none. `repository` and `commit`, where and at which commit
/// manifests were read; the repository is the scope where the caller gives none, the commit
/// becomes the batch's cursor.
#[derive(Clone, Copy, Debug, Default)]
pub struct KubernetesImporter;

impl Importer for KubernetesImporter {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn reads(&self) -> &'static str {
        "Kubernetes: lists of the API or of kubectl as JSON or YAML, support bundles, manifests"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        let options = Options::of(context)?;
        let mut reading = read::read(input, options.cluster, options.namespace.unwrap_or(DEFAULT_NAMESPACE))?;
        let cluster = SourceKey::new(&reading.cluster.key).map_err(|error| option("cluster", error.to_string()))?;
        let mut draft = Draft::default();
        let mut broken = BTreeSet::new();
        for (header, finding) in std::mem::take(&mut reading.findings) {
            if finding.severity == Severity::Error {
                broken.extend(header.as_ref().map(object::Header::kind_in_group));
            }
            match header.filter(|header| header.class().is_some()) {
                Some(header) => draft.section(&Section::of(&header)).findings.push(finding),
                None => draft.findings.push(finding),
            }
        }
        let mut objects = object::settle(std::mem::take(&mut reading.objects), &mut draft.findings);
        if let Some(namespace) = options.namespace {
            keep_namespace(&mut objects, namespace, &mut draft);
        }
        describe(&objects, &mut draft);
        let per_kind = context.scope.is_none() && is_per_kind(&reading);
        describe_cluster(&mut draft, &reading, &cluster, options.cluster, &objects, per_kind);
        let mut relating = Relating::new(&reading, &objects, &mut draft);
        relating.relate();
        relating.state_needs();
        reading.objects = objects;
        let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
        let begin = |scope| {
            let mut batch = Batch::new(&context.source, scope, importer.clone(), context.observed_at);
            batch.payloads.clone_from(&reading.payloads);
            batch
        };
        let mut batches = if per_kind {
            per_kind_batches(draft, &reading, context, &options, broken, begin)
        } else {
            let scope = context.scope.clone().unwrap_or_else(|| options.scope(&reading));
            vec![whole_batch(draft, &reading, context, &options, begin(scope))]
        };
        merge::report_missing_targets(&mut batches);
        Ok(batches)
    }
}

fn option(option: &str, reason: String) -> EnvelopeError {
    EnvelopeError::Option { option: option.to_owned(), reason }
}

/// The options of this importer.
struct Options<'a> {
    cluster: Option<&'a str>,
    namespace: Option<&'a str>,
    repository: Option<&'a str>,
    commit: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn of(context: &'a Context) -> Result<Self, EnvelopeError> {
        let read = |name: &str| match context.options.get(name).map(|text| text.trim()) {
            Some("") => Err(option(name, "it is empty; give it a value or leave it out".to_owned())),
            text => Ok(text),
        };
        let [cluster, namespace, repository, commit] =
            [read("cluster")?, read("namespace")?, read("repository")?, read("commit")?];
        Ok(Self { cluster, namespace, repository, commit })
    }

    /// What the one batch of an import covers.
    fn scope(&self, reading: &Reading) -> Scope {
        let manifests = reading.lists.iter().all(|list| list.form == Form::Object);
        match (self.repository, self.namespace) {
            (Some(repository), _) if manifests => Scope::of(&[("repository", repository)]),
            (_, Some(namespace)) if !manifests => {
                Scope::of(&[("cluster", &reading.cluster.key), ("namespace", namespace)])
            }
            _ => Scope::of(&[("cluster", &reading.cluster.key)]),
        }
    }
}

/// Whether everything is an answer of the API to a listing, and some of it of a kind that becomes
/// configuration items.
fn is_per_kind(reading: &Reading) -> bool {
    let described = |header: &object::Header| header.class().is_some();
    reading.lists.iter().all(|list| list.form == Form::ApiList)
        && reading.lists.iter().any(|list| list.kind.as_ref().is_some_and(described))
}

/// Refuses what lies outside the namespace the lists were asked for. Manifests are not asked for.
fn keep_namespace(objects: &mut Vec<Object>, namespace: &str, draft: &mut Draft) {
    objects.retain(|object| {
        let within = match object.header.namespace.as_deref() {
            Some(own) => own == namespace,
            None => object.is("Namespace") && object.header.name == namespace,
        };
        if !within && object.is_live() && object.is_described() {
            let message = format!("'{}' is not in the namespace '{namespace}'; it is left out", object.key);
            let finding = Finding::new(FindingCode::OutOfScope, object.place.at(""), message);
            draft.section(&Section::of(&object.header)).findings.push(finding.about(object.key.as_str()));
        }
        within || !object.is_live()
    });
}

/// Describes every object that becomes a configuration item.
fn describe(objects: &[Object], draft: &mut Draft) {
    for object in objects.iter().filter(|object| object.is_described()) {
        let Some(class) = object.header.class() else { continue };
        let content = draft.section(&Section::of(&object.header));
        let observation = attributes::observe(object, class, &mut content.findings);
        content.observations.push(observation);
    }
    for content in draft.sections.values_mut() {
        merge::duplicates(&mut content.observations, &mut content.findings);
    }
    let mut findings = Vec::new();
    let mut all: Vec<&mut Observation> =
        draft.sections.values_mut().flat_map(|content| &mut content.observations).collect();
    attributes::settle_keys(&mut all, &mut findings);
    attributes::drop_shared_identities(&mut all, &mut findings);
    draft.findings.append(&mut findings);
}

/// Describes the cluster and its need of Nodes, where what was read says something of it.
fn describe_cluster(
    draft: &mut Draft,
    reading: &Reading,
    key: &SourceKey,
    name: Option<&str>,
    objects: &[Object],
    per_kind: bool,
) {
    let listed = |kind: &str| {
        let of_kind = |header: &object::Header| header.row() == Some(table::named(kind));
        reading.lists.iter().any(|list| list.kind.as_ref().is_some_and(of_kind))
    };
    let teller = ["Namespace", "Node"].into_iter().find(|kind| !per_kind || listed(kind));
    if let Some(teller) = teller {
        let mut cluster = Observation::new(key.clone(), "kubernetes-cluster", reading.cluster.position.clone());
        cluster.name = name.map(Into::into);
        cluster.native_id = reading.cluster.uid.as_deref().map(Into::into);
        if let Some(uid) = &reading.cluster.uid {
            cluster = cluster.with("cluster_uid", uid.as_str());
        }
        let cluster = cluster.with("cluster_type", "kubernetes");
        draft.section(&Section::named(teller)).observations.push(cluster);
    }
    let mut nodes = objects.iter().filter(|object| object.is("Node")).peekable();
    let Some(first) = nodes.peek() else { return };
    let position = first.place.at("");
    let members: BTreeMap<CiRef, _> = nodes.map(|node| (node.ci(), vec![table::NODES.evidence])).collect();
    let need = Need { kind: table::NODES.kind, members, position };
    let dependent = CiRef::of_class(key.clone(), "kubernetes-cluster");
    draft.section(&Section::named("Node")).needs.push(need.observe(dependent, table::NODES.stated_as));
}

/// Puts what is said into a batch.
fn fill(batch: &mut Batch, content: Content) {
    batch.observations = content.observations;
    batch.relationships = content.relationships;
    batch.needs = content.needs;
    batch.findings.extend(content.findings);
    merge::relationships(&mut batch.relationships);
    batch.relationships.sort_by(|a, b| {
        let order =
            |r: &keelson_model::RelationshipObservation| (r.dependent.clone(), r.kind.clone(), r.dependency.clone());
        order(a).cmp(&order(b))
    });
    merge::report_self_loops(batch);
    rows::keep_within_limits(batch);
}

/// Everything as one batch.
fn whole_batch(draft: Draft, reading: &Reading, context: &Context, options: &Options<'_>, mut batch: Batch) -> Batch {
    batch.cursor = options.commit.map(str::to_owned);
    batch.findings = draft.findings;
    let mut all = Content::default();
    for content in draft.sections.into_values() {
        all.append(content);
    }
    fill(&mut batch, all);
    complete::judge_whole(&mut batch, reading, context.complete);
    batch
}

/// One batch for every kind that was listed.
fn per_kind_batches(
    mut draft: Draft,
    reading: &Reading,
    context: &Context,
    options: &Options<'_>,
    mut broken: BTreeSet<String>,
    begin: impl Fn(Scope) -> Batch,
) -> Vec<Batch> {
    let headers = reading.lists.iter().filter_map(|list| list.kind.as_ref());
    for header in headers.filter(|header| header.class().is_some()) {
        draft.section(&Section::of(header));
    }
    let mut batches = Vec::new();
    for (section, content) in std::mem::take(&mut draft.sections) {
        let mut dimensions = vec![("cluster", reading.cluster.key.as_str()), ("kind", section.kind.as_str())];
        dimensions.extend(options.namespace.map(|namespace| ("namespace", namespace)));
        let mut batch = begin(Scope::of(&dimensions));
        let own =
            reading.lists.iter().filter(|list| list.kind.as_ref().is_some_and(|h| h.kind_in_group() == section.kind));
        let versions: BTreeSet<_> = own.filter_map(|list| list.version.clone()).collect();
        batch.cursor = versions.first().filter(|_| versions.len() == 1).cloned();
        batch.findings.append(&mut draft.findings);
        fill(&mut batch, content);
        batches.push((section, batch));
    }
    let is_broken = |batch: &Batch| batch.findings.iter().any(|finding| finding.severity == Severity::Error);
    let refused = batches.iter().filter(|(_, batch)| is_broken(batch));
    broken.extend(refused.map(|(section, _)| section.kind.clone()));
    for (section, batch) in &mut batches {
        complete::judge_kind(batch, section, reading, context.complete, &broken);
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}
