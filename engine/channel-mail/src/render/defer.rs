//! How to ask for another time: behind an announcement whose recipient may put it off. No runbook writes it, so no
//! runbook can forget it or lead elsewhere.
//!
//! Not here: who may, and what the link opens.

use super::{Rendered, output};
use serde_json::Value;

const BEFORE: &str = "If this time does not suit you, you can put it off yourself:";
const AFTER: &str =
    "The link is yours alone and counts once. Opening it changes nothing: you choose there.";

/// The message with the way at its end, where the context has one.
pub fn with_way(rendered: Rendered, context: &Value) -> Rendered {
    with_link(rendered, context.get("defer"), [BEFORE, AFTER])
}

/// The message with a link between two sentences at its end; as it is without one.
pub(super) fn with_link(
    rendered: Rendered,
    link: Option<&Value>,
    [before, after]: [&str; 2],
) -> Rendered {
    let Some(link) = link.and_then(Value::as_str) else {
        return rendered;
    };
    let text = format!(
        "{}\n\n{before}\n\n  {link}\n\n{after}\n",
        rendered.text.trim_end()
    );
    let html = match rendered.html.is_empty() {
        true => String::new(),
        false => in_html(&rendered.html, &output::html_value(link), [before, after]),
    };
    Rendered {
        text: output::clean(&text),
        html,
        ..rendered
    }
}

fn in_html(html: &str, link: &str, [before, after]: [&str; 2]) -> String {
    let way = format!("<p>{before}<br><a href=\"{link}\">{link}</a><br>{after}</p>\n");
    match html.rfind("</body>") {
        Some(end) => format!("{}{way}{}", &html[..end], &html[end..]),
        None => format!("{html}\n{way}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_way_stands_at_the_end_of_both_parts_and_only_where_there_is_one() {
        let rendered = Rendered {
            subject: "Work".to_owned(),
            text: "We patch.\n".to_owned(),
            html: "<html><body><p>We patch.</p></body></html>".to_owned(),
        };
        assert_eq!(with_way(rendered.clone(), &json!({})), rendered);
        let link = "https://runs.example/defer/abc&b";
        let with = with_way(rendered, &json!({ "defer": link }));
        assert!(
            with.text.starts_with("We patch.\n\nIf this time"),
            "{}",
            with.text
        );
        assert!(
            with.text.contains(&format!("\n  {link}\n")),
            "{}",
            with.text
        );
        assert!(with.html.ends_with("</p>\n</body></html>"), "{}", with.html);
        assert!(with.html.contains("abc&amp;b\""), "{}", with.html);
    }
}
