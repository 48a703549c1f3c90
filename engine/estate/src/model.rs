//! The checked estate: every reference leads somewhere, every default is filled in.
//!
//! It is a value: never changed after it was built. Not here: reading and checking.

use crate::asset::Asset;
use crate::gates::Times;
use crate::policies::Policies;
use crate::when;
use hostler_core::directory::{Choice, Connection, Contact, Person, PersonId};
use hostler_core::id::Digest;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Roles that every estate has; `roles:` adds the house's own.
pub const BUILT_IN_ROLES: [(&str, &str); 6] = [
    ("viewer", "sees everything but secrets"),
    ("operator", "starts, pauses, cancels and retries runs"),
    (
        "approver",
        "approves where a runbook names nobody more special",
    ),
    ("author", "releases runbooks"),
    ("admin", "configures connections, people and tokens"),
    ("auditor", "reads and exports the ledger"),
];

/// Roles of a customer's people.
pub const CONTACT_ROLES: [&str; 6] = [
    "owner",
    "delegate",
    "notices",
    "alternate",
    "technical",
    "budget",
];
/// Those whose answer is the customer's answer.
const DECIDING: [&str; 3] = ["owner", "delegate", "technical"];
/// Those who stand for the owner of the customer's assets.
const OWNING: [&str; 2] = ["owner", "delegate"];

/// One reading of all estate files.
#[derive(Clone, Debug, Serialize)]
pub struct Estate {
    pub realm: String,
    pub zone: String,
    pub calendars: BTreeMap<String, Calendar>,
    pub freezes: BTreeMap<String, Freeze>,
    pub windows: BTreeMap<String, Window>,
    pub groups: BTreeMap<String, Group>,
    pub customers: BTreeMap<String, Customer>,
    pub connections: BTreeMap<String, Arc<Connection>>,
    /// Contract to connection, for actions without an asset and assets without a way of their own.
    pub via: BTreeMap<String, String>,
    pub assets: BTreeMap<String, Asset>,
    pub people: BTreeMap<String, Person>,
    pub roles: BTreeMap<String, String>,
    /// Lists from which inputs of runbooks are chosen.
    pub catalog: BTreeMap<String, Vec<Choice>>,
    /// Windows and freezes, ready to be asked.
    #[serde(skip)]
    pub(crate) times: Times,
    #[serde(skip)]
    pub(crate) digest: Digest,
    /// None: no policies hold, and nobody was promised anything.
    #[serde(skip)]
    pub policies: Option<Arc<Policies>>,
    /// Customer to its assets; an index.
    #[serde(skip)]
    pub(crate) assets_of: BTreeMap<String, Vec<String>>,
}

/// Business days of a customer or of the realm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// Path of an iCalendar file with holidays, as the estate writes it.
    pub file: Option<String>,
    pub business_days: String,
    pub hours: String,
    /// ISO 8601 dates.
    pub holidays: Vec<String>,
}

/// A time in which nothing but the named classes may disturb the assets it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freeze {
    /// Local times in `zone`.
    pub from: String,
    pub to: String,
    pub zone: String,
    pub lets_through: Vec<String>,
    /// A selector.
    pub applies: String,
}

/// A recurring maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    pub when: String,
    pub at: String,
    pub lasts_ms: u64,
    pub zone: String,
}

/// Assets that stand in for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    pub kind: String,
    pub members: Vec<String>,
    /// How many must stay up.
    pub keep_up: u32,
}

/// Who owns assets, is told and asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Customer {
    pub id: String,
    pub name: String,
    /// None: the realm's.
    pub zone: Option<String>,
    pub calendar: Option<String>,
    pub contract: Option<Contract>,
    pub people: Vec<Contact>,
}

/// What was agreed with a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contract {
    pub service: String,
    /// `explicit`, `none`, `tacit-5bd`.
    pub consent: String,
    /// `2 per quarter`: the customer's own number, over all classes that `deferrals.yaml` of the policies has.
    pub deferrals: Option<String>,
    /// `2 per month`: in so many windows of a month of the customer's calendar anything of it is disturbed.
    pub reboots: Option<String>,
}

impl Customer {
    /// In how many windows of a month anything of it may be disturbed, by its contract. None: no bound.
    #[must_use]
    pub fn reboots(&self) -> Option<u32> {
        let agreed = self.contract.as_ref()?.reboots.as_deref()?;
        when::reboots(agreed).ok()
    }

    pub(crate) fn decides(&self, person: &str) -> bool {
        self.has_role(person, &DECIDING)
    }

    pub(crate) fn owns(&self, person: &str) -> bool {
        self.has_role(person, &OWNING)
    }

    fn has_role(&self, person: &str, roles: &[&str]) -> bool {
        let fits = |contact: &Contact| {
            contact
                .roles
                .iter()
                .any(|role| roles.contains(&role.as_str()))
        };
        self.people
            .iter()
            .any(|contact| contact.person == person && fits(contact))
    }
}

impl Estate {
    pub(crate) fn empty() -> Self {
        Self {
            realm: "main".to_owned(),
            zone: "UTC".to_owned(),
            calendars: BTreeMap::new(),
            freezes: BTreeMap::new(),
            windows: BTreeMap::new(),
            groups: BTreeMap::new(),
            customers: BTreeMap::new(),
            connections: BTreeMap::new(),
            via: BTreeMap::new(),
            assets: BTreeMap::new(),
            people: BTreeMap::new(),
            roles: BTreeMap::new(),
            catalog: BTreeMap::new(),
            times: Times::default(),
            digest: Digest([0; 32]),
            policies: None,
            assets_of: BTreeMap::new(),
        }
    }

    /// Fills the indexes and the digest, once everything else is in.
    #[expect(
        clippy::expect_used,
        reason = "what serde_json refuses cannot be in an estate"
    )]
    pub(crate) fn seal(&mut self) {
        for (id, asset) in &self.assets {
            self.assets_of
                .entry(asset.customer.clone())
                .or_default()
                .push(id.clone());
        }
        let bytes = serde_json::to_vec(&self)
            .expect("an estate has only string keys and no maps of other kinds");
        self.digest = Digest::of(&bytes);
    }

    /// A customer's people of whom this holds, in the order of the file.
    pub(crate) fn people_where(
        &self,
        customer: &str,
        fits: fn(&Customer, &str) -> bool,
    ) -> Vec<PersonId> {
        let Some(customer) = self.customers.get(customer) else {
            return Vec::new();
        };
        let people = customer.people.iter().map(|contact| contact.person.clone());
        people.filter(|person| fits(customer, person)).collect()
    }

    /// Whether a person answers for an asset: its own owner, else the customer's owners.
    pub(crate) fn owns_asset(&self, person: &str, asset: &Asset) -> bool {
        match &asset.owner {
            Some(owner) => owner == person,
            None => self
                .customers
                .get(&asset.customer)
                .is_some_and(|customer| customer.owns(person)),
        }
    }
}
