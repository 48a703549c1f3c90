//! Customers who are asked for their consent: by the link of an announcement, by their own token, by an operator on
//! their word; what waits for it, what silence says, and all that must not count.
//!
//! Not here: each refusal by itself (core's tests), what binds (the estate's), and races (`overtaking`).

use crate::deferring::{BOB, ONE, RITA, restarted, to_the_end};
use crate::support::{HOUR_MS, House, contracts, stage_with, text};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hostler_api::read;
use hostler_core::concern::Concern;
use hostler_core::consent::{Said, consent_document};
use hostler_core::id::RunId;
use hostler_estate::{Estate, Known, policies};
use hostler_ports::channel::Message;
use hostler_ports::returned::{NotReached, Returned, Vouched};
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use hostler_rehearsal::{LINKS, Scenario, begin};
use hostler_worker::come_back;
use serde_json::{Value, json};

pub const DAY_MS: i64 = 24 * HOUR_MS;
const RON: &str = "ron@redmark.example";
/// Business days of silence that end behind the lead of the class.
pub const SILENCE: &str = "tacit-10bd";
pub const WEEK: &str = "classes:\n  standard-patch: { lead: 7d }\n";
/// Whoever has no notice is worked on all the same, as far as the class is asked.
const UNPROVEN: &str = "classes:\n  standard-patch: { lead: 7d, unproven: debt }\n";
pub const HOUR: &str = "classes:\n  standard-patch: { lead: 1h }\n";

/// Institute Redmark is asked so by its contract, Institute Bluemark has none.
fn estate(contract: &str, classes: &str, change: impl Fn(String) -> String) -> Estate {
    let name = "    name: Institute Redmark\n";
    let asked = format!("{name}    contract: {{ service: co-managed, consent: {contract} }}\n");
    let read = |_: &str| Ok(change(text("defer-estate.yaml").replace(name, &asked)));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    let read = |path: &str| match path {
        "classes.yaml" => Ok(classes.to_owned()),
        _ => Ok(ONE.to_owned()),
    };
    let files = ["classes.yaml", "deferrals.yaml"];
    let read = policies::load(&files, &read, &policies::Known::of(&estate));
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn scenario() -> Scenario {
    let text =
        "scenario: s\nrunbook: defer\nstarter: olga\ninputs: {}\nexpect: { result: succeeded }\n";
    Scenario::read(text).unwrap()
}

pub async fn asked(contract: &str, classes: &str) -> House {
    let estate = estate(contract, classes, |text| text);
    let stage = stage_with(estate, "defer", text("defer.yaml"), contracts());
    let house = House::of(&stage, &scenario()).await;
    house.world.settle().await.unwrap();
    house
}

pub fn link_of(message: &Message) -> Option<String> {
    let told: Value = serde_json::from_str(&message.text).ok()?;
    let link = told.get("agree")?.as_str()?;
    Some(link.strip_prefix(LINKS)?.to_owned())
}

/// The path of the first announcement's link.
pub fn link(house: &House, mail: &str) -> String {
    let messages = house.messages_to(mail);
    let found = messages.iter().find_map(link_of);
    found.unwrap_or_else(|| panic!("{mail} has no link: {messages:#?}"))
}

pub async fn days(house: &House, days: i64) {
    for _ in 0..days * 24 {
        house.world.settle().await.unwrap();
        house.world.pass(HOUR_MS).await.unwrap();
    }
    house.world.settle().await.unwrap();
}

pub async fn said(house: &House, run: RunId, customer: &str) -> Option<Said> {
    let keys = [consent_document(run, customer)];
    let found = house.world.store.documents(&keys).await.unwrap().remove(0);
    let body = found.and_then(|found| found.body);
    body.map(|body| serde_json::from_str(&body).unwrap())
}

async fn state(house: &House) -> String {
    read::run(&house.world.api, house.run).await.unwrap().state
}

fn of_redmark(house: &House) -> Vec<i64> {
    let of = ["redmark-web1", "redmark-web2"].map(|asset| restarted(house, asset));
    of.concat()
}

pub async fn says(house: &mut House, person: &str, wish: &Value) -> (StatusCode, Value) {
    let token = house.tokens.issue(&*house.api.ids, person, None, None);
    let request = Request::post(format!("/api/v1/runs/{}/consent", house.run))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(wish.to_string()));
    let (status, text, _) = house.ask(request.unwrap()).await;
    (status, serde_json::from_str(&text).unwrap())
}

async fn holds(house: &House, part: &str) -> bool {
    let ledger = house.ledger().await;
    let mut held = ledger.iter().filter(|line| line.contains("step_held"));
    held.any(|line| line.contains(r#""gate":"consent""#) && line.contains(part))
}

#[tokio::test]
async fn nothing_of_a_customer_that_is_asked_begins_before_its_yes() {
    let house = asked("explicit", WEEK).await;
    days(&house, 20).await;
    assert_eq!(
        (of_redmark(&house).len(), &*state(&house).await),
        (0, "running")
    );
    assert_eq!(restarted(&house, "bluemark-db1").len(), 1);
    let held = "explicit by the contract of redmark";
    assert!(holds(&house, held).await, "{:#?}", house.ledger().await);
    let now_ms = house.world.store.now_ms().await.unwrap();
    let (status, page) = house.post(&link(&house, RON), "choice=agree").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("Agreed"), "{page}");
    to_the_end(&house).await;
    assert_eq!(state(&house).await, "succeeded");
    let restarts = of_redmark(&house);
    assert!(restarts.len() == 2 && restarts.iter().all(|at_ms| *at_ms >= now_ms));
    let ledger = house.ledger().await;
    let said = |line: &&String| line.contains("consent_decided");
    let said: Vec<_> = ledger.iter().filter(said).collect();
    let [said] = said[..] else { panic!("{said:?}") };
    assert!(
        said.contains(r#""via":"link""#) && said.contains(r#""by":"ron-redmark""#),
        "{said}"
    );
    // It is theirs to have a proof of, and nobody else's.
    let has = |customer: &str| {
        Concern::of(&*house.api.directory, customer)
            .unwrap()
            .has(said)
    };
    assert!(has("redmark") && !has("bluemark"), "{said}");
}

#[tokio::test]
async fn a_link_that_is_only_followed_agrees_to_nothing_and_shows_nobody_elses_servers() {
    let house = asked("explicit", WEEK).await;
    let links = [RITA, RON].map(|mail| link(&house, mail));
    assert_ne!(links[0], links[1]);
    let messages = house.messages_to(BOB);
    assert!(!messages.is_empty() && messages.iter().all(|it| link_of(it).is_none()));
    let before = house.state().await;
    for _ in 0..20 {
        let (status, page) = house.get(&links[0]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for part in [
            "rita-redmark",
            "redmark-web1",
            "redmark-web2",
            "explicit",
            "UTC",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(
            !page.contains("bluemark") && !page.contains("<script"),
            "{page}"
        );
    }
    let (status, page) = house.post(&links[0], "reason=why").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{page}");
    house.world.settle().await.unwrap();
    assert_eq!(house.state().await, before);
    assert_eq!(said(&house, house.run, "redmark").await, None);
}

#[tokio::test]
async fn silence_agrees_so_many_business_days_behind_the_proven_notice_and_is_announced_so() {
    let house = asked(SILENCE, WEEK).await;
    let told_ms = house.world.store.now_ms().await.unwrap();
    to_the_end(&house).await;
    let restarts = of_redmark(&house);
    // The first day is a Thursday: ten business days are two weeks.
    let first_ms = told_ms + 14 * DAY_MS - HOUR_MS;
    assert!(
        restarts.len() == 2 && restarts.iter().all(|at_ms| *at_ms >= first_ms),
        "{restarts:?}"
    );
    assert!(restarted(&house, "bluemark-db1")[0] < told_ms + 9 * DAY_MS);
    assert!(holds(&house, "silence agrees at").await);
    let stages = house
        .messages_to(RITA)
        .into_iter()
        .map(|message| message.subject);
    let stages: Vec<_> = stages.collect();
    assert_eq!(stages, ["work.scheduled", "work.started", "work.completed"]);
}

#[tokio::test]
async fn a_yes_does_not_wait_for_the_end_of_silence() {
    let mut house = asked(SILENCE, WEEK).await;
    let told_ms = house.world.store.now_ms().await.unwrap();
    let (status, done) = says(&mut house, "rita-redmark", &json!({ "agrees": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    to_the_end(&house).await;
    let restarts = of_redmark(&house);
    assert!(restarts.len() == 2 && restarts.iter().all(|at_ms| *at_ms < told_ms + 12 * DAY_MS));
}

#[tokio::test]
async fn silence_of_whose_notices_came_back_says_nothing() {
    let house = asked(SILENCE, UNPROVEN).await;
    for mail in [RITA, RON] {
        for message in house.messages_to(mail) {
            let returned = Returned {
                message_id: message.message_id,
                recipients: vec![NotReached {
                    addresses: vec![mail.to_owned()],
                    failed: true,
                    status: "5.1.1".to_owned(),
                    diagnostic: "nobody of that name".to_owned(),
                }],
            };
            let (store, directory) = (&*house.world.store, &*house.world.api.directory);
            come_back(store, directory, &returned, &Vouched::Signed)
                .await
                .unwrap();
        }
    }
    days(&house, 30).await;
    assert_eq!(of_redmark(&house).len(), 0);
    assert!(
        holds(&house, "its silence says nothing").await,
        "{:#?}",
        house.ledger().await
    );
    assert_eq!(restarted(&house, "bluemark-db1").len(), 1);
}

#[tokio::test]
async fn an_objection_never_becomes_consent_and_a_later_yes_opens() {
    let mut house = asked(SILENCE, WEEK).await;
    let path = link(&house, RITA);
    let (status, page) = house
        .post(&path, "choice=object&reason=the+term+ends")
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    // The same again is nothing new.
    let before = house.state().await;
    let (status, _) = house.post(&path, "choice=object").await;
    assert_eq!((status, house.state().await), (StatusCode::OK, before));
    days(&house, 40).await;
    assert_eq!(
        (of_redmark(&house).len(), &*state(&house).await),
        (0, "running")
    );
    assert!(holds(&house, "rita-redmark objects since").await);
    assert!(holds(&house, "the term ends").await);
    let (_, page) = house.get(&path).await;
    assert!(page.contains("Your side objects since"), "{page}");
    let (status, done) = says(&mut house, "ron-redmark", &json!({ "agrees": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    to_the_end(&house).await;
    assert_eq!(of_redmark(&house).len(), 2);
}

#[tokio::test]
async fn an_objection_holds_what_has_not_begun_while_what_has_begun_goes_on() {
    let mut house = asked("explicit", WEEK).await;
    let (status, done) = says(&mut house, "rita-redmark", &json!({ "agrees": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    to_the_first(&house).await;
    assert_eq!(of_redmark(&house).len(), 1);
    let change = Upkeep {
        documents: vec![objection(&house)],
        ..Upkeep::default()
    };
    house.world.store.upkeep(change).await.unwrap();
    days(&house, 5).await;
    assert_eq!(
        (of_redmark(&house).len(), &*state(&house).await),
        (1, "running")
    );
    assert!(holds(&house, "ron-redmark objects since").await);
    let (status, done) = says(&mut house, "rita-redmark", &json!({ "agrees": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    to_the_end(&house).await;
    assert_eq!(
        (of_redmark(&house).len(), &*state(&house).await),
        (2, "succeeded")
    );
}

/// Until one server of Redmark restarts.
async fn to_the_first(house: &House) {
    for _ in 0..24 * 30 {
        while house.world.step().await.unwrap() {
            if !of_redmark(house).is_empty() {
                return;
            }
        }
        house.world.pass(HOUR_MS).await.unwrap();
    }
    panic!("nothing begins");
}

/// What another process writes when Ron objects.
pub fn objection(house: &House) -> DocumentWrite {
    let consent = json!({ "customer": "redmark", "agrees": false, "by": "ron-redmark" });
    DocumentWrite {
        key: consent_document(house.run, "redmark"),
        body: Some(json!({ "consent": consent, "at_ms": 5 }).to_string()),
    }
}

#[tokio::test]
async fn staff_speak_on_the_word_of_one_who_may_and_nobody_for_another_customer() {
    let mut house = asked("explicit", WEEK).await;
    let before = house.state().await;
    let refused = [
        ("olga", json!({ "agrees": true, "customer": "redmark" })),
        (
            "bob-bluemark",
            json!({ "agrees": true, "customer": "redmark" }),
        ),
        (
            "vera",
            json!({ "agrees": true, "customer": "redmark", "word_of": "rita-redmark" }),
        ),
        (
            "olga",
            json!({ "agrees": true, "customer": "redmark", "word_of": "bob-bluemark" }),
        ),
        (
            "rita-redmark",
            json!({ "agrees": true, "customer": "redmark", "word_of": "ron-redmark" }),
        ),
    ];
    for (person, wish) in refused {
        let (status, problem) = says(&mut house, person, &wish).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{person}: {problem}");
    }
    // Whoever is only told is not asked.
    let (status, problem) = says(&mut house, "bob-bluemark", &json!({ "agrees": false })).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem.to_string().contains("and not asked"), "{problem}");
    assert_eq!(house.state().await, before);
    let wish = json!({ "agrees": true, "customer": "redmark", "word_of": "ron-redmark" });
    let (status, done) = says(&mut house, "olga", &wish).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let said = said(&house, house.run, "redmark").await.unwrap();
    assert_eq!(said.consent.who(), "olga (on the word of ron-redmark)");
}

#[tokio::test]
async fn a_link_counts_for_its_own_run_and_its_own_person_while_they_may() {
    let mut house = asked("explicit", WEEK).await;
    let first = link(&house, RITA);
    let other = begin(&house.world, &scenario(), "second").await.unwrap();
    house.world.settle().await.unwrap();
    assert_eq!(house.post(&first, "choice=agree").await.0, StatusCode::OK);
    assert!(said(&house, house.run, "redmark").await.is_some());
    assert_eq!(said(&house, other, "redmark").await, None);
    // A link that opens something else, and one that nobody was sent.
    let defers = crate::deferring::link(&house, BOB).replace("/defer/", "/agree/");
    let forged = first.chars().rev().collect::<String>();
    let forged = format!("/agree/{}", forged.trim_end_matches("/eerga/"));
    for path in [defers, forged] {
        for (status, page) in [
            house.get(&path).await,
            house.post(&path, "choice=object").await,
        ] {
            assert_eq!(status, StatusCode::NOT_FOUND, "{page}");
        }
    }
    // Rita has left that role, and with it her word.
    let without = estate("explicit", WEEK, |text| {
        let rita = "mail: rita@redmark.example, roles: [owner, notices]";
        let gone = "mail: rita@redmark.example, roles: [budget]";
        let ron = "mail: ron@redmark.example, roles: [notices]";
        let stays = "mail: ron@redmark.example, roles: [owner, notices]";
        text.replace(rita, gone).replace(ron, stays)
    });
    house.reads(without);
    let (status, page) = house.post(&first, "choice=object").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
    assert!(
        said(&house, house.run, "redmark")
            .await
            .unwrap()
            .consent
            .agrees
    );
}
