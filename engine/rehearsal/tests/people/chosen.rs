//! Inputs that are chosen from a catalog of the estate: what was signed is the entry, as it was then.
//!
//! Not here: what the doors say of a wrong one (the services' tests).

use super::*;
use hostler_rehearsal::races::{Race, raced, steps};
use std::collections::BTreeSet;

fn scenario(runbook: &str, os: &str) -> Scenario {
    let text = format!(
        "scenario: choose\nrunbook: {runbook}\nstarter: olga\ninputs: {{ asset: law1, os: {os} }}\npeople: [{{ step: go, by: carla, yes: true }}]\nexpect: {{ result: succeeded }}\n"
    );
    Scenario::read(&text).unwrap()
}

#[tokio::test]
async fn an_entry_that_is_gone_or_differs_holds_what_was_signed_and_no_other_entry_does() {
    let (now, scenario) = (stage(estate()), scenario("chosen", "debian-13"));
    let actions = BTreeSet::from(["guest.fs-grow".to_owned()]);
    let steps = steps(&now, &scenario, &actions).await.unwrap();
    let step = steps.first().unwrap();
    let signed = "choice os: debian-13 (Debian 13)";
    for (was, is, told) in [
        (
            "label: Debian 13",
            "label: Debian 14",
            Some(format!("{signed} → debian-13 (Debian 14)")),
        ),
        (
            "    - { id: debian-13, label: Debian 13 }\n",
            "",
            Some(format!("{signed} → nothing")),
        ),
        ("label: RHEL 10", "label: RHEL 11", None),
        ("    - { id: rhel-10, label: RHEL 10 }\n", "", None),
    ] {
        let then = stage(estate_with(|text| text.replace(was, is)));
        let raced = raced(&now, &then, &scenario, Race::Exchange, step, &actions).await;
        let raced = raced.unwrap();
        let ledger = raced.outcome.ledger.join("\n");
        assert_eq!(raced.began.is_empty(), told.is_some(), "{was}: {ledger}");
        assert!(
            told.is_none_or(|told| ledger.contains(&told)),
            "{was}: {ledger}"
        );
    }
}

#[tokio::test]
async fn a_call_takes_an_entry_of_the_catalog_and_nothing_else() {
    let stage = calling::staged(["chosen", "choosing"], contracts(), estate());
    for (os, state, told) in [
        ("debian-13", "succeeded", ""),
        (
            "debian-31",
            "failed",
            "os: \"debian-31\" is not in the catalog os",
        ),
    ] {
        let ended = play(&stage, &scenario("choosing", os)).await.unwrap().ended;
        assert_eq!(ended.state, state, "{:?}", ended.note);
        assert!(ended.note.unwrap_or_default().contains(told));
    }
}
