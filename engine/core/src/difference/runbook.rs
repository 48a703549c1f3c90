//! Two versions of a runbook: which of its notices differ, and whether anything else does.
//!
//! Not here: where in its text.

use super::{About, Difference};
use crate::definition::Definition;
use crate::id::Digest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Templates by name, and the runbook itself if more than they differs.
#[must_use]
pub fn definitions(old: &Definition, new: &Definition) -> Vec<Difference> {
    let names: BTreeSet<&String> = old.templates.keys().chain(new.templates.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let (was, is) = (old.templates.get(name), new.templates.get(name));
        if was != is {
            let digest = |text: Option<&String>| {
                text.map_or(Value::Null, |text| {
                    json!(Digest::of(text.as_bytes()).short())
                })
            };
            found.push(Difference::new(
                About::Template,
                name,
                digest(was),
                digest(is),
            ));
        }
    }
    // The digest of the source covers the templates too: it tells nothing more where they differ.
    let bare = |definition: &Definition| Definition {
        templates: Default::default(),
        source: Digest([0; 32]),
        ..definition.clone()
    };
    let is_same_source = found.is_empty() && old.source == new.source;
    if bare(old) != bare(new) || (found.is_empty() && !is_same_source) {
        let named = |definition: &Definition| {
            let Definition {
                runbook,
                version,
                source,
                ..
            } = definition;
            json!(format!("{runbook}@{version} {}", source.short()))
        };
        found.push(Difference::new(
            About::Runbook,
            &new.runbook,
            named(old),
            named(new),
        ));
    }
    found
}
