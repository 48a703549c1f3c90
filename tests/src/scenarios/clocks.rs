//! What a runbook itself says about time: windows that it names, checks shortly before a slot, windows that pass
//! unused, waves that open on a day, more notice than the class promises.
//!
//! Not here: windows, freezes and leads of classes (`gates`), and people who are asked what becomes of an item whose
//! windows have passed (`overflow`).

use super::stage::{self, promising, with_runbook};
use hostler_rehearsal::{Outcome, Scenario, Stage, play};
use hostler_runbook::SourceFile;
use std::collections::BTreeMap;

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// The practice windows are open all the time; these open on Sundays.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 2h }"#;
const SATURDAYS: &str = r#"windows:
  saturdays: { when: saturday, at: "01:00", lasts: 3h }
"#;
/// Nothing is promised, so that only what the runbook says holds it.
const NO_LEAD: &str = "classes:
  planned: { lead: none, unproven: debt }
";

/// A runbook that looks at servers and reboots them: with these terms of its `each`, beside it, and before the
/// reboot.
pub(super) fn slots(each: &str, beside: &str, before: &str) -> SourceFile {
    let text = format!(
        "runbook: slots
version: 1
title: Work in slots
owner: platform-lead
needs: [guest@1]
inputs:
  targets: {{ type: selector, default: \"id=lib-web1,lib-web2\" }}
policy: {{ class: planned, start: [operator] }}
steps:
  - id: work
    each:
      over: \"${{{{ inputs.targets }}}}\"
      as: asset
      at_once: 10
      on_failure: continue
{each}
{beside}
    steps:
{before}
      - {{ id: look, do: guest.fingerprint }}
      - {{ id: boot, do: guest.reboot, timeout: 30m }}
"
    );
    let templates = ["", ".scheduled", ".started", ".completed", ".cancelled"].map(|stage| {
        let words = "{{ customer.name }}".to_owned();
        ["subject", "text"].map(|part| (format!("note{stage}.{part}.hbs"), words.clone()))
    });
    SourceFile {
        name: "workflows/slots/v1.yaml".to_owned(),
        text,
        templates: templates.into_iter().flatten().collect(),
    }
}

/// How a run over the two servers comes out.
async fn outcome(stage: Stage, runbook: SourceFile, unreachable: &[&str]) -> Outcome {
    let stage = with_runbook(stage, runbook);
    let scenario = "
scenario: slots
runbook: slots
starter: olga
expect: { result: succeeded }
";
    let scenario = Scenario {
        unreachable: unreachable.iter().map(|&to| to.to_owned()).collect(),
        ..Scenario::read(scenario).unwrap()
    };
    play(&stage, &scenario).await.unwrap()
}

/// When the calls of an action began, by server.
fn calls(outcome: &Outcome, action: &str) -> BTreeMap<String, i64> {
    let of_action = |action: &str, name: &str| action == name;
    let seen = outcome.seen.iter();
    let seen = seen.filter(|seen| seen.entry == "perform" && of_action(&seen.action, action));
    seen.map(|seen| (seen.asset.clone().unwrap_or_default(), seen.at_ms))
        .collect()
}

pub(super) fn items(outcome: &Outcome) -> Vec<&str> {
    outcome.items["work"].values().map(String::as_str).collect()
}

pub(super) fn sundays() -> Stage {
    promising(NO_LEAD, |text| text.replace(OPEN, SUNDAYS))
}

fn with_saturdays() -> Stage {
    promising(NO_LEAD, |text| text.replace("windows:\n", SATURDAYS))
}

#[tokio::test]
async fn a_window_that_the_runbook_names_holds_beside_the_servers_own() {
    let stage = with_saturdays();
    let is_saturday = |at_ms: &i64| {
        let windows = ["saturdays".to_owned()];
        let closes_ms = stage.directory.closes_ms("lib-web1", &windows, *at_ms);
        closes_ms.is_some()
    };
    let free = outcome(stage.clone(), slots("", "", ""), &[]).await;
    let began: Vec<i64> = calls(&free, "guest.reboot").into_values().collect();
    assert!(
        began.len() == 2 && !began.iter().any(is_saturday),
        "{began:?}"
    );
    for (each, beside) in [
        ("      window: saturdays", ""),
        ("", "    window: saturdays"),
    ] {
        let bound = outcome(stage.clone(), slots(each, beside, ""), &[]).await;
        let began: Vec<i64> = calls(&bound, "guest.reboot").into_values().collect();
        assert!(
            began.len() == 2 && began.iter().all(is_saturday),
            "{began:?}"
        );
        assert!(bound.ledger.iter().any(|line| line.contains("saturdays")));
    }
}

#[tokio::test]
async fn a_window_of_the_runbook_that_never_meets_the_servers_own_holds_for_good() {
    let both = |text: String| text.replace(OPEN, SUNDAYS).replace("windows:\n", SATURDAYS);
    let stage = promising(NO_LEAD, both);
    let never = outcome(stage.clone(), slots("      window: saturdays", "", ""), &[]).await;
    assert_eq!(items(&never), ["held", "held"]);
    assert!(calls(&never, "guest.reboot").is_empty());
    let own = slots("      window: \"${{ asset.window }}\"", "", "");
    assert_eq!(
        items(&outcome(stage, own, &[]).await),
        ["succeeded", "succeeded"]
    );
}

#[tokio::test]
async fn checks_begin_so_long_before_the_slot_and_not_when_the_list_is_made() {
    let early = outcome(sundays(), slots("", "", ""), &[]).await;
    let lead = outcome(sundays(), slots("      lead: 2h", "", ""), &[]).await;
    let age = |outcome: &Outcome| {
        let looked = calls(outcome, "guest.fingerprint");
        let ages = calls(outcome, "guest.reboot").into_iter();
        ages.map(|(asset, at_ms)| at_ms - looked[&asset])
            .max()
            .unwrap()
    };
    assert!(age(&early) > 3 * HOUR_MS, "{} ms old", age(&early));
    assert!(age(&lead) < 5 * HOUR_MS / 2, "{} ms old", age(&lead));
    assert!(
        age(&lead) > HOUR_MS,
        "they wait for the slot, not it for them"
    );
}

/// It waits for a person's length of time, so that at least one Sunday passes without it, and at most two.
pub(super) const BUSY: &str = "      - { id: busy, wait: { for: 8d } }";

#[tokio::test]
async fn what_has_missed_more_windows_than_allowed_is_held() {
    let ends = async |each: &str| {
        let outcome = outcome(sundays(), slots(each, "", BUSY), &[]).await;
        let calls = calls(&outcome, "guest.reboot").len();
        (items(&outcome).join(" "), calls)
    };
    let done = ("succeeded succeeded".to_owned(), 2);
    assert_eq!(ends("").await, done);
    let none = "      overflow: { to: next-window, at_most: 0, then: held }";
    assert_eq!(ends(none).await, ("held held".to_owned(), 0));
    assert_eq!(ends("      overflow: { at_most: 2 }").await, done);
}

#[tokio::test]
async fn a_wave_begins_on_the_day_on_which_it_opens() {
    let waves = "      order: [{ wave: first, take: 1 }, { wave: rest, opens: anchor + 3d }]";
    let outcome = outcome(promising(NO_LEAD, |text| text), slots(waves, "", ""), &[]).await;
    let mut began: Vec<i64> = calls(&outcome, "guest.reboot").into_values().collect();
    began.sort_unstable();
    let [first, rest] = began[..] else {
        panic!("{began:?}")
    };
    // Midnight of the third day is 2 to 3 days away.
    assert!(
        rest - first > 2 * DAY_MS && rest - first <= 3 * DAY_MS,
        "{began:?}"
    );
    let stage = stage::practice();
    let opens_ms = stage.directory.midnight_after(3, first);
    assert!(opens_ms.is_some_and(|opens_ms| rest >= opens_ms && rest < opens_ms + HOUR_MS));
}

#[tokio::test]
async fn a_runbook_may_grant_more_notice_than_the_class_promises_and_never_less() {
    let nobody = ["@library.practice.example"];
    let stage = || promising(NO_LEAD, |text| text);
    let said = |terms: &str| slots("", &format!("    notices: {{ template: note{terms} }}"), "");
    let short = outcome(stage(), said(""), &[]).await;
    let long = outcome(stage(), said(", floor: 2d"), &[]).await;
    let waited = |outcome: &Outcome| {
        let looked = calls(outcome, "guest.fingerprint");
        let began = calls(outcome, "guest.reboot");
        began["lib-web1"] - looked["lib-web1"]
    };
    assert!(waited(&short) < HOUR_MS && waited(&long) > 2 * DAY_MS - HOUR_MS);
    // The class lets work go on that nobody is known to have heard of; the runbook does not.
    let on = outcome(stage(), said(""), &nobody).await;
    assert_eq!(items(&on), ["succeeded", "succeeded"]);
    let held = outcome(stage(), said(", unproven: hold"), &nobody).await;
    assert_eq!(items(&held), ["held", "held"]);
}
