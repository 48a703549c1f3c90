//! The windows that a plan is bound to, each once, however many assets have it.
//!
//! Not here: whether one is open.

use hostler_core::definition::{Definition, InputKind};
use hostler_core::directory::Directory;
use hostler_core::expression::Dynamic;
use hostler_core::plan::WindowRule;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Windows of the assets, and those that inputs and steps name.
pub fn of(
    directory: &dyn Directory,
    definition: &Definition,
    inputs: &Value,
    assets: &BTreeMap<String, Value>,
) -> BTreeMap<String, WindowRule> {
    let of_assets = assets
        .values()
        .filter_map(|asset| asset.get("window")?.as_str());
    let is_window = definition
        .inputs
        .iter()
        .filter(|(_, input)| input.kind == InputKind::Window);
    let of_inputs = is_window.filter_map(|(name, _)| inputs.get(name)?.as_str());
    let steps = definition
        .programs
        .iter()
        .flat_map(|program| &program.steps);
    let of_steps = steps.filter_map(|step| match step.window.as_ref()? {
        Dynamic::Literal(Value::String(name)) => Some(name.as_str()),
        _ => None,
    });
    let names: BTreeSet<&str> = of_assets.chain(of_inputs).chain(of_steps).collect();
    let rule = |name: &str| Some((name.to_owned(), WindowRule::of(directory, name)?));
    names.into_iter().filter_map(rule).collect()
}
