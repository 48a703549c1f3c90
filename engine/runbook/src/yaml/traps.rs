//! Syntax errors whose true cause is an expression without quotes: YAML reads ` #`, ` ? `, `: `, `{`
//! and `,` before the expression language sees them.

use crate::codes;
use crate::fault::Faults;
use crate::source::Span;

/// Turns a parser's complaint into a fault that names the remedy.
pub(crate) fn explain(faults: &mut Faults<'_>, at: usize, complaint: &str) {
    let text = faults.source().text.as_str();
    if let Some(start) = unquoted_expression(text, at) {
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |length| start + length);
        faults.add(
            codes::QUOTES,
            Span::new(start, end),
            "YAML takes this expression apart before it can be read",
            "put quotes round it: \"${{ … }}\"",
        );
        return;
    }
    let at = at.min(text.len());
    faults.add(
        codes::SYNTAX,
        Span::new(at, (at + 1).min(text.len())),
        complaint.to_owned(),
        remedy(complaint),
    );
}

fn remedy(complaint: &str) -> &'static str {
    if complaint.contains("tab") {
        "indent with spaces"
    } else if complaint.contains("directive") {
        "remove the line that begins with %"
    } else {
        "look at the indentation and the brackets here and on the line above; a text with : or # in it needs quotes"
    }
}

/// The nearest `${{` without quotes on the line of `at` or the line above it.
fn unquoted_expression(text: &str, at: usize) -> Option<usize> {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let line_start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let line_end = text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length);
    let above = text[..line_start.saturating_sub(1)]
        .rfind('\n')
        .map_or(0, |found| found + 1);
    [line_start..line_end, above..line_start]
        .into_iter()
        .find_map(|range| {
            let mut from = range.start;
            while let Some(found) = text.get(from..range.end)?.find("${{") {
                let start = from + found;
                let before = text[range.start..start].trim_end();
                if before.ends_with([':', '-', ',', '[']) {
                    return Some(start);
                }
                from = start + 3;
            }
            None
        })
}
