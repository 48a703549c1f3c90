//! The shapes of policy files, as written: one file a policy, one section a file.
//!
//! Not here: defaults and meaning. A new field belongs here, into `build/`, and into
//! `examples/policies/`.

use crate::at::{At, Entries};
use crate::schedules::choice::{OneOrMany, WordOr};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassesFile {
    pub must_have: Option<At<OneOrMany>>,
    pub classes: Entries<RawClass>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawClass {
    pub lead: Option<At<String>>,
    pub remind: Option<OneOrMany>,
    pub floor: Option<At<String>>,
    pub confirmed: Option<At<String>>,
    pub unproven: Option<At<String>>,
    pub quorum: Option<At<u32>>,
    pub step_up: Option<At<String>>,
    pub freeze: Option<At<String>>,
    pub windows: Option<At<String>>,
    pub binds: Option<At<OneOrMany>>,
    pub expires: Option<At<String>>,
    pub ladder: Option<At<String>>,
    pub rings: Entries<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LaddersFile {
    pub ladders: Entries<RawLadder>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLadder {
    pub every: Option<At<String>>,
    #[serde(default)]
    pub channels: Option<OneOrMany>,
    pub rungs: Vec<At<WordOr<RawRung>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRung {
    pub who: OneOrMany,
    pub every: Option<At<String>>,
    pub channels: Option<OneOrMany>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponsibilitiesFile {
    pub responsibilities: Vec<RawRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRow {
    pub subject: Option<OneOrMany>,
    pub duty: Option<OneOrMany>,
    pub service: Option<OneOrMany>,
    pub kind: Option<OneOrMany>,
    pub os: Option<OneOrMany>,
    pub data_level: Option<Vec<At<u8>>>,
    pub owes: At<String>,
    pub reason: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TriggersFile {
    pub triggers: Entries<RawTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTrigger {
    pub says: At<String>,
    pub class: Option<At<String>>,
    pub exposure: Option<OneOrMany>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpendFile {
    pub spend: Option<RawSpend>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSpend {
    pub currency: At<String>,
    #[serde(default)]
    pub limits: Entries<At<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlinesFile {
    pub deadlines: Entries<At<WordOr<RawDeadline>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDeadline {
    pub within: At<String>,
    pub class: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentFile {
    pub consent: Entries<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeferralsFile {
    pub deferrals: Entries<RawDeferral>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDeferral {
    pub times: At<u32>,
    pub until: At<String>,
    pub longest: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DebtsFile {
    pub debts: Entries<RawDebt>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDebt {
    pub says: At<String>,
    pub due: At<String>,
    #[serde(default)]
    pub blocks: Option<OneOrMany>,
    pub cured_by: OneOrMany,
    pub ladder: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetsFile {
    pub budgets: Entries<RawBudget>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawBudget {
    pub customers: Option<OneOrMany>,
    pub classes: Option<OneOrMany>,
    pub per: Option<At<String>>,
    pub disruptions: Option<At<u32>>,
    pub downtime: Option<At<String>>,
    pub within: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionFile {
    pub retention: Entries<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolesFile {
    pub roles: Entries<OneOrMany>,
    pub delegates: Vec<RawDelegate>,
    pub absences: Vec<RawAbsence>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDelegate {
    pub person: At<String>,
    pub delegate: At<String>,
    pub from: Option<At<String>>,
    pub until: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAbsence {
    pub person: At<String>,
    pub from: At<String>,
    pub until: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitFile {
    pub fit: RawFit,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawFit {
    pub at_least: Option<At<u32>>,
    pub percent: Option<At<u32>>,
    pub default: Option<At<String>>,
    pub actions: Entries<At<String>>,
    pub verbs: Entries<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextsFile {
    pub texts: Entries<At<String>>,
}
