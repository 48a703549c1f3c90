//! Closed gates: why a disturbing step that could otherwise begin does not, and until when.
//!
//! Pure. Not here: locks and slots (conditions of a commit), and finding out what is closed.

use crate::id::RunId;
use serde::{Deserialize, Serialize};

/// The document in which people declare freezes. A call that may disturb begins under the version that
/// was looked at; lanes that are held watch it.
pub const FREEZES: &str = "freezes";

/// The document that says whether a customer has been told of a run's work, by the template of the notice. Lanes
/// over the customer's assets that are held until then watch it.
#[must_use]
pub fn told_document(run: RunId, template: &str, customer: &str) -> String {
    format!("told:{run}:{template}:{customer}")
}

/// What a document of [`told_document`] holds. One of the customer's people is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Notices that were sent, one a person.
    pub sent: u32,
    /// Those that did not arrive, and never will.
    pub refused: u32,
    /// The first one that arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// The others that arrived, in their order: one of them counts when the first comes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Reached>,
    /// Alternate contacts are told, once, when none of those who have the notices can be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spare: bool,
    /// How many of `sent` went to alternate contacts.
    #[serde(default, skip_serializing_if = "is_none_sent")]
    pub alternates: u32,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none_sent(alternates: &u32) -> bool {
    *alternates == 0
}

impl Told {
    /// One more has arrived.
    pub fn arrived(&mut self, reached: Reached) {
        match &self.reached {
            None => self.reached = Some(reached),
            Some(_) => self.also.push(reached),
        }
    }

    /// One that had arrived came back. Who had it next is whom the customer's time counts from.
    pub fn came_back(&mut self, message_id: &str) {
        let all = self.reached.take().into_iter().chain(self.also.drain(..));
        let mut kept = all.filter(|reached| reached.message_id != message_id);
        let first = kept.next();
        self.also = kept.collect();
        self.reached = first;
        self.refused += 1;
    }

    /// So many messages to alternate contacts are on their way, and nobody else is told after them.
    pub fn fell_back(&mut self, messages: u32) {
        self.sent += messages;
        self.alternates += messages;
        self.spare = false;
    }

    /// Nobody of those who were told has it, or ever will: alternate contacts are told now.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        self.spare && self.is_lost()
    }

    /// Nobody will be reached any more.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        !self.spare && self.is_lost()
    }

    /// `2 sent, 1 of them to alternate contacts, 2 refused`.
    #[must_use]
    pub fn counts(&self) -> String {
        let alternates = match self.alternates {
            0 => String::new(),
            alternates => format!(", {alternates} of them to alternate contacts"),
        };
        format!("{} sent{alternates}, {} refused", self.sent, self.refused)
    }

    fn is_lost(&self) -> bool {
        self.reached.is_none() && self.refused >= self.sent
    }
}

/// A notice that is known to have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub at_ms: i64,
    pub to: String,
    pub message_id: String,
}

/// Most freezes that are declared at the same time.
pub const FREEZES_MAX: usize = 200;

/// Which gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// The maintenance window of the asset.
    Window,
    /// A time in which nothing may be disturbed.
    Freeze,
    /// The customer is not known to have been told, or not long enough ago.
    Notice,
    /// The asset, its window or its route is not what the plan says that was signed.
    Signed,
    /// Something is owed for the asset since an emergency.
    Debt,
    /// Nobody knows whether the customer's people can be reached.
    Contact,
    /// The customer has been disturbed as often, or as long, as was agreed.
    Budget,
    /// The customer has put its turn off.
    Deferral,
    /// The customer has not agreed, or objects.
    Consent,
    /// A live lease keeps the action off its asset.
    Lease,
}

impl GateKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Freeze => "freeze",
            Self::Notice => "notice",
            Self::Signed => "signed",
            Self::Debt => "debt",
            Self::Contact => "contact",
            Self::Budget => "budget",
            Self::Deferral => "deferral",
            Self::Consent => "consent",
            Self::Lease => "lease",
        }
    }
}

/// A gate that holds a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub gate: GateKind,
    /// The window or freeze by name, the customer, the asset.
    pub rule: String,
    pub why: String,
    /// What people can do about it.
    pub remedy: String,
    /// It is looked at again then; none: only when somebody changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// The document with whose change it may open; none: the declared freezes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// It never opens by itself: what it holds ends as held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
}

impl Closed {
    /// The document that a held lane watches.
    #[must_use]
    pub fn watched(&self) -> &str {
        self.document.as_deref().unwrap_or(FREEZES)
    }

    /// `freeze:finals-2026-fall`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.gate.name(), self.rule)
    }
}

/// A freeze that somebody has declared while the engine runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredFreeze {
    pub id: String,
    pub from_ms: i64,
    /// The first instant after it.
    pub to_ms: i64,
    /// A selector of assets.
    pub applies: String,
    /// Classes of runbooks that pass.
    #[serde(default)]
    pub lets_through: Vec<String>,
    pub reason: String,
    pub by: String,
    pub declared_ms: i64,
}

impl DeclaredFreeze {
    /// Whether it holds runbooks of this class at this instant, wherever it applies.
    #[must_use]
    pub fn holds(&self, class: &str, now_ms: i64) -> bool {
        let passes = self.lets_through.iter().any(|passes| passes == class);
        self.from_ms <= now_ms && now_ms < self.to_ms && !passes
    }

    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed {
            gate: GateKind::Freeze,
            rule: self.id.clone(),
            why: self.reason.clone(),
            remedy: format!(
                "wait, or have it lifted: hostler freeze lift {} --reason TEXT",
                self.id
            ),
            until_ms: Some(self.to_ms),
            document: None,
            never: false,
        }
    }
}

/// What the document [`FREEZES`] holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freezes {
    pub freezes: Vec<DeclaredFreeze>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(at_ms: i64) -> Reached {
        Reached {
            at_ms,
            to: format!("{at_ms}@chem.example"),
            message_id: format!("{at_ms}@main.hostler"),
        }
    }

    #[test]
    fn what_comes_back_counts_no_more_and_the_next_who_had_it_does() {
        let mut told = Told {
            sent: 2,
            ..Told::default()
        };
        told.arrived(reached(1));
        told.arrived(reached(2));
        assert_eq!(told.reached, Some(reached(1)));
        told.came_back("1@main.hostler");
        assert_eq!((told.reached.clone(), told.refused), (Some(reached(2)), 1));
        assert!(!told.is_hopeless());
        told.came_back("2@main.hostler");
        assert_eq!(told.reached, None);
        assert!(told.is_hopeless());
    }

    #[test]
    fn alternate_contacts_are_told_once_and_as_long_as_they_are_not_there_is_hope() {
        let mut told = Told {
            sent: 1,
            spare: true,
            ..Told::default()
        };
        told.arrived(reached(1));
        assert!(!told.falls_back());
        told.came_back("1@main.hostler");
        assert!(told.falls_back() && !told.is_hopeless());
        told.fell_back(1);
        assert_eq!((told.sent, told.alternates), (2, 1));
        assert!(!told.falls_back() && !told.is_hopeless());
        told.arrived(reached(2));
        // A report that comes again, or late, takes nothing from whoever has it.
        told.came_back("1@main.hostler");
        assert_eq!(told.reached, Some(reached(2)));
        told.came_back("2@main.hostler");
        assert!(!told.falls_back() && told.is_hopeless());
        let counts = "2 sent, 1 of them to alternate contacts, 3 refused";
        assert_eq!(told.counts(), counts);
        let mut nobody = Told {
            spare: true,
            ..Told::default()
        };
        assert!(nobody.falls_back(), "there was nobody to tell");
        nobody.fell_back(0);
        assert!(nobody.is_hopeless(), "nor any alternate contact");
    }

    #[test]
    fn what_an_earlier_engine_kept_reads_as_before() {
        let told: Told = serde_json::from_str(r#"{"sent":2,"refused":0}"#).unwrap();
        assert_eq!((told.also.len(), told.sent), (0, 2));
        assert_eq!(
            serde_json::to_string(&told).unwrap(),
            r#"{"sent":2,"refused":0}"#
        );
    }
}
