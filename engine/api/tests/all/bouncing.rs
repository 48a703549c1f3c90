//! Reports brought over HTTP: whose are taken, when, and how often.
//!
//! Not here: what follows from a report (the worker's).

use crate::support::{World, world};
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hostler_api::http::{Door, router};
use hostler_api::services::bounces::Bounces;
use hostler_api::tokens::Tokens;
use hostler_ports::returned::{Counts, TakeReport, Taken, Vouched};
use ring::hmac;
use std::sync::{Arc, Mutex, RwLock};
use tower::ServiceExt;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

#[derive(Default)]
pub struct Scripted {
    not_yet: bool,
    given: Mutex<Vec<Vec<u8>>>,
}

#[async_trait]
impl TakeReport for Scripted {
    async fn take(&self, report: &[u8], vouched: &Vouched) -> Result<Taken, String> {
        assert_eq!(*vouched, Vouched::Signed);
        self.given.lock().unwrap().push(report.to_vec());
        Ok(if self.not_yet {
            Taken::NotYet
        } else {
            Taken::Bounced
        })
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}

pub fn bounces(take: Arc<Scripted>) -> Arc<Bounces> {
    Arc::new(Bounces::new(take, Some(KEY)).unwrap())
}

struct Open {
    world: World,
    take: Arc<Scripted>,
    router: axum::Router,
}

fn open(not_yet: bool) -> Open {
    let world = world();
    let take = Arc::new(Scripted {
        not_yet,
        ..Scripted::default()
    });
    let door = Door {
        api: world.api.clone(),
        tokens: Arc::new(RwLock::new(Tokens::default())),
        clock: Arc::clone(&world.clock) as _,
        bounces: Some(bounces(Arc::clone(&take))),
    };
    let router = router(door);
    Open {
        world,
        take,
        router,
    }
}

/// A request as a sender makes it, of so many seconds ago.
struct Sent {
    key: &'static [u8],
    ago_s: i64,
    nonce: &'static str,
    /// What is signed, and what is sent.
    bodies: [&'static str; 2],
}

const GOOD: Sent = Sent {
    key: KEY,
    ago_s: 0,
    nonce: "nonce-one",
    bodies: ["a report", "a report"],
};

impl Open {
    async fn status(&self, sent: &Sent) -> StatusCode {
        use hostler_ports::clock::Clock;
        let seconds = self.world.clock.now_ms() / 1_000 - sent.ago_s;
        let key = hmac::Key::new(hmac::HMAC_SHA256, sent.key);
        let text = format!("{seconds}.{}.{}", sent.nonce, sent.bodies[0]);
        let tag = hmac::sign(&key, text.as_bytes());
        let digits: String = tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let request = Request::post("/api/v1/notices/bounces")
            .header("x-hostler-timestamp", seconds.to_string())
            .header("x-hostler-nonce", sent.nonce)
            .header("x-hostler-signature", format!("sha256={digits}"))
            .body(Body::from(sent.bodies[1]))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    fn given(&self) -> usize {
        self.take.given.lock().unwrap().len()
    }
}

#[tokio::test]
async fn a_report_is_taken_once_under_a_fresh_signature_over_its_very_bytes() {
    let open = open(false);
    let refused = StatusCode::UNAUTHORIZED;
    let wrong: [(&str, Sent); 5] = [
        (
            "another key",
            Sent {
                key: b"1123456789abcdef0123456789abcdef",
                ..GOOD
            },
        ),
        (
            "other bytes",
            Sent {
                bodies: ["a report", "b report"],
                ..GOOD
            },
        ),
        ("too old", Sent { ago_s: 301, ..GOOD }),
        (
            "of the future",
            Sent {
                ago_s: -301,
                ..GOOD
            },
        ),
        (
            "a short nonce",
            Sent {
                nonce: "short",
                ..GOOD
            },
        ),
    ];
    for (what, sent) in wrong {
        assert_eq!(open.status(&sent).await, refused, "{what}");
    }
    assert_eq!(open.given(), 0);
    assert_eq!(open.status(&GOOD).await, StatusCode::OK);
    assert_eq!(open.status(&GOOD).await, refused, "the same again");
    let later = Sent {
        ago_s: 299,
        nonce: "nonce-two",
        ..GOOD
    };
    assert_eq!(open.status(&later).await, StatusCode::OK);
    assert_eq!(open.given(), 2);
}

#[tokio::test]
async fn a_nonce_is_known_longer_than_its_signature_is_fresh() {
    let open = open(false);
    // Signed by a clock that is ahead: fresh for almost ten minutes.
    let ahead = Sent {
        ago_s: -299,
        ..GOOD
    };
    assert_eq!(open.status(&ahead).await, StatusCode::OK);
    open.world.clock.advance(598_000);
    let same = Sent { ago_s: 299, ..GOOD };
    assert_eq!(open.status(&same).await, StatusCode::UNAUTHORIZED);
    open.world.clock.advance(3_000);
    assert_eq!(open.status(&GOOD).await, StatusCode::OK, "forgotten by now");
    assert_eq!(open.given(), 2);
}

#[tokio::test]
async fn what_comes_too_early_is_to_come_again() {
    let open = open(true);
    assert_eq!(open.status(&GOOD).await, StatusCode::TOO_EARLY);
}

#[tokio::test]
async fn a_report_of_more_than_a_mebibyte_is_not_read() {
    let open = open(false);
    let long: &'static str = Box::leak("x".repeat((1 << 20) + 1).into_boxed_str());
    let sent = Sent {
        bodies: [long, long],
        ..GOOD
    };
    assert_eq!(open.status(&sent).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(open.given(), 0);
}

#[test]
fn a_key_that_can_be_guessed_is_refused() {
    let fault = Bounces::new(Arc::new(Scripted::default()), Some(&KEY[..31])).err();
    assert!(fault.unwrap().contains("32 bytes"));
}
