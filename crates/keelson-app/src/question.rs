//! Questions as data: what the command line asks, of an embedded store or of a server alike.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::{Limits, Pool};
use keelson_answers::change::{self, ChangeAnswer, ChangeQuestion};
use keelson_answers::check::{CheckAnswer, check};
use keelson_answers::impact::{ImpactAnswer, ImpactQuestion, Interval, assess};
use keelson_answers::items::{ItemAnswer, ListAnswer, item_answer, list};
use keelson_answers::register::{
    self, BaselineLine, BaselinesAnswer, CalendarAnswer, RequestAnswer, RequestFilter, RequestsAnswer,
};
use keelson_answers::review::{self, ReviewScore, ScoreQuestion, TrendsAnswer, TrendsQuestion};
use keelson_answers::schedule::{self, ScheduleAnswer, ScheduleQuestion, find_request};
use keelson_answers::walk::{PathAnswer, WalkAnswer, WalkQuestion, Way, path, walk};
use keelson_answers::{Asked, Basis, QuestionError};
use keelson_catalogue::query::{OrderBy, Query};
use keelson_change::draft::said;
use keelson_change::lookup;
use keelson_model::{Revision, Window};
use keelson_report::zone::UnknownZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::board::{ActError, BaselineComparison};
use crate::condition::{self, ConditionSyntaxError};
use crate::keelson::blocking;
use crate::system::now;
use crate::{AsOf, Error, HistoryEntry, Keelson, RecordRef, Stop, View};

/// An item with its own loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeedInput {
    /// Its key.
    pub key: String,
    /// Its loss, from 0 (whole) to 1 (gone).
    pub loss: f64,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "question", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Question {
    /// What losing these costs.
    Impact {
        /// The items with their own losses.
        seeds: Vec<SeedInput>,
        /// The interval in which they are lost.
        interval: Option<Interval>,
        /// Propagations the search for decisive facts may compute; 0 leaves certainty out.
        budget: usize,
        /// Most items listed.
        most: usize,
    },
    /// Everything about one configuration item.
    Get {
        /// Its key.
        key: String,
        /// Most relationships listed each way.
        most: usize,
    },
    /// Which configuration items there are.
    List {
        /// Only this class and those below it.
        class: Option<String>,
        /// Conditions such as `memory >= 16 GiB`; all must hold.
        conditions: Vec<String>,
        /// Words that must all occur.
        text: Vec<String>,
        /// Fields to order by, `-` before one for descending.
        order: Vec<String>,
        /// Also withdrawn ones.
        withdrawn: bool,
        /// How many to pass over.
        skip: usize,
        /// Most items listed.
        most: usize,
    },
    /// How one configuration item, its relationships and its needs changed, newest first.
    History {
        /// Its key.
        key: String,
        /// Only changes before this revision.
        before: Option<Revision>,
        /// Most changes listed.
        most: usize,
    },
    /// How a record of change management changed, newest first.
    RecordHistory {
        /// What sort of record it is.
        sort: RecordSort,
        /// What people call it.
        name: String,
        /// Only changes before this revision.
        before: Option<Revision>,
        /// Most changes listed.
        most: usize,
    },
    /// What an item needs, or what depends on it.
    Walk {
        /// Its key.
        key: String,
        /// Which way.
        way: Way,
        /// Only items of this class or below it are listed.
        class: Option<String>,
        /// Most steps from the start; absent: all.
        depth: Option<u32>,
        /// Most items listed.
        most: usize,
    },
    /// Why one item depends on another.
    Path {
        /// The dependent.
        from: String,
        /// The dependency.
        to: String,
    },
    /// What is wrong with the catalogue.
    Check {
        /// Most findings of each code listed.
        most: usize,
        /// Walks the search for false redundancy may make.
        budget: usize,
    },
    /// What a request for change does.
    Change {
        /// Its key.
        key: String,
        /// Propagations the search for decisive facts may compute.
        budget: usize,
        /// Most services listed.
        most: usize,
    },
    /// A request for change as it stands.
    Request {
        /// Its key.
        key: String,
    },
    /// Which requests for change there are.
    Requests {
        /// Which of them.
        filter: RequestFilter,
        /// How many to pass over.
        skip: usize,
        /// Most listed.
        most: usize,
    },
    /// What keeps a request for change from going ahead now.
    Gate {
        /// Its key.
        key: String,
    },
    /// What a schedule of changes does, hour by hour.
    Schedule {
        /// The times of interest.
        within: Window,
        /// Only these requests; empty means all that are open and no longer drafts.
        only: Vec<String>,
        /// Most lines of a list.
        most: usize,
    },
    /// Freezes, maintenance windows, disruptions and templates.
    Calendar {
        /// The times of interest.
        within: Window,
    },
    /// Which baselines there are.
    Baselines {
        /// How many to pass over.
        skip: usize,
        /// Most listed.
        most: usize,
        /// Most items named of each.
        most_keys: usize,
    },
    /// One baseline, proved from the log.
    Baseline {
        /// Its name.
        name: String,
        /// Most items named.
        most_keys: usize,
    },
    /// How often changes of each kind fail, and how good predictions were.
    Trends {
        /// Most lines of each list.
        most: usize,
    },
    /// What was predicted of one request against what happened.
    Score {
        /// Its key.
        key: String,
        /// Most lines of each list.
        most: usize,
    },
    /// How two baselines differ, or a baseline and now.
    CompareBaselines {
        /// One, by name.
        earlier: String,
        /// The other; absent: now.
        later: Option<String>,
        /// Most items listed.
        most: usize,
    },
}

/// The sorts of records of change management that have a history of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordSort {
    /// A request for change, by key.
    Request,
    /// A template, by name.
    Template,
    /// A freeze or maintenance window, by name or id.
    Calendar,
    /// A disruption, by id or reference.
    Disruption,
}

/// One baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselineAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The baseline.
    pub baseline: BaselineLine,
    /// Whether the log, read as of its revision, has the digest that was taken.
    pub is_proven: bool,
}

/// Whether a request for change may go ahead now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub key: String,
    /// Whether it may go ahead.
    pub is_open: bool,
    /// What keeps it from going ahead.
    pub reasons: Vec<keelson_change::Problem>,
}

/// How one configuration item changed, with its relationships, its needs and the needs it is a
/// member of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The key asked for.
    pub key: String,
    /// How many changes there are in all.
    pub total: usize,
    /// The changes, newest first.
    pub entries: Vec<HistoryEntry>,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// What losing these costs.
    Impact(ImpactAnswer),
    /// Everything about one configuration item.
    Item(Box<ItemAnswer>),
    /// Configuration items.
    List(ListAnswer),
    /// How one configuration item changed.
    History(HistoryAnswer),
    /// What an item needs, or what depends on it.
    Walk(WalkAnswer),
    /// Why one item depends on another.
    Path(PathAnswer),
    /// What is wrong with the catalogue.
    Check(CheckAnswer),
    /// What a request for change does.
    Change(Box<ChangeAnswer>),
    /// A request for change as it stands.
    Request(Box<RequestAnswer>),
    /// Requests for change.
    Requests(RequestsAnswer),
    /// Whether a request for change may go ahead now.
    Gate(GateAnswer),
    /// What a schedule of changes does.
    Schedule(ScheduleAnswer),
    /// Freezes, maintenance windows, disruptions and templates.
    Calendar(CalendarAnswer),
    /// Baselines.
    Baselines(BaselinesAnswer),
    /// One baseline.
    Baseline(BaselineAnswer),
    /// Trends of changes.
    Trends(Box<TrendsAnswer>),
    /// What was predicted of one request against what happened.
    Score(Box<ReviewScore>),
    /// How two baselines differ.
    Comparison(BaselineComparison),
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The question makes no sense here.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// A condition that cannot be read.
    #[error(transparent)]
    Condition(#[from] ConditionSyntaxError),
    /// There is no such baseline.
    #[error("there is no baseline '{0}'; 'keelson baseline list' lists them")]
    UnknownBaseline(String),
    /// More requests than one document holds.
    #[error(
        "{found} requests fall into that time, and a pack holds {most} at most; name a shorter time, or the requests"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// There is no such record.
    #[error("there is no {sort} '{name}'")]
    UnknownRecord {
        /// What sort.
        sort: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A request whose work is not over cannot be compared with what happened.
    #[error("{key} is {state}; what was predicted is compared with what happened once its work is over")]
    NotOver {
        /// The request.
        key: String,
        /// Where it stands.
        state: &'static str,
    },
    /// There is no such time zone.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// The catalogue failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<ActError> for AskError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Question(error) => Self::Question(error),
            ActError::Failed(error) => Self::Failed(error),
            // Nothing is asked of people by a question.
            ActError::Refused(problems) => Self::Failed(Error::Stopped(problems.to_string())),
        }
    }
}

impl Keelson {
    /// Answers a question about the present, or about a point in the past.
    ///
    /// # Errors
    /// When the question makes no sense, or as the store fails.
    pub async fn ask(&self, question: Question, as_of: Option<AsOf>) -> Result<Answer, AskError> {
        let stop = Stop::default();
        let _unwanted = stop.on_drop();
        self.ask_until(question, as_of, &stop).await
    }

    /// As [`Keelson::ask`], until the flag is raised: what is long ends soon then, and its answer says so.
    ///
    /// # Errors
    /// As [`Keelson::ask`].
    pub async fn ask_until(&self, question: Question, as_of: Option<AsOf>, stop: &Stop) -> Result<Answer, AskError> {
        let (view, asked) = self.view_for(as_of).await?;
        match &question {
            Question::History { key, before, most } => {
                return self.history_answer(&view, key, *before, *most, asked).await;
            }
            Question::RecordHistory { sort, name, before, most } => {
                let subject = record_of(&view, *sort, name)?;
                let changes = self.record_history(&view, subject, *before, *most).await?;
                return Ok(history_answer(&view, name, changes, asked));
            }
            Question::Gate { key } => {
                let key = find_request(&view, key)?.key.to_string();
                let reasons = self.gate_on(view.clone(), &key, asked.at).await?;
                let basis = Basis::of(&view, asked);
                return Ok(Answer::Gate(GateAnswer { basis, key, is_open: reasons.is_empty(), reasons }));
            }
            Question::Baseline { name, most_keys } => {
                let known = view.catalogue.find_baseline(name).map(|kept| Arc::clone(&kept.record));
                let known = known.ok_or_else(|| AskError::UnknownBaseline(name.clone()))?;
                let is_proven = self.prove_baseline(&known).await?;
                let baseline = register::baseline(&view, &known, *most_keys);
                return Ok(Answer::Baseline(BaselineAnswer { basis: Basis::of(&view, asked), baseline, is_proven }));
            }
            Question::CompareBaselines { earlier, later, most } => {
                for name in std::iter::once(earlier).chain(later) {
                    if view.catalogue.find_baseline(name).is_none() {
                        return Err(AskError::UnknownBaseline(name.clone()));
                    }
                }
                let compared = self.compare_baselines(&view, earlier, later.as_deref(), *most, asked).await?;
                return Ok(Answer::Comparison(compared.unwrap_or_else(|| unreachable!("both are known"))));
            }
            _ => {}
        }
        let (keelson, stop) = (self.clone(), stop.clone());
        blocking(move || match board_answer(&view, &question, asked, &keelson, &stop) {
            Some(answered) => answered,
            None => answer(&view, question, asked, keelson.pool(), &stop),
        })
        .await?
    }

    /// The view a question is about, and the time it counts from.
    ///
    /// # Errors
    /// As [`Keelson::view_as_of`].
    pub async fn view_for(&self, as_of: Option<AsOf>) -> Result<(View, Asked), Error> {
        let Some(as_of) = as_of else { return Ok((self.view(), Asked::now(now()))) };
        let view = self.view_as_of(as_of).await?;
        let time: DateTime<Utc> = match as_of {
            AsOf::Time(time) => time,
            AsOf::Revision(_) => view.catalogue.head().at.unwrap_or_else(now),
        };
        Ok((view, Asked::about(time)))
    }

    async fn history_answer(
        &self,
        view: &View,
        key: &str,
        before: Option<Revision>,
        most: usize,
        asked: Asked,
    ) -> Result<Answer, AskError> {
        let ix = keelson_answers::find(&view.catalogue, key)?;
        Ok(history_answer(view, key, self.item_history(view, ix, before, most).await?, asked))
    }
}

fn history_answer(view: &View, key: &str, changes: (usize, Vec<HistoryEntry>), asked: Asked) -> Answer {
    let (total, entries) = changes;
    let mut basis = Basis::of(view, asked);
    basis.page("changes", entries.len(), total);
    Answer::History(HistoryAnswer { basis, key: key.to_owned(), total, entries })
}

/// A record of change management by what people call it.
fn record_of(view: &View, sort: RecordSort, name: &str) -> Result<RecordRef, AskError> {
    let catalogue = &view.catalogue;
    let unknown = |sort| AskError::UnknownRecord { sort, name: name.to_owned() };
    Ok(match sort {
        RecordSort::Request => RecordRef::Request(find_request(view, name)?.id),
        RecordSort::Template => {
            let known = lookup::template(catalogue, name).ok_or_else(|| unknown("template"))?;
            RecordRef::Template(Arc::clone(&known.record.name))
        }
        RecordSort::Calendar => {
            let known = lookup::calendar_entry(catalogue, name).ok_or_else(|| unknown("calendar entry"))?;
            RecordRef::Calendar(known.record.id)
        }
        RecordSort::Disruption => {
            RecordRef::Disruption(lookup::disruption(catalogue, name).ok_or_else(|| unknown("disruption"))?.record.id)
        }
    })
}

/// Answers a question of change management; `None` for others.
fn board_answer(
    view: &View,
    question: &Question,
    asked: Asked,
    keelson: &Keelson,
    stop: &Stop,
) -> Option<Result<Answer, AskError>> {
    let (policy, pool, stop) = (keelson.policy(), keelson.pool(), Some(stop.flag()));
    let answered = match question {
        Question::Change { key, budget, most } => find_request(view, key).and_then(|request| {
            let question = ChangeQuestion { request, policy, budget: *budget, most: *most, stop };
            change::assess(view, &question, asked, pool).map(|answer| Answer::Change(Box::new(answer)))
        }),
        Question::Request { key } => {
            register::request(view, key, asked).map(|answer| Answer::Request(Box::new(answer)))
        }
        Question::Requests { filter, skip, most } => {
            register::requests(view, filter, *skip, *most, asked).map(Answer::Requests)
        }
        Question::Schedule { within, only, most } => {
            let question = ScheduleQuestion { within: *within, only, policy, most: *most, stop };
            schedule::assess(view, &question, asked, pool).map(Answer::Schedule)
        }
        Question::Calendar { within } => Ok(Answer::Calendar(register::calendar(view, *within, asked))),
        Question::Trends { most } => {
            let question = TrendsQuestion { policy, most: *most };
            review::trends(view, &question, asked, pool).map(|answer| Answer::Trends(Box::new(answer)))
        }
        Question::Score { key, most } => return Some(score(view, key, *most, asked, pool)),
        Question::Baselines { skip, most, most_keys } => {
            Ok(Answer::Baselines(register::baselines(view, *skip, *most, *most_keys, asked)))
        }
        _ => return None,
    };
    Some(answered.map_err(AskError::from))
}

fn score(view: &View, key: &str, most: usize, asked: Asked, pool: &Pool) -> Result<Answer, AskError> {
    let request = find_request(view, key)?;
    let score = review::scorecard(view, &ScoreQuestion { request, most }, asked, pool)?;
    let not_over = || AskError::NotOver { key: request.key.to_string(), state: said(request.state) };
    Ok(Answer::Score(Box::new(score.ok_or_else(not_over)?)))
}

fn answer(view: &View, question: Question, asked: Asked, pool: &Pool, stop: &Stop) -> Result<Answer, AskError> {
    let limits = Limits { stop: Some(stop.flag()), ..Limits::default() };
    Ok(match question {
        Question::Impact { seeds, interval, budget, most } => {
            let seeds = seeds.into_iter().map(|seed| (seed.key, seed.loss)).collect();
            let question = ImpactQuestion { seeds, interval, budget, limits };
            Answer::Impact(assess(view, &question, asked, pool)?.answer(most))
        }
        Question::Get { key, most } => Answer::Item(Box::new(item_answer(view, &key, most, asked)?)),
        Question::List { class, conditions, text, order, withdrawn, skip, most } => {
            let condition = condition::all(&view.catalogue, class.as_deref(), &conditions)?;
            let order = order.iter().map(|field| order_by(field)).collect();
            let query = Query { condition, order, text, withdrawn };
            Answer::List(list(view, &query, skip, most, asked)?)
        }
        Question::Walk { key, way, class, depth, most } => {
            let limits = Limits { max_depth: depth.unwrap_or(u32::MAX), ..limits };
            Answer::Walk(walk(view, &key, &WalkQuestion { way, class, most, limits }, asked, pool)?)
        }
        Question::Path { from, to } => Answer::Path(path(view, &from, &to, &limits, asked)?),
        Question::Check { most, budget } => Answer::Check(check(view, most, budget, asked, pool)),
        _ => unreachable!("history and change management are answered elsewhere"),
    })
}

fn order_by(field: &str) -> OrderBy {
    let (name, descending) = field.strip_prefix('-').map_or((field, false), |name| (name, true));
    OrderBy { field: condition::field(name), descending }
}
