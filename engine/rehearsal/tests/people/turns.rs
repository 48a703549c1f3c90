//! `until` of rounds: it sees what the round saw that has just ended.
//!
//! Not here: how many rounds there may be (core).

use super::offered::house_of;
use super::*;

const TURNS: &str = "
scenario: three rounds and no more
runbook: turns
starter: olga
inputs: {}
people:
  - { step: ask, by: carla, answer: { again: true } }
  - { step: ask, by: carla, answer: { again: true } }
  - { step: ask, by: carla, answer: { again: false } }
expect: { result: succeeded }
";

#[tokio::test]
async fn until_sees_the_number_of_its_round_and_the_rounds_before() {
    let scenario = Scenario::read(TURNS).unwrap();
    let outcome = play(&house_of("turns"), &scenario).await.unwrap();
    assert!(outcome.complaints.is_empty(), "{:?}", outcome.complaints);
    assert_eq!(outcome.ended.note.as_deref(), Some("3"));
}
