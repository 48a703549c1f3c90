//! Inputs that are chosen from the triggers of the policies: reasons for urgent work.

use crate::support::{World, ask, estate_with, world_with};
use hostler_api::Code;
use hostler_api::services::runbooks;
use hostler_api::services::start::start;
use hostler_core::difference::{About, choices, plans};
use hostler_core::directory::Directory;
use hostler_estate::{Estate, policies};
use serde_json::{Value, json};
use std::sync::Arc;

const URGENT: &str = r#"
runbook: touch
version: 1
title: Touch servers
owner: tests
inputs:
  targets: { type: selector, label: Servers }
  why: { type: string, label: Which of the agreed reasons, from: policies.emergency.triggers }
policy: { class: emergency, start: [operator], four_eyes: true }
steps:
  - { id: go, approve: { who: role:change-board, show: [plan, inputs], expires: 5d, on_expire: deny } }
"#;

const TRIGGERS: &str = "triggers:
  exploited: { says: It is exploited in the wild }
  exposed: { says: It faces the internet, exposure: [internet] }
  release: { says: The vendor has released it, class: expedited }
";

fn under(triggers: &str) -> Estate {
    let exposed = "ring: canary, exposure: internet";
    let estate = estate_with(|text| text.replace("ring: canary", exposed));
    let read = |_: &str| Ok(triggers.to_owned());
    let read = policies::load(&["triggers.yaml"], &read, &policies::Known::default());
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn urgent() -> World {
    let mut world = world_with(URGENT);
    world.api.directory = Arc::new(under(TRIGGERS));
    world
}

fn over(targets: &str, why: &str) -> Value {
    json!({ "targets": targets, "why": why })
}

async fn refused(world: &World, inputs: Value) -> String {
    let olga = world.subject("olga");
    let problem = start(&world.api, &olga, ask(inputs), None).await;
    let problem = problem.unwrap_err();
    assert_eq!(problem.code, Code::InputInvalid);
    assert_eq!(world.api.store.counts().await.unwrap().ready, 0);
    problem.to_string()
}

#[tokio::test]
async fn no_agreed_reason_starts_nothing_and_all_of_them_are_named() {
    let world = urgent();
    let all = "choose one of: exploited (It is exploited in the wild), exposed (It faces the internet; only for \
               what is exposed to: internet)";
    for (inputs, told) in [
        (
            over("id=web1", "explioted"),
            format!(
                "why: explioted is not in policies.emergency.triggers: did you mean exploited? {all}; what none of \
                 them fits does not start as emergency"
            ),
        ),
        (over("id=web1", "boredom"), format!("triggers: {all}")),
        // Another class has reasons of its own.
        (over("id=web1", "release"), format!("triggers: {all}")),
        (
            json!({ "targets": "id=web1" }),
            format!("why is missing: give it with -i why=…; {all}"),
        ),
    ] {
        let detail = refused(&world, inputs).await;
        assert!(detail.contains(&told), "{detail}");
    }
}

#[tokio::test]
async fn without_triggers_or_without_policies_nothing_starts_that_wants_one() {
    let mut world = world_with(URGENT);
    let given = over("id=web1", "exploited");
    let detail = refused(&world, given.clone()).await;
    assert!(detail.contains("no policies are configured"), "{detail}");
    assert!(detail.contains("[policies]"), "{detail}");
    world.api.directory = Arc::new(under(
        "triggers: { release: { says: Released, class: expedited } }",
    ));
    for inputs in [given, json!({ "targets": "id=web1" })] {
        let detail = refused(&world, inputs).await;
        let told = "no trigger of the class emergency: add one to triggers.yaml";
        assert!(detail.contains(told), "{detail}");
    }
}

#[tokio::test]
async fn a_reason_that_does_not_hold_for_a_server_starts_nothing_over_it() {
    let world = urgent();
    let detail = refused(&world, over("id=web1,web2", "exposed")).await;
    let told =
        "why: exposed holds only for what is exposed to internet, and not for web2 (not said)";
    assert!(detail.contains(told), "{detail}");
    assert!(detail.contains("leave these servers out"), "{detail}");
    let olga = world.subject("olga");
    for inputs in [
        over("id=web1", "exposed"),
        over("id=web1,web2", "exploited"),
    ] {
        let started = start(&world.api, &olga, ask(inputs), None).await;
        assert!(started.is_ok(), "{started:?}");
    }
}

#[tokio::test]
async fn the_plan_keeps_the_reason_with_its_text_and_which_policies_were_read() {
    let mut world = urgent();
    let olga = world.subject("olga");
    let given = over("id=web1", "exploited");
    let plan = world.planned(given.clone()).await;
    assert_eq!(
        json!(plan.chosen),
        json!({ "why": { "triggers": "emergency", "id": "exploited", "label": "It is exploited in the wild" } })
    );
    assert_eq!(plan.policies, under(TRIGGERS).policies());
    // What is agreed upon since then holds nothing that was started, and no other start.
    let gone = under("triggers: { order: { says: The security office has ordered it } }");
    assert!(choices(&plan, &gone).is_empty());
    world.api.directory = Arc::new(gone);
    let problem = start(&world.api, &olga, ask(given.clone()), None).await;
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("choose one of: order"), "{problem}");
    // The same reason with another text is told to whoever approves the next run.
    world.api.directory = Arc::new(under(&TRIGGERS.replace("in the wild", "by somebody")));
    let other = world.planned(given).await;
    let told = plans(&plan, &other);
    assert!(
        told.iter().any(|one| one.about == About::Choice),
        "{told:?}"
    );
}

#[tokio::test]
async fn whoever_looks_at_a_runbook_sees_the_reasons_with_their_texts() {
    let world = urgent();
    let view = runbooks::show(&world.api, &world.subject("olga"), "touch", None).unwrap();
    assert_eq!(
        json!(view.choices),
        json!({ "why": [
            { "id": "exploited", "label": "It is exploited in the wild" },
            { "id": "exposed", "label": "It faces the internet; only for what is exposed to: internet" },
        ] })
    );
    assert_eq!(
        view.inputs["why"].schema["x-from"],
        "policies.emergency.triggers"
    );
    assert_eq!(json!(view.inputs["why"])["triggers"], "emergency");
}
