//! What is sent: one JSON object in the form that the other side reads.
//!
//! Not here: the words (templates), and sending.

use hostler_ports::channel::Message;
use serde_json::{Value, json};

/// Longest text of a chat message, in characters; what is longer ends with a note.
const TEXT_MAX_CHARACTERS: usize = 8_000;
/// Largest body in bytes, whatever its form.
pub const BODY_MAX_BYTES: usize = 256 * 1024;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An incoming webhook of Slack, or of what speaks like it.
    Slack,
    /// A workflow of Teams: an adaptive card.
    Teams,
    /// A program: message id, references, subject, text, HTML and calendar file as they are.
    Json,
}

impl Form {
    /// None for what is no form: `slack`, `teams`, `json`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "slack" => Some(Self::Slack),
            "teams" => Some(Self::Teams),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// # Errors
/// When the message is empty or its body too long.
pub fn body(form: Form, message: &Message) -> Result<Vec<u8>, String> {
    for (part, content) in [("subject", &message.subject), ("text", &message.text)] {
        if content.trim().is_empty() {
            return Err(format!("the {part} is empty; no empty message is sent"));
        }
    }
    let text = bounded(&message.text);
    let value = match form {
        Form::Slack => json!({
            "text": format!("*{}*\n{}", plain(&message.subject), plain(&text)),
            "unfurl_links": false,
        }),
        Form::Teams => card(&message.subject, &text),
        Form::Json => json!({
            "message_id": message.message_id,
            "references": message.references,
            "to": message.to_address,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "calendar": message.calendar,
        }),
    };
    let bytes = value.to_string().into_bytes();
    if bytes.len() > BODY_MAX_BYTES {
        return Err(format!(
            "the body has {} bytes, at most {BODY_MAX_BYTES} are sent; list less",
            bytes.len()
        ));
    }
    Ok(bytes)
}

fn card(subject: &str, text: &str) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [
                    { "type": "TextBlock", "text": subject, "weight": "Bolder", "wrap": true },
                    { "type": "TextBlock", "text": text, "wrap": true },
                ],
            },
        }],
    })
}

/// Names of a customer cannot call a whole room (`<!channel>`) or hide where a link goes.
fn plain(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX_CHARACTERS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(TEXT_MAX_CHARACTERS).collect();
    format!("{kept}\n… (shortened)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message {
            message_id: "m@main.hostler".to_owned(),
            references: vec!["first@main.hostler".to_owned()],
            to_name: "Chemistry".to_owned(),
            to_address: "room@chem.example".to_owned(),
            subject: "Maintenance on Sunday".to_owned(),
            text: text.to_owned(),
            html: "<p>x</p>".to_owned(),
            calendar: None,
            unsubscribe: None,
            return_tag: None,
        }
    }

    fn sent(form: Form, text: &str) -> Value {
        serde_json::from_slice(&body(form, &message(text)).unwrap()).unwrap()
    }

    #[test]
    fn each_form_says_subject_and_text_where_its_reader_looks() {
        let slack = sent(Form::Slack, "web1 <!channel> & more");
        assert_eq!(
            slack["text"],
            "*Maintenance on Sunday*\nweb1 &lt;!channel&gt; &amp; more"
        );
        let teams = sent(Form::Teams, "web1 restarts");
        let card = &teams["attachments"][0]["content"];
        assert_eq!(card["body"][0]["text"], "Maintenance on Sunday");
        assert_eq!(card["body"][1]["text"], "web1 restarts");
        let json = sent(Form::Json, "web1 restarts");
        assert_eq!(json["message_id"], "m@main.hostler");
        assert_eq!(json["references"][0], "first@main.hostler");
    }

    #[test]
    fn no_empty_message_and_no_endless_one_is_sent() {
        assert!(body(Form::Json, &message(" \n")).is_err());
        let long = "x".repeat(TEXT_MAX_CHARACTERS + 1);
        let slack = sent(Form::Slack, &long);
        assert!(slack["text"].as_str().unwrap().ends_with("(shortened)"));
        let long = "x".repeat(BODY_MAX_BYTES);
        assert!(
            body(Form::Json, &message(&long))
                .unwrap_err()
                .contains("list less")
        );
    }
}
