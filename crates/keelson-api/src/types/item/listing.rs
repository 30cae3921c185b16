//! Pages of configuration items.

use std::cmp::Ordering;
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_catalogue::query::{Field, OrderBy, Query, value};
use keelson_model as model;
use serde::{Deserialize, Serialize};

use super::ConfigurationItem;
use crate::connection::{Connection, Paging};
use crate::context::list_name;
use crate::cursor::CursorKey;
use crate::errors::Refusal;
use crate::filter::{ConfigurationItemOrder, ConfigurationItemWhere, item_order};
use crate::moment::Moment;

/// The place of a configuration item in a list: what it was sorted by when its cursor was made.
#[derive(Serialize, Deserialize)]
struct Place {
    id: model::CiId,
    key: model::CiKey,
    values: Vec<Option<model::Value>>,
}

impl Place {
    fn of(ci: &model::ConfigurationItem, order: &[OrderBy]) -> Self {
        Self { id: ci.id, key: ci.key.clone(), values: order.iter().map(|by| value(ci, &by.field)).collect() }
    }

    /// The item as it was when the cursor was made, as far as the order looks at it. Comparing with
    /// it keeps the page stable when the item itself has changed since.
    fn item(&self, order: &[OrderBy]) -> model::ConfigurationItem {
        let mut facts = model::Facts::default();
        let mut class = model::Symbol::new("");
        let mut standing = model::Standing::Live;
        for (by, value) in order.iter().zip(&self.values) {
            let text = value.as_ref().and_then(model::Value::as_text);
            match &by.field {
                Field::Name => facts.name = text.map(Arc::from),
                Field::Class => class = model::Symbol::new(text.unwrap_or_default()),
                Field::Lifecycle => facts.lifecycle = text.and_then(|text| text.parse().ok()),
                Field::Criticality => facts.criticality = text.and_then(|text| text.parse().ok()),
                Field::Standing => standing = text.and_then(|text| text.parse().ok()).unwrap_or(standing),
                Field::Attribute(name) => {
                    facts.attributes.extend(value.clone().map(|value| (name.clone(), value)));
                }
                Field::Key | Field::Source => {}
            }
        }
        model::ConfigurationItem {
            id: self.id,
            key: self.key.clone(),
            class,
            standing,
            version: 0,
            claims: Default::default(),
            merged: Some(Box::new(model::Merged { facts, sources: Default::default() })),
            succeeds: None,
            withdrawn_at: None,
        }
    }
}

/// Which configuration items a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) filter: Option<ConfigurationItemWhere>,
    pub(crate) order: Vec<ConfigurationItemOrder>,
    pub(crate) text: Option<String>,
    pub(crate) withdrawn: bool,
}

/// A page of the configuration items of the catalogue.
pub(crate) fn items(
    seal: &CursorKey,
    at: &Arc<Moment>,
    wanted: &Wanted,
    paging: &Paging,
) -> Result<Connection<ConfigurationItem>, Refusal> {
    let condition = wanted.filter.as_ref().map(ConfigurationItemWhere::condition).transpose()?;
    let order = item_order(&wanted.order)?;
    let words = wanted.text.as_deref().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let query = Query { condition, order: order.clone(), text: words, withdrawn: wanted.withdrawn };
    let catalogue = at.catalogue();
    let found = query.run(catalogue).map_err(|error| Refusal::input(error.to_string()))?;
    let name = list_name("configurationItems", format!("{order:?}"), at);
    let place = |ix: &CiIx, place: &Place| -> Ordering { query.compare(catalogue.ci(*ix), &place.item(&order)) };
    let range = paging.window(&found, &name, seal, place)?;
    let entries =
        found[range.clone()].iter().map(|ix| (Place::of(catalogue.ci(*ix), &order), ConfigurationItem::at(at, *ix)));
    Ok(Connection::new(entries, range, found.len(), &name, seal))
}

/// A page of configuration items that something else lists, by key.
pub(crate) fn listed(
    seal: &CursorKey,
    at: &Arc<Moment>,
    list: &'static str,
    mut found: Vec<CiIx>,
    paging: &Paging,
) -> Result<Connection<ConfigurationItem>, Refusal> {
    let catalogue = at.catalogue();
    found.sort_by(|a, b| catalogue.ci(*a).key.cmp(&catalogue.ci(*b).key));
    let name = list_name(list, String::new(), at);
    let key = |ix: &CiIx| catalogue.ci(*ix).key.clone();
    Connection::page(&found, paging, &name, seal, key, |ix| ConfigurationItem::at(at, *ix))
}
