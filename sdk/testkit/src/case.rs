//! Cases as data: a new case is a new file.

use crate::replay::{Exchange, Replay};
use hostler_sdk::{Grant, JournalEntry, Plugin};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// One case. The file's name says what fact it shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Where the recording is from, or what is unusual about it.
    #[serde(default)]
    pub about: String,
    pub action: String,
    /// `perform`, `resume`, `observe`, `cancel` or `plan`.
    #[serde(default = "perform")]
    pub entry: String,
    #[serde(default = "empty")]
    pub input: Value,
    #[serde(default)]
    pub checkpoint: Option<Value>,
    #[serde(default)]
    pub asset: Option<Value>,
    #[serde(default)]
    pub grants: Option<Vec<Grant>>,
    #[serde(default)]
    pub attempt: Option<u32>,
    #[serde(default)]
    pub now_ms: Option<i64>,
    #[serde(default)]
    pub idempotency_key: Option<String>,
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub journal: Vec<JournalEntry>,
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// The answer. An object matches when each of its fields does; `{"contains": "text"}` matches a
    /// text that has it; everything else must be equal.
    pub expect: Value,
}

fn perform() -> String {
    "perform".to_owned()
}

fn empty() -> Value {
    json!({})
}

/// Runs every `*.json` of a folder.
///
/// # Panics
/// With the names of all cases that fail, and how; also when the folder has no case.
pub fn check_folder(plugin: &Plugin, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let listing =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = listing
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no case", folder.display());
    let failed: Vec<String> = files
        .iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
            let case = text.and_then(|text| {
                serde_json::from_str::<Case>(&text).map_err(|error| error.to_string())
            });
            let faults = case.and_then(|case| check_case(plugin, &case));
            faults
                .err()
                .map(|fault| format!("{}: {fault}", path.display()))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        files.len(),
        failed.join("\n")
    );
}

/// # Errors
/// What differs.
pub fn check_case(plugin: &Plugin, case: &Case) -> Result<(), String> {
    let mut host = Replay::new(case.exchanges.clone());
    host.journal.clone_from(&case.journal);
    let found = enter(plugin, case, &mut host)?;
    if let Some(fault) = host.faults.first() {
        return Err(format!("{fault} (the answer was {found})"));
    }
    if host.unused() > 0 {
        return Err(format!(
            "{} recorded exchanges were not asked for (the answer was {found})",
            host.unused()
        ));
    }
    matches(&case.expect, &found, "answer")
}

fn enter(plugin: &Plugin, case: &Case, host: &mut Replay) -> Result<Value, String> {
    let mut call = crate::call(&case.action);
    call.dry_run = case.dry_run;
    if let Some(asset) = &case.asset {
        call.asset = asset.to_string();
    }
    if let Some(grants) = &case.grants {
        call.grants.clone_from(grants);
    }
    if let Some(key) = &case.idempotency_key {
        call.idempotency_key.clone_from(key);
    }
    call.attempt = case.attempt.unwrap_or(1);
    if let Some(now_ms) = case.now_ms {
        call.deadline_ms += now_ms - call.now_ms;
        call.now_ms = now_ms;
    }
    let input = case.input.to_string();
    let checkpoint = case.checkpoint.as_ref().map(Value::to_string);
    let found = match case.entry.as_str() {
        "perform" => serde_json::to_value(plugin.perform(&call, host, &input)),
        "resume" => serde_json::to_value(plugin.resume(
            &call,
            host,
            &input,
            checkpoint.as_deref().unwrap_or("null"),
        )),
        "observe" => {
            serde_json::to_value(plugin.observe(&call, host, &input, checkpoint.as_deref()))
        }
        "cancel" => serde_json::to_value(plugin.cancel(&call, host, &input, checkpoint.as_deref())),
        "plan" => Ok(match plugin.plan(&call, host, &input) {
            Ok(difference) => json!({ "plan": difference }),
            Err(why) => json!({ "refused": why }),
        }),
        other => {
            return Err(format!(
                "entry {other} is none of perform, resume, observe, cancel, plan"
            ));
        }
    };
    found.map_err(|error| error.to_string())
}

fn matches(expected: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(fields), Value::String(text))
            if fields.len() == 1 && fields.contains_key("contains") =>
        {
            let part = fields["contains"].as_str().unwrap_or_default();
            if text.contains(part) {
                Ok(())
            } else {
                Err(format!("{at} is {text:?}, which has no {part:?}"))
            }
        }
        (Value::Object(fields), Value::Object(_)) => fields.iter().try_for_each(|(name, value)| {
            matches(
                value,
                found.get(name).unwrap_or(&Value::Null),
                &format!("{at}.{name}"),
            )
        }),
        _ if expected == found => Ok(()),
        _ => Err(format!("{at} is {found}, expected {expected}")),
    }
}
