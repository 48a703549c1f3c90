//! The recorded exchanges, the plugin against the neutral contract, and the two small notations.

use super::PLUGIN;
use crate::subject::Subject;
use crate::time;
use serde_json::{Value, json};

const EXCHANGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/exchanges");
const CONTRACT: &str = include_str!("../../../sdk/contracts/monitor@1.json");

#[test]
fn every_recorded_exchange_gives_the_expected_answer() {
    hostler_testkit::check_folder(&PLUGIN, EXCHANGES);
}

#[test]
fn every_action_is_what_its_contract_says() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let described = PLUGIN.describe();
    for action in described["actions"].as_array().unwrap() {
        let name = &action["name"];
        let known = contract["actions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|known| known["name"] == *name);
        let known = known.unwrap_or_else(|| panic!("the contract has no {name}"));
        for field in ["effect", "impact", "inverse", "timeout_ms", "needs_asset"] {
            assert_eq!(action.get(field), known.get(field), "{field} of {name}");
        }
        for schema in ["input", "output"] {
            let fields = |action: &Value| -> Vec<String> {
                action[schema]["properties"]
                    .as_object()
                    .map(|p| p.keys().cloned().collect())
                    .unwrap_or_default()
            };
            assert_eq!(fields(action), fields(known), "{schema} of {name}");
        }
    }
}

#[test]
fn what_the_cases_put_in_and_get_out_fits_the_contract() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let mut outputs = 0;
    for entry in std::fs::read_dir(EXCHANGES).unwrap() {
        let case: Value =
            serde_json::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        let known = contract["actions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|known| known["name"] == case["action"])
            .unwrap();
        if case["expect"]["answer"] == "done" {
            let fits = |schema: &Value, value: &Value| {
                jsonschema::validator_for(schema).unwrap().is_valid(value)
            };
            assert!(
                fits(&known["input"], case.get("input").unwrap_or(&json!({}))),
                "{case}"
            );
            assert!(fits(&known["output"], &case["expect"]["output"]), "{case}");
            outputs += 1;
        }
    }
    assert!(outputs >= 4, "only {outputs} cases show an output");
}

#[test]
fn instants_are_those_of_the_calendar() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(time::instant(ms), text);
    }
    for (text, ms) in [
        ("90m", 5_400_000),
        ("1s", 1_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
    ] {
        assert_eq!(time::length_ms(text, 604_800_000).unwrap(), ms);
    }
    for text in [
        "",
        "m",
        "0m",
        "-1h",
        "8d",
        "90",
        "1.5h",
        "9999999999999999999d",
        "é",
    ] {
        assert!(time::length_ms(text, 604_800_000).is_err(), "{text}");
    }
}

#[test]
fn an_asset_is_called_there_what_the_estate_says() {
    for (reference, selector) in [
        ("web1", r#"instance=~"web1(:[0-9]+)?""#),
        ("web1.example:9100", r#"instance=~"web1\\.example:9100""#),
        ("host=web1", r#"host=~"web1(:[0-9]+)?""#),
        ("a\"b\\c.*", r#"instance=~"a\"b\\\\c\\.\\*(:[0-9]+)?""#),
    ] {
        let mut call = hostler_testkit::call("monitor.silence");
        call.grants[0].reference = Some(reference.to_owned());
        assert_eq!(Subject::of(&call).unwrap().selector(), selector);
    }
    for bad in ["", "=web1", "a b=web1", "host="] {
        let mut call = hostler_testkit::call("monitor.silence");
        call.grants[0].reference = Some(bad.to_owned());
        assert!(Subject::of(&call).is_err(), "{bad}");
    }
}
