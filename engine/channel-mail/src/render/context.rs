//! What a notice's template can show: one customer, and only its own servers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The fields of a template. All are always there; what does not apply is empty, so that `{{#if}}`
/// can ask for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    pub customer: Named,
    pub run: Reference,
    pub runbook: Title,
    /// The customer's servers that this message is about.
    pub assets: Vec<Named>,
    pub when: When,
    /// `scheduled`, `reminder`, `changed`, `started`, `progress`, `completed`, `cancelled`, …
    pub stage: String,
    /// What the customer will notice.
    pub impact: String,
    /// Whom to ask.
    pub contact: String,
    pub note: String,
    /// What a report is about.
    pub about: Value,
    /// Of `changed`: how what happens differs from what was announced.
    pub changes: Vec<Change>,
    /// Of `progress`: how far it is.
    pub progress: Progress,
}

/// How far announced work is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    pub ended: Vec<Ended>,
    pub going_on: Vec<Named>,
    pub waiting: Vec<Waiting>,
    /// When the next message comes; empty: no other does before the end.
    pub next_local: String,
    pub next_utc: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    pub id: String,
    pub name: String,
    /// `succeeded`, `rolled_back`, …
    pub result: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    pub id: String,
    pub name: String,
    /// In words.
    pub waits_for: String,
}

/// One server whose announcement changed, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub name: String,
    pub was: String,
    pub is: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub id: String,
    /// Short, for people to quote.
    pub reference: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    pub title: String,
}

/// Times as people read them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub start_local: String,
    pub start_utc: String,
    pub zone: String,
}

impl Context {
    /// A context with every field filled in, for checks and previews.
    #[must_use]
    pub fn sample() -> Self {
        let named = |id: &str, name: &str| Named {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        Self {
            customer: named("chemistry", "Department of Chemistry"),
            run: Reference {
                id: "00000000-0000-5000-8000-000000000000".to_owned(),
                reference: "H-1042".to_owned(),
            },
            runbook: Title {
                title: "Monthly OS patching".to_owned(),
            },
            assets: vec![
                named("chem-web1", "Chemistry web 1"),
                named("chem-db1", "Chemistry database 1"),
            ],
            when: When {
                start_local: "Sunday 13 December 2026, 02:00".to_owned(),
                start_utc: "2026-12-13 08:00".to_owned(),
                zone: "America/Chicago".to_owned(),
            },
            stage: "scheduled".to_owned(),
            impact: "Each server restarts once and is away for about ten minutes.".to_owned(),
            contact: "platform@university.example".to_owned(),
            note: "Thank you for your patience.".to_owned(),
            about: json!({}),
            changes: vec![Change {
                name: "Chemistry web 1".to_owned(),
                was: "Sunday 6 December 2026, 02:00".to_owned(),
                is: "Sunday 13 December 2026, 02:00".to_owned(),
            }],
            progress: Progress {
                going_on: vec![named("chem-web1", "Chemistry web 1")],
                waiting: vec![Waiting {
                    id: "chem-db1".to_owned(),
                    name: "Chemistry database 1".to_owned(),
                    waits_for: "those before it".to_owned(),
                }],
                ended: Vec::new(),
                next_local: "Sunday 13 December 2026, 03:00".to_owned(),
                next_utc: "2026-12-13 09:00".to_owned(),
            },
        }
    }
}
