//! The message that asks: what is asked, of which run, and the way to decide. No runbook writes it.
//!
//! Not here: who is asked, and what a link opens.

use super::{RenderFault, Rendered, SUBJECT_MAX_CHARACTERS, output};
use serde_json::Value;
use std::fmt::Write as _;

/// # Errors
/// When the context does not say which question of which run it is.
pub fn render(name: &str, context: &Value) -> Result<Rendered, RenderFault> {
    let may = |pointer: &str| context.pointer(pointer).and_then(Value::as_str);
    let part = |pointer: &str| {
        may(pointer).ok_or_else(|| {
            let message = format!("a question does not say {pointer}");
            RenderFault::new(name, message, "mend the context")
        })
    };
    let (title, question) = (part("/about/title")?, part("/about/question")?);
    let (run, runbook) = (part("/run/id")?, part("/runbook/title")?);
    let mut text = format!("You are asked:\n\n  {title}\n\n{runbook}, run {run}.\n");
    text.push_str(&servers(context));
    if let Some(until) = may("/about/until") {
        let _ = writeln!(text, "Open until {until}.");
    }
    let needs_code = context.pointer("/about/code") == Some(&Value::Bool(true));
    if needs_code {
        text.push_str("A yes needs the code of your authenticator app, a no needs none.\n");
    }
    let takes = part("/about/takes")?;
    let code = if needs_code { " --code CODE" } else { "" };
    text.push_str(&way(may("/link"), question, takes, code));
    if let Some(contact) = may("/contact") {
        let _ = writeln!(text, "\nQuestions: {contact}");
    }
    Ok(Rendered {
        subject: output::one_line(&format!("You are asked: {title}"), SUBJECT_MAX_CHARACTERS),
        text: output::clean(&text),
        html: String::new(),
    })
}

fn servers(context: &Value) -> String {
    let named = context.get("servers").and_then(Value::as_array);
    let named: Vec<&str> = named
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let all = context.get("targets").and_then(Value::as_u64).unwrap_or(0);
    let more = all.saturating_sub(named.len() as u64);
    match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("Servers: {}.\n", named.join(", ")),
        (false, more) => format!("Servers: {} and {more} more.\n", named.join(", ")),
    }
}

fn way(link: Option<&str>, question: &str, takes: &str, code: &str) -> String {
    if let Some(link) = link {
        return format!(
            "\nLook at it and decide:\n\n  {link}\n\n\
             The link is yours alone: whoever has it decides as you. Opening it decides nothing.\n"
        );
    }
    match takes {
        "answer" => format!(
            "\nLook at it:  hostler ask show {question}\n\
             Answer it:   hostler ask answer {question}\n"
        ),
        _ => format!(
            "\nLook at it:  hostler approve show {question}\n\
             Decide:      hostler approve yes {question}{code}\n\
             \u{20}            hostler approve no {question}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::render::Templates;
    use hostler_core::mail::ASKED;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn context() -> Value {
        json!({
            "about": { "title": "Go on?\r\nBcc: eve@evil.example", "question": "q1", "takes": "decision", "until": "2026-11-22T10:00:00Z" },
            "run": { "id": "r1" }, "runbook": { "title": "Grow a disk" }, "contact": "platform@practice.example",
            "servers": ["web1", "web2"], "targets": 5,
        })
    }

    fn rendered(context: &Value) -> Result<(String, String), String> {
        let templates = Templates::compile(&BTreeMap::new()).unwrap();
        let rendered = templates.render_value(&format!("{ASKED}lane:1:ab"), context);
        let rendered = rendered.map_err(|fault| fault.to_string())?;
        Ok((rendered.subject, rendered.text))
    }

    #[test]
    fn a_question_with_a_link_shows_it_and_one_without_says_the_commands() {
        let mut context = context();
        let (subject, text) = rendered(&context).unwrap();
        assert!(subject.starts_with("You are asked: Go on?") && !subject.contains(['\r', '\n']));
        let commands = ["approve show q1", "approve yes q1", "approve no q1"];
        let known = [
            "web1, web2 and 3 more",
            "2026-11-22T10:00:00Z",
            "run r1",
            "platform@",
        ];
        for part in commands.iter().chain(&known) {
            assert!(text.contains(part), "{part}: {text}");
        }
        context["link"] = "https://runs.example/decide/abc".into();
        let (_, text) = rendered(&context).unwrap();
        assert!(text.contains("https://runs.example/decide/abc"), "{text}");
        assert!(!text.contains("hostler approve"), "{text}");
        context["link"] = Value::Null;
        context["about"]["takes"] = "answer".into();
        assert!(rendered(&context).unwrap().1.contains("ask answer q1"));
    }

    #[test]
    fn whoever_needs_a_code_for_a_yes_is_told_before_they_look() {
        let mut context = context();
        assert!(!rendered(&context).unwrap().1.contains("code"));
        context["about"]["code"] = true.into();
        let (_, text) = rendered(&context).unwrap();
        for part in [
            "authenticator app",
            "approve yes q1 --code CODE",
            "approve no q1\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        context["link"] = "https://runs.example/decide/abc".into();
        assert!(rendered(&context).unwrap().1.contains("authenticator app"));
    }

    #[test]
    fn a_message_that_does_not_say_its_question_is_not_sent() {
        let fault = rendered(&json!({ "about": { "title": "Go?" } })).unwrap_err();
        assert!(fault.contains("/about/question"), "{fault}");
    }
}
