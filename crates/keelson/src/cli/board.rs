//! Arguments of the commands of change management.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::{Past, times};
use crate::complete::{class_completer, key_completer};

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
        form: PackForm,
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
    },
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

#[derive(Args, Debug)]
pub(crate) struct NewChange {
    /// What is to be done, in a line
    #[arg(value_name = "TITLE")]
    pub(crate) title: String,
    /// Why it is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: String,
    /// What people call it, such as the number of a ticket; default: the next free RFC-N
    #[arg(long, value_name = "ID")]
    pub(crate) key: Option<String>,
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

/// How a document is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct PackForm {
    /// Its form; 'csv' writes its tables into a folder, which --to-file names
    #[arg(long, value_enum, value_name = "FORM", default_value_t = DocumentForm::Html)]
    pub(crate) form: DocumentForm,
    /// File to write; default: standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to_file: Option<PathBuf>,
    /// Zone in which times are shown: Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

/// The form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentForm {
    /// One page for browsers, which prints well.
    Html,
    /// Markdown.
    Markdown,
    /// The tables, a file each.
    Csv,
    /// The answers it is made of.
    Json,
}

/// Some time from now, or between two times.
#[derive(Args, Clone, Debug)]
pub(crate) struct Span {
    /// Start of the times of interest; default: now
    #[arg(long, value_name = "TIME", value_parser = times::start)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// End of the times of interest; default: a week after their start
    #[arg(long, value_name = "TIME", value_parser = times::end)]
    pub(crate) to: Option<DateTime<Utc>>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson schedule assess\n  \
keelson schedule assess --from 2026-12-01 --to 2026-12-07 --fail-on-collision\n  keelson schedule ics > changes.ics\n  \
keelson schedule pack --from 2026-12-01 --zone Europe/Berlin --to-file pack.html")]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    pub(crate) action: ScheduleAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleAction {
    /// What the changes planned do together, hour by hour, and what to move
    Assess {
        #[command(flatten)]
        span: Span,
        /// Only these requests
        #[arg(value_name = "ID")]
        only: Vec<String>,
        /// Lines of each list
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Exit with status 1 when changes collide
        #[arg(long)]
        fail_on_collision: bool,
        #[command(flatten)]
        past: Past,
    },
    /// The board's pack: one document with the verdict on each request, proofs, collisions and drawings
    Pack {
        #[command(flatten)]
        span: Span,
        /// Only these requests
        #[arg(value_name = "ID")]
        only: Vec<String>,
        /// What the document is called
        #[arg(long, value_name = "TEXT", default_value = "Change advisory board")]
        title: String,
        #[command(flatten)]
        form: PackForm,
        #[command(flatten)]
        past: Past,
    },
    /// The schedule as an iCalendar file, for calendars
    Ics {
        #[command(flatten)]
        span: Span,
        /// File to write; default: standard output
        #[arg(long, value_name = "FILE")]
        to_file: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson baseline take 'before the move' --cone service/payments\n  \
keelson baseline compare 'before the move'             # with now\n  keelson baseline compare 2025 2026")]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) action: BaselineAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineAction {
    /// Take one of chosen items; it never changes
    Take {
        /// What people call it
        #[arg(value_name = "NAME")]
        name: String,
        /// Item it holds
        #[arg(long, value_name = "KEY", add = key_completer(), conflicts_with_all = ["cone", "of_change"])]
        item: Vec<String>,
        /// Item it holds with everything that item depends on
        #[arg(long, value_name = "KEY", add = key_completer(), conflicts_with = "of_change")]
        cone: Vec<String>,
        /// Request: what it alters, with everything that depends on that
        #[arg(long, value_name = "ID")]
        of_change: Option<String>,
        #[command(flatten)]
        past: Past,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Show one, and prove from the log that it is what was there
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Compare one with another, or with now
    Compare {
        /// One
        #[arg(value_name = "NAME")]
        earlier: String,
        /// The other; default: now
        #[arg(value_name = "NAME")]
        later: Option<String>,
        /// Items listed
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// List them, newest first
    List {
        /// Baselines shown
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        past: Past,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson freeze set 'year end' --item service/payments --start 2026-12-20 --end 2027-01-03 \\\n      \
--reason 'annual accounts'\n  \
keelson freeze set 'Sunday nights' --maintenance --item service/portal --start 2026-11-29T01:00:00Z \\\n      \
--end 2026-11-29T05:00:00Z --repeat FREQ=WEEKLY --zone Europe/Berlin --reason 'agreed with customers'\n  \
keelson freeze list\n\n\
A freeze of a service is violated by a change that breaches it, degrades it or takes more redundancy from it than allowed; \
one of a site, by an interruption of something there."
)]
pub(crate) struct FreezeArgs {
    #[command(subcommand)]
    pub(crate) action: FreezeAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FreezeAction {
    /// Set a freeze, or with --maintenance the times agreed for work
    Set(Box<SetFreeze>),
    /// Lift one
    Lift {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Freezes, maintenance windows, disruptions and templates
    List {
        #[command(flatten)]
        span: Span,
        #[command(flatten)]
        past: Past,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SetFreeze {
    /// What people call it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Service or site it is about; without any, every service
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) item: Vec<String>,
    /// When it begins, the first time
    #[arg(long, value_name = "TIME", value_parser = times::start)]
    pub(crate) start: DateTime<Utc>,
    /// When it ends, the first time
    #[arg(long, value_name = "TIME", value_parser = times::end)]
    pub(crate) end: DateTime<Utc>,
    /// How it repeats, as a recurrence rule of RFC 5545
    #[arg(long, value_name = "RRULE", requires = "zone")]
    pub(crate) repeat: Option<String>,
    /// The time zone it repeats in, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", requires = "repeat")]
    pub(crate) zone: Option<String>,
    /// Times agreed for work, instead of a freeze
    #[arg(long)]
    pub(crate) maintenance: bool,
    /// Members of a redundancy need a service may lose; default: as the policy says
    #[arg(long, value_name = "N")]
    pub(crate) margin: Option<u32>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson disruption report host/hv2 --reference INC-7\n  keelson disruption end INC-7"
)]
pub(crate) struct DisruptionArgs {
    #[command(subcommand)]
    pub(crate) action: DisruptionAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DisruptionAction {
    /// Something is down or impaired: part of the state every assessment starts from
    Report {
        /// The item
        #[arg(value_name = "KEY", add = key_completer())]
        key: String,
        /// The fraction lost, above 0 and at most 1
        #[arg(long, value_name = "LOSS", default_value_t = 1.0)]
        loss: f64,
        /// Somebody took it down on purpose
        #[arg(long)]
        maintenance: bool,
        /// When it began; default: now
        #[arg(long, value_name = "TIME", value_parser = times::start)]
        from: Option<DateTime<Utc>>,
        /// When it will end, where that is known
        #[arg(long, value_name = "TIME", value_parser = times::end)]
        until: Option<DateTime<Utc>>,
        /// Where it is worked on: the number of an incident
        #[arg(long, value_name = "NUMBER")]
        reference: Option<String>,
        /// What happened
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// It is up again
    End {
        /// Its number or id
        #[arg(value_name = "NUMBER")]
        disruption: String,
        /// Since when; default: now
        #[arg(long, value_name = "TIME", value_parser = times::end)]
        until: Option<DateTime<Utc>>,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson template put 'restart a host' --title 'Restart a host' --class host --action restarts \\\n      \
--longest-minutes 60 --rollback 'boot the old kernel' --rollback-minutes 15 --verification 'it answers'\n  \
keelson template approve 'restart a host' --actor bob"
)]
pub(crate) struct TemplateArgs {
    #[command(subcommand)]
    pub(crate) action: TemplateAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TemplateAction {
    /// Write a template of standard changes, or write it anew; somebody else must approve it
    Put(Box<PutTemplate>),
    /// Approve one
    Approve {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct PutTemplate {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What is done, in a line
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// Class of the items it may alter
    #[arg(long, value_name = "CLASS", add = class_completer(), required = true)]
    pub(crate) class: Vec<String>,
    /// What it may do: takes_down, degrades=LOSS, restarts, replaces, retires, adds, no_interruption
    #[arg(long, value_name = "ACTION", required = true)]
    pub(crate) action: Vec<String>,
    /// The longest window
    #[arg(long, value_name = "N")]
    pub(crate) longest_minutes: u32,
    /// How it is reversed
    #[arg(long, value_name = "TEXT")]
    pub(crate) rollback: String,
    /// How long that takes
    #[arg(long, value_name = "N")]
    pub(crate) rollback_minutes: u32,
    /// How it is seen that it worked
    #[arg(long, value_name = "TEXT")]
    pub(crate) verification: String,
}
