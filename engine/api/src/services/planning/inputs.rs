//! Inputs as given become inputs as the run sees them: defaults in, selectors resolved.

use super::TARGETS_MAX;
use crate::problem::{Code, Problem};
use crate::suggest;
use hostler_core::definition::{Definition, Input, InputKind};
use hostler_core::directory::{Choice, Chosen, Directory, List};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Most faults that are told at once.
const FAULTS_MAX: usize = 50;
/// Most entries of a list that one fault names.
const CHOICES_MAX: usize = 20;

pub struct Resolved {
    pub values: Value,
    pub found: Found,
}

/// What the values stand for.
#[derive(Default)]
pub struct Found {
    /// Every asset that an input names, ascending.
    pub assets: BTreeSet<String>,
    /// What was chosen from lists, by input.
    pub chosen: BTreeMap<String, Chosen>,
}

/// All faults are told together: people mend a form once.
pub fn resolve(
    directory: &dyn Directory,
    definition: &Definition,
    given: &Value,
) -> Result<Resolved, Problem> {
    let empty = Map::new();
    let given = match given {
        Value::Object(given) => given,
        Value::Null => &empty,
        _ => {
            return Err(Problem::new(
                Code::InputInvalid,
                "the inputs are not an object: write { \"name\": value }",
            ));
        }
    };
    let mut faults = unknown(definition, given);
    let mut found = Found::default();
    let mut values = Map::new();
    for (name, input) in &definition.inputs {
        let value = given
            .get(name)
            .filter(|value| !value.is_null())
            .or(input.default.as_ref());
        match value {
            None if input.required => faults.push(missing(directory, name, input)),
            None => {
                values.insert(name.clone(), Value::Null);
            }
            Some(value) => match one(directory, name, input, value, &mut found) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(Fault::Input(fault)) => faults.push(fault),
                Err(Fault::Nothing(problem)) => return Err(*problem),
            },
        }
    }
    let meant = found.assets.len();
    if meant > TARGETS_MAX {
        faults.push(format!(
            "{meant} assets are meant; {TARGETS_MAX} is the limit of one run: narrow the filter"
        ));
    }
    if faults.is_empty() {
        return Ok(Resolved {
            values: Value::Object(values),
            found,
        });
    }
    faults.truncate(FAULTS_MAX);
    let detail = format!("{}: {}", definition.runbook, faults.join("; "));
    Err(Problem::new(Code::InputInvalid, detail).with("faults", faults))
}

enum Fault {
    Input(String),
    Nothing(Box<Problem>),
}

fn unknown(definition: &Definition, given: &Map<String, Value>) -> Vec<String> {
    let names: Vec<&str> = definition.inputs.keys().map(String::as_str).collect();
    let strangers = given
        .keys()
        .filter(|name| !definition.inputs.contains_key(*name));
    strangers
        .map(|name| format!("{name} is no input: {}", suggest::remedy(name, &names)))
        .collect()
}

fn one(
    directory: &dyn Directory,
    name: &str,
    input: &Input,
    value: &Value,
    found: &mut Found,
) -> Result<Value, Fault> {
    let assets = &mut found.assets;
    // A list of ids is a selector that was resolved before (a run that is repeated).
    let is_resolved = input.kind == InputKind::Selector && value.is_array();
    if !is_resolved {
        validate(name, &input.schema, value).map_err(Fault::Input)?;
    }
    match (input.kind, value) {
        (InputKind::Data, value) => {
            if let (Some(list), Some(id)) = (&input.from, value.as_str()) {
                let chosen = chosen(directory, name, list, id).map_err(Fault::Input)?;
                found.chosen.insert(name.to_owned(), chosen);
            }
            Ok(value.clone())
        }
        (InputKind::Selector, Value::Array(ids)) => {
            let ids = ids
                .iter()
                .map(|id| known(directory, name, id))
                .collect::<Result<Vec<_>, _>>()?;
            assets.extend(ids.iter().cloned());
            Ok(ids.into())
        }
        (InputKind::Selector, Value::String(selector)) => {
            let ids = directory
                .select(selector)
                .map_err(|fault| Fault::Input(format!("{name}: {fault}")))?;
            if ids.is_empty() {
                let detail = format!("{name}: `{selector}` matches no asset");
                return Err(Fault::Nothing(Box::new(
                    Problem::new(Code::NothingSelected, detail)
                        .remedy("widen the filter, or see the estate for its attributes"),
                )));
            }
            assets.extend(ids.iter().cloned());
            Ok(ids.into())
        }
        (InputKind::Asset, id) => {
            let id = known(directory, name, id)?;
            assets.insert(id.clone());
            Ok(id.into())
        }
        (InputKind::Customer, Value::String(id)) if directory.customer(id).is_none() => {
            let known = directory.customers();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Err(Fault::Input(format!(
                "{name}: there is no customer {id}: {}",
                suggest::remedy(id, &known)
            )))
        }
        (InputKind::Window, Value::String(id)) if directory.window(id).is_none() => Err(
            Fault::Input(format!("{name}: the estate has no window {id}")),
        ),
        (InputKind::Customer | InputKind::Window, Value::String(id)) => Ok(id.clone().into()),
        (_, other) => Err(Fault::Input(format!("{name}: {other} is not a text"))),
    }
}

/// The entries of a list with their labels, as far as a fault can name them.
fn listed(entries: &[Choice]) -> String {
    let more = entries.len().saturating_sub(CHOICES_MAX);
    let mut named: Vec<String> = entries
        .iter()
        .take(CHOICES_MAX)
        .map(Choice::to_string)
        .collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

fn missing(directory: &dyn Directory, name: &str, input: &Input) -> String {
    let choose = match &input.from {
        None => String::new(),
        Some(list) => match there(directory, list) {
            Ok(entries) => format!("; choose one of: {}", listed(&entries)),
            Err(lacks) => format!("; {lacks}"),
        },
    };
    format!("{name} is missing: give it with -i {name}=…{choose}")
}

/// What can be chosen from a list today, or why nothing can.
fn there(directory: &dyn Directory, list: &List) -> Result<Vec<Choice>, String> {
    let entries = list.entries(directory).unwrap_or_default();
    if !entries.is_empty() {
        return Ok(entries);
    }
    Err(match list {
        List::Catalog(name) => format!(
            "the estate has no catalog {name}: add it under `catalog` of the estate's files"
        ),
        List::Triggers(_) if directory.policies().is_none() => format!(
            "no policies are configured, and {list} is theirs: name their folder under `[policies]` `folder` of the configuration"
        ),
        List::Triggers(class) => format!(
            "the policies have no trigger of the class {class}: add one to triggers.yaml of the policies"
        ),
    })
}

/// The entry of the list as it is today.
fn chosen(directory: &dyn Directory, name: &str, list: &List, id: &str) -> Result<Chosen, String> {
    if let Some(chosen) = Chosen::of(directory, list, id) {
        return Ok(chosen);
    }
    let entries = there(directory, list).map_err(|lacks| format!("{name}: {lacks}"))?;
    let near = suggest::nearest(id, entries.iter().map(|entry| entry.id.as_str()));
    let near = near.map(|near| format!("did you mean {near}?"));
    let all = format!("choose one of: {}", listed(&entries));
    let remedy = match (list, near) {
        (List::Catalog(_), near) => near.unwrap_or(all),
        // Nobody should take the nearest reason for the right one without having read the others.
        (List::Triggers(class), near) => {
            let near = near.map_or_else(String::new, |near| format!("{near} "));
            format!("{near}{all}; what none of them fits does not start as {class}")
        }
    };
    Err(format!("{name}: {id} is not in {list}: {remedy}"))
}

fn known(directory: &dyn Directory, name: &str, id: &Value) -> Result<String, Fault> {
    match id.as_str() {
        Some(id) if directory.asset(id).is_some() => Ok(id.to_owned()),
        _ => Err(Fault::Input(format!("{name}: there is no asset {id}"))),
    }
}

/// The first fault of a value against a JSON Schema, with its place.
pub fn validate(name: &str, schema: &Value, value: &Value) -> Result<(), String> {
    let validator = jsonschema::validator_for(schema)
        .map_err(|fault| format!("{name}: its schema is wrong: {fault}"))?;
    match validator.iter_errors(value).next() {
        None => Ok(()),
        Some(fault) => {
            let place = fault.instance_path().to_string();
            Err(format!("{name}{}: {fault}", place.replace('/', ".")))
        }
    }
}

/// Records of assets, as expressions see them.
pub fn records(
    directory: &dyn Directory,
    assets: &BTreeSet<String>,
) -> Result<BTreeMap<String, Value>, Problem> {
    let record = |id: &String| {
        let found = directory
            .asset(id)
            .ok_or_else(|| Problem::not_found("asset", id))?;
        Ok((id.clone(), found))
    };
    assets.iter().map(record).collect()
}
