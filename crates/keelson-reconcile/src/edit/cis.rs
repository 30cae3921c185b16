//! Edits of configuration items: a claim of the source `manual`.
//!
//! On an item that a person created, the claim describes it. On an item that sources describe, the
//! claim is an annotation: it holds only what the person set, outranks the sources, and does not
//! keep the item alive when they no longer list it.

use std::collections::BTreeMap;
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{CiId, CiKey, Claim, Class, Criticality, Facts, Lifecycle, SourceKey, Standing, Symbol};
use serde_json::Value as Json;

use super::editor::Editor;
use super::{CiFields, EditCode, Touched};
use crate::words::a;
use crate::{merge, typing};

/// What is given of a new item.
pub(super) struct NewCi<'e> {
    pub(super) key: Option<&'e CiKey>,
    pub(super) class: &'e Symbol,
    pub(super) name: &'e str,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) criticality: Option<Criticality>,
    pub(super) attributes: &'e BTreeMap<Symbol, Json>,
}

impl Editor<'_> {
    pub(super) fn create_ci(&mut self, new: &NewCi<'_>) -> Option<Touched> {
        let problems = self.problem_count();
        let class = self.class(new.class);
        self.check_name(new.name);
        let mut facts = Facts {
            class: Some(new.class.clone()),
            name: Some(Arc::from(new.name)),
            lifecycle: new.lifecycle,
            criticality: new.criticality,
            ..Facts::default()
        };
        if let Some(class) = &class {
            self.check_stage(class, new.lifecycle);
            self.set_attributes(class, &mut facts, new.attributes);
        }
        let key = new.key.cloned().unwrap_or_else(|| CiKey::of(new.class, new.name));
        let holder = self.drafts.holder(&key).filter(|ix| self.drafts.ci(*ix).standing != Standing::Withdrawn);
        let placeholder = holder.filter(|ix| self.drafts.ci(*ix).standing == Standing::Placeholder);
        if holder.is_some() && placeholder.is_none() {
            let message = format!("there is a configuration item '{key}' already; choose another key");
            self.problem::<()>(EditCode::DuplicateKey, &["key"], message);
        }
        if self.problem_count() > problems {
            return None;
        }
        // A placeholder is what somebody referred to by this key: the person describes it.
        let ix = match placeholder {
            Some(ix) => ix,
            None => self.drafts.create(key.clone(), new.class.clone(), self.ids),
        };
        let mut claim = self.new_claim(source_key(&key), facts);
        claim.stated_key = new.key.cloned();
        self.drafts.ci_mut(ix).claims.push(claim);
        Some(Touched::Ci(self.drafts.id(ix)))
    }

    fn new_claim(&self, source_key: SourceKey, facts: Facts) -> Claim {
        Claim {
            provenance: self.context.provenance(&Self::position()),
            source_key,
            stated_key: None,
            native_id: None,
            native_version: None,
            facts,
            self_relationships: Vec::new(),
        }
    }

    fn class(&mut self, name: &Symbol) -> Option<Arc<Class>> {
        let classes = &self.context.catalogue.schema().classes;
        if let Some(class) = classes.get(name) {
            return Some(Arc::clone(class));
        }
        let near = classes.resembling(name);
        let hint = near.first().map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        self.problem(EditCode::UnknownClass, &["class"], format!("nobody defined the class '{name}'{hint}"))
    }

    fn check_name(&mut self, name: &str) {
        let most = self.context.settings.limits.name_characters;
        if name.trim().is_empty() {
            self.problem::<()>(EditCode::Missing, &["name"], "a configuration item must have a name");
        } else if name.chars().count() > most {
            self.problem::<()>(EditCode::BadValue, &["name"], format!("a name has at most {most} characters"));
        }
    }

    fn check_stage(&mut self, class: &Class, lifecycle: Option<Lifecycle>) {
        if let Some(lifecycle) = lifecycle
            && !typing::has_stage(class.stages, lifecycle)
        {
            let message = format!("{} is never '{lifecycle}'", a(&class.definition.name));
            self.problem::<()>(EditCode::BadValue, &["lifecycle"], message);
        }
    }

    fn set_attributes(&mut self, class: &Class, facts: &mut Facts, attributes: &BTreeMap<Symbol, Json>) {
        for (name, json) in attributes {
            if json.is_null() {
                facts.attributes.remove(name);
                facts.unmodelled.remove(name);
                continue;
            }
            let field = ["attributes", name.as_str()];
            let Some(definition) = class.attributes.get(name) else {
                let message = format!("the class '{}' has no attribute '{name}'", class.definition.name);
                self.problem::<()>(EditCode::BadValue, &field, message);
                continue;
            };
            match definition.read(json) {
                Ok(value) => {
                    facts.unmodelled.remove(name);
                    facts.attributes.insert(name.clone(), value);
                }
                Err(error) => {
                    self.problem::<()>(EditCode::BadValue, &field, error.to_string());
                }
            }
        }
        let most = self.context.settings.limits.attributes;
        if facts.attributes.len() > most {
            let message = format!("a configuration item has at most {most} attributes");
            self.problem::<()>(EditCode::BadValue, &["attributes"], message);
        }
    }

    pub(super) fn update_ci(&mut self, id: CiId, version: u32, set: &CiFields) -> Option<Touched> {
        let ix = self.find_at(id, version, &["id"])?;
        let ix = self.find_present(self.drafts.id(ix), &["id"])?;
        let problems = self.problem_count();
        let mut facts = self.manual_facts(ix);
        let described = self.is_manual(ix);
        match &set.class {
            Some(Some(class)) => {
                self.class(class);
                facts.class = Some(class.clone());
            }
            Some(None) if described => {
                self.problem::<()>(EditCode::Missing, &["class"], "a configuration item must have a class");
            }
            Some(None) => facts.class = None,
            None => {}
        }
        match &set.name {
            Some(Some(name)) => {
                self.check_name(name);
                facts.name = Some(Arc::from(name.as_str()));
            }
            Some(None) if described => {
                self.problem::<()>(EditCode::Missing, &["name"], "a configuration item must have a name");
            }
            Some(None) => facts.name = None,
            None => {}
        }
        facts.lifecycle = set.lifecycle.unwrap_or(facts.lifecycle);
        facts.criticality = set.criticality.unwrap_or(facts.criticality);
        let class = facts.class.clone().unwrap_or_else(|| self.drafts.ci(ix).class.clone());
        if let Some(class) = self.context.catalogue.schema().classes.get(&class).map(Arc::clone) {
            facts = typing::retyped(facts, &class);
            self.check_stage(&class, set.lifecycle.flatten());
            self.set_attributes(&class, &mut facts, &set.attributes);
        }
        if self.problem_count() > problems {
            return None;
        }
        self.state(ix, facts);
        Some(Touched::Ci(id))
    }

    /// The place of the person's live claim on an item.
    fn manual_place(&self, ix: CiIx) -> Option<usize> {
        let claims = &self.drafts.ci(ix).claims;
        claims.iter().position(|claim| self.context.is_own(&claim.provenance) && claim.provenance.is_live())
    }

    fn manual_facts(&self, ix: CiIx) -> Facts {
        self.manual_place(ix).map(|place| self.drafts.ci(ix).claims[place].facts.clone()).unwrap_or_default()
    }

    /// Whether a person describes the item.
    fn is_manual(&self, ix: CiIx) -> bool {
        self.manual_place(ix).is_some_and(|place| merge::describes(&self.drafts.ci(ix).claims[place]))
    }

    /// Lets the person's claim on an item say this. What nobody has described is described by it.
    fn state(&mut self, ix: CiIx, mut facts: Facts) {
        let ci = self.drafts.ci(ix);
        let nobody_else = !ci.live_claims().any(merge::describes);
        let source_key = if nobody_else || self.is_manual(ix) {
            facts.class.get_or_insert_with(|| ci.class.clone());
            source_key(&ci.key)
        } else {
            source_key(&format!("{}{}", merge::ANNOTATION, ci.id))
        };
        // What the person said earlier may have been about another class.
        let stated = facts.class.as_ref().and_then(|class| self.context.catalogue.schema().classes.get(class));
        if let Some(class) = stated {
            facts = typing::retyped(facts, class);
        }
        match self.manual_place(ix) {
            Some(place) if self.drafts.ci(ix).claims[place].facts == facts => {}
            Some(place) if facts == Facts::default() => {
                let tombstone = self.context.tombstone(&format!("taken back by {}", self.actor));
                self.drafts.ci_mut(ix).claims[place].provenance.tombstone = Some(tombstone);
            }
            Some(place) => {
                let mut provenance = self.drafts.ci(ix).claims[place].provenance.clone();
                self.context.renew(&mut provenance, &Self::position());
                let claim = &mut self.drafts.ci_mut(ix).claims[place];
                claim.provenance = provenance;
                claim.facts = facts;
                if nobody_else {
                    // What was an annotation describes the item from now on.
                    claim.source_key = source_key;
                }
            }
            None if facts == Facts::default() => {}
            None => self.new_or_again(ix, source_key, facts),
        }
    }

    /// A new claim, or an earlier one of the person taken up again.
    fn new_or_again(&mut self, ix: CiIx, source_key: SourceKey, facts: Facts) {
        let own = |claim: &Claim| self.context.is_own(&claim.provenance) && claim.source_key == source_key;
        let place = self.drafts.ci(ix).claims.iter().position(own);
        let mut claim = self.new_claim(source_key, facts);
        match place {
            Some(place) => {
                let first_observed = self.drafts.ci(ix).claims[place].provenance.first_observed;
                claim.provenance.first_observed = first_observed;
                self.drafts.ci_mut(ix).claims[place] = claim;
            }
            None => self.drafts.ci_mut(ix).claims.push(claim),
        }
    }

    pub(super) fn retire_ci(&mut self, id: CiId, version: u32) -> Option<Touched> {
        let ix = self.find_at(id, version, &["id"])?;
        let ix = self.find_present(self.drafts.id(ix), &["id"])?;
        let ci = self.drafts.ci(ix);
        if ci.lifecycle() == Lifecycle::Retired {
            let message = format!("{} is retired already", ci.key);
            return self.problem(EditCode::IllegalTransition, &["id"], message);
        }
        let facts = Facts { lifecycle: Some(Lifecycle::Retired), ..self.manual_facts(ix) };
        self.state(ix, facts);
        Some(Touched::Ci(id))
    }

    pub(super) fn revive_ci(&mut self, id: CiId, version: u32) -> Option<Touched> {
        let ix = self.find_at(id, version, &["id"])?;
        let ci = self.drafts.ci(ix);
        let retired = ci.lifecycle() == Lifecycle::Retired;
        let withdrawn = ci.standing == Standing::Withdrawn;
        if !retired && !withdrawn {
            let message = format!("{} is neither retired nor withdrawn", ci.key);
            return self.problem(EditCode::IllegalTransition, &["id"], message);
        }
        let mut facts = self.manual_facts(ix);
        if withdrawn {
            facts.class = Some(self.drafts.ci(ix).class.clone());
            facts.name = facts.name.or_else(|| Some(Arc::from(self.drafts.ci(ix).name())));
        }
        facts.lifecycle = facts.lifecycle.filter(|stage| *stage != Lifecycle::Retired);
        self.state(ix, facts);
        let mut after = self.drafts.ci(ix).clone();
        merge::settle(&mut after, &self.context);
        if after.lifecycle() == Lifecycle::Retired {
            // A source states the retirement; the person says otherwise.
            let facts = Facts { lifecycle: Some(Lifecycle::Live), ..self.manual_facts(ix) };
            self.state(ix, facts);
        }
        Some(Touched::Ci(id))
    }
}

/// How the source `manual` calls an item: by its key, or as the subject of an annotation.
fn source_key(text: &str) -> SourceKey {
    SourceKey::new(text).expect("a key of the catalogue is shorter than a source key may be, and otherwise alike")
}
