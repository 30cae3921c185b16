//! Questions as data: what the command line asks, of an embedded store or of a server alike.

use chrono::{DateTime, Utc};
use keelson_analysis::Limits;
use keelson_answers::check::{CheckAnswer, check};
use keelson_answers::impact::{ImpactAnswer, ImpactQuestion, Interval, assess};
use keelson_answers::items::{ItemAnswer, ListAnswer, item_answer, list};
use keelson_answers::walk::{PathAnswer, WalkAnswer, WalkQuestion, Way, path, walk};
use keelson_answers::{Asked, Basis, QuestionError};
use keelson_catalogue::query::{OrderBy, Query};
use keelson_model::Revision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::condition::{self, ConditionSyntaxError};
use crate::keelson::blocking;
use crate::system::now;
use crate::{AsOf, Error, HistoryEntry, Keelson, View};

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
    /// The catalogue failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Keelson {
    /// Answers a question about the present, or about a point in the past.
    ///
    /// # Errors
    /// When the question makes no sense, or as the store fails.
    pub async fn ask(&self, question: Question, as_of: Option<AsOf>) -> Result<Answer, AskError> {
        let (view, asked) = self.view_for(as_of).await?;
        if let Question::History { key, before, most } = &question {
            return self.history_answer(&view, key, *before, *most, asked).await;
        }
        let pool = std::sync::Arc::clone(self.pool());
        blocking(move || answer(&view, question, asked, &pool)).await?
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
        let (total, entries) = self.item_history(view, ix, before, most).await?;
        let mut basis = Basis::of(view, asked);
        basis.page("changes", entries.len(), total);
        Ok(Answer::History(HistoryAnswer { basis, key: key.to_owned(), total, entries }))
    }
}

fn answer(view: &View, question: Question, asked: Asked, pool: &keelson_analysis::Pool) -> Result<Answer, AskError> {
    Ok(match question {
        Question::Impact { seeds, interval, budget, most } => {
            let seeds = seeds.into_iter().map(|seed| (seed.key, seed.loss)).collect();
            let question = ImpactQuestion { seeds, interval, budget, limits: Limits::default() };
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
            let limits = Limits { max_depth: depth.unwrap_or(u32::MAX), ..Limits::default() };
            Answer::Walk(walk(view, &key, &WalkQuestion { way, class, most, limits }, asked, pool)?)
        }
        Question::Path { from, to } => Answer::Path(path(view, &from, &to, &Limits::default(), asked)?),
        Question::Check { most, budget } => Answer::Check(check(view, most, budget, asked, pool)),
        Question::History { .. } => unreachable!("history is answered from the log"),
    })
}

fn order_by(field: &str) -> OrderBy {
    let (name, descending) = field.strip_prefix('-').map_or((field, false), |name| (name, true));
    OrderBy { field: condition::field(name), descending }
}
