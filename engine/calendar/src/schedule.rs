//! A schedule: when, where, what the change of the clock does to it, and what is done about firings
//! that were missed.
//!
//! Not here: reading it from a file, and starting.

use crate::business::BusinessDays;
use crate::due::{Missed, Then, WhileRunning};
use crate::when::{Cron, DayRule, Rule};
use crate::zone::{Fold, Gap, Zone};
use jiff::civil::Time;
use serde_json::Value;
use std::sync::Arc;
use thiserror::Error;

/// Times of day of one schedule; more of them are a pattern.
pub const TIMES_MAX: usize = 48;

/// What a schedule fires at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Days, and the local times on each of them.
    Days {
        rule: DayRule,
        at: Vec<Time>,
    },
    Cron(Box<Cron>),
    /// Milliseconds, counted in UTC from the start of 1970.
    Every(u64),
}

/// What the change of the clock does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dst {
    pub gap: Gap,
    /// None: the first of two for times of day by name; both for cron patterns (`*/15`), which
    /// follow the running clock.
    pub fold: Option<Fold>,
}

/// One schedule, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    id: String,
    when: When,
    zone: Zone,
    dst: Dst,
    missed: Missed,
    while_running: WhileRunning,
    business: Option<Arc<BusinessDays>>,
}

/// A schedule and what it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    pub schedule: Schedule,
    pub runbook: String,
    /// None: the newest released one at the time.
    pub version: Option<u32>,
    /// Inputs of the run, an object.
    pub inputs: Value,
}

/// What does not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScheduleFault {
    #[error("the rule names days but no time of day; add `at: \"02:00\"`")]
    NoTimes,
    #[error("cron fields have their own times; remove `at`, or write a rule for days")]
    TimesTwice,
    #[error("{0} times of day, at most {TIMES_MAX}; write a cron pattern, or `every`")]
    TooManyTimes(usize),
    #[error("the rule counts business days; add `calendar` with the id of one")]
    NoCalendar,
    #[error("`run_all` starts one run after the other; add `while_running: queue`")]
    AllAtOnce,
}

impl When {
    /// A rule and the times that stand beside it.
    ///
    /// # Errors
    /// When there are too few or too many times.
    pub fn of(rule: Rule, mut at: Vec<Time>) -> Result<Self, ScheduleFault> {
        at.sort_unstable();
        at.dedup();
        match rule {
            Rule::Cron(cron) if at.is_empty() => Ok(Self::Cron(cron)),
            Rule::Cron(_) => Err(ScheduleFault::TimesTwice),
            Rule::Days(_) if at.is_empty() => Err(ScheduleFault::NoTimes),
            Rule::Days(_) if at.len() > TIMES_MAX => Err(ScheduleFault::TooManyTimes(at.len())),
            Rule::Days(rule) => Ok(Self::Days { rule, at }),
        }
    }

    fn needs_business_days(&self) -> bool {
        matches!(self, Self::Days { rule, .. } if rule.needs_business_days())
    }
}

impl Schedule {
    /// One that shifts out of a gap, takes the first of two, skips what it missed and what would
    /// run beside itself.
    ///
    /// # Errors
    /// When business days are needed and not given.
    pub fn new(
        id: &str,
        when: When,
        zone: Zone,
        business: Option<Arc<BusinessDays>>,
    ) -> Result<Self, ScheduleFault> {
        if when.needs_business_days() && business.is_none() {
            return Err(ScheduleFault::NoCalendar);
        }
        Ok(Self {
            id: id.to_owned(),
            when,
            zone,
            dst: Dst::default(),
            missed: Missed::default(),
            while_running: WhileRunning::default(),
            business,
        })
    }

    #[must_use]
    pub fn with_dst(mut self, dst: Dst) -> Self {
        self.dst = dst;
        self
    }

    /// What is done about missed firings, and about those that come while a run is going on.
    ///
    /// # Errors
    /// For all of the missed ones beside each other.
    pub fn with_policy(
        mut self,
        missed: Missed,
        while_running: WhileRunning,
    ) -> Result<Self, ScheduleFault> {
        if matches!(missed.then, Then::RunAll { .. }) && while_running == WhileRunning::Skip {
            return Err(ScheduleFault::AllAtOnce);
        }
        self.missed = missed;
        self.while_running = while_running;
        Ok(self)
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn when(&self) -> &When {
        &self.when
    }

    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    #[must_use]
    pub fn gap(&self) -> Gap {
        self.dst.gap
    }

    /// Which of two equal local times count; the default depends on what fires.
    #[must_use]
    pub fn fold(&self) -> Fold {
        let recurs = matches!(&self.when, When::Cron(cron) if cron.recurs());
        let usual = if recurs { Fold::Both } else { Fold::First };
        self.dst.fold.unwrap_or(usual)
    }

    #[must_use]
    pub fn missed(&self) -> Missed {
        self.missed
    }

    #[must_use]
    pub fn while_running(&self) -> WhileRunning {
        self.while_running
    }

    #[must_use]
    pub fn business(&self) -> Option<&BusinessDays> {
        self.business.as_deref()
    }
}
