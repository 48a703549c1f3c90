//! Where a consent shows beside its own gate: on the run's page, in the notice of a change, in a receipt, and in what a
//! run leaves behind in the store.
//!
//! Not here: who may speak, and what it holds (`consenting`).

use crate::consenting::{DAY_MS, SILENCE, WEEK, asked, days, link, link_of, said, says};
use crate::deferring::{self, RITA, day_behind, to_the_end};
use crate::support::House;
use axum::http::StatusCode;
use hostler_archive::{Keeper, Settings};
use hostler_ports::archive::MemoryArchive;
use hostler_ports::store::Store;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the run's page says of consents.
async fn shown(house: &mut House) -> Value {
    let path = format!("/api/v1/runs/{}", house.run);
    let (status, text) = house.as_person("olga", &path).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let view: Value = serde_json::from_str(&text).unwrap();
    view.get("consents").cloned().unwrap_or_else(|| json!([]))
}

#[tokio::test]
async fn a_run_shows_whom_it_waits_for_and_what_was_said_last() {
    let mut house = asked("explicit", WEEK).await;
    let rule = "explicit by the contract of redmark";
    let waits = json!([{ "customer": "redmark", "rule": rule, "needs_yes": true }]);
    assert_eq!(shown(&mut house).await, waits);
    let now_ms = house.world.store.now_ms().await.unwrap();
    let no = json!({ "agrees": false, "reason": "the term ends" });
    assert_eq!(
        says(&mut house, "rita-redmark", &no).await.0,
        StatusCode::OK
    );
    let view = shown(&mut house).await;
    let spoken = &view[0]["said"];
    assert_eq!(
        (&view[0]["rule"], &spoken["at_ms"]),
        (&json!(rule), &json!(now_ms))
    );
    let parts = ["agrees", "by", "reason"].map(|part| spoken["consent"][part].clone());
    let expected = [json!(false), json!("rita-redmark"), json!("the term ends")];
    assert_eq!(parts, expected, "{view}");
    let yes = json!({ "agrees": true });
    assert_eq!(
        says(&mut house, "ron-redmark", &yes).await.0,
        StatusCode::OK
    );
    to_the_end(&house).await;
    let view = shown(&mut house).await;
    let customers = view.as_array().unwrap().len();
    let by = &view[0]["said"]["consent"]["by"];
    assert_eq!((customers, by), (1, &json!("ron-redmark")), "{view}");
    assert_eq!(view[0].get("rule"), None, "nothing is asked any more");
}

#[tokio::test]
async fn a_run_shows_when_silence_agrees_to_what_was_announced() {
    let mut house = asked(SILENCE, WEEK).await;
    let told_ms = house.world.store.now_ms().await.unwrap();
    // The first day is a Thursday: ten business days are two weeks.
    let silent_ms = told_ms + 14 * DAY_MS;
    let rule = "tacit-10bd by the contract of redmark";
    let waits =
        json!({ "customer": "redmark", "rule": rule, "by_silence": true, "silent_ms": silent_ms });
    assert_eq!(shown(&mut house).await, json!([waits]));
}

#[tokio::test]
async fn the_notice_of_a_change_asks_for_the_consent_as_the_first_one_did() {
    let house = asked("explicit", WEEK).await;
    let until = day_behind(&house, 7).await;
    let form: &'static str = format!("until={until}").leak();
    let (status, page) = house.post(&deferring::link(&house, RITA), form).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    days(&house, 1).await;
    let messages = house.messages_to(RITA);
    let changed = messages
        .iter()
        .find(|message| message.subject == "work.changed");
    let changed = changed.unwrap_or_else(|| panic!("nothing has changed: {messages:#?}"));
    let path = link_of(changed).unwrap_or_else(|| panic!("it asks for nothing: {changed:#?}"));
    assert_ne!(
        path,
        link(&house, RITA),
        "each message has a link of its own"
    );
    let (status, page) = house.post(&path, "choice=agree").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let said = said(&house, house.run, "redmark").await.unwrap();
    assert!(said.consent.agrees && said.consent.by == "rita-redmark");
}

#[tokio::test]
async fn what_was_said_of_a_run_leaves_the_store_with_it_and_is_kept_in_the_archive() {
    let mut house = asked("explicit", WEEK).await;
    assert_eq!(
        house.post(&link(&house, RITA), "choice=agree").await.0,
        StatusCode::OK
    );
    to_the_end(&house).await;
    assert!(said(&house, house.run, "redmark").await.is_some());
    let archive = Arc::new(MemoryArchive::default());
    let keeper = Keeper::new(
        Arc::clone(&house.world.store) as _,
        Arc::clone(&archive) as _,
        Settings::default(),
    );
    house.world.clock.advance(8 * DAY_MS);
    let mut left = 0;
    for _ in 0..5 {
        left += keeper.pass().await.unwrap().purged;
        house.world.clock.advance(DAY_MS / 24);
    }
    assert_eq!(left, 1);
    assert_eq!(said(&house, house.run, "redmark").await, None);
    house.api.archive = Some(archive);
    let path = format!("/api/v1/runs/{0}/lanes/{1}", house.run, house.run.root());
    let (status, lane) = house.as_person("olga", &path).await;
    assert_eq!(status, StatusCode::OK, "{lane}");
    let kept = lane.contains("consent_decided") && lane.contains("rita-redmark");
    assert!(kept, "{lane}");
    assert_eq!(shown(&mut house).await, json!([]));
}
