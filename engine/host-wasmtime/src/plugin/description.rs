//! What a component says about itself, read once when it is loaded.
//!
//! `describe` gets no data and may call nothing, so its scripts can only come from the component's own
//! bytes: a script that runs on a target is as fixed as the digest.

use crate::limits::{DESCRIBE_MAX_BYTES, SCRIPT_MAX_BYTES};
use hostler_core::contract::{Action, Effect};
use hostler_ports::plugin::Description;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A script of the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub text: String,
    pub mutating: bool,
}

/// A component's own words, checked.
#[derive(Clone, Debug)]
pub struct Described {
    pub description: Description,
    pub scripts: BTreeMap<String, Script>,
    effects: BTreeMap<String, Effect>,
}

impl Described {
    #[must_use]
    pub fn effect(&self, action: &str) -> Option<Effect> {
        self.effects.get(action).copied()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    name: String,
    version: String,
    actions: Vec<Action>,
    #[serde(default)]
    scripts: Vec<ScriptWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptWords {
    name: String,
    text: String,
    mutating: bool,
}

/// # Errors
/// What is wrong with the text, for the plugin's author.
pub fn describe(text: &str) -> Result<Described, String> {
    if text.len() > DESCRIBE_MAX_BYTES {
        return Err(format!(
            "describe gives {} bytes, at most {DESCRIBE_MAX_BYTES} are taken",
            text.len()
        ));
    }
    let words: Words = serde_json::from_str(text).map_err(|error| format!("describe: {error}"))?;
    let mut effects = BTreeMap::new();
    for action in &words.actions {
        let named = action
            .name
            .split_once('.')
            .is_some_and(|(contract, name)| word(contract) && word(name));
        if !named {
            return Err(format!(
                "the action {:?} is not named `contract.action`",
                action.name
            ));
        }
        if effects.insert(action.name.clone(), action.effect).is_some() {
            return Err(format!("the action {} is described twice", action.name));
        }
    }
    let scripts = scripts(words.scripts)?;
    let description = Description {
        name: words.name,
        version: words.version,
        actions: words.actions,
    };
    Ok(Described {
        description,
        scripts,
        effects,
    })
}

fn scripts(given: Vec<ScriptWords>) -> Result<BTreeMap<String, Script>, String> {
    let mut scripts = BTreeMap::new();
    for script in given {
        if script.text.len() > SCRIPT_MAX_BYTES
            || script.text.contains('\0')
            || script.text.is_empty()
        {
            return Err(format!(
                "the script {} is empty, over {SCRIPT_MAX_BYTES} bytes, or has a NUL",
                script.name
            ));
        }
        let name = script.name.clone();
        if scripts
            .insert(
                script.name,
                Script {
                    text: script.text,
                    mutating: script.mutating,
                },
            )
            .is_some()
        {
            return Err(format!("the script {name} is there twice"));
        }
    }
    Ok(scripts)
}

fn word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
