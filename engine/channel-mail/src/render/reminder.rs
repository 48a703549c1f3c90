//! The one message that no runbook writes: that a question is still open. Here, so that whoever renders the
//! runbooks' templates renders it too.

use super::{RenderFault, Rendered, SUBJECT_MAX_CHARACTERS, output};
use serde_json::Value;

/// # Errors
/// When the context does not say which question of which run it is.
pub fn render(name: &str, context: &Value) -> Result<Rendered, RenderFault> {
    let part = |pointer: &str| {
        let found = context.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| {
            let message = format!("a reminder does not say {pointer}");
            RenderFault::new(name, message, "mend the context")
        })
    };
    let (title, asked) = (part("/about/title")?, part("/about/asked")?);
    let (run, runbook) = (part("/run/id")?, part("/runbook/title")?);
    let text = format!(
        "You were asked at {asked}, and it is not settled yet:\n\n  {title}\n\n{runbook}, run {run}.\n\
         `hostler approve list --mine` and `hostler ask list --mine` show what waits for you.\n"
    );
    Ok(Rendered {
        subject: output::one_line(&format!("Reminder: {title}"), SUBJECT_MAX_CHARACTERS),
        text: output::clean(&text),
        html: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use crate::render::Templates;
    use hostler_core::mail::REMINDER;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn a_reminder_needs_no_template_and_stays_on_one_subject_line() {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let name = format!("{REMINDER}lane:1:2");
        let context = json!({
            "about": { "title": "Go on?\r\nBcc: eve@evil.example", "asked": "2026-11-22T10:00:00Z" },
            "run": { "id": "r1" }, "runbook": { "title": "Grow a disk" },
        });
        let rendered = templates.render_value(&name, &context).unwrap();
        assert!(
            !rendered.subject.contains(['\r', '\n']),
            "{:?}",
            rendered.subject
        );
        assert!(rendered.subject.starts_with("Reminder: Go on?"));
        for part in [
            "2026-11-22T10:00:00Z",
            "Grow a disk, run r1",
            "approve list --mine",
        ] {
            assert!(rendered.text.contains(part), "{}", rendered.text);
        }
        let fault = templates.render_value(&name, &json!({})).unwrap_err();
        assert!(fault.to_string().contains("/about/title"), "{fault}");
    }
}
