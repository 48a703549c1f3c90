//! The owner is asked, unless the owner is who has asked: by the estate at the start.
//!
//! Not here: who owns what (the estate's tests).

use super::*;
use hostler_rehearsal::races::{Race, raced, steps};
use std::collections::BTreeSet;

/// Olga answers for these servers.
fn olgas(servers: &'static [&'static str]) -> Estate {
    estate_with(|text| {
        servers.iter().fold(text, |text, server| {
            let (was, is) = (
                format!("{server}: {{ customer"),
                format!("{server}: {{ owner: olga, customer"),
            );
            text.replace(&was, &is)
        })
    })
}

fn scenario(runbook: &str, inputs: &str, people: &str) -> Scenario {
    let text = format!(
        "scenario: grow\nrunbook: {runbook}\nstarter: olga\ninputs: {{ {inputs} }}\npeople: [{people}]\nexpect: {{ result: succeeded }}\n"
    );
    Scenario::read(&text).unwrap()
}

const EVE: &str = "{ step: owner, by: eve, yes: true }";

/// Both runbooks; the one calls the other.
fn staged(estate: Estate) -> Stage {
    calling::staged(["owned", "owning"], contracts(), estate)
}

fn was_asked(outcome: &Outcome) -> bool {
    let asked = |entry: &String| entry.contains("person_asked") && entry.contains("owner");
    outcome.ledger.iter().any(asked)
}

async fn done(estate: Estate, runbook: &str, inputs: &str, people: &str) -> Outcome {
    let outcome = play(&staged(estate), &scenario(runbook, inputs, people)).await;
    outcome.unwrap()
}

#[tokio::test]
async fn an_owner_who_asks_is_not_asked_and_anybody_else_is() {
    let own = done(olgas(&["law1"]), "owned", "asset: law1", "").await;
    assert_eq!(own.ended.state, "succeeded", "{:?}", own.ended.note);
    assert!(!was_asked(&own), "{:?}", own.ledger);
    // Another server of hers makes nobody an owner of this one.
    let other = done(olgas(&["web1"]), "owned", "asset: law1", EVE).await;
    assert_eq!(other.ended.state, "succeeded", "{:?}", other.ended.note);
    assert!(was_asked(&other), "{:?}", other.ledger);
    let silent = done(estate(), "owned", "asset: law1", "").await;
    assert_eq!(silent.ended.state, "expired");
    assert_eq!(calls(&silent, "guest.fs-grow"), 0);
}

#[tokio::test]
async fn what_a_run_calls_is_asked_about_by_all_targets_of_the_run() {
    let inputs = "asset: law1, other: web1";
    let all = done(olgas(&["law1", "web1"]), "owning", inputs, "").await;
    assert_eq!(all.ended.state, "succeeded", "{:?}", all.ended.note);
    assert!(!was_asked(&all));
    let one = done(olgas(&["law1"]), "owning", inputs, "").await;
    assert_ne!(one.ended.state, "succeeded");
    assert_eq!(calls(&one, "guest.fs-grow"), 0, "{:?}", one.ledger);
}

#[tokio::test]
async fn who_owned_at_the_start_is_what_counts_whatever_the_estate_says_later() {
    let look = BTreeSet::from(["guest.fs-size".to_owned()]);
    for (now, then, people, asked) in [
        (olgas(&["law1"]), estate(), "", false),
        (estate(), olgas(&["law1"]), EVE, true),
    ] {
        let (now, then) = (staged(now), staged(then));
        let scenario = scenario("owned", "asset: law1", people);
        let steps = steps(&now, &scenario, &look).await.unwrap();
        let step = steps.first().unwrap();
        let raced = raced(&now, &then, &scenario, Race::Exchange, step, &look).await;
        let outcome = raced.unwrap().outcome;
        assert_eq!(was_asked(&outcome), asked, "{:?}", outcome.ledger);
    }
}
