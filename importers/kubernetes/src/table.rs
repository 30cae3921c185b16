//! What the kinds and words of Kubernetes mean here, as data.
//!
//! Directions and kinds of relationship come from these rows alone.

/// One kind of object that becomes a configuration item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The kind as Kubernetes writes it.
    pub name: &'static str,
    /// Its API groups. The first is the one it is known by; the others are earlier homes of it.
    pub groups: &'static [&'static str],
    /// Its class.
    pub class: &'static str,
    /// Whether it lives in a namespace.
    pub namespaced: bool,
    /// Where the template of its pods is, if it has one.
    pub template: Option<&'static str>,
    /// Whether pods it controls are one need of it.
    pub runs_pods: bool,
    /// Other kinds whose lists say what an object of this kind needs. Without them a list of this
    /// kind describes its objects in part only.
    pub told_by: &'static [&'static str],
}

const fn plain(name: &'static str, groups: &'static [&'static str], class: &'static str) -> Kind {
    Kind { name, groups, class, namespaced: true, template: None, runs_pods: false, told_by: &[] }
}

const fn wide(name: &'static str, groups: &'static [&'static str], class: &'static str) -> Kind {
    Kind { namespaced: false, ..plain(name, groups, class) }
}

const fn workload(
    name: &'static str,
    groups: &'static [&'static str],
    class: &'static str,
    told_by: &'static [&'static str],
) -> Kind {
    Kind { template: Some("/spec/template"), runs_pods: true, told_by, ..plain(name, groups, class) }
}

const CORE: &[&str] = &[""];
const APPS: &[&str] = &["apps", "extensions"];

/// The kinds that become configuration items, what is needed before what needs it.
pub const KINDS: &[Kind] = &[
    wide("Namespace", CORE, "namespace"),
    wide("Node", CORE, "host"),
    wide("StorageClass", &["storage.k8s.io"], "storage-class"),
    wide("PersistentVolume", CORE, "volume"),
    plain("PersistentVolumeClaim", CORE, "volume-claim"),
    plain("ConfigMap", CORE, "configuration-map"),
    plain("ServiceAccount", CORE, "service-account"),
    Kind { template: Some(""), ..plain("Pod", CORE, "pod") },
    workload("ReplicaSet", APPS, "replica-set", &["Pod"]),
    workload("ReplicationController", CORE, "workload", &["Pod"]),
    workload("Deployment", APPS, "deployment", &["Pod", "ReplicaSet"]),
    workload("StatefulSet", APPS, "stateful-set", &["Pod"]),
    workload("DaemonSet", APPS, "daemon-set", &["Pod"]),
    Kind { template: Some("/spec/jobTemplate/spec/template"), ..plain("CronJob", &["batch"], "job") },
    workload("Job", &["batch"], "job", &["Pod"]),
    plain("HorizontalPodAutoscaler", &["autoscaling"], "autoscaler"),
    Kind { told_by: &["Pod", "EndpointSlice"], ..plain("Service", CORE, "kubernetes-service") },
    plain("Ingress", &["networking.k8s.io", "extensions"], "ingress"),
];

/// The class of objects of kinds that operators add.
pub const CUSTOM: &str = "custom-resource";

/// Kinds of which nothing is kept, not even in the payload: they hold secrets or permissions, or
/// change with every breath of the cluster. `*` stands for every kind of the group.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("", "Secret"),
    ("", "Event"),
    ("events.k8s.io", "*"),
    ("coordination.k8s.io", "*"),
    ("rbac.authorization.k8s.io", "*"),
    ("authorization.k8s.io", "*"),
    ("authentication.k8s.io", "*"),
    ("certificates.k8s.io", "*"),
    ("bitnami.com", "SealedSecret"),
];

/// Kinds that are no configuration items here: they tell of others, or are settings of the
/// platform. They stay in the payload.
pub const PASSED_OVER: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "ControllerRevision",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Endpoints",
    "FlowSchema",
    "IngressClass",
    "LimitRange",
    "MutatingWebhookConfiguration",
    "NetworkPolicy",
    "NodeMetrics",
    "PodDisruptionBudget",
    "PodMetrics",
    "PodSecurityPolicy",
    "PodTemplate",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceQuota",
    "RuntimeClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// One way in which an object states a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The field that states it.
    pub stated_as: &'static str,
    /// The kind of relationship it becomes.
    pub kind: &'static str,
    /// What kind of evidence it is.
    pub evidence: &'static str,
}

const fn row(stated_as: &'static str, kind: &'static str, evidence: &'static str) -> Relation {
    Relation { stated_as, kind, evidence }
}

/// An Ingress needs the Services behind it.
pub const BACKEND: Relation = row("backend", "routes_to", "spec");
/// A Service needs the pods its selector meets, as one need.
pub const SELECTOR: Relation = row("selector", "routes_to", "selector");
/// A Service needs what its EndpointSlices refer to, as the same need.
pub const TARGET_REF: Relation = row("targetRef", "routes_to", "endpoints");
/// A pod needs the Node it runs on.
pub const NODE_NAME: Relation = row("nodeName", "runs_on", "spec");
/// A pod needs the claims it mounts.
pub const CLAIM: Relation = row("persistentVolumeClaim", "mounts", "spec");
/// A pod needs the settings it is given.
pub const CONFIG_MAP: Relation = row("configMap", "mounts", "spec");
/// A pod needs the account it acts under.
pub const SERVICE_ACCOUNT: Relation = row("serviceAccountName", "uses", "spec");
/// A claim needs the volume that fulfils it.
pub const VOLUME_NAME: Relation = row("volumeName", "bound_to", "spec");
/// A claim needs the recipe its volume is made by.
pub const STORAGE_CLASS: Relation = row("storageClassName", "depends_on", "spec");
/// An object is managed by its owner.
pub const OWNER: Relation = row("ownerReferences", "managed_by", "owner_reference");
/// A controller needs its pods, as one need; never the other way round.
pub const CONTROLLED: Relation = row("ownerReferences", "depends_on", "owner_reference");
/// What an autoscaler scales is managed by it.
pub const SCALE_TARGET: Relation = row("scaleTargetRef", "managed_by", "spec");
/// A workload needs the Service whose address is in its environment.
pub const ENV: Relation = row("env", "uses", "env");
/// What lies in a namespace is part of it.
pub const NAMESPACE: Relation = row("namespace", "part_of", "spec");
/// What lies in no namespace is part of the cluster.
pub const CLUSTER: Relation = row("cluster", "part_of", "spec");
/// A cluster needs its Nodes, as one need.
pub const NODES: Relation = row("nodes", "runs_on", "membership");

/// All ways of stating relationships.
pub const RELATIONS: &[Relation] = &[
    BACKEND,
    SELECTOR,
    TARGET_REF,
    NODE_NAME,
    CLAIM,
    CONFIG_MAP,
    SERVICE_ACCOUNT,
    VOLUME_NAME,
    STORAGE_CLASS,
    OWNER,
    CONTROLLED,
    SCALE_TARGET,
    ENV,
    NAMESPACE,
    CLUSTER,
    NODES,
];

/// Words in the name of an environment variable that say its value is an address. Where no
/// Service has the name in `host:port`, only such a variable speaks of a Service that is missing.
pub const ADDRESS_WORDS: &[&str] = &[
    "ADDR", "ADDRESS", "BROKER", "BROKERS", "ENDPOINT", "HOST", "HOSTPORT", "SERVER", "SERVICE", "TARGET", "UPSTREAM",
    "URI", "URL",
];

/// Annotations that repeat a whole object as it was applied, secrets included.
pub const APPLIED: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied"];

/// The annotation that names an object's key in the catalogue, by which it is joined with what
/// other sources say of it.
pub const KEY_ANNOTATION: &str = "keelson/key";

/// Providers of clusters on one desk. Their provider ids repeat from cluster to cluster and
/// identify nothing.
pub const LOCAL_PROVIDERS: &[&str] = &["k3d", "k3s", "kind", "kwok", "minikube"];

/// Providers by the scheme of a Node's provider id.
pub const PROVIDERS: &[(&str, &str)] = &[
    ("aws", "aws"),
    ("azure", "azure"),
    ("digitalocean", "digitalocean"),
    ("gce", "google"),
    ("hcloud", "hetzner"),
    ("openstack", "openstack"),
    ("vsphere", "vsphere"),
];

/// The row of a kind by its name and any of its groups.
#[must_use]
pub fn kind(group: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name && kind.groups.contains(&group))
}

/// The row of a kind by its name alone, as fields that can mean one kind only use it.
#[must_use]
pub fn named(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap_or(&KINDS[0])
}

/// Whether nothing is kept of a kind.
#[must_use]
pub fn is_left_out(group: &str, name: &str) -> bool {
    LEFT_OUT.iter().any(|(of, kind)| *of == group && (*kind == "*" || *kind == name))
}

/// Whether a group was added to the platform, so that its kinds are custom resources.
#[must_use]
pub fn is_custom(group: &str) -> bool {
    group.contains('.') && (!group.ends_with(".k8s.io") || group.starts_with("gateway."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_known_classes_and_kinds() {
        let schema = keelson_model::builtin::schema([]).unwrap();
        for kind in KINDS {
            assert!(schema.classes.get(kind.class).is_some(), "{}", kind.class);
            let told = |by: &&str| *by == "EndpointSlice" || KINDS.iter().any(|kind| kind.name == *by);
            assert!(kind.told_by.iter().all(told), "{}", kind.name);
        }
        assert!(schema.classes.get(CUSTOM).is_some());
        for relation in RELATIONS {
            assert!(schema.kinds.get(relation.kind).is_some(), "{}", relation.kind);
        }
    }

    #[test]
    fn names_tell_kinds_apart() {
        for (number, kind) in KINDS.iter().enumerate() {
            assert_eq!(KINDS.iter().position(|other| other.name == kind.name), Some(number));
            assert!(!PASSED_OVER.contains(&kind.name));
            assert_eq!(named(kind.name), kind);
        }
        assert_eq!(kind("extensions", "Ingress").map(|kind| kind.groups[0]), Some("networking.k8s.io"));
        assert!(kind("serving.knative.dev", "Service").is_none());
        assert!(is_custom("monitoring.coreos.com") && is_custom("gateway.networking.k8s.io"));
        assert!(!is_custom("") && !is_custom("apps") && !is_custom("storage.k8s.io"));
        assert!(is_left_out("rbac.authorization.k8s.io", "Role") && !is_left_out("", "ConfigMap"));
    }
}
