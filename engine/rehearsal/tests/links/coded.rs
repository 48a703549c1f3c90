//! A house whose board is asked about an emergency, with a code for each yes; what apps show, and how it comes to a door.
//!
//! Not here: any expectation.

use crate::support::{House, scenario, stage_of, text};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hostler_api::read;
use hostler_api::step_up::{Passcode, Secret, step};
use hostler_core::id::{Digest, LaneId};
use hostler_core::lane::Phase;
use hostler_estate::{Estate, Known, policies};
use hostler_ports::store::Store;
use hostler_ports::store::verbs::kv::Span;
use hostler_rehearsal::{Stage, begin};
use serde_json::{Value, json};

const TARGETS: &str = "id=redmark-web1,bluemark-db1";
const CLASSES: &str = "classes:\n  emergency: { step_up: totp }\n";
/// More pairs than a store of these tests has.
const PAIRS_MAX: usize = 10_000;

fn estate() -> Estate {
    let read = |_: &str| Ok(text("estate.yaml"));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    let read = |_: &str| Ok(CLASSES.to_owned());
    let read = policies::load(&["classes.yaml"], &read, &policies::Known::default());
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn stage() -> Stage {
    let runbook = text("ask.yaml").replace("class: request", "class: emergency");
    assert!(runbook.contains("class: emergency"));
    stage_of(estate(), runbook)
}

/// The board is asked; these of it are enrolled.
pub async fn asking(enrolled: &[&str]) -> House {
    let house = House::on(&stage(), TARGETS, &[]).await;
    for person in enrolled {
        let mut people = house.api.step_up.write().unwrap();
        people.enrol(&*house.api.ids, person);
    }
    house
}

pub fn secret(house: &House, person: &str) -> Secret {
    let enrolled = house.api.step_up.read().unwrap();
    enrolled.secret(person).unwrap().clone()
}

/// What the app of this person shows so many steps from now.
pub async fn passcode(house: &House, person: &str, steps: i64) -> Passcode {
    let now = step(house.world.store.now_ms().await.unwrap());
    secret(house, person).code(now.checked_add_signed(steps).unwrap())
}

pub async fn code(house: &House, person: &str, steps: i64) -> String {
    let code = json!(passcode(house, person, steps).await);
    code.as_str().unwrap().to_owned()
}

/// By the link of a message.
pub async fn by_link(house: &House, link: &str, code: &str) -> (StatusCode, String) {
    let form = format!("decision=yes&code={code}");
    house.post(link, form.leak()).await
}

/// By a token, with these fields beside yes.
pub async fn by_token(
    house: &mut House,
    lane: LaneId,
    person: &str,
    more: Value,
) -> (StatusCode, Value) {
    let token = house.tokens.issue(&*house.api.ids, person, None, None);
    let signs = signs(house, lane).await;
    let mut body = json!({ "yes": true, "signs": signs });
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let request = Request::post(format!("/api/v1/waiting/{lane}/decision"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_string()));
    let (status, text, _) = house.ask(request.unwrap()).await;
    (status, serde_json::from_str(&text).unwrap())
}

pub async fn signs(house: &House, lane: LaneId) -> Digest {
    let reading = read::lane(&house.world.api, lane).await;
    match reading.unwrap().lane.phase {
        Phase::Person(person) => person.signs,
        other => panic!("nobody is asked: {}", other.name()),
    }
}

/// Everything that the store has, as a copy of it would.
pub async fn dump(house: &House) -> String {
    let view = house.world.store.view().await.unwrap().unwrap();
    let all = Span {
        from: Vec::new(),
        to: vec![u8::MAX; 2],
        reverse: false,
    };
    let pairs = view.range(&all, PAIRS_MAX).unwrap();
    assert!(pairs.len() > 10 && pairs.len() < PAIRS_MAX);
    let bytes = pairs.into_iter().flat_map(|(key, value)| [key, value]);
    let bytes: Vec<u8> = bytes.flatten().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub async fn proved(house: &House) -> Vec<(String, Value)> {
    let ledger = house.ledger().await.into_iter();
    let votes = ledger.filter_map(|body| {
        let body: Value = serde_json::from_str(&body).ok()?;
        let vote = body.pointer("/entry/vote")?.clone();
        Some((
            vote["person"].as_str()?.to_owned(),
            vote["stepped_up"].clone(),
        ))
    });
    votes.collect()
}

/// A second run that asks the same people, by its root.
pub async fn second(house: &House) -> LaneId {
    let run = begin(&house.world, &scenario(TARGETS), "second")
        .await
        .unwrap();
    house.world.settle().await.unwrap();
    run.root()
}
