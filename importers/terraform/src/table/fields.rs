//! Which attributes of a resource become attributes of its class.

/// How a value becomes an attribute. A value of another shape is left to the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// A text that says something.
    Text,
    /// A text, without the dot that ends a complete domain name.
    Domain,
    /// A number that is not negative, also written as text.
    Number,
    /// Yes or no, also written as text.
    Flag,
    /// A list of texts.
    Texts,
    /// A time of RFC 3339.
    Time,
    /// Yes or no, said in words: first what yes means, then no.
    Words(&'static str, &'static str),
}

/// One attribute of resources and what it means for classes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Where it stands among the attributes of the resource, as a JSON pointer.
    pub pointer: &'static str,
    /// The attribute of the class.
    pub attribute: &'static str,
    /// How it becomes one.
    pub take: Take,
}

const fn field(pointer: &'static str, attribute: &'static str, take: Take) -> Field {
    Field { pointer, attribute, take }
}

const fn text(pointer: &'static str, attribute: &'static str) -> Field {
    field(pointer, attribute, Take::Text)
}

const fn number(pointer: &'static str, attribute: &'static str) -> Field {
    field(pointer, attribute, Take::Number)
}

const fn flag(pointer: &'static str, attribute: &'static str) -> Field {
    field(pointer, attribute, Take::Flag)
}

/// Fields of every class.
pub const OF_ALL: &[Field] =
    &[text("/description", "description"), text("/comment", "description"), field("/tags", "tags", Take::Texts)];

/// Fields of every component.
pub const OF_COMPONENTS: &[Field] = &[
    text("/availability_zone", "zone"),
    text("/zone", "zone"),
    text("/status", "status"),
    text("/private_ip", "ip_address"),
    text("/private_ip_address", "ip_address"),
    text("/network_interface/0/network_ip", "ip_address"),
    text("/access_ip_v4", "ip_address"),
    text("/default_ip_address", "ip_address"),
    number("/port", "port"),
    field("/dns_name", "fqdn", Take::Domain),
    field("/private_dns", "fqdn", Take::Domain),
    text("/hostname", "hostname"),
    field("/created_at", "created_at", Take::Time),
    field("/creation_timestamp", "created_at", Take::Time),
    field("/creation_date", "created_at", Take::Time),
    field("/create_date", "created_at", Take::Time),
];

const DATA_STORE: &[Field] = &[
    text("/engine", "engine"),
    text("/engine_version_actual", "engine_version"),
    text("/engine_version", "engine_version"),
    text("/database_version", "engine_version"),
    text("/redis_version", "engine_version"),
    text("/instance_class", "instance_class"),
    text("/node_type", "instance_class"),
    text("/settings/0/tier", "instance_class"),
    text("/sku_name", "instance_class"),
    number("/allocated_storage", "size"),
    number("/settings/0/disk_size", "size"),
    flag("/multi_az", "multi_zone"),
    flag("/storage_encrypted", "encrypted"),
    flag("/at_rest_encryption_enabled", "encrypted"),
    flag("/deletion_protection", "deletion_protected"),
    flag("/deletion_protection_enabled", "deletion_protected"),
    number("/backup_retention_period", "backup_retention_days"),
    number("/backup_retention_days", "backup_retention_days"),
    number("/snapshot_retention_limit", "backup_retention_days"),
    text("/endpoint", "endpoint"),
    text("/primary_endpoint_address", "endpoint"),
    text("/configuration_endpoint", "endpoint"),
    text("/first_ip_address", "endpoint"),
];
const DATABASE: &[Field] = &[text("/db_name", "database_name"), text("/database_name", "database_name")];
const HOST: &[Field] = &[
    text("/instance_type", "instance_type"),
    text("/machine_type", "instance_type"),
    text("/vm_size", "instance_type"),
    text("/size", "instance_type"),
    text("/flavor_name", "instance_type"),
    text("/ami", "image"),
    text("/boot_disk/0/initialize_params/0/image", "image"),
    text("/source_image_id", "image"),
    text("/image_name", "image"),
    text("/instance_state", "power_state"),
    text("/current_status", "power_state"),
    text("/power_state", "power_state"),
];
const VOLUME: &[Field] = &[
    number("/size", "size"),
    number("/disk_size_gb", "size"),
    text("/type", "volume_type"),
    text("/volume_type", "volume_type"),
    text("/storage_account_type", "volume_type"),
    number("/iops", "iops"),
    flag("/encrypted", "encrypted"),
    text("/id", "volume_handle"),
];
const NETWORK: &[Field] = &[
    text("/cidr_block", "cidr"),
    text("/ip_cidr_range", "cidr"),
    text("/address_prefixes/0", "cidr"),
    text("/cidr", "cidr"),
    text("/address_space/0", "cidr"),
    field("/address_space", "cidrs", Take::Texts),
];
const CLUSTER: &[Field] = &[
    text("/endpoint", "endpoint"),
    text("/version", "version"),
    text("/kubernetes_version", "version"),
    text("/min_master_version", "version"),
];
const SCALING_GROUP: &[Field] = &[
    number("/min_size", "minimum_size"),
    number("/max_size", "maximum_size"),
    number("/desired_capacity", "desired_size"),
    number("/target_size", "desired_size"),
    number("/scaling_config/0/min_size", "minimum_size"),
    number("/scaling_config/0/max_size", "maximum_size"),
    number("/scaling_config/0/desired_size", "desired_size"),
    number("/autoscaling/0/min_node_count", "minimum_size"),
    number("/autoscaling/0/max_node_count", "maximum_size"),
    number("/node_count", "desired_size"),
    number("/size", "desired_size"),
];
const FUNCTION: &[Field] = &[
    text("/runtime", "runtime"),
    text("/handler", "handler"),
    text("/entry_point", "handler"),
    number("/memory_size", "memory"),
    number("/available_memory_mb", "memory"),
    number("/timeout", "timeout_seconds"),
    number("/reserved_concurrent_executions", "concurrency_limit"),
    text("/version", "version"),
];
const CERTIFICATE: &[Field] = &[
    text("/domain_name", "subject"),
    field("/subject_alternative_names", "alternative_names", Take::Texts),
    field("/not_before", "not_before", Take::Time),
    field("/not_after", "not_after", Take::Time),
];
const DNS_ZONE: &[Field] = &[
    field("/dns_name", "fqdn", Take::Domain),
    field("/name", "fqdn", Take::Domain),
    text("/visibility", "visibility"),
    field("/name_servers", "name_servers", Take::Texts),
];
const DNS_RECORD: &[Field] = &[
    field("/fqdn", "fqdn", Take::Domain),
    text("/type", "record_type"),
    number("/ttl", "ttl_seconds"),
    field("/records", "values", Take::Texts),
    field("/rrdatas", "values", Take::Texts),
];
const QUEUE: &[Field] = &[
    number("/message_retention_seconds", "retention_seconds"),
    number("/shard_count", "partitions"),
    number("/partition_count", "partitions"),
    field("/fifo_queue", "queue_type", Take::Words("fifo", "standard")),
];
const LOAD_BALANCER: &[Field] = &[
    text("/load_balancer_type", "balancer_type"),
    field("/internal", "scheme", Take::Words("internal", "internet-facing")),
];
const OBJECT_STORE: &[Field] = &[flag("/versioning/0/enabled", "versioned"), text("/storage_class", "storage_class")];
const ENCRYPTION_KEY: &[Field] =
    &[text("/key_usage", "usage"), text("/purpose", "usage"), number("/rotation_period_in_days", "rotation_days")];
const REPOSITORY: &[Field] = &[
    text("/http_clone_url", "clone_url"),
    text("/default_branch", "default_branch"),
    text("/visibility", "visibility"),
];

/// Fields by class. Where several give one attribute, the first that is there wins.
pub const OF_CLASSES: &[(&str, &[&[Field]])] = &[
    ("access-role", &[&[field("/managed_policy_arns", "managed_policies", Take::Texts)]]),
    (
        "address",
        &[&[text("/public_ip", "ip_address"), text("/ip_address", "ip_address"), text("/address", "ip_address")]],
    ),
    ("backup", &[&[number("/volume_size", "size"), number("/allocated_storage", "size")]]),
    ("cache", &[DATA_STORE]),
    ("certificate", &[CERTIFICATE]),
    ("cloud-account", &[&[text("/project_id", "account_id")]]),
    ("cluster", &[CLUSTER]),
    ("content-delivery", &[&[field("/aliases", "aliases", Take::Texts), text("/domain_name", "fqdn")]]),
    ("data-store", &[DATA_STORE]),
    ("data-warehouse", &[DATA_STORE]),
    ("database", &[DATA_STORE, DATABASE]),
    ("database-cluster", &[DATA_STORE, DATABASE]),
    ("dns-record", &[DNS_RECORD]),
    ("dns-zone", &[DNS_ZONE]),
    ("encryption-key", &[ENCRYPTION_KEY]),
    ("file-share", &[DATA_STORE]),
    ("function", &[FUNCTION]),
    ("job", &[&[text("/schedule", "schedule")]]),
    ("kubernetes-cluster", &[CLUSTER]),
    (
        "listener",
        &[&[text("/protocol", "protocol"), text("/ip_protocol", "protocol"), text("/ip_address", "ip_address")]],
    ),
    ("load-balancer", &[LOAD_BALANCER]),
    ("machine-image", &[&[text("/architecture", "architecture")]]),
    ("message-broker", &[DATA_STORE]),
    ("network", &[NETWORK]),
    ("network-interface", &[&[text("/mac_address", "mac_address")]]),
    ("object-store", &[OBJECT_STORE]),
    ("queue", &[QUEUE]),
    ("repository", &[REPOSITORY]),
    ("scaling-group", &[SCALING_GROUP]),
    ("search-index", &[DATA_STORE]),
    ("security-group", &[]),
    ("service-account", &[&[text("/email", "email")]]),
    ("subnet", &[NETWORK, &[flag("/map_public_ip_on_launch", "public")]]),
    (
        "target-group",
        &[&[
            text("/protocol", "protocol"),
            text("/target_type", "target_type"),
            text("/health_check/0/path", "health_check_path"),
        ]],
    ),
    ("virtual-machine", &[HOST]),
    ("volume", &[VOLUME]),
    ("workload", &[&[number("/desired_count", "replicas")]]),
];

/// Attributes that hold the tags of a resource; the first that is there is all of them.
pub const TAGS: &[&str] = &["/tags_all", "/effective_labels", "/tags", "/labels", "/resource_labels", "/user_labels"];

/// Attributes that may hold a secret and neither look nor sound like one: by the type of the
/// resource (all types where empty) and the name of the attribute.
pub const SECRET: &[(&str, &str)] = &[
    ("", "user_data"),
    ("", "user_data_base64"),
    ("", "custom_data"),
    ("", "metadata_startup_script"),
    ("aws_ssm_parameter", "value"),
    ("aws_ssm_parameter", "insecure_value"),
    ("azurerm_key_vault_secret", "value"),
    ("google_compute_instance", "metadata"),
    ("google_compute_instance_template", "metadata"),
    ("helm_release", "values"),
    ("helm_release", "metadata"),
    ("helm_release", "set"),
    ("kubernetes_config_map", "data"),
    ("kubernetes_config_map_v1", "data"),
    ("kubernetes_secret", "data"),
    ("kubernetes_secret_v1", "data"),
    ("local_file", "content"),
    ("local_file", "content_base64"),
    ("random_password", "result"),
    ("random_string", "result"),
    ("template_file", "rendered"),
    ("template_file", "vars"),
    ("vault_generic_secret", "data_json"),
    ("vault_generic_secret", "data"),
    ("vault_kv_secret_v2", "data_json"),
    ("vault_kv_secret_v2", "data"),
];
