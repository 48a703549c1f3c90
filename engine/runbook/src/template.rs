//! Notice templates as far as a check needs them: read, refused where they would not escape, and
//! rendered with sample data. Sending is somebody else's.

use handlebars::{Handlebars, RenderErrorReason};
use serde_json::{Value, json};

/// Stages of a maintenance that customers are told about.
pub const STAGES: [&str; 4] = ["scheduled", "started", "completed", "cancelled"];
/// Parts that every message has; HTML comes beside the text.
pub const REQUIRED_PARTS: [&str; 2] = ["subject", "text"];
/// Parts that a file's name may end in, before `.hbs`.
const PARTS: [&str; 3] = ["subject", "text", "html"];
/// Longest rendered message in bytes.
pub const OUTPUT_MAX_BYTES: usize = 256 * 1024;
/// Longest template in bytes.
const TEMPLATE_MAX_BYTES: usize = 64 * 1024;
/// Helpers that a template may use.
const HELPERS: [&str; 3] = ["if", "unless", "each"];

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// It would put text into the message without escaping it.
    pub raw: bool,
    pub message: String,
    pub remedy: String,
}

fn problem(line: usize, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem {
        line,
        raw: false,
        message: message.into(),
        remedy: remedy.into(),
    }
}

/// What a message is about: it decides which names a template can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a customer whose servers are worked on.
    Notice,
    /// To staff, about a run.
    Report,
}

impl Kind {
    fn names(self) -> &'static str {
        match self {
            Self::Notice => {
                "use customer, run, runbook, assets, count, when, stage, impact, contact, note, changes, progress"
            }
            Self::Report => {
                "use run, runbook, assets, targets, steps, when.start_utc, when.end_utc, stage, contact, note"
            }
        }
    }

    fn sample(self) -> Value {
        match self {
            Self::Notice => sample(),
            Self::Report => report_sample(),
        }
    }
}

/// What a report to staff can use.
#[must_use]
pub fn report_sample() -> Value {
    json!({
        "run": { "id": "0b6c9e6e-6a5c-5d0f-8a43-2f6a8d2f3c11", "reference": "0b6c9e6e", "starter": "olga" },
        "runbook": { "id": "monthly-patch", "title": "Monthly OS patching", "version": 1 },
        "targets": 2,
        "assets": [{ "id": "chem-web1", "name": "chem-web1" }, { "id": "chem-web2", "name": "chem-web2" }],
        "note": "",
        "contact": "patching@platform.example",
        "steps": [{ "id": "patch", "state": "succeeded", "total": 2, "results": "2 succeeded" }],
        "about": Value::Null,
        "stage": "report",
        "when": { "start_utc": "2026-04-12T07:00:00Z", "end_utc": "2026-04-12T11:00:00Z" },
    })
}

/// What a notice to a customer can use: the same shape as the real one.
#[must_use]
pub fn sample() -> Value {
    json!({
        "customer": { "id": "chemistry", "name": "Department of Chemistry" },
        "run": { "id": "0b6c9e6e-6a5c-5d0f-8a43-2f6a8d2f3c11", "reference": "0b6c9e6e" },
        "runbook": { "id": "monthly-patch", "title": "Monthly OS patching", "version": 1 },
        "assets": [
            { "id": "chem-web1", "name": "chem-web1", "result": "planned" },
            { "id": "chem-web2", "name": "chem-web2", "result": "planned" },
        ],
        "count": 2,
        "when": {
            "start_local": "Sunday 12 April 2026 02:00",
            "start_utc": "2026-04-12T07:00:00Z",
            "end_local": "Sunday 12 April 2026 06:00",
            "end_utc": "2026-04-12T11:00:00Z",
            "zone": "America/Chicago",
        },
        "stage": "scheduled",
        "impact": "A short interruption while services restart.",
        "contact": "patching@platform.example",
        "note": "",
        "changes": [
            { "name": "chem-web1", "was": "Sunday 5 April 2026 02:00", "is": "Sunday 12 April 2026 02:00" },
        ],
        "progress": {
            "ended": [{ "id": "chem-web1", "name": "chem-web1", "result": "succeeded" }],
            "going_on": [{ "id": "chem-web2", "name": "chem-web2" }],
            "waiting": [{ "id": "chem-db1", "name": "chem-db1", "waits_for": "those before it" }],
            "next_local": "Sunday 12 April 2026 03:00",
            "next_utc": "2026-04-12T08:00:00Z",
        },
    })
}

/// All problems of one template; none when it may be sent.
#[must_use]
pub fn check(name: &str, text: &str, kind: Kind) -> Vec<Problem> {
    let part = name
        .strip_suffix(".hbs")
        .and_then(|stem| stem.rsplit_once('.'))
        .map(|(_, part)| part);
    if !part.is_some_and(|part| PARTS.contains(&part)) {
        return vec![problem(
            1,
            "the file's name says no part",
            "name it <template>.<stage>.subject.hbs, .text.hbs or .html.hbs",
        )];
    }
    if text.len() > TEMPLATE_MAX_BYTES {
        return vec![problem(
            1,
            format!("longer than {TEMPLATE_MAX_BYTES} bytes"),
            "shorten it",
        )];
    }
    let forbidden = forbidden(text);
    if !forbidden.is_empty() {
        return forbidden;
    }
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    if let Err(error) = engine.register_template_string("template", text) {
        let line = error.pos().map_or(1, |(line, _)| line);
        return vec![problem(
            line,
            "it cannot be read: a {{ … }} is not closed or not understood",
            "look at the {{ and }} here and above",
        )];
    }
    let mut found = Vec::new();
    for note in ["", "A note"] {
        let mut data = kind.sample();
        data["note"] = Value::from(note);
        match engine.render("template", &data) {
            Err(error) => {
                let why = match error.reason() {
                    RenderErrorReason::MissingVariable(Some(name)) => {
                        format!("there is no `{name}`")
                    }
                    reason => format!("it cannot be rendered: {reason}"),
                };
                found.push(problem(error.line_no.unwrap_or(1), why, kind.names()));
                break;
            }
            Ok(text) if text.len() > OUTPUT_MAX_BYTES => found.push(problem(
                1,
                format!("longer than {OUTPUT_MAX_BYTES} bytes when rendered"),
                "shorten it",
            )),
            Ok(text) if text.trim().is_empty() => {
                found.push(problem(1, "it is empty when rendered", "write something"))
            }
            Ok(text) if part == Some("subject") && text.trim_end().contains('\n') => {
                found.push(problem(1, "a subject has one line", "join the lines"))
            }
            Ok(_) => {}
        }
    }
    found
}

/// Text that would not be escaped, other templates, helpers beyond the few.
fn forbidden(text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let raw = ["{{{", "{{&", "{{~{", "{{~&", "\\{{"]
            .iter()
            .find(|mark| line.contains(**mark));
        if let Some(mark) = raw {
            found.push(Problem {
                line: number,
                raw: true,
                message: format!("`{mark}` puts text into the message without escaping it"),
                remedy: "write {{ … }}".to_owned(),
            });
        }
        for tag in line.split("{{").skip(1) {
            let tag = tag.trim_start_matches('~').trim_start();
            if tag.starts_with('>')
                || tag.starts_with("#>")
                || tag.starts_with("#*")
                || tag.starts_with('*')
            {
                found.push(problem(
                    number,
                    "templates do not include each other",
                    "write the text out",
                ));
            }
            if let Some(block) = tag.strip_prefix('#') {
                let helper: String = block
                    .trim_start()
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
                    .collect();
                if !helper.is_empty() && !HELPERS.contains(&helper.as_str()) {
                    found.push(problem(
                        number,
                        format!("there is no helper `{helper}`"),
                        format!("there are: {}", HELPERS.join(", ")),
                    ));
                }
            }
            if tag.starts_with("lookup ") || tag.starts_with("log ") || tag.contains("../../") {
                found.push(problem(
                    number,
                    "only plain names are used in templates",
                    "use a name such as customer.name",
                ));
            }
        }
    }
    found
}
