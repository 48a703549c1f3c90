//! The message that a lease ends soon: what ends when and where, of which run, and what can still be done. No runbook
//! writes it.
//!
//! Not here: who is told, and when.

use super::{RenderFault, Rendered, SUBJECT_MAX_CHARACTERS, output};
use serde_json::Value;
use std::fmt::Write as _;

/// # Errors
/// When the context does not say which lease of which run it is, or when it ends.
pub fn render(name: &str, context: &Value) -> Result<Rendered, RenderFault> {
    let may = |pointer: &str| context.pointer(pointer).and_then(Value::as_str);
    let part = |pointer: &str| {
        may(pointer).ok_or_else(|| {
            let message = format!("the end of a lease does not say {pointer}");
            RenderFault::new(name, message, "mend the context")
        })
    };
    let (what, step, ends) = (
        part("/about/what")?,
        part("/about/step")?,
        part("/about/ends")?,
    );
    let (action, run, runbook) = (
        part("/about/action")?,
        part("/run/id")?,
        part("/runbook/title")?,
    );
    let on = match may("/about/name").or(may("/about/asset")) {
        Some(asset) => format!(" on {asset}"),
        None => String::new(),
    };
    let mut text = format!(
        "\"{what}\"{on} ends at {ends}.\n\n{runbook}, run {run}, step {step}.\n\n\
         Then {action} is done by itself; nobody is asked, and nothing puts it off. Whoever still needs what it ends takes \
         over or secures what they need before. It ends sooner where its run comes to `release: {step}`.\n"
    );
    let blocks = context.pointer("/about/blocks").and_then(Value::as_array);
    let blocks: Vec<&str> = blocks
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !blocks.is_empty() {
        let _ = writeln!(text, "Until then it keeps off: {}.", blocks.join(", "));
    }
    if let Some(contact) = may("/contact") {
        let _ = writeln!(text, "\nQuestions: {contact}");
    }
    let subject = format!("Ends soon: {what}{on}, {ends}");
    Ok(Rendered {
        subject: output::one_line(&subject, SUBJECT_MAX_CHARACTERS),
        text: output::clean(&text),
        html: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use crate::render::Templates;
    use hostler_core::mail::LEASE_ENDS;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn context() -> Value {
        json!({
            "about": { "what": "Safe copy\r\nBcc: eve@evil.example", "step": "safe", "asset": "web1", "name": "Web 1",
                       "action": "compute.safe-copy-drop", "blocks": ["compute.disk-grow"], "ends": "2026-12-01T08:00:00Z" },
            "run": { "id": "r1" }, "runbook": { "title": "Restore" }, "contact": "platform@practice.example",
        })
    }

    #[test]
    fn whoever_owns_a_lease_reads_what_ends_when_where_and_what_to_do() {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let rendered = templates.render_value(LEASE_ENDS, &context()).unwrap();
        assert!(
            rendered.subject.starts_with("Ends soon: Safe copy"),
            "{}",
            rendered.subject
        );
        assert!(!rendered.subject.contains(['\r', '\n']));
        let parts = [
            "on Web 1 ends at 2026-12-01T08:00:00Z",
            "Restore, run r1, step safe",
            "compute.safe-copy-drop is done by itself",
            "secures what they need before",
            "`release: safe`",
            "keeps off: compute.disk-grow",
            "platform@practice.example",
        ];
        for part in parts {
            assert!(rendered.text.contains(part), "{part}: {}", rendered.text);
        }
    }

    #[test]
    fn a_message_that_does_not_say_when_the_lease_ends_is_not_sent() {
        let mut context = context();
        context["about"]["ends"] = Value::Null;
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let fault = templates.render_value(LEASE_ENDS, &context).unwrap_err();
        assert!(fault.to_string().contains("/about/ends"), "{fault}");
    }
}
