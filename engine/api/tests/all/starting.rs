//! Runs that are started, listed and shown.

use crate::support::{ask, world};
use hostler_api::services::evidence::gather;
use hostler_api::services::runs::{list, resolve, show};
use hostler_api::services::start::start;
use hostler_api::{Code, read};
use serde_json::json;

#[tokio::test]
async fn the_same_key_and_contents_are_the_same_run() {
    let world = world();
    let olga = world.subject("olga");
    let first = start(&world.api, &olga, ask(json!({})), Some("k"))
        .await
        .unwrap();
    world.clock.advance(5_000);
    let again = start(&world.api, &olga, ask(json!({})), Some("k"))
        .await
        .unwrap();
    assert_eq!(
        (again.run, again.known, first.known),
        (first.run, true, false)
    );
    assert_eq!(
        again.plan.digest, first.plan.digest,
        "the plan that was frozen, not one of now"
    );
    let other = start(&world.api, &olga, ask(json!({ "times": 2 })), Some("k"))
        .await
        .unwrap_err();
    assert_eq!(other.code, Code::Conflict);
    let fresh = start(&world.api, &olga, ask(json!({})), None)
        .await
        .unwrap();
    assert_ne!(fresh.run, first.run);
    assert_eq!(
        list(&world.api, &olga, "", 10, None)
            .await
            .unwrap()
            .runs
            .len(),
        2
    );
}

#[tokio::test]
async fn who_may_not_start_starts_nothing() {
    let world = world();
    for person in ["vera", "carla", "nobody", "chem"] {
        let problem = start(&world.api, &world.subject(person), ask(json!({})), None)
            .await
            .unwrap_err();
        assert_eq!(problem.code, Code::Forbidden, "{person}");
    }
    assert_eq!(world.api.store.counts().await.unwrap().ready, 0);
}

#[tokio::test]
async fn a_started_run_can_be_read_back_whole() {
    let world = world();
    let run = world.started().await;
    let olga = world.subject("olga");
    let view = show(&world.api, &olga, run, None).await.unwrap();
    assert_eq!(
        (
            view.run.state.as_str(),
            view.run.step.as_deref(),
            view.run.targets
        ),
        ("running", Some("go"), 2)
    );
    let reading = read::lane(&world.api, run.root()).await.unwrap();
    assert_eq!((reading.lane.id(), reading.lane.version), (run.root(), 1));
    let plan = read::plan(&world.api, view.run.plan).await.unwrap();
    assert_eq!(plan.digest(), view.run.plan);
    assert_eq!(plan.routes["web1"]["monitor"].connection, "one");
    let evidence = gather(&world.api, &olga, run).await.unwrap();
    assert_eq!(evidence.ledger[0].body["event"], "run_started");
    assert_eq!(evidence.ledger[0].body["by"], "olga");
}

#[tokio::test]
async fn pages_of_runs_meet_without_gap_or_repeat() {
    let world = world();
    let olga = world.subject("olga");
    let mut started = Vec::new();
    for _ in 0..7 {
        world.clock.advance(10);
        started.push(world.started().await);
    }
    started.reverse();
    let mut found = Vec::new();
    let mut after = None;
    for _ in 0..4 {
        let page = list(&world.api, &olga, "state:live runbook:t*", 2, after)
            .await
            .unwrap();
        found.extend(page.runs.iter().map(|row| row.run));
        after = page.next;
    }
    assert_eq!((found, after), (started.clone(), None));
    world.clock.advance(3_600_000);
    assert!(
        list(&world.api, &olga, "since:30m", 10, None)
            .await
            .unwrap()
            .runs
            .is_empty()
    );
}

#[tokio::test]
async fn the_beginning_of_an_id_names_a_run_when_no_other_begins_so() {
    let world = world();
    let olga = world.subject("olga");
    let key = |key: &'static str| start(&world.api, &olga, ask(json!({})), Some(key));
    let (a, b) = (key("a").await.unwrap().run, key("b").await.unwrap().run);
    assert_ne!(
        a.to_string()[..6],
        b.to_string()[..6],
        "these keys give ids that differ early"
    );
    assert_eq!(resolve(&world.api, &olga, &a.to_string()[..6]).await, Ok(a));
    assert_eq!(
        resolve(&world.api, &olga, "abc").await.unwrap_err().code,
        Code::Malformed
    );
    assert_eq!(
        resolve(&world.api, &olga, "../../x")
            .await
            .unwrap_err()
            .code,
        Code::Malformed
    );
    assert_eq!(
        resolve(&world.api, &olga, "0000-ffff")
            .await
            .unwrap_err()
            .code,
        Code::NotFound
    );
}
