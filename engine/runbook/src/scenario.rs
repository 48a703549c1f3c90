//! `scenarios/*.yaml`: an estate, inputs, what plugins and people answer, and what must come of it.
//! Only the shape is here; the harness that plays it is a test.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Largest scenario file in bytes.
const SCENARIO_MAX_BYTES: usize = 256 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A fact: `a_failed_canary_stops_the_cycle`.
    pub name: String,
    #[serde(default)]
    pub given: Given,
    /// What plugins answer, looked up in this order: first that fits. What nothing fits is answered
    /// by the action's smallest valid output.
    #[serde(default)]
    pub answers: Vec<PluginAnswer>,
    /// What people decide when they are asked.
    #[serde(default)]
    pub people: Vec<Decision>,
    pub expect: Expect,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Path of an estate beside the scenario; none: the practice estate.
    pub estate: Option<String>,
    #[serde(default)]
    pub inputs: BTreeMap<String, Value>,
    /// Who starts it.
    pub starter: Option<String>,
    /// RFC 3339; none: the harness's own beginning.
    pub now: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginAnswer {
    /// Id of an asset; none: any, or none.
    pub asset: Option<String>,
    /// Id of a step; none: any.
    pub step: Option<String>,
    /// `contract.action`; none: any.
    pub action: Option<String>,
    /// Only the nth call that fits, from 1; none: all.
    pub nth: Option<u32>,
    pub say: Say,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    Done(Value),
    /// Milliseconds until it is done, with this output.
    Later {
        after_ms: u64,
        output: Value,
    },
    Retry(String),
    Reject(String),
    /// No answer at all: the call is lost and must be observed.
    Lost,
    /// The worker ends during the call.
    Crash,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    pub who: String,
    /// Id of the step.
    pub at: String,
    /// Key of the lane (an asset); none: any.
    pub lane: Option<String>,
    /// Simulated time after the question.
    pub after: Option<String>,
    pub decide: Decide,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decide {
    Yes,
    No,
    Answer(Value),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Result of the run: `succeeded`, `denied`, …
    pub result: String,
    /// Result by asset.
    #[serde(default)]
    pub assets: BTreeMap<String, String>,
    /// State by step, of the run's own lane or `step.inner` of any child.
    #[serde(default)]
    pub steps: BTreeMap<String, String>,
    /// Notices in order: `scheduled chemistry`.
    pub notices: Option<Vec<String>>,
    /// Calls that must have happened, `action asset`, with how often.
    #[serde(default)]
    pub calls: BTreeMap<String, u32>,
    /// Kinds of ledger entries that must be there.
    #[serde(default)]
    pub ledger: Vec<String>,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{name}: {why}")]
pub struct ScenarioUnreadable {
    pub name: String,
    pub why: String,
}

impl Scenario {
    /// # Errors
    /// When the text is too large, no YAML, or has another shape.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioUnreadable> {
        let refuse = |why: String| ScenarioUnreadable {
            name: name.to_owned(),
            why,
        };
        if text.len() > SCENARIO_MAX_BYTES {
            return Err(refuse(format!(
                "longer than {SCENARIO_MAX_BYTES} bytes: split it"
            )));
        }
        serde_saphyr::from_str(text).map_err(|error| refuse(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_says_what_is_given_and_what_must_come_of_it() {
        let text = "name: a_denied_plan_changes_nothing\ngiven: { inputs: { soak: 2s }, starter: olga }\nanswers:\n  - { action: guest-patch.scan, asset: chem-web1, say: { done: { count: 0 } } }\n  - { step: install, nth: 1, say: lost }\npeople:\n  - { who: carla, at: go, after: 1h, decide: no }\n  - { who: pat, at: triage, decide: { answer: { exclude: [] } } }\nexpect: { result: denied, notices: [], calls: { guest-patch.apply chem-web1: 0 } }\n";
        let scenario = Scenario::parse("denied.yaml", text).unwrap();
        assert_eq!(scenario.people[0].decide, Decide::No);
        assert_eq!(scenario.answers[1].say, Say::Lost);
        assert_eq!(scenario.expect.result, "denied");
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = Scenario::parse(
            "x.yaml",
            "name: x\nexpect: { result: denied, notice: [] }\n",
        )
        .expect_err("notice is no field");
        assert!(error.to_string().contains("notice"), "{error}");
    }
}
