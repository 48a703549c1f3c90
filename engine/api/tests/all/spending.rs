//! Amounts of the policies that a runbook compares with: found when a run is planned, and kept.

use crate::support::{World, ask, estate_with, world_with};
use hostler_api::Code;
use hostler_api::services::start::start;
use hostler_core::difference::{About, plans};
use hostler_estate::{Estate, policies};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const BUY: &str = r#"
runbook: touch
version: 1
title: Buy something
owner: tests
inputs: { cents: { type: integer } }
policy: { class: request, start: [operator], four_eyes: true }
steps:
  - id: dean
    if: "${{ inputs.cents > policy.spend.dean_cents }}"
    approve: { who: role:change-board, show: [plan, inputs], expires: 5d, on_expire: deny }
"#;

fn under(spend: &str) -> Estate {
    let read = |_: &str| Ok(spend.to_owned());
    let read = policies::load(&["spend.yaml"], &read, &policies::Known::default());
    let estate = estate_with(str::to_owned);
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn limits(limits: &str) -> Estate {
    under(&format!(
        "spend: {{ currency: USD, limits: {{ {limits} }} }}\n"
    ))
}

fn buying(estate: Estate) -> World {
    let mut world = world_with(BUY);
    world.api.directory = Arc::new(estate);
    world
}

#[tokio::test]
async fn an_amount_that_the_policies_do_not_have_starts_nothing() {
    for (estate, told) in [
        (limits("cfo_cents: 5"), "the policies do not have it"),
        (estate_with(str::to_owned), "no policies are configured"),
    ] {
        let world = buying(estate);
        let olga = world.subject("olga");
        let refused = start(&world.api, &olga, ask(json!({ "cents": 7 })), None).await;
        let problem = refused.unwrap_err();
        assert_eq!(problem.code, Code::RunbookInvalid);
        let detail = format!("touch compares with policy.spend.dean_cents, and {told}");
        assert!(problem.to_string().contains(&detail), "{problem}");
        assert_eq!(world.api.store.counts().await.unwrap().ready, 0);
    }
}

#[tokio::test]
async fn a_plan_keeps_the_amounts_that_its_runbook_names_and_says_when_they_differ() {
    let of = json!({ "cents": 7 });
    let low = limits("dean_cents: 500, cfo_cents: 900");
    let old = buying(low).planned(of.clone()).await;
    assert_eq!(old.spend, BTreeMap::from([("dean_cents".to_owned(), 500)]));
    let new = buying(limits("dean_cents: 600, cfo_cents: 900"));
    let new = new.planned(of).await;
    let found = plans(&old, &new).into_iter();
    let amounts = found.filter(|one| one.about == About::Spend);
    let told: Vec<String> = amounts.map(|one| one.to_string()).collect();
    assert_eq!(told, ["policy.spend dean_cents: 500 → 600"]);
}
