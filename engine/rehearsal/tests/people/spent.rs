//! From an amount of the policies on, more people are asked.
//!
//! Not here: that an amount is there (the api's tests).

use super::promised::under;
use super::*;

/// Lea may agree; who asks is another one.
async fn bought(runbook: &str, cents: u64, people: &str) -> Outcome {
    let estate = under(&[(
        "spend.yaml",
        "spend: { currency: USD, limits: { dean_cents: 500 } }\n",
    )]);
    let stage = calling::staged(["spent", "spending"], contracts(), estate);
    let text = format!(
        "scenario: buy\nrunbook: {runbook}\nstarter: olga\ninputs: {{ asset: web1, cents: {cents} }}\npeople: [{people}]\nexpect: {{ result: succeeded }}\n"
    );
    let scenario = Scenario::read(&text).unwrap();
    play(&stage, &scenario).await.unwrap()
}

#[tokio::test]
async fn from_an_amount_of_the_policies_on_more_people_are_asked() {
    const LEA: &str = "{ step: dean, by: lea, yes: true }";
    for runbook in ["spent", "spending"] {
        let small = bought(runbook, 500, "").await;
        assert_eq!(small.ended.state, "succeeded", "{:?}", small.ended.note);
        let agreed = bought(runbook, 501, LEA).await;
        assert_eq!(agreed.ended.state, "succeeded", "{:?}", agreed.ended.note);
        let silent = bought(runbook, 501, "").await;
        assert_ne!(silent.ended.state, "succeeded");
        assert_eq!(calls(&silent, "guest.fs-grow"), 0, "{:?}", silent.ledger);
    }
}
