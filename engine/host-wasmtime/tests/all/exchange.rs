//! What the host adds to an exchange and what it keeps to itself.

use crate::component::{Ready, connection};
use crate::server::{Asked, Say, Server};
use crate::watch::Watch;
use hostler_core::answer::Answer;
use hostler_ports::connection::{Auth, Secret, SessionLogin, TokenFrom};
use hostler_ports::plugin::{Entry, HostError, JournalEntry, PluginHost, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const HOME: &[&str] = &["127.0.0.2/32"];
const CANARY: &str = "canary-5ecret/\"x\"";

fn entries(watch: &Watch) -> Vec<JournalEntry> {
    watch.journal.lock().unwrap().clone()
}

/// Gives back everything that it was sent.
fn mirror(asked: &Asked) -> Say {
    let all = format!(
        "{} {:?} {} {}",
        asked.method, asked.headers, asked.path, asked.body
    );
    Say::new(200, all.clone())
        .header("x-echo", all.replace(['\r', '\n'], " "))
        .header("set-cookie", CANARY)
}

#[tokio::test]
async fn credentials_reach_the_server_and_never_the_guest() {
    let auths = [
        Auth::Basic {
            user: "u".into(),
            password: Secret::new(CANARY),
        },
        Auth::Header {
            name: "authorization".into(),
            value: Secret::new(format!("Bearer {CANARY}")),
        },
        Auth::Header {
            name: "x-api-key".into(),
            value: Secret::new(CANARY),
        },
    ];
    for auth in auths {
        let server = Server::start("127.0.0.2:0", mirror).await;
        let mut config = connection(&server.url(), HOME);
        config.auth = auth.clone();
        let ready = Ready::new(vec![config]).await;
        let watch = Arc::new(Watch::default());
        let told = ready
            .told_watched("evil.fetch", json!({ "path": "/" }), watch.clone())
            .await
            .to_string();
        assert!(!told.contains("canary"), "{auth:?}: {told}");
        assert!(told.contains("[redacted]"), "{auth:?}: {told}");
        assert!(!told.contains("set-cookie"), "{told}");
        let sent = server.asked().remove(0).headers;
        let header = if matches!(&auth, Auth::Header { name, .. } if name == "x-api-key") {
            "x-api-key"
        } else {
            "authorization"
        };
        assert!(sent.contains_key(header), "{sent:?}");
        let said = ready.evil(
            "evil.say",
            json!({ "path": "/", "line": CANARY }),
            watch.clone(),
        );
        let Reply::Answer(Answer::Done { output, evidence }) =
            ready.host.call(Entry::Perform, said).await.unwrap()
        else {
            panic!("not done")
        };
        let everything = format!("{output} {evidence:?} {:?}", watch.lines.lock().unwrap());
        assert!(
            !everything.contains("canary") && everything.contains("[redacted]"),
            "{everything}"
        );
    }
}

#[tokio::test]
async fn a_guest_cannot_set_the_header_of_the_credential() {
    let mut config = connection("http://127.0.0.2:9/", HOME);
    config.auth = Auth::Header {
        name: "X-Api-Key".into(),
        value: Secret::new(CANARY),
    };
    let ready = Ready::new(vec![config]).await;
    let told = ready
        .told(
            "evil.fetch",
            json!({ "path": "/", "headers": [["x-api-key", "mine"]] }),
        )
        .await;
    assert_eq!(told["kind"], json!("refused"), "{told}");
}

#[tokio::test]
async fn a_session_is_opened_once_and_again_when_it_has_ended() {
    let logins = Arc::new(AtomicU32::new(0));
    let seen = logins.clone();
    let server = Server::start("127.0.0.2:0", move |asked| {
        if asked.path == "/login" {
            assert!(asked.body.contains("canary"));
            let number = seen.fetch_add(1, Ordering::SeqCst) + 1;
            return Say::new(201, "{}").header("x-auth-token", format!("token-number-{number}"));
        }
        let current = format!("token-number-{}", seen.load(Ordering::SeqCst));
        let mine =
            asked.headers.get("x-auth-token") == Some(&current) && asked.path != "/expired-once";
        if asked.path == "/expired-once"
            && asked.headers.get("x-auth-token").map(String::as_str) == Some("token-number-2")
        {
            return Say::new(200, "again token-number-2");
        }
        if mine {
            Say::new(200, format!("hello {current}"))
        } else {
            Say::new(401, "")
        }
    })
    .await;
    let mut config = connection(&server.url(), HOME);
    config.auth = Auth::Session(SessionLogin {
        path: "/login".into(),
        headers: BTreeMap::new(),
        body: Some(Secret::new(
            json!({ "UserName": "u", "Password": CANARY }).to_string(),
        )),
        token: TokenFrom::Header("x-auth-token".into()),
        send_as: "x-auth-token".into(),
    });
    let ready = Ready::new(vec![config]).await;
    for _ in 0..3 {
        let told = ready.told("evil.fetch", json!({ "path": "/" })).await;
        assert_eq!(told["body"], json!("hello [redacted]"), "{told}");
    }
    assert_eq!(logins.load(Ordering::SeqCst), 1);
    let told = ready
        .told("evil.fetch", json!({ "path": "/expired-once" }))
        .await;
    assert_eq!(
        (told["status"].clone(), logins.load(Ordering::SeqCst)),
        (json!(200), 2),
        "{told}"
    );
}

#[tokio::test]
async fn a_failed_login_is_said_without_the_credential() {
    let server = Server::start("127.0.0.2:0", |asked| Say::new(403, asked.body.clone())).await;
    let mut config = connection(&server.url(), HOME);
    config.auth = Auth::Session(SessionLogin {
        path: "/login".into(),
        headers: BTreeMap::new(),
        body: Some(Secret::new(json!({ "password": CANARY }).to_string())),
        token: TokenFrom::Body("/token".into()),
        send_as: "x-auth-token".into(),
    });
    let ready = Ready::new(vec![config]).await;
    let told = ready.told("evil.fetch", json!({ "path": "/" })).await;
    assert_eq!(
        (&told["kind"], &told["maybe_sent"]),
        (&json!("unauthenticated"), &json!(false))
    );
    assert!(!told.to_string().contains("canary"), "{told}");
}

#[tokio::test]
async fn a_change_is_journalled_before_and_after() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(201, "")).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let watch = Arc::new(Watch::default());
    let ask = json!({ "path": "/silences", "method": "POST", "body": "{}" });
    ready.told_watched("evil.write", ask, watch.clone()).await;
    let entry = |outcome: Option<&str>| JournalEntry {
        number: 1,
        attempt: 1,
        what: "http POST /silences".into(),
        outcome: outcome.map(str::to_owned),
    };
    assert_eq!(entries(&watch), [entry(None), entry(Some("HTTP 201"))]);
}

#[tokio::test]
async fn reads_are_not_journalled() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(200, "")).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let watch = Arc::new(Watch::default());
    for ask in [
        json!({ "path": "/" }),
        json!({ "path": "/", "method": "POST", "reads_only": true }),
    ] {
        ready.told_watched("evil.write", ask, watch.clone()).await;
    }
    assert_eq!((entries(&watch).len(), server.asked().len()), (0, 2));
}

#[tokio::test]
async fn nothing_is_sent_when_the_lane_is_no_longer_held() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(200, "")).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let stale = Arc::new(Watch::default());
    stale.stale.store(true, Ordering::SeqCst);
    let told = ready
        .told_watched("evil.fetch", json!({ "path": "/" }), stale)
        .await;
    assert_eq!(told["kind"], json!("cut"));
    let lost = Arc::new(Watch::default());
    lost.lease_lost.store(true, Ordering::SeqCst);
    let told = ready
        .told_watched("evil.write", json!({ "path": "/", "method": "PUT" }), lost)
        .await;
    assert_eq!(
        (&told["kind"], &told["maybe_sent"]),
        (&json!("cut"), &json!(false))
    );
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn what_only_reads_cannot_change_anything() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(200, "")).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let write = json!({ "path": "/", "method": "DELETE" });
    let by_action = ready.told("evil.fetch", write.clone()).await;
    assert_eq!(by_action["kind"], json!("refused"), "{by_action}");
    let mut dry = ready.evil("evil.write", write.clone(), Arc::new(Watch::default()));
    dry.dry_run = true;
    let told = ready.perform(dry).await.unwrap();
    assert!(
        told["told"]["detail"].as_str().unwrap().contains("dry run"),
        "{told}"
    );
    let plan = ready.evil("evil.write", write, Arc::new(Watch::default()));
    let reply = ready.host.call(Entry::Plan, plan).await.unwrap();
    assert!(
        matches!(&reply, Reply::Plan(Value::Object(told)) if told["kind"] == json!("refused")),
        "{reply:?}"
    );
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn a_cut_closes_the_socket() {
    let server = Server::start("127.0.0.2:0", |_| Say::silence()).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let watch = Arc::new(Watch::default());
    let call = ready.evil(
        "evil.write",
        json!({ "path": "/", "method": "POST" }),
        watch.clone(),
    );
    let cut = async {
        server.arrived.notified().await;
        watch.cut_now();
    };
    let (reply, ()) = tokio::join!(ready.host.call(Entry::Perform, call), cut);
    assert_eq!(reply, Err(HostError::Cut));
    server.left.notified().await;
    assert_eq!(
        entries(&watch).len(),
        1,
        "the intent stays without an outcome"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout_that_may_have_been_sent() {
    let server = Server::start("127.0.0.2:0", |_| Say::silence()).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let watch = Arc::new(Watch::default());
    let ask = json!({ "path": "/", "method": "POST", "timeout_ms": 200 });
    let told = ready.told_watched("evil.write", ask, watch.clone()).await;
    assert_eq!(
        (&told["kind"], &told["maybe_sent"]),
        (&json!("timeout"), &json!(true)),
        "{told}"
    );
    assert!(
        entries(&watch)[1]
            .outcome
            .as_ref()
            .unwrap()
            .starts_with("failed: ")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_was_surely_not_reached() {
    let port = std::net::TcpListener::bind("127.0.0.2:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let ready = Ready::new(vec![connection(&format!("http://127.0.0.2:{port}/"), HOME)]).await;
    let told = ready.told("evil.fetch", json!({ "path": "/" })).await;
    assert_eq!(
        (&told["kind"], &told["maybe_sent"]),
        (&json!("unreachable"), &json!(false)),
        "{told}"
    );
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_taken() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(200, vec![b'x'; 100_000])).await;
    let mut config = connection(&server.url(), HOME);
    config.limits.answer_bytes_max = 99_999;
    let ready = Ready::new(vec![config]).await;
    assert_eq!(
        ready.told("evil.fetch", json!({ "path": "/" })).await["kind"],
        json!("too_large")
    );
}

#[tokio::test]
async fn a_secret_is_set_but_never_read() {
    let server = Server::start("127.0.0.2:0", mirror).await;
    let ready = Ready::new(vec![connection(&server.url(), HOME)]).await;
    let first = ready.told("evil.secret", json!({ "path": "/" })).await;
    let second = ready.told("evil.secret", json!({ "path": "/" })).await;
    assert_eq!(first["placeholder"], json!("{{secret:root-password}}"));
    assert_eq!(
        first["mark"], second["mark"],
        "the same step sets the same secret"
    );
    let sent: Vec<Value> = server
        .asked()
        .iter()
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    let secret = sent[0]["password"].as_str().unwrap();
    assert_eq!((secret.len(), &sent[0]), (40, &sent[1]));
    assert!(!first.to_string().contains(secret), "{first}");
    assert!(
        first["body"].as_str().unwrap().contains("[redacted]"),
        "{first}"
    );
}

#[tokio::test]
async fn a_probe_tells_up_from_down() {
    let server = Server::start("127.0.0.2:0", |_| Say::new(503, "")).await;
    let gone = std::net::TcpListener::bind("127.0.0.2:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (url, kind, up) in [
        (server.url(), "tcp", true),
        (server.url(), "http", true),
        (server.url(), "tls", false),
        (format!("http://{gone}/"), "tcp", false),
        (format!("http://{gone}/"), "http", false),
    ] {
        let ready = Ready::new(vec![connection(&url, HOME)]).await;
        let told = ready.told("evil.check", json!({ "kind": kind })).await;
        assert_eq!(told["up"], json!(up), "{url} {kind}: {told}");
    }
}
