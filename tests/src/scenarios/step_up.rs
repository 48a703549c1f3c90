//! The emergency under policies that want a code with each yes.
//!
//! Not here: what a code is, and which counts (the doors' tests).

use super::ledger::entries;
use super::{good_of, stage};
use hostler_rehearsal::{Outcome, Scenario, play};

const CLASSES: &str = "classes:\n  emergency: { step_up: totp }\n";
const AUTHORISE: &str = "authorise";

async fn played(scenario: &Scenario) -> Outcome {
    let stage = stage::promising(CLASSES, |text| text);
    let outcome = play(&stage, scenario).await;
    outcome.unwrap_or_else(|trouble| panic!("{trouble}"))
}

#[tokio::test]
async fn an_emergency_is_approved_by_two_people_with_their_codes_and_the_ledger_says_so() {
    let outcome = played(&good_of("emergency-patch")).await;
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    assert_eq!(outcome.complaints, Vec::<String>::new());
    let votes = entries(&outcome, "vote_cast");
    let who: Vec<_> = votes
        .iter()
        .map(|entry| (&entry["vote"]["person"], &entry["vote"]["stepped_up"]))
        .collect();
    println!("{who:?}");
    assert_eq!(who.len(), 2);
    assert!(
        who.iter().all(|(_, stepped_up)| **stepped_up == true),
        "{who:?}"
    );
}

#[tokio::test]
async fn an_emergency_that_one_of_two_cannot_prove_is_denied() {
    let mut scenario = good_of("emergency-patch");
    let people = &mut scenario.people;
    let last = people.iter_mut().rfind(|person| person.step == AUTHORISE);
    let last = last.unwrap();
    last.codeless = true;
    last.refused = Some("--code".to_owned());
    let outcome = played(&scenario).await;
    assert_ne!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    assert_eq!(entries(&outcome, "vote_cast").len(), 1);
    let refused = outcome
        .complaints
        .iter()
        .any(|line| line.contains("expected `--code`"));
    assert!(!refused, "{:?}", outcome.complaints);
    let changed = outcome
        .seen
        .iter()
        .any(|seen| seen.action == "mitigation.apply");
    assert!(!changed, "nothing was changed");
}
