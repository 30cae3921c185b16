//! References: which configuration item a relationship or a need means, with placeholders for
//! what nobody has described.

use keelson_catalogue::CiIx;
use keelson_model::class::ROOT_CLASS;
use keelson_model::{CiKey, CiRef, Claim, Facts, FindingCode, Position, SourceKey, Standing, Symbol};

use crate::merge;
use crate::planner::Planner;
use crate::rows::{Fate, was_described};

/// A reference without what it tells beyond its identity.
pub(crate) fn bare(reference: &CiRef) -> CiRef {
    match reference {
        CiRef::Source { key, .. } => CiRef::source(key.clone()),
        CiRef::Catalogue(key) => CiRef::Catalogue(key.clone()),
    }
}

impl Planner<'_> {
    /// The item a reference means; `None` when that waits for a person.
    pub(crate) fn resolve(&mut self, reference: &CiRef, position: &Position) -> Option<CiIx> {
        if let Some(at) = self.row_of(reference) {
            match self.rows[at].fate {
                Fate::Is(ix) => return Some(ix),
                Fate::Waits => return None,
                Fate::Pending | Fate::Rejected | Fate::Skipped => {}
            }
        }
        let key = bare(reference);
        if let Some(ix) = self.referred.get(&key) {
            let ix = *ix;
            self.refine_placeholder(ix, reference);
            return Some(ix);
        }
        let known = match reference {
            CiRef::Source { key, .. } => self.context.find_source(key),
            CiRef::Catalogue(key) => self.drafts.holder_or_first(key).map(|ix| self.context.follow(ix)),
        };
        let ix = match known {
            Some(ix) => {
                self.refer(ix, reference, position);
                ix
            }
            None => self.placeholder(reference, position),
        };
        self.referred.insert(key, ix);
        Some(ix)
    }

    /// Notes a reference to an item that is there already.
    fn refer(&mut self, ix: CiIx, reference: &CiRef, position: &Position) {
        let Some(before) = self.drafts.before(ix) else { return };
        let own = |claim: &Claim| {
            merge::refers(claim) && self.context.is_own(&claim.provenance) && *claim.source_key == *reference.as_str()
        };
        let place = before.claims.iter().position(own);
        if was_described(&before.claims) {
            if place.is_some() {
                self.still_referred.insert(ix);
            }
            if before.standing == Standing::Withdrawn {
                self.missing(reference, position, "it is withdrawn");
            }
            return;
        }
        self.still_referred.insert(ix);
        self.missing(reference, position, "nothing describes it");
        match place {
            Some(place) if before.claims[place].provenance.is_live() => {}
            Some(place) => {
                let mut provenance = before.claims[place].provenance.clone();
                self.context.renew(&mut provenance, position);
                self.drafts.ci_mut(ix).claims[place].provenance = provenance;
            }
            None => {
                let claim = self.reference_claim(reference, position);
                self.drafts.ci_mut(ix).claims.push(claim);
            }
        }
        self.refine_placeholder(ix, reference);
    }

    fn missing(&mut self, reference: &CiRef, position: &Position, why: &str) {
        let key = reference.as_str();
        let message = format!("'{key}' is referred to, but {why}");
        self.notes.add_once(FindingCode::MissingTarget, position, key, message);
    }

    fn reference_claim(&self, reference: &CiRef, position: &Position) -> Claim {
        let name = match reference {
            CiRef::Source { name, .. } => name.clone(),
            CiRef::Catalogue(_) => None,
        };
        let source_key = match reference {
            CiRef::Source { key, .. } => key.clone(),
            CiRef::Catalogue(key) => SourceKey::new(key)
                .expect("a key of the catalogue is shorter than a source key may be, and otherwise alike"),
        };
        Claim {
            provenance: self.context.provenance(position),
            source_key,
            stated_key: None,
            native_id: None,
            native_version: None,
            facts: Facts { name, ..Facts::default() },
            self_relationships: Vec::new(),
        }
    }

    fn known_class(&self, reference: &CiRef) -> Option<Symbol> {
        match reference {
            CiRef::Source { class: Some(class), .. } => self.class_named(class).map(|_| class.clone()),
            _ => None,
        }
    }

    fn placeholder(&mut self, reference: &CiRef, position: &Position) -> CiIx {
        self.missing(reference, position, "nothing describes it");
        let class = self.known_class(reference).unwrap_or_else(|| Symbol::new(ROOT_CLASS));
        let claim = self.reference_claim(reference, position);
        let ix = match reference {
            CiRef::Catalogue(key) => self.drafts.create(key.clone(), class, self.ids),
            CiRef::Source { key, name, .. } => {
                let wanted = CiKey::of(&class, name.as_deref().unwrap_or(key.as_str()));
                let apart = self.told_apart_by(key);
                self.drafts.create_wanting(wanted, apart, class, self.ids)
            }
        };
        self.drafts.ci_mut(ix).claims.push(claim);
        ix
    }

    /// Gives a placeholder the more exact class that another reference tells.
    fn refine_placeholder(&mut self, ix: CiIx, reference: &CiRef) {
        let Some(class) = self.known_class(reference) else { return };
        let ci = self.drafts.ci(ix);
        let refines = ci.class != class && self.context.catalogue.schema().classes.is_a(&class, &ci.class);
        if refines && !was_described(&ci.claims) {
            self.drafts.ci_mut(ix).class = class;
        }
    }
}
