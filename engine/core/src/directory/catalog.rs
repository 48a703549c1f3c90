//! Lists from which inputs of runbooks are chosen: catalogs of the house, and the reasons for urgent work that were
//! agreed upon.
//!
//! Not here: files, and checking what somebody gives (at the doors).

use super::{AssetId, Directory};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Classes of work for which reasons are agreed upon beforehand.
pub const TRIGGERED: [&str; 2] = ["emergency", "expedited"];
/// Most assets that one sentence about a trigger names.
const NAMED_MAX: usize = 20;

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What a run gets.
    pub id: String,
    /// What people read.
    pub label: String,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.label)
    }
}

/// A reason for urgent work that was agreed upon beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    pub id: String,
    /// What people read.
    pub says: String,
    /// It holds for assets with such an exposure only (`internet`); empty: for all.
    pub exposure: BTreeSet<String>,
}

impl Trigger {
    fn exposures(&self) -> String {
        let names: Vec<&str> = self.exposure.iter().map(String::as_str).collect();
        names.join(", ")
    }

    /// As people choose it: its text, and for what it holds if not for everything.
    #[must_use]
    pub fn choice(&self) -> Choice {
        let only = match self.exposure.is_empty() {
            true => String::new(),
            false => format!("; only for what is exposed to: {}", self.exposures()),
        };
        Choice {
            id: self.id.clone(),
            label: format!("{}{only}", self.says),
        }
    }

    /// That it is no reason for some of these assets, with the first of them by name; an asset that nobody knows (a
    /// record of null) is one of those. None: it holds for all of them.
    pub fn fault<'a>(
        &self,
        assets: impl IntoIterator<Item = (&'a AssetId, &'a Value)>,
    ) -> Option<String> {
        if self.exposure.is_empty() {
            return None;
        }
        let others: Vec<String> = assets
            .into_iter()
            .filter_map(|(id, record)| {
                let is = record.get("exposure").and_then(Value::as_str);
                let holds = is.is_some_and(|is| self.exposure.contains(is));
                (!holds).then(|| format!("{id} ({})", is.unwrap_or("not said")))
            })
            .collect();
        let more = match others.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
            Some(more) => format!(" and {more} more"),
            None => String::new(),
        };
        let named: Vec<String> = others.into_iter().take(NAMED_MAX).collect();
        let (id, only) = (&self.id, self.exposures());
        (!named.is_empty()).then(|| {
            let named = named.join(", ");
            format!("{id} holds only for what is exposed to {only}, and not for {named}{more}")
        })
    }
}

/// Where the choices of an input come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// A catalog of the estate, by its name.
    Catalog(String),
    /// The triggers of the policies for work of this class, one of [`TRIGGERED`].
    Triggers(String),
}

impl List {
    /// Its entries as they are now. None: there is no such catalog, or there are no policies.
    #[must_use]
    pub fn entries(&self, directory: &dyn Directory) -> Option<Vec<Choice>> {
        match self {
            Self::Catalog(name) => directory.catalog(name),
            Self::Triggers(class) => {
                let triggers = directory.triggers(class)?;
                Some(triggers.iter().map(Trigger::choice).collect())
            }
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog(name) => write!(f, "the catalog {name}"),
            Self::Triggers(class) => write!(f, "policies.{class}.triggers"),
        }
    }
}

/// An entry that somebody chose, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    #[serde(flatten)]
    pub from: List,
    #[serde(flatten)]
    pub choice: Choice,
}

impl Chosen {
    /// The entry as it is now. None: the list does not have it, or is not there.
    #[must_use]
    pub fn of(directory: &dyn Directory, from: &List, id: &str) -> Option<Self> {
        let entries = from.entries(directory)?;
        let choice = entries.into_iter().find(|entry| entry.id == id)?;
        let from = from.clone();
        Some(Self { from, choice })
    }

    /// The trigger behind it, as it is agreed upon now. None: it is none, or is not agreed upon any more.
    #[must_use]
    pub fn trigger(&self, directory: &dyn Directory) -> Option<Trigger> {
        let List::Triggers(class) = &self.from else {
            return None;
        };
        let triggers = directory.triggers(class)?;
        triggers
            .into_iter()
            .find(|trigger| trigger.id == self.choice.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trigger(exposure: &[&str]) -> Trigger {
        Trigger {
            id: "exposed".to_owned(),
            says: "It faces the internet".to_owned(),
            exposure: exposure.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    #[test]
    fn a_trigger_names_the_assets_for_which_it_is_no_reason() {
        let ids: Vec<String> = (0..30).map(|number| format!("web{number:02}")).collect();
        let records = |exposure: Value| json!({ "exposure": exposure });
        let (out, campus, unsaid) = (
            records(json!("internet")),
            records(json!("campus")),
            Value::Null,
        );
        let only = trigger(&["internet"]);
        assert_eq!(only.fault([(&ids[0], &out)]), None);
        let mixed = [(&ids[0], &out), (&ids[1], &campus), (&ids[2], &unsaid)];
        assert_eq!(
            only.fault(mixed).unwrap(),
            "exposed holds only for what is exposed to internet, and not for web01 (campus), web02 (not said)"
        );
        let told = only.fault(ids.iter().map(|id| (id, &campus))).unwrap();
        assert!(told.ends_with("web19 (campus) and 10 more"), "{told}");
        assert_eq!(trigger(&[]).fault(mixed), None, "it holds for all");
        assert_eq!(
            trigger(&["campus", "internet"]).choice().to_string(),
            "exposed (It faces the internet; only for what is exposed to: campus, internet)"
        );
    }

    #[test]
    fn what_was_chosen_before_triggers_were_reads_back_as_it_was_written() {
        let catalog = r#"{"catalog":"os","id":"debian-13","label":"Debian 13"}"#;
        let triggers = r#"{"triggers":"emergency","id":"exploited","label":"It is exploited"}"#;
        for text in [catalog, triggers] {
            let chosen: Chosen = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&chosen).unwrap(), text);
        }
    }
}
