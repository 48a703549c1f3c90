//! December 2026 with the example estate: finals are written, and nearly nothing can be patched.

use super::{DAY, HOUR, MINUTE, rule};
use hostler_calendar::deadline::Lead;
use hostler_calendar::when;
use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::{
    Approve, AskRules, AtOnce, Definition, Do, Each, Input, InputKind, OnDeny, OnExpire, OnFailure,
    Over, PerGroup, Policy, Program, Ramp, Spawn, Step, Verb, Wave, Who, WhoClause,
};
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::fit::{Histories, History, Lengths};
use hostler_core::id::Digest;
use hostler_estate::{Estate, Known, load};
use hostler_forecast::{
    Anchor, Forecast, ForecastFault, Month, Options, Outcome, Overflow, Terms, forecast,
    from_estate, render,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ESTATE: &str = include_str!("../../../estate/examples/estate.yaml");
const PEOPLE: &str = include_str!("../../../estate/examples/people.yaml");
const CALENDAR: &str = include_str!("../../../estate/examples/calendars/campus.ics");

pub fn estate() -> Estate {
    let read = |path: &str| {
        let text = match path {
            "estate.yaml" => ESTATE,
            "people.yaml" => PEOPLE,
            _ => CALENDAR,
        };
        Ok(text.to_owned())
    };
    let found = load(&["estate.yaml", "people.yaml"], &read, &Known::default());
    found.unwrap_or_else(|faults| panic!("{faults}"))
}

fn text(text: &str) -> Dynamic {
    Dynamic::Literal(Value::String(text.to_owned()))
}

fn each() -> Each {
    let wave = |name: &str, matches: Option<&str>, soak: Option<Dynamic>| Wave {
        name: name.to_owned(),
        matches: matches.map(str::to_owned),
        take: None,
        soak,
        opens: None,
    };
    let soak = Dynamic::Expression(Expression("inputs.soak".to_owned()));
    let per = |attribute: &str, limit| PerGroup {
        attribute: attribute.to_owned(),
        limit,
    };
    Each {
        over: Over::List(Dynamic::Expression(Expression("steps.set.done".to_owned()))),
        binds: "asset".to_owned(),
        key: None,
        body: 1,
        at_once: AtOnce {
            ramp: Ramp::Stages(vec![1, 2, 4, 10]),
            per: vec![per("redundancy_group", 1), per("hypervisor", 4)],
        },
        take: None,
        on_failure: OnFailure::Stop,
        collect: None,
        waves: vec![
            wave("canary", Some("ring=canary"), Some(soak)),
            wave("early", Some("ring=early"), Some(text("12h"))),
            wave("rest", None, None),
        ],
        stop_at: None,
        gate: None,
        lead_ms: None,
        overflow: None,
    }
}

fn approve() -> Approve {
    Approve {
        who: Who {
            clauses: vec![WhoClause {
                who: text("role:change-board"),
                at_least: 1,
            }],
        },
        quorum: 1,
        title: None,
        show: Vec::new(),
        say: None,
        condition: None,
        expires_ms: Some(5 * DAY),
        on_expire: OnExpire::Deny,
        on_deny: OnDeny::Stop,
        rules: AskRules::default(),
    }
}

fn input(kind: InputKind, default: Value) -> Input {
    Input {
        kind,
        label: None,
        required: false,
        default: Some(default),
        schema: json!({}),
        from: None,
        must: None,
    }
}

fn call(action: &str, timeout_ms: u64) -> Verb {
    Verb::Do(Do {
        action: action.to_owned(),
        with: Dynamic::null(),
        effect: Effect::Once,
        impact: Impact::Outage,
        needs_asset: true,
        timeout_ms,
    })
}

/// An hour at most, and half an hour to take it back.
fn install() -> Step {
    Step {
        undo: vec![Step::bare("revert", call("guest-patch.undo", 30 * MINUTE))],
        ..Step::bare("install", call("guest-patch.apply", 60 * MINUTE))
    }
}

/// The monthly patching as it is compiled; on the servers it only installs.
pub fn definition() -> Definition {
    let spawn = Verb::Spawn(Spawn::Each(Box::new(each())));
    let steps = vec![
        Step::bare("go", Verb::Approve(approve())),
        Step::bare("patch", spawn),
    ];
    let targets = json!("service=co-managed patch=monthly");
    Definition {
        format: 1,
        runbook: "monthly-patch".to_owned(),
        version: 1,
        title: "Monthly OS patching".to_owned(),
        owner: "os-patching".to_owned(),
        source: Digest([0; 32]),
        policy: Policy {
            class: "standard-patch".to_owned(),
            start: Vec::new(),
            four_eyes: true,
            withdraw: Vec::new(),
        },
        needs: BTreeMap::new(),
        inputs: BTreeMap::from([
            ("soak".to_owned(), input(InputKind::Data, json!("5d"))),
            ("targets".to_owned(), input(InputKind::Selector, targets)),
        ]),
        outputs: BTreeMap::new(),
        spend: BTreeSet::new(),
        programs: vec![
            Program {
                steps,
                ..Program::default()
            },
            Program {
                steps: vec![install()],
                ..Program::default()
            },
        ],
        templates: BTreeMap::new(),
    }
}

pub fn options(month: &str) -> Options {
    Options {
        month: Month::parse(month).unwrap(),
        anchor: Anchor {
            rule: rule("second tuesday"),
            at: when::time("18:00").unwrap(),
            zone: super::chicago(),
            business: None,
            prepared_ms: 0,
        },
        targets: None,
        opens_days: BTreeMap::from([
            ("canary".to_owned(), 2),
            ("early".to_owned(), 9),
            ("rest".to_owned(), 10),
        ]),
        overflow: Overflow { at_most: 2 },
        terms: Terms {
            class: "standard-patch".to_owned(),
            lead: Lead::Elapsed(7 * DAY),
            reminders_ms: vec![48 * HOUR],
            published_rings: BTreeSet::new(),
            contact_fresh_days: 90,
            deadlines_days: BTreeMap::from([("high".to_owned(), 14)]),
        },
        severity: Some("high".to_owned()),
        histories: BTreeMap::new(),
        absences: BTreeMap::new(),
        stand_ins: BTreeMap::new(),
        approval_expires_ms: 2 * DAY,
    }
}

pub fn december(options: &Options) -> Forecast {
    let input =
        from_estate(&estate(), &definition(), options).unwrap_or_else(|fault| panic!("{fault}"));
    forecast(&input).unwrap()
}

fn codes(forecast: &Forecast) -> Vec<String> {
    let all = forecast.conflicts.iter();
    all.map(|one| format!("{} {}", one.code, one.subject))
        .collect()
}

#[test]
fn the_canary_needs_its_notice_before_the_scan_and_the_rest_waits_for_january() {
    let forecast = december(&options("2026-12"));
    assert_eq!(super::planned(&forecast, "chem-lab1"), "HF005");
    for (web, starts) in [("chem-web1", "02:00"), ("chem-web2", "03:00")] {
        let planned = super::planned(&forecast, web);
        assert!(
            planned.starts_with(&format!("Sun 2027-01-10 {starts}")),
            "{planned}"
        );
    }
    assert_eq!(
        codes(&forecast),
        ["HF005 customer chemistry", "HF019 customer chemistry, high"]
    );
    let lead = &forecast.conflicts[0];
    assert!(
        lead.what
            .contains("had to leave by Thu 2026-12-03 07:00 -06:00"),
        "{}",
        lead.what
    );
    let row = &forecast.customers[0];
    assert_eq!(
        (row.planned, row.held, row.disruptions[0].at_most),
        (2, 1, Some(2))
    );
}

#[test]
fn a_published_calendar_lets_the_canary_go_before_the_finals() {
    let mut options = options("2026-12");
    options.terms.published_rings.insert("canary".to_owned());
    let forecast = december(&options);
    let canary = super::planned(&forecast, "chem-lab1");
    assert!(
        canary.starts_with("Thu 2026-12-10 07:00 -06:00"),
        "{canary}"
    );
    assert_eq!(forecast.freezes[0].id, "finals-2026-fall");
}

#[test]
fn without_the_january_window_the_finals_are_in_the_way_of_the_rest() {
    let mut input = from_estate(&estate(), &definition(), &options("2026-12")).unwrap();
    let only = super::window(
        "sun-early",
        "third sunday",
        "02:00",
        hostler_calendar::window::Length::Elapsed(4 * HOUR),
    );
    input.windows.extend([only]);
    let forecast = forecast(&input).unwrap();
    assert_eq!(super::planned(&forecast, "chem-web1"), "HF003");
    assert!(codes(&forecast).contains(&"HF003 customer chemistry, window sun-early".to_owned()));
    let lets_through = {
        let mut options = options("2026-12");
        options.terms.class = "emergency".to_owned();
        from_estate(&estate(), &definition(), &options).unwrap()
    };
    assert!(lets_through.freezes.is_empty());
}

#[test]
fn what_the_builder_cannot_understand_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Options, &mut Definition)| -> ForecastFault {
        let (mut options, mut definition) = (options("2026-12"), definition());
        change(&mut options, &mut definition);
        from_estate(&estate(), &definition, &options).unwrap_err()
    };
    let fault = refused(&|options, _| {
        options.opens_days.insert("erly".to_owned(), 1);
    });
    assert_eq!(
        fault.to_string(),
        "there is no wave `erly`; known: canary, early, rest"
    );
    let fault = refused(&|_, definition| definition.inputs.clear());
    assert!(matches!(fault, ForecastFault::Soak(_)), "{fault}");
    let fault = refused(&|_, definition| definition.programs[0].steps.truncate(1));
    assert!(matches!(fault, ForecastFault::NoWaves(_)), "{fault}");
    let fault = refused(&|options, _| options.targets = Some("custmer=x".to_owned()));
    assert!(matches!(fault, ForecastFault::Selector(_)), "{fault}");
    for text in ["2026-13", "2026-1", "12-2026", "2026-12-01", ""] {
        assert!(Month::parse(text).is_err(), "{text}");
    }
}

/// The slot of a server that is planned in the finals' gap keeps the whole length of its window.
#[test]
fn the_january_window_is_whole() {
    let forecast = december(&options("2026-12"));
    let Outcome::Planned { slot, .. } = &super::row(&forecast, "chem-web1").outcome else {
        panic!("it is planned");
    };
    assert_eq!(
        (slot.window.as_str(), slot.elapsed_ms()),
        ("sun-early", 4 * HOUR)
    );
}

#[test]
fn what_was_measured_is_what_a_cycle_reckons_with_and_it_says_so() {
    let (estate, none) = (estate(), Histories::new());
    let lengths = Lengths::of(&estate, "chem-web1", &none);
    let history = History {
        lasted_ms: vec![20 * MINUTE; 12],
    };
    let names = lengths.documents(&definition().programs[1]).into_iter();
    let mut options = options("2026-12");
    options.histories = names.map(|name| (name, history.clone())).collect();
    let forecast = december(&options);
    let Outcome::Planned { starts, ends, .. } = &super::row(&forecast, "chem-web1").outcome else {
        panic!("it is planned");
    };
    assert_eq!(ends.since(*starts), 20 * MINUTE);
    let says = |takes_back: bool| -> Vec<String> {
        let rows = forecast.lengths.iter();
        let rows = rows.filter(|row| row.takes_back == takes_back);
        let mut says: Vec<String> = rows.map(|row| row.part.estimate.says()).collect();
        says.sort();
        says
    };
    let measured = "20m, p95 of 12 runs";
    // The physical server has no history of its own.
    assert_eq!(says(false), ["1h, its timeout", measured]);
    assert_eq!(says(true), [measured, "30m, its timeout"]);
    let table = render::table(&forecast);
    assert!(table.contains(measured), "{table}");
    let own = forecast.of_customer("chemistry").unwrap();
    assert!(
        own.lengths.is_empty(),
        "others' kinds are none of its business"
    );
}

/// Six customers, pairs, parents and windows that are always open.
#[test]
fn a_customer_of_the_practice_estate_sees_only_its_own_in_every_form() {
    let practice = hostler_estate::practice::estate(1, &Known::default()).unwrap();
    let mut options = options("2026-11");
    options.opens_days.clear();
    let input = from_estate(&practice, &definition(), &options).unwrap();
    let all = forecast(&input).unwrap();
    assert_eq!(all.assets.len(), 40);
    assert!(
        all.waves.iter().all(|wave| wave.planned > 0),
        "{:?}",
        all.conflicts
    );
    let own = all.clone().of_customer("library").unwrap();
    let texts = [
        render::table(&own),
        render::json(&own).unwrap(),
        render::svg(&own),
        render::ics::ics(&all, "library", "hostler.example").unwrap(),
    ];
    for text in texts {
        assert!(!text.contains("chem-"), "{text}");
    }
}
