//! The books of change management as they stand.
//!
//! | what | file |
//! | --- | --- |
//! | one request, with what was assessed, decided and learnt | `request` |
//! | requests in a list | `requests` |
//! | freezes, maintenance windows, disruptions and templates | `calendar` |
//! | named states of chosen items | `baselines` |

mod baselines;
mod calendar;
mod request;
mod requests;

use std::sync::Arc;

use keelson_model::CiId;

pub use baselines::{BaselineLine, BaselinesAnswer, baseline, baselines};
pub use calendar::{CalendarAnswer, DisruptionLine, EntryLine, TemplateLine, calendar};
pub(crate) use calendar::{in_force, listed};
pub use request::{
    ApprovalLine, CompletionLine, KeptAssessment, KeptEffect, RecheckLine, RequestAnswer, ReviewLine, request,
};
pub use requests::{RequestFilter, RequestLine, RequestsAnswer, requests};

use crate::{Subject, View};

fn text(text: &Option<Arc<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

fn texts(texts: &[Arc<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn subject(view: &View, id: CiId) -> Subject {
    let found = view.catalogue.find_id(id).map(|ix| Subject::of(&view.catalogue, ix));
    found.unwrap_or_else(|| Subject { key: id.to_string(), class: String::new(), name: id.to_string() })
}

fn keys(view: &View, ids: &[CiId]) -> Vec<String> {
    ids.iter().map(|id| subject(view, *id).key).collect()
}
