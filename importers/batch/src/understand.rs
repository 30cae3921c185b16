//! From the written lines to what a batch says, with the conditions a type cannot hold.

use std::collections::HashSet;
use std::sync::Arc;

use keelson_importer::rows::MAX_RELATIONSHIPS;
use keelson_model::{
    Basis, Cap, CiKey, CiRef, FindingCode, MemberObservation, NeedObservation, Observation, Position,
    RelationshipObservation, Removal, RemovalTarget, Rule, RuleError, SourceKey, Strength, Symbol, unit,
};

use crate::line::{CiLine, NeedLine, RelationshipLine, RuleName, StrengthName, WithdrawLine};
use crate::refusal::{Refusal, nearest};

/// Kind of the relationships of a need that does not say.
pub(crate) const DEFAULT_NEED_KIND: &str = "depends_on";
/// Kind of the relationship that `owner` is short for.
pub(crate) const OWNER_KIND: &str = "owned_by";

/// A configuration item, and the relationship to its owner.
pub(crate) fn ci(line: CiLine, position: &Position) -> Result<(Observation, Option<RelationshipObservation>), Refusal> {
    let source_key = match line.external_id {
        Some(id) => id,
        // A key of the catalogue is shorter than what a source may use, and otherwise the same.
        None => SourceKey::new(&line.key).map_err(|error| Refusal::malformed("ci/key", error.to_string()))?,
    };
    let owner = line.owner.map(|owner| {
        let at = Position { pointer: Some(Arc::from("/ci/owner")), ..position.clone() };
        let dependent = CiRef::Catalogue(line.key.clone());
        RelationshipObservation::new(OWNER_KIND, dependent, CiRef::Catalogue(owner), at)
    });
    let observation = Observation {
        source_key,
        key: Some(line.key),
        class: line.class,
        name: line.name,
        lifecycle: line.lifecycle,
        criticality: line.criticality,
        native_id: line.native_id,
        native_version: line.native_version,
        attributes: line.attributes,
        position: position.clone(),
    };
    if let Some((field, reason)) = keelson_importer::rows::beyond_limit(&observation) {
        let field =
            if observation.attributes.contains_key(field.as_str()) { format!("attributes/{field}") } else { field };
        return Err(Refusal::malformed(&format!("ci/{field}"), reason).with_code(FindingCode::LimitExceeded));
    }
    Ok((observation, owner))
}

/// A relationship.
pub(crate) fn relationship(line: RelationshipLine, position: Position) -> Result<RelationshipObservation, Refusal> {
    share("relationship/cap", line.cap)?;
    confidence("relationship/confidence", line.confidence)?;
    let strength = match (line.strength, line.cap) {
        (None, None) => None,
        (Some(StrengthName::Hard), None) => Some(Strength::Hard),
        (None | Some(StrengthName::Soft), Some(cap)) => Some(Strength::Soft { cap }),
        (Some(StrengthName::Hard), Some(_)) => {
            return Err(Refusal::malformed(
                "relationship/cap",
                "a hard relationship has no cap; leave it out or say soft",
            ));
        }
        (Some(StrengthName::Soft), None) => {
            return Err(Refusal::malformed("relationship/cap", "a soft relationship needs a cap above 0 and below 1"));
        }
    };
    Ok(RelationshipObservation {
        kind: line.kind,
        dependent: CiRef::Catalogue(line.dependent),
        dependency: CiRef::Catalogue(line.dependency),
        basis: line.basis.unwrap_or(Basis::Declared),
        confidence: line.confidence,
        strength,
        evidence: line.evidence,
        source_type: line.source_type,
        attributes: line.attributes,
        position,
    })
}

/// A need.
pub(crate) fn need(line: NeedLine, position: Position) -> Result<NeedObservation, Refusal> {
    if line.name.trim().is_empty() {
        return Err(Refusal::malformed("need/name", "a need must have a name"));
    }
    if line.members.len() > MAX_RELATIONSHIPS {
        let message = format!("a need has at most {MAX_RELATIONSHIPS} members");
        return Err(Refusal::malformed("need/members", message).with_code(FindingCode::LimitExceeded));
    }
    let rule = rule(&line)?;
    let members = members(&line)?;
    if let Some(count) = line.possible_counts.iter().find(|count| !(1..=members.len()).contains(&(**count as usize))) {
        let message = format!("{count} must lie between 1 and the number of members, {}", members.len());
        return Err(Refusal::malformed("need/possible_counts", message));
    }
    if !line.possible_counts.is_empty() && !matches!(rule, None | Some(Rule::AtLeast { .. })) {
        return Err(Refusal::malformed("need/possible_counts", "only a need by count (at_least) has possible counts"));
    }
    share("need/cap", line.cap)?;
    confidence("need/confidence", line.confidence)?;
    fraction("need/common_cause", "the common part of failures", line.common_cause)?;
    if line.cap.is_none() && (line.judged_by.is_some() || line.judged_at.is_some()) {
        return Err(Refusal::malformed("need/judged_by", "there is no cap that could have been judged"));
    }
    Ok(NeedObservation {
        dependent: CiRef::Catalogue(line.dependent),
        name: line.name,
        kind: line.kind.unwrap_or_else(|| Symbol::new(DEFAULT_NEED_KIND)),
        members,
        rule,
        possible_counts: line.possible_counts,
        cap: line.cap.map(|limit| Cap { limit, judged_by: line.judged_by, judged_at: line.judged_at }),
        phase: line.phase.unwrap_or_default(),
        confidence: line.confidence,
        common_cause: line.common_cause,
        basis: line.basis.unwrap_or(Basis::Declared),
        evidence: line.evidence,
        position,
    })
}

fn members(line: &NeedLine) -> Result<Vec<MemberObservation>, Refusal> {
    let doubtful: HashSet<&CiKey> = line.doubtful.iter().collect();
    let mut seen = HashSet::with_capacity(line.members.len());
    for (index, member) in line.members.iter().enumerate() {
        let field = || format!("need/members/{index}");
        if !seen.insert(member) {
            return Err(Refusal::malformed(&field(), format!("the member '{member}' is listed twice")));
        }
        if *member == line.dependent {
            let message = format!("'{member}' cannot be a member of its own need");
            return Err(Refusal::malformed(&field(), message).with_code(FindingCode::SelfLoop));
        }
    }
    if let Some(stray) = line.doubtful.iter().find(|member| !seen.contains(member)) {
        return Err(Refusal::malformed("need/doubtful", format!("'{stray}' is not among the members")));
    }
    let observe = |ci: &CiKey| MemberObservation { ci: CiRef::Catalogue(ci.clone()), doubtful: doubtful.contains(ci) };
    Ok(line.members.iter().map(observe).collect())
}

/// The rule of a need, from its name and the fields that belong to it.
fn rule(line: &NeedLine) -> Result<Option<Rule>, Refusal> {
    let given = [
        ("k", line.k.is_some(), RuleName::AtLeast),
        ("percent", line.percent.is_some(), RuleName::Percent),
        ("weights", line.weights.is_some(), RuleName::Weight),
        ("threshold", line.threshold.is_some(), RuleName::Weight),
        ("capacities", line.capacities.is_some(), RuleName::Share),
        ("unit", line.unit.is_some(), RuleName::Share),
        ("demand", line.demand.is_some(), RuleName::Share),
    ];
    if let Some((field, _, owner)) = given.iter().find(|(_, given, owner)| *given && line.rule != Some(*owner)) {
        let message = format!("'{field}' belongs to the rule '{}'", name(*owner));
        return Err(Refusal::malformed(&format!("need/{field}"), message));
    }
    let lacks = |field: &str, rule| {
        Refusal::malformed(&format!("need/{field}"), format!("the rule '{}' needs '{field}'", name(rule)))
    };
    let rule = match line.rule {
        None => None,
        Some(_) if line.assumed => {
            return Err(Refusal::malformed(
                "need/assumed",
                "a rule that is stated is not assumed; leave one of them out",
            ));
        }
        Some(RuleName::All) => Some(Rule::All),
        Some(RuleName::Any) => Some(Rule::Any),
        Some(kind @ RuleName::AtLeast) => Some(Rule::AtLeast { k: line.k.ok_or_else(|| lacks("k", kind))? }),
        Some(kind @ RuleName::Percent) => {
            Some(Rule::Percent { percent: line.percent.ok_or_else(|| lacks("percent", kind))? })
        }
        Some(kind @ RuleName::Weight) => Some(Rule::Weight {
            weights: line.weights.clone().ok_or_else(|| lacks("weights", kind))?,
            threshold: line.threshold.ok_or_else(|| lacks("threshold", kind))?,
        }),
        Some(kind @ RuleName::Share) => Some(Rule::Share {
            capacities: line.capacities.clone().ok_or_else(|| lacks("capacities", kind))?,
            unit: known_unit(line.unit.as_deref().ok_or_else(|| lacks("unit", kind))?)?,
            demand: line.demand,
        }),
    };
    let checked = rule.as_ref().unwrap_or(&Rule::All);
    checked.check(line.members.len()).map_err(|error| Refusal::malformed(field_of(&error), error.to_string()))?;
    Ok(rule)
}

fn name(rule: RuleName) -> &'static str {
    match rule {
        RuleName::All => "all",
        RuleName::Any => "any",
        RuleName::AtLeast => "at_least",
        RuleName::Percent => "percent",
        RuleName::Weight => "weight",
        RuleName::Share => "share",
    }
}

fn field_of(error: &RuleError) -> &'static str {
    match error {
        RuleError::NoMembers => "need/members",
        RuleError::CountOutOfRange { .. } => "need/k",
        RuleError::PercentOutOfRange { .. } => "need/percent",
        RuleError::WrongLength { what: "weights", .. } | RuleError::BadNumber { what: "weights", .. } => "need/weights",
        RuleError::BadNumber { what: "threshold", .. } | RuleError::ThresholdOutOfReach { .. } => "need/threshold",
        RuleError::BadNumber { what: "demand", .. } => "need/demand",
        RuleError::WrongLength { .. } | RuleError::BadNumber { .. } => "need/capacities",
    }
}

fn known_unit(symbol: &str) -> Result<String, Refusal> {
    if unit::unit(symbol).is_some() {
        return Ok(symbol.to_owned());
    }
    let known: Vec<_> = unit::symbols().collect();
    let hint = match nearest(symbol, &known) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("known are {}", known.join(", ")),
    };
    Err(Refusal::malformed("need/unit", format!("'{symbol}' is not a known unit; {hint}")))
}

fn share(field: &str, cap: Option<f64>) -> Result<(), Refusal> {
    match cap {
        Some(cap) if !(cap > 0.0 && cap < 1.0) => {
            let message = format!("a cap must lie above 0 and below 1, not {cap}; leave it out for all of it");
            Err(Refusal::malformed(field, message))
        }
        _ => Ok(()),
    }
}

fn confidence(field: &str, confidence: Option<f64>) -> Result<(), Refusal> {
    fraction(field, "a confidence", confidence)
}

/// Checks a fraction, which `what` names in words.
fn fraction(field: &str, what: &str, fraction: Option<f64>) -> Result<(), Refusal> {
    match fraction {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(Refusal::malformed(field, format!("{what} must lie between 0 and 1, not {value}")))
        }
        _ => Ok(()),
    }
}

/// Something that has gone.
pub(crate) fn withdraw(line: WithdrawLine, position: Position) -> Result<Removal, Refusal> {
    let target = match (line.key, line.relationship, line.need) {
        (Some(key), None, None) => RemovalTarget::Ci(CiRef::Catalogue(key)),
        (None, Some(gone), None) => RemovalTarget::Relationship {
            kind: gone.kind,
            dependent: CiRef::Catalogue(gone.dependent),
            dependency: CiRef::Catalogue(gone.dependency),
        },
        (None, None, Some(gone)) => {
            RemovalTarget::Need { dependent: CiRef::Catalogue(gone.dependent), name: gone.name }
        }
        _ => {
            let message = "say exactly one of key, relationship and need";
            return Err(Refusal::malformed("withdraw", message));
        }
    };
    Ok(Removal { target, reason: line.reason, position })
}
