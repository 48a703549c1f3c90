//! Rules of inputs and of a form's fields, from the file to the answer: what they see is what stood there when
//! somebody was asked.
//!
//! Not here: the doors one by one (the services' tests).

use super::*;

fn ruled() -> Stage {
    calling::staged(["ruled", "calling"], Vec::new(), promising())
}

async fn ended(scenario: &str) -> Outcome {
    let outcome = play(&ruled(), &Scenario::read(scenario).unwrap()).await;
    outcome.unwrap()
}

const ROUNDS: &str = "
scenario: two rounds, each with a rule about the one before
runbook: ruled
starter: olga
inputs: { most: 3 }
people:
  - { step: choose, by: carla, answer: { many: 4 }, refused: many (How many) breaks its rule }
  - { step: choose, by: carla, answer: { many: 2, leave_out: [x] }, refused: leave_out_reason }
  - { step: choose, by: carla, answer: { many: 2, leave_out: [x], leave_out_reason: exam week } }
  - { step: choose, by: carla, answer: { many: 2 }, refused: many (How many) breaks its rule }
  - { step: choose, by: carla, answer: { many: 3 } }
expect: { result: succeeded, ledger: [exam week] }
";

#[tokio::test]
async fn a_rule_of_a_form_sees_the_inputs_and_the_round_before_and_a_reason_goes_into_the_ledger() {
    let outcome = ended(ROUNDS).await;
    assert!(outcome.complaints.is_empty(), "{:?}", outcome.complaints);
    let settled = |entry: &&String| entry.contains("\"answered\"");
    assert_eq!(outcome.ledger.iter().filter(settled).count(), 2);
}

#[tokio::test]
async fn an_answer_that_no_door_takes_is_a_complaint_of_the_rehearsal() {
    let careless = ROUNDS.replace(", refused: many (How many) breaks its rule", "");
    let outcome = ended(&careless).await;
    let told = outcome.complaints.join("\n");
    assert_eq!(
        told.matches("many (How many) breaks its rule").count(),
        2,
        "{told}"
    );
}

#[tokio::test]
async fn whatever_commit_is_lost_a_rule_sees_the_same() {
    let scenario = Scenario::read(ROUNDS).unwrap();
    let cases = crash_after_each_commit(&ruled(), &scenario).await.unwrap();
    assert!(cases.len() > 4, "{}", cases.len());
    for Case { what, outcome } in cases {
        assert_eq!(outcome.ended.state, "succeeded", "{what}");
    }
}

#[tokio::test]
async fn a_run_whose_inputs_break_a_rule_starts_through_no_door_neither_by_a_call() {
    let scenario = |runbook: &str, most: i32, result: &str| {
        format!(
            "scenario: none\nrunbook: {runbook}\nstarter: olga\ninputs: {{ most: {most} }}\npeople: [{{ step: choose, by: carla, answer: {{ many: 1 }} }}]\nexpect: {{ result: {result} }}\n"
        )
    };
    let told = "most (At most) breaks its rule `value > 0`";
    let direct = Scenario::read(&scenario("ruled", 0, "failed")).unwrap();
    let refusal = play(&ruled(), &direct).await.unwrap_err().to_string();
    assert!(refusal.contains(told), "{refusal}");
    let called = ended(&scenario("calling", 0, "failed")).await;
    assert_eq!(called.ended.state, "failed");
    let note = called.ended.note.unwrap_or_default();
    assert!(
        note.contains("ruled does not start") && note.contains(told),
        "{note}"
    );
    assert_eq!(
        ended(&scenario("calling", 1, "succeeded"))
            .await
            .ended
            .state,
        "succeeded"
    );
}
