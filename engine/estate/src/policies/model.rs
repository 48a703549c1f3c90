//! The checked policies: every reference leads somewhere, every default is filled in.
//!
//! A value that never changes after it was read. Not here: reading, checking, and the answers.

use super::duty::Row;
use super::people::{Absence, Delegation};
use super::span::Span;
use hostler_core::id::Digest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use hostler_core::definition::CLASSES;

/// All policies of a realm. Whatever no file says has the default that stands at its field.
#[derive(Clone, Debug, Serialize)]
pub struct Policies {
    /// All of [`CLASSES`], always. Without a file, or for what a file leaves out: `defaults.rs`.
    pub classes: BTreeMap<String, Class>,
    /// Stages that reach everybody whatever they have asked; `scheduled` is always among them. `emergency`: whatever
    /// is told of one. Default: what was planned and becomes of it, and emergencies.
    pub must_have: BTreeSet<String>,
    /// Default: that of an emergency, `defaults.rs`; a file's ladder of that name comes instead.
    pub ladders: BTreeMap<String, Ladder>,
    /// In the order of the file; the last row fits everything. Default: one row, all is the platform's.
    pub responsibilities: Vec<Row>,
    /// Reasons for urgent work. Default: none, so that no runbook starts that wants one.
    pub triggers: BTreeMap<String, Trigger>,
    /// Default: no currency and no limits.
    pub spend: Spend,
    /// Severity to the time within which it is patched. Default: none, nothing was promised.
    pub deadlines: BTreeMap<String, Deadline>,
    /// All of [`CLASSES`]. Default: explicit; notify-only for `emergency` and `expedited`.
    pub consent: BTreeMap<String, Consent>,
    /// By class. Default: none, so that nobody may defer.
    pub deferrals: BTreeMap<String, Deferral>,
    /// How often and how long customers may be disturbed. Default: none, nothing is counted.
    pub budgets: BTreeMap<String, Budget>,
    /// Kinds of debts. Default: none, so that nothing is blocked by one.
    pub debts: BTreeMap<String, Debt>,
    /// All of [`KEPT`]. Default: for ever.
    pub retention: BTreeMap<String, Keep>,
    /// Role to people, in the order in which they are asked. Default: none; the estate's roles stand.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Default: nobody stands in for anybody.
    pub delegations: Vec<Delegation>,
    /// Default: nobody is absent.
    pub absences: Vec<Absence>,
    /// Default: 95 of 100 calls, of at least 10; without those, the timeout.
    pub fit: Fit,
    /// Texts that people agree to, by name. Default: none.
    pub texts: BTreeMap<String, String>,
    /// Of all files, and of the version of the defaults.
    pub(super) digest: Digest,
}

/// What a class asks of the steps that are of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Class {
    /// From proven delivery of the notice to the earliest start.
    pub lead: Span,
    /// So long before the start, each shorter than the lead; the longest first.
    pub remind: Vec<Span>,
    /// The least time between telling and starting that is left when the lead is short, in milliseconds.
    pub floor_ms: u64,
    /// Somebody of the customer who has the notices must have been confirmed so lately, in milliseconds, before
    /// anything of it is disturbed. None: nobody asks.
    pub confirmed_ms: Option<u64>,
    pub unproven: Unproven,
    /// People who must approve, at least 1.
    pub quorum: u32,
    /// What a yes to an approval must be proved by, beside who came.
    pub step_up: StepUp,
    pub freeze: Freeze,
    pub windows: Windows,
    /// What the lead, the windows and the freezes bind; `outage` is always among it.
    pub binds: BTreeSet<Impact>,
    /// How long an approval is waited for where its step does not say.
    pub expires: Span,
    /// Who is asked one after the other. None: whom the step names, nobody else.
    pub ladder: Option<String>,
    /// Rings with a notice of their own; all others have the lead.
    pub rings: BTreeMap<String, RingNotice>,
}

/// What becomes of a customer for whom no delivery is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unproven {
    /// That customer's assets are held.
    Hold,
    /// It goes on, and a debt is opened.
    Debt,
}

/// A second proof of who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepUp {
    /// The token or link with which they came is enough.
    None,
    /// A one-time code of their authenticator app (RFC 6238).
    Totp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freeze {
    Holds,
    /// It goes on in a freeze, which is recorded.
    Passes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Windows {
    Bind,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    Change,
    Outage,
}

/// What counts as notice for a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RingNotice {
    /// The published yearly calendar.
    Calendar,
    /// A message, so long before.
    Lead(Span),
}

/// Who is asked one after the other. What nobody has answered after the last rung is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ladder {
    /// At least one. The denial at the end is no rung: every ladder has it.
    pub rungs: Vec<Rung>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// `role:ciso`, `person:ada`, or a role of the customer's people (`owner`).
    pub who: Vec<String>,
    /// How long they have before the next rung is asked too, in milliseconds.
    pub every_ms: u64,
    /// `mail`: the others of [`CHANNELS`] are refused by name.
    pub channels: Vec<String>,
}

/// Ways of telling people.
pub const CHANNELS: [&str; 6] = ["mail", "sms", "phone", "chat", "webhook", "status"];

/// A reason that was agreed upon beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trigger {
    pub says: String,
    /// `emergency` or `expedited`.
    pub class: String,
    /// Assets so exposed only; empty: all.
    pub exposure: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// ISO 4217; none: no amounts are compared.
    pub currency: Option<String>,
    /// `dean_cents` and the like: from more than this on, more people are asked.
    pub limits: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// Elapsed milliseconds from the release of the fix.
    pub within_ms: u64,
    /// The class by which it can be kept.
    pub class: String,
}

/// How a customer agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Nothing happens before a yes.
    Explicit,
    /// Silence agrees after so many business days, counted from proven delivery.
    Tacit { business_days: u16 },
    /// Told, not asked.
    NotifyOnly,
}

/// How customers may put work of a class off by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deferral {
    /// In a quarter of the calendar, for each customer.
    pub times: u32,
    /// Until so long before the slot, in milliseconds.
    pub until_ms: u64,
    /// No later than so long after the slot that was announced first, in milliseconds.
    pub longest_ms: u64,
}

/// How often and how long a customer's servers may be disturbed in a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Empty: every customer, each with its own.
    pub customers: BTreeSet<String>,
    /// Classes that it holds, never `emergency`; work of all classes counts.
    pub classes: BTreeSet<String>,
    pub per: Per,
    /// At least one of these two.
    pub disruptions: Option<u32>,
    /// In milliseconds: what disturbing steps may take at most, together.
    pub downtime_ms: Option<u64>,
    pub within: Within,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// All assets of the customer share it.
    Customer,
    /// Each asset has its own.
    Asset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Within {
    /// A month of the calendar, in the customer's zone.
    Month,
    /// So many milliseconds, rolling.
    Rolling(u64),
}

/// A kind of obligation that short notice or a waived gate leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Debt {
    pub says: String,
    pub due: Span,
    /// Classes that do not start over the same assets while it is open; never `emergency`.
    pub blocks: BTreeSet<String>,
    /// Any of these ends it.
    pub cured_by: Vec<Cure>,
    pub ladder: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cure {
    /// The form that stands for the debt is answered.
    Answer,
    /// The missing notice is delivered.
    Delivery,
    /// A run of this class that succeeds over the same assets.
    Class(String),
    /// A run of this runbook that succeeds over the same assets.
    Runbook(String),
}

/// Records that are kept for a time.
pub const KEPT: [&str; 6] = ["runs", "notices", "answers", "files", "logs", "ledger"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    Days(u32),
    Forever,
}

/// How long something is taken to last when it is asked whether it fits into a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// So many calls of an action on one kind of asset are a history; before that, what follows is assumed.
    pub at_least: u32,
    /// So many percent of those calls took no longer than what is expected of the next one.
    pub percent: u32,
    /// Milliseconds of any action that is not named. None: its timeout.
    pub default_ms: Option<u64>,
    /// `guest-patch.apply`, or a contract for all its actions, in milliseconds.
    pub actions: BTreeMap<String, u64>,
    /// Verbs between a lane's first change and its last disturbing call, in milliseconds; others take no time.
    pub verbs: BTreeMap<String, u64>,
}

/// The verbs of the runbook language.
pub const VERBS: [&str; 10] = [
    "do", "approve", "ask", "notify", "wait", "each", "repeat", "call", "release", "finish",
];
