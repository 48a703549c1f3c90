//! What the asset is called in the monitoring.
//!
//! Not here: a guess from addresses. The estate's `ref` says it, or the asset's name is it.

use hostler_sdk::{Call, Stop};
use serde::Serialize;

/// The label of Prometheus's own that names a target.
const LABEL: &str = "instance";

/// A label and what its value must match: the whole value, and a port after it where none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub label: String,
    /// RE2; Alertmanager and Prometheus anchor it.
    pub pattern: String,
    /// The asset's id, for the comment of a silence.
    pub asset: String,
}

/// A matcher as the Alertmanager writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matcher {
    pub name: String,
    pub value: String,
    #[serde(rename = "isRegex")]
    pub is_regex: bool,
    #[serde(rename = "isEqual")]
    pub is_equal: bool,
}

impl Subject {
    /// From the grant's reference: `web1`, `web1:9100`, or with a label of one's own `host=web1`.
    ///
    /// # Errors
    /// When there is no asset, or the label is none.
    pub fn of(call: &Call) -> Result<Self, Stop> {
        let asset = call
            .asset_text("id")
            .ok_or_else(|| Stop::reject("the asset has no id"))?;
        let reference = call
            .grant("target")
            .and_then(|grant| grant.reference.clone());
        let called = reference
            .or_else(|| call.asset_text("name"))
            .unwrap_or_else(|| asset.clone());
        let (label, value) = called.split_once('=').unwrap_or((LABEL, &called));
        let plain = label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || value.is_empty() {
            return Err(Stop::reject(format!(
                "`{called}` is no name for the monitoring: write `value` or `label=value` as ref"
            )));
        }
        let port = if value.contains(':') {
            ""
        } else {
            "(:[0-9]+)?"
        };
        Ok(Self {
            label: label.to_owned(),
            pattern: format!("{}{port}", escaped(value)),
            asset,
        })
    }

    pub fn matcher(&self) -> Matcher {
        Matcher {
            name: self.label.clone(),
            value: self.pattern.clone(),
            is_regex: true,
            is_equal: true,
        }
    }

    /// `instance=~"web1(:[0-9]+)?"`, as both programs read it.
    pub fn selector(&self) -> String {
        format!(
            "{}=~\"{}\"",
            self.label,
            self.pattern.replace('\\', "\\\\").replace('"', "\\\"")
        )
    }
}

fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            ["\\".to_owned(), c.to_string()]
                .into_iter()
                .skip(usize::from(!r"\.+*?()|[]{}^$".contains(c)))
        })
        .collect()
}
