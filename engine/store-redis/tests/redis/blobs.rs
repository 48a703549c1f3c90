//! Blobs that go ahead of the call that names them, and some that are lost on the way.

use crate::durability::start;
use crate::server::Server;
use hostler_core::id::Digest;
use hostler_ports::store::{Batch, Blob, Claim, ClaimAsk, Queue, Start, Started, Store, Then};
use hostler_store_redis::{Functions, RedisStore};

/// So many bytes, in which nothing repeats.
fn blob(letter: u8, bytes: usize) -> Blob {
    let mut noise = Vec::with_capacity(bytes + 32);
    let mut last = Digest::of(&[letter]);
    while noise.len() < bytes {
        noise.extend(last.0);
        last = Digest::of(&last.0);
    }
    noise.truncate(bytes);
    let bytes = noise;
    Blob {
        digest: Digest::of(&bytes),
        bytes,
    }
}

fn asked(number: u128, blobs: &[Blob]) -> Start {
    Start {
        blobs: blobs.to_vec(),
        ..start(number)
    }
}

#[tokio::test]
async fn a_long_blob_is_no_argument_of_a_function() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    let both = [blob(b's', 10), blob(b'l', 1 << 20)];
    server.tell("CONFIG SET slowlog-log-slower-than 0").await;
    server.tell("SLOWLOG RESET").await;
    let begun = store.start(asked(1, &both)).await;
    assert!(matches!(begun, Ok(Started::New(_))), "{begun:?}");
    let told = format!("{:?}", server.tell("SLOWLOG GET 50").await);
    // The log shows bytes as a list of numbers.
    let name = |blob: &Blob| format!("{:?}", [b"@", &blob.digest.0[..]].concat());
    let only_named = both.iter().map(|blob| told.contains(&name(blob)));
    assert_eq!(only_named.collect::<Vec<_>>(), [false, true], "{told}");
    for blob in both {
        assert_eq!(store.blob(blob.digest).await, Ok(Some(blob.bytes)));
    }
}

async fn claimed(store: &RedisStore) -> Claim {
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "w".into(),
        max: 1,
        at_least: None,
        lease_ms: 30_000,
        wait_ms: 0,
        until: None,
    };
    store.claim(&ask).await.unwrap().remove(0)
}

/// The server that answers a call is not the one that took the blobs before it, as often as `lose` is there.
async fn loses_blobs(server: &Server) {
    let whole = Functions::default();
    let looks = "local function lacks_blob(call, blobs)\n";
    assert!(whole.text().contains(looks));
    let loses = format!(
        "{looks}  if redis.call('DEL', 'lose') == 1 then\n    for _, blob in ipairs(blobs) do\n      \
         local name = key(call, 'b', string.sub(blob[1], 2))\n      \
         redis.call('INCRBY', 'lost', redis.call('DEL', name))\n    end\n  end\n"
    );
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE");
    load.arg(whole.text().replace(looks, &loses));
    let _: String = load.query_async(&mut server.admin().await).await.unwrap();
}

#[tokio::test]
async fn a_long_blob_that_a_failover_has_lost_is_brought_by_its_call() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    loses_blobs(&server).await;
    let (first, second) = (blob(b'1', 1 << 16), blob(b'2', 1 << 16));
    server.tell("SET lose 1").await;
    let begun = store.start(asked(1, std::slice::from_ref(&first))).await;
    assert!(matches!(begun, Ok(Started::New(_))), "{begun:?}");

    server.tell("SET lose 1").await;
    let claim = claimed(&store).await;
    let batch = Batch {
        events: vec!["second".into()],
        blobs: vec![second.clone()],
        ..Batch::default()
    };
    let done = store.commit(claim.lane, &claim.fence, 1, batch).await;
    assert_eq!(done.unwrap().version, 2, "once");
    let lost: u64 = redis::from_redis_value(server.tell("GET lost").await).unwrap();
    assert_eq!(lost, 2);
    for blob in [first, second] {
        assert_eq!(store.blob(blob.digest).await, Ok(Some(blob.bytes)));
    }
}

#[tokio::test]
async fn a_short_blob_has_no_key_of_its_own_and_is_read_by_its_digest() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    let all = [
        blob(b'a', 60),
        blob(b'b', 61),
        blob(b'c', 1_024),
        blob(b'd', 1_025),
    ];
    let begun = store.start(asked(1, &all)).await;
    assert!(matches!(begun, Ok(Started::New(_))), "{begun:?}");
    for (pattern, keys) in [("bs", 1), ("bt", 2), ("b", 1)] {
        let pattern = format!("KEYS h:{{main}}.{pattern}:*");
        let found: Vec<Vec<u8>> = redis::from_redis_value(server.tell(&pattern).await).unwrap();
        assert_eq!(found.len(), keys, "{pattern}");
    }
    for blob in all {
        assert_eq!(store.blob(blob.digest).await, Ok(Some(blob.bytes)));
    }
}

/// Commands `GET` since the statistics were reset.
async fn gets(server: &Server) -> u32 {
    let told = server.tell("INFO commandstats").await;
    let told: String = redis::from_redis_value(told).unwrap();
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_get:calls="));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Whether the first claim of a run whose plan has this length brings it, with how many `GET`, and whether the next one does.
async fn plan_with_claims(server: &Server, length: usize) -> (bool, u32, bool) {
    let store = server.store(&format!("of{length}")).await;
    let plan = blob(b'p', length);
    let start = Start {
        plan: Some(plan.digest),
        ..asked(1, &[blob(b'o', 10), plan.clone()])
    };
    store.start(start).await.unwrap();
    server.tell("CONFIG RESETSTAT").await;
    let first = claimed(&store).await;
    let read = gets(server).await;
    let lets_go = Batch {
        then: Then::Requeue,
        ..Batch::default()
    };
    let version = first.header.version;
    let done = store
        .commit(first.lane, &first.fence, version, lets_go)
        .await;
    done.unwrap();
    let of = |claim: Claim| claim.carried.unwrap().plan;
    let (brought, again) = (of(first), of(claimed(&store).await));
    assert!(brought.as_ref().is_none_or(|brought| *brought == plan));
    (brought.is_some(), read, again.is_some())
}

#[tokio::test]
async fn a_first_claim_brings_a_short_plan_and_no_later_one_does() {
    let server = Server::start(&[]).await;
    // One is for a snapshot of the lane. A long plan is not read to find that it is long.
    for (length, comes, gets) in [
        (40, false, 1),
        (900, true, 1),
        (8_000, true, 2),
        (9_000, false, 1),
    ] {
        let found = plan_with_claims(&server, length).await;
        assert_eq!(found, (comes, gets, false), "{length} bytes");
    }
}
