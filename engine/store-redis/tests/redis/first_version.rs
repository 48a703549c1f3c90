//! A realm that the first version made: ids in hex digits, texts as they are, the record of a run as a hash. It stays in
//! that form, and all that lies there is read, changed and ended.

use crate::conformance::at_noon;
use crate::server::Server;
use hostler_core::id::{Digest, RunId};
use hostler_ports::store::conformance::{Effort, all};
use hostler_ports::store::{
    Batch, ClaimAsk, Cursor, Queue, RunRecord, Store, Then, TimerChange, Upkeep,
};
use uuid::Uuid;

/// As the first version left a run that waits: each line one command, `|` between its words, `L` the lane, `R`
/// the run, `D` a digest.
const PARKED: &str = r#"
HSET|h:{main}:meta|seq|7|epoch|1|ready_number|1|led|1|last_tick|1767225600000|hold_until|0
HSET|h:{main}:l:L|f||v|2|d|0|ci|aa.1 7|st|P|tk||ic|0|u|1767225600000|p|1|q|r|par||run|R|sk|0|c|1767225599000|wk|w
RPUSH|h:{main}:g:L|{"v":1,"event":"opened"}|{"v":1,"event":"asked"}
SET|h:{main}:s:L|{"phase":"person"}
HSET|h:{main}:t:L|expires|00000000-0000-0000-0000-0000000000aa{"command":"timer","name":"expires"}
ZADD|h:{main}:due|1767225600001|Lexpires
HSET|h:{main}:r:R|body|D|ci|aa.0|seq|6|root|L|sum|{"state":"waiting"}
SET|h:{main}:b:D|plan
ZADD|h:{main}:ix:runs|0|8000019b76da0000R
HSET|h:{main}:xb:runs|R|8000019b76da0000{"state":"waiting"}
RPUSH|h:{main}:led|0 L 2 1767225600000 {"entry":"asked"}
ZADD|h:{main}:feed|7|L
"#;

fn run() -> RunId {
    RunId(Uuid::from_u128(77))
}

async fn parked(server: &Server) {
    let digest = Digest::of(b"plan").to_string();
    let (run, lane) = (run().to_string(), run().root().to_string());
    let mut admin = server.admin().await;
    for line in PARKED.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split('|');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            let word = match word {
                "R" => run.clone(),
                "L" => lane.clone(),
                "D" => digest.clone(),
                other => other
                    .replace(":L", &format!(":{lane}"))
                    .replace(":R", &format!(":{run}"))
                    .replace(":D", &format!(":{digest}"))
                    .replace("Lexpires", &format!("{lane}expires"))
                    .replace("0000R", &format!("0000{run}"))
                    .replace("0 L 2", &format!("0 {lane} 2")),
            };
            command.arg(word);
        }
        let _: redis::Value = command.query_async(&mut admin).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_first_version_left_is_read() {
    let server = Server::start(&[]).await;
    parked(&server).await;
    let (store, run) = (at_noon(&server, "main").await.store, run());
    let loaded = store.load(run.root(), 0).await.unwrap().unwrap();
    assert_eq!(loaded.header.summary, r#"{"phase":"person"}"#);
    assert_eq!((loaded.header.run, loaded.header.version), (run, 2));
    assert_eq!(loaded.events.len(), 2);
    let record = RunRecord {
        body: Digest::of(b"plan"),
        root: run.root(),
        summary: r#"{"state":"waiting"}"#.into(),
        archive: None,
    };
    assert_eq!(store.run_record(run).await, Ok(Some(record)));
    assert_eq!(
        store.blob(Digest::of(b"plan")).await,
        Ok(Some(b"plan".to_vec()))
    );
    let page = store.query("runs", true, Cursor::default()).await.unwrap();
    let told: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (&*entry.member, entry.score, &*entry.body))
        .collect();
    assert_eq!(
        told,
        [(
            &*run.to_string(),
            1_767_225_556_992,
            r#"{"state":"waiting"}"#
        )]
    );
    let lines = store.ledger(0).await.unwrap();
    assert_eq!((lines[0].lane, lines[0].version), (Some(run.root()), 2));
    assert_eq!(lines[0].body, r#"{"entry":"asked"}"#);
    let lanes = store.lanes(Cursor::default()).await.unwrap();
    assert_eq!(lanes.entries.len(), 1);
}

#[tokio::test]
async fn what_the_first_version_left_goes_on_and_ends() {
    let server = Server::start(&[]).await;
    parked(&server).await;
    let subject = at_noon(&server, "main").await;
    let (store, run) = (&subject.store, run());
    hostler_ports::store::conformance::Subject::advance(&subject, 10).await;
    assert_eq!(store.tick(10, 1_000).await.unwrap().timers_fired, 1);
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "w".into(),
        max: 1,
        at_least: None,
        lease_ms: 30_000,
        wait_ms: 0,
        until: None,
    };
    let claim = store.claim(&ask).await.unwrap().remove(0);
    let letters = claim.carried.unwrap().lane.inbox;
    assert_eq!(letters[0].id, Uuid::from_u128(0xaa));
    assert_eq!(letters[0].body, r#"{"command":"timer","name":"expires"}"#);
    let text = format!(r#"{{"state":"denied","run":"{run}","ended_ms":1767225600123}}"#);
    let batch = Batch {
        events: vec![text.clone()],
        inbox_used: 1,
        summary: Some(text.clone()),
        run_summary: Some(text.clone()),
        timers: vec![TimerChange::Clear {
            name: "expires".into(),
        }],
        then: Then::End,
        ..Batch::default()
    };
    store
        .commit(claim.lane, &claim.fence, 2, batch)
        .await
        .unwrap();
    let loaded = store.load(claim.lane, 0).await.unwrap().unwrap();
    assert_eq!(
        (loaded.events[2].as_str(), &*loaded.header.summary),
        (&*text, &*text)
    );
    assert_eq!(store.run_summary(run).await, Ok(Some(text)));
    let archive = Digest::of(b"archive");
    let change = Upkeep {
        archived: vec![(run, archive)],
        ..Upkeep::default()
    };
    store.upkeep(change).await.unwrap();
    assert_eq!(store.purge(claim.lane, archive, 100).await, Ok(true));
    assert_eq!(store.load(claim.lane, 0).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_realm_of_the_first_version_conforms() {
    let server = Server::start(&[]).await;
    let effort = Effort {
        model_steps: 1_000,
        lock_steps: 300,
        seed: 5,
    };
    let made = async |realm: &str| {
        server.tell(&format!("HSET h:{{{realm}}}:meta seq 0")).await;
        at_noon(&server, realm).await
    };
    assert!(all(made, effort).await > 80);
    let keys = format!("{:?}", server.tell("KEYS h:{*}.*").await);
    assert_eq!(keys, "array([])", "nothing is written in the other form");
}
