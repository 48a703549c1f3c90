//! The forecast from outside: every conflict with its remedy, random estates, exact pictures of small
//! months, change-over days, and how the work grows.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod clocks;
mod conflicts;
mod consent;
mod december;
mod disruptions;
mod golden;
mod growth;
mod people;
mod properties;
mod queues;

use hostler_calendar::business::BusinessDays;
use hostler_calendar::deadline::Lead;
use hostler_calendar::freeze::Freeze;
use hostler_calendar::holiday::Holidays;
use hostler_calendar::when::{self, DayRule, Rule};
use hostler_calendar::window::{Length, Window, Windows};
use hostler_calendar::zone::Zone;
use hostler_core::definition::Ramp;
use hostler_forecast::{
    Anchor, Approver, Approvers, Asset, AssetRow, AtOnce, Contact, Customer, Duration, Durations,
    Forecast, Group, Input, Moment, Month, Outcome, Overflow, Terms, Wave, forecast,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 86_400_000;

pub fn chicago() -> Zone {
    Zone::parse("America/Chicago").unwrap()
}

pub fn rule(text: &str) -> DayRule {
    match when::parse(text).unwrap() {
        Rule::Days(rule) => rule,
        Rule::Cron(_) => panic!("{text} is a pattern"),
    }
}

pub fn window(id: &str, rule_text: &str, at: &str, length: Length) -> (String, Windows) {
    let at = when::time(at).unwrap();
    let window = Window::new(id, rule(rule_text), at, length, chicago(), None).unwrap();
    (id.to_owned(), Windows::One(window))
}

pub fn freeze(id: &str, from: &str, to: &str) -> (String, Freeze) {
    let freeze = Freeze::once(
        id,
        "no",
        chicago(),
        from.parse().unwrap(),
        to.parse().unwrap(),
    );
    (id.to_owned(), freeze.unwrap())
}

pub fn asset(id: &str) -> Asset {
    Asset {
        id: id.to_owned(),
        customer: "chem".to_owned(),
        ring: None,
        windows: BTreeSet::from(["nightly".to_owned()]),
        freezes: BTreeSet::new(),
        group: None,
        parent: None,
        fits: BTreeSet::new(),
        severity: None,
    }
}

pub fn wave(name: &str, opens_days: u16, soak_ms: u64) -> Wave {
    Wave {
        name: name.to_owned(),
        matches: None,
        take: None,
        opens_days: Some(opens_days),
        soak_ms,
    }
}

pub fn customer(name: &str) -> Customer {
    let contact = |person: &str| Contact {
        person: person.to_owned(),
        confirmed: Some("2026-10-02".parse().unwrap()),
    };
    Customer {
        name: name.to_owned(),
        zone: chicago(),
        business: Arc::new(BusinessDays::new("mon-fri", Holidays::default()).unwrap()),
        contacts: vec![contact("ada"), contact("bo")],
        consent: None,
        disruptions_per_month: None,
        budgets: Vec::new(),
    }
}

/// One server, open every night from 02:00 for 4 h, in October 2026: nothing stands in its way.
pub fn base() -> Input {
    let approver = |person: &str| Approver {
        person: person.to_owned(),
        absences: Vec::new(),
        stand_ins: Vec::new(),
    };
    Input {
        runbook: "patch@1".to_owned(),
        realm: "main".to_owned(),
        month: Month::parse("2026-10").unwrap(),
        zone: chicago(),
        anchor: Anchor {
            rule: rule("second tuesday"),
            at: when::time("18:00").unwrap(),
            zone: chicago(),
            business: None,
            prepared_ms: 12 * HOUR,
        },
        waves: vec![wave("rest", 9, 0)],
        at_once: AtOnce {
            ramp: Ramp::Fixed(2),
            per_group: Some(1),
            per_parent: None,
        },
        overflow: Overflow { at_most: 2 },
        assets: vec![asset("web1")],
        windows: BTreeMap::from([window(
            "nightly",
            "daily",
            "02:00",
            Length::Elapsed(4 * HOUR),
        )]),
        freezes: BTreeMap::new(),
        groups: BTreeMap::from([(
            "pair".to_owned(),
            Group {
                members: 2,
                keep_up: 1,
            },
        )]),
        customers: BTreeMap::from([("chem".to_owned(), customer("Chemistry"))]),
        terms: Terms {
            class: "standard-patch".to_owned(),
            lead: Lead::Elapsed(7 * DAY),
            reminders_ms: vec![2 * DAY],
            published_rings: BTreeSet::new(),
            contact_fresh_days: 90,
            deadlines_days: BTreeMap::from([("high".to_owned(), 14)]),
        },
        approvers: Approvers {
            who: "role:change-board".to_owned(),
            quorum: 1,
            expires_ms: 5 * DAY,
            people: vec![approver("carla"), approver("cem")],
        },
        durations: Durations {
            assumed: Duration {
                steps_ms: 40 * MINUTE,
                rollback_ms: 20 * MINUTE,
            },
            measured: BTreeMap::new(),
            told: Vec::new(),
        },
    }
}

pub fn of(input: &Input) -> Forecast {
    forecast(input).unwrap_or_else(|fault| panic!("{fault}"))
}

pub fn row<'a>(forecast: &'a Forecast, id: &str) -> &'a AssetRow {
    forecast.assets.iter().find(|row| row.id == id).unwrap()
}

/// Start and end in the zone of the tests; the code of one that is held.
pub fn planned(forecast: &Forecast, id: &str) -> String {
    match &row(forecast, id).outcome {
        Outcome::Planned { starts, ends, .. } => {
            let said = |moment: &Moment| moment.people(&chicago());
            format!("{} to {}", said(starts), said(ends))
        }
        Outcome::Held { code, .. } => code.to_string(),
    }
}
