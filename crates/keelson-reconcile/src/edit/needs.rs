//! Edits of needs.

use std::collections::HashSet;
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{
    Cap, Carries, CiId, Member, Need, NeedClaim, NeedDefinition, NeedId, Rule, Standing, Stated, Symbol,
};

use super::editor::Editor;
use super::{EditCode, NeedFields, Touched};

impl Editor<'_> {
    pub(super) fn create_need(&mut self, dependent: CiId, name: &str, fields: &NeedFields) -> Option<Touched> {
        let problems = self.problem_count();
        let ix = self.find_present(dependent, &["dependent"]);
        if name.trim().is_empty() {
            self.problem::<()>(EditCode::Missing, &["name"], "a need must have a name");
        }
        let name: Arc<str> = Arc::from(name);
        if let Some(ix) = ix
            && self.drafts.need(ix, &name).is_some_and(|need| need.version == 0 || need.standing == Standing::Live)
        {
            let message = format!("there is a need '{name}' already; update it, or choose another name");
            self.problem::<()>(EditCode::DuplicateKey, &["name"], message);
        }
        let definition = self.definition(dependent, fields);
        if self.problem_count() > problems {
            return None;
        }
        let id = self.state_need(ix?, &name, definition?);
        Some(Touched::Need(id))
    }

    pub(super) fn update_need(&mut self, id: NeedId, version: u32, fields: &NeedFields) -> Option<Touched> {
        let (dependent, need) = self.find_need(id, version)?;
        let problems = self.problem_count();
        self.find_present(need.dependent, &["dependent"]);
        let definition = self.definition(need.dependent, fields);
        if self.problem_count() > problems {
            return None;
        }
        self.state_need(dependent, &need.name, definition?);
        Some(Touched::Need(id))
    }

    pub(super) fn remove_need(&mut self, id: NeedId, version: u32) -> Option<Touched> {
        let (dependent, need) = self.find_need(id, version)?;
        let live = |claim: &NeedClaim| claim.provenance.is_live() && self.context.is_own(&claim.provenance);
        let Some(place) = need.claims.iter().position(live) else {
            let live = need.claims.iter().filter(|claim| claim.provenance.is_live());
            let sources: Vec<&str> = live.map(|claim| claim.provenance.source.as_str()).collect();
            if sources.is_empty() {
                return self.problem(EditCode::IllegalTransition, &["id"], "the need is withdrawn already");
            }
            let message = format!("no person states the need, but {}; mend it there", sources.join(", "));
            return self.problem(EditCode::NotManual, &["id"], message);
        };
        let tombstone = self.context.tombstone(&format!("removed by {}", self.actor));
        let draft = self.drafts.need_mut(dependent, &need.name, |_| Need::clone(&need));
        draft.claims[place].provenance.tombstone = Some(tombstone);
        let definition = need.claims[place].definition.clone();
        let members: Vec<CiId> = definition.members.iter().map(|member| member.ci).collect();
        self.give_up(dependent, &definition.kind, &members);
        Some(Touched::Need(id))
    }

    fn find_need(&mut self, id: NeedId, version: u32) -> Option<(CiIx, Arc<Need>)> {
        let catalogue = self.context.catalogue;
        let Some(ix) = catalogue.find_need(id) else {
            return self.problem(EditCode::NotFound, &["id"], format!("there is no need {id}"));
        };
        let slot = catalogue.need(ix);
        self.check_version(&format!("the need '{}'", slot.need.name), slot.need.version, version)?;
        let need = self.drafts.need(slot.dependent, &slot.need.name).map(Arc::clone)?;
        Some((slot.dependent, need))
    }

    /// Checks what a person says of a need.
    fn definition(&mut self, dependent: CiId, fields: &NeedFields) -> Option<NeedDefinition> {
        let problems = self.problem_count();
        if self.carries(&fields.kind) == Some(Carries::Undirected) {
            let message = format!("a need must have a direction, and '{}' has none", fields.kind);
            self.problem::<()>(EditCode::BadValue, &["kind"], message);
        }
        self.check_cap(fields.cap.as_ref().map(|cap| cap.limit));
        self.check_confidence(fields.confidence);
        self.check_fraction("common_cause", "the common part of failures", fields.common_cause);
        let mut seen = HashSet::new();
        for (number, member) in fields.members.iter().enumerate() {
            let number = number.to_string();
            let field = ["members", number.as_str()];
            self.find_present(member.ci, &field);
            if member.ci == dependent {
                let message = "a configuration item cannot be a member of its own need";
                self.problem::<()>(EditCode::SelfRelationship, &field, message);
            }
            if !seen.insert(member.ci) {
                self.problem::<()>(EditCode::BadValue, &field, "the member is listed twice");
            }
        }
        let count = fields.members.len();
        if let Err(error) = fields.rule.check(count) {
            self.problem::<()>(EditCode::BadValue, &["rule"], error.to_string());
        }
        if fields.possible_counts.iter().any(|k| !(1..=count).contains(&(*k as usize))) {
            let message = format!("every possible count must lie between 1 and the number of members, {count}");
            self.problem::<()>(EditCode::BadValue, &["possible_counts"], message);
        }
        if !fields.possible_counts.is_empty() && !matches!(fields.rule, Rule::AtLeast { .. }) {
            let message = "only a need by count (at_least) has possible counts";
            self.problem::<()>(EditCode::BadValue, &["possible_counts"], message);
        }
        if self.problem_count() > problems {
            return None;
        }
        // A cap is a judgement: it names who judged and when.
        let cap = fields.cap.as_ref().map(|cap| Cap {
            limit: cap.limit,
            judged_by: cap.judged_by.clone().or_else(|| Some(Arc::from(self.actor))),
            judged_at: cap.judged_at.or(Some(self.context.at)),
        });
        Some(NeedDefinition {
            rule: fields.rule.clone(),
            assumed: false,
            possible_counts: fields.possible_counts.clone(),
            members: fields.members.iter().map(|m| Member { ci: m.ci, doubtful: m.doubtful }).collect(),
            kind: fields.kind.clone(),
            cap,
            phase: fields.phase,
            confidence: fields.confidence,
            common_cause: fields.common_cause,
        })
    }

    /// Lets the person's claim on a need say this, and states the membership of its members.
    fn state_need(&mut self, dependent: CiIx, name: &Arc<str>, definition: NeedDefinition) -> NeedId {
        let known = self.drafts.need(dependent, name).map(Arc::clone);
        let own = |need: &Arc<Need>| need.claims.iter().position(|claim| self.context.is_own(&claim.provenance));
        let place = known.as_ref().and_then(own);
        let mut claim = NeedClaim { provenance: self.context.provenance(&Self::position()), definition };
        let before = known.as_ref().zip(place).map(|(need, place)| need.claims[place].clone());
        let kind = claim.definition.kind.clone();
        let members: Vec<CiId> = claim.definition.members.iter().map(|member| member.ci).collect();
        let same =
            before.as_ref().is_some_and(|before| before.provenance.is_live() && before.definition == claim.definition);
        if let Some(before) = &before {
            claim.provenance.first_observed = before.provenance.first_observed;
        }
        let need = self.drafts.need_or_new(dependent, name, &claim.definition, self.ids);
        let id = need.id;
        match place {
            Some(_) if same => {}
            Some(place) => need.claims[place] = claim,
            None => need.claims.push(claim),
        }
        for member in &members {
            if let Some(ends) = self.membership(dependent, &kind, *member) {
                self.claim_relationship(&ends, Stated::Member, None, None);
            }
        }
        if let Some(before) = before.filter(|before| before.provenance.is_live()) {
            let gone: Vec<CiId> = before.definition.members.iter().map(|member| member.ci).collect();
            self.give_up(dependent, &before.definition.kind, &gone);
        }
        id
    }

    /// Ends memberships that no live need of the person states any longer.
    fn give_up(&mut self, dependent: CiIx, kind: &Symbol, members: &[CiId]) {
        for member in members {
            if self.drafts.is_member(dependent, kind, *member, &self.context.source) {
                continue;
            }
            if let Some(ends) = self.membership(dependent, kind, *member) {
                self.end_relationship(&ends, Stated::Member);
            }
        }
    }
}
