//! What a customer is told about an announcement where the runbook has no words of its own: that it changed, with
//! the difference, and that it is near. A runbook's own `<template>.changed` or `.reminder` comes first.
//!
//! Not here: who is told, and what differs.

use super::{RenderFault, Rendered, SUBJECT_MAX_CHARACTERS, output};
use serde_json::Value;

/// Whether a message of this name needs no template.
pub fn is_follow(name: &str) -> bool {
    name.ends_with(".changed") || name.ends_with(".reminder")
}

/// # Errors
/// When the context does not say what every notice to a customer says.
pub fn render(name: &str, context: &Value) -> Result<Rendered, RenderFault> {
    let part = |pointer: &str| {
        let found = context.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| {
            let message = format!("a notice does not say {pointer}");
            RenderFault::new(name, message, "mend the context")
        })
    };
    let (title, customer) = (part("/runbook/title")?, part("/customer/name")?);
    let (starts, ends) = (part("/when/start_local")?, part("/when/end_local")?);
    let (zone, starts_utc) = (part("/when/zone")?, part("/when/start_utc")?);
    let (reference, contact) = (part("/run/reference")?, part("/contact")?);
    let (what, lines) = if name.ends_with(".changed") {
        ("Changed", changes(context))
    } else {
        ("Reminder", assets(context))
    };
    if lines.is_empty() {
        let message = format!("{name} has nothing to say");
        return Err(RenderFault::new(name, message, "mend the context"));
    }
    let says = match what {
        "Changed" => "What we announced to you has changed:",
        _ => "What we announced to you is near. Your servers:",
    };
    let text = format!(
        "{customer},\n\n{says}\n\n{lines}\nFrom {starts} to {ends} ({zone}; from {starts_utc}).\n\n\
         Questions, or another time: {contact}\nReference: {reference}\n"
    );
    Ok(Rendered {
        subject: output::one_line(
            &format!("{what}: {title}, {starts}"),
            SUBJECT_MAX_CHARACTERS,
        ),
        text: output::clean(&text),
        html: String::new(),
    })
}

pub(super) fn list(
    context: &Value,
    field: &str,
    line: impl Fn(&Value) -> Option<String>,
) -> String {
    let items = context.pointer(field).and_then(Value::as_array);
    let lines = items.into_iter().flatten().filter_map(line);
    // One line each: a name cannot begin another.
    lines
        .map(|line| format!("  {}\n", output::one_line(&line, 500)))
        .collect()
}

fn changes(context: &Value) -> String {
    list(context, "/changes", |change| {
        let text = |field: &str| change.get(field)?.as_str();
        Some(format!(
            "{}: was {}, is {}",
            text("name")?,
            text("was")?,
            text("is")?
        ))
    })
}

fn assets(context: &Value) -> String {
    list(context, "/assets", |asset| {
        Some(asset.get("name")?.as_str()?.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use crate::render::Templates;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn context() -> Value {
        json!({
            "runbook": { "title": "Monthly patching\r\nBcc: eve@evil.example" },
            "customer": { "name": "Chemistry" },
            "run": { "reference": "0b6c9e6e" }, "contact": "patching@platform.example",
            "when": {
                "start_local": "Sunday 6 December 2026 02:00", "end_local": "Sunday 6 December 2026 06:00",
                "start_utc": "2026-12-06T01:00:00Z", "zone": "Europe/Berlin",
            },
            "assets": [{ "name": "chem-web1" }],
            "changes": [{ "name": "chem-web1", "was": "Sunday 29 November 2026 02:00",
                          "is": "Sunday 6 December 2026 02:00" }],
        })
    }

    #[test]
    fn a_change_says_what_was_and_what_is_without_a_template() {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let rendered = templates
            .render_value("maintenance.changed", &context())
            .unwrap();
        assert!(
            !rendered.subject.contains(['\r', '\n']),
            "{:?}",
            rendered.subject
        );
        let line = "chem-web1: was Sunday 29 November 2026 02:00, is Sunday 6 December 2026 02:00";
        assert!(rendered.text.contains(line), "{}", rendered.text);
        let mut empty = context();
        empty["changes"] = json!([]);
        assert!(
            templates
                .render_value("maintenance.changed", &empty)
                .is_err()
        );
    }

    #[test]
    fn a_runbooks_own_words_come_first() {
        let own = [
            ("m.reminder.subject", "Own {{count}}"),
            ("m.reminder.text", "own words"),
        ];
        let own = own.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let templates = Templates::compile(&BTreeMap::from(own)).unwrap();
        let mut context = context();
        context["count"] = json!(1);
        let rendered = templates.render_value("m.reminder", &context).unwrap();
        assert_eq!(rendered.subject, "Own 1");
        let other = templates.render_value("other.reminder", &context).unwrap();
        assert!(other.text.contains("chem-web1") && other.subject.starts_with("Reminder: "));
    }
}
