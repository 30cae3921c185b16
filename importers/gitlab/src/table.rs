//! What the fields of a GitLab service catalogue mean here, as data.

/// What a relation of a service names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Another service, by its name.
    Service,
    /// A team, by its name.
    Team,
}

impl Target {
    /// Its class.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Service => "application",
            Self::Team => "team",
        }
    }

    /// The source key of one of this name. Services and teams are named apart, because a team is
    /// often named like the service it looks after.
    #[must_use]
    pub fn key(self, name: &str) -> String {
        match self {
            Self::Service => format!("service/{name}"),
            Self::Team => format!("team/{name}"),
        }
    }
}

/// One way of stating a relationship. The service that states it is always the dependent.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    /// Where it stands in a service, as a JSON pointer.
    pub pointer: &'static str,
    /// The field of a row that names the target; without one the row is the name itself.
    pub field: Option<&'static str>,
    /// The kind of relationship it becomes.
    pub kind: &'static str,
    /// What it names.
    pub target: Target,
    /// The source's own word for it.
    pub stated_as: &'static str,
}

/// The relations of a service.
pub const RELATIONS: &[Relation] = &[
    Relation {
        pointer: "/technical/dependencies",
        field: Some("service"),
        kind: "depends_on",
        target: Target::Service,
        stated_as: "technical.dependencies",
    },
    Relation { pointer: "/teams", field: None, kind: "owned_by", target: Target::Team, stated_as: "teams" },
    Relation { pointer: "/owner", field: None, kind: "owned_by", target: Target::Team, stated_as: "owner" },
    Relation { pointer: "/infra_owner", field: None, kind: "owned_by", target: Target::Team, stated_as: "infra_owner" },
];

/// Fields of a dependency row that describe the dependency and name nothing.
pub const QUALIFIERS: &[&str] = &["type"];

/// How a field becomes an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Its text; of a list all texts, one to a line.
    Text,
    /// Its text; of a list the first text, and the list is kept beside it.
    First,
}

/// One field that an attribute of the class stands for.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Where it stands, as a JSON pointer.
    pub pointer: &'static str,
    /// The attribute.
    pub attribute: &'static str,
    /// How it becomes one.
    pub take: Take,
}

const fn text(pointer: &'static str, attribute: &'static str) -> Field {
    Field { pointer, attribute, take: Take::Text }
}

const fn first(pointer: &'static str, attribute: &'static str) -> Field {
    Field { pointer, attribute, take: Take::First }
}

/// Fields of services. `technical.criticality` is not among them: the catalogue never says which
/// end of its scale is the serious one.
pub const SERVICE_FIELDS: &[Field] = &[
    text("/business/requirement", "description"),
    text("/tier", "tier"),
    text("/infrastructure/provider", "provider"),
    text("/technical/security/data_classification", "data_classification"),
    text("/observability/monitors/primary_grafana_dashboard", "monitored_by_url"),
    first("/technical/project", "repository_url"),
    first("/operations/runbooks", "url"),
];

/// Fields of teams.
pub const TEAM_FIELDS: &[Field] =
    &[text("/url", "url"), text("/slack_channel", "chat_channel"), text("/oncall_schedule", "on_call")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_known_classes_kinds_and_attributes() {
        let schema = keelson_model::builtin::schema([]).unwrap();
        for relation in RELATIONS {
            assert!(schema.kinds.get(relation.kind).is_some(), "{}", relation.kind);
        }
        for (target, fields) in [(Target::Service, SERVICE_FIELDS), (Target::Team, TEAM_FIELDS)] {
            let class = schema.classes.get(target.class()).unwrap();
            for field in fields {
                assert!(class.attributes.contains_key(field.attribute), "{}", field.attribute);
            }
        }
    }
}
