//! What holds where no file says anything: the notice policy that the design proposes.
//!
//! A change here changes what runs without a file: raise [`VERSION`], which is part of the digest.

use super::model::{
    CHANNELS, CLASSES, Class, Consent, Fit, Freeze, Impact, KEPT, Keep, Ladder, Policies, Rung,
    Spend, StepUp, Unproven, Windows,
};
use super::span::{DAY_MS, Span};
use hostler_core::fit::Terms;
use hostler_core::id::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// Of the defaults below.
pub const VERSION: &str = "hostler-policies-3";

const HOUR_MS: u64 = 3_600_000;

/// A class as the design proposes it. Unknown names get the strictest, `planned-high`.
pub fn class(name: &str) -> Class {
    match name {
        "request" => Class {
            lead: Span::NONE,
            remind: Vec::new(),
            ..planned_high()
        },
        "standard-patch" => Class {
            lead: Span::Elapsed(7 * DAY_MS),
            expires: Span::BusinessDays(3),
            ..planned_high()
        },
        "planned" => Class {
            lead: Span::BusinessDays(5),
            ..planned_high()
        },
        "expedited" => Class {
            lead: Span::Elapsed(4 * HOUR_MS),
            expires: Span::Elapsed(4 * HOUR_MS),
            quorum: 1,
            freeze: Freeze::Holds,
            ..emergency()
        },
        "emergency" => emergency(),
        _ => planned_high(),
    }
}

fn planned_high() -> Class {
    Class {
        lead: Span::BusinessDays(10),
        remind: vec![Span::Elapsed(48 * HOUR_MS)],
        floor_ms: 0,
        confirmed_ms: None,
        unproven: Unproven::Hold,
        quorum: 1,
        // For all: where nobody is enrolled yet, a code would keep everybody from acting in an emergency.
        step_up: StepUp::None,
        freeze: Freeze::Holds,
        windows: Windows::Bind,
        binds: BTreeSet::from([Impact::Outage]),
        expires: Span::BusinessDays(10),
        ladder: None,
        rings: BTreeMap::new(),
    }
}

fn emergency() -> Class {
    Class {
        lead: Span::NONE,
        remind: Vec::new(),
        floor_ms: HOUR_MS,
        unproven: Unproven::Debt,
        quorum: 2,
        freeze: Freeze::Passes,
        windows: Windows::Free,
        expires: Span::Elapsed(HOUR_MS),
        ..planned_high()
    }
}

/// Where waiting is the danger nobody is asked; of other classes a customer's contract alone says it.
pub fn consent() -> BTreeMap<String, Consent> {
    let told = ["emergency", "expedited"];
    told.map(|name| (name.to_owned(), Consent::NotifyOnly))
        .into()
}

/// Who is asked one after the other where no file has a ladder of this name: an emergency is not held up by a file that
/// is missing. An hour in all, and what nobody answers is denied.
pub fn ladders() -> BTreeMap<String, Ladder> {
    let rung = |role: &str, minutes: u64| Rung {
        who: vec![format!("role:{role}")],
        every_ms: minutes * 60_000,
        channels: vec![CHANNELS[0].to_owned()],
    };
    let rungs = vec![
        rung("security-office", 15),
        rung("ecab", 15),
        rung("platform-lead", 30),
    ];
    BTreeMap::from([("emergency".to_owned(), Ladder { rungs })])
}

/// As if every file were missing.
pub fn policies() -> Policies {
    Policies {
        classes: CLASSES.map(|name| (name.to_owned(), class(name))).into(),
        must_have: hostler_core::mail::must_have(),
        ladders: ladders(),
        responsibilities: vec![super::duty::Row::everything()],
        triggers: BTreeMap::new(),
        spend: Spend::default(),
        deadlines: BTreeMap::new(),
        consent: consent(),
        deferrals: BTreeMap::new(),
        budgets: BTreeMap::new(),
        debts: BTreeMap::new(),
        retention: KEPT.map(|kind| (kind.to_owned(), Keep::Forever)).into(),
        roles: BTreeMap::new(),
        delegations: Vec::new(),
        absences: Vec::new(),
        fit: Fit {
            at_least: Terms::default().at_least,
            percent: Terms::default().percent,
            default_ms: None,
            actions: BTreeMap::new(),
            verbs: BTreeMap::new(),
        },
        texts: BTreeMap::new(),
        digest: Digest([0; 32]),
    }
}
