//! Needs: rules over dependencies of one dependent.

use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{
    Carries, CiId, Finding, FindingCode, Member, Need, NeedClaim, NeedDefinition, NeedObservation, Rule, Severity,
    Standing, Stated, Symbol,
};

use crate::drafts::Ends;
use crate::plan::{RowKind, RowOutcome, RowResult};
use crate::planner::Planner;
use crate::relationships::Statement;
use crate::results::About;
use crate::rows::Fate;

/// A need of the batch whose dependent and members are known.
pub(crate) struct Stating {
    row: usize,
    dependent: CiIx,
    members: Vec<CiIx>,
    definition: NeedDefinition,
}

/// Why a need does not apply.
enum Hindrance {
    /// It cannot be used.
    Bad(Box<Finding>),
    /// It waits for a person; the dependent, where that is known.
    Waits(Option<CiIx>),
}

impl Planner<'_> {
    /// Resolves needs; each member is also stated as a relationship.
    pub(crate) fn resolve_needs(&mut self, statements: &mut Vec<Statement>) -> Vec<Stating> {
        let batch = self.batch;
        if batch.needs.iter().any(|need| need.rule.is_none()) {
            let described = self.rows.iter().filter_map(|row| match row.fate {
                Fate::Is(ix) => Some((ix, row.observation.class.clone())),
                _ => None,
            });
            self.described_as = described.collect();
        }
        let mut stating: Vec<Stating> = Vec::with_capacity(batch.needs.len());
        for (row, observation) in batch.needs.iter().enumerate() {
            match self.resolve_need(row, observation) {
                Ok(need) => {
                    let number = u32::try_from(row).expect("a batch has fewer than 2^32 needs");
                    statements.extend(need.members.iter().map(|member| Statement {
                        dependent: need.dependent,
                        dependency: *member,
                        kind: observation.kind.clone(),
                        stated: Stated::Member,
                        row: number,
                    }));
                    stating.push(need);
                }
                Err(Hindrance::Bad(finding)) => {
                    self.notes.add(finding.about(observation.dependent.as_str()));
                    // What the need was before is not known to be gone.
                    if let Some(dependent) = self.row_of(&observation.dependent)
                        && let Fate::Is(ix) = self.rows[dependent].fate
                    {
                        self.listed.insert(ix, false);
                    }
                    self.need_result(observation, None, RowOutcome::Rejected);
                }
                Err(Hindrance::Waits(dependent)) => {
                    if let Some(dependent) = dependent {
                        self.listed.insert(dependent, false);
                    }
                    self.need_result(observation, dependent, RowOutcome::Ambiguous);
                }
            }
        }
        stating
    }

    fn resolve_need(&mut self, row: usize, observation: &NeedObservation) -> Result<Stating, Hindrance> {
        let position = &observation.position;
        match self.context.catalogue.schema().kinds.get(&observation.kind).map(|kind| kind.carries) {
            None => return Err(Hindrance::Bad(Box::new(self.unknown_kind(&observation.kind, position)))),
            Some(Carries::Undirected) => {
                let message = format!("a need must have a direction, and '{}' has none", observation.kind);
                return Err(bad(observation, "kind", message));
            }
            Some(Carries::Loss | Carries::Nothing) => {}
        }
        check_numbers(observation)?;
        let dependent = self.resolve(&observation.dependent, position).ok_or(Hindrance::Waits(None))?;
        let (members, doubtful) = self.members(observation, dependent)?;
        let (rule, assumed) = self.rule(observation, dependent, &members)?;
        rule.check(members.len()).map_err(|error| bad(observation, "rule", error.to_string()))?;
        if let Some(count) = observation.possible_counts.iter().find(|k| !(1..=members.len()).contains(&(**k as usize)))
        {
            let message = format!("possible count {count} must lie between 1 and {}", members.len());
            return Err(bad(observation, "possible_counts", message));
        }
        let definition = NeedDefinition {
            rule,
            assumed,
            possible_counts: observation.possible_counts.clone(),
            members: members
                .iter()
                .zip(doubtful)
                .map(|(ix, doubtful)| Member { ci: self.drafts.id(*ix), doubtful })
                .collect(),
            kind: observation.kind.clone(),
            cap: observation.cap.clone(),
            phase: observation.phase,
            confidence: observation.confidence,
            common_cause: observation.common_cause,
        };
        Ok(Stating { row, dependent, members, definition })
    }

    /// The distinct members. A repetition is left out with a finding, unless the rule gives every
    /// member a number of its own: then nobody could say which of them counts.
    fn members(&mut self, observation: &NeedObservation, dependent: CiIx) -> Result<(Vec<CiIx>, Vec<bool>), Hindrance> {
        let numbered = matches!(observation.rule, Some(Rule::Weight { .. } | Rule::Share { .. }));
        let mut members: Vec<CiIx> = Vec::with_capacity(observation.members.len());
        let mut doubtful = Vec::with_capacity(observation.members.len());
        let mut seen = std::collections::HashSet::with_capacity(observation.members.len());
        for member in &observation.members {
            let key = member.ci.as_str();
            let Some(ix) = self.resolve(&member.ci, &observation.position) else {
                return Err(Hindrance::Waits(Some(dependent)));
            };
            let itself = ix == dependent;
            if !itself && seen.insert(ix) {
                members.push(ix);
                doubtful.push(member.doubtful);
                continue;
            }
            let message = match (itself, &observation.name) {
                (true, name) => format!("'{key}' is said to need itself by '{name}'"),
                (false, name) => format!("'{key}' is a member of '{name}' more than once"),
            };
            if numbered {
                return Err(bad(observation, "members", message));
            }
            if itself {
                self.notes.add_once(FindingCode::SelfLoop, &observation.position, key, message);
                let kinds = self.self_relationships.entry(dependent).or_default();
                if let Err(place) = kinds.binary_search(&observation.kind) {
                    kinds.insert(place, observation.kind.clone());
                }
            } else {
                let finding = Finding::new(FindingCode::Duplicate, observation.position.clone(), message);
                self.notes.add(finding.about(key).in_field("members").with_severity(Severity::Warning));
            }
        }
        if members.is_empty() {
            return Err(bad(observation, "members", "a need must have at least one member".to_owned()));
        }
        Ok((members, doubtful))
    }

    /// The class an item will have when the batch is taken in: what this batch describes for the
    /// first time has the class the batch gives it already here.
    fn class_after(&self, ix: CiIx) -> &Symbol {
        let ci = self.drafts.ci(ix);
        let new = ci.standing == Standing::Placeholder || !ci.live_claims().any(crate::merge::describes);
        self.described_as.get(&ix).filter(|_| new).unwrap_or(&ci.class)
    }

    /// The rule: as stated; otherwise as the class of the dependent says for these members;
    /// otherwise *all*, assumed.
    fn rule(
        &mut self,
        observation: &NeedObservation,
        dependent: CiIx,
        members: &[CiIx],
    ) -> Result<(Rule, bool), Hindrance> {
        if let Some(rule) = &observation.rule {
            return Ok((rule.clone(), false));
        }
        if members.len() == 1 && observation.possible_counts.is_empty() {
            // One member: every rule means the same.
            return Ok((Rule::All, false));
        }
        let classes = &self.context.catalogue.schema().classes;
        let class = self.class_after(dependent);
        let mut of_members = members.iter().map(|ix| classes.need_rule(class, self.class_after(*ix)));
        let first = of_members.next().flatten();
        let agreed = first.filter(|first| of_members.all(|other| other.is_some_and(|other| other.rule == first.rule)));
        if let Some(rule) = agreed.filter(|rule| rule.rule.check(members.len()).is_ok()) {
            return Ok((rule.rule.clone(), false));
        }
        let message = format!(
            "neither the source nor the class '{class}' says how many members '{}' needs; all of them are taken to be needed",
            observation.name
        );
        let finding = Finding::new(FindingCode::NeedRuleMissing, observation.position.clone(), message);
        self.notes.add(finding.about(observation.dependent.as_str()));
        Ok((Rule::All, true))
    }

    /// Lays the claims on needs down.
    pub(crate) fn state_needs(&mut self, needs: Vec<Stating>) {
        let batch = self.batch;
        for Stating { row, dependent, members: _, definition } in needs {
            let observation = &batch.needs[row];
            let name = &observation.name;
            if !self.stated_needs.insert((dependent, Arc::clone(name))) {
                self.second_need(observation, dependent, &definition);
                continue;
            }
            let outcome = self.state_need(observation, dependent, definition);
            self.need_result(observation, Some(dependent), outcome);
        }
    }

    /// The same need twice in one batch: the earlier one holds.
    fn second_need(&mut self, observation: &NeedObservation, dependent: CiIx, definition: &NeedDefinition) {
        let known = self.drafts.need(dependent, &observation.name).map(|need| &need.claims);
        let own = known.into_iter().flatten().find(|claim| self.context.is_own(&claim.provenance));
        let same = own.is_some_and(|claim| claim.definition == *definition);
        let (code, how) = match same {
            true => (FindingCode::Duplicate, "again"),
            false => (FindingCode::DuplicateConflict, "again with another definition, which is left out"),
        };
        let message =
            format!("the need '{}' of '{}' is stated {how}", observation.name, observation.dependent.as_str());
        let finding = Finding::new(code, observation.position.clone(), message).about(observation.dependent.as_str());
        self.notes.add(finding.with_severity(if same { Severity::Info } else { Severity::Warning }));
        self.need_result(observation, Some(dependent), RowOutcome::Skipped);
    }

    fn state_need(&mut self, observation: &NeedObservation, dependent: CiIx, definition: NeedDefinition) -> RowOutcome {
        let name = &observation.name;
        let before = self.drafts.need(dependent, name).cloned();
        let place = before.as_ref().and_then(|need| self.need_place(&need.claims));
        let outcome = match &before {
            None => RowOutcome::Created,
            Some(need) if need.standing == Standing::Withdrawn => RowOutcome::Revived,
            Some(_) => RowOutcome::Updated,
        };
        let (Some(before), Some(place)) = (before, place) else {
            if self.context.is_before_listing() {
                return self.skip_older(&observation.position);
            }
            let claim = NeedClaim { provenance: self.context.provenance(&observation.position), definition };
            self.push_need(dependent, name, claim);
            return outcome;
        };
        let known = &before.claims[place];
        if self.context.is_older_than(&known.provenance) {
            return self.skip_older(&observation.position);
        }
        let same = known.provenance.is_live() && known.definition == definition;
        if same && !self.context.is_due(&known.provenance, None) {
            return RowOutcome::Unchanged;
        }
        let mut provenance = known.provenance.clone();
        self.context.renew(&mut provenance, &observation.position);
        let given_up =
            known.definition.members.iter().filter(|old| definition.members.iter().all(|new| new.ci != old.ci));
        let given_up: Vec<_> = given_up.map(|member| member.ci).collect();
        let kind = known.definition.kind.clone();
        let was_live = known.provenance.is_live();
        let need = self.drafts.need_mut(dependent, name, |_| Need::clone(&before));
        need.claims[place] = NeedClaim { provenance, definition };
        if was_live && !self.context.complete {
            self.give_up_members(dependent, &kind, &given_up);
        }
        if same { RowOutcome::Unchanged } else { outcome }
    }

    pub(crate) fn push_need(&mut self, dependent: CiIx, name: &Arc<str>, claim: NeedClaim) {
        let need = self.drafts.need_or_new(dependent, name, &claim.definition, self.ids);
        need.claims.push(claim);
    }

    fn need_place(&self, claims: &[NeedClaim]) -> Option<usize> {
        let exact = claims.iter().position(|claim| self.context.is_own(&claim.provenance));
        let overlapping = || {
            claims.iter().position(|claim| {
                claim.provenance.source == self.context.source
                    && claim.provenance.is_live()
                    && claim.provenance.scope.overlaps(&self.context.scope)
            })
        };
        exact.or_else(|| if self.context.complete { None } else { overlapping() })
    }

    /// Ends this source's statements that items are members of needs of a dependent, for members
    /// that no live need of this source has any longer. Returns the relationships concerned.
    pub(crate) fn give_up_members(&mut self, dependent: CiIx, kind: &Symbol, members: &[CiId]) -> Vec<Ends> {
        let mut given_up = Vec::new();
        for member in members {
            if self.drafts.is_member(dependent, kind, *member, &self.context.source) {
                continue;
            }
            let Some(dependency) = self.drafts.find_id(*member) else { continue };
            let ends: Ends = (dependent, kind.clone(), dependency);
            if self.end_statement(&ends, |claim| claim.stated == Stated::Member, "no longer a member") {
                given_up.push(ends);
            }
        }
        given_up
    }

    pub(crate) fn need_result(&mut self, row: &NeedObservation, ix: Option<CiIx>, outcome: RowOutcome) {
        let drafts = &self.drafts;
        self.results.add(About::Need, outcome, || RowResult {
            position: row.position.clone(),
            row: RowKind::Need,
            source_key: format!("{}: {}", row.dependent.as_str(), row.name).into(),
            ci: ix.map(|ix| drafts.id(ix)),
            key: ix.map(|ix| drafts.ci(ix).key.clone()),
            outcome,
            succeeds: None,
            changed: Vec::new(),
        });
    }
}

fn bad(observation: &NeedObservation, field: &str, message: String) -> Hindrance {
    let finding = Finding::new(FindingCode::MalformedRow, observation.position.clone(), message);
    Hindrance::Bad(Box::new(finding.in_field(field)))
}

fn check_numbers(observation: &NeedObservation) -> Result<(), Hindrance> {
    if observation.name.trim().is_empty() {
        return Err(bad(observation, "name", "a need must have a name".to_owned()));
    }
    if let Some(cap) = &observation.cap
        && !(cap.limit > 0.0 && cap.limit < 1.0)
    {
        let message = format!("a cap must lie above 0 and below 1, not {}; leave it out for all of it", cap.limit);
        return Err(bad(observation, "cap", message));
    }
    let fractions = [
        ("confidence", "a confidence", observation.confidence),
        ("common_cause", "the common part of failures", observation.common_cause),
    ];
    match fractions.iter().find(|(_, _, value)| value.is_some_and(|value| !(0.0..=1.0).contains(&value))) {
        Some((field, what, Some(value))) => {
            Err(bad(observation, field, format!("{what} must lie between 0 and 1, not {value}")))
        }
        _ => Ok(()),
    }
}
