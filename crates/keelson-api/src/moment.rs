//! The one view of the catalogue that a request, or a field with `asOf`, reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_app::system::now;
use keelson_app::{AsOf, Asked, Keelson, View};
use keelson_catalogue::{Catalogue, CiIx};
use tokio::sync::Mutex;

use crate::errors::Refusal;

/// Views of the past that are kept for the next request about the same time.
const KEPT: usize = 4;

/// A view, and the time its reader asks about.
pub struct Moment {
    /// The view.
    pub view: View,
    /// When the question is asked, and about which time.
    pub asked: Asked,
}

impl Moment {
    /// The present.
    #[must_use]
    pub fn present(keelson: &Keelson) -> Arc<Self> {
        Self::of(keelson.view())
    }

    /// A view that counts as the present, such as the one a change left.
    #[must_use]
    pub fn of(view: View) -> Arc<Self> {
        Arc::new(Self { view, asked: Asked::now(now()) })
    }

    /// The catalogue.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.view.catalogue
    }

    /// The time in the past it is about.
    #[must_use]
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        self.asked.as_of
    }
}

/// A configuration item at a moment.
#[derive(Clone)]
pub struct ItemRef {
    /// When.
    pub at: Arc<Moment>,
    /// Which.
    pub ix: CiIx,
}

/// Views of the past. Making one costs what the log is long, so the last few are kept; they never
/// change, because times of commits never decrease.
#[derive(Default)]
pub struct Past {
    kept: Mutex<Vec<Arc<Moment>>>,
}

impl Past {
    /// The view at a time. One is made at a time, so that many requests about the past cost the
    /// memory of one.
    ///
    /// # Errors
    /// When nothing was there yet, or as the store fails.
    pub async fn at(&self, keelson: &Keelson, time: DateTime<Utc>) -> Result<Arc<Moment>, Refusal> {
        let mut kept = self.kept.lock().await;
        if let Some(found) = kept.iter().position(|moment| moment.as_of() == Some(time)) {
            let moment = kept.remove(found);
            kept.push(Arc::clone(&moment));
            return Ok(moment);
        }
        let head = keelson.view().catalogue.head().at;
        let (view, asked) = keelson.view_for(Some(AsOf::Time(time))).await?;
        let moment = Arc::new(Moment { view, asked });
        // A time that commits may still be made at is not over yet.
        if head.is_some_and(|head| time < head) {
            kept.truncate(KEPT);
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Arc::clone(&moment));
        }
        Ok(moment)
    }
}
