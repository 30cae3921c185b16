//! What is wrong with the catalogue.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use keelson_app::answers::check::{CheckAnswer, CheckCode, CheckLine, check};

use super::completeness::Completeness;
use super::item::ConfigurationItem;
use super::words::{CheckCode as CheckCodeWord, Severity};
use crate::connection::{Connection, Paging};
use crate::context::{Find, Services, analyse, list_name};
use crate::errors::Refusal;
use crate::limits::{LISTED_FINDINGS, LONGEST_LIST};
use crate::moment::Moment;

/// Walks the search for false redundancy may make.
const WALKS: usize = 200_000;

/// How many findings there are of one code.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct CheckCount {
    /// The code.
    code: CheckCodeWord,
    /// How many there are.
    count: usize,
}

/// One thing worth a look.
#[derive(SimpleObject)]
pub struct CheckFinding {
    /// What.
    code: CheckCodeWord,
    /// How much it matters.
    severity: Severity,
    /// The item concerned, where it is one.
    item: Option<ConfigurationItem>,
    /// The key of what is concerned.
    key: String,
    /// In words, with what to do.
    message: String,
    /// Keys of further items concerned; the first 100.
    related: Vec<String>,
}

impl CheckFinding {
    fn of(at: &Arc<Moment>, line: &CheckLine) -> Self {
        let found = keelson_app::answers::find(at.catalogue(), &line.key).ok();
        Self {
            code: line.code.into(),
            severity: line.severity.into(),
            item: found.map(|ix| ConfigurationItem::at(at, ix)),
            key: line.key.clone(),
            message: line.message.clone(),
            related: line.related.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}

/// What is wrong with the catalogue, or at least worth a look.
pub struct CatalogueCheck {
    at: Arc<Moment>,
    answer: CheckAnswer,
}

/// Looks at the whole catalogue.
pub(crate) async fn catalogue_check(services: &Services, at: Arc<Moment>) -> Result<CatalogueCheck, Refusal> {
    let (asked, keelson) = (Arc::clone(&at), services.keelson.clone());
    let work = move |_: &_| check(&asked.view, LISTED_FINDINGS, WALKS, asked.asked, keelson.pool());
    Ok(CatalogueCheck { at, answer: analyse(services, work).await? })
}

/// What is wrong with the catalogue, or at least worth a look. At most the first 10000 findings of each code.
#[Object]
impl CatalogueCheck {
    /// How many findings there are of each code that has any.
    async fn counts(&self) -> Vec<CheckCount> {
        self.answer.counts.iter().map(|(code, count)| CheckCount { code: (*code).into(), count: *count }).collect()
    }

    /// The findings, the most serious first.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those of this code.")] code: Option<CheckCodeWord>,
    ) -> Result<Connection<CheckFinding>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let wanted = code.map(CheckCode::from);
        let all = self.answer.findings.iter().filter(|line| wanted.is_none_or(|code| line.code == code));
        let places: Vec<(usize, &CheckLine)> = all.enumerate().collect();
        let name = list_name("catalogueCheck.findings", format!("{wanted:?}"), &self.at);
        let node = |(_, line): &(usize, &CheckLine)| CheckFinding::of(&self.at, line);
        Connection::page(&places, &paging, &name, &ctx.services().seal, |(place, _)| *place, node)
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}
