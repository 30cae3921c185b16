//! How answers describe a need of the graph.

use std::collections::{BTreeMap, BTreeSet};

use keelson_catalogue::Catalogue;
use keelson_graph::{ItemIx, NeedView, Snapshot};
use keelson_model::{Need, NeedDefinition, Phase, Rule, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::projection::DrawnFrom;
use crate::subject::{ci_of, key_of};

/// What a need is called and how its members combine, as every answer says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeedRule {
    /// The need's name; of a plain relationship, how its kind reads: `uses`.
    #[serde(rename = "need")]
    pub name: String,
    /// How its members combine.
    pub rule: String,
    /// Members that must be up, for a rule that counts.
    pub k: Option<u32>,
    /// Number of members; those that no source lists any longer are among them.
    pub of: u32,
    /// The largest loss it can cause; absent for a hard need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<f64>,
}

impl NeedRule {
    /// Describes the rule of a need of the graph.
    pub(crate) fn of(catalogue: &Catalogue, need: &NeedView<'_>) -> Self {
        let cap = need.cap();
        Self {
            name: title(catalogue, need).0,
            rule: need.rule().name().to_owned(),
            k: need.required(),
            of: u32::try_from(need.members.len()).unwrap_or(u32::MAX),
            cap: (cap < 1.0).then_some(cap),
        }
    }
}

/// A need: what one item asks of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NeedLine {
    /// Its name and its rule.
    #[serde(flatten)]
    pub need: NeedRule,
    /// The members, by key; those that no source lists any longer are among them, see `doubts`.
    pub members: Vec<String>,
    /// When it matters: `run`, `start` or `both`.
    pub phase: Phase,
    /// The kind of relationship to its members.
    pub kind: String,
    /// Whether anything about it is in doubt; see `doubts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// The sources that state it as it is in force; empty for a plain relationship.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// What other sources state instead, in words, by source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

/// Name and kind of a need of the graph.
pub(crate) fn title(catalogue: &Catalogue, need: &NeedView<'_>) -> (String, String) {
    match DrawnFrom::of_tag(need.tag) {
        DrawnFrom::Need(ix) => {
            let need = &catalogue.need(ix).need;
            (need.name.to_string(), need.definition.kind.to_string())
        }
        DrawnFrom::Load(ix) => {
            let need = &catalogue.need(ix).need;
            (format!("{} at its load", need.name), need.definition.kind.to_string())
        }
        DrawnFrom::Relationship(ix) => {
            let kind = &catalogue.relationship(ix).relationship.key.kind;
            let forward = catalogue.schema().kinds.get(kind).map(|kind| kind.forward.clone());
            (forward.unwrap_or_else(|| kind.to_string()), kind.to_string())
        }
    }
}

/// Describes a need of the graph.
#[must_use]
pub fn line(catalogue: &Catalogue, need: &NeedView<'_>) -> NeedLine {
    let (sources, others) = match DrawnFrom::of_tag(need.tag) {
        DrawnFrom::Need(ix) | DrawnFrom::Load(ix) => sources_of(catalogue, &catalogue.need(ix).need),
        DrawnFrom::Relationship(_) => Default::default(),
    };
    NeedLine {
        need: NeedRule::of(catalogue, need),
        members: need.members.iter().map(|member| key_of(catalogue, *member)).collect(),
        phase: need.phase(),
        kind: title(catalogue, need).1,
        doubts: doubts(catalogue, need),
        sources,
        others,
    }
}

/// Whether an item of the graph is withdrawn, and there only because something needs it still.
pub(crate) fn is_withdrawn(catalogue: &Catalogue, item: ItemIx) -> bool {
    catalogue.ci(ci_of(item)).standing == Standing::Withdrawn
}

/// Whether a need is the load that members of another share, where that takes more of them than are declared.
pub(crate) fn is_load(need: &NeedView<'_>) -> bool {
    matches!(DrawnFrom::of_tag(need.tag), DrawnFrom::Load(_))
}

/// Who states a need as it is in force, and what others state instead, in words, by source.
pub(crate) fn sources_of(catalogue: &Catalogue, need: &Need) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut sources, mut others) = (BTreeSet::new(), BTreeMap::new());
    for claim in need.claims.iter().filter(|claim| claim.provenance.is_live()) {
        let source = claim.provenance.source.to_string();
        let other = difference(catalogue, &claim.definition, &need.definition);
        match other {
            None if claim.definition.assumed == need.definition.assumed => _ = sources.insert(source),
            None => {}
            Some(words) => _ = others.insert(source, words),
        }
    }
    others.retain(|source, _| !sources.contains(source));
    (sources.into_iter().collect(), others)
}

/// What a definition says otherwise than the one in force; `None` when it says nothing else. Not to
/// state the rule is not to contradict it.
fn difference(catalogue: &Catalogue, said: &NeedDefinition, in_force: &NeedDefinition) -> Option<String> {
    let mut words = Vec::new();
    let of = said.members.len();
    let members = |definition: &NeedDefinition| definition.members.iter().map(|m| m.ci).collect::<BTreeSet<_>>();
    let other_members = members(said) != members(in_force);
    let other_rule = said.rule.required(of) != in_force.rule.required(in_force.members.len())
        || (said.rule.required(of).is_none() && said.rule != in_force.rule)
        || said.possible_counts != in_force.possible_counts;
    if (other_rule && !said.assumed) || other_members {
        let rule = if said.assumed {
            "does not state the rule".to_owned()
        } else {
            rule_in_words(&said.rule, said.rule.required(of), u32::try_from(of).unwrap_or(u32::MAX))
        };
        let keys = said.members.iter().filter_map(|member| catalogue.find_id(member.ci));
        let keys: Vec<&str> = keys.map(|ix| catalogue.ci(ix).key.as_str()).collect();
        words.push(if other_members { format!("{rule} ({})", keys.join(", ")) } else { rule });
    }
    if said.possible_counts != in_force.possible_counts && !said.possible_counts.is_empty() {
        let counts: Vec<String> = said.possible_counts.iter().map(u32::to_string).collect();
        words.push(format!("perhaps {}", counts.join(" or ")));
    }
    let cap = |definition: &NeedDefinition| definition.cap.as_ref().map_or(1.0, |cap| cap.limit);
    if cap(said) != cap(in_force) {
        words.push(format!("it can cost {:.0} %", cap(said) * 100.0));
    }
    if said.phase != in_force.phase {
        words.push(format!("it matters in the phase '{}'", said.phase.as_str()));
    }
    if said.confidence != in_force.confidence {
        words.push(format!("with confidence {}", said.confidence.unwrap_or(1.0)));
    }
    if let Some(common) = said.common_cause.filter(|_| said.common_cause != in_force.common_cause) {
        words.push(format!("{:.0} % of what fails a member fails all", common * 100.0));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// What is not known of a need, in words.
fn doubts(catalogue: &Catalogue, need: &NeedView<'_>) -> Vec<String> {
    let Some(detail) = need.detail else { return Vec::new() };
    let doubt = &detail.doubt;
    let mut words = Vec::new();
    if doubt.rule_assumed {
        words.push("its rule was not stated by anybody".to_owned());
    }
    if doubt.counts.len() > 1 {
        let counts: Vec<String> = doubt.counts.iter().map(u32::to_string).collect();
        words.push(format!("how many members must be up: {}", counts.join(" or ")));
    }
    if doubt.existence && is_load(need) {
        words.push("whether it takes more members than are declared: its load at the peak says so".to_owned());
    } else if doubt.existence {
        words.push("whether it exists: it was only observed, or with low confidence".to_owned());
    }
    words.extend(doubt.members.iter().map(|member| {
        let key = key_of(catalogue, *member);
        if is_withdrawn(catalogue, *member) {
            format!("whether {key} is still a member: no source lists it any longer")
        } else {
            format!("whether {key} is a member")
        }
    }));
    words
}

/// A rule in words: `needs 2 of 3`, `needs all 4`, `needs one of 2`.
#[must_use]
pub fn rule_in_words(rule: &Rule, k: Option<u32>, of: u32) -> String {
    match (rule, k) {
        (_, _) if of == 1 => "needs it".to_owned(),
        (Rule::Share { demand, unit, .. }, _) => match demand {
            Some(demand) => format!("shares a load of {demand} {unit}"),
            None => format!("shares a load in {unit} that nobody has stated"),
        },
        (Rule::Weight { threshold, .. }, _) => format!("needs a weight of {threshold}"),
        (Rule::Percent { percent }, Some(k)) => format!("needs {percent} %, {k} of {of}"),
        (_, Some(1)) => format!("needs one of {of}"),
        (_, Some(k)) if k == of => format!("needs all {of}"),
        (_, Some(k)) => format!("needs {k} of {of}"),
        (_, None) => "needs them".to_owned(),
    }
}

/// Whether a definition is more than a plain dependency of one.
#[must_use]
pub fn is_redundant(definition: &NeedDefinition) -> bool {
    let n = definition.members.len();
    definition.rule.required(n).is_some_and(|k| (k as usize) < n)
}

/// The running needs of an item, described.
pub(crate) fn lines_of(catalogue: &Catalogue, graph: &Snapshot, item: ItemIx) -> Vec<NeedLine> {
    let mut lines: Vec<NeedLine> = graph.needs(item).map(|need| line(catalogue, &need)).collect();
    lines.sort_by(|a, b| (a.need.of == 1, &a.need.name, &a.members).cmp(&(b.need.of == 1, &b.need.name, &b.members)));
    lines
}
