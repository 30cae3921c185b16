//! What a question supposes beside what is known: growth of demand by named scenarios, and a catalogue
//! that somebody edited to see what would be.
//!
//! A supposition changes what one question sees and nothing else. Every answer asked under one says so
//! in its [`Basis`](crate::Basis), and keeps the revision of the catalogue that is really there.

use std::collections::BTreeMap;
use std::sync::Arc;

use keelson_catalogue::{Catalogue, CiIx};
use keelson_graph::{Changes, NeedSpec};
use keelson_model::{Revision, Rule, Standing, Value};

use crate::capacity::loads::Loads;
use crate::impact::SERVICE_CLASS;
use crate::{QuestionError, View};

/// The class of scenarios.
pub const SCENARIO_CLASS: &str = "scenario";
/// The kind of relationship between a scenario and the services it is about.
const APPLIES_TO: &str = "applies_to";
/// Scenarios named in a message.
const MOST_NAMED: usize = 10;

/// What a view supposes.
#[derive(Clone, Debug, PartialEq)]
pub struct Supposed {
    /// The revision of the catalogue that is really there.
    pub base: Revision,
    /// How demand grows.
    pub growth: Growth,
    /// What is supposed, in words, for the answers.
    pub lines: Vec<String>,
}

/// What scenarios say about demand. Of several that are about the same service the factors multiply,
/// and the last stated growth holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Growth {
    everywhere: Assumed,
    by_service: BTreeMap<u32, Assumed>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Assumed {
    factor: f64,
    per_month: Option<f64>,
}

impl Default for Assumed {
    fn default() -> Self {
        Self { factor: 1.0, per_month: None }
    }
}

impl Assumed {
    fn and(self, other: Self) -> Self {
        Self { factor: self.factor * other.factor, per_month: other.per_month.or(self.per_month) }
    }
}

impl Growth {
    /// What the demand on an item is multiplied by; 1 where nothing is supposed.
    #[must_use]
    pub fn factor(&self, service: CiIx) -> f64 {
        self.everywhere.factor * self.of(service).factor
    }

    /// The growth of demand per month that is supposed instead of what is stated elsewhere, as a
    /// fraction.
    #[must_use]
    pub fn per_month(&self, service: CiIx) -> Option<f64> {
        self.of(service).per_month.or(self.everywhere.per_month)
    }

    fn of(&self, service: CiIx) -> Assumed {
        self.by_service.get(&service.0).copied().unwrap_or_default()
    }

    /// Whether it supposes anything.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.by_service.is_empty() && self.everywhere == Assumed::default()
    }

    fn add(&mut self, services: &[CiIx], assumed: Assumed) {
        if services.is_empty() {
            self.everywhere = self.everywhere.and(assumed);
        }
        for service in services {
            let known = self.by_service.entry(service.0).or_default();
            *known = known.and(assumed);
        }
    }
}

/// What scenarios of a catalogue suppose, with a line in words for each.
///
/// A scenario is named by the name or the key of a configuration item of class `scenario`.
///
/// # Errors
/// When there is no such scenario, several of one name, or one is named twice.
pub fn scenarios(catalogue: &Catalogue, names: &[String]) -> Result<(Growth, Vec<String>), QuestionError> {
    let (mut growth, mut lines) = (Growth::default(), Vec::new());
    let mut met = Vec::new();
    for name in names {
        let scenario = find(catalogue, name)?;
        if met.contains(&scenario) {
            return Err(QuestionError::ScenarioTwice { name: name.clone() });
        }
        met.push(scenario);
        let ci = catalogue.ci(scenario);
        let number = |attribute: &str| ci.attribute(attribute).and_then(Value::as_f64);
        let assumed =
            Assumed { factor: number("demand_factor").unwrap_or(1.0), per_month: number("demand_growth_per_month") };
        let services = applied_to(catalogue, scenario);
        growth.add(&services, assumed);
        lines.push(in_words(catalogue, scenario, assumed, &services));
    }
    Ok((growth, lines))
}

fn live(catalogue: &Catalogue) -> impl Iterator<Item = CiIx> + '_ {
    let classes = &catalogue.schema().classes;
    let is_one = |ix: &CiIx| {
        let ci = catalogue.ci(*ix);
        ci.standing == Standing::Live && classes.is_a(&ci.class, SCENARIO_CLASS)
    };
    catalogue.cis().map(|(ix, _)| ix).filter(is_one)
}

fn find(catalogue: &Catalogue, name: &str) -> Result<CiIx, QuestionError> {
    let fits = |ix: &CiIx| {
        let ci = catalogue.ci(*ix);
        ci.key.as_str() == name || ci.name() == name
    };
    let found: Vec<CiIx> = live(catalogue).filter(fits).collect();
    match found[..] {
        [one] => Ok(one),
        [] => {
            let mut known: Vec<String> = live(catalogue).map(|ix| catalogue.ci(ix).name().to_owned()).collect();
            known.sort();
            known.truncate(MOST_NAMED);
            Err(QuestionError::UnknownScenario { name: name.to_owned(), known })
        }
        _ => {
            let keys = found.iter().map(|ix| catalogue.ci(*ix).key.to_string()).collect();
            Err(QuestionError::AmbiguousScenario { name: name.to_owned(), keys })
        }
    }
}

/// The services a scenario is said to apply to; none means all.
fn applied_to(catalogue: &Catalogue, scenario: CiIx) -> Vec<CiIx> {
    let of_kind = |ix: &&keelson_catalogue::RelationshipIx| {
        let relationship = &catalogue.relationship(**ix).relationship;
        relationship.standing == Standing::Live && relationship.key.kind.as_str() == APPLIES_TO
    };
    let slot = catalogue.slot(scenario);
    slot.dependencies.iter().filter(of_kind).map(|ix| catalogue.relationship(*ix).dependency).collect()
}

fn in_words(catalogue: &Catalogue, scenario: CiIx, assumed: Assumed, services: &[CiIx]) -> String {
    let ci = catalogue.ci(scenario);
    let key = |ix: &CiIx| catalogue.ci(*ix).key.as_str();
    let whose = match services {
        [] => "every service".to_owned(),
        some => named(&some.iter().map(key).collect::<Vec<&str>>()),
    };
    let mut line = format!("scenario {}: demand on {whose} times {}", ci.name(), assumed.factor);
    if assumed == Assumed::default() {
        line = format!(
            "scenario {}: nothing changes, as it states neither 'demand_factor' nor 'demand_growth_per_month'",
            ci.name()
        );
    }
    let idle: Vec<&str> = services.iter().filter(|ix| !takes_demand(catalogue, **ix)).map(key).collect();
    if !idle.is_empty() {
        line += &format!("; nothing changes for {}: demand is that of a service in the catalogue", named(&idle));
    }
    if let Some(growth) = assumed.per_month {
        line += &format!(", growing by {} % per month", rounded(growth * 100.0));
    }
    let said = |attribute: &str| ci.attribute(attribute).and_then(Value::as_text);
    if let Some(by) = said("assumed_by") {
        line += &format!("; assumed by {by}");
    }
    if let Some(why) = said("assumption") {
        line += &format!(": {why}");
    }
    line
}

/// Whether what is supposed of demand can be about an item: a service that is in the catalogue.
fn takes_demand(catalogue: &Catalogue, ix: CiIx) -> bool {
    let ci = catalogue.ci(ix);
    ci.standing == Standing::Live && catalogue.schema().classes.is_a(&ci.class, SERVICE_CLASS)
}

fn named(keys: &[&str]) -> String {
    let shown = keys[..keys.len().min(MOST_NAMED)].join(", ");
    if keys.len() > MOST_NAMED { format!("{shown}, {} more", keys.len() - MOST_NAMED) } else { shown }
}

/// A number to six digits behind the point, which rounding of binary fractions does not reach.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

impl View {
    /// The view under a supposition; `self` shows the catalogue that is supposed, if one is.
    ///
    /// Growth acts on whatever is computed from demand: passes of demand, plans, and needs shared by
    /// capacity, whose demand is multiplied with that of the service they belong to. The demand of a
    /// need of something else is multiplied where the growth is the same for every service.
    ///
    /// # Errors
    /// When the graph cannot be drawn with the demand that is supposed.
    pub fn supposing(&self, supposed: Supposed) -> Result<Self, QuestionError> {
        let mut changes = Changes::new();
        if !supposed.growth.is_nothing() {
            for owner in self.graph.item_numbers() {
                let factor = supposed.growth.factor(CiIx(owner.0));
                let shares = |need: keelson_graph::NeedView<'_>| need.head.is_share();
                if factor.to_bits() == 1.0_f64.to_bits() || !self.graph.needs(owner).any(shares) {
                    continue;
                }
                let grown = self.graph.needs(owner).map(|need| grown(need.to_spec(), factor)).collect();
                changes.replace_needs(owner, grown);
            }
        }
        let graph = self.graph.with_changes(changes).map_err(QuestionError::Graph)?;
        Ok(Self { graph: Arc::new(graph), supposed: Some(Arc::new(supposed)), loads: Loads::default(), ..self.clone() })
    }

    /// What is supposed, in words; empty where nothing is.
    #[must_use]
    pub fn supposed_lines(&self) -> &[String] {
        self.supposed.as_deref().map_or(&[], |supposed| &supposed.lines)
    }

    /// How demand grows by what is supposed; absent where nothing is.
    #[must_use]
    pub fn growth(&self) -> Option<&Growth> {
        self.supposed.as_deref().map(|supposed| &supposed.growth)
    }
}

fn grown(mut need: NeedSpec, factor: f64) -> NeedSpec {
    if let Rule::Share { demand: Some(demand), .. } = &mut need.rule {
        *demand *= factor;
    }
    need
}
