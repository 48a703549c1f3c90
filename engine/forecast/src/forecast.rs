//! The answer: what would happen when, to whom, and what stands in the way.
//!
//! Not here: how it came about, and how it looks.

use crate::code::Code;
use crate::moment::Moment;
use hostler_core::fit::Part;
use serde::{Deserialize, Serialize};

/// Version of this shape; higher after a change that a reader must know of.
pub const FORM: u32 = 1;

/// One cycle in one month. All lists are in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// [`FORM`].
    pub form: u32,
    pub realm: String,
    pub runbook: String,
    pub class: String,
    /// `2026-12`.
    pub month: String,
    /// The realm's, an IANA name.
    pub zone: String,
    /// When the run starts.
    pub anchor: Moment,
    /// When the next cycle starts: nothing of this one is planned after it.
    pub ends: Moment,
    pub approval: Option<Approval>,
    /// In their order.
    pub waves: Vec<WaveRow>,
    /// By id.
    pub customers: Vec<CustomerRow>,
    /// How long the calls on its servers are taken to last, and where that comes from. Empty in what one customer sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<LengthRow>,
    /// Within the cycle, by their beginning.
    pub freezes: Vec<FreezeRow>,
    /// By code, subject and time, at most [`crate::plan::CONFLICTS_MAX`].
    pub conflicts: Vec<Conflict>,
    /// Conflicts that are not listed.
    pub conflicts_left_off: usize,
    /// By id: planned, or held with its reason, each exactly once.
    pub assets: Vec<AssetRow>,
    /// What the answer cost, counted; no time.
    pub work: Work,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Sets of windows and freezes that were walked through the calendar.
    pub walked: usize,
    /// Looks at a server for admission.
    pub looks: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// `role:change-board`.
    pub who: String,
    pub quorum: u32,
    pub asked: Moment,
    /// The first notice leaves then, or the first published work begins. None: nothing is planned.
    pub due_by: Option<Moment>,
    pub expires: Moment,
    /// The first moment at which enough of them are there. None: never before it expires.
    pub possible_from: Option<Moment>,
    pub people: Vec<Giver>,
}

/// Somebody who could give it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Giver {
    pub person: String,
    /// For whom this person stands in.
    pub instead_of: Option<String>,
    /// The first moment at which this person is there. None: never before it expires.
    pub from: Option<Moment>,
}

/// How long one call is taken to last on one kind of asset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LengthRow {
    /// It takes another one back.
    pub takes_back: bool,
    #[serde(flatten)]
    pub part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRow {
    /// Empty: the runbook has no waves.
    pub name: String,
    pub matches: Option<String>,
    /// As the runbook says; None: after the wave before.
    pub wanted: Option<Moment>,
    /// As it would be: after the wave before and its soak, and after the approval.
    pub opens: Moment,
    /// First start and last end. None: nothing of it is planned.
    pub begins: Option<Moment>,
    pub ends: Option<Moment>,
    pub soak_ms: u64,
    pub planned: usize,
    pub held: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetRow {
    pub id: String,
    pub customer: String,
    /// None: no wave takes it.
    pub wave: Option<String>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Planned {
        /// Where the work lies: a window without its freezes, from when it can be used.
        slot: Slot,
        starts: Moment,
        ends: Moment,
        /// Windows that were too full before this one.
        overflow: u32,
    },
    Held {
        code: Code,
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Name of the window; of several, joined by `+`.
    pub window: String,
    pub opens: Moment,
    pub closes: Moment,
}

impl Slot {
    /// Elapsed milliseconds, whatever the clocks on the walls do meanwhile.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        self.closes.since(self.opens)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    pub id: String,
    pub name: String,
    pub zone: String,
    pub planned: usize,
    pub held: usize,
    /// When its first server is disturbed.
    pub first: Option<Moment>,
    /// The last moment for the notice of that, with the days of silence that agree. None: nothing is planned, or all of
    /// it was published and no silence is waited for.
    pub notice_by: Option<Moment>,
    /// Of all its slots, in order.
    pub reminders: Vec<Moment>,
    /// Those who would be told.
    pub told: Vec<String>,
    /// Windows in which anything of it is disturbed, by local month.
    pub disruptions: Vec<Disruptions>,
    /// The last moment for a notice that still keeps its deadline; with several the earliest.
    pub deadline_notice_by: Option<Moment>,
    /// What must be said before its servers are disturbed. None: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentRow>,
}

/// How a customer agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRow {
    /// `tacit-5bd by the contract of chemistry`.
    pub rule: String,
    /// When silence agrees with a notice that leaves as early as it can. None: it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_agrees: Option<Moment>,
    /// Until when somebody must have said yes, or what is planned waits. None: silence agrees in time, or nothing is
    /// planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yes_by: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disruptions {
    /// `2026-12`.
    pub month: String,
    pub count: u32,
    /// None: no bound.
    pub at_most: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeRow {
    pub id: String,
    pub from: Moment,
    pub to: Moment,
}

/// One thing that stands in the way of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub code: Code,
    /// `customer chemistry`, `wave early`, `group web-pair`, `the approval`.
    pub subject: String,
    pub what: String,
    /// The instant it is about.
    pub when: Option<Moment>,
    pub remedy: String,
    /// The first of the assets, by id.
    pub assets: Vec<String>,
    /// How many there are.
    pub assets_total: usize,
}
