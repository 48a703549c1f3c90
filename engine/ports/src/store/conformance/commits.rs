//! Facts about the one atomic write and about reading it back.

use super::facts;
use super::kit::*;
use crate::store::{
    Batch, Blob, CommitError, DocumentWrite, Expect, IndexChange, LedgerLine, Seq, Take, Then,
    TimerChange,
};
use hostler_core::id::Digest;

facts![
    events_are_appended_at_the_expected_version,
    another_version_writes_nothing,
    seq_rises_by_one_with_every_commit,
    the_newest_summary_is_read,
    a_snapshot_shortens_the_load,
    a_changed_document_refuses_the_commit,
    a_refused_commit_writes_nothing_of_its_batch,
    documents_rise_and_stay_absent_after_removal,
    an_ended_lane_takes_no_commit,
];

fn write(key: &str, body: &str) -> DocumentWrite {
    DocumentWrite {
        key: key.into(),
        body: Some(body.into()),
    }
}

fn expect(document: &str, version: u64) -> Vec<Expect> {
    vec![Expect {
        document: document.into(),
        version,
    }]
}

async fn events_are_appended_at_the_expected_version(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let done = kit.commit(&claim, 1, events(&["a", "b"])).await;
    assert_eq!((done.version, done.dirty), (3, false));
    kit.commit(&claim, 3, events(&["c"])).await;
    let loaded = kit.load(lane(1)).await;
    assert_eq!(loaded.events, ["born", "a", "b", "c"]);
    assert_eq!((loaded.header.version, loaded.events_from), (4, 0));
    let tail = kit.store().load(lane(1), 3).await.unwrap().unwrap();
    assert_eq!((tail.events, tail.events_from), (vec!["c".to_owned()], 3));
    assert!(kit.store().load(lane(9), 0).await.unwrap().is_none());
}

async fn another_version_writes_nothing(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.commit(&claim, 1, events(&["a"])).await;
    for version in [0, 1, 3] {
        let refused = kit.try_commit(&claim, version, events(&["x"])).await;
        assert_eq!(refused, Err(CommitError::Version { actual: 2 }));
    }
    assert_eq!(kit.load(lane(1)).await.events, ["born", "a"]);
}

async fn seq_rises_by_one_with_every_commit(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let first = kit.commit(&claim, 1, events(&["a"])).await.seq;
    let second = kit.commit(&claim, 2, Batch::default()).await.seq;
    kit.start(2).await;
    let third = kit.commit(&claim, 2, events(&["b"])).await.seq;
    assert_eq!((second, third), (Seq(first.0 + 1), Seq(first.0 + 3)));
    assert_eq!(
        kit.store().confirm(third).await,
        Ok(crate::store::Confirmed::Durable)
    );
}

async fn the_newest_summary_is_read(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.commit(
        &claim,
        1,
        Batch {
            summary: Some("new".into()),
            ..Batch::default()
        },
    )
    .await;
    kit.advance(5).await;
    kit.commit(
        &claim,
        1,
        Batch {
            run_summary: Some("run".into()),
            ..events(&["a"])
        },
    )
    .await;
    let headers = kit.store().headers(&[lane(9), lane(1)]).await.unwrap();
    assert_eq!(headers[0], None);
    let header = headers[1].clone().unwrap();
    assert_eq!(
        (header.summary.as_str(), header.version, header.ended),
        ("new", 2, false)
    );
    assert_eq!(header.updated_ms, header.created_ms + 5);
    assert_eq!(
        kit.store().run_summary(run(1)).await,
        Ok(Some("run".into()))
    );
    assert_eq!(kit.store().run_summary(run(2)).await, Ok(None));
}

async fn a_snapshot_shortens_the_load(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.commit(
        &claim,
        1,
        Batch {
            snapshot: Some("at 3".into()),
            ..events(&["a", "b"])
        },
    )
    .await;
    kit.commit(&claim, 3, events(&["c"])).await;
    let loaded = kit.load(lane(1)).await;
    assert_eq!(loaded.snapshot, Some((3, "at 3".into())));
    assert_eq!(
        (loaded.events, loaded.events_from),
        (vec!["c".to_owned()], 3)
    );
    let newer = kit.store().load(lane(1), 3).await.unwrap().unwrap();
    assert_eq!(
        (newer.snapshot, newer.events_from),
        (None, 3),
        "the reader has it already"
    );
}

async fn a_changed_document_refuses_the_commit(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let absent = Batch {
        expect: expect("freeze", 0),
        documents: vec![write("freeze", "on")],
        ..events(&["a"])
    };
    kit.commit(&claim, 1, absent.clone()).await;
    let refused = kit.try_commit(&claim, 2, absent).await;
    assert_eq!(
        refused,
        Err(CommitError::Expect {
            document: "freeze".into()
        })
    );
    kit.commit(
        &claim,
        2,
        Batch {
            expect: expect("freeze", 1),
            ..events(&["b"])
        },
    )
    .await;
    assert_eq!(kit.load(lane(1)).await.events, ["born", "a", "b"]);
}

async fn a_refused_commit_writes_nothing_of_its_batch(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.send(lane(1), 1).await;
    let batch = Batch {
        summary: Some("new".into()),
        snapshot: Some("state".into()),
        inbox_used: 1,
        expect: expect("gate", 7),
        documents: vec![write("d", "x")],
        spawn: vec![spawn(run(1), lane(2))],
        send: vec![post(lane(1), 2)],
        timers: vec![TimerChange::Set {
            name: "t".into(),
            at_ms: 0,
            body: "due".into(),
        }],
        take: Some(Take::Now(locks(&["host"]))),
        blobs: vec![Blob {
            digest: Digest::of(b"blob"),
            bytes: b"blob".to_vec(),
        }],
        ledger: vec![LedgerLine {
            body: "line".into(),
        }],
        index: vec![IndexChange::Put {
            index: "runs".into(),
            member: "m".into(),
            score: 1,
            body: String::new(),
        }],
        run_summary: Some("run".into()),
        then: Then::End,
        ..events(&["a"])
    };
    let before = kit.store().counts().await.unwrap();
    assert_eq!(
        kit.try_commit(&claim, 1, batch).await,
        Err(CommitError::Expect {
            document: "gate".into()
        })
    );
    let store = kit.store();
    assert_eq!(store.counts().await.unwrap(), before);
    let loaded = kit.load(lane(1)).await;
    assert_eq!(
        (loaded.events.len(), loaded.inbox.len(), loaded.snapshot),
        (1, 1, None)
    );
    assert_eq!(loaded.header.summary, "{}");
    assert!(store.load(lane(2), 0).await.unwrap().is_none());
    assert_eq!(store.documents(&["d".into()]).await, Ok(vec![None]));
    assert_eq!(store.blob(Digest::of(b"blob")).await, Ok(None));
    assert_eq!(store.ledger(0).await, Ok(vec![]));
    assert!(
        store
            .query("runs", false, Default::default())
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    assert!(kit.holders("host").await.is_empty());
    assert_eq!(
        store.run_summary(run(1)).await,
        Ok(Some("{\"run\":1}".into()))
    );
    assert_eq!(kit.tick().await.timers_fired, 0);
}

async fn documents_rise_and_stay_absent_after_removal(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let keys = ["d".to_owned(), "other".to_owned()];
    for (version, body) in [
        (1, Some("one")),
        (2, Some("two")),
        (3, None),
        (4, Some("four")),
    ] {
        let change = DocumentWrite {
            key: "d".into(),
            body: body.map(Into::into),
        };
        kit.commit(
            &claim,
            1,
            Batch {
                documents: vec![change],
                ..Batch::default()
            },
        )
        .await;
        let read = kit.store().documents(&keys).await.unwrap();
        let document = read[0].clone().unwrap();
        assert_eq!(
            (document.version, document.body.as_deref()),
            (version, body)
        );
        assert_eq!(read[1], None);
    }
}

async fn an_ended_lane_takes_no_commit(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.commit(
        &claim,
        1,
        Batch {
            then: Then::End,
            ..events(&["end"])
        },
    )
    .await;
    assert_eq!(
        kit.try_commit(&claim, 2, events(&["x"])).await,
        Err(CommitError::Fence)
    );
    assert_eq!(kit.send(lane(1), 1).await, crate::store::Sent::Gone);
    assert!(kit.load(lane(1)).await.header.ended);
    kit.nothing_is_ready().await;
    assert_eq!(kit.pass(2 * LEASE_MS).await.leases_expired, 0);
}
