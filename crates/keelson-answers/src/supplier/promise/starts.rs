//! When services are up if everything was off, against the recovery time objectives they promise (analyses 2.6).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::Pool;
use keelson_graph::ItemIx;

use super::ComposedTerm;
use super::composed::started;
use crate::attributes::number;
use crate::recovery::{RecoveryQuestion, ServiceRecovery, recovery};
use crate::subject::key_of;
use crate::{Asked, LimitCode, QuestionError, View};

/// Steps of the way to a start that are looked at.
const MOST_STEPS: usize = 1_000;

/// How services start when everything was off.
pub(super) struct Starts {
    by_key: BTreeMap<String, ServiceRecovery>,
    are_times_known: bool,
}

impl Starts {
    pub(super) fn of(
        view: &View,
        services: &[ItemIx],
        asked: Asked,
        pool: &Pool,
        stop: Option<&AtomicBool>,
    ) -> Result<Self, QuestionError> {
        let with: Vec<String> = services
            .iter()
            .filter(|one| number(view, **one, "rto_minutes").is_some())
            .map(|one| key_of(&view.catalogue, *one))
            .collect();
        if with.is_empty() {
            return Ok(Self { by_key: BTreeMap::new(), are_times_known: true });
        }
        let question =
            RecoveryQuestion { most: with.len().max(MOST_STEPS), services: with, ..RecoveryQuestion::default() };
        let found = recovery(view, &question, asked, pool, stop)?;
        let is_missing = |limit: &crate::Limit| matches!(limit.code, LimitCode::FigureMissing | LimitCode::Deadline);
        let are_times_known = !found.basis.limits.iter().any(is_missing);
        let by_key = found.services.into_iter().map(|one| (one.subject.key.clone(), one)).collect();
        Ok(Self { by_key, are_times_known })
    }

    pub(super) fn of_service(&self, key: &str) -> Option<ComposedTerm> {
        self.by_key.get(key).and_then(|found| started(found, self.are_times_known))
    }
}
