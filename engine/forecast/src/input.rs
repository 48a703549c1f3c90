//! What a forecast is made from, as plain data. Order of the lists never matters.
//!
//! Not here: where it comes from (`build`), and what follows from it (`plan`).

use crate::fault::ForecastFault;
use crate::forecast::LengthRow;
use hostler_calendar::business::BusinessDays;
use hostler_calendar::deadline::Lead;
use hostler_calendar::freeze::Freeze;
use hostler_calendar::when::DayRule;
use hostler_calendar::window::Windows;
use hostler_calendar::zone::Zone;
use hostler_core::budget::{agreed, length};
use hostler_core::consent::{ConsentKind, Required};
use hostler_core::definition::Ramp;
use jiff::civil::{Date, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Most assets of one forecast: those of the largest realm.
pub const ASSETS_MAX: usize = hostler_estate::ASSETS_MAX;
/// Most waves of one runbook.
pub(crate) const WAVES_MAX: usize = 64;

/// One question.
#[derive(Clone, Debug)]
pub struct Input {
    /// `monthly-patch@1`.
    pub runbook: String,
    pub realm: String,
    pub month: Month,
    /// The realm's: days of waves begin at its midnight.
    pub zone: Zone,
    pub anchor: Anchor,
    /// In their order.
    pub waves: Vec<Wave>,
    pub at_once: AtOnce,
    pub overflow: Overflow,
    pub assets: Vec<Asset>,
    pub windows: BTreeMap<String, Windows>,
    /// Those that stop this class.
    pub freezes: BTreeMap<String, Freeze>,
    pub groups: BTreeMap<String, Group>,
    pub customers: BTreeMap<String, Customer>,
    pub terms: Terms,
    pub approvers: Approvers,
    pub durations: Durations,
}

/// `2026-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    first: Date,
}

impl Month {
    /// # Errors
    /// For anything but a year of four digits and a month of two.
    pub fn parse(text: &str) -> Result<Self, ForecastFault> {
        let digits = text.len() == 7 && text.is_ascii();
        let first = format!("{text}-01").parse().ok().filter(|_| digits);
        let first = first.ok_or_else(|| ForecastFault::Month(text.chars().take(40).collect()))?;
        Ok(Self { first })
    }

    #[must_use]
    pub fn first(self) -> Date {
        self.first
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

/// When the cycle begins: the schedule's rule. The next one ends it.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub rule: DayRule,
    pub at: Time,
    /// The schedule's.
    pub zone: Zone,
    pub business: Option<Arc<BusinessDays>>,
    /// From the start of the run until the approval is asked for (scans, triage). Milliseconds.
    pub prepared_ms: u64,
}

/// Assets that are disturbed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    pub name: String,
    /// The selector, for people; which assets it takes stands in [`Asset::fits`].
    pub matches: Option<String>,
    /// At most so many of those that are left.
    pub take: Option<hostler_core::definition::WaveLimit>,
    /// Opens at midnight so many days after the anchor's day. None: after the wave before and its soak.
    pub opens_days: Option<u16>,
    /// From its last end to the next wave. Milliseconds.
    pub soak_ms: u64,
}

/// How many at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct AtOnce {
    pub ramp: Ramp,
    /// Of one redundancy group. None: as many as `keep_up` allows.
    pub per_group: Option<u32>,
    /// On one parent.
    pub per_parent: Option<u32>,
}

/// What becomes of those whose window was too short for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// Further windows before an asset is held.
    pub at_most: u32,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub id: String,
    pub customer: String,
    pub ring: Option<String>,
    /// Open when one of them is. Empty: it has none.
    pub windows: BTreeSet<String>,
    /// Freezes that apply to it.
    pub freezes: BTreeSet<String>,
    pub group: Option<String>,
    pub parent: Option<String>,
    /// Names of waves whose selector takes it; waves without one take all.
    pub fits: BTreeSet<String>,
    /// Key of [`Terms::deadlines_days`].
    pub severity: Option<String>,
}

/// Assets that stand in for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    pub members: u32,
    pub keep_up: u32,
}

/// Who is told.
#[derive(Clone, Debug)]
pub struct Customer {
    pub name: String,
    pub zone: Zone,
    pub business: Arc<BusinessDays>,
    /// Those who get notices.
    pub contacts: Vec<Contact>,
    /// What must be said before its servers are disturbed. None: nothing.
    pub consent: Option<Asked>,
    /// Windows of one local month in which anything of theirs may be disturbed. None: no bound.
    pub disruptions_per_month: Option<u32>,
    /// Those of the policies that all its servers share.
    pub budgets: Vec<Budget>,
}

/// How a customer is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub required: Required,
    /// The runbook tells it of the work; else its silence says nothing.
    pub announced: bool,
}

impl Asked {
    /// Business days of silence that agree. None: only a yes does.
    #[must_use]
    pub fn silent_days(&self) -> Option<u16> {
        match self.required.kind {
            ConsentKind::Tacit { business_days } if self.announced => Some(business_days),
            ConsentKind::Tacit { .. } | ConsentKind::Explicit => None,
        }
    }
}

/// How often, and how long, a customer's servers may be disturbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub name: String,
    pub disruptions: Option<u32>,
    pub downtime_ms: Option<u64>,
    /// Rolling milliseconds; none: a month of the customer's calendar.
    pub within_ms: Option<u64>,
}

impl Budget {
    /// `2 disruptions and 4h of downtime in 30d`.
    #[must_use]
    pub fn says(&self) -> String {
        let within = self.within_ms.map(|ms| format!("in {}", length(ms)));
        let within = within.unwrap_or_else(|| "a month".to_owned());
        format!("{} {within}", agreed(self.disruptions, self.downtime_ms))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub person: String,
    /// When somebody last made sure that the contact is right.
    pub confirmed: Option<Date>,
}

/// Terms of the runbook's class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub class: String,
    pub lead: Lead,
    /// Before the window opens. Milliseconds.
    pub reminders_ms: Vec<u64>,
    /// Rings whose published yearly calendar counts as notice.
    pub published_rings: BTreeSet<String>,
    /// A contact is fresh for so many days after its confirmation.
    pub contact_fresh_days: u16,
    /// Severity to days after the anchor.
    pub deadlines_days: BTreeMap<String, u16>,
}

/// Who may let the cycle go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvers {
    /// `role:change-board`.
    pub who: String,
    /// None: the runbook asks for no approval.
    pub quorum: u32,
    pub expires_ms: u64,
    pub people: Vec<Approver>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    pub person: String,
    /// First and last day, both included, in the realm's zone.
    pub absences: Vec<(Date, Date)>,
    /// Who stands in while the person is away, in order; the stand-ins' own absences.
    pub stand_ins: Vec<(String, Vec<(Date, Date)>)>,
}

/// How long one server takes, from its first change to its last disturbing call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    /// Milliseconds.
    pub steps_ms: u64,
    /// Of taking back the most of it. Milliseconds.
    pub rollback_ms: u64,
}

impl Duration {
    /// What must fit into the rest of a window. At least a millisecond: nothing takes no time.
    #[must_use]
    pub fn needed_ms(&self) -> u64 {
        self.steps_ms.saturating_add(self.rollback_ms).max(1)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Of assets that are not named.
    pub assumed: Duration,
    /// By asset.
    pub measured: BTreeMap<String, Duration>,
    /// What they are made of, in a fixed order.
    pub told: Vec<LengthRow>,
}

impl Durations {
    #[must_use]
    pub fn of(&self, asset: &str) -> Duration {
        self.measured.get(asset).copied().unwrap_or(self.assumed)
    }
}
