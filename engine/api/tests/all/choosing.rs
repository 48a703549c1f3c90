//! Inputs that are chosen from a catalog of the estate.

use crate::support::{World, ask, estate_with, world_with};
use hostler_api::Code;
use hostler_api::services::runbooks;
use hostler_api::services::start::start;
use hostler_core::difference::choices;
use serde_json::{Value, json};
use std::sync::Arc;

const CHOOSING: &str = r#"
runbook: touch
version: 1
title: Touch servers
owner: tests
inputs:
  os: { type: string, label: Operating system, from: catalog.os }
policy: { class: standard-patch, start: [operator], four_eyes: true }
steps:
  - { id: go, approve: { who: role:change-board, show: [plan, inputs], expires: 5d, on_expire: deny } }
"#;

async fn refused(world: &World, inputs: Value) -> String {
    let olga = world.subject("olga");
    let problem = start(&world.api, &olga, ask(inputs), None).await;
    let problem = problem.unwrap_err();
    assert_eq!(problem.code, Code::InputInvalid);
    assert_eq!(world.api.store.counts().await.unwrap().ready, 0);
    problem.detail
}

#[tokio::test]
async fn what_is_not_in_the_catalog_starts_nothing_and_the_nearest_or_all_are_named() {
    let world = world_with(CHOOSING);
    for (inputs, told) in [
        (
            json!({ "os": "debian-31" }),
            "os: debian-31 is not in the catalog os: did you mean debian-13?",
        ),
        (
            json!({ "os": "plan9" }),
            "choose one of: debian-13 (Debian 13), rhel-10 (RHEL 10)",
        ),
        (
            json!({}),
            "os is missing: give it with -i os=…; choose one of: debian-13 (Debian 13)",
        ),
        (json!({ "os": 13 }), "os"),
    ] {
        let detail = refused(&world, inputs).await;
        assert!(detail.contains(told), "{detail}");
    }
    let absent = world_with(&CHOOSING.replace("catalog.os", "catalog.systems"));
    let detail = refused(&absent, json!({ "os": "debian-13" })).await;
    assert!(
        detail.contains("no catalog systems: add it under `catalog`"),
        "{detail}"
    );
}

#[tokio::test]
async fn the_plan_keeps_the_entry_and_a_start_looks_at_the_catalog_of_today() {
    let mut world = world_with(CHOOSING);
    let olga = world.subject("olga");
    let given = json!({ "os": "debian-13" });
    let plan = world.planned(given.clone()).await;
    assert_eq!(
        json!(plan.chosen),
        json!({ "os": { "catalog": "os", "id": "debian-13", "label": "Debian 13" } })
    );
    let mut other = plan.clone();
    other.chosen.clear();
    assert_ne!(other.digest(), plan.digest(), "an approval signs the entry");
    let told = |was: &str, is: &str| {
        let found = choices(&plan, &estate_with(|text| text.replace(was, is)));
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told("RHEL 10", "RHEL 11"), [""; 0]);
    assert_eq!(
        told("Debian 13", "Debian 14"),
        ["choice os: debian-13 (Debian 13) → debian-13 (Debian 14)"]
    );
    world.api.directory = Arc::new(estate_with(|text| {
        text.replace("debian-13, label", "debian-14, label")
    }));
    let problem = start(&world.api, &olga, ask(given), None)
        .await
        .unwrap_err();
    assert!(
        problem.detail.contains("did you mean debian-14?"),
        "{problem}"
    );
}

#[tokio::test]
async fn whoever_looks_at_a_runbook_sees_what_can_be_chosen_with_labels() {
    let world = world_with(CHOOSING);
    let view = runbooks::show(&world.api, &world.subject("olga"), "touch", None).unwrap();
    assert_eq!(
        json!(view.choices),
        json!({ "os": [{ "id": "debian-13", "label": "Debian 13" }, { "id": "rhel-10", "label": "RHEL 10" }] })
    );
}
