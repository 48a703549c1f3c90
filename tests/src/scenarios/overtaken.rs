//! What overtakes an approved run: between a worker's look and the commit that begins a call, a freeze is declared, the
//! estate is exchanged, the customer's notices come back. Nothing is dispatched that it covers.
//!
//! Not here: what voids an approval before it is given (`signed`).

use super::ledger::lines;
use super::signed::{CANARY, KEY, also, field, moved_window, other_route, with};
use super::{good_of, stage};
use hostler_core::contract::Impact;
use hostler_rehearsal::races::{Race, Raced, Step, raced, steps};
use hostler_rehearsal::{Scenario, Stage};
use serde_json::json;
use std::collections::BTreeSet;

/// The canary of the good run.
const ID: &str = "phys-test1";
const OTHER_KEY: &str = "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";

/// Changing actions of the good run. What cleans up (the end of a silence, of a snapshot's lease) passes every gate.
fn changing(stage: &Stage) -> BTreeSet<String> {
    let actions = stage
        .contracts
        .iter()
        .flat_map(|contract| &contract.actions);
    let changes = actions.filter(|action| action.effect.mutates());
    let passes = [
        "monitor.unsilence",
        "compute.snapshot-delete",
        "guest-patch.undo",
        "compute.revert",
    ];
    let names = changes.map(|action| action.name.clone());
    names.filter(|name| !passes.contains(&&**name)).collect()
}

/// Those that disturb, or prepare what does.
fn disturbing(stage: &Stage) -> BTreeSet<String> {
    let outage = |name: &String| {
        let mut actions = stage
            .contracts
            .iter()
            .flat_map(|contract| &contract.actions);
        actions.any(|action| action.name == *name && action.impact == Impact::Outage)
    };
    let prepares = |name: &String| ["monitor.silence", "compute.snapshot"].contains(&name.as_str());
    let all = changing(stage).into_iter();
    all.filter(|name| outage(name) || prepares(name)).collect()
}

/// The good run, and a server with hooks: every changing step of the runbook is in it.
fn with_hooks() -> Scenario {
    let mut scenario = good_of("monthly-patch");
    scenario.inputs["targets"] = json!("id=phys-test1,lib-catalog1");
    scenario
}

/// The estate in which every server has moved to another address.
fn moved() -> Stage {
    stage::practice_with(|text| text.replace("192.0.2.", "198.51.100."))
}

/// What the ledger says of gates that have closed, on one asset.
fn said(raced: &Raced, gate: &str) -> Vec<String> {
    let closed = lines(&raced.outcome).map(|line| line["entry"]["closed"].clone());
    let of_gate = closed.filter(|closed| closed["gate"] == gate);
    of_gate
        .filter_map(|closed| closed["why"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn nothing_is_dispatched_that_a_freeze_a_void_or_a_bounce_overtakes() {
    let (stage, then, scenario) = (stage::practice(), moved(), with_hooks());
    let races = [
        (Race::Freeze, "freeze", disturbing(&stage)),
        (Race::Exchange, "signed", changing(&stage)),
        (Race::Bounce, "notice", disturbing(&stage)),
    ];
    for (race, gate, actions) in races {
        let steps = steps(&stage, &scenario, &actions).await.unwrap();
        let kinds: BTreeSet<&str> = steps.iter().map(|step| &*step.action).collect();
        println!("{race:?} against {} calls: {kinds:?}", steps.len());
        for action in [
            "monitor.silence",
            "compute.snapshot",
            "guest.hook",
            "guest-patch.apply",
        ] {
            assert!(kinds.contains(action), "{race:?}: {action} was not raced");
        }
        for step in &steps {
            let raced = raced(&stage, &then, &scenario, race, step, &actions).await;
            let raced = raced.unwrap_or_else(|trouble| panic!("{race:?} {step:?}: {trouble}"));
            assert!(
                raced.began.is_empty(),
                "{race:?} {step:?}: {:?}",
                raced.began
            );
            assert!(
                !said(&raced, gate).is_empty(),
                "{race:?} {step:?}: no gate has closed"
            );
        }
    }
}

/// The canary's installation, raced by a successor that has read other files.
async fn exchanged(stage: &Stage, then: &Stage) -> Raced {
    let (scenario, actions) = (good_of("monthly-patch"), changing(stage));
    let steps = steps(stage, &scenario, &actions).await.unwrap();
    let is_canarys = |step: &&Step| step.asset == ID && step.action == "guest-patch.apply";
    let step = steps.iter().find(is_canarys).unwrap();
    raced(stage, then, &scenario, Race::Exchange, step, &actions)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_changes_behind_a_signature_holds_its_server_and_no_other() {
    let keyed = || also(&format!("host_key: \"{KEY}\""));
    let cases = [
        (
            stage::practice(),
            field("customer: physics", "customer: chemistry"),
            "asset phys-test1 customer: physics → another customer",
        ),
        (
            stage::practice(),
            also("window: sat-night"),
            "asset phys-test1 window: tue-canary → sat-night",
        ),
        (
            stage::practice(),
            moved_window(),
            "window tue-canary: daily at 00:00",
        ),
        (
            stage::practice(),
            field("192.0.2.17", "192.0.2.117"),
            "asset phys-test1 address: 192.0.2.17 → 192.0.2.117",
        ),
        (
            keyed(),
            also(&format!("host_key: \"{OTHER_KEY}\"")),
            "asset phys-test1 host_key: SHA256:AAAA",
        ),
        (
            stage::practice(),
            other_route(),
            "route phys-test1 guest-patch connection: practice → own",
        ),
        (
            stage::practice(),
            with(&format!("  {CANARY}\n"), ""),
            "asset phys-test1: in the estate → gone",
        ),
    ];
    for (stage, then, expected) in cases {
        let raced = exchanged(&stage, &then).await;
        let (items, said) = (&raced.outcome.items["patch"], said(&raced, "signed"));
        assert!(raced.began.is_empty(), "{expected}: {:?}", raced.began);
        assert_eq!(items[ID], "held", "{expected}: {said:?}");
        assert_eq!(items["reg-test1"], "succeeded", "{expected}: {said:?}");
        assert!(
            said.len() == 1 && said[0].contains(expected),
            "{expected}: {said:?}"
        );
    }
}

#[tokio::test]
async fn what_nothing_depends_on_holds_nothing() {
    let unchanged = [
        // Other servers, and fields that no call goes by; a host key where none was signed is not used.
        with("chem-db1: {", "chem-db9: {"),
        field("os: debian-13", "os: debian-13, exposure: campus"),
        also(&format!("host_key: \"{KEY}\"")),
    ];
    for then in unchanged {
        let raced = exchanged(&stage::practice(), &then).await;
        assert_eq!(said(&raced, "signed"), Vec::<String>::new());
        assert_eq!(raced.outcome.items["patch"][ID], "succeeded");
    }
}
