//! An emergency of which each yes needs a code: what counts by link and by token, and all that does not.
//!
//! Not here: how codes come of a secret (api), and what a lane takes (core).

use crate::coded::{
    asking, by_link, by_token, code, dump, passcode, proved, second, secret, signs,
};
use crate::support::{CARLA, CEM, House};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::FutureExt as _;
use hostler_api::Subject;
use hostler_api::services::decide::{self, VoteAsk};
use hostler_core::lane::StepUp;
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const MINUTE_MS: i64 = 60_000;

#[tokio::test]
async fn two_people_with_their_codes_approve_an_emergency_and_neither_code_nor_secret_is_kept() {
    let mut house = asking(&["carla", "cem"]).await;
    let (link, root) = (house.link(CARLA), house.run.root());
    let (status, page) = house.get(&link).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("name=\"code\""), "{page}");
    let (_, listed) = house.as_person("cem", "/api/v1/waiting").await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["step_up"], json!(StepUp::Totp), "{listed}");
    let first = code(&house, "carla", 0).await;
    let (status, page) = by_link(&house, &link, &first).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(
        page.contains("Your decision counts") && !page.contains(&first),
        "{page}"
    );
    let second = code(&house, "cem", -1).await;
    let fields = json!({ "code": second, "comment": "the second of two" });
    let (status, answer) = by_token(&mut house, root, "cem", fields).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    house.world.settle().await.unwrap();
    assert_eq!(house.votes().await, ["carla link", "cem api"]);
    let both = ["carla", "cem"].map(|person| (person.to_owned(), json!(true)));
    assert_eq!(proved(&house).await, both);
    let settled = house
        .ledger()
        .await
        .iter()
        .any(|body| body.contains("person_settled") && body.contains("\"yes\""));
    assert!(settled, "two of two");
    let dump = dump(&house).await;
    assert!(dump.contains("step-up:carla") && dump.contains("the second of two"));
    for (person, code) in [("carla", &first), ("cem", &second)] {
        let secret = secret(&house, person).text();
        for hidden in [code, &secret] {
            assert!(!dump.contains(hidden.as_str()), "{person}");
        }
    }
}

#[tokio::test]
async fn what_proves_nothing_counts_at_no_door_and_each_refusal_has_its_name() {
    let mut house = asking(&["carla", "cem"]).await;
    let (link, root, before) = (house.link(CARLA), house.run.root(), house.state().await);
    let others = code(&house, "cem", 0).await;
    let old = code(&house, "carla", -2).await;
    let refused = StatusCode::FORBIDDEN;
    let cases = [
        (
            None,
            refused,
            "step-up-needed",
            "the code of their authenticator app",
        ),
        (
            Some("12345"),
            StatusCode::BAD_REQUEST,
            "malformed",
            "six digits",
        ),
        (Some(&*others), refused, "code-wrong", "(1 of 5"),
        (Some(&*old), refused, "code-wrong", "(2 of 5"),
    ];
    for (code, status, name, why) in cases {
        let (found, page) = by_link(&house, &link, code.unwrap_or_default()).await;
        assert_eq!(found, status, "{name}: {page}");
        assert!(
            page.contains(why) && page.contains("name=\"code\""),
            "{name}: {page}"
        );
        let fields = code.map_or_else(|| json!({}), |code| json!({ "code": code }));
        let (found, problem) = by_token(&mut house, root, "carla", fields).await;
        assert_eq!(
            (found, &problem["code"]),
            (status, &json!(name)),
            "{problem}"
        );
        let said = format!("{page} {problem}");
        assert!(code.is_none_or(|code| !said.contains(code)), "{said}");
        house.world.settle().await.unwrap();
        // Wrong ones are counted for the person, whatever the door.
        if name == "code-wrong" && why.contains("(1") {
            assert!(
                problem["detail"].as_str().unwrap().contains("(2 of 5"),
                "{problem}"
            );
            forget(&house, 1).await;
        }
    }
    assert_eq!(house.state().await, before);
}

/// As if the newest so many wrong codes had never come.
async fn forget(house: &House, count: usize) {
    let key = "step-up:carla".to_owned();
    let known = house
        .world
        .store
        .documents(std::slice::from_ref(&key))
        .await;
    let body = known.unwrap().remove(0).unwrap().body.unwrap();
    let mut used: Value = serde_json::from_str(&body).unwrap();
    let wrong = used["wrong_ms"].as_array_mut().unwrap();
    wrong.truncate(wrong.len() - count);
    let write = DocumentWrite {
        key,
        body: Some(used.to_string()),
    };
    let change = Upkeep {
        documents: vec![write],
        ..Upkeep::default()
    };
    house.world.store.upkeep(change).await.unwrap();
}

#[tokio::test]
async fn after_five_wrong_codes_no_code_is_looked_at_for_a_quarter_of_an_hour_and_a_no_is_taken() {
    let mut house = asking(&["carla", "cem"]).await;
    let (link, root) = (house.link(CARLA), house.run.root());
    let others = code(&house, "cem", 0).await;
    for count in 1..=5 {
        let (status, page) = by_link(&house, &link, &others).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(page.contains(&format!("({count} of 5")), "{page}");
    }
    let ledger = house.ledger().await;
    let locked = ledger.iter().filter(|body| body.contains("step_up_locked"));
    assert_eq!(locked.count(), 1, "{ledger:?}");
    let before = house.state().await;
    for code in [others, code(&house, "carla", 0).await] {
        let (status, page) = by_link(&house, &link, &code).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{page}");
        assert!(
            page.contains("somebody else who is asked may decide"),
            "{page}"
        );
        let (status, problem) = by_token(&mut house, root, "carla", json!({ "code": code })).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(problem["code"], "too-many-codes", "{problem}");
    }
    assert_eq!(house.state().await, before);
    // Of somebody else nothing was wrong; and when it is over, a right one counts.
    let cems = code(&house, "cem", 0).await;
    assert_eq!(
        by_link(&house, &house.link(CEM), &cems).await.0,
        StatusCode::OK
    );
    house.world.clock.advance(15 * MINUTE_MS);
    let late = code(&house, "carla", 0).await;
    let (status, page) = by_link(&house, &link, &late).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let other = asking(&["carla", "cem"]).await;
    let wrong = code(&other, "cem", 0).await;
    for _ in 0..6 {
        by_link(&other, &other.link(CARLA), &wrong).await;
    }
    let no = other
        .post(&other.link(CARLA), "decision=no&code=nonsense")
        .await;
    assert_eq!(no.0, StatusCode::OK, "{}", no.1);
    other.world.settle().await.unwrap();
    assert_eq!(proved(&other).await, [("carla".to_owned(), Value::Null)]);
}

#[tokio::test]
async fn a_code_decides_once_whatever_the_door_and_the_next_one_again() {
    let mut house = asking(&["carla"]).await;
    let link = house.link(CARLA);
    let other = second(&house).await;
    let now = code(&house, "carla", 0).await;
    let (status, page) = by_link(&house, &link, &now).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for older in [now, code(&house, "carla", -1).await] {
        let (status, problem) =
            by_token(&mut house, other, "carla", json!({ "code": older })).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert_eq!(problem["code"], "code-used", "{problem}");
        assert!(problem["remedy"].as_str().unwrap().contains("next one"));
    }
    assert_eq!(proved(&house).await.len(), 1);
    let next = code(&house, "carla", 1).await;
    let (status, answer) = by_token(&mut house, other, "carla", json!({ "code": next })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(proved(&house).await.len(), 2);
}

#[tokio::test]
async fn of_two_doors_at_which_the_same_code_is_shown_at_once_one_lets_it_in() {
    let house = asking(&["carla"]).await;
    let link = house.link(CARLA);
    let other = second(&house).await;
    let passcode = passcode(&house, "carla", 0).await;
    let ask = VoteAsk {
        yes: true,
        signs: signs(&house, other).await,
        comment: None,
        typed: None,
        waive: Vec::new(),
        code: Some(passcode),
    };
    let (api, once) = (house.api.clone(), AtomicBool::new(false));
    let subject = Subject::of(&*api.directory, "carla", "api").unwrap();
    let inner = Arc::new(Mutex::new(None));
    let told = Arc::clone(&inner);
    // Between what the link's door has read of carla's codes and what it writes, the other door is through.
    house.world.store.set_faults(Box::new(move |verb, _| {
        if verb == "upkeep" && !once.swap(true, Ordering::SeqCst) {
            let vote = decide::vote(&api, &subject, other, ask.clone(), None);
            // It waits for its lane; what it had to write is written.
            *told.lock().unwrap() = Some(vote.now_or_never());
        }
        None
    }));
    let code = code(&house, "carla", 0).await;
    let (status, page) = by_link(&house, &link, &code).await;
    house.world.store.clear_faults();
    assert_eq!(
        *inner.lock().unwrap(),
        Some(None),
        "the other vote is on its way"
    );
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("was used already"), "{page}");
    house.world.settle().await.unwrap();
    assert_eq!(house.votes().await, ["carla api"]);
    assert_eq!(
        house.state().await.1,
        0,
        "nothing waits for the lane of the link"
    );
}

#[tokio::test]
async fn a_program_that_follows_the_link_uses_no_code_up() {
    let house = asking(&["carla"]).await;
    let (link, before) = (house.link(CARLA), dump(&house).await);
    let code = code(&house, "carla", 0).await;
    for method in ["GET", "HEAD", "GET"] {
        let uri = format!("{link}?decision=yes&code={code}");
        let request = Request::builder().method(method).uri(uri);
        let (status, ..) = house.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(dump(&house).await, before);
    assert_eq!(by_link(&house, &link, &code).await.0, StatusCode::OK);
}

#[tokio::test]
async fn whoever_has_no_app_is_told_who_gives_them_one_and_may_refuse() {
    let mut house = asking(&["cem"]).await;
    let (link, root, before) = (house.link(CARLA), house.run.root(), house.state().await);
    let (_, page) = house.get(&link).await;
    assert!(page.contains("hostler token step-up carla"), "{page}");
    assert!(!page.contains("name=\"code\""), "{page}");
    let others = code(&house, "cem", 0).await;
    for code in ["", &others] {
        let (status, page) = by_link(&house, &link, code).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
        assert!(page.contains("hostler token step-up carla"), "{page}");
    }
    for fields in [json!({}), json!({ "code": others })] {
        let (status, problem) = by_token(&mut house, root, "carla", fields).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(problem["code"], "not-enrolled", "{problem}");
    }
    assert_eq!(house.state().await, before);
    let (status, page) = house.post(&link, "decision=no").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    house.world.settle().await.unwrap();
    assert_eq!(house.votes().await, ["carla link"]);
}
