//! Arguments of the commands of change management.

mod records;
mod schedule;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

pub(crate) use records::{
    BaselineAction, BaselineArgs, DisruptionAction, DisruptionArgs, FreezeAction, FreezeArgs, RecordHistory, SetFreeze,
    TemplateAction, TemplateArgs,
};
pub(crate) use schedule::{DocumentForm, PackArgs, ScheduleAction, ScheduleArgs, Span};

use super::{Past, times};
use crate::complete::key_completer;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
keelson change new 'Patch db host' --because 'CVE-2026-1' --restarts host/hv2 \\\n      \
--start 2026-12-01T22:00:00Z --end 2026-12-02T02:00:00Z --rollback 'boot the old kernel' --rollback-minutes 30\n  \
keelson change submit RFC-1; keelson change assess RFC-1\n  \
keelson change approve RFC-1 --actor bob --reason 'agreed in the meeting of Tuesday'\n  \
keelson change gate RFC-1 && deploy      # exit status 1 when it must not go ahead now\n\n\
Requester and approver are two people: name yourself with --actor (or KEELSON_ACTOR).")]
pub(crate) struct ChangeArgs {
    #[command(subcommand)]
    pub(crate) action: ChangeAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChangeAction {
    /// Write a request for change, as a draft
    New(Box<NewChange>),
    /// Give it other content before its work begins: what is named takes the place of what it says, all
    /// items together; what was assessed and decided no longer holds
    Alter(Box<AlterChange>),
    /// Hand a draft in
    Submit(OnRequest),
    /// Compute what it does, alone and with the others planned then, and keep that with the request
    Assess(AssessChange),
    /// Say that an item is not impacted; the loss does not spread through it. Needs --reason
    NotImpacted(NotImpactedArgs),
    /// Decide that it may be done; its assessment is frozen
    Approve(OnRequest),
    /// Decide that it must not be done; needs --reason
    Reject(OnRequest),
    /// Give it up before the work begins; needs --reason
    Cancel(OnRequest),
    /// Give it its place in the calendar
    Schedule(OnRequest),
    /// Begin the work: the gate must be open; a baseline of what it affects is taken
    Start(OnRequest),
    /// End the work
    Finish(FinishChange),
    /// Write down what was learnt
    Review(ReviewChange),
    /// A request as it stands: steps, decision, what has changed since, whether the gate is open
    Show(ShowChange),
    /// One document about a request, for the board
    Pack {
        /// Key of the request
        #[arg(value_name = "ID")]
        key: String,
        #[command(flatten)]
        form: PackArgs,
        #[command(flatten)]
        past: Past,
    },
    /// List requests
    List(ListChanges),
    /// Whether it may go ahead now; exit status 1 and the reasons when it may not
    Gate {
        /// Key of the request
        #[arg(value_name = "ID")]
        key: String,
        #[command(flatten)]
        past: Past,
    },
    /// What was predicted of it against what happened, once its work is over
    Score {
        /// Key of the request
        #[arg(value_name = "ID")]
        key: String,
        /// Lines of each list
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        past: Past,
    },
    /// How it came to say what it says, newest first
    History(RecordHistory),
    /// How good predictions were, and how often changes of each kind fail
    Trends {
        /// Lines of each list
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        past: Past,
    },
}

/// One request, and why.
#[derive(Args, Clone, Debug)]
pub(crate) struct OnRequest {
    /// Key of the request
    #[arg(value_name = "ID")]
    pub(crate) key: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The version of the request you have seen; when it is no longer the last, nothing is done
    #[arg(long = "if-version", value_name = "N")]
    pub(crate) seen: Option<u32>,
}

/// What a request says.
#[derive(Args, Debug)]
pub(crate) struct ChangeContent {
    /// Item that is down during the window
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) takes_down: Vec<String>,
    /// Item that delivers less during the window, with the fraction lost
    #[arg(long, value_name = "KEY=LOSS", add = key_completer())]
    pub(crate) degrades: Vec<String>,
    /// Item that is restarted within the window
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) restarts: Vec<String>,
    /// Item that another one takes the place of
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) replaces: Vec<String>,
    /// Item that goes for good
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) retires: Vec<String>,
    /// Item that is new, or gets something new
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) adds: Vec<String>,
    /// Item that is altered without an interruption
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) alters: Vec<String>,
    /// Start of the window
    #[arg(long, value_name = "TIME", requires = "end", value_parser = times::start)]
    pub(crate) start: Option<DateTime<Utc>>,
    /// End of the window, the first moment after it; or a day, which is then still in it
    #[arg(long, value_name = "TIME", requires = "start", value_parser = times::end)]
    pub(crate) end: Option<DateTime<Utc>>,
    /// How it is reversed
    #[arg(long, value_name = "TEXT", requires = "rollback_minutes")]
    pub(crate) rollback: Option<String>,
    /// How long that takes
    #[arg(long, value_name = "N", requires = "rollback")]
    pub(crate) rollback_minutes: Option<u32>,
    /// How it is seen that it worked
    #[arg(long, value_name = "TEXT")]
    pub(crate) verification: Option<String>,
    /// How it is decided on; default: normal, or standard with a template
    #[arg(long, value_enum, value_name = "CATEGORY")]
    pub(crate) category: Option<CategoryArg>,
    /// The approved template it follows
    #[arg(long, value_name = "NAME")]
    pub(crate) template: Option<String>,
    /// Who carries it out
    #[arg(long, value_name = "NAME")]
    pub(crate) team: Option<String>,
    /// Who asks for it; default: --actor
    #[arg(long, value_name = "NAME")]
    pub(crate) requester: Option<String>,
    /// Release it brings in
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AlterChange {
    #[command(flatten)]
    pub(crate) on: OnRequest,
    /// What is to be done, in a line
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
    /// Why it is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: Option<String>,
    #[command(flatten)]
    pub(crate) content: ChangeContent,
}

#[derive(Args, Debug)]
pub(crate) struct NewChange {
    /// What is to be done, in a line
    #[arg(value_name = "TITLE")]
    pub(crate) title: String,
    /// Why it is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: String,
    #[command(flatten)]
    pub(crate) content: ChangeContent,
    /// What people call it, such as the number of a ticket; default: the next free RFC-N
    #[arg(long, value_name = "ID")]
    pub(crate) key: Option<String>,
    /// Hand it in at once
    #[arg(long)]
    pub(crate) submit: bool,
}

/// How a request is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CategoryArg {
    /// By an approved template.
    Standard,
    /// By somebody else than the requester.
    Normal,
    /// By those the policy names for emergencies.
    Emergency,
}

#[derive(Args, Debug)]
pub(crate) struct AssessChange {
    #[command(flatten)]
    pub(crate) on: OnRequest,
    /// Only look: keep nothing with the request
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) past: Past,
    /// Services listed
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Evaluations the search for decisive unknown facts may take
    #[arg(long, value_name = "N", default_value_t = keelson_app::answers::impact::USUAL_BUDGET)]
    pub(crate) budget: usize,
}

#[derive(Args, Debug)]
pub(crate) struct NotImpactedArgs {
    #[command(flatten)]
    pub(crate) on: OnRequest,
    /// The item
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) item: String,
}

#[derive(Args, Debug)]
pub(crate) struct FinishChange {
    #[command(flatten)]
    pub(crate) on: OnRequest,
    /// Everything was brought back to where it was; needs --reason
    #[arg(long)]
    pub(crate) backed_out: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReviewChange {
    #[command(flatten)]
    pub(crate) on: OnRequest,
    /// What was learnt
    #[arg(long, value_name = "TEXT")]
    pub(crate) lessons: String,
    /// Nobody watched the services, so that nothing is known of what happened
    #[arg(long)]
    pub(crate) unmonitored: bool,
    /// Incident or problem linked to it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) incident: Vec<String>,
    /// What a service lost: KEY=LOSS:MINUTES
    #[arg(long, value_name = "KEY=LOSS:MINUTES", add = key_completer())]
    pub(crate) observed: Vec<String>,
    /// Whether it failed; default: when it was backed out or an incident is linked
    #[arg(long, value_name = "BOOLEAN")]
    pub(crate) failed: Option<bool>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowChange {
    /// Key of the request
    #[arg(value_name = "ID")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[derive(Args, Debug)]
pub(crate) struct ListChanges {
    /// Also those whose work is over
    #[arg(long)]
    pub(crate) all: bool,
    /// Only those in this state; may be given several times
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Vec<String>,
    /// Only those that alter this item
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) item: Option<String>,
    /// Requests to pass over
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) skip: usize,
    /// Requests shown
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) past: Past,
}
