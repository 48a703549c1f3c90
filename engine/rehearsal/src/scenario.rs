//! The scenario file: what is given, what plugins and people answer, what must come of it.

use hostler_core::duration::parse_ms;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Largest scenario file in bytes.
const FILE_MAX_BYTES: usize = 256 * 1024;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub scenario: String,
    pub runbook: String,
    /// Who starts the run.
    pub starter: String,
    #[serde(default)]
    pub inputs: Value,
    /// The first one that fits a call answers it; a call that none fits succeeds with a sample of
    /// its output schema.
    #[serde(default)]
    pub answers: Vec<Answer>,
    #[serde(default)]
    pub people: Vec<Person>,
    /// What customers say of a run, each line once a run, in the order of the file.
    #[serde(default)]
    pub consents: Vec<Says>,
    /// Mail addresses, or ends of them (`@physics.example`), for which every message is refused.
    #[serde(default)]
    pub unreachable: Vec<String>,
    pub expect: Expect,
}

/// What a plugin answers to some calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `contract.action`.
    pub action: String,
    pub asset: Option<String>,
    /// Only so many times; without it always.
    pub times: Option<u32>,
    pub done: Option<Value>,
    pub reject: Option<String>,
    pub retry: Option<String>,
    /// The target goes on by itself for so long (`20m`) before it answers.
    pub pends: Option<String>,
    /// The call is cut off at its deadline.
    #[serde(default)]
    pub hang: bool,
    /// What `observe` says afterwards: `done`, `not-done`, `unknown`.
    pub observe: Option<String>,
}

/// What a person does when asked. Used once each, in the order of the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Step of the question.
    pub step: String,
    /// Key of the lane, for questions inside an `each`.
    pub key: Option<String>,
    pub by: String,
    /// Not before so long after the question was asked: `16m`.
    pub after: Option<String>,
    pub yes: Option<bool>,
    pub answer: Option<Value>,
    /// The name that a yes types back.
    pub typed: Option<String>,
    /// Has no code at hand: where one is needed, a yes is not proved to be theirs.
    #[serde(default)]
    pub codeless: bool,
    /// What a yes waives.
    #[serde(default)]
    pub waive: Vec<String>,
    /// `retry`, `skip`, `fail`, `done`; `next`, `leave`, `stop`.
    pub choose: Option<String>,
    /// Runs the failed items again instead of deciding.
    #[serde(default)]
    pub retry_items: bool,
    /// The decision must be refused, and the refusal must contain this.
    pub refused: Option<String>,
}

/// A customer's person agrees to a run, or objects.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    pub customer: String,
    pub by: String,
    /// So long after the run was first held for the customer's consent: `5d`; without it at once.
    pub after: Option<String>,
    /// False: an objection.
    pub agrees: bool,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub result: String,
    /// Results of items, by step and key.
    #[serde(default)]
    pub items: BTreeMap<String, BTreeMap<String, String>>,
    /// How often an action was called.
    #[serde(default)]
    pub calls: BTreeMap<String, u32>,
    /// Messages by stage.
    #[serde(default)]
    pub notices: BTreeMap<String, u32>,
    /// Texts that some ledger entry contains, in this order.
    #[serde(default)]
    pub ledger: Vec<String>,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScenarioFault {
    #[error("the scenario has {0} bytes; {FILE_MAX_BYTES} is the limit")]
    TooLarge(usize),
    #[error("{0}")]
    Malformed(String),
}

impl Scenario {
    /// # Errors
    /// When the text is too large or not a scenario; the message has line and column.
    pub fn read(text: &str) -> Result<Self, ScenarioFault> {
        if text.len() > FILE_MAX_BYTES {
            return Err(ScenarioFault::TooLarge(text.len()));
        }
        let scenario: Self = serde_saphyr::from_str(text)
            .map_err(|fault| ScenarioFault::Malformed(fault.to_string()))?;
        let people = scenario.people.iter();
        let after = people.filter_map(|person| Some(("after", person.after.as_deref()?)));
        let says = scenario.consents.iter();
        let says = says.filter_map(|says| Some(("after", says.after.as_deref()?)));
        let answers = scenario.answers.iter();
        let pends = answers.filter_map(|answer| Some(("pends", answer.pends.as_deref()?)));
        let mut waits = after.chain(says).chain(pends);
        match waits.find(|(_, length)| parse_ms(length).is_none()) {
            Some((name, length)) => Err(ScenarioFault::Malformed(format!(
                "`{name}: {length}` is no duration: write 90s, 16m, 2h"
            ))),
            None => Ok(scenario),
        }
    }
}
