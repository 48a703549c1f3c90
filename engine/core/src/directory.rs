//! The port to the estate: who owns what, how it is reached, who may decide.
//!
//! Answers are values from one frozen reading of the estate, so that a plan can name its digest.
//! Not here: files, parsing, credentials. A secret appears only as a reference to where it lies.

mod catalog;
mod connection;
mod people;

pub use catalog::{Choice, Chosen, List, TRIGGERED, Trigger};
pub use connection::{Auth, Connection, Limits, Reach, SecretReference};
pub use people::{Contact, Person};

use crate::budget::Budgets;
use crate::consent::Required;
use crate::deferral::Agreed;
use crate::duty::{Owed, Work};
use crate::fit;
use crate::gate::Closed;
use crate::id::Digest;
use crate::lane::{Climb, StepUp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;

const DAY_MS: i64 = 86_400_000;

/// Stable id of a server or device, as the estate writes it.
pub type AssetId = String;
/// Stable id of a person, staff or customer's.
pub type PersonId = String;

/// What the engine asks of an estate. All answers come from memory: never blocks, may be called
/// for every lane and every page.
pub trait Directory: Send + Sync + 'static {
    /// Digest of everything the estate says; a changed file gives another one.
    fn digest(&self) -> Digest;

    /// Digest of the policies that hold; a changed file gives another one. None: there are none.
    fn policies(&self) -> Option<Digest>;

    fn realm(&self) -> &str;

    /// IANA zone of the realm, or of a customer that has its own. None: no such customer.
    fn zone(&self, customer: Option<&str>) -> Option<String>;

    /// Ids of the assets that a filter matches, in ascending order. Terms are separated by spaces
    /// and must all hold: `key=value`, `key=a,b` (either), `!key=value` (not), `id=web-*` (`*` is
    /// any text). Attributes include the estate's defaults.
    ///
    /// # Errors
    /// When the filter is empty, a term cannot be read, or a key, customer, window, group or id is
    /// unknown.
    fn select(&self, selector: &str) -> Result<Vec<AssetId>, SelectorFault>;

    /// Whether one asset is matched. False for an unknown asset. Reads the filter anew at every call:
    /// for many assets ask `select` once.
    ///
    /// # Errors
    /// As `select`.
    fn matches(&self, asset: &str, selector: &str) -> Result<bool, SelectorFault>;

    /// An asset's record as expressions see it: `id`, `name`, `customer`, `kind`, `os`,
    /// `os_family`, `platform`, `ring`, `exposure`, `window`, `parent`, `hypervisor`,
    /// `redundancy_group`, `groups{redundancy_group}`, `can{snapshot}`, `has{stop_hook,start_hook}`,
    /// `hooks`, `consents`, `address`, `host_key`, `tags`, … A field that is not set is null, so
    /// that a path never fails. No credentials.
    fn asset(&self, id: &str) -> Option<Value>;

    /// The connection over which a contract reaches an asset, or, without an asset, the realm's own
    /// for that contract. None: the estate gives no way.
    fn route(&self, asset: Option<&str>, contract: &str) -> Option<Route>;

    /// `id`, `name`, `zone`, `contract{service,consent,deferrals,reboots}`.
    fn customer(&self, id: &str) -> Option<Value>;

    fn customers(&self) -> Vec<String>;

    /// A customer's people who hold a role (`notices`, `alternate`, `owner`, `technical`, `budget`, `delegate`),
    /// in the order of the file; `any` gives all. Empty for an unknown customer.
    fn contacts(&self, customer: &str, kind: &str) -> Vec<Contact>;

    /// Everybody who fits a qualification, in ascending order: `role:change-board`,
    /// `customer:chemistry`, `person:ada`, `owner-of:<asset or customer>`. Empty when nobody does
    /// or the text is none of these.
    fn people_with(&self, qualification: &str) -> Vec<PersonId>;

    /// All qualifications of one person. Owners have one for each of their assets.
    fn qualifications(&self, person: &str) -> BTreeSet<String>;

    /// Whether a person fits a qualification; cheaper than listing all of them.
    fn holds(&self, person: &str, qualification: &str) -> bool;

    /// Those in whose place a person may vote at this instant, in ascending order. Only whoever named this very
    /// person: what was delegated to them is not handed on.
    fn stands_in_for(&self, delegate: &str, at_ms: i64) -> Vec<PersonId>;

    /// Those who may vote in a person's place at this instant, in ascending order.
    fn delegates_of(&self, person: &str, at_ms: i64) -> Vec<PersonId>;

    fn person(&self, id: &str) -> Option<Person>;

    /// The gate of the calendar (a window, a freeze of the estate's files) that holds a call of so many
    /// milliseconds which disturbs this asset, for a runbook of this class. None: it may begin.
    fn closed(&self, asset: &str, class: &str, needed_ms: u64, now_ms: i64) -> Option<Closed>;

    /// As `closed`, while all of these windows must be open, too, for a class that windows bind. `never` where they
    /// do not open together.
    fn closed_within(
        &self,
        asset: &str,
        class: &str,
        _windows: &[String],
        needed_ms: u64,
        now_ms: i64,
    ) -> Option<Closed> {
        self.closed(asset, class, needed_ms, now_ms)
    }

    /// When the windows of an asset, and all of these, close that are open at this instant. None: they are closed,
    /// or there are none.
    fn closes_ms(&self, _asset: &str, _windows: &[String], _at_ms: i64) -> Option<i64> {
        None
    }

    /// Midnight in the realm's zone, so many days after the day of an instant. Without a zone: UTC.
    fn midnight_after(&self, days: u16, from_ms: i64) -> Option<i64> {
        let day = from_ms.div_euclid(DAY_MS).checked_add(days.into())?;
        day.checked_mul(DAY_MS)
    }

    /// Whether the policies let work of this class go on in a freeze, whatever the freeze itself lets through.
    /// Without policies: no.
    fn passes_freezes(&self, _class: &str) -> bool {
        false
    }

    /// What a yes to an approval of work of this class must be proved by. Without policies: nothing.
    fn step_up(&self, _class: &str) -> Option<StepUp> {
        None
    }

    /// The gate that holds work of this class on this asset because nobody of its customer who has the notices
    /// was confirmed lately. None: somebody was, or the policies do not ask for it. Whoever is among `dead` (ids of
    /// people) counts as nobody.
    fn unconfirmed(
        &self,
        _asset: &str,
        _class: &str,
        _now_ms: i64,
        _dead: &BTreeSet<PersonId>,
    ) -> Option<Closed> {
        None
    }

    /// The budgets of disruption that bind this asset at this instant; those that hold work of one of these classes
    /// say so. None: nothing is counted.
    fn budgets(&self, _asset: &str, _classes: &[String], _now_ms: i64) -> Option<Budgets> {
        None
    }

    /// Stages that reach everybody whatever they have asked, and `emergency` for all that is told of one.
    fn must_have(&self) -> BTreeSet<String> {
        crate::mail::must_have()
    }

    /// What was agreed with a customer about putting work of this class off, as it binds at this instant. None:
    /// nothing, so nobody puts it off.
    fn deferral(&self, _customer: &str, _class: &str, _now_ms: i64) -> Option<Agreed> {
        None
    }

    /// What is asked of a customer before work of this class disturbs its servers: the stricter of what the policies
    /// say of the class and of its contract, but nothing where the class only tells. None: nothing.
    fn consent(&self, _customer: &str, _class: &str) -> Option<Required> {
        None
    }

    /// Classes that can be put off. None: no policies say so.
    fn deferrable(&self) -> Option<BTreeSet<String>> {
        None
    }

    /// Amounts from which on more people are asked, in cents, by name. None: no policies are configured.
    fn amounts(&self) -> Option<BTreeMap<String, u64>> {
        None
    }

    /// How the length of an action (`guest-patch.apply`) is told: from how many calls, and what is assumed before that.
    fn fit(&self, _action: &str) -> fit::Terms {
        fit::Terms::default()
    }

    /// How long a verb of a runbook (`approve`) is assumed to last. None: nobody says.
    fn verb_ms(&self, _verb: &str) -> Option<u64> {
        None
    }

    /// When work of this class on this asset may begin at the earliest: its customer was told at this instant,
    /// or (none) is not known to have been told. None: not before somebody has been told.
    fn earliest_ms(&self, class: &str, asset: &str, told_ms: Option<i64>) -> Option<i64>;

    /// Who owes a step, where it is not the platform. None: the platform, as without policies.
    fn owed(&self, work: &Work<'_>) -> Option<Owed>;

    /// A ladder that is opened at this instant, its rungs with those whom they ask: people of this customer where a
    /// rung names a role of theirs. Without policies those that hold without any. None: no such ladder.
    fn ladder(&self, name: &str, customer: Option<&str>, opened_ms: i64) -> Option<Climb>;

    /// Names of all ladders, of those that hold without policies, too. None: there are none.
    fn ladders(&self) -> Option<BTreeSet<String>>;

    /// A text of the policies that people agree to. None: no policies, or no such text.
    fn text(&self, name: &str) -> Option<String>;

    /// Names of all texts. None: no policies are configured.
    fn texts(&self) -> Option<BTreeSet<String>>;

    /// The instant so many business days after another, at the same local time: in the calendar and zone of
    /// a customer, or (none) of the realm. None: no such customer, or the calendar has not enough days.
    fn business_days_after(&self, customer: Option<&str>, days: u16, from_ms: i64) -> Option<i64>;

    fn people(&self) -> Vec<Person>;

    /// Roles that staff can hold, with what each is for.
    fn roles(&self) -> BTreeMap<String, String>;

    /// Ids of all windows.
    fn windows(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Entries of a catalog, in the order of its file. None: there is no such catalog.
    fn catalog(&self, _name: &str) -> Option<Vec<Choice>> {
        None
    }

    /// The reasons for work of a class that were agreed upon, by id; for classes other than [`TRIGGERED`] none. None:
    /// no policies are configured.
    fn triggers(&self, _class: &str) -> Option<Vec<Trigger>> {
        None
    }

    /// Names of all catalogs.
    fn catalogs(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// `id`, `when`, `at`, `lasts_ms`, `zone`.
    fn window(&self, id: &str) -> Option<Value>;

    fn connection(&self, name: &str) -> Option<Arc<Connection>>;

    fn connections(&self) -> Vec<Arc<Connection>>;
}

/// Why a filter selects nothing at all rather than a guess.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("filter `{selector}`, at `{term}`: {why}; {remedy}")]
pub struct SelectorFault {
    pub selector: String,
    pub term: String,
    pub why: String,
    pub remedy: String,
}

/// How one contract reaches one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Name of the connection.
    pub connection: String,
    /// Name of the plugin that speaks over it.
    pub plugin: String,
    /// Address of the asset, where the connection stands for many hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the asset is called on that connection (`ref`), if the estate says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Pinned SSH host key: an OpenSSH public key line or a `SHA256:` fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Further connections the plugin may ask for, by the handle's name (`prometheus`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handles: BTreeMap<String, String>,
}
