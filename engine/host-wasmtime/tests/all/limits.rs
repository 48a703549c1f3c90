//! Guest bombs: each ends with its named limit, and nobody else notices.

use crate::component::Ready;
use crate::watch::Watch;
use futures::future::join_all;
use hostler_core::answer::Answer;
use hostler_ports::plugin::{Call, Entry, HostError, PluginHost, Reply};
use serde_json::{Value, json};
use std::sync::Arc;

/// Calls that run beside each bomb.
const BESIDE: i64 = 50;

fn bomb(ready: &Ready, action: &str, input: Value) -> Call {
    let mut call = ready.evil(action, input, Arc::new(Watch::default()));
    if action == "evil.loop" {
        call.timeout_ms = 300;
    }
    call
}

async fn limit_of(ready: &Ready, call: Call) -> (String, String) {
    match ready.host.call(Entry::Perform, call).await {
        Err(HostError::Limit { limit, detail }) => (limit.to_owned(), detail),
        other => panic!("no limit: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_ends_with_its_named_limit_while_fifty_calls_go_through() {
    let ready = Ready::new(Vec::new()).await;
    let bombs = [
        ("evil.loop", json!({}), "time"),
        ("evil.grow", json!({}), "memory"),
        ("evil.recurse", json!({}), "stack"),
        ("evil.print", json!({}), "log"),
        ("evil.log", json!({}), "log"),
        ("evil.huge", json!({ "kib": 1024 * 1024 }), "memory"),
        ("evil.huge", json!({ "kib": 8 * 1024 }), "output"),
        ("evil.huge", json!({ "kib": 17 }), "output"),
        ("evil.checkpoint", json!({ "kib": 5 }), "output"),
        ("evil.calls", json!({}), "host calls"),
        ("evil.panic", json!({}), "trap"),
    ];
    for (action, input, expected) in bombs {
        let beside = join_all((0..BESIDE).map(|n| ready.perform(ready.noop(n))));
        let (limit, others) = tokio::join!(limit_of(&ready, bomb(&ready, action, input)), beside);
        assert_eq!(limit.0, expected, "{action}: {}", limit.1);
        for (n, output) in (0..BESIDE).zip(others) {
            assert_eq!(output, Ok(json!({ "n": n })), "beside {action}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_bombs_at_once_leave_a_host_that_works() {
    let ready = Ready::new(Vec::new()).await;
    let kinds = ["evil.recurse", "evil.panic", "evil.log", "evil.loop"];
    let calls = (0..200).map(|n| limit_of(&ready, bomb(&ready, kinds[n % kinds.len()], json!({}))));
    assert_eq!(join_all(calls).await.len(), 200);
    assert_eq!(ready.perform(ready.noop(1)).await, Ok(json!({ "n": 1 })));
}

#[tokio::test]
async fn a_panic_tells_its_own_words() {
    let ready = Ready::new(Vec::new()).await;
    let (_, detail) = limit_of(&ready, bomb(&ready, "evil.panic", json!({}))).await;
    assert!(detail.contains("a plugin's own mistake"), "{detail}");
}

#[tokio::test]
async fn an_output_of_sixteen_kib_is_taken() {
    let ready = Ready::new(Vec::new()).await;
    let output = ready
        .perform(bomb(&ready, "evil.huge", json!({ "kib": 15 })))
        .await
        .unwrap();
    assert_eq!(output["text"].as_str().map(str::len), Some(15 * 1024));
}

#[tokio::test]
async fn an_input_of_another_shape_is_rejected_not_trapped() {
    let ready = Ready::new(Vec::new()).await;
    for input in [
        json!({}),
        json!("x"),
        json!({ "n": "1" }),
        json!({ "n": 1, "m": 2 }),
        Value::Null,
    ] {
        let mut call = ready.noop(0);
        call.input = input;
        let reply = ready.host.call(Entry::Perform, call).await;
        assert!(
            matches!(reply, Ok(Reply::Answer(Answer::Reject { .. }))),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn a_call_that_is_cut_ends_at_once() {
    let ready = Ready::new(Vec::new()).await;
    let watch = Arc::new(Watch::default());
    let call = ready.evil("evil.loop", json!({}), watch.clone());
    let (reply, ()) = tokio::join!(ready.host.call(Entry::Perform, call), async {
        watch.cut_now()
    });
    assert_eq!(reply, Err(HostError::Cut));
}

#[tokio::test]
async fn an_unknown_component_or_action_is_unusable() {
    let ready = Ready::new(Vec::new()).await;
    let mut call = ready.noop(0);
    call.plugin = hostler_core::id::Digest::of(b"another");
    assert!(matches!(
        ready.host.call(Entry::Perform, call).await,
        Err(HostError::Unusable { .. })
    ));
    let mut call = ready.noop(0);
    call.action = "practice.other".into();
    assert!(matches!(
        ready.host.call(Entry::Perform, call).await,
        Err(HostError::Unusable { .. })
    ));
}

#[tokio::test]
async fn the_journal_of_earlier_attempts_is_seen() {
    let ready = Ready::new(Vec::new()).await;
    let mut call = ready.evil("evil.journal", json!({}), Arc::new(Watch::default()));
    call.journal.push(hostler_ports::plugin::JournalEntry {
        number: 1,
        attempt: 1,
        what: "http POST /x".into(),
        outcome: None,
    });
    call.attempt = 2;
    let output = ready.perform(call).await.unwrap();
    assert_eq!(
        output["told"],
        json!([{ "number": 1, "attempt": 1, "what": "http POST /x", "outcome": null }])
    );
}
