//! An action, resolved: which asset, over which connection, by which pinned component.

use super::{Fault, Outcome};
use crate::scope::{View, asset_of};
use hostler_core::command::Entry;
use hostler_core::definition::Do;
use hostler_core::expression::Dynamic;
use hostler_core::lane::CallSpec;
use serde_json::Value;
use std::sync::Arc;

/// Name of the lock over an asset.
#[must_use]
pub fn asset_lock(asset: &str) -> String {
    format!("asset:{asset}")
}

/// Name of a connection's slots.
#[must_use]
pub fn slot_of(connection: &str) -> String {
    format!("slot:{connection}")
}

/// What a step asks for, and on what.
pub struct Meant {
    pub asset: Option<String>,
    pub input: Value,
}

pub async fn meant(view: &View<'_>, action: &Do) -> Outcome<Meant> {
    let mut input = view.value(&action.with).await?;
    let named = input.as_object_mut().and_then(|with| with.remove("asset"));
    if input.is_null() {
        input = Value::Object(serde_json::Map::new());
    }
    let asset = match action.needs_asset {
        true => Some(target(view, named)?),
        false => None,
    };
    Ok(Meant { asset, input })
}

/// The asset of an action alone.
pub async fn asset_meant(view: &View<'_>, action: &Do) -> Outcome<Option<String>> {
    let named = match &action.with {
        _ if !action.needs_asset => return Ok(None),
        Dynamic::Map(with) => match with.get("asset") {
            Some(asset) => Some(view.value(asset).await?),
            None => None,
        },
        _ => return Ok(meant(view, action).await?.asset),
    };
    target(view, named).map(Some)
}

pub fn call(view: &View<'_>, action: &Do, meant: Meant) -> Outcome<Entry> {
    let Meant { asset, input } = meant;
    let plan = &view.plan;
    let route = plan
        .route(asset.as_deref(), &action.action)
        .cloned()
        .ok_or_else(|| {
            let contract = action.action.split('.').next().unwrap_or_default();
            let on = asset.as_deref().unwrap_or("the realm");
            Fault::Step(format!(
                "{on} has no connection for {contract}: add `via: {{ {contract}: … }}` to it"
            ))
        })?;
    let plugin = *plan.plugins.get(&route.plugin).ok_or_else(|| {
        Fault::Step(format!(
            "the plugin {} was not installed when the run was planned",
            route.plugin
        ))
    })?;
    let held = |lock: &String| view.lane.opening.locks.contains(lock);
    let lock = asset
        .as_deref()
        .map(asset_lock)
        .filter(|lock| action.effect.mutates() && !held(lock));
    let slot = plan
        .limits
        .get(&route.connection)
        .map(|limit| (slot_of(&route.connection), *limit));
    Ok(Entry::Do(Arc::new(CallSpec {
        action: action.action.clone(),
        input,
        asset,
        route,
        plugin,
        effect: action.effect,
        timeout_ms: action.timeout_ms,
        locks: lock.into_iter().collect(),
        slot,
        overdraws: Vec::new(),
    })))
}

/// The asset that `with.asset` names, else the lane's own.
fn target(view: &View<'_>, named: Option<Value>) -> Outcome<String> {
    let id = match named {
        Some(Value::String(id)) => Some(id),
        Some(Value::Object(record)) => record.get("id").and_then(Value::as_str).map(str::to_owned),
        Some(Value::Null) | None => asset_of(view.lane, &view.plan),
        Some(other) => {
            return Err(Fault::Step(format!(
                "asset is {other}, not the id of an asset"
            )));
        }
    };
    let id = id.ok_or_else(|| {
        Fault::Step("no asset is named here: add `with: { asset: … }`".to_owned())
    })?;
    if view.plan.assets.contains_key(&id) {
        Ok(id)
    } else {
        Err(Fault::Step(format!(
            "{id} is not among the assets that this run was planned for"
        )))
    }
}
