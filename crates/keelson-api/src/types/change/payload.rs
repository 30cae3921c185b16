//! What mutations of change management answer.

use async_graphql::SimpleObject;

use super::baseline::Baseline;
use super::calendar::CalendarEntry;
use super::disruption::Disruption;
use super::request::RequestForChange;
use super::template::ChangeTemplate;
use crate::types::payload::{UserError, payloads};

payloads! {
    /// What became of making a request for change.
    CreateRequestForChangePayload {
        /// The new request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of altering a request for change.
    UpdateRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of handing a request for change in.
    SubmitRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of assessing a request for change.
    AssessRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of marking an item as not impacted.
    MarkNotImpactedPayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of approving a request for change.
    ApproveRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of rejecting a request for change.
    RejectRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of giving a request for change up.
    CancelRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of giving a request for change its place in the calendar.
    ScheduleRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of beginning the work on a request for change.
    StartRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of ending the work on a request for change.
    FinishRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of reviewing a request for change.
    ReviewRequestForChangePayload {
        /// The request; `null` when it was not done.
        request_for_change: RequestForChange
    }
    /// What became of making a freeze or maintenance window.
    CreateCalendarEntryPayload {
        /// The new entry; `null` when it was not done.
        calendar_entry: CalendarEntry
    }
    /// What became of lifting a freeze or maintenance window.
    LiftCalendarEntryPayload {
        /// The entry; `null` when it was not done.
        calendar_entry: CalendarEntry
    }
    /// What became of reporting something that is down or impaired.
    ReportDisruptionPayload {
        /// The new disruption; `null` when it was not done.
        disruption: Disruption
    }
    /// What became of ending a disruption.
    EndDisruptionPayload {
        /// The disruption; `null` when it was not done.
        disruption: Disruption
    }
    /// What became of writing a template.
    PutChangeTemplatePayload {
        /// The template; `null` when it was not done.
        change_template: ChangeTemplate
    }
    /// What became of approving a template.
    ApproveChangeTemplatePayload {
        /// The template; `null` when it was not done.
        change_template: ChangeTemplate
    }
    /// What became of withdrawing a template.
    WithdrawChangeTemplatePayload {
        /// The template; `null` when it was not done.
        change_template: ChangeTemplate
    }
    /// What became of taking a baseline.
    TakeBaselinePayload {
        /// The new baseline; `null` when it was not done.
        baseline: Baseline
    }
}
