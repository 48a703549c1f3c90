//! A definition and inputs become a plan: everything that the run will need is found, or missed,
//! before its first step.
//!
//! Not here: storing and starting it.

mod budgets;
mod defers;
mod duties;
mod inputs;
mod promised;
mod reach;
mod spend;
mod told;
mod triggers;
mod uses;
mod waves;
mod windows;

pub use budgets::{BudgetView, budgets};
pub use defers::{DeferTerms, DeferView, defers};
pub use inputs::validate;
pub use told::{ToldView, told};
pub use waves::{WavePreview, waves};

use super::rules;
use crate::Api;
use crate::catalogue;
use crate::problem::{Code, Problem};
use hostler_core::definition::Definition;
use hostler_core::id::{Digest, RunId};
use hostler_core::plan::{Plan, Starter};
use hostler_ports::store::Blob;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most assets of one run; more is a realm of its own.
pub const TARGETS_MAX: usize = 10_000;
/// Most runbooks that one run may call, directly and through others.
const CALLS_MAX: usize = 50;

/// Who asks for which run.
#[derive(Clone, Debug)]
pub struct Wish {
    pub run: RunId,
    pub starter: Starter,
    pub started_ms: i64,
    pub inputs: Value,
    pub retry_of: Option<RunId>,
}

/// A plan with all that must be stored for it.
#[derive(Clone, Debug)]
pub struct Planned {
    pub definition: Arc<Definition>,
    pub plan: Plan,
    /// Definition, plan, called definitions.
    pub blobs: Vec<Blob>,
}

/// The definition as it lies in the store.
#[must_use]
pub fn definition_blob(definition: &Definition) -> Blob {
    // Plain data with string keys always serialises.
    let bytes = serde_json::to_vec(definition).unwrap_or_default();
    Blob {
        digest: Digest::of(&bytes),
        bytes,
    }
}

/// Makes a plan.
///
/// # Errors
/// `input-invalid`, `nothing-selected`, `duty-refused`, `no-route`, `no-plugin`, `runbook-invalid`.
pub fn plan(api: &Api, definition: Arc<Definition>, wish: Wish) -> Result<Planned, Problem> {
    let called = called(api, &definition)?;
    let inputs = inputs::resolve(&*api.directory, &definition, &wish.inputs)?;
    let (values, found) = (inputs.values, inputs.found);
    let all: Vec<&Definition> = std::iter::once(&*definition)
        .chain(called.values().map(|called| &**called))
        .collect();
    promised::check(&*api.directory, &all)?;
    let directory = &*api.directory;
    let assets = inputs::records(directory, &found.assets)?;
    triggers::check(directory, &definition, &found.chosen, &assets)?;
    rules::inputs(api, &definition, &values, &assets)?;
    let hand_offs = duties::hand_offs(directory, &all, &found.assets, wish.started_ms)?;
    let uses = uses::of(&all);
    let reach = reach::find(api, &found.assets, &uses)?;
    let spend = spend::amounts(directory, &all)?;
    let windows = windows::of(&*api.directory, &definition, &values, &assets);
    let requester_owns = wish.starter.owns(directory, &found.assets);
    let own = definition_blob(&definition);
    let mut blobs: Vec<Blob> = called
        .values()
        .map(|called| definition_blob(called))
        .collect();
    let calls = called
        .keys()
        .cloned()
        .zip(blobs.iter().map(|blob| blob.digest))
        .collect();
    let plan = Plan {
        format: Plan::FORMAT,
        run: wish.run,
        definition: own.digest,
        runbook: definition.runbook.clone(),
        version: definition.version,
        starter: wish.starter,
        started_ms: wish.started_ms,
        inputs: values,
        assets,
        routes: reach.routes,
        ambient: reach.ambient,
        limits: reach.limits,
        calls,
        plugins: reach.plugins,
        hand_offs,
        windows,
        connections: reach.connections,
        policies: api.directory.policies(),
        spend,
        chosen: found.chosen,
        requester_owns,
        retry_of: wish.retry_of,
    };
    let bytes = plan.to_json().into_bytes();
    blobs.push(own);
    blobs.push(Blob {
        digest: plan.digest(),
        bytes,
    });
    Ok(Planned {
        definition,
        plan,
        blobs,
    })
}

/// All runbooks that are called, each once.
fn called(
    api: &Api,
    definition: &Definition,
) -> Result<BTreeMap<String, Arc<Definition>>, Problem> {
    let mut found: BTreeMap<String, Arc<Definition>> = BTreeMap::new();
    let mut wanted: Vec<String> = uses::calls(definition).into_iter().collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if seen.len() > CALLS_MAX {
            let detail = format!(
                "{} calls more than {CALLS_MAX} runbooks",
                definition.runbook
            );
            return Err(Problem::new(Code::RunbookInvalid, detail));
        }
        let callee = catalogue::find(&*api.runbooks, &name, None)?;
        wanted.extend(uses::calls(&callee));
        found.insert(name, callee);
    }
    Ok(found)
}
