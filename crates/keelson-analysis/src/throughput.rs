//! How much can pass, what holds it back, and what more of it would cost least (analyses 4.5).
//!
//! With fixed routing the answer is the smallest limit of any resource: [`fixed`], a minimum over
//! [`demand::plan::service_limits`](crate::demand::plan::service_limits). Where pools or sites may
//! take over from each other freely, more may pass ([`free`]): a linear programme, and for one commodity through a
//! network a largest flow, held back by a smallest
//! cut ([`flow`]). What to buy so that a load is carried is a linear programme with whole numbers
//! ([`relief`]).

pub mod flow;
pub mod free;
pub mod relief;

use keelson_graph::ItemIx;

use crate::{
    Limits, Truncations,
    demand::{
        DemandError, Model, Source,
        plan::{Resource, ServiceLimit, service_limits},
    },
};

/// What a service can carry under fixed routing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fixed {
    /// The largest demand on the service with every resource within its planning limit; `None` if it uses
    /// none of the resources.
    pub limit: Option<f64>,
    /// The resources that hold it back there.
    pub binding: Vec<ServiceLimit>,
    /// The limits of the walk that were hit.
    pub truncations: Truncations,
}

/// Limits that differ by a smaller part are taken for the same.
const SAME: f64 = 1e-9;

/// Returns what a service can carry, the demand on all others staying as it is.
///
/// # Errors
/// As [`service_limits`].
pub fn fixed(
    model: &Model<'_>,
    services: &[Source],
    service: ItemIx,
    resources: &[Resource],
    limits: &Limits<'_>,
) -> Result<Fixed, DemandError> {
    let (found, truncations) = service_limits(model, services, service, resources, limits)?;
    let Some(first) = found.first().map(|first| first.limit) else {
        return Ok(Fixed { truncations, ..Fixed::default() });
    };
    let binding = found.into_iter().take_while(|limit| limit.limit - first <= SAME * first.abs()).collect();
    Ok(Fixed { limit: Some(first), binding, truncations })
}
