//! What all claims of a configuration item together say.
//!
//! The outcome is a function of the claims, the settings and the time alone; the order in which
//! the claims arrived plays no part. Claims may be of several classes; what they say counts as far as
//! the effective class defines it.
//!
//! Three sorts of claim are told apart. A source that *describes* an item states its class, and by
//! that its existence. A source that only *refers* to an item states no class; such a claim keeps a
//! placeholder and contributes nothing else. A person's *annotation* changes single values of an
//! item that sources describe; it outranks them but does not keep the item alive without them.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_model::provenance::MANUAL_SOURCE;
use keelson_model::{
    CiId, Claim, Class, ConfigurationItem, Facts, Merged, NeedClaim, NeedDefinition, Provenance, Scope, Standing,
    Symbol, Value,
};

use crate::context::Context;
use crate::{Strategy, typing};

/// Begins the source key of a person's annotation of an item that sources describe.
pub(crate) const ANNOTATION: &str = "annotation of ";

/// Begins the reason for which the claims of an item that was merged into another one ended; the id
/// of the other one follows.
pub(crate) const MERGED: &str = "merged into ";

/// The item that a claim went to in a merge.
pub(crate) fn merged_into(provenance: &Provenance) -> Option<CiId> {
    let reason = provenance.tombstone.as_ref()?.reason.as_ref()?;
    reason.strip_prefix(MERGED)?.parse().ok()
}

/// Whether a claim is a person's annotation.
pub(crate) fn is_annotation(claim: &Claim) -> bool {
    claim.provenance.source == MANUAL_SOURCE && claim.source_key.starts_with(ANNOTATION)
}

/// Whether a claim says that the item exists.
pub(crate) fn describes(claim: &Claim) -> bool {
    claim.facts.class.is_some() && !is_annotation(claim)
}

/// Whether a claim only refers to the item.
pub(crate) fn refers(claim: &Claim) -> bool {
    claim.facts.class.is_none() && !is_annotation(claim)
}

/// Brings standing, class and effective facts in line with the claims.
pub(crate) fn settle(ci: &mut ConfigurationItem, context: &Context<'_>) {
    let described = ci.live_claims().any(describes);
    ci.standing = if described {
        Standing::Live
    } else if !ci.claims.iter().any(describes) && ci.live_claims().any(refers) {
        Standing::Placeholder
    } else {
        Standing::Withdrawn
    };
    if ci.standing == Standing::Withdrawn {
        // Class and effective facts stay as they were last known.
        ci.withdrawn_at = ci.withdrawn_at.or(Some(context.at));
        return;
    }
    ci.withdrawn_at = None;
    ci.merged = None;
    if !described {
        return;
    }
    if let Some(class) = effective_class(ci, context) {
        ci.class = class;
    }
    if ci.live_claims().count() > 1 {
        ci.merged = Some(Box::new(merged(ci, context)));
    }
}

/// The class: the most trusted source's, refined by those below it that others state.
fn effective_class(ci: &ConfigurationItem, context: &Context<'_>) -> Option<Symbol> {
    let classes = &context.catalogue.schema().classes;
    let mut claims: Vec<&Claim> = ci.live_claims().filter(|claim| claim.facts.class.is_some()).collect();
    if claims.len() > 1 {
        let rule = Rule { strategy: Strategy::Ranked, sources: &context.settings.precedence.sources };
        // Staleness waits for the class (which declares it), so rank alone decides here.
        claims.sort_by(|a, b| {
            let (of_a, of_b) = (rule.trust(&a.provenance, true), rule.trust(&b.provenance, true));
            of_a.cmp(&of_b).then_with(|| a.source_key.cmp(&b.source_key))
        });
    }
    let mut stated = claims.into_iter().filter_map(|claim| claim.facts.class.as_ref());
    let first = stated.next()?;
    Some(stated.fold(first, |class, other| if classes.is_a(other, class) { other } else { class }).clone())
}

/// How the winner of one attribute is found.
struct Rule<'a> {
    strategy: Strategy,
    sources: &'a [Symbol],
}

impl Rule<'_> {
    fn rank<'c>(&self, source: &'c Symbol) -> (usize, &'c str) {
        let named = self.sources.iter().position(|name| name == source);
        match named {
            Some(at) => (at + 1, ""),
            None if *source == MANUAL_SOURCE => (0, ""),
            None => (self.sources.len() + 1, source.as_str()),
        }
    }

    /// What trust goes by, the most trusted first; between claims of one source the later one, and
    /// then whatever tells them apart.
    fn trust<'c>(&self, provenance: &'c Provenance, fresh: bool) -> Trust<'c> {
        let locked = self.strategy == Strategy::ManualLock && provenance.source == MANUAL_SOURCE;
        let rank = self.rank(&provenance.source);
        (!locked, !fresh, rank, Reverse(provenance.observed_at), &provenance.scope)
    }
}

type Trust<'c> = (bool, bool, (usize, &'c str), Reverse<DateTime<Utc>>, &'c Scope);

/// The most specific rule for an attribute of a class: (class, attribute), then class, then the
/// rank of sources; of several classes the nearest.
fn rule_for<'a>(context: &Context<'a>, class: Option<&Class>, attribute: &str) -> Rule<'a> {
    let precedence = &context.settings.precedence;
    let lineage = class.map_or(&[][..], |class| &class.lineage);
    let find = |of_attribute: bool| {
        lineage.iter().find_map(|name| {
            precedence.rules.iter().find(|rule| {
                rule.class == *name
                    && match &rule.attribute {
                        Some(own) => of_attribute && own == attribute,
                        None => !of_attribute,
                    }
            })
        })
    };
    match if precedence.rules.is_empty() { None } else { find(true).or_else(|| find(false)) } {
        None => Rule { strategy: Strategy::Ranked, sources: &precedence.sources },
        Some(rule) if rule.sources.is_empty() => Rule { strategy: rule.strategy, sources: &precedence.sources },
        Some(rule) => Rule { strategy: rule.strategy, sources: &rule.sources },
    }
}

/// A claim that has a say in the effective facts, with what depends on the class.
struct Voice<'a> {
    claim: &'a Claim,
    /// What it says, as facts of the effective class.
    facts: Cow<'a, Facts>,
    fresh: bool,
}

impl<'a> Voice<'a> {
    fn new(claim: &'a Claim, effective: Option<&Class>, context: &Context<'_>) -> Self {
        let facts = match effective {
            Some(class) if !is_typed_by(&claim.facts, class) => Cow::Owned(typing::retyped(claim.facts.clone(), class)),
            _ => Cow::Borrowed(&claim.facts),
        };
        Self { claim, facts, fresh: context.is_fresh(&claim.provenance, effective) }
    }

    fn attribute(&self, name: &Symbol) -> Option<&Value> {
        self.facts.attributes.get(name)
    }
}

/// Whether facts are stated as those of a class.
fn is_typed_by(facts: &Facts, class: &Class) -> bool {
    facts.class.as_ref() == Some(&class.definition.name)
        && facts.attributes.keys().all(|name| class.attributes.contains_key(name))
}

struct Choir<'a, 'c> {
    voices: Vec<Voice<'a>>,
    class: Option<&'a Class>,
    context: &'a Context<'c>,
    sources: BTreeMap<Symbol, Symbol>,
}

impl<'a> Choir<'a, '_> {
    /// The winning value of a field, and whose it is.
    fn choose<T>(&mut self, field: &Symbol, of: impl Fn(&Voice<'a>) -> Option<T>) -> Option<T> {
        let rule = rule_for(self.context, self.class, field);
        let order = |voice: &Voice<'a>| {
            let provenance = &voice.claim.provenance;
            let time = (rule.strategy == Strategy::Latest).then(|| Reverse(self.context.last_seen(provenance)));
            (time, rule.trust(provenance, voice.fresh), &voice.claim.source_key)
        };
        let values = self.voices.iter().filter_map(|voice| Some((voice, of(voice)?)));
        let best = values.min_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let (voice, value) = best?;
        let source = voice.claim.provenance.source.clone();
        self.sources.insert(field.clone(), source);
        Some(value)
    }

    /// All values of a list, in order of the values.
    fn union(&mut self, field: &Symbol) -> Option<Value> {
        let mut values: BTreeSet<Value> = BTreeSet::new();
        let mut sources: BTreeSet<&Symbol> = BTreeSet::new();
        for voice in &self.voices {
            if let Some(Value::List(items)) = voice.attribute(field) {
                values.extend(items.iter().cloned());
                sources.insert(&voice.claim.provenance.source);
            }
        }
        let names: Vec<&str> = sources.iter().map(|source| source.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let joined = Symbol::new(&names.join("+"));
        self.sources.insert(field.clone(), joined);
        Some(Value::List(values.into_iter().collect()))
    }
}

fn merged(ci: &ConfigurationItem, context: &Context<'_>) -> Merged {
    let class = context.catalogue.schema().classes.get(&ci.class).map(|class| &**class);
    let voices: Vec<Voice<'_>> =
        ci.live_claims().filter(|claim| !refers(claim)).map(|claim| Voice::new(claim, class, context)).collect();
    let attributes: BTreeSet<Symbol> = voices.iter().flat_map(|voice| voice.facts.attributes.keys().cloned()).collect();
    let unmodelled: BTreeSet<Symbol> = voices
        .iter()
        .flat_map(|voice| voice.facts.unmodelled.keys())
        .filter(|name| !attributes.contains(*name))
        .cloned()
        .collect();
    let mut choir = Choir { voices, class, context, sources: BTreeMap::new() };
    let mut facts = Facts { class: Some(ci.class.clone()), ..Facts::default() };
    // The class is settled already; this only finds out whose it is.
    choir.choose(&Symbol::new("class"), |voice| {
        voice.claim.facts.class.as_ref().filter(|stated| **stated == ci.class).map(|_| ())
    });
    facts.name = choir.choose(&Symbol::new("name"), |voice| voice.facts.name.clone());
    facts.lifecycle = choir.choose(&Symbol::new("lifecycle"), |voice| voice.facts.lifecycle);
    facts.criticality = choir.choose(&Symbol::new("criticality"), |voice| voice.facts.criticality);
    for name in attributes {
        let union = match rule_for(context, class, &name).strategy {
            Strategy::Union => choir.union(&name),
            _ => None,
        };
        let value = union.or_else(|| choir.choose(&name, |voice| voice.attribute(&name).cloned()));
        facts.attributes.extend(value.map(|value| (name, value)));
    }
    for name in unmodelled {
        let text = choir.choose(&name, |voice| voice.facts.unmodelled.get(&name).cloned());
        choir.sources.remove(&name);
        facts.unmodelled.extend(text.map(|text| (name, text)));
    }
    Merged { facts, sources: choir.sources }
}

/// The definition of a need that holds: the most trusted fresh source's; `None` when none is live.
/// Sources rank as for the class of the dependent.
pub(crate) fn definition<'n>(
    claims: &'n [NeedClaim],
    dependent_class: &str,
    context: &Context<'_>,
) -> Option<&'n NeedDefinition> {
    let class = context.catalogue.schema().classes.get(dependent_class).map(|class| &**class);
    let rule = rule_for(context, class, "needs");
    let live = claims.iter().filter(|claim| claim.provenance.is_live());
    live.min_by_key(|claim| rule.trust(&claim.provenance, context.is_fresh(&claim.provenance, class)))
        .map(|claim| &claim.definition)
}
