//! Arguments of `keelson baseline`, `freeze`, `disruption` and `template`.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::schedule::Span;
use crate::cli::{Past, times};
use crate::complete::{class_completer, key_completer};

/// One record, and how much of its past.
#[derive(Args, Clone, Debug)]
pub(crate) struct RecordHistory {
    /// What people call it, or its id
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Changes shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Only changes before this revision
    #[arg(long, value_name = "REVISION")]
    pub(crate) before: Option<u64>,
    #[command(flatten)]
    pub(crate) past: Past,
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
        #[command(flatten)]
        past: Past,
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
        #[command(flatten)]
        past: Past,
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
    /// How one was set and lifted, newest first
    History(RecordHistory),
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
    /// How what is known of one changed, newest first
    History(RecordHistory),
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
    /// Withdraw one: nothing new follows it; what was approved by it stays approved
    Withdraw {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// How one was written, approved and withdrawn, newest first
    History(RecordHistory),
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
