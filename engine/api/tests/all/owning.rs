//! Whether whoever starts a run owns its targets: judged when it is planned, and kept.

use crate::support::{World, estate_with, world, world_with};
use hostler_core::difference::{About, plans};
use hostler_core::plan::Plan;
use serde_json::json;
use std::sync::Arc;

const OF_NOTHING: &str = r#"
runbook: touch
version: 1
title: Touch nothing
owner: tests
policy: { class: standard-patch, start: [operator], four_eyes: true }
steps:
  - { id: go, approve: { who: role:change-board, show: [plan], expires: 5d, on_expire: deny } }
"#;

/// Olga answers for one of Chemistry's servers.
fn owning(world: &mut World) {
    let of = |text: &str| text.replace("web1: { customer", "web1: { owner: olga, customer");
    world.api.directory = Arc::new(estate_with(of));
}

#[tokio::test]
async fn whoever_owns_each_target_owns_them_and_whoever_lacks_one_does_not() {
    let mut world = world();
    let of = |targets: &str| json!({ "targets": targets });
    assert!(!world.planned(of("id=web1")).await.requester_owns);
    owning(&mut world);
    assert!(world.planned(of("id=web1")).await.requester_owns);
    assert!(!world.planned(of("id=web2")).await.requester_owns);
    assert!(!world.planned(of("id=web1,web2")).await.requester_owns);
    let mut nothing = world_with(OF_NOTHING);
    owning(&mut nothing);
    assert!(!nothing.planned(json!({})).await.requester_owns);
}

#[tokio::test]
async fn an_approval_signs_whether_the_starter_owns_and_is_told_when_that_differs() {
    let mut world = world();
    let of = json!({ "targets": "id=web1" });
    let before = world.planned(of.clone()).await;
    owning(&mut world);
    let after = world.planned(of).await;
    let mut bare = after.clone();
    bare.requester_owns = false;
    assert_ne!(bare.digest(), after.digest());
    let told = |old: &Plan, new: &Plan| {
        let found = plans(old, new).into_iter();
        let ownership = found.filter(|one| one.about == About::Ownership);
        ownership.map(|one| one.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&before, &after),
        ["the starter owns all: false → true"]
    );
    assert_eq!(told(&after, &after), [""; 0]);
}
