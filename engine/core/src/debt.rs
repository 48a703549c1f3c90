//! Debts: what an emergency leaves to be done, what it holds until then, and what settles it.
//!
//! A debt is a question that holds nobody's lane but other people's work: its lane owns it, and writes what is
//! owed into one document a customer, in the commit that opens or settles it. Not here: who is asked.

use crate::id::{LaneId, RunId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most debts that one customer has open at the same time; another question is not asked then.
pub const DEBTS_MAX: usize = 200;
/// Most assets of one debt.
pub const ASSETS_MAX: usize = 2_000;
/// Work of this class is never held by a debt.
pub const EMERGENCY: &str = "emergency";

/// The document with the open debts over a customer's assets. Lanes that a debt holds watch it.
#[must_use]
pub fn debts_document(customer: &str) -> String {
    format!("debts:{customer}")
}

/// What ends a debt; any one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cure {
    /// Its form is answered.
    Answer,
    /// A run of this class succeeds over the asset.
    Class(String),
    /// A run of this runbook succeeds over the asset.
    Runbook(String),
}

impl Cure {
    /// Whether a run that succeeded is what was waited for.
    #[must_use]
    pub fn is_run(&self, runbook: &str, class: &str) -> bool {
        match self {
            Self::Answer => false,
            Self::Class(wanted) => wanted == class,
            Self::Runbook(wanted) => wanted == runbook,
        }
    }
}

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("answer"),
            Self::Class(class) => write!(f, "class:{class}"),
            Self::Runbook(runbook) => write!(f, "runbook:{runbook}"),
        }
    }
}

/// A debt as its own lane knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    pub says: String,
    /// What is still owed: assets by customer.
    pub owed: BTreeMap<String, BTreeSet<String>>,
    /// Classes of work that do not begin over these assets meanwhile.
    pub blocks: Vec<String>,
    pub cured_by: Vec<Cure>,
    pub since_ms: i64,
    /// When people hear of it again; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
}

impl Debt {
    /// These assets are not owed any more.
    pub fn settle(&mut self, assets: &BTreeSet<String>) {
        for owed in self.owed.values_mut() {
            owed.retain(|asset| !assets.contains(asset));
        }
        self.owed.retain(|_, owed| !owed.is_empty());
    }

    /// Those of these assets that are owed.
    #[must_use]
    pub fn of(&self, assets: &BTreeSet<String>) -> BTreeSet<String> {
        let owed = self.owed.values().flatten();
        owed.filter(|asset| assets.contains(*asset))
            .cloned()
            .collect()
    }

    #[must_use]
    pub fn assets(&self) -> BTreeSet<String> {
        self.owed.values().flatten().cloned().collect()
    }
}

/// A debt in a customer's document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDebt {
    /// The lane of its question.
    pub lane: LaneId,
    pub run: RunId,
    pub runbook: String,
    pub step: String,
    pub says: String,
    /// This customer's, in ascending order.
    pub assets: BTreeSet<String>,
    pub blocks: Vec<String>,
    pub cured_by: Vec<Cure>,
    pub since_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
}

impl OpenDebt {
    /// Whether it holds work of this class over this asset. Never the emergency, nor the run that owes it.
    #[must_use]
    pub fn holds(&self, run: RunId, asset: &str, class: &str) -> bool {
        let blocks = self.blocks.iter().any(|blocked| blocked == class);
        blocks && class != EMERGENCY && run != self.run && self.assets.contains(asset)
    }
}

/// What a document of [`debts_document`] holds; without any debt the document is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debts {
    pub debts: Vec<OpenDebt>,
}

impl Debts {
    /// What a lane owes this customer takes the place of what it owed; none: nothing any more.
    pub fn put(&mut self, lane: LaneId, owed: Option<OpenDebt>) {
        self.debts.retain(|debt| debt.lane != lane);
        self.debts.extend(owed);
        self.debts.sort_by_key(|debt| (debt.since_ms, debt.lane));
    }
}
