//! What is not as it was signed: between two plans, between two versions of a runbook, and between a plan and the
//! estate of today. Each thing by its name, with what it was and what it is.
//!
//! Pure. Not here: what a difference means for a lane (`decide`), and who may be told of it.

mod plan;
mod present;
mod runbook;

pub use plan::plans;
pub use present::{ANOTHER, choices, since};
pub use runbook::definitions;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Most differences that one sentence names.
pub const NAMED_MAX: usize = 10;
/// Longest value in a sentence, in characters.
const VALUE_MAX_CHARACTERS: usize = 80;

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Input,
    /// An asset that is new in the plan, or no longer in it.
    Target,
    /// A field of an asset's record.
    Asset,
    /// A field of the route of an asset's contract (`web1 guest`), or of the realm's own (`purchase`).
    Route,
    /// What an administrator has written about an endpoint, its limit apart.
    Connection,
    /// Calls at once over a connection.
    Limit,
    Plugin,
    /// The runbook or one that it calls, its templates apart.
    Runbook,
    /// A notice.
    Template,
    Window,
    /// What an input was chosen from a list.
    Choice,
    Policies,
    /// An amount of the policies, in cents.
    Spend,
    /// Whether the starter answers for each of the assets.
    Ownership,
    /// An expression of what is displayed with a question.
    Shown,
}

impl About {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Target => "target",
            Self::Asset => "asset",
            Self::Route => "route",
            Self::Connection => "connection",
            Self::Limit => "limit of",
            Self::Plugin => "plugin",
            Self::Runbook => "runbook",
            Self::Template => "template",
            Self::Window => "window",
            Self::Choice => "choice",
            Self::Policies => "policies",
            Self::Spend => "policy.spend",
            Self::Ownership => "the starter owns all",
            Self::Shown => "shown",
        }
    }
}

/// One thing that is new, gone or different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub about: About,
    /// Id or name; empty for what there is only one of.
    pub name: String,
    /// The field, where it is one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Null: there was none.
    pub before: Value,
    /// Null: there is none.
    pub after: Value,
}

impl Difference {
    pub(crate) fn new(about: About, name: &str, before: Value, after: Value) -> Self {
        Self {
            about,
            name: name.to_owned(),
            field: None,
            before,
            after,
        }
    }

    pub(crate) fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (about, name) = (self.about.name(), &self.name);
        if self.about == About::Target {
            let sign = if self.before.is_null() { '+' } else { '-' };
            return write!(f, "{about} {sign}{name}");
        }
        f.write_str(about)?;
        for part in [Some(name), self.field.as_ref()].into_iter().flatten() {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        write!(f, ": {} → {}", said(&self.before), said(&self.after))
    }
}

/// A value in a sentence.
fn said(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_MAX_CHARACTERS {
        return text;
    }
    text.chars().take(VALUE_MAX_CHARACTERS).collect::<String>() + " …"
}

/// All of them in one sentence: the first ones by name, the others by their number.
#[must_use]
pub fn sentence(differences: &[Difference]) -> String {
    let named = differences.iter().take(NAMED_MAX);
    let mut text = named
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    if let Some(more) = differences.len().checked_sub(NAMED_MAX).filter(|n| *n > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// What people were shown with a question (`show`) and what they are shown now, by expression.
#[must_use]
pub fn displays(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let show = |display: &Value| display.get("show").cloned().unwrap_or_default();
    fields(&show(old), &show(new), About::Shown, None, &mut found);
    found
}

/// Fields of two records that are not the same: by name, or as fields of something that is named.
fn fields(old: &Value, new: &Value, about: About, of: Option<&str>, found: &mut Vec<Difference>) {
    let none = Map::new();
    let (old, new) = (old.as_object(), new.as_object());
    let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let value = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or(Value::Null);
        let (was, is) = (value(old), value(new));
        if was != is {
            let difference = Difference::new(about, of.unwrap_or(name), was, is);
            found.push(match of {
                Some(_) => difference.at(name),
                None => difference,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sentence_names_the_first_ones_and_counts_the_others() {
        let gone = |number: usize| {
            let name = format!("web{number}");
            Difference::new(About::Target, &name, Value::Bool(true), Value::Null)
        };
        let differences: Vec<_> = (0..NAMED_MAX + 2).map(gone).collect();
        let text = sentence(&differences);
        assert!(text.starts_with("target -web0; target -web1; "), "{text}");
        assert!(text.ends_with("; target -web9; and 2 more"), "{text}");
        assert_eq!(sentence(&differences[..1]), "target -web0");
    }

    #[test]
    fn what_is_displayed_differs_by_expression() {
        let shown =
            |value: &str| json!({ "run": value, "show": { "steps.set": value, "plan": 1 } });
        let found = displays(&shown("a"), &shown("b"));
        let said: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["shown steps.set: a → b"]);
    }
}
