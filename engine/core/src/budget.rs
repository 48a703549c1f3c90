//! Budgets of disruption: how often, and how long, a customer's servers may be disturbed in a time; what was spent.
//!
//! A disruption is one asset in one opening of its window, however many steps and runs disturb it there: work that
//! overlaps counts once. A contract counts openings instead, with whatever is disturbed in them. What is spent lies in
//! one document a customer, and is written in the commit that begins the first call of a lane which disturbs or
//! prepares it. Not here: which budgets hold (policies), and writing (worker).

mod limit;
mod opening;

use crate::id::{LaneId, RunId};
pub use limit::{Budgets, Limit, Sum, Within, agreed, length};
pub use opening::{OPENING_MAX_MS, Opening, REBOOTS};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most disruptions that one document holds; work is held rather than that one is forgotten too early.
pub const DISRUPTIONS_MAX: usize = 1_000;
/// Longest time of a budget: older disruptions are dropped.
pub const WITHIN_MAX_MS: u64 = 92 * 86_400_000;
/// Work on one asset that lies further apart is never one disruption, however long its window is open.
pub const TOGETHER_MAX_MS: i64 = 86_400_000;
/// Most runs of one customer that may overdraw at the same time.
pub const ALLOWED_MAX: usize = 100;
/// Disruptions that a closed gate names.
const NAMED_MAX: usize = 5;

/// The document with what a customer's budgets have spent. Lanes that a budget holds watch it.
#[must_use]
pub fn budget_document(customer: &str) -> String {
    format!("budget:{customer}")
}

/// What a lane has spent, or keeps for the disturbing call that it prepares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disruption {
    pub asset: String,
    pub run: RunId,
    pub lane: LaneId,
    pub at_ms: i64,
    /// Other work on the asset that begins before this is the same disruption.
    pub until_ms: i64,
    /// As long as its disturbing calls may take.
    pub downtime_ms: u64,
    /// Where it lies, for what counts openings. None: that was not counted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// A disturbing call has begun; else it is given back when the lane ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// Names of the budgets that had no room for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdrew: Vec<String>,
}

/// A run that may overdraw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub run: RunId,
    pub by: String,
    pub reason: String,
    pub at_ms: i64,
}

/// What a document of [`budget_document`] holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// In the order in which they began.
    #[serde(default)]
    pub disruptions: Vec<Disruption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Allowed>,
}

/// A call that disturbs, or prepares a disturbing one.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub asset: &'a str,
    pub run: RunId,
    pub lane: LaneId,
    pub now_ms: i64,
    /// It is a disturbing call itself.
    pub disturbs: bool,
    /// The lane has begun another one before.
    pub goes_on: bool,
    /// From it to the end of the last disturbing call of the lane, at most.
    pub lasts_ms: u64,
    /// The disturbing calls of it, at most.
    pub downtime_ms: u64,
}

/// Why there is no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    pub budget: String,
    pub why: String,
    /// When there will be room if nothing else is spent. None: never by itself.
    pub opens_ms: Option<i64>,
}

/// Work that counts once: on one asset, or in one opening.
struct Group<'a> {
    first: &'a Disruption,
    counts_ms: i64,
    until_ms: i64,
    downtime_ms: u64,
}

impl Spent {
    /// What counts against a budget at this instant.
    #[must_use]
    pub fn sum(&self, limit: &Limit, asset: &str, now_ms: i64) -> Sum {
        let groups = self.groups(limit, asset, now_ms).into_iter();
        groups.fold(Sum::default(), |sum, group| {
            sum.plus(limit.one(group.downtime_ms))
        })
    }

    /// The same as of now with this work; `None` inside: nothing new is to be written. With it the names of the
    /// budgets that it overdraws.
    ///
    /// # Errors
    /// A budget that holds it has no room.
    pub fn with(
        &self,
        wanted: &Wanted<'_>,
        budgets: &Budgets,
    ) -> Result<Option<(Self, Vec<String>)>, Over> {
        let is_own = |one: &Disruption| one.lane == wanted.lane && one.asset == wanted.asset;
        let present = |one: &Disruption| is_own(one) && wanted.now_ms < one.until_ms;
        if let Some(place) = self.disruptions.iter().rposition(present) {
            let one = &self.disruptions[place];
            if one.begun || !wanted.disturbs {
                return Ok(None);
            }
            let (mut next, overdrew) = (self.clone(), one.overdrew.clone());
            next.disruptions[place].begun = true;
            return Ok(Some((next, overdrew)));
        }
        if budgets.counts_windows_only() && self.counts_already(budgets.opening.as_ref()) {
            return Ok(None);
        }
        let mut before = self.clone();
        before.disruptions.retain(|one| !is_own(one) || one.begun);
        before.forget(wanted.now_ms, budgets);
        let mut next = before.clone();
        next.disruptions.push(disruption(wanted, budgets));
        // Half of a change is worse than one disruption more: who has begun goes on, and it counts.
        let goes_on = wanted.goes_on || before.disruptions.iter().any(is_own);
        let overdrew = before.overdrawn(&next, wanted, budgets, goes_on)?;
        if next.disruptions.len() > DISRUPTIONS_MAX {
            next.disruptions.remove(0);
        }
        if let Some(last) = next.disruptions.last_mut() {
            last.overdrew.clone_from(&overdrew);
        }
        Ok(Some((next, overdrew)))
    }

    /// Budgets that have no room for what is on record next.
    fn overdrawn(
        &self,
        next: &Self,
        wanted: &Wanted<'_>,
        budgets: &Budgets,
        goes_on: bool,
    ) -> Result<Vec<String>, Over> {
        let passes = goes_on || self.may_overdraw(wanted.run);
        let mut overdrawn = Vec::new();
        for limit in &budgets.limits {
            let spent = self.sum(limit, wanted.asset, wanted.now_ms);
            let after = next.sum(limit, wanted.asset, wanted.now_ms);
            if !limit.breaks(spent, after) {
                continue;
            }
            if limit.holds && !passes {
                return Err(self.over(limit, wanted, spent, budgets.opening.as_ref()));
            }
            overdrawn.push(limit.name.clone());
        }
        let holding = budgets.limits.iter().find(|limit| limit.holds);
        match holding.filter(|_| next.disruptions.len() > DISRUPTIONS_MAX && !goes_on) {
            Some(limit) => Err(self.full(limit)),
            None => Ok(overdrawn),
        }
    }

    /// Without what a lane kept and did not use. None: it kept nothing.
    #[must_use]
    pub fn without(&self, lane: LaneId) -> Option<Self> {
        let unused = |one: &Disruption| one.lane == lane && !one.begun;
        self.disruptions.iter().any(unused).then(|| {
            let mut next = self.clone();
            next.disruptions.retain(|one| !unused(one));
            next
        })
    }

    #[must_use]
    pub fn may_overdraw(&self, run: RunId) -> bool {
        self.allowed.iter().any(|allowed| allowed.run == run)
    }

    /// Drops what no budget counts any more.
    fn forget(&mut self, now_ms: i64, budgets: &Budgets) {
        let counts = |at_ms: i64| at_ms.saturating_add_unsigned(WITHIN_MAX_MS) > now_ms;
        self.disruptions.retain(|one| counts(one.at_ms));
        self.allowed.retain(|one| counts(one.at_ms));
        if !budgets.counts_windows_only() {
            return;
        }
        // Of each opening the first is enough, and whoever is at work.
        let mut known = BTreeSet::new();
        self.disruptions.retain(|one| {
            let opening = one.opening.as_ref().filter(|_| one.begun);
            opening.is_some_and(|opening| known.insert(opening.clone())) || now_ms < one.until_ms
        });
    }

    /// Something has disturbed in this opening: whatever else does costs nothing. Days of a window that is open all the
    /// time are kept with each lane in them, for its work may last into the next one.
    fn counts_already(&self, opening: Option<&Opening>) -> bool {
        let Some(opening) = opening.filter(|opening| opening.closes_ms.is_some()) else {
            return false;
        };
        let mut all = self.disruptions.iter().filter(|one| one.begun);
        all.any(|one| one.opening.as_ref() == Some(opening))
    }

    /// What counts as one, in the order in which it began.
    fn groups(&self, limit: &Limit, asset: &str, now_ms: i64) -> Vec<Group<'_>> {
        let mut groups = match limit.windows {
            Some(_) => self.by_opening(),
            None => self.by_asset(limit, asset),
        };
        groups.retain(|group| limit.counts(group.counts_ms, now_ms));
        groups
    }

    fn by_asset(&self, limit: &Limit, asset: &str) -> Vec<Group<'_>> {
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        let mut groups: Vec<Group<'_>> = Vec::new();
        let concerns = |one: &&Disruption| !limit.per_asset || one.asset == asset;
        for one in self.disruptions.iter().filter(concerns) {
            let known = open.get(one.asset.as_str()).copied();
            match known.filter(|place| one.at_ms < groups[*place].until_ms) {
                Some(place) => {
                    let group = &mut groups[place];
                    group.until_ms = group.until_ms.max(one.until_ms);
                    group.downtime_ms += one.downtime_ms;
                }
                None => {
                    open.insert(&one.asset, groups.len());
                    groups.push(Group {
                        first: one,
                        counts_ms: one.at_ms,
                        until_ms: one.until_ms,
                        downtime_ms: one.downtime_ms,
                    });
                }
            }
        }
        groups
    }

    fn by_opening(&self) -> Vec<Group<'_>> {
        let (mut known, mut groups) = (BTreeSet::new(), Vec::new());
        for one in &self.disruptions {
            let Some(opening) = one.opening.as_ref().filter(|new| known.insert(*new)) else {
                continue;
            };
            groups.push(Group {
                first: one,
                counts_ms: opening.day_ms,
                until_ms: one.until_ms,
                downtime_ms: one.downtime_ms,
            });
        }
        groups
    }

    fn over(
        &self,
        limit: &Limit,
        wanted: &Wanted<'_>,
        spent: Sum,
        opening: Option<&Opening>,
    ) -> Over {
        let groups = self.groups(limit, wanted.asset, wanted.now_ms);
        let more = match limit.windows {
            Some(_) => String::new(),
            None => format!(", of up to {}", length(wanted.downtime_ms)),
        };
        // What lies in this opening counts to its month, for as long as it is open.
        let closes_ms = opening.and_then(|opening| opening.closes_ms);
        let closes_ms = closes_ms.filter(|_| limit.windows.is_some());
        let opens_ms = opens_ms(limit, &groups, wanted, spent);
        Over {
            budget: limit.name.clone(),
            why: format!(
                "{} are granted, {} are spent{}; this takes one more{more}",
                limit.says(),
                limit.spent(spent),
                by(&groups)
            ),
            opens_ms: opens_ms.map(|opens_ms| closes_ms.map_or(opens_ms, |ms| ms.max(opens_ms))),
        }
    }

    fn full(&self, limit: &Limit) -> Over {
        let oldest = self.disruptions.first().map(|one| one.at_ms);
        Over {
            budget: limit.name.clone(),
            why: format!("{DISRUPTIONS_MAX} disruptions are on record, which is all that is kept"),
            opens_ms: oldest.map(|at_ms| at_ms.saturating_add_unsigned(WITHIN_MAX_MS)),
        }
    }
}

/// By whom it was spent: the last ones, and how many more.
fn by(groups: &[Group<'_>]) -> String {
    let named = groups.iter().rev().take(NAMED_MAX);
    let named: Vec<_> = named
        .map(|group| format!("{} by run {}", group.first.asset, group.first.run))
        .collect();
    let more = match groups.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match named.is_empty() {
        true => String::new(),
        false => format!(": {}{more}", named.join(", ")),
    }
}

/// When enough is no longer counted.
fn opens_ms(limit: &Limit, groups: &[Group<'_>], wanted: &Wanted<'_>, spent: Sum) -> Option<i64> {
    let mut sum = spent.plus(limit.one(wanted.downtime_ms));
    for group in groups {
        sum = sum.minus(limit.one(group.downtime_ms));
        let leaves_ms = match limit.within {
            Within::Rolling { ms } => group.first.at_ms.saturating_add_unsigned(ms),
            Within::Month { to_ms, .. } => to_ms,
        };
        if limit.fits(sum) {
            return Some(leaves_ms);
        }
    }
    None
}

fn disruption(wanted: &Wanted<'_>, budgets: &Budgets) -> Disruption {
    let lasts_ms = wanted.now_ms.saturating_add_unsigned(wanted.lasts_ms);
    let together_ms = wanted.now_ms.saturating_add(TOGETHER_MAX_MS);
    let closes_ms = budgets
        .closes_ms
        .map(|closes_ms| closes_ms.min(together_ms));
    Disruption {
        asset: wanted.asset.to_owned(),
        run: wanted.run,
        lane: wanted.lane,
        at_ms: wanted.now_ms,
        until_ms: closes_ms.map_or(lasts_ms, |closes_ms| closes_ms.max(lasts_ms)),
        downtime_ms: wanted.downtime_ms,
        opening: budgets.opening.clone(),
        begun: wanted.disturbs,
        overdrew: Vec::new(),
    }
}
