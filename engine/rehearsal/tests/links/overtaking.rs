//! Deferrals and what others write between a worker's look and its commit: one of the two comes first.
//!
//! Not here: deferrals that nobody overtakes (`deferring`).

use crate::consenting;
use crate::deferring::{
    BOB, DAY_MS, ONE, RITA, TO_THE_LAST, announced, counted, day_behind, letter, link, restarted,
    starts_ms, to_the_end,
};
use crate::support::House;
use axum::http::StatusCode;
use futures::FutureExt;
use hostler_api::read;
use hostler_core::deferral::{deferrals_document, turn_document};
use hostler_ports::store::{DocumentWrite, Store, Upkeep};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What is written before each commit, or before the first: another process was faster by that much.
fn before_commits(
    house: &House,
    which: impl Fn(u64) -> bool + Send + Sync + 'static,
    write: DocumentWrite,
) -> Arc<AtomicUsize> {
    let (store, host) = (
        Arc::downgrade(&house.world.store),
        Arc::clone(&house.world.host),
    );
    let (commits, written) = (AtomicU64::new(0), Arc::new(AtomicUsize::new(usize::MAX)));
    let told = Arc::clone(&written);
    house.world.store.set_faults(Box::new(move |verb, _| {
        if verb == "commit" && which(commits.fetch_add(1, Ordering::SeqCst)) {
            let change = Upkeep {
                documents: vec![write.clone()],
                ..Upkeep::default()
            };
            if let Some(store) = store.upgrade() {
                told.store(host.seen().len(), Ordering::SeqCst);
                // The twin in memory never waits.
                let _ = store.upkeep(change).now_or_never();
            }
        }
        None
    }));
    written
}

fn send_letter(house: &House, until: &str) -> impl Future<Output = ()> {
    let (lane, body) = (house.run.root(), letter(house, until));
    let store = Arc::clone(&house.world.store);
    async move {
        store
            .send(lane, lane.command("test", 1), body)
            .await
            .unwrap();
    }
}

async fn put_off_here(house: &House) -> usize {
    let reading = read::lane(&house.world.api, house.run.root())
        .await
        .unwrap();
    reading.lane.children.unwrap().put_off.len()
}

#[tokio::test]
async fn of_two_deferrals_against_the_last_one_left_exactly_one_counts() {
    let house = announced(ONE).await;
    let until = day_behind(&house, 3).await;
    send_letter(&house, &until).await;
    let now_ms = house.world.store.now_ms().await.unwrap();
    let taken = json!({ "deferrals": [{
        "at_ms": now_ms, "run": house.run, "classes": ["standard-patch"], "servers": 1,
        "until_ms": now_ms, "by": "ron-redmark",
    }]});
    let write = DocumentWrite {
        key: deferrals_document("redmark"),
        body: Some(taken.to_string()),
    };
    let written = before_commits(&house, |number| number == 0, write);
    house.world.settle().await.unwrap();
    assert_ne!(
        written.load(Ordering::SeqCst),
        usize::MAX,
        "nothing was written"
    );
    assert_eq!(
        (counted(&house, "redmark").await, put_off_here(&house).await),
        (1, 0)
    );
}

#[tokio::test]
async fn a_turn_that_begins_between_look_and_commit_is_not_put_off() {
    let house = announced(TO_THE_LAST).await;
    let until = day_behind(&house, 3).await;
    // So that the lane of this server lives.
    let bob = link(&house, BOB);
    let form: &'static str = format!("until={until}").leak();
    assert_eq!(house.post(&bob, form).await.0, StatusCode::OK);
    house.world.settle().await.unwrap();
    send_letter(&house, &until).await;
    let write = DocumentWrite {
        key: turn_document(house.run, "work", "redmark-web1"),
        body: Some(json!({ "began": true }).to_string()),
    };
    before_commits(&house, |number| number == 0, write);
    house.world.settle().await.unwrap();
    assert_eq!(
        (counted(&house, "redmark").await, put_off_here(&house).await),
        (0, 1)
    );
}

/// Commits of the whole run, with some to spare.
const COMMITS_MAX: u64 = 60;

#[tokio::test]
async fn a_turn_that_is_put_off_between_look_and_commit_does_not_begin() {
    let mut held = 0;
    for commit in 0..COMMITS_MAX {
        let house = announced(ONE).await;
        let until_ms = starts_ms(&house, RITA, "redmark-web1").await + 5 * DAY_MS;
        let put_off =
            json!({ "put_off": { "until_ms": until_ms, "from_ms": 0, "by": "rita-redmark" } });
        let write = DocumentWrite {
            key: turn_document(house.run, "work", "redmark-web1"),
            body: Some(put_off.to_string()),
        };
        let written = before_commits(&house, move |number| number == commit, write);
        to_the_end(&house).await;
        let seen = written.load(Ordering::SeqCst);
        if seen == usize::MAX {
            break;
        }
        let behind = house.world.host.seen().split_off(seen);
        let restarts = behind.iter().filter(|seen| {
            seen.asset.as_deref() == Some("redmark-web1") && seen.entry == "perform"
        });
        assert_eq!(restarts.count(), 0, "before commit {commit}");
        held += usize::from(restarted(&house, "redmark-web1").is_empty());
    }
    assert!(
        held > 3,
        "it was put off before it began in {held} runs only"
    );
}

#[tokio::test]
async fn what_a_customer_objects_to_between_look_and_commit_does_not_begin() {
    let (mut held, mut begun) = (0, 0);
    for commit in 0..COMMITS_MAX {
        let house = consenting::asked("explicit", consenting::HOUR).await;
        let path = consenting::link(&house, RITA);
        assert_eq!(house.post(&path, "choice=agree").await.0, StatusCode::OK);
        let objection = consenting::objection(&house);
        let written = before_commits(&house, move |number| number == commit, objection);
        // An objection never expires, so the run has no end.
        consenting::days(&house, 2).await;
        let seen = written.load(Ordering::SeqCst);
        if seen == usize::MAX {
            break;
        }
        let behind = house.world.host.seen().split_off(seen);
        let performs = behind.iter().filter(|seen| {
            let theirs = seen
                .asset
                .as_deref()
                .is_some_and(|id| id.starts_with("redmark"));
            theirs && seen.entry == "perform"
        });
        assert_eq!(performs.count(), 0, "before commit {commit}");
        let web1 = restarted(&house, "redmark-web1");
        held += usize::from(web1.is_empty());
        begun += usize::from(!web1.is_empty());
    }
    assert!(held > 3 && begun > 3, "{held} held, {begun} begun");
}
