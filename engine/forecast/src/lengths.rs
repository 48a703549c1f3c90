//! How long each server of a cycle takes, by the same function and the same numbers as the gates of a run.
//!
//! Not here: adding up (core), and measuring.

use crate::forecast::LengthRow;
use crate::input::{Asset, Duration, Durations};
use hostler_core::definition::{Definition, ProgramIndex};
use hostler_core::fit::{Histories, Lengths, need_of};
use hostler_estate::Estate;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of calls whose lengths are told.
const LENGTHS_MAX: usize = 200;

/// How long each server takes, as its gate will ask.
pub fn durations(
    estate: &Estate,
    (definition, body): (&Definition, ProgramIndex),
    assets: &[Asset],
    histories: &Histories,
) -> Durations {
    let (mut measured, mut told) = (BTreeMap::new(), BTreeSet::new());
    for asset in assets {
        let lengths = Lengths::of(estate, &asset.id, histories);
        // What disturbs nothing waits for no window.
        let need = need_of(definition, body, &lengths).unwrap_or_default();
        let duration = Duration {
            steps_ms: need.steps_ms(),
            rollback_ms: need.back_ms(),
        };
        measured.insert(asset.id.clone(), duration);
        let row = |takes_back| move |part| LengthRow { takes_back, part };
        told.extend(need.steps.into_iter().map(row(false)));
        told.extend(need.back.into_iter().map(row(true)));
    }
    Durations {
        assumed: Duration::default(),
        measured,
        told: told.into_iter().take(LENGTHS_MAX).collect(),
    }
}
