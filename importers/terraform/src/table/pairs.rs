//! What it means that an attribute of one resource holds the identifier of another.

/// Which of the two needs the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The one whose attribute it is needs the other; each one it names.
    Each,
    /// The one whose attribute it is needs those it names, which stand in for each other.
    StandIn,
    /// The one that is named needs the one whose attribute it is.
    Back,
    /// The one that is named needs all those whose attribute it is, which stand in for each other.
    BackStandIn,
}

/// One pair. Both sides are lists of classes and types of resource; an empty list means anything.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Those whose attribute it is.
    pub holder: &'static [&'static str],
    /// Those that are named.
    pub named: &'static [&'static str],
    /// The kind of relationship.
    pub kind: &'static str,
    /// Its direction.
    pub way: Way,
}

const fn pair(holder: &'static [&'static str], named: &'static [&'static str], kind: &'static str, way: Way) -> Pair {
    Pair { holder, named, kind, way }
}

const ANY: &[&str] = &[];
const BALANCER: &[&str] = &["load-balancer"];
const DATABASE: &[&str] = &["database"];
const DATABASE_CLUSTER: &[&str] = &["database-cluster"];
const GATEWAY: &[&str] = &["gateway"];
const HOST: &[&str] = &["virtual-machine"];
const INTERFACE: &[&str] = &["network-interface"];
const NETWORK: &[&str] = &["network"];
const QUEUE: &[&str] = &["queue"];
const SECURITY_GROUP: &[&str] = &["security-group"];
const SETTING: &[&str] = &["resource"];
const SUBNET: &[&str] = &["subnet"];
const TARGETS: &[&str] = &["target-group"];
/// Gateways without which nothing leaves the network they belong to.
const WAYS_OUT: &[&str] = &["aws_internet_gateway", "aws_egress_only_internet_gateway", "aws_vpn_gateway"];
/// What answers under a name.
const ANSWERS: &[&str] = &["load-balancer", "content-delivery", "address", "virtual-machine", "api", "object-store"];

/// The pairs, special ones first; the first that fits holds. A pair without a row states nothing.
pub const PAIRS: &[Pair] = &[
    pair(HOST, &["volume"], "mounts", Way::Each),
    pair(HOST, &["network-interface", "address"], "attached_to", Way::Each),
    pair(INTERFACE, &["address"], "attached_to", Way::Each),
    pair(INTERFACE, HOST, "attached_to", Way::Back),
    pair(&["address"], &["virtual-machine", "network-interface"], "attached_to", Way::Back),
    pair(SUBNET, &["route-table"], "routes_to", Way::Each),
    pair(SUBNET, NETWORK, "part_of", Way::Each),
    pair(&["aws_network_acl", "aws_default_network_acl"], SUBNET, "protected_by", Way::Back),
    pair(WAYS_OUT, NETWORK, "routes_to", Way::Back),
    pair(&["aws_vpc_endpoint"], INTERFACE, "attached_to", Way::Each),
    pair(GATEWAY, &["route-table"], "routes_to", Way::Back),
    pair(GATEWAY, &["address"], "attached_to", Way::Each),
    pair(&["google_compute_router_nat"], GATEWAY, "part_of", Way::Each),
    pair(&["route-table"], GATEWAY, "routes_to", Way::Each),
    // A listener names its balancer and is how requests pass it.
    pair(&["listener"], BALANCER, "routes_to", Way::Back),
    pair(&["listener"], TARGETS, "routes_to", Way::Each),
    pair(TARGETS, &["listener"], "routes_to", Way::Back),
    pair(&["load-balancer", "target-group"], &["target-group", "scaling-group"], "routes_to", Way::Each),
    pair(&["load-balancer", "target-group"], HOST, "routes_to", Way::StandIn),
    pair(&["scaling-group"], &["target-group", "load-balancer"], "routes_to", Way::Back),
    pair(&["scaling-group"], HOST, "runs_on", Way::StandIn),
    pair(&["scaling-group"], &["kubernetes-cluster", "cluster"], "runs_on", Way::Back),
    // A member names its cluster; the cluster needs its members.
    pair(DATABASE, DATABASE_CLUSTER, "runs_on", Way::BackStandIn),
    pair(&["google_sql_database", "azurerm_mssql_database"], DATABASE, "hosted_on", Way::Each),
    pair(DATABASE, DATABASE, "depends_on", Way::Each),
    pair(&["workload"], &["cluster"], "part_of", Way::Each),
    pair(&["workload"], TARGETS, "routes_to", Way::Back),
    pair(&["aws_ecs_service"], &["aws_ecs_task_definition"], "depends_on", Way::Each),
    pair(&["function", "workload", "application", "job"], QUEUE, "uses", Way::Each),
    pair(&["google_pubsub_subscription"], QUEUE, "consumes_from", Way::Each),
    pair(QUEUE, &["queue", "function"], "publishes_to", Way::Each),
    pair(&["dns-record"], &["dns-zone"], "part_of", Way::Each),
    pair(&["dns-record"], ANSWERS, "routes_to", Way::Each),
    pair(&["content-delivery"], &["object-store", "load-balancer", "api"], "reads_from", Way::Each),
    pair(&["backup"], &["volume", "database", "database-cluster"], "part_of", Way::Each),
    pair(&["volume"], &["backup"], "built_from", Way::Each),
    pair(&["security-group", "resource"], SECURITY_GROUP, "depends_on", Way::Each),
    pair(&["encryption-key"], SETTING, "part_of", Way::Each),
    // Logging of object stores and distributions.
    pair(&["object-store", "content-delivery"], &["object-store"], "writes_to", Way::Each),
    // From here on what everybody may name.
    pair(ANY, &["machine-image", "repository"], "built_from", Way::Each),
    pair(ANY, SUBNET, "attached_to", Way::StandIn),
    pair(ANY, SECURITY_GROUP, "protected_by", Way::Each),
    pair(ANY, &["subnet-group"], "attached_to", Way::Each),
    pair(ANY, &["encryption-key", "certificate", "secret-reference"], "secured_by", Way::Each),
    pair(ANY, &["access-role", "service-account", "launch-template"], "depends_on", Way::Each),
    pair(ANY, &["cloud-account", "resource-group", "network"], "part_of", Way::Each),
    // A setting about anything, such as the policy of a queue.
    pair(SETTING, ANY, "depends_on", Way::Each),
];

/// Beginnings of types of clouds whose rule for all other pairs is that the one whose attribute
/// holds an identifier needs what it identifies.
pub const NEEDS_WHAT_IT_NAMES: &[&str] = &["azurerm_", "google_", "openstack_", "flexibleengine_", "scaleway_"];

/// A type of resource that only joins two others.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    /// The type.
    pub stated_in: &'static str,
    /// The attribute that names the one that needs.
    pub dependent: &'static str,
    /// The attribute that names the one that is needed.
    pub dependency: &'static str,
    /// The kind of relationship.
    pub kind: &'static str,
    /// What the need is called where those needed stand in for each other.
    pub need: Option<&'static str>,
}

const fn join(
    stated_in: &'static str,
    dependent: &'static str,
    dependency: &'static str,
    kind: &'static str,
    need: Option<&'static str>,
) -> Join {
    Join { stated_in, dependent, dependency, kind, need }
}

/// The types that join two others. Several rows of one type are tried in order: the first whose
/// both ends are there holds.
#[rustfmt::skip]
pub const JOINS: &[Join] = &[
    join("aws_alb_target_group_attachment", "target_group_arn", "target_id", "routes_to", Some("targets")),
    join("aws_autoscaling_attachment", "lb_target_group_arn", "autoscaling_group_name", "routes_to", None),
    join("aws_eip_association", "network_interface_id", "allocation_id", "attached_to", None),
    join("aws_eip_association", "instance_id", "allocation_id", "attached_to", None),
    join("aws_elb_attachment", "elb", "instance", "routes_to", Some("instances")),
    join("aws_lambda_event_source_mapping", "function_name", "event_source_arn", "consumes_from", None),
    join("aws_lb_target_group_attachment", "target_group_arn", "target_id", "routes_to", Some("targets")),
    join("aws_network_interface_attachment", "instance_id", "network_interface_id", "attached_to", None),
    join("aws_network_interface_sg_attachment", "network_interface_id", "security_group_id", "protected_by", None),
    join("aws_iam_role_policy_attachment", "role", "policy_arn", "depends_on", None),
    join("aws_route_table_association", "subnet_id", "route_table_id", "routes_to", None),
    join("aws_sns_topic_subscription", "topic_arn", "endpoint", "publishes_to", None),
    join("aws_volume_attachment", "instance_id", "volume_id", "mounts", None),
    join("azurerm_network_interface_security_group_association", "network_interface_id", "network_security_group_id", "protected_by", None),
    join("azurerm_subnet_nat_gateway_association", "subnet_id", "nat_gateway_id", "routes_to", None),
    join("azurerm_subnet_network_security_group_association", "subnet_id", "network_security_group_id", "protected_by", None),
    join("azurerm_subnet_route_table_association", "subnet_id", "route_table_id", "routes_to", None),
    join("azurerm_virtual_machine_data_disk_attachment", "virtual_machine_id", "managed_disk_id", "mounts", None),
    join("google_compute_attached_disk", "instance", "disk", "mounts", None),
    join("openstack_compute_volume_attach_v2", "instance_id", "volume_id", "mounts", None),
    join("openstack_lb_member_v2", "pool_id", "address", "routes_to", Some("members")),
];

/// Attributes of a resource by which others name it, whatever they call it: values that nothing
/// else has.
pub const KEYS: &[&str] = &[
    "arn",
    "id",
    "self_link",
    "dns_name",
    "bucket_regional_domain_name",
    "bucket_domain_name",
    "email",
    "invoke_arn",
    "url",
];

/// The same, for one type.
pub const KEYS_OF: &[(&str, &str)] = &[("aws_cloudfront_distribution", "domain_name")];

/// An attribute that names a resource of certain types by a short name or id.
#[derive(Clone, Copy, Debug)]
pub struct ByName {
    /// The attribute that holds the name.
    pub attribute: &'static str,
    /// The types it can mean.
    pub types: &'static [&'static str],
    /// The attribute of those that has the name.
    pub key: &'static str,
}

const fn by_name(attribute: &'static str, types: &'static [&'static str], key: &'static str) -> ByName {
    ByName { attribute, types, key }
}

/// The attributes that name by a short name; only what is in the same file is found this way.
#[rustfmt::skip]
pub const NAMES: &[ByName] = &[
    by_name("api_id", &["aws_apigatewayv2_api"], "id"),
    by_name("autoscaling_group_name", &["aws_autoscaling_group"], "name"),
    by_name("bucket", &["aws_s3_bucket"], "bucket"),
    by_name("bucket", &["google_storage_bucket"], "name"),
    by_name("cluster_identifier", &["aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster"], "cluster_identifier"),
    by_name("cluster_name", &["aws_eks_cluster"], "name"),
    by_name("cluster_subnet_group_name", &["aws_redshift_subnet_group"], "name"),
    by_name("db_subnet_group_name", &["aws_db_subnet_group", "aws_docdb_subnet_group", "aws_neptune_subnet_group"], "name"),
    by_name("elb", &["aws_elb"], "name"),
    by_name("function_name", &["aws_lambda_function"], "function_name"),
    by_name("iam_instance_profile", &["aws_iam_instance_profile"], "name"),
    by_name("instance", &["google_sql_database_instance"], "name"),
    by_name("key_name", &["aws_key_pair"], "key_name"),
    by_name("launch_configuration", &["aws_launch_configuration"], "name"),
    by_name("load_balancers", &["aws_elb"], "name"),
    by_name("managed_zone", &["google_dns_managed_zone"], "name"),
    by_name("network", &["google_compute_network"], "name"),
    by_name("project", &["google_project"], "project_id"),
    by_name("replicate_source_db", &["aws_db_instance"], "identifier"),
    by_name("rest_api_id", &["aws_api_gateway_rest_api"], "id"),
    by_name("role", &["aws_iam_role"], "name"),
    by_name("subnet_group_name", &["aws_elasticache_subnet_group"], "name"),
    by_name("subnetwork", &["google_compute_subnetwork"], "name"),
    by_name("zone_id", &["aws_route53_zone"], "zone_id"),
];

/// Attributes in which an identifier means nothing that is needed: tags, documents about rights,
/// and where messages go that nobody could handle.
pub const PASSED_OVER: &[&str] = &[
    "dead_letter_config",
    "dead_letter_policy",
    "effective_labels",
    "labels",
    "policy",
    "assume_role_policy",
    "redrive_policy",
    "tags",
    "tags_all",
    "timeouts",
];
