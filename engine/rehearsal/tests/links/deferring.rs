//! Turns that customers put off: by the link of an announcement, by their own token, by an operator on their word; what
//! comes of it, and all that must not count.
//!
//! Not here: each bound by itself (core's tests), and races (`overtaking`).

use crate::support::{House, contracts, stage_with, text};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hostler_api::read;
use hostler_api::services::deferral_link;
use hostler_core::deferral::{Counts, deferrals_document};
use hostler_core::id::RunId;
use hostler_estate::{Estate, Known, policies};
use hostler_ports::channel::Message;
use hostler_ports::store::Store;
use hostler_rehearsal::{LINKS, Scenario, begin};
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;
pub const RITA: &str = "rita@redmark.example";
const RON: &str = "ron@redmark.example";
pub const BOB: &str = "bob@bluemark.example";
/// A run waits for a week of notice and two weeks of deferral, at most.
const HOURS_MAX: usize = 24 * 30;
const CLASSES: &str = "classes:\n  standard-patch: { lead: 7d }\n";
pub const ONE: &str = "deferrals:\n  standard-patch: { times: 1, until: 24h, longest: 14d }\n";

fn estate(deferrals: &str, change: fn(String) -> String) -> Estate {
    let read = |_: &str| Ok(change(text("defer-estate.yaml")));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    let read = |path: &str| match path {
        "classes.yaml" => Ok(CLASSES.to_owned()),
        _ => Ok(deferrals.to_owned()),
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

/// Announced, and held by the notice that is promised.
pub async fn announced(deferrals: &str) -> House {
    announced_in(deferrals, |estate| estate).await
}

/// The same after a change of the estate's file.
pub async fn announced_in(deferrals: &str, change: fn(String) -> String) -> House {
    let estate = estate(deferrals, change);
    let stage = stage_with(estate, "defer", text("defer.yaml"), contracts());
    let house = House::of(&stage, &scenario()).await;
    house.world.settle().await.unwrap();
    house
}

fn link_of(message: &Message) -> Option<String> {
    let told: Value = serde_json::from_str(&message.text).ok()?;
    let link = told.get("defer")?.as_str()?;
    Some(link.strip_prefix(LINKS)?.to_owned())
}

pub fn link(house: &House, mail: &str) -> String {
    let messages = house.messages_to(mail);
    let found = messages.iter().find_map(link_of);
    found.unwrap_or_else(|| panic!("{mail} has no link: {messages:#?}"))
}

/// When a server has its turn, as its customer was told last.
pub async fn starts_ms(house: &House, mail: &str, asset: &str) -> i64 {
    let link = link(house, mail);
    let secret = link.rsplit('/').next().unwrap();
    let offered = deferral_link::open(&house.api, 0, secret).await.unwrap();
    let server = offered.servers.iter().find(|server| server.asset == asset);
    server.unwrap().starts_ms.unwrap()
}

fn date(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap();
    at.strftime("%Y-%m-%d").to_string()
}

/// Of the first slot: the day so many days behind it.
pub async fn day_behind(house: &House, days: i64) -> String {
    date(starts_ms(house, RITA, "redmark-web1").await + days * DAY_MS)
}

pub async fn counted(house: &House, customer: &str) -> usize {
    let keys = [deferrals_document(customer)];
    let found = house.world.store.documents(&keys).await.unwrap().remove(0);
    let body = found.and_then(|found| found.body);
    let counts: Option<Counts> = body.map(|body| serde_json::from_str(&body).unwrap());
    counts.unwrap_or_default().deferrals.len()
}

async fn state(house: &House, run: RunId) -> String {
    read::run(&house.world.api, run).await.unwrap().state
}

pub async fn to_the_end(house: &House) {
    for _ in 0..HOURS_MAX {
        house.world.settle().await.unwrap();
        if state(house, house.run).await != "running" {
            return;
        }
        house.world.pass(HOUR_MS).await.unwrap();
    }
    panic!("the run has no end");
}

/// When each server restarted.
pub fn restarted(house: &House, asset: &str) -> Vec<i64> {
    let seen = house.world.host.seen().into_iter();
    let calls = seen.filter(|seen| seen.action == "guest.reboot" && seen.entry == "perform");
    let of_asset = calls.filter(|seen| seen.asset.as_deref() == Some(asset));
    of_asset.map(|seen| seen.at_ms).collect()
}

pub async fn defer(house: &mut House, person: &str, wish: &Value) -> (StatusCode, Value) {
    let run = house.run;
    defer_of(house, run, person, wish).await
}

async fn defer_of(
    house: &mut House,
    run: RunId,
    person: &str,
    wish: &Value,
) -> (StatusCode, Value) {
    let token = house.tokens.issue(&*house.api.ids, person, None, None);
    let request = Request::post(format!("/api/v1/runs/{run}/defer"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(wish.to_string()));
    let (status, text, _) = house.ask(request.unwrap()).await;
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn every_recipient_has_a_link_of_their_own_that_changes_nothing_when_it_is_followed() {
    let house = announced(ONE).await;
    let links = [RITA, RON, BOB].map(|mail| link(&house, mail));
    assert!(links[0] != links[1] && links[1] != links[2], "{links:?}");
    let before = house.state().await;
    for _ in 0..20 {
        let (status, page) = house.get(&links[0]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for part in [
            "rita-redmark",
            "redmark-web1",
            "redmark-web2",
            "1 more times",
            "until 2d before",
            "14d",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(
            !page.contains("bluemark") && !page.contains("<script"),
            "{page}"
        );
    }
    house.world.settle().await.unwrap();
    assert_eq!(house.state().await, before);
    assert_eq!(counted(&house, "redmark").await, 0);
    let (status, page) = house.post(&links[0], "asset=redmark-web1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{page}");
    assert_eq!(house.state().await, before, "a form without a date");
}

#[tokio::test]
async fn where_nothing_was_agreed_no_message_has_a_link_and_nobody_puts_off() {
    let mut house = announced("deferrals: {}\n").await;
    let messages = house.messages_to(RITA);
    assert!(!messages.is_empty() && messages.iter().all(|it| link_of(it).is_none()));
    let wish = json!({ "until": "2099-01-01" });
    let (status, problem) = defer(&mut house, "rita-redmark", &wish).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("was not agreed"),
        "{problem}"
    );
}

#[tokio::test]
async fn what_a_link_puts_off_restarts_behind_that_day_and_others_do_not_wait_for_it() {
    let house = announced(ONE).await;
    let first_ms = starts_ms(&house, RITA, "redmark-web1").await;
    let until = day_behind(&house, 7).await;
    let form: &'static str = format!("until={until}&asset=redmark-web1").leak();
    let (status, page) = house.post(&link(&house, RITA), form).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("Put off: redmark-web1"), "{page}");
    // The link has counted; its page says what is put off.
    let (status, page) = house.post(&link(&house, RITA), form).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert_eq!(counted(&house, "redmark").await, 1);
    to_the_end(&house).await;
    assert_eq!(state(&house, house.run).await, "succeeded");
    let at = |asset: &str| restarted(&house, asset);
    let [late] = at("redmark-web1")[..] else {
        panic!("{:?}", at("redmark-web1"))
    };
    assert!(late >= first_ms + 6 * DAY_MS, "{late} {first_ms}");
    for other in ["redmark-web2", "bluemark-db1"] {
        let [early] = at(other)[..] else {
            panic!("{:?}", at(other))
        };
        assert!(early < first_ms + DAY_MS, "{other}: {early} {first_ms}");
    }
    let stages = |mail: &str| {
        let messages = house.messages_to(mail).into_iter();
        let stages = messages.map(|message| message.subject.trim_start_matches("work.").to_owned());
        stages.collect::<Vec<_>>()
    };
    let told = ["scheduled", "changed", "started", "completed"];
    assert_eq!(
        (stages(RITA), stages(RON)),
        (
            told.map(str::to_owned).to_vec(),
            told.map(str::to_owned).to_vec()
        )
    );
    assert_eq!(stages(BOB), ["scheduled", "started", "completed"]);
    let ledger = house.ledger().await;
    let put_off: Vec<_> = ledger
        .iter()
        .filter(|line| line.contains("turns_put_off"))
        .collect();
    assert!(
        put_off.len() == 1 && put_off[0].contains(r#""via":"link""#),
        "{put_off:?}"
    );
    assert!(
        !ledger.iter().any(|line| line.contains("person_asked")),
        "nobody signs again"
    );
}

#[tokio::test]
async fn a_budget_that_is_used_up_refuses_and_two_runs_at_once_get_one_between_them() {
    let mut house = announced(ONE).await;
    let other = begin(&house.world, &scenario(), "second").await.unwrap();
    house.world.settle().await.unwrap();
    let until = day_behind(&house, 3).await;
    let wish = json!({ "assets": ["redmark-web1"], "until": until });
    // Both letters lie there before any of the two lanes looks.
    let letters = [house.run, other].map(|run| (run.root(), letter(&house, &until)));
    for (number, (lane, body)) in (0..).zip(letters) {
        let id = lane.command("test", number);
        house.world.store.send(lane, id, body).await.unwrap();
    }
    house.world.settle().await.unwrap();
    assert_eq!(counted(&house, "redmark").await, 1);
    let mut put_off = 0;
    for run in [house.run, other] {
        let reading = read::lane(&house.world.api, run.root()).await.unwrap();
        put_off += reading.lane.children.unwrap().put_off.len();
        let (status, problem) = defer_of(&mut house, run, "ron-redmark", &wish).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains("used up"),
            "{problem}"
        );
    }
    assert_eq!(put_off, 1);
    // Another customer's are their own.
    let (status, done) = defer(&mut house, "bob-bluemark", &json!({ "until": until })).await;
    assert_eq!(
        (status, &done["assets"]),
        (StatusCode::OK, &json!(["bluemark-db1"])),
        "{done}"
    );
}

pub fn letter(house: &House, until: &str) -> String {
    let until: jiff::civil::Date = until.parse().unwrap();
    let until_ms = until.in_tz("UTC").unwrap().timestamp().as_millisecond();
    let subject = hostler_api::Subject::of(&*house.api.directory, "rita-redmark", "api").unwrap();
    json!({ "command": "defer", "ask": {
        "actor": { "person": subject.person, "qualifies": subject.qualifies, "via": "api" },
        "customer": "redmark", "assets": ["redmark-web1"], "until_ms": until_ms,
    }})
    .to_string()
}

#[tokio::test]
async fn too_late_is_refused_by_name_and_holds_nothing() {
    let mut house = announced(ONE).await;
    let first_ms = starts_ms(&house, RITA, "redmark-web1").await;
    let until = day_behind(&house, 3).await;
    let now_ms = house.world.store.now_ms().await.unwrap();
    // The runbook asks for two days, the policies for one.
    let wait_ms = first_ms - 47 * HOUR_MS - now_ms;
    for _ in 0..wait_ms / HOUR_MS {
        house.world.pass(HOUR_MS).await.unwrap();
        house.world.settle().await.unwrap();
    }
    let wish = json!({ "assets": ["redmark-web1"], "until": until });
    let (status, problem) = defer(&mut house, "rita-redmark", &wish).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("it must come 2d before"),
        "{problem}"
    );
    assert_eq!(counted(&house, "redmark").await, 0);
    to_the_end(&house).await;
    assert!(restarted(&house, "redmark-web1")[0] < first_ms + DAY_MS);
}

#[tokio::test]
async fn another_customers_contact_learns_nothing_and_staff_name_who_asked() {
    let mut house = announced(ONE).await;
    let until = day_behind(&house, 3).await;
    let before = house.state().await;
    let of_red = json!({ "assets": ["redmark-web1"], "until": until });
    let (status, problem) = defer(&mut house, "bob-bluemark", &of_red).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    assert!(!problem.to_string().contains("redmark\""), "{problem}");
    let of_customer = json!({ "customer": "redmark", "until": until });
    for person in ["bob-bluemark", "olga"] {
        let (status, problem) = defer(&mut house, person, &of_customer).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{person}: {problem}");
    }
    for (person, word_of) in [
        ("vera", "rita-redmark"),
        ("olga", "bob-bluemark"),
        ("rita-redmark", "ron-redmark"),
    ] {
        let wish = json!({ "assets": ["redmark-web1"], "until": until, "word_of": word_of });
        let (status, problem) = defer(&mut house, person, &wish).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{person}: {problem}");
    }
    assert_eq!(house.state().await, before);
    let wish = json!({ "assets": ["redmark-web1"], "until": until, "word_of": "ron-redmark" });
    let (status, done) = defer(&mut house, "olga", &wish).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let ledger = house.ledger().await;
    let entry = ledger
        .iter()
        .find(|line| line.contains("turns_put_off"))
        .unwrap();
    assert!(
        entry.contains(r#""by":"olga""#) && entry.contains(r#""word_of":"ron-redmark""#),
        "{entry}"
    );
    let run = house.run;
    let (status, view) = house
        .as_person("olga", &format!("/api/v1/runs/{run}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert!(view.contains("olga (on the word of ron-redmark)"), "{view}");
}

/// Holds nothing back: the deferral is asked for when the lane is about to begin.
pub const TO_THE_LAST: &str =
    "deferrals:\n  standard-patch: { times: 9, until: 1m, longest: 14d }\n";

#[tokio::test]
async fn a_lane_that_waits_at_its_gate_gives_its_place_and_one_that_has_begun_is_not_put_off() {
    let mut house = announced(TO_THE_LAST).await;
    let until = day_behind(&house, 3).await;
    // The first one lives and is held by the notice that was promised.
    let wish = json!({ "assets": ["bluemark-db1"], "until": until });
    let (status, done) = defer(&mut house, "bob-bluemark", &wish).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    house.world.settle().await.unwrap();
    let reading = read::lane(&house.world.api, house.run.root())
        .await
        .unwrap();
    let children = reading.lane.children.unwrap();
    assert!(
        !children.live.contains_key("bluemark-db1"),
        "{:?}",
        children.live
    );
    assert_eq!(children.live.len(), 1, "the next one has its place");
    to_the_end(&house).await;
    assert_eq!(restarted(&house, "bluemark-db1").len(), 1);
    let wish = json!({ "assets": ["redmark-web1"], "until": until });
    let (status, problem) = defer(&mut house, "rita-redmark", &wish).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}
