//! Global identifiers: opaque to clients, checked for their type by us.
//!
//! An identifier says which sort of record it is of, so that one of a relationship is never taken
//! for one of a need.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_graphql::ID;
use keelson_model::{
    BaselineId, BatchId, CalendarEntryId, ChangeId, CiId, DisruptionId, NeedId, RelationshipKey, ReviewTaskId, Symbol,
};

use crate::errors::Refusal;

/// A record that has a global identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GlobalId {
    /// A configuration item.
    Ci(CiId),
    /// A relationship.
    Relationship(RelationshipKey),
    /// A need.
    Need(NeedId),
    /// An entry of the batch ledger.
    Run(BatchId),
    /// A review task.
    Review(ReviewTaskId),
    /// A request for change.
    Change(ChangeId),
    /// A template of changes, which its name identifies.
    Template(Arc<str>),
    /// A freeze or maintenance window.
    Calendar(CalendarEntryId),
    /// Something that is down or impaired.
    Disruption(DisruptionId),
    /// A baseline.
    Baseline(BaselineId),
}

impl fmt::Display for GlobalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ci(id) => write!(f, "ci_{id}"),
            Self::Relationship(key) => write!(f, "rel_{}_{}_{}", key.dependent, key.dependency, key.kind),
            Self::Need(id) => write!(f, "need_{id}"),
            Self::Run(id) => write!(f, "run_{id}"),
            Self::Review(id) => write!(f, "review_{id}"),
            Self::Change(id) => write!(f, "rfc_{id}"),
            Self::Template(name) => write!(f, "template_{name}"),
            Self::Calendar(id) => write!(f, "calendar_{id}"),
            Self::Disruption(id) => write!(f, "disruption_{id}"),
            Self::Baseline(id) => write!(f, "baseline_{id}"),
        }
    }
}

impl FromStr for GlobalId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::input(format!("'{}' is not an identifier", text.chars().take(80).collect::<String>()));
        let ulid = |text: &str| text.parse::<CiId>().map(|id| id.0).map_err(|_| bad());
        let (sort, rest) = text.split_once('_').ok_or_else(bad)?;
        Ok(match sort {
            "ci" => Self::Ci(CiId(ulid(rest)?)),
            "need" => Self::Need(NeedId(ulid(rest)?)),
            "run" => Self::Run(BatchId(ulid(rest)?)),
            "review" => Self::Review(ReviewTaskId(ulid(rest)?)),
            "rfc" => Self::Change(ChangeId(ulid(rest)?)),
            "template" => Self::Template(Arc::from(rest)),
            "calendar" => Self::Calendar(CalendarEntryId(ulid(rest)?)),
            "disruption" => Self::Disruption(DisruptionId(ulid(rest)?)),
            "baseline" => Self::Baseline(BaselineId(ulid(rest)?)),
            "rel" => {
                let mut parts = rest.splitn(3, '_');
                let mut part = || parts.next().ok_or_else(bad);
                let (dependent, dependency) = (CiId(ulid(part()?)?), CiId(ulid(part()?)?));
                let kind = part()?;
                // Names are interned for the life of the process, so only known ones are let in.
                let kind = Symbol::known(kind).ok_or_else(bad)?;
                Self::Relationship(RelationshipKey { dependent, kind, dependency })
            }
            _ => return Err(bad()),
        })
    }
}

macro_rules! typed {
    ($($(#[$doc:meta])* $name:ident, $variant:ident, $id:ty, $what:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// When the text is no identifier, or one of another sort of record.
        pub fn $name(id: &ID) -> Result<$id, Refusal> {
            match id.parse()? {
                GlobalId::$variant(id) => Ok(id),
                _ => Err(Refusal::input(format!(concat!("'{}' is not the identifier of ", $what), id.as_str()))),
            }
        }
    )*};
}

typed! {
    /// Reads the identifier of a configuration item.
    ci, Ci, CiId, "a configuration item";
    /// Reads the identifier of a relationship.
    relationship, Relationship, RelationshipKey, "a relationship";
    /// Reads the identifier of a need.
    need, Need, NeedId, "a need";
    /// Reads the identifier of a review task.
    review, Review, ReviewTaskId, "a review task";
    /// Reads the identifier of a request for change.
    change, Change, ChangeId, "a request for change";
    /// Reads the identifier of a template of changes: its name.
    template, Template, Arc<str>, "a change template";
    /// Reads the identifier of a freeze or maintenance window.
    calendar, Calendar, CalendarEntryId, "a calendar entry";
    /// Reads the identifier of something that is down or impaired.
    disruption, Disruption, DisruptionId, "a disruption";
    /// Reads the identifier of a baseline.
    baseline, Baseline, BaselineId, "a baseline";
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    #[test]
    fn identifiers_read_back_and_are_type_checked() {
        let ulid = Ulid(7);
        let key = RelationshipKey { dependent: CiId(ulid), kind: Symbol::new("depends_on"), dependency: CiId(Ulid(8)) };
        let all = [
            GlobalId::Ci(CiId(ulid)),
            GlobalId::Relationship(key),
            GlobalId::Need(NeedId(ulid)),
            GlobalId::Run(BatchId(ulid)),
            GlobalId::Review(ReviewTaskId(ulid)),
            GlobalId::Change(ChangeId(ulid)),
            GlobalId::Template(Arc::from("patch_the web servers")),
            GlobalId::Calendar(CalendarEntryId(ulid)),
            GlobalId::Disruption(DisruptionId(ulid)),
            GlobalId::Baseline(BaselineId(ulid)),
        ];
        for id in &all {
            assert_eq!(&id.to_string().parse::<GlobalId>().unwrap(), id);
            assert_eq!(ci(&id.clone().into()).is_ok(), matches!(id, GlobalId::Ci(_)));
        }
        for bad in ["", "ci", "ci_", "ci_x", "rel_x", "other_00000000000000000000000007", "00000000000000000000000007"]
        {
            assert!(bad.parse::<GlobalId>().is_err(), "{bad}");
        }
    }
}
