//! The waves of a plan, as they are if every target takes part.
//!
//! A preview for people: what the run does is laid out anew when it comes to the step.

use crate::Api;
use hostler_core::definition::{Each, Spawn, Step, Verb, Wave, WaveLimit, WaveTerms, scope_of};
use hostler_core::expression::Scope;
use hostler_runbook::Evaluator;
use serde::{Deserialize, Serialize};

use super::Planned;

/// One wave of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavePreview {
    pub step: String,
    pub wave: String,
    pub assets: Vec<String>,
    /// People are asked behind it, at least under a condition.
    pub gate: bool,
    /// When it opens and for how long it is watched.
    #[serde(flatten)]
    pub terms: WaveTerms,
}

/// Waves of the run's own steps, in order.
#[must_use]
pub fn waves(api: &Api, planned: &Planned) -> Vec<WavePreview> {
    let assets: Vec<&String> = planned.plan.assets.keys().collect();
    let scope = scope_of(&planned.plan.inputs);
    let own = planned.definition.programs.first();
    let steps = own
        .map(|program| program.steps.as_slice())
        .unwrap_or_default();
    steps
        .iter()
        .filter_map(each)
        .flat_map(|(step, each)| of_each(api, (step, each), &assets, &scope))
        .collect()
}

fn each(step: &Step) -> Option<(&Step, &Each)> {
    match &step.verb {
        Verb::Spawn(Spawn::Each(each)) => Some((step, each)),
        _ => None,
    }
}

fn of_each(
    api: &Api,
    (step, each): (&Step, &Each),
    assets: &[&String],
    scope: &Scope,
) -> Vec<WavePreview> {
    let evaluator = Evaluator::default();
    let mut left: Vec<&String> = assets.to_vec();
    let mut waves = Vec::new();
    for wave in &each.waves {
        let most = most(wave, assets.len());
        let fits = |asset: &str| match &wave.matches {
            None => true,
            Some(selector) => api.directory.matches(asset, selector).unwrap_or(false),
        };
        let mut chosen = Vec::new();
        left.retain(|asset| {
            let take = chosen.len() < most && fits(asset);
            if take {
                chosen.push((*asset).clone());
            }
            !take
        });
        waves.push(WavePreview {
            step: step.id.to_string(),
            wave: wave.name.clone(),
            terms: WaveTerms::known(wave, &evaluator, scope),
            assets: chosen,
            gate: each.gate.is_some(),
        });
    }
    waves
}

fn most(wave: &Wave, total: usize) -> usize {
    match wave.take {
        None => usize::MAX,
        Some(WaveLimit::Count(count)) => count as usize,
        Some(WaveLimit::Percent(percent)) => (total * percent as usize).div_ceil(100),
    }
}
