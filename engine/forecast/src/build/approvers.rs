//! Who may let a cycle go, as the runbook says, and when they are away.
//!
//! Not here: from when on enough of them are there (`plan`).

use super::Options;
use crate::input::{Approver, Approvers};
use hostler_core::definition::Approve;
use hostler_core::directory::Directory as _;
use hostler_core::expression::Dynamic;
use hostler_estate::Estate;
use serde_json::Value;
use std::collections::BTreeSet;

/// Business days at their shortest: a forecast rather warns too early.
fn expires_ms(approve: &Approve) -> Option<u64> {
    const DAY_MS: u64 = 86_400_000;
    let days = approve.rules.expires_business_days;
    approve
        .expires_ms
        .or(days.map(|days| u64::from(days) * DAY_MS))
}

pub fn approvers(estate: &Estate, approve: Option<&Approve>, options: &Options) -> Approvers {
    let clauses = approve
        .map(|approve| approve.who.clauses.as_slice())
        .unwrap_or_default();
    let names: Vec<&str> = clauses
        .iter()
        .filter_map(|clause| match &clause.who {
            Dynamic::Literal(Value::String(who)) => Some(who.as_str()),
            _ => None,
        })
        .collect();
    let people: BTreeSet<String> = names
        .iter()
        .flat_map(|who| estate.people_with(who))
        .collect();
    let away = |person: &String| options.absences.get(person).cloned().unwrap_or_default();
    let approver = |person: String| Approver {
        absences: away(&person),
        stand_ins: {
            let all = options.stand_ins.get(&person).into_iter().flatten();
            all.map(|other| (other.clone(), away(other))).collect()
        },
        person,
    };
    Approvers {
        who: names.join(", "),
        quorum: approve.map_or(0, |approve| approve.quorum.max(1)),
        expires_ms: approve
            .and_then(expires_ms)
            .unwrap_or(options.approval_expires_ms),
        people: people.into_iter().map(approver).collect(),
    }
}
