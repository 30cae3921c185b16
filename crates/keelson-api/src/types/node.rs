//! Everything that has a global identifier.

use std::sync::Arc;

use async_graphql::{ID, Interface};

use super::change::baseline::Baseline;
use super::change::calendar::CalendarEntry;
use super::change::disruption::Disruption;
use super::change::request::RequestForChange;
use super::change::template::ChangeTemplate;
use super::item::{Components, ConfigurationItem, Item, Services};
use super::need::Need;
use super::relationship::Relationship;
use super::review::ReviewTask;
use super::run::ImportRun;
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::moment::Moment;

/// Something with an identifier, by which it can be fetched again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its identifier, for life."))]
pub enum Node {
    /// A service.
    Service(Item<Services>),
    /// Any other configuration item.
    Component(Item<Components>),
    /// A relationship.
    Relationship(Relationship),
    /// A need.
    Need(Need),
    /// An import.
    ImportRun(ImportRun),
    /// A review task.
    ReviewTask(ReviewTask),
    /// A request for change.
    RequestForChange(RequestForChange),
    /// A kind of change that was decided on once for all.
    ChangeTemplate(ChangeTemplate),
    /// A freeze or an agreed maintenance window.
    CalendarEntry(CalendarEntry),
    /// Something that is down or impaired.
    Disruption(Disruption),
    /// The state of chosen items at a revision.
    Baseline(Baseline),
}

/// The record of an identifier, if there is one. What is no identifier at all names nothing either.
pub(crate) fn node(at: &Arc<Moment>, id: &ID) -> Option<Node> {
    let catalogue = at.catalogue();
    let id: Result<GlobalId, Refusal> = id.parse();
    Some(match id.ok()? {
        GlobalId::Ci(id) => match ConfigurationItem::at(at, catalogue.find_id(id)?) {
            ConfigurationItem::Service(item) => Node::Service(item),
            ConfigurationItem::Component(item) => Node::Component(item),
        },
        GlobalId::Relationship(key) => Relationship::at(at, catalogue.find_relationship_key(&key)?).into(),
        GlobalId::Need(id) => Need::at(at, catalogue.find_need(id)?).into(),
        GlobalId::Run(id) => ImportRun::find(at, id)?.into(),
        GlobalId::Review(id) => ReviewTask::find(at, id)?.into(),
        GlobalId::Change(id) => RequestForChange::find(at, id)?.into(),
        GlobalId::Template(name) => ChangeTemplate::find(at, &name)?.into(),
        GlobalId::Calendar(id) => CalendarEntry::find(at, id)?.into(),
        GlobalId::Disruption(id) => Disruption::find(at, id)?.into(),
        GlobalId::Baseline(id) => Baseline::find(at, id)?.into(),
    })
}
