//! What voids an approval before it is given: whatever differs between the plan that was looked at and the present one.
//!
//! Not here: what changes while a run works (`overtaken`), and what a second vote counts (core).

use super::{good_of, stage};
use hostler_api::Code;
use hostler_rehearsal::again::{Changed, asked_twice, run_again};
use hostler_rehearsal::{Scenario, Stage};
use serde_json::{Value, json};

/// The canary of the good run, as the practice estate has it.
pub const CANARY: &str = "phys-test1: { customer: physics, kind: virtual, os: debian-13, parent: esx-05, ring: canary, address: 192.0.2.17 }";
const WINDOW: &str = "tue-canary: { when: daily, at: \"00:00\", lasts: 25h }";
const PRACTICE: &str = "  practice: { plugin: practice, url: \"http://127.0.0.1:1/\"";
pub const KEY: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The practice estate in which this text is another one.
pub fn with(old: &str, new: &str) -> Stage {
    stage::practice_with(|text| match text.contains("\nassets:") {
        true => {
            assert!(text.contains(old), "the practice estate has no {old}");
            text.replacen(old, new, 1)
        }
        false => text,
    })
}

/// The canary with other fields, the later ones first.
fn canary(change: impl Fn(&str) -> String) -> Stage {
    with(CANARY, &change(CANARY))
}

pub fn field(old: &str, new: &str) -> Stage {
    canary(|text| text.replace(old, new))
}

pub fn also(more: &str) -> Stage {
    canary(|text| text.replace(" }", &format!(", {more} }}")))
}

pub fn moved_window() -> Stage {
    with(WINDOW, &WINDOW.replace("00:00", "01:00"))
}

fn other_url() -> Stage {
    with(PRACTICE, &PRACTICE.replace(":1/", ":2/"))
}

/// The canary's guest is reached over a connection of its own.
pub fn other_route() -> Stage {
    let own = "  own: { plugin: practice, url: \"http://127.0.0.1:3/\", addresses: [\"127.0.0.1/32\"] }\n";
    stage::practice_with(|text| {
        let via = CANARY.replace(" }", ", via: { guest: own } }");
        text.replacen(PRACTICE, &format!("{own}{PRACTICE}"), 1)
            .replacen(CANARY, &via, 1)
    })
}

fn from(stage: Stage) -> Changed {
    Changed {
        stage: Some(stage),
        ..Changed::default()
    }
}

fn given(name: &str, value: Value) -> Changed {
    let mut inputs = good_of("monthly-patch").inputs;
    inputs[name] = value;
    Changed {
        inputs: Some(inputs),
        ..Changed::default()
    }
}

/// What changes, and what the refusal says of it, each by its beginning.
fn table() -> Vec<(&'static str, Changed, Vec<&'static str>)> {
    let template = stage::rewritten(|source| {
        if let Some(text) = source.templates.get_mut("maintenance.scheduled.text.hbs")
            && source.name.contains("monthly-patch")
        {
            text.push('.');
        }
    });
    let runbook = stage::rewritten(|source| {
        if source.name.contains("monthly-patch") {
            source.text.push_str("# one more line\n");
        }
    });
    let plugin = Changed {
        rebuilt: Some("practice".to_owned()),
        ..Changed::default()
    };
    let targets = |ids: &str| given("targets", json!(format!("id={ids}")));
    vec![
        (
            "input",
            given("soak", json!("2h")),
            vec!["input soak: 1h → 2h"],
        ),
        (
            "target added",
            targets("phys-test1,reg-test1,lib-test1"),
            vec!["input targets: ", "target +lib-test1"],
        ),
        (
            "target exchanged",
            targets("lib-test1,reg-test1"),
            vec!["input targets: ", "target +lib-test1", "target -phys-test1"],
        ),
        ("plugin byte", plugin, vec!["plugin practice: "]),
        (
            "template byte",
            from(template),
            vec!["template maintenance.scheduled.text: "],
        ),
        (
            "runbook byte",
            from(runbook),
            vec!["runbook monthly-patch: monthly-patch@2 "],
        ),
        (
            "window moved",
            from(moved_window()),
            vec![
                "window tue-canary: daily at 00:00 for 1d1h (America/Chicago) → daily at 01:00 for 1d1h",
            ],
        ),
        (
            "window of an asset exchanged",
            from(also("window: sat-night")),
            vec![
                "asset phys-test1 window: tue-canary → sat-night",
                "window tue-canary: daily at 00:00",
            ],
        ),
        (
            "customer of an asset",
            from(field("customer: physics", "customer: chemistry")),
            vec!["asset phys-test1 customer: physics → chemistry"],
        ),
        (
            "address",
            from(field("192.0.2.17", "192.0.2.117")),
            vec!["asset phys-test1 address: 192.0.2.17 → 192.0.2.117"],
        ),
        (
            "host key",
            from(also(&format!("host_key: \"{KEY}\""))),
            vec!["asset phys-test1 host_key: nothing → SHA256:AAAA"],
        ),
        (
            "connection",
            from(other_url()),
            vec!["connection practice: "],
        ),
        (
            "route",
            from(other_route()),
            vec![
                "asset phys-test1 via: ",
                "route phys-test1 guest connection: practice → own",
                "route phys-test1 guest-patch connection: practice → own",
                "connection own: nothing → ",
                "limit of own: nothing → ",
            ],
        ),
        (
            "policies",
            from(stage::promising(
                "classes:\n  standard-patch: { lead: 20d }\n",
                |text| text,
            )),
            vec!["policies: nothing → "],
        ),
    ]
}

#[tokio::test]
async fn whatever_changes_voids_a_yes_to_the_old_plan_and_is_named() {
    let (stage, scenario) = (stage::practice(), only_triage());
    for (what, changed, expected) in table() {
        let twice = asked_twice(&stage, &scenario, changed, "carla").await;
        let twice = twice.unwrap_or_else(|trouble| panic!("{what}: {trouble}"));
        assert_ne!(twice.old.signs, twice.new.signs, "{what}");
        let problem = twice.answer.expect_err(what);
        assert_eq!(problem.code, Code::Changed, "{what}: {problem}");
        let said: Vec<String> =
            serde_json::from_value(problem.more["differences"].clone()).unwrap();
        let plain: Vec<&String> = said
            .iter()
            .filter(|one| !one.starts_with("shown "))
            .collect();
        let fits = plain.len() == expected.len()
            && plain
                .iter()
                .zip(&expected)
                .all(|(said, begins)| said.starts_with(begins));
        assert!(fits, "{what}: {said:#?}");
        assert!(problem.detail.contains(expected[0]), "{what}: {problem}");
    }
}

/// Until the approval, which nobody gives.
fn only_triage() -> Scenario {
    let mut scenario = good_of("monthly-patch");
    scenario.people.truncate(1);
    scenario
}

#[tokio::test]
async fn two_plans_of_the_same_are_told_apart_only_by_their_runs() {
    let (stage, scenario) = (stage::practice(), only_triage());
    let twice = asked_twice(&stage, &scenario, Changed::default(), "carla")
        .await
        .unwrap();
    // Each run is approved for itself.
    assert_ne!(twice.old.signs, twice.new.signs);
    let problem = twice.answer.unwrap_err();
    assert_eq!(problem.code, Code::Changed);
    assert_eq!(problem.more.get("differences"), None, "{problem}");
}

#[tokio::test]
async fn a_plan_names_each_window_once_and_its_approval_shows_them() {
    let (stage, scenario) = (stage::practice(), only_triage());
    let twice = asked_twice(&stage, &scenario, Changed::default(), "carla")
        .await
        .unwrap();
    let windows: Vec<&String> = twice.old.plan.windows.keys().collect();
    assert_eq!(windows, ["sat-night", "tue-canary"]);
    let shown = &twice.old.shown["plan"]["windows"]["tue-canary"];
    assert_eq!(shown, "daily at 00:00 for 1d1h (America/Chicago)");
}

#[tokio::test]
async fn a_run_that_is_run_again_says_what_nobody_has_approved() {
    let then = field("192.0.2.17", "192.0.2.117");
    let changed = run_again(&stage::practice(), &then, &only_triage())
        .await
        .unwrap();
    let said: Vec<String> = changed.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["asset phys-test1 address: 192.0.2.17 → 192.0.2.117"]);
}
