//! Finding who answers a question, and having it answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::{Limits, Pool};
use keelson_answers::change::{self, ChangeQuestion};
use keelson_answers::check::check;
use keelson_answers::impact::{ImpactQuestion, assess};
use keelson_answers::items::{item_answer, list};
use keelson_answers::register;
use keelson_answers::review::{self, ScoreQuestion, TrendsQuestion};
use keelson_answers::schedule::{self, ScheduleQuestion, find_request};
use keelson_answers::walk::{WalkQuestion, path, walk};
use keelson_answers::{Asked, Basis};
use keelson_catalogue::query::{OrderBy, Query};
use keelson_change::draft::said;
use keelson_change::lookup;
use keelson_model::Revision;

use super::{Answer, AskError, BaselineAnswer, GateAnswer, Given, HistoryAnswer, Question, RecordSort, analyses};
use crate::condition;
use crate::keelson::blocking;
use crate::system::now;
use crate::{AsOf, Error, HistoryEntry, Keelson, RecordRef, Stop, View};

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
        self.ask_given(question, Given { as_of, ..Given::default() }, stop).await
    }

    /// As [`Keelson::ask_until`], with something supposed for this question alone.
    ///
    /// # Errors
    /// As [`Keelson::ask`], and when what is supposed cannot be.
    pub async fn ask_given(&self, question: Question, given: Given, stop: &Stop) -> Result<Answer, AskError> {
        let (mut view, asked) = self.view_for(given.as_of).await?;
        if !given.suppose.is_nothing() {
            if !question.may_suppose() {
                return Err(AskError::NotSupposed);
            }
            view = self.supposing(view, given.suppose).await?;
        }
        if analyses::reads_series(&question) {
            view = self.with_series(view).await?;
        }
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
        blocking(move || {
            let analysed = || analyses::answer(&view, &question, asked, keelson.pool(), &stop);
            match board_answer(&view, &question, asked, &keelson, &stop).or_else(analysed) {
                Some(answered) => answered,
                None => answer(&view, question, asked, keelson.pool(), &stop),
            }
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
