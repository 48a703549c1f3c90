//! The way out of a message that its recipient need not have: who is told less from then on, of what, and what changes
//! nothing.
//!
//! Not here: the headers of a mail (the channel's).

use crate::customers::{marked, strangers};
use crate::support::{CARLA, CEM, House, estate, plain, scenario, stage, stage_of, text};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures::FutureExt as _;
use hostler_api::Subject;
use hostler_api::services::mutes::{self, MuteAsk};
use hostler_archive::{Keeper, Settings};
use hostler_core::mail::{Muted, muted_document};
use hostler_estate::{Estate, Known, policies};
use hostler_ports::archive::MemoryArchive;
use hostler_ports::channel::Message;
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use hostler_rehearsal::{LEAVE, LINKS, begin};
use hostler_simulation::Chance;
use serde_json::json;
use std::sync::{Arc, Mutex};

const RITA: &str = "rita@redmark.example";
const BOB: &str = "bob@bluemark.example";
const TARGETS: &str = "id=redmark-web1,bluemark-db1";
const CLICK: &str = "List-Unsubscribe=One-Click";
const DAY_MS: i64 = 86_400_000;
/// How often a program that looks through mails follows a link.
const SCANS: usize = 20;
/// Commits between a customer's yes and the end of all; there are fewer.
const COMMITS_MAX: u64 = 200;
/// Estates that are tried.
const SEEDS: u64 = 4;

/// The board and then every customer says so.
async fn decided(house: &House, customers: &[&str], form: &'static str) {
    for mail in [CARLA, CEM] {
        assert_eq!(house.post(&house.link(mail), "decision=yes").await.0, StatusCode::OK);
    }
    house.goes_on().await;
    for mail in customers {
        let mut counted = 0;
        // There is a question for each server; those of earlier runs are settled.
        for link in house.messages_to(mail).iter().filter_map(House::link_of) {
            counted += usize::from(house.post(&link, form).await.0 == StatusCode::OK);
        }
        assert!(counted > 0, "{mail} was not asked");
    }
    house.goes_on().await;
}

/// A house behind a run that everybody has agreed to.
async fn behind_a_run() -> House {
    let house = House::asking(plain()).await;
    decided(&house, &[RITA, BOB], "decision=yes").await;
    house
}

/// One more run of the same.
async fn again(house: &House, key: &str, form: &'static str) {
    begin(&house.world, &scenario(TARGETS), key).await.unwrap();
    house.world.settle().await.unwrap();
    decided(house, &[RITA, BOB], form).await;
}

/// Notices to an address, by their stages.
fn stages(house: &House, mail: &str) -> Vec<String> {
    let stage = |message: Message| Some(message.subject.strip_prefix("work.")?.to_owned());
    house.messages_to(mail).into_iter().filter_map(stage).collect()
}

/// The path of the newest way out, and the subject of a mail that takes it.
fn way_out(house: &House, mail: &str) -> (String, String) {
    let messages = house.messages_to(mail).into_iter().rev();
    let mut ways = messages.filter_map(|message| message.unsubscribe);
    let way = ways.next().unwrap_or_else(|| panic!("{mail} has no way out"));
    let (address, subject) = way.mail.unwrap();
    assert_eq!(address, LEAVE);
    (way.link.strip_prefix(LINKS).unwrap().to_owned(), subject)
}

async fn entries(house: &House, event: &str) -> usize {
    let ledger = house.ledger().await;
    ledger.iter().filter(|line| line.contains(event)).count()
}

async fn is_muted(house: &House, customer: &str, person: &str) -> bool {
    let key = muted_document(customer, person);
    let found = house.world.store.documents(&[key]).await.unwrap();
    found.into_iter().flatten().any(|found| found.body.is_some())
}

#[tokio::test]
async fn who_takes_the_way_out_is_told_what_they_must_have_and_nothing_else_until_they_come_back() {
    let house = behind_a_run().await;
    assert_eq!(stages(&house, RITA), ["scheduled", "completed"]);
    for message in house.messages_to(RITA) {
        let is_optional = message.subject == "work.completed";
        assert_eq!(message.unsubscribe.is_some(), is_optional, "{message:?}");
    }
    let (out, _) = way_out(&house, RITA);
    let (status, page) = house.post(&out, CLICK).await;
    assert_eq!((status, page.contains("only what you must have")), (StatusCode::OK, true), "{page}");
    let before = stages(&house, RITA).len();
    again(&house, "second", "decision=yes").await;
    again(&house, "third", "decision=no").await;
    // She is the only one there who is told: nothing that must be had is lost by it.
    let told = stages(&house, RITA).split_off(before);
    assert_eq!(told, ["scheduled", "scheduled", "cancelled"]);
    assert_eq!(entries(&house, "told only what they must have").await, 1);
    let all = ["scheduled", "completed", "scheduled", "completed", "scheduled", "cancelled"];
    assert_eq!(stages(&house, BOB), all, "nobody else is told less");
    let (_, page) = house.get(&out).await;
    assert!(page.contains("You have asked not to be told"), "{page}");
    let (status, page) = house.post(&out, "choice=all").await;
    assert_eq!((status, page.contains("told everything")), (StatusCode::OK, true), "{page}");
    let before = stages(&house, RITA).len();
    again(&house, "fourth", "decision=yes").await;
    assert_eq!(stages(&house, RITA).split_off(before), ["scheduled", "completed"]);
    assert_eq!((entries(&house, "notices_muted").await, entries(&house, "notices_unmuted").await), (1, 1));
}

#[tokio::test]
async fn a_program_that_follows_the_way_out_changes_nothing_and_sees_no_other_page() {
    let house = behind_a_run().await;
    let ((out, _), before) = (way_out(&house, RITA), house.ledger().await);
    for scan in 0..SCANS {
        let method = if scan % 2 == 0 { "GET" } else { "HEAD" };
        let query = ["", "?choice=less", "?List-Unsubscribe=One-Click"][scan % 3];
        let request = Request::builder().method(method).uri(format!("{out}{query}"));
        let (status, page, head) = house.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(head.headers()["cache-control"], "no-store");
        if method == "GET" {
            let shown = ["You are Rita Redmark", "Institute Redmark", "what is planned", "<form"];
            assert!(shown.iter().all(|part| page.contains(part)), "{page}");
        }
    }
    for form in ["", "choice=", "decision=yes", "list-unsubscribe=one-click"] {
        let (status, page) = house.post(&out, form).await;
        assert_eq!((status, page.contains("nothing was chosen")), (StatusCode::BAD_REQUEST, true), "{page}");
    }
    assert_eq!(house.ledger().await, before);
    assert!(!is_muted(&house, "redmark", "rita-redmark").await);
}

#[tokio::test]
async fn the_same_choice_again_in_whatever_form_changes_nothing_and_the_links_text_is_kept_nowhere() {
    let house = behind_a_run().await;
    let (out, _) = way_out(&house, RITA);
    for _ in 0..3 {
        assert_eq!(house.post(&out, CLICK).await.0, StatusCode::OK);
    }
    let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    let click = Request::post(&out).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let (status, _, head) = house.ask(click.body(Body::from(parts)).unwrap()).await;
    assert_eq!(status, StatusCode::OK, "and it leads nowhere else: {head:?}");
    assert_eq!(entries(&house, "notices_muted").await, 1);
    assert!(is_muted(&house, "redmark", "rita-redmark").await);
    for _ in 0..2 {
        assert_eq!(house.post(&out, "choice=all").await.0, StatusCode::OK);
    }
    assert_eq!(entries(&house, "notices_unmuted").await, 1);
    assert!(!is_muted(&house, "redmark", "rita-redmark").await);
    let chance = &out[out.len() - 64..];
    assert!(!house.ledger().await.join("\n").contains(chance));
}

#[tokio::test]
async fn a_way_out_is_its_recipients_and_of_that_customer_alone() {
    let mut house = behind_a_run().await;
    let ((rita, _), (bob, _)) = (way_out(&house, RITA), way_out(&house, BOB));
    let before = house.ledger().await;
    let flipped = if rita.ends_with('0') { '1' } else { '0' };
    let long = rita.strip_prefix("/notices/").unwrap();
    let (_, short) = long.split_once('.').unwrap();
    let other_run = long.replacen(&long[..8], "00000000", 1);
    let deciding = house.link(RITA);
    let deciding = deciding.strip_prefix("/decide/").unwrap();
    let run = house.run.0.simple();
    for wrong in [
        format!("{}{flipped}", &rita[..rita.len() - 1]),
        format!("{}{}", &rita[..rita.len() - 64], &bob[bob.len() - 64..]),
        format!("/notices/{short}"),
        format!("/notices/{other_run}"),
        format!("/notices/{deciding}"),
        format!("/notices/{run}.{deciding}"),
        format!("/decide/{long}"),
        format!("/decide/{short}"),
    ] {
        assert_eq!(house.get(&wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
        for form in [CLICK, "choice=all", "decision=yes&choice=less"] {
            let (status, page) = house.post(&wrong, form).await;
            assert!(status.is_client_error(), "{wrong}: {page}");
        }
    }
    assert_eq!(house.ledger().await, before);
    assert_eq!(house.post(&rita, CLICK).await.0, StatusCode::OK);
    assert!(!is_muted(&house, "bluemark", "bob-bluemark").await);
    // Who gets no notices of that customer any more has nothing to leave.
    let silent = |text: String| text.replace("rita@redmark.example, roles: [owner, notices]", "rita@redmark.example, roles: [owner]");
    house.reads(estate(silent, "roles: {}\n"));
    let (status, page) = house.post(&rita, "choice=all").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{page}");
    assert!(page.contains("any more") && !page.to_lowercase().contains("redmark"), "{page}");
}

#[tokio::test]
async fn a_choice_between_look_and_commit_is_heard_before_the_message_leaves() {
    let completed = |house: &House| stages(house, RITA).iter().filter(|stage| *stage == "completed").count();
    let (mut heard, mut late) = (0, 0);
    for number in 1..COMMITS_MAX {
        let house = House::asking(plain()).await;
        for mail in [CARLA, CEM] {
            house.post(&house.link(mail), "decision=yes").await;
        }
        house.goes_on().await;
        let (store, next_hop) = (Arc::downgrade(&house.world.store), Arc::clone(&house.world.next_hop));
        let (commits, at) = (Mutex::new(0), Arc::new(Mutex::new(None)));
        let had = Arc::clone(&at);
        house.world.store.set_faults(Box::new(move |verb, _| {
            if verb != "commit" {
                return None;
            }
            let mut commits = commits.lock().unwrap();
            *commits += 1;
            if let (true, Some(store)) = (*commits == number, store.upgrade()) {
                *had.lock().unwrap() = Some(next_hop.taken().len());
                let _ = store.upkeep(chosen()).now_or_never();
            }
            None
        }));
        for mail in [RITA, BOB] {
            house.post(&house.link(mail), "decision=yes").await;
        }
        house.goes_on().await;
        house.world.store.clear_faults();
        let Some(had) = *at.lock().unwrap() else {
            println!("heard in {heard}, too late in {late} of {number} runs");
            assert!(heard > 0 && late > 0, "the choice never came between");
            return;
        };
        let taken = house.world.next_hop.taken().into_iter().take(had);
        let before = taken.filter(|message| message.to_address == RITA && message.subject == "work.completed");
        assert_eq!(completed(&house), before.count(), "before commit {number}");
        match completed(&house) {
            0 => heard += 1,
            _ => late += 1,
        }
    }
    panic!("there was no end of commits");
}

/// Rita's choice as the services keep it.
fn chosen() -> Upkeep {
    let muted = Muted {
        customer: "redmark".to_owned(),
        person: "rita-redmark".to_owned(),
        by: "rita-redmark".to_owned(),
        via: "link".to_owned(),
        at_ms: 0,
        reason: String::new(),
    };
    let key = muted_document(&muted.customer, &muted.person);
    let body = Some(json!(muted).to_string());
    Upkeep {
        documents: vec![DocumentWrite { key, body }],
        ..Upkeep::default()
    }
}

#[tokio::test]
async fn a_way_out_opens_when_its_run_has_left_the_store_for_the_archive() {
    let mut house = behind_a_run().await;
    let (out, _) = way_out(&house, RITA);
    let archive = Arc::new(MemoryArchive::default());
    let keeper = Keeper::new(Arc::clone(&house.world.store) as _, Arc::clone(&archive) as _, Settings::default());
    house.world.clock.advance(8 * DAY_MS);
    let mut left = 0;
    for _ in 0..5 {
        left += keeper.pass().await.unwrap().purged;
        house.world.clock.advance(DAY_MS / 24);
    }
    assert_eq!(left, 1);
    assert_eq!(house.get(&out).await.0, StatusCode::SERVICE_UNAVAILABLE, "it is elsewhere");
    house.api.archive = Some(archive);
    assert_eq!(house.post(&out, CLICK).await.0, StatusCode::OK);
    assert!(is_muted(&house, "redmark", "rita-redmark").await);
}

/// Under these classes of the policies.
fn ruled(classes: &'static str) -> Estate {
    let read = |_: &str| Ok(text("estate.yaml"));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    let read = |_: &str| Ok(classes.to_owned());
    let read = policies::load(&["classes.yaml"], &read, &policies::Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

/// By somebody of the staff, on her word.
async fn has_rita_muted(house: &House) {
    let olga = Subject::of(&*house.api.directory, "olga", "cli").unwrap();
    let ask = MuteAsk {
        customer: None,
        reason: "she called".to_owned(),
    };
    let view = mutes::say(&house.api, &olga, "rita-redmark", true, &ask).await.unwrap();
    assert_eq!(view.muted.unwrap().by, "olga");
}

#[tokio::test]
async fn what_the_policy_demands_and_what_an_emergency_tells_has_no_way_out_and_reaches_who_has_asked_for_less() {
    let demanding = "must_have: [scheduled, changed, cancelled, completed]\n";
    let urgent = text("ask.yaml").replace("class: request", "class: emergency");
    for stage in [stage(ruled(demanding)), stage_of(plain(), urgent)] {
        let house = House::on(&stage, TARGETS, &[]).await;
        has_rita_muted(&house).await;
        decided(&house, &[RITA, BOB], "decision=yes").await;
        assert_eq!(stages(&house, RITA), ["scheduled", "completed"]);
        let mut taken = house.world.next_hop.taken().into_iter();
        assert!(taken.all(|message| message.unsubscribe.is_none()));
    }
    // An emergency's messages are like others where the policy says so.
    let sparing = "must_have: scheduled\nclasses:\n  emergency: { lead: none }\n";
    let urgent = text("ask.yaml").replace("class: request", "class: emergency");
    let house = House::on(&stage_of(ruled(sparing), urgent), TARGETS, &[]).await;
    has_rita_muted(&house).await;
    decided(&house, &[RITA, BOB], "decision=yes").await;
    assert_eq!(stages(&house, RITA), ["scheduled"]);
}

#[tokio::test]
async fn where_many_read_a_message_it_has_no_way_out() {
    let house = House::asking_in(plain(), TARGETS, &[BOB]).await;
    for mail in [CARLA, CEM] {
        house.post(&house.link(mail), "decision=yes").await;
    }
    house.goes_on().await;
    house.post(&house.link(RITA), "decision=yes").await;
    house.goes_on().await;
    way_out(&house, RITA);
    assert!(house.messages_to(BOB).iter().all(|message| message.unsubscribe.is_none()));
}

#[tokio::test]
async fn whatever_the_estate_a_way_out_shows_and_changes_nothing_of_another_customer() {
    let mut looked = 0;
    for seed in 0..SEEDS {
        let (marks, estate) = marked(&mut Chance::of(seed, "muting"));
        let mut house = House::asking_over(estate, "id=*").await;
        let mails: Vec<String> = marks.iter().map(|mark| format!("pat@{mark}.example")).collect();
        let everybody: Vec<&str> = mails.iter().map(String::as_str).collect();
        decided(&house, &everybody, "decision=yes").await;
        for (number, own) in marks.iter().enumerate() {
            let (out, _) = way_out(&house, &mails[number]);
            let mut told = vec![house.get(&out).await.1];
            for form in ["choice=maybe", CLICK, CLICK] {
                told.push(house.post(&out, form).await.1);
            }
            let person = format!("p-{own}");
            let path = format!("/api/v1/people/{person}/notices");
            let (status, own_view) = house.as_person(&person, &path).await;
            assert_eq!(status, StatusCode::OK, "{own_view}");
            told.push(own_view);
            for text in &told {
                assert_eq!(strangers(&marks, own, text), Vec::<&String>::new(), "seed {seed}, {own}: {text}");
            }
            looked += told.len();
            for (later, other) in marks.iter().enumerate() {
                let person = format!("p-{other}");
                assert_eq!(is_muted(&house, other, &person).await, later <= number, "seed {seed}");
                let path = format!("/api/v1/people/{person}/notices");
                let (status, refused) = house.as_person(&format!("p-{own}"), &path).await;
                assert_eq!(status == StatusCode::OK, other == own, "{refused}");
            }
        }
    }
    assert!(looked > 30, "{looked}");
}
