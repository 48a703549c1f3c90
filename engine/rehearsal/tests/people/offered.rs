//! What a form offers: choices that bind the answer, and defaults that stand where nothing is given.
//!
//! Not here: what can be chosen of a list (core).

use super::*;

/// A house with this one runbook, which needs no contract.
pub(super) fn house_of(runbook: &str) -> Stage {
    let source = SourceFile {
        name: format!("workflows/{runbook}/v1.yaml"),
        text: text(&format!("{runbook}.yaml")),
        templates: templates(),
    };
    let checked = hostler_runbook::check(&source, &Environment::default());
    let definition = checked
        .definition
        .unwrap_or_else(|| panic!("{:?}", checked.faults));
    Stage {
        runbooks: Arc::new(Shelf(vec![Arc::new(definition)])),
        ..stage(promising())
    }
}

const CHOICE: &str = "
scenario: one of two, and no other
runbook: offered
starter: olga
inputs: { names: [p1, p2], many: 3 }
people:
  - { step: choose, by: carla, answer: { name: p3 }, refused: \"name: `p3` is none of p1, p2\" }
  - { step: choose, by: carla, answer: { name: p1, others: [p2, p4] }, refused: \"others: `p4` is none of p1, p2\" }
  - { step: choose, by: carla, answer: { name: p1, many: 0 }, refused: minimum }
  - { step: choose, by: carla, answer: { name: p2, others: [p1] } }
expect: { result: succeeded }
";

#[tokio::test]
async fn an_answer_is_one_of_what_was_offered_and_takes_the_defaults() {
    let outcome = play(&house_of("offered"), &Scenario::read(CHOICE).unwrap())
        .await
        .unwrap();
    assert!(outcome.complaints.is_empty(), "{:?}", outcome.complaints);
    assert_eq!(outcome.ended.note.as_deref(), Some("p2 3 plain"));
}

#[tokio::test]
async fn a_form_whose_default_breaks_its_own_limits_takes_no_answer_without_it() {
    let broken = "
scenario: what stands there is too little
runbook: offered
starter: olga
inputs: { names: [p1, p2], many: 0 }
people:
  - { step: choose, by: carla, answer: { name: p2 }, refused: minimum }
  - { step: choose, by: carla, answer: { name: p2, many: 7 } }
expect: { result: succeeded }
";
    let outcome = play(&house_of("offered"), &Scenario::read(broken).unwrap())
        .await
        .unwrap();
    assert!(outcome.complaints.is_empty(), "{:?}", outcome.complaints);
    assert_eq!(outcome.ended.note.as_deref(), Some("p2 7 plain"));
}

#[tokio::test]
async fn whatever_commit_is_lost_the_same_is_offered() {
    let scenario = Scenario::read(CHOICE).unwrap();
    let cases = crash_after_each_commit(&house_of("offered"), &scenario)
        .await
        .unwrap();
    assert!(cases.len() > 3, "{}", cases.len());
    for Case { what, outcome } in cases {
        assert_eq!(outcome.ended.note.as_deref(), Some("p2 3 plain"), "{what}");
    }
}
