//! What a runbook takes, a line an input: its type, what it is chosen from, its rule.
//!
//! Not here: what somebody gives (`run`), and whether it is taken (the services).

use hostler_core::definition::{Definition, Input};
use hostler_core::directory::{Choice, Directory};
use serde_json::Value;
use std::fmt::Write;

/// Nothing for a runbook without inputs. Without an estate, or without entries, a list is only named.
pub fn listed(definition: &Definition, directory: Option<&dyn Directory>) -> String {
    let mut text = String::new();
    if !definition.inputs.is_empty() {
        text.push_str("inputs:\n");
    }
    for (name, input) in &definition.inputs {
        let kind = input.schema.get("type").and_then(Value::as_str);
        let must = if input.required {
            "required"
        } else {
            "optional"
        };
        let label = input.label.as_deref().unwrap_or_default();
        let _ = write!(text, "  {name}: {} ({must}) {label}", kind.unwrap_or("any"));
        let parts = [choices(input, directory), rule(input)];
        for part in parts.into_iter().flatten() {
            let _ = write!(text, "; {part}");
        }
        text.push('\n');
    }
    text
}

fn choices(input: &Input, directory: Option<&dyn Directory>) -> Option<String> {
    let list = input.from.as_ref()?;
    let entries = directory.and_then(|directory| list.entries(directory));
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
        return Some(format!("from {list}"));
    };
    let entries: Vec<String> = entries.iter().map(Choice::to_string).collect();
    Some(format!("one of: {}", entries.join(", ")))
}

fn rule(input: &Input) -> Option<String> {
    let must = input.must.as_ref()?;
    Some(format!("rule: {}", must.0))
}

#[cfg(test)]
mod tests {
    use super::listed;
    use hostler_estate::policies;
    use hostler_runbook::{Environment, SourceFile, check};

    const RUNBOOK: &str = "
runbook: sample
version: 1
title: Sample
owner: tests
inputs:
  count: { type: integer, default: 1, label: How many, must: \"${{ value < 5 }}\" }
  os: { type: string, from: catalog.os }
  why: { type: string, from: policies.emergency.triggers }
policy: { class: request, start: [operator] }
steps: [{ id: wait, wait: { for: 1m } }]
";

    #[test]
    fn an_input_tells_its_rule_and_what_it_is_chosen_from() {
        let source = SourceFile {
            name: "sample/v1.yaml".to_owned(),
            text: RUNBOOK.to_owned(),
            templates: Default::default(),
        };
        let definition = check(&source, &Environment::default()).definition.unwrap();
        let read = |_: &str| {
            Ok("zone: UTC\ncatalog: { os: [{ id: debian-13, label: Debian 13 }] }\n".to_owned())
        };
        let estate = hostler_estate::load(&["estate.yaml"], &read, &Default::default()).unwrap();
        let triggers =
            |_: &str| Ok("triggers: { exploited: { says: It is exploited } }".to_owned());
        let policies = policies::load(&["triggers.yaml"], &triggers, &Default::default()).unwrap();
        let count = "inputs:\n  count: integer (optional) How many; rule: value < 5\n";
        assert_eq!(
            listed(&definition, None),
            format!(
                "{count}  os: string (required) ; from the catalog os\n  why: string (required) ; from policies.emergency.triggers\n"
            )
        );
        assert_eq!(
            listed(&definition, Some(&estate.under(policies))),
            format!(
                "{count}  os: string (required) ; one of: debian-13 (Debian 13)\n  why: string (required) ; one of: exploited (It is exploited)\n"
            )
        );
    }
}
