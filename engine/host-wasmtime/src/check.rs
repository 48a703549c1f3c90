//! Whether a component is fit to be pinned: it loads, describes itself, its schemas are schemas, and its
//! actions are those of the neutral contracts.
//!
//! Not here: whether it does what it says.

use crate::host::{HostConfig, WasmHost};
use hostler_core::contract::{Action, Contract};
use hostler_core::id::Digest;
use hostler_ports::plugin::{Description, PluginHost};
use serde_json::Value;
use std::collections::BTreeSet;

/// What was found. `faults` must be mended, `remarks` need not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub digest: Option<Digest>,
    pub description: Option<Description>,
    pub faults: Vec<String>,
    pub remarks: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn fit(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a component against the frozen contracts. `config` needs no connections.
pub async fn check(config: HostConfig, bytes: &[u8], contracts: &[Contract]) -> Report {
    let mut report = Report {
        digest: Some(Digest::of(bytes)),
        ..Report::default()
    };
    let loaded = match WasmHost::new(config) {
        Ok(mut host) => host
            .add("the component", bytes)
            .await
            .map(|digest| (host, digest)),
        Err(error) => Err(error),
    };
    let (host, digest) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            report.faults.push(error.to_string());
            return report;
        }
    };
    let plugins = host.plugins();
    let Some(description) = plugins.get(&digest) else {
        return report;
    };
    for action in &description.actions {
        report.check_action(action, description, contracts);
    }
    if description.actions.is_empty() {
        report.faults.push("it has no action".into());
    }
    report.description = Some(description.as_ref().clone());
    report
}

impl Report {
    fn check_action(&mut self, action: &Action, description: &Description, contracts: &[Contract]) {
        let name = &action.name;
        for (what, schema) in [("input", &action.input), ("output", &action.output)] {
            if let Err(error) = jsonschema::draft202012::new(schema) {
                self.faults.push(format!(
                    "{name}: the {what} is described by no JSON Schema (2020-12): {error}"
                ));
            }
        }
        if action.timeout_ms == 0 {
            self.faults.push(format!("{name}: a timeout of 0 ms"));
        }
        if let Some(inverse) = &action.inverse
            && !description
                .actions
                .iter()
                .any(|other| &other.name == inverse)
        {
            self.faults.push(format!("{name}: its inverse {inverse} is missing: write it, or the change cannot be taken back"));
        }
        let contract = name.split('.').next().unwrap_or_default();
        let Some(contract) = contracts.iter().find(|known| known.name == contract) else {
            self.remarks.push(format!(
                "{name}: no neutral contract {contract}: only runbooks for this platform can use it"
            ));
            return;
        };
        match contract.actions.iter().find(|known| known.name == *name) {
            Some(agreed) => self.compare(action, agreed),
            None => self.faults.push(format!(
                "{name}: contract {}@{} has no such action",
                contract.name, contract.major
            )),
        }
    }

    fn compare(&mut self, action: &Action, agreed: &Action) {
        let name = &action.name;
        let mut differs = |what: &str, found: String, expected: String| {
            if found != expected {
                self.faults.push(format!(
                    "{name}: {what} is {found}, the contract says {expected}"
                ));
            }
        };
        differs(
            "effect",
            format!("{:?}", action.effect),
            format!("{:?}", agreed.effect),
        );
        differs(
            "impact",
            format!("{:?}", action.impact),
            format!("{:?}", agreed.impact),
        );
        differs(
            "inverse",
            format!("{:?}", action.inverse),
            format!("{:?}", agreed.inverse),
        );
        differs(
            "needs_asset",
            action.needs_asset.to_string(),
            agreed.needs_asset.to_string(),
        );
        // A caller of the contract must be understood, and must find what it was promised.
        for field in required(&action.input).difference(&required(&agreed.input)) {
            self.faults.push(format!(
                "{name}: it insists on the input `{field}`, which the contract does not require"
            ));
        }
        for field in properties(&agreed.input).difference(&properties(&action.input)) {
            self.faults.push(format!(
                "{name}: it does not take the contract's input `{field}`"
            ));
        }
        for field in required(&agreed.output).difference(&required(&action.output)) {
            self.faults.push(format!(
                "{name}: its output does not always have `{field}`, which the contract promises"
            ));
        }
        for field in properties(&action.output).difference(&properties(&agreed.output)) {
            self.remarks.push(format!(
                "{name}: the output `{field}` is beyond the contract: no runbook can read it"
            ));
        }
    }
}

fn properties(schema: &Value) -> BTreeSet<String> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|fields| fields.keys().cloned().collect())
        .unwrap_or_default()
}

fn required(schema: &Value) -> BTreeSet<String> {
    let list = schema.get("required").and_then(Value::as_array);
    list.map(|names| {
        names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    })
    .unwrap_or_default()
}
