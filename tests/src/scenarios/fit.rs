//! A server is begun with only where all that is ahead of it, and what takes it back, fits into the rest of its window:
//! as measured, else as assumed, else by its timeouts.
//!
//! Not here: quantiles and adding up (core), and what a store keeps (ports).

use super::ledger::{began_ms, entries};
use super::stage::{ruled, with_runbook};
use hostler_rehearsal::fitting::{Fitted, Lasted, watched};
use hostler_rehearsal::{Answer, Outcome, Scenario};
use hostler_runbook::SourceFile;
use serde_json::Value;
use std::collections::BTreeMap;

const MINUTE_MS: u64 = 60_000;
/// The practice windows are open all the time; these for an hour a day.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const HOUR: &str = r#"{ when: daily, at: "02:00", lasts: 1h }"#;
/// Nothing is promised, so that only the window holds it.
const NO_LEAD: &str = "classes:\n  planned: { lead: none, unproven: debt }\n";
/// Two openings.
const HOURS: u32 = 52;
const KIND: &str = "practice/virtual";

/// A runbook that installs on one server, may take 90 minutes for it, and an hour to take it back.
fn installs(each: &str, behind: &str) -> SourceFile {
    let text = format!(
        "runbook: fitted
version: 1
title: Work that must fit
owner: platform-lead
needs: [guest-patch@1, guest@1]
inputs:
  targets: {{ type: selector, default: \"id=lib-web1\" }}
policy: {{ class: planned, start: [operator] }}
steps:
  - id: work
    each:
      over: \"${{{{ inputs.targets }}}}\"
      as: asset
      at_once: 10
      on_failure: continue
{each}
    steps:
      - id: install
        do: guest-patch.apply
        with: {{ set: \"\", reboot: never }}
        timeout: 90m
        on_failure: undo
        undo: {{ do: guest-patch.undo, with: {{ set: \"\" }}, timeout: 60m }}
{behind}
"
    );
    SourceFile {
        name: "workflows/fitted/v1.yaml".to_owned(),
        text,
        templates: BTreeMap::new(),
    }
}

fn lasted(action: &str, minutes: u64, times: u32) -> Lasted<'_> {
    Lasted {
        action,
        kind: KIND,
        ms: minutes * MINUTE_MS,
        times,
    }
}

/// What comes of a run under this policy, with what was measured before and what is measured meanwhile.
async fn fitted(
    runbook: SourceFile,
    fit: &str,
    measured: (&[Lasted<'_>], &[Lasted<'_>]),
    answers: Vec<Answer>,
) -> Fitted {
    let policies = [("classes.yaml", NO_LEAD), ("fit.yaml", fit)];
    let stage = ruled(&policies, |text| text.replace(OPEN, HOUR));
    let stage = with_runbook(stage, runbook);
    let scenario = "
scenario: fitted
runbook: fitted
starter: olga
expect: { result: succeeded }
";
    let scenario = Scenario {
        answers,
        ..Scenario::read(scenario).unwrap()
    };
    let fitted = watched(&stage, &scenario, measured, HOURS).await.unwrap();
    for at_ms in began_ms(&fitted.outcome, "guest-patch.apply") {
        let closes_ms = stage.directory.closes_ms("lib-web1", &[], at_ms);
        assert!(closes_ms.is_some(), "begun outside of its window");
    }
    fitted
}

async fn plain(measured: &[Lasted<'_>]) -> Fitted {
    let runbook = installs("", "");
    fitted(runbook, "fit: {}\n", (measured, &[]), Vec::new()).await
}

/// Gates that have held it, as the log says.
fn held(outcome: &Outcome) -> Vec<Value> {
    let entries = entries(outcome, "step_held").into_iter();
    entries.map(|entry| entry["closed"].clone()).collect()
}

/// Nothing was begun, and the last gate is the window's, for this reason.
fn is_held(fitted: &Fitted, why: &[&str]) {
    let outcome = &fitted.outcome;
    assert_eq!(began_ms(outcome, "guest-patch.apply"), [0_i64; 0]);
    let all = held(outcome);
    let closed = all.last().expect("it is held");
    println!("{closed}");
    assert_eq!(closed["gate"], "window");
    let says = closed["why"].as_str().unwrap();
    for part in why {
        assert!(says.contains(part), "{part}: {says}");
    }
    assert!(closed["remedy"].as_str().unwrap().contains("fit.yaml"));
}

#[tokio::test]
async fn what_was_measured_to_fit_is_begun_although_its_timeout_is_longer_than_the_window() {
    let measured = [
        lasted("guest-patch.apply", 20, 12),
        lasted("guest-patch.undo", 30, 12),
    ];
    let fitted = plain(&measured).await;
    assert_eq!(began_ms(&fitted.outcome, "guest-patch.apply").len(), 1);
    assert_eq!(fitted.outcome.ended.state, "succeeded");
    let all = held(&fitted.outcome);
    let before = all.first().expect("its window is closed at first");
    let says = before["why"].as_str().unwrap();
    assert!(
        says.contains("needs 20m (guest-patch.apply 20m, p95 of 12 runs)")
            && says.contains("and 30m to take back (guest-patch.undo 30m, p95 of 12 runs)")
            && says.contains("the next opening in which it fits"),
        "{says}"
    );
}

#[tokio::test]
async fn without_a_history_it_may_take_all_of_its_timeout_and_is_held() {
    let why = [
        "needs 1h30m (guest-patch.apply 1h30m, its timeout)",
        "and 1h to take back (guest-patch.undo 1h, its timeout)",
        "no opening is longer than 1h",
    ];
    is_held(&plain(&[]).await, &why);
    let nine = [
        lasted("guest-patch.apply", 20, 9),
        lasted("guest-patch.undo", 30, 9),
    ];
    is_held(&plain(&nine).await, &why);
}

#[tokio::test]
async fn work_that_fits_with_a_rollback_that_does_not_is_held() {
    let measured = [
        lasted("guest-patch.apply", 20, 12),
        lasted("guest-patch.undo", 45, 12),
    ];
    let why = [
        "needs 20m",
        "and 45m to take back (guest-patch.undo 45m, p95 of 12 runs)",
    ];
    is_held(&plain(&measured).await, &why);
}

#[tokio::test]
async fn a_history_of_long_calls_holds_it() {
    let measured = [
        lasted("guest-patch.apply", 20, 40),
        lasted("guest-patch.apply", 80, 12),
        lasted("guest-patch.undo", 5, 12),
    ];
    is_held(
        &plain(&measured).await,
        &["needs 1h20m (guest-patch.apply 1h20m, p95 of 52 runs)"],
    );
}

#[tokio::test]
async fn without_a_history_the_policies_say_how_long_it_takes() {
    let fit = "fit: { actions: { guest-patch: 25m } }\n";
    let good = fitted(installs("", ""), fit, (&[], &[]), Vec::new()).await;
    assert_eq!(good.outcome.ended.state, "succeeded");
    let says = held(&good.outcome)[0]["why"].as_str().unwrap().to_owned();
    assert!(says.contains("guest-patch.apply 25m, assumed"), "{says}");
    let fit = "fit: { at_least: 3, percent: 50, actions: { guest-patch: 25m } }\n";
    let three = [
        lasted("guest-patch.apply", 20, 1),
        lasted("guest-patch.apply", 50, 2),
    ];
    let long = fitted(installs("", ""), fit, (&three, &[]), Vec::new()).await;
    is_held(&long, &["guest-patch.apply 50m, p50 of 3 runs"]);
}

#[tokio::test]
async fn what_fits_into_no_opening_goes_on_when_shorter_calls_are_measured_elsewhere() {
    let undo = [lasted("guest-patch.undo", 10, 12)];
    let later = [lasted("guest-patch.apply", 20, 12)];
    let runbook = installs("", "");
    let fitted = fitted(runbook, "fit: {}\n", (&undo, &later), Vec::new()).await;
    let all = held(&fitted.outcome);
    let first = all.first().expect("it is held");
    let watched = format!("lasted:guest-patch.apply:{KIND}");
    assert_eq!(first["document"], Value::from(watched), "{first}");
    assert_eq!(fitted.outcome.ended.state, "succeeded", "{all:?}");
    assert_eq!(began_ms(&fitted.outcome, "guest-patch.apply").len(), 1);
}

#[tokio::test]
async fn an_item_that_may_miss_its_windows_and_fits_into_none_ends_as_held() {
    let each = "      overflow: { at_most: 2 }";
    let runbook = installs(each, "");
    let fitted = fitted(runbook, "fit: {}\n", (&[], &[]), Vec::new()).await;
    assert_eq!(fitted.outcome.items["work"]["lib-web1"], "held");
    is_held(&fitted, &["no opening is longer than 1h"]);
}

#[tokio::test]
async fn who_has_begun_to_disturb_is_not_held_by_what_would_take_it_back() {
    let behind = "      - { id: boot, do: guest.reboot, timeout: 15m }";
    let measured = [
        lasted("guest-patch.apply", 20, 12),
        lasted("guest-patch.undo", 20, 12),
    ];
    // Longer than ever before.
    let slow = Answer {
        action: "guest-patch.apply".to_owned(),
        pends: Some("40m".to_owned()),
        ..Answer::default()
    };
    let runbook = installs("", behind);
    let fitted = fitted(runbook, "fit: {}\n", (&measured, &[]), vec![slow]).await;
    let (install, boot) = (
        began_ms(&fitted.outcome, "guest-patch.apply"),
        began_ms(&fitted.outcome, "guest.reboot"),
    );
    assert_eq!((install.len(), boot.len()), (1, 1));
    assert!(boot[0] - install[0] < 3_600_000, "in the same opening");
    // What is done counts from now on.
    let rows = fitted.kept.iter();
    let apply = rows.filter(|row| row.action == "guest-patch.apply");
    let last: Vec<u64> = apply
        .filter_map(|row| row.history.lasted_ms.last().copied())
        .collect();
    let [last_ms] = last[..] else {
        panic!("{last:?}");
    };
    assert!(
        (40 * MINUTE_MS..=42 * MINUTE_MS).contains(&last_ms),
        "{last_ms} ms"
    );
}

#[tokio::test]
async fn what_changes_or_disturbs_is_measured_by_action_and_kind_and_nothing_else_is() {
    let slow = Answer {
        action: "guest-patch.apply".to_owned(),
        pends: Some("5m".to_owned()),
        ..Answer::default()
    };
    let behind = "      - { id: look, do: guest.fingerprint }";
    let fit = "fit: { default: 10m }\n";
    let fitted = fitted(installs("", behind), fit, (&[], &[]), vec![slow]).await;
    assert_eq!(fitted.outcome.ended.state, "succeeded");
    let kept: Vec<_> = fitted
        .kept
        .iter()
        .map(|row| (row.action.as_str(), row.kind.as_str(), row.history.runs()))
        .collect();
    assert_eq!(kept, [("guest-patch.apply", KIND, 1)]);
}
