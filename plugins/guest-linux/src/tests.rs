//! The recorded exchanges, and the plugin against the neutral contracts.

use super::PLUGIN;
use serde_json::{Value, json};
use std::path::Path;

const EXCHANGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/exchanges");
const CONTRACTS: &[&str] = &[
    include_str!("../../../sdk/contracts/guest-patch@1.json"),
    include_str!("../../../sdk/contracts/guest@1.json"),
];

fn contract_actions() -> Vec<Value> {
    let contracts = CONTRACTS
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap());
    contracts
        .flat_map(|contract| contract["actions"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn every_recorded_exchange_gives_the_expected_answer() {
    hostler_testkit::check_folder(&PLUGIN, EXCHANGES);
}

#[test]
fn every_action_is_what_its_contract_says() {
    let contracts = contract_actions();
    let described = PLUGIN.describe();
    for action in described["actions"].as_array().unwrap() {
        let contract = contracts
            .iter()
            .find(|contract| contract["name"] == action["name"]);
        let contract = contract.unwrap_or_else(|| panic!("no contract has {}", action["name"]));
        for field in ["effect", "impact", "inverse", "timeout_ms", "needs_asset"] {
            assert_eq!(
                action.get(field),
                contract.get(field),
                "{field} of {}",
                action["name"]
            );
        }
        let fields = |schema: &Value| -> Vec<String> {
            let properties = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            properties.keys().cloned().collect()
        };
        assert_eq!(
            fields(&action["input"]),
            fields(&contract["input"]),
            "input of {}",
            action["name"]
        );
        assert_eq!(
            fields(&action["output"]),
            fields(&contract["output"]),
            "output of {}",
            action["name"]
        );
        assert_eq!(
            action["input"]["additionalProperties"],
            json!(false),
            "{}",
            action["name"]
        );
    }
}

#[test]
fn what_the_cases_put_in_and_get_out_fits_the_contracts() {
    let contracts = contract_actions();
    let mut outputs = 0;
    for entry in std::fs::read_dir(Path::new(EXCHANGES)).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let contract = contracts
            .iter()
            .find(|contract| contract["name"] == case["action"])
            .unwrap();
        let fits = |schema: &Value, value: &Value| {
            let validator = jsonschema::validator_for(schema).unwrap();
            if let Err(error) = validator.validate(value) {
                panic!("{}: {error}", path.display());
            }
        };
        fits(&contract["input"], case.get("input").unwrap_or(&json!({})));
        if case["expect"]["answer"] == "done" {
            fits(&contract["output"], &case["expect"]["output"]);
            outputs += 1;
        }
    }
    assert!(outputs >= 10, "only {outputs} cases show an output");
}
