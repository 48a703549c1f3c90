//! The shape of an estate file, as written. Every section may stand in any of the files.
//!
//! Not here: defaults, references, meaning. A new field belongs here, into the check that reads it,
//! and into `examples/`.

use crate::at::{At, Entries};
use hostler_core::directory::Auth;
use serde::Deserialize;

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub realm: Option<At<String>>,
    pub zone: Option<At<String>>,
    pub calendars: Entries<RawCalendar>,
    pub freezes: Vec<RawFreeze>,
    pub windows: Entries<RawWindow>,
    pub groups: Entries<RawGroup>,
    pub catalog: Entries<Vec<RawChoice>>,
    pub customers: Entries<RawCustomer>,
    pub connections: Entries<RawConnection>,
    pub via: Entries<At<String>>,
    pub defaults: Vec<RawDefault>,
    pub assets: Entries<RawAsset>,
    pub roles: Entries<At<String>>,
    pub people: Entries<RawStaff>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCalendar {
    pub file: Option<At<String>>,
    pub business_days: At<String>,
    pub hours: At<String>,
    #[serde(default)]
    pub holidays: Vec<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFreeze {
    pub id: At<String>,
    pub from: At<String>,
    pub to: At<String>,
    pub zone: Option<At<String>>,
    #[serde(default)]
    pub lets_through: Vec<At<String>>,
    pub applies: At<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawWindow {
    pub when: At<String>,
    pub at: At<String>,
    pub lasts: At<String>,
    pub zone: Option<At<String>>,
    pub calendar: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawChoice {
    pub id: At<String>,
    pub label: At<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGroup {
    pub kind: At<String>,
    pub members: Vec<At<String>>,
    pub keep_up: Option<At<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCustomer {
    pub name: At<String>,
    pub zone: Option<At<String>>,
    pub calendar: Option<At<String>>,
    pub contract: Option<RawContract>,
    #[serde(default)]
    pub people: Vec<RawContact>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawContract {
    pub service: At<String>,
    pub consent: Option<At<String>>,
    pub deferrals: Option<At<String>>,
    pub reboots: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawContact {
    pub id: At<String>,
    pub name: Option<At<String>>,
    pub mail: At<String>,
    pub hook: Option<At<String>>,
    pub phone: Option<At<String>>,
    #[serde(default)]
    pub roles: Vec<At<String>>,
    pub confirmed: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStaff {
    pub name: At<String>,
    pub mail: At<String>,
    #[serde(default)]
    pub roles: Vec<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConnection {
    pub plugin: At<String>,
    pub url: Option<At<String>>,
    #[serde(default)]
    pub paths: Vec<At<String>>,
    #[serde(default)]
    pub addresses: Vec<At<String>>,
    pub network: Option<At<String>>,
    pub scheme: Option<At<String>>,
    pub port: Option<At<u16>>,
    pub user: Option<At<String>>,
    pub key: Option<At<String>>,
    pub jump: Option<At<String>>,
    pub sudo: Option<At<bool>>,
    pub worker: Option<At<String>>,
    pub auth: Option<At<Auth>>,
    pub credential: Option<At<String>>,
    pub authority: Option<At<String>>,
    pub limits: Option<RawLimits>,
    #[serde(default)]
    pub handles: Entries<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLimits {
    pub at_once: Option<At<u32>>,
    pub per_host: Option<At<u32>>,
    pub timeout: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDefault {
    #[serde(rename = "match")]
    pub matches: At<String>,
    pub set: RawAsset,
}

/// What an asset, or a default for assets, says. All fields are optional here: what must be there is
/// checked after the defaults are in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawAsset {
    pub name: Option<At<String>>,
    pub customer: Option<At<String>>,
    pub owner: Option<At<String>>,
    pub kind: Option<At<String>>,
    pub os: Option<At<String>>,
    pub platform: Option<At<String>>,
    pub parent: Option<At<String>>,
    pub ring: Option<At<String>>,
    pub exposure: Option<At<String>>,
    pub window: Option<At<String>>,
    pub service: Option<At<String>>,
    pub patch: Option<At<String>>,
    pub state: Option<At<String>>,
    pub data_level: Option<At<u8>>,
    pub serial: Option<At<String>>,
    pub address: Option<At<String>>,
    pub host_key: Option<At<String>>,
    pub legal_hold: Option<bool>,
    pub via: Entries<At<String>>,
    #[serde(rename = "ref")]
    pub reference: Entries<At<String>>,
    pub hooks: RawHooks,
    pub can: RawCan,
    pub consents: RawConsents,
    pub tags: Vec<At<String>>,
}

/// Absolute paths of programs on the server that stop and start the service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawHooks {
    pub stop: Option<At<String>>,
    pub start: Option<At<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawCan {
    pub snapshot: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConsents {
    pub crash_consistent_revert: Option<bool>,
}
