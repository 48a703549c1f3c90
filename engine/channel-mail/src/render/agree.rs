//! How to agree, or to object: behind an announcement whose customer is asked. No runbook writes it, so no runbook can
//! forget it or lead elsewhere.
//!
//! Not here: who may, and what the link opens.

use super::Rendered;
use super::defer::with_link;
use serde_json::Value;

const BEFORE: &str = "Do you agree to this work, or object? Say it yourself:";
const AFTER: &str = "The link is yours alone. Opening it changes nothing: you choose there, and may change your mind \
                     until the work begins.";

/// The message with the way at its end, where the context has one.
pub fn with_way(rendered: Rendered, context: &Value) -> Rendered {
    with_link(rendered, context.get("agree"), [BEFORE, AFTER])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_is_asked_finds_the_way_in_both_parts_and_nobody_else_does() {
        let rendered = Rendered {
            subject: "Work".to_owned(),
            text: "We patch.\n".to_owned(),
            html: "<html><body><p>We patch.</p></body></html>".to_owned(),
        };
        let defers = json!({ "defer": "https://runs.example/defer/abc" });
        assert_eq!(with_way(rendered.clone(), &defers), rendered);
        let asked = json!({ "agree": "https://runs.example/agree/abc&b" });
        let with = with_way(rendered, &asked);
        let text = "We patch.\n\nDo you agree to this work, or object? Say it yourself:\n\n  https://runs.example/agree/abc&b\n";
        assert!(with.text.starts_with(text), "{}", with.text);
        assert!(with.html.contains("agree/abc&amp;b\""), "{}", with.html);
        assert!(with.html.ends_with("</p>\n</body></html>"), "{}", with.html);
    }
}
