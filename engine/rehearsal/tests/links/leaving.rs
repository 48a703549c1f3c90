//! The way out of a message at its edges: while a message leaves, when its run is in the archive, under other policies,
//! where many read, and over estates made by chance.
//!
//! Not here: what it does where nothing stands in its way.

use crate::customers::{marked, strangers};
use crate::muting::{BOB, CLICK, RITA, TARGETS, behind_a_run, decided, is_muted, stages, way_out};
use crate::support::{CARLA, CEM, House, plain, stage, stage_of, text};
use axum::http::StatusCode;
use futures::FutureExt as _;
use hostler_api::Subject;
use hostler_api::services::mutes::{self, MuteAsk};
use hostler_archive::{Keeper, Settings};
use hostler_core::mail::{Muted, muted_document};
use hostler_estate::{Estate, Known, policies};
use hostler_ports::archive::MemoryArchive;
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use hostler_simulation::Chance;
use serde_json::json;
use std::sync::{Arc, Mutex};

const DAY_MS: i64 = 86_400_000;
/// Commits between a customer's yes and the end of all; there are fewer.
const COMMITS_MAX: u64 = 200;
/// Estates that are tried.
const SEEDS: u64 = 4;

#[tokio::test]
async fn a_choice_between_look_and_commit_is_heard_before_the_message_leaves() {
    let completed = |house: &House| {
        stages(house, RITA)
            .iter()
            .filter(|stage| *stage == "completed")
            .count()
    };
    let (mut heard, mut late) = (0, 0);
    for number in 1..COMMITS_MAX {
        let house = House::asking(plain()).await;
        for mail in [CARLA, CEM] {
            house.post(&house.link(mail), "decision=yes").await;
        }
        house.goes_on().await;
        let (store, next_hop) = (
            Arc::downgrade(&house.world.store),
            Arc::clone(&house.world.next_hop),
        );
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
        let before = taken
            .filter(|message| message.to_address == RITA && message.subject == "work.completed");
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
    assert_eq!(
        house.get(&out).await.0,
        StatusCode::SERVICE_UNAVAILABLE,
        "it is elsewhere"
    );
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
    let view = mutes::say(&house.api, &olga, "rita-redmark", true, &ask)
        .await
        .unwrap();
    assert_eq!(view.muted.unwrap().by, "olga");
}

#[tokio::test]
async fn what_the_policy_demands_and_what_an_emergency_tells_has_no_way_out_and_reaches_who_has_asked_for_less()
 {
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
    assert!(
        house
            .messages_to(BOB)
            .iter()
            .all(|message| message.unsubscribe.is_none())
    );
}

#[tokio::test]
async fn whatever_the_estate_a_way_out_shows_and_changes_nothing_of_another_customer() {
    let mut looked = 0;
    for seed in 0..SEEDS {
        let (marks, estate) = marked(&mut Chance::of(seed, "leaving"));
        let mut house = House::asking_over(estate, "id=*").await;
        let mails: Vec<String> = marks
            .iter()
            .map(|mark| format!("pat@{mark}.example"))
            .collect();
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
                assert_eq!(
                    strangers(&marks, own, text),
                    Vec::<&String>::new(),
                    "seed {seed}, {own}: {text}"
                );
            }
            looked += told.len();
            for (later, other) in marks.iter().enumerate() {
                let person = format!("p-{other}");
                assert_eq!(
                    is_muted(&house, other, &person).await,
                    later <= number,
                    "seed {seed}"
                );
                let path = format!("/api/v1/people/{person}/notices");
                let (status, refused) = house.as_person(&format!("p-{own}"), &path).await;
                assert_eq!(status == StatusCode::OK, other == own, "{refused}");
            }
        }
    }
    assert!(looked > 30, "{looked}");
}
