//! What the words of a Backstage catalogue mean here, as data.
//!
//! Directions come from these rows alone, never from the wording of a label. A relation type that
//! has no row is reported and makes no relationship.

/// Which end of the relationship the entity is whose document states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The stating entity needs the one it names.
    Dependent,
    /// The named entity needs the one that states it.
    Dependency,
}

impl End {
    /// What the relationship keeps as its evidence: which end stated it.
    #[must_use]
    pub fn evidence(self) -> &'static str {
        match self {
            Self::Dependent => "stated_by_dependent",
            Self::Dependency => "stated_by_dependency",
        }
    }
}

/// One way of stating a relationship.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    /// The field of `spec`, or the type in `relations[]`.
    pub stated_as: &'static str,
    /// Kinds of entity that can state it, in lower case; none means every kind.
    pub stated_in: &'static [&'static str],
    /// Which end the stating entity is.
    pub stated_by: End,
    /// The kind of relationship it becomes.
    pub kind: &'static str,
    /// The kind of entity meant where a reference names none; without one the kind must be named.
    pub target: Option<&'static str>,
    /// Whether an entity has one at most.
    pub single: bool,
}

const fn many(stated_as: &'static str, stated_by: End, kind: &'static str, target: Option<&'static str>) -> Relation {
    Relation { stated_as, stated_in: &[], stated_by, kind, target, single: false }
}

const fn one(stated_as: &'static str, kind: &'static str, target: &'static str) -> Relation {
    Relation { single: true, ..many(stated_as, End::Dependent, kind, Some(target)) }
}

/// Fields of `spec` that state relationships.
///
/// Default kinds are those of Backstage's own processor of its built-in kinds.
pub const SPEC: &[Relation] = &[
    many("dependsOn", End::Dependent, "depends_on", None),
    many("dependencyOf", End::Dependency, "depends_on", None),
    many("consumesApis", End::Dependent, "uses", Some("api")),
    // The interface needs its provider, not the other way round.
    many("providesApis", End::Dependency, "depends_on", Some("api")),
    one("system", "part_of", "system"),
    one("domain", "part_of", "domain"),
    one("subcomponentOf", "part_of", "component"),
    one("subdomainOf", "part_of", "domain"),
    one("owner", "owned_by", "group"),
    Relation { stated_in: &["group"], ..one("parent", "part_of", "group") },
    Relation { stated_in: &["group"], ..many("children", End::Dependency, "part_of", Some("group")) },
    Relation { stated_in: &["group"], ..many("members", End::Dependency, "member_of", Some("user")) },
    Relation { stated_in: &["user"], ..many("memberOf", End::Dependent, "member_of", Some("group")) },
];

/// Types of `relations[]`, which the catalogue's interface adds to every entity, from both ends.
pub const RELATIONS: &[Relation] = &[
    many("dependsOn", End::Dependent, "depends_on", None),
    many("dependencyOf", End::Dependency, "depends_on", None),
    many("consumesApi", End::Dependent, "uses", None),
    many("apiConsumedBy", End::Dependency, "uses", None),
    many("providesApi", End::Dependency, "depends_on", None),
    many("apiProvidedBy", End::Dependent, "depends_on", None),
    many("partOf", End::Dependent, "part_of", None),
    many("hasPart", End::Dependency, "part_of", None),
    many("ownedBy", End::Dependent, "owned_by", None),
    many("ownerOf", End::Dependency, "owned_by", None),
    many("childOf", End::Dependent, "part_of", None),
    many("parentOf", End::Dependency, "part_of", None),
    many("memberOf", End::Dependent, "member_of", None),
    many("hasMember", End::Dependency, "member_of", None),
];

/// What a kind of entity becomes.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The kind, in lower case.
    pub name: &'static str,
    /// Classes by `spec.type`, in lower case. Empty where the type does not matter.
    pub types: &'static [(&'static str, &'static str)],
    /// The class of every other type.
    pub otherwise: &'static str,
    /// The class that every entity of the kind has or is below of: all that a reference tells.
    pub referred: &'static str,
    /// The attribute that keeps `spec.type`.
    pub type_attribute: &'static str,
}

const fn plain(name: &'static str, class: &'static str, type_attribute: &'static str) -> Kind {
    Kind { name, types: &[], otherwise: class, referred: class, type_attribute }
}

/// The class of an entity whose kind nobody knows.
pub const UNKNOWN_KIND: &str = "configuration-item";

/// The kinds of the Backstage system model. Types are an open vocabulary: those listed mean one
/// class and nothing else; all others keep the class of their kind and their own word.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "component",
        types: &[
            ("application", "application"),
            ("cli", "application"),
            ("container-image", "container-image"),
            ("function", "function"),
            ("job", "job"),
            ("library", "library"),
            ("mobile-app", "application"),
            ("pipeline", "pipeline"),
            ("repository", "repository"),
            ("service", "application"),
            ("website", "website"),
        ],
        otherwise: "software",
        referred: "software",
        type_attribute: "resource_type",
    },
    plain("api", "api", "api_type"),
    Kind {
        name: "resource",
        types: &[
            ("bucket", "object-store"),
            ("cache", "cache"),
            ("certificate", "certificate"),
            ("cluster", "cluster"),
            ("database", "database"),
            ("dns-zone", "dns-zone"),
            ("gcs-bucket", "object-store"),
            ("host", "host"),
            ("identity-provider", "identity-provider"),
            ("kubernetes-cluster", "kubernetes-cluster"),
            ("load-balancer", "load-balancer"),
            ("message-broker", "message-broker"),
            ("queue", "queue"),
            ("repository", "repository"),
            ("s3-bucket", "object-store"),
            ("search-index", "search-index"),
            ("topic", "queue"),
            ("virtual-machine", "virtual-machine"),
            ("volume", "volume"),
        ],
        otherwise: "resource",
        // Some types are software (an identity provider), so a reference tells no more than this.
        referred: "component",
        type_attribute: "resource_type",
    },
    plain("system", "system", "spec.type"),
    plain("domain", "domain", "spec.type"),
    plain("group", "team", "team_type"),
    plain("user", "person", "spec.type"),
    plain("location", "catalogue-location", "spec.type"),
    plain("template", "software", "resource_type"),
];

/// Annotations that say what an attribute of the class says; they are kept under their own name
/// as well, like all others.
pub const ANNOTATIONS: &[(&str, &str)] =
    &[("backstage.io/source-location", "repository_url"), ("backstage.io/view-url", "url")];

/// The annotation that names an entity's key in the catalogue, by which it is joined with what
/// other sources say of it.
pub const KEY_ANNOTATION: &str = "keelson/key";

/// Fields of `spec` that stay in the raw payload only: whole documents and programs, which
/// describe no configuration item.
pub const PAYLOAD_ONLY: &[&str] = &["definition", "steps", "parameters", "output"];

/// What is known of a kind of entity.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_known_classes_and_kinds() {
        let schema = keelson_model::builtin::schema([]).unwrap();
        let classes = KINDS.iter().flat_map(|kind| {
            let by_type = kind.types.iter().map(|(_, class)| *class);
            by_type.chain([kind.otherwise, kind.referred])
        });
        for class in classes.chain([UNKNOWN_KIND]) {
            assert!(schema.classes.get(class).is_some(), "{class}");
        }
        for relation in SPEC.iter().chain(RELATIONS) {
            assert!(schema.kinds.get(relation.kind).is_some(), "{}", relation.kind);
            assert!(relation.target.is_none_or(|target| kind(target).is_some()), "{}", relation.stated_as);
        }
    }

    #[test]
    fn a_reference_never_tells_more_than_the_entity() {
        let schema = keelson_model::builtin::schema([]).unwrap();
        for kind in KINDS {
            for class in kind.types.iter().map(|(_, class)| *class).chain([kind.otherwise]) {
                assert!(schema.classes.is_a(class, kind.referred), "{class} is no {}", kind.referred);
            }
        }
    }
}
