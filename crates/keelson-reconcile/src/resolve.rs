//! References: which configuration item a relationship or a need means, with placeholders for
//! what nobody has described.

use keelson_catalogue::CiIx;
use keelson_model::class::ROOT_CLASS;
use keelson_model::{CiKey, CiRef, Claim, Facts, FindingCode, Position, SourceKey, Standing, Symbol};

use crate::merge;
use crate::planner::Planner;
use crate::rows::{Fate, was_described};

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
        let key = reference.bare();
        if let Some(ix) = self.referred.get(&key) {
            let ix = *ix;
            self.refine_placeholder(ix, reference);
            return Some(ix);
        }
        let known = match reference {
            CiRef::Source { key, .. } => self.context.find_source(key),
            CiRef::Catalogue(key) => self.drafts.holder_or_first(key).map(|ix| self.context.follow(ix)),
        };
        let ix = match known.map(|ix| (ix, false)).or_else(|| Some((self.called_alike(reference)?, true))) {
            Some((ix, by_name)) => {
                self.refer(ix, reference, by_name, position);
                ix
            }
            None => self.placeholder(reference, position),
        };
        self.referred.insert(key, ix);
        Some(ix)
    }

    /// The item of others that has the very key by which a source calls what it does not describe:
    /// the same that would fill the placeholder if it came later (see [`Self::is_awaited_as`]).
    fn called_alike(&self, reference: &CiRef) -> Option<CiIx> {
        let CiRef::Source { key, name: Some(name), .. } = reference else { return None };
        let class = self.known_class(reference)?;
        let wanted = CiKey::of(&class, name);
        if wanted.as_str() != key.as_str() {
            return None;
        }
        let ix = self.context.follow(self.drafts.holder_or_first(&wanted)?);
        let classes = &self.context.catalogue.schema().classes;
        let (ci, source) = (self.drafts.ci(ix), &self.context.source);
        let is_related = classes.is_a(&class, &ci.class)
            || classes.is_a(&ci.class, &class)
            || (ci.standing == Standing::Placeholder && !was_described(&ci.claims));
        // The source has another key for what it describes itself.
        let is_own = self.is_described_here(ix)
            || ci.live_claims().any(|claim| merge::describes(claim) && claim.provenance.source == *source);
        (is_related && !is_own).then_some(ix)
    }

    fn is_described_here(&self, ix: CiIx) -> bool {
        let fates = || self.rows.iter().filter_map(|row| if let Fate::Is(ix) = row.fate { Some(ix) } else { None });
        self.described_here.get_or_init(|| fates().collect()).contains(&ix)
    }

    /// Whether a reference to a placeholder calls it by exactly the key that a row would get. A
    /// source that refers by keys of its own has another one for what it describes itself.
    pub(crate) fn is_awaited_as(&self, key: &CiKey, claim: &Claim) -> bool {
        let by_own_key = claim.facts.name.is_some() && claim.provenance.source == self.context.source;
        merge::refers(claim) && claim.source_key.as_str() == key.as_str() && !by_own_key
    }

    /// Notes a reference to an item that is there already. One by name is noted at the item whoever
    /// describes it, so that the source keeps meaning this item by its key.
    fn refer(&mut self, ix: CiIx, reference: &CiRef, by_name: bool, position: &Position) {
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
            if by_name {
                let claim = self.reference_claim(reference, position);
                self.drafts.ci_mut(ix).claims.push(claim);
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
