//! Reasons for urgent work: asked of a start, and of nothing that was started.
//!
//! Not here: what the doors say of a wrong one (the services' tests).

use super::*;
use hostler_rehearsal::races::{Race, raced, steps};
use std::collections::BTreeSet;

const TRIGGERS: &str = "triggers:
  exploited: { says: It is exploited in the wild }
  exposed: { says: It faces the internet, exposure: [internet] }
  ordered: { says: The security office has ordered it }
";

fn agreeing(triggers: &str) -> Estate {
    let read = |_: &str| Ok(triggers.to_owned());
    let read = policies::load(&["triggers.yaml"], &read, &policies::Known::default());
    estate().under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn gone(trigger: &str) -> Estate {
    let kept = TRIGGERS.lines().filter(|line| !line.contains(trigger));
    agreeing(&(kept.collect::<Vec<_>>().join("\n") + "\n"))
}

/// Both runbooks; the one calls the other.
fn staged(estate: Estate) -> Stage {
    calling::staged(["triggered", "triggering"], contracts(), estate)
}

fn scenario(runbook: &str, inputs: &str) -> Scenario {
    let text = format!(
        "scenario: urgent\nrunbook: {runbook}\nstarter: olga\ninputs: {{ asset: law1, {inputs} }}\npeople: [{{ step: go, by: carla, yes: true }}]\nexpect: {{ result: succeeded }}\n"
    );
    Scenario::read(&text).unwrap()
}

#[tokio::test]
async fn a_reason_that_is_gone_while_a_run_lives_changes_nothing_for_it() {
    let (now, then) = (staged(agreeing(TRIGGERS)), staged(gone("exploited")));
    let scenario = scenario("triggered", "why: exploited");
    let actions = BTreeSet::from(["guest.fs-grow".to_owned()]);
    let steps = steps(&now, &scenario, &actions).await.unwrap();
    let step = steps.first().unwrap();
    let raced = raced(&now, &then, &scenario, Race::Exchange, step, &actions).await;
    let raced = raced.unwrap();
    let ledger = raced.outcome.ledger.join("\n");
    assert!(!raced.began.is_empty(), "{ledger}");
    assert_eq!(raced.outcome.ended.state, "succeeded", "{ledger}");
    let refused = play(&then, &scenario).await.unwrap_err().to_string();
    let told = "exploited is not in policies.emergency.triggers";
    assert!(refused.contains(told), "{refused}");
}

#[tokio::test]
async fn what_a_run_calls_later_has_the_reason_of_the_run_whatever_is_agreed_upon_since() {
    let (now, then) = (staged(agreeing(TRIGGERS)), staged(gone("exploited")));
    let look = BTreeSet::from(["guest.fs-size".to_owned()]);
    for (inputs, state, told) in [
        ("why: exploited, passed_on: exploited", "succeeded", ""),
        ("why: ordered, passed_on: ordered", "succeeded", ""),
        // Another reason than the run's own is asked of the policies of today.
        (
            "why: ordered, passed_on: exploited",
            "failed",
            "why: \"exploited\" is not in policies.emergency.triggers",
        ),
    ] {
        let scenario = scenario("triggering", inputs);
        let steps = steps(&now, &scenario, &look).await.unwrap();
        let step = steps.first().unwrap();
        let raced = raced(&now, &then, &scenario, Race::Exchange, step, &look).await;
        let outcome = raced.unwrap().outcome;
        let ledger = outcome.ledger.join("\n");
        assert_eq!(outcome.ended.state, state, "{inputs}: {ledger}");
        let note = outcome.ended.note.unwrap_or_default();
        assert!(note.contains(told), "{inputs}: {note}");
    }
}

#[tokio::test]
async fn what_a_run_calls_begins_with_an_agreed_reason_that_holds_for_its_servers_alone() {
    let stage = staged(agreeing(TRIGGERS));
    for (passed_on, state, told) in [
        ("exploited", "succeeded", ""),
        (
            "exposed",
            "failed",
            "why: exposed holds only for what is exposed to internet, and not for law1 (campus)",
        ),
        (
            "boredom",
            "failed",
            "why: \"boredom\" is not in policies.emergency.triggers",
        ),
    ] {
        let inputs = format!("why: ordered, passed_on: {passed_on}");
        let ended = play(&stage, &scenario("triggering", &inputs)).await;
        let ended = ended.unwrap().ended;
        assert_eq!(ended.state, state, "{:?}", ended.note);
        assert!(ended.note.unwrap_or_default().contains(told));
    }
}
