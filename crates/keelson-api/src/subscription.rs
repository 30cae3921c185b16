//! What can be followed.

use std::sync::Arc;

use async_graphql::{Context, Subscription as Root};
use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};
use keelson_app::View;
use keelson_model::Window;
use tokio::sync::watch;

use crate::context::{Find, Services};
use crate::errors::Refusal;
use crate::moment::Moment;
use crate::types::change::schedule::{ScheduleAnswer, assessed};
use crate::types::change::window;

/// What can be followed, over `/graphql/ws`.
pub struct Subscription;

/// What can be followed, over `/graphql/ws`.
#[Root]
impl Subscription {
    /// What the changes planned within a time do to services together: now, and again after every commit that
    /// changes the answer.
    async fn change_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first instant of interest.")] from: DateTime<Utc>,
        #[graphql(desc = "The first instant that is no longer of interest.")] to: DateTime<Utc>,
    ) -> Result<impl Stream<Item = Result<ScheduleAnswer, Refusal>> + use<>, Refusal> {
        let within = window(from, to).map_err(Refusal::input)?;
        let services = Arc::clone(ctx.data_unchecked::<Arc<Services>>());
        let views = ctx.services().keelson.follow();
        let following = Following { services, views, within, last: None, is_over: false };
        Ok(stream::unfold(following, Following::next))
    }
}

/// A schedule that is followed.
struct Following {
    services: Arc<Services>,
    views: watch::Receiver<View>,
    within: Window,
    /// The last answer given.
    last: Option<ScheduleAnswer>,
    is_over: bool,
}

impl Following {
    /// The next answer that says something else than the last one. Commits made meanwhile are looked at
    /// together.
    async fn next(mut self) -> Option<(Result<ScheduleAnswer, Refusal>, Self)> {
        while !self.is_over {
            if self.last.is_some() && self.views.changed().await.is_err() {
                return None;
            }
            let at = Moment::of(self.views.borrow_and_update().clone());
            match assessed(&self.services, at, self.within, Vec::new()).await {
                Ok(answer) if self.last.as_ref().is_some_and(|last| last.says_the_same(&answer)) => {}
                Ok(answer) => {
                    self.last = Some(answer.clone());
                    return Some((Ok(answer), self));
                }
                Err(refusal) => {
                    self.is_over = true;
                    return Some((Err(refusal), self));
                }
            }
        }
        None
    }
}
