//! What a customer is told while announced work goes on, where the runbook has no words of its own: which servers are
//! done, which are worked on, which wait and for what, and when the next message comes. A runbook's own
//! `<template>.progress` comes first.
//!
//! Not here: who is told, how often, and how far it is.

use super::follow::list;
use super::{RenderFault, Rendered, SUBJECT_MAX_CHARACTERS, output};
use serde_json::Value;

/// Whether a message of this name needs no template.
pub fn is_progress(name: &str) -> bool {
    name.ends_with(".progress")
}

/// # Errors
/// When the context does not say what every notice to a customer says, or names no server.
pub fn render(name: &str, context: &Value) -> Result<Rendered, RenderFault> {
    let fault = |message: String| RenderFault::new(name, message, "mend the context");
    let part = |pointer: &str| {
        let found = context.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| fault(format!("a notice does not say {pointer}")))
    };
    let (title, customer) = (part("/runbook/title")?, part("/customer/name")?);
    let (next, next_utc) = (part("/progress/next_local")?, part("/progress/next_utc")?);
    let (zone, reference, contact) = (
        part("/when/zone")?,
        part("/run/reference")?,
        part("/contact")?,
    );
    let lines = servers(context);
    if lines.is_empty() {
        return Err(fault(format!("{name} has nothing to say")));
    }
    let after = match next {
        "" => "This is the last message before all of it is over.".to_owned(),
        next => {
            format!("We write again at {next} ({zone}; {next_utc}), or when all of it is over.")
        }
    };
    let text = format!(
        "{customer},\n\nWhat we announced to you goes on. Your servers:\n\n{lines}\n{after}\n\n\
         Questions: {contact}\nReference: {reference}\n"
    );
    Ok(Rendered {
        subject: output::one_line(&format!("In progress: {title}"), SUBJECT_MAX_CHARACTERS),
        text: output::clean(&text),
        html: String::new(),
    })
}

fn servers(context: &Value) -> String {
    let text = |server: &Value, field: &str| server.get(field)?.as_str().map(str::to_owned);
    let name = |server: &Value| text(server, "name");
    let ended = list(context, "/progress/ended", |server| {
        Some(format!(
            "{}: over, {}",
            name(server)?,
            text(server, "result")?
        ))
    });
    let going_on = list(context, "/progress/going_on", |server| {
        Some(format!("{}: we work on it", name(server)?))
    });
    let waiting = list(context, "/progress/waiting", |server| {
        let what = text(server, "waits_for")?;
        Some(format!("{}: waits for {what}", name(server)?))
    });
    ended + &going_on + &waiting
}

#[cfg(test)]
mod tests {
    use crate::render::Templates;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn context(next: &str) -> Value {
        json!({
            "runbook": { "title": "Emergency patch\r\nBcc: eve@evil.example" },
            "customer": { "name": "Chemistry" },
            "run": { "reference": "0b6c9e6e" }, "contact": "patching@platform.example",
            "when": { "zone": "Europe/Berlin" },
            "progress": {
                "ended": [{ "name": "chem-web1", "result": "succeeded" }],
                "going_on": [{ "name": "chem-web2\n  eve-web1: over, succeeded" }],
                "waiting": [{ "name": "chem-db1", "waits_for": "those before it" }],
                "next_local": next, "next_utc": next,
            },
        })
    }

    fn rendered(next: &str) -> crate::render::Rendered {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let rendered = templates.render_value("emergency.progress", &context(next));
        rendered.unwrap()
    }

    #[test]
    fn how_it_goes_is_told_without_a_template_server_by_server() {
        let told = rendered("Sunday 6 December 2026 03:00");
        assert!(!told.subject.contains(['\r', '\n']), "{:?}", told.subject);
        for line in [
            "\n  chem-web1: over, succeeded\n",
            "\n  chem-db1: waits for those before it\n",
            "We write again at Sunday 6 December 2026 03:00 (Europe/Berlin;",
        ] {
            assert!(told.text.contains(line), "{}", told.text);
        }
        assert!(!told.text.contains("\n  eve-web1"), "{}", told.text);
        assert!(rendered("").text.contains("the last message"));
    }

    #[test]
    fn a_message_that_names_no_server_is_not_sent() {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let mut context = context("");
        context["progress"] = json!({ "next_local": "", "next_utc": "" });
        let fault = templates.render_value("emergency.progress", &context);
        assert!(fault.unwrap_err().to_string().contains("nothing to say"));
    }
}
