//! Open questions as text: what is asked, what is displayed, and the command that answers.

use super::show::{named, short, value_line};
use crate::output::Rows;
use crate::times;
use hostler_api::services::waiting::WaitingView;
use hostler_core::lane::PersonKind;
use hostler_core::view::WaitingRow;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Items of a display: who approves reads each of them.
const ITEMS_MAX: usize = 200;

/// What waits, and the command that goes on.
pub fn question_line(row: &WaitingRow) -> String {
    let of = row
        .key
        .as_ref()
        .map(|key| format!(" ({key})"))
        .unwrap_or_default();
    format!(
        "\nwaiting: {}{of}\n  for {}\n  {}\n",
        row.title,
        wanted(row),
        next_command(row)
    )
}

pub fn wanted(row: &WaitingRow) -> String {
    let clauses: Vec<String> = row
        .clauses
        .iter()
        .map(|clause| clause.any_of.join(" or "))
        .collect();
    let votes = if row.votes.is_empty() {
        String::new()
    } else {
        format!(", {} voted", row.votes.len())
    };
    let code = match row.step_up {
        Some(_) => ", yes with a code",
        None => "",
    };
    format!(
        "{} ({} needed{votes}{code})",
        clauses.join(" and "),
        row.quorum.max(1)
    )
}

/// The exact command that answers a question.
pub fn next_command(row: &WaitingRow) -> String {
    let lane = short(row.lane);
    match row.kind {
        PersonKind::Approve | PersonKind::WaveGate => format!("hostler approve yes {lane}"),
        PersonKind::Ask | PersonKind::NeedsHuman => format!("hostler ask answer {lane}"),
        PersonKind::InDoubt => format!("hostler approve choose {lane} done|retry|fail"),
        PersonKind::Overflow => format!("hostler approve choose {lane} next|leave|stop"),
        _ => format!("hostler approve choose {lane} retry|skip|fail"),
    }
}

pub fn waiting_rows(waiting: &[WaitingRow]) -> Rows {
    let mut rows = Rows::new(&["question", "run", "kind", "title", "asked", "until", "of"]);
    for row in waiting {
        rows.add(vec![
            short(row.lane),
            short(row.run),
            kind(row.kind).to_owned(),
            row.key
                .as_ref()
                .map_or_else(|| row.title.clone(), |key| format!("{} ({key})", row.title)),
            times::local(row.asked_ms),
            row.expires_ms.map(times::local).unwrap_or_default(),
            wanted(row),
        ]);
    }
    rows
}

fn kind(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::Approve => "approve",
        PersonKind::WaveGate => "gate",
        PersonKind::Ask => "ask",
        PersonKind::NeedsHuman => "needs you",
        PersonKind::InDoubt => "in doubt",
        PersonKind::Failure => "failure",
        PersonKind::UndoFailed => "undo failed",
        PersonKind::Exhausted => "exhausted",
        PersonKind::Quarantine => "quarantine",
        PersonKind::Overflow => "windows used up",
    }
}

/// What a yes agrees to, must type back and may waive.
fn conditions(shown: &Value) -> String {
    let mut text = String::new();
    for term in shown
        .get("terms")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let part = |name: &str| term.get(name).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(
            text,
            "\nterms `{}` ({}):\n{}",
            part("name"),
            part("digest"),
            part("text")
        );
    }
    if let Some(typed) = shown.get("typed").and_then(Value::as_str) {
        let _ = writeln!(text, "\na yes must type back: {typed} (--typed)");
    }
    if let Some(waivers) = shown.get("may_waive") {
        let _ = writeln!(text, "\na yes may waive: {} (--waive)", value_line(waivers));
    }
    text
}

pub fn question(view: &WaitingView) -> String {
    let row = &view.row;
    let mut text = format!(
        "{}\n  run   {}\n  step  {}\n  asked {}\n  of    {}\n",
        row.title,
        row.run,
        row.step,
        times::local(row.asked_ms),
        wanted(row)
    );
    let _ = writeln!(text, "  who   {}", named(&view.people));
    let _ = writeln!(text, "  signs {}", row.signs);
    for (name, value) in [
        ("until", row.expires_ms.map(times::local)),
        ("why  ", row.reason.clone()),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name} {value}");
        }
    }
    for vote in &row.votes {
        let said = if vote.yes { "yes" } else { "no" };
        let comment = vote
            .comment
            .as_ref()
            .map(|comment| format!(": {comment}"))
            .unwrap_or_default();
        let by = if vote.stepped_up { " with a code" } else { "" };
        let _ = writeln!(text, "  {} said {said}{by}{comment}", vote.who());
    }
    if row.step_up.is_some() {
        let _ = writeln!(
            text,
            "  code  a yes needs what your authenticator app shows (--code); a no does not"
        );
    }
    if let Some(say) = view.shown.get("say").and_then(Value::as_str) {
        let _ = writeln!(text, "\n{say}");
    }
    text.push_str(&conditions(&view.shown));
    if let Some(plan) = view.shown.get("plan").filter(|plan| !plan.is_null()) {
        let _ = writeln!(text, "\nplan:");
        for (key, value) in plan.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("windows", Value::Object(windows)) => text.push_str(&opening(windows)),
                ("waves", Value::Array(waves)) => text.push_str(&waves_of(waves)),
                _ => {
                    let _ = writeln!(text, "  {key}: {}", value_line(value));
                }
            }
        }
    }
    for (name, value) in view
        .shown
        .get("show")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        match by_item(value) {
            Some(table) => {
                let _ = writeln!(text, "\n{name}:\n{table}");
            }
            None => {
                let _ = writeln!(text, "\n{name}: {}", value_line(value));
            }
        }
    }
    if !row.form.is_null() {
        text.push_str(&form(&row.form));
    }
    let _ = write!(text, "\n{}", next_command(row));
    text
}

/// When the windows open, a line each.
fn opening(windows: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (window, rule) in windows {
        let _ = writeln!(text, "  window {window}: {}", value_line(rule));
    }
    text
}

/// When the waves open and how long they soak, a line each.
fn waves_of(waves: &[Value]) -> String {
    let mut text = String::new();
    for wave in waves {
        let _ = writeln!(text, "  wave {}", value_line(wave));
    }
    text
}

/// What an `each` collected: a line an item.
fn by_item(value: &Value) -> Option<String> {
    let by = value.get("by")?.as_object()?;
    let fields = |item: &Value| {
        let fields = item.as_object().into_iter().flatten();
        let cell = |(name, value): (&String, &Value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}={other}"),
        };
        fields.map(cell).collect::<Vec<_>>().join("  ")
    };
    let lines = by
        .iter()
        .take(ITEMS_MAX)
        .map(|(item, value)| format!("  {item:<16} {}", fields(value)));
    let mut lines: Vec<String> = lines.collect();
    if by.len() > ITEMS_MAX {
        lines.push(format!(
            "  and {} more (-o json shows all)",
            by.len() - ITEMS_MAX
        ));
    }
    Some(lines.join("\n"))
}

/// The fields of a form with what each wants.
pub fn form(schema: &Value) -> String {
    let mut text = "\nfields:\n".to_owned();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let label = field
            .get("title")
            .or_else(|| field.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let kind = field.get("type").map(value_line).unwrap_or_default();
        let said = |what: &str| field.get(what).and_then(Value::as_str);
        let must = match said("x-reason-of") {
            Some(of) => format!("required with {of}"),
            None if required.contains(&name.as_str()) => "required".to_owned(),
            None => "optional".to_owned(),
        };
        let rule = said("x-must").map_or_else(String::new, |rule| format!("; rule: {rule}"));
        let _ = writeln!(
            text,
            "  {name}: {} ({must}) {label}{rule}",
            kind.trim_matches('"')
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_tells_its_rule_and_what_its_reason_is_wanted_with() {
        let schema = json!({ "required": ["many"], "properties": {
            "many": { "type": "integer", "title": "How many", "x-must": "value < 5" },
            "many_reason": { "type": "string", "title": "Reason: How many", "x-reason-of": "many" },
        } });
        assert_eq!(
            form(&schema),
            "\nfields:\n  many: integer (required) How many; rule: value < 5\n  many_reason: string (required with many) Reason: How many\n"
        );
    }

    #[test]
    fn waves_of_a_plan_are_a_line_each() {
        let waves = [
            json!("canary (patch): opens at once, soaks 5d"),
            json!("rest (patch): opens 9d after the start"),
        ];
        assert_eq!(
            waves_of(&waves),
            "  wave canary (patch): opens at once, soaks 5d\n  wave rest (patch): opens 9d after the start\n"
        );
    }
}
