//! What a forecast takes from the policies, and what it assumes.
//!
//! Not here: reading policies.

use super::SimulateArgs;
use crate::failure::Failure;
use hostler_core::definition::Definition;
use hostler_core::fit::Histories;
use hostler_estate::Estate;
use hostler_estate::policies::{Dates, Policies, RingNotice};
use hostler_forecast::{Anchor, Options, Overflow, Terms};
use jiff::civil::Date;
use std::collections::BTreeMap;

const DAY_MS: u64 = 24 * 3_600_000;
/// From the start of a cycle until its approval is asked for.
pub const PREPARED_MS: u64 = DAY_MS;
/// Of a severity that no file promises anything about.
const DEADLINES_DAYS: [(&str, u16); 3] = [("critical", 7), ("high", 14), ("standard", 30)];

/// What is taken for true, for whoever reads the answer.
pub fn assumed(estate: &Estate) -> &'static str {
    match &estate.policies {
        Some(_) => {
            "assumed: approval asked 1d after the start; contacts confirmed within 90 days; at most 2 further windows"
        }
        None => {
            "assumed, as no policies are named (`[policies]` `folder`): the leads of `hostler policy show \
             classes`, nobody absent; approval asked 1d after the start; contacts confirmed within 90 days; at most 2 \
             further windows"
        }
    }
}

/// Terms of the class, absences and stand-ins as the policies say them.
///
/// # Errors
/// For a severity about which nothing was promised.
pub fn options(
    args: &SimulateArgs,
    anchor: Anchor,
    definition: &Definition,
    estate: &Estate,
    histories: Histories,
) -> Result<Options, Failure> {
    let defaults = Policies::default();
    let policies = estate.policies.as_deref().unwrap_or(&defaults);
    let deadlines_days = deadlines(policies);
    let severity = args.severity.clone();
    if let Some(severity) = severity
        .as_ref()
        .filter(|name| !deadlines_days.contains_key(*name))
    {
        let known: Vec<&str> = deadlines_days.keys().map(String::as_str).collect();
        let why = format!(
            "there is no severity {severity}; write {}",
            known.join(", ")
        );
        return Err(Failure::Usage(why));
    }
    let terms = terms(policies, &definition.policy.class, deadlines_days);
    Ok(Options {
        month: args.month,
        anchor,
        targets: args.targets.clone(),
        opens_days: args.opens.iter().cloned().collect(),
        overflow: Overflow { at_most: 2 },
        severity,
        histories,
        absences: absences(policies),
        stand_ins: stand_ins(policies),
        approval_expires_ms: policies
            .class(&terms.class)
            .map_or(5 * DAY_MS, |class| class.expires.most_ms()),
        terms,
    })
}

fn terms(policies: &Policies, name: &str, deadlines_days: BTreeMap<String, u16>) -> Terms {
    let class = policies.class(name).cloned();
    // What is no class of the policies is treated as the strictest.
    let class = class.unwrap_or_else(|| policies.classes["planned-high"].clone());
    let published = class.rings.iter();
    let published = published.filter(|(_, notice)| **notice == RingNotice::Calendar);
    Terms {
        class: name.to_owned(),
        lead: class.lead.into(),
        reminders_ms: class.remind.iter().map(|span| span.least_ms()).collect(),
        published_rings: published.map(|(ring, _)| ring.clone()).collect(),
        contact_fresh_days: 90,
        deadlines_days,
    }
}

fn deadlines(policies: &Policies) -> BTreeMap<String, u16> {
    let days = |within_ms: u64| u16::try_from(within_ms / DAY_MS).unwrap_or(u16::MAX);
    let promised = policies.deadlines.iter();
    let promised: BTreeMap<String, u16> = promised
        .map(|(name, deadline)| (name.clone(), days(deadline.within_ms)))
        .collect();
    if promised.is_empty() {
        return DEADLINES_DAYS
            .map(|(name, days)| (name.to_owned(), days))
            .into();
    }
    promised
}

fn absences(policies: &Policies) -> BTreeMap<String, Vec<(Date, Date)>> {
    let days = |dates: &Dates| {
        (
            dates.from.unwrap_or(Date::MIN),
            dates.until.unwrap_or(Date::MAX),
        )
    };
    let mut away: BTreeMap<String, Vec<(Date, Date)>> = BTreeMap::new();
    for absence in &policies.absences {
        let person = away.entry(absence.person.clone()).or_default();
        person.push(days(&absence.dates));
    }
    away
}

fn stand_ins(policies: &Policies) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for delegation in &policies.delegations {
        let person = all.entry(delegation.person.clone()).or_default();
        person.push(delegation.delegate.clone());
    }
    all
}
