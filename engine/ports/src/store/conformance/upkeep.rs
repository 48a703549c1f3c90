//! Facts about housekeeping: what is written without a lane, and how an ended run leaves.
//!
//! Not here: the archive itself.

use super::facts;
use super::kit::*;
use crate::store::upkeep::stray_lanes;
use crate::store::{
    Batch, Blob, Claim, CommitError, Cursor, DocumentWrite, Expect, IndexChange, LedgerLine, Own,
    RunRecord, Sent, Spawn, Started, StoreError, Then, Upkeep,
};
use hostler_core::id::{Digest, LaneId};
use std::collections::BTreeSet;

facts![
    a_run_is_archived_after_its_end_and_under_one_digest,
    nothing_is_purged_before_its_archive_is_committed,
    a_purge_is_bounded_and_leaves_a_tombstone,
    what_is_its_own_goes_only_with_an_archived_run,
    a_purged_child_is_gone_for_good,
    a_lane_that_nobody_lists_is_listed_under_its_run,
    a_change_of_housekeeping_happens_whole_or_not_at_all,
    a_change_read_from_an_older_version_is_refused,
    all_lanes_are_read_page_by_page,
    the_whole_log_is_read_also_behind_a_snapshot,
];

fn digest() -> Digest {
    Digest::of(b"archive")
}

fn archived(number: u32, digest: Digest) -> Upkeep {
    Upkeep {
        archived: vec![(run(number), digest)],
        ..Upkeep::default()
    }
}

async fn archive(kit: &Kit<'_>, number: u32) {
    let change = archived(number, digest());
    kit.store().upkeep(change).await.unwrap();
}

async fn ended(kit: &Kit<'_>, number: u32) -> LaneId {
    let claim = kit.held(number).await;
    kit.commit(&claim, 1, then(Then::End)).await;
    claim.lane
}

fn refused<T>(answer: Result<T, CommitError>) -> bool {
    matches!(answer, Err(CommitError::Store(StoreError::Bounds(_))))
}

async fn a_run_is_archived_after_its_end_and_under_one_digest(kit: &Kit<'_>) {
    let store = kit.store();
    let claim = kit.held(1).await;
    assert!(
        refused(store.upkeep(archived(1, digest())).await),
        "it lives"
    );
    assert!(
        refused(store.upkeep(archived(9, digest())).await),
        "unknown"
    );
    kit.commit(&claim, 1, then(Then::End)).await;
    let found = |archive| RunRecord {
        body: start(1).body,
        root: lane(1),
        summary: "{\"run\":1}".into(),
        archive,
    };
    assert_eq!(store.run_record(run(1)).await, Ok(Some(found(None))));
    archive(kit, 1).await;
    archive(kit, 1).await;
    assert_eq!(
        store.run_record(run(1)).await,
        Ok(Some(found(Some(digest()))))
    );
    let other = archived(1, Digest::of(b"other"));
    assert!(refused(store.upkeep(other).await), "another digest");
    assert_eq!(store.run_record(run(9)).await, Ok(None));
}

async fn nothing_is_purged_before_its_archive_is_committed(kit: &Kit<'_>) {
    let purge = |number, digest| kit.store().purge(lane(number), digest, 10);
    let bounds = |answer| matches!(answer, Err(StoreError::Bounds(_)));
    kit.parked(1).await;
    assert!(bounds(purge(1, digest()).await), "it lives");
    let id = ended(kit, 2).await;
    assert!(bounds(purge(2, digest()).await), "no archive has it");
    archive(kit, 2).await;
    assert!(bounds(purge(2, Digest::of(b"other")).await), "another one");
    assert_eq!(kit.load(lane(1)).await.events, ["born"]);
    assert_eq!(kit.load(id).await.events, ["born"]);
    assert_eq!(purge(9, digest()).await, Ok(true), "nothing is there");
}

async fn a_purge_is_bounded_and_leaves_a_tombstone(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    for number in 0..20 {
        kit.send(lane(1), number).await;
    }
    let many = Batch {
        events: vec!["e".into(); 50],
        snapshot: Some("s".into()),
        ..Batch::default()
    };
    kit.commit(&claim, 1, many).await;
    let last = Batch {
        inbox_used: 5,
        then: Then::End,
        ..Batch::default()
    };
    kit.commit(&claim, 51, last).await;
    archive(kit, 1).await;
    let mut calls = 1;
    while !kit.store().purge(lane(1), digest(), 10).await.unwrap() {
        calls += 1;
        assert!(calls < 50, "a purge ends");
    }
    // 51 events, 15 letters, 20 ids of commands.
    assert!(calls > 8, "{calls} calls deleted more than 10 entries each");
    assert!(kit.store().load(lane(1), 0).await.unwrap().is_none());
    assert_eq!(kit.store().purge(lane(1), digest(), 10).await, Ok(true));
    let summary = kit.store().run_summary(run(1)).await;
    assert_eq!(summary, Ok(Some("{\"run\":1}".into())));
    let late = kit.store().start(start(1)).await;
    assert_eq!(late, Ok(Started::Same), "a late duplicate starts nothing");
    let other = crate::store::Start {
        body: Digest::of(b"something else"),
        ..start(1)
    };
    let late = kit.store().start(other).await;
    assert_eq!(late, Err(crate::store::StartError::Conflict));
    assert_eq!(kit.send(lane(1), 99).await, Sent::Gone);
    let headers = kit.store().headers(&[lane(1)]).await.unwrap();
    let header = headers[0].clone().unwrap();
    assert_eq!((header.ended, header.version), (true, 51));
    assert_eq!(kit.store().feed(Default::default(), 0).await, Ok(vec![]));
}

async fn what_is_its_own_goes_only_with_an_archived_run(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let blobs = ["one", "two", "three"].map(|text| Blob {
        digest: Digest::of(text.as_bytes()),
        bytes: text.into(),
    });
    let [one, two, three] = blobs.clone().map(|blob| blob.digest);
    let written = |key: &str| DocumentWrite {
        key: key.to_owned(),
        body: Some("told".to_owned()),
    };
    let batch = Batch {
        blobs: blobs.into(),
        documents: vec![written("own"), written("another's")],
        ..then(Then::End)
    };
    kit.commit(&claim, 1, batch).await;
    let own = Own {
        blobs: vec![one, two, Digest::of(b"nothing")],
        documents: vec!["own".to_owned(), "nothing".to_owned()],
    };
    let drop = |archive| kit.store().drop_own(run(1), archive, &own);
    assert!(drop(digest()).await.is_err(), "no archive has it");
    archive(kit, 1).await;
    assert!(drop(Digest::of(b"other")).await.is_err(), "another one");
    assert!(kit.store().blob(one).await.unwrap().is_some());
    for time in ["first", "again"] {
        assert_eq!(drop(digest()).await, Ok(()), "{time}");
    }
    for (blob, left) in [(one, None), (two, None), (three, Some(b"three".to_vec()))] {
        assert_eq!(kit.store().blob(blob).await, Ok(left));
    }
    let names = ["own", "another's"].map(str::to_owned);
    let found = kit.store().documents(&names).await.unwrap();
    let versions = found
        .iter()
        .map(|found| found.as_ref().map(|found| found.version));
    assert_eq!(versions.collect::<Vec<_>>(), [None, Some(1)]);
}

fn child_of(parent: LaneId, key: &str) -> Spawn {
    Spawn {
        parent: Some(parent),
        key: Some(key.into()),
        ..spawn(run(1), parent.child("patch", 0, key))
    }
}

async fn spawned(kit: &Kit<'_>, parent: &Claim, spawn: Vec<Spawn>) {
    let batch = Batch {
        spawn,
        ..Batch::default()
    };
    kit.commit(parent, 1, batch).await;
}

async fn a_purged_child_is_gone_for_good(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let new = child_of(lane(1), "a");
    let child = new.lane;
    spawned(kit, &parent, vec![new]).await;
    let claim = kit.claim_only(child).await;
    kit.commit(&claim, 1, then(Then::End)).await;
    kit.commit(&parent, 1, then(Then::End)).await;
    archive(kit, 1).await;
    assert_eq!(kit.store().purge(child, digest(), 500).await, Ok(true));
    assert_eq!(kit.store().headers(&[child]).await, Ok(vec![None]));
    assert_eq!(kit.send(child, 1).await, Sent::Gone);
    let children = kit.store().children(lane(1), Default::default()).await;
    assert_eq!(children.unwrap().entries.len(), 1);
    assert_eq!(kit.store().purge(lane(1), digest(), 500).await, Ok(true));
    let children = kit.store().children(lane(1), Default::default()).await;
    assert_eq!(children.unwrap().entries, []);
}

async fn strays(kit: &Kit<'_>) -> Vec<String> {
    let index = stray_lanes(run(1));
    let page = kit.store().query(&index, false, Cursor::default()).await;
    let entries = page.unwrap().entries;
    entries.into_iter().map(|entry| entry.member).collect()
}

async fn a_lane_that_nobody_lists_is_listed_under_its_run(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let lease = spawn(run(1), lane(1).child("hold:lease", 0, "lease"));
    let id = lease.lane;
    spawned(kit, &parent, vec![child_of(lane(1), "a"), lease]).await;
    assert_eq!(strays(kit).await, [id.to_string()]);
    for claim in kit.claim(2).await {
        kit.commit(&claim, 1, then(Then::End)).await;
    }
    kit.commit(&parent, 1, then(Then::End)).await;
    assert_eq!(
        strays(kit).await,
        [id.to_string()],
        "an end changes nothing"
    );
    archive(kit, 1).await;
    assert_eq!(kit.store().purge(id, digest(), 500).await, Ok(true));
    assert_eq!(strays(kit).await, Vec::<String>::new());
}

async fn a_change_of_housekeeping_happens_whole_or_not_at_all(kit: &Kit<'_>) {
    let store = kit.store();
    kit.parked(1).await;
    let put = |body: &str| IndexChange::Put {
        index: "runs".into(),
        member: "1".into(),
        score: 4,
        body: body.into(),
    };
    let change = |version, body: &str| Upkeep {
        expect: vec![Expect {
            document: "place".into(),
            version,
        }],
        documents: vec![DocumentWrite {
            key: "place".into(),
            body: Some(body.into()),
        }],
        summaries: vec![(lane(1), body.into()), (lane(9), body.into())],
        runs: vec![(run(1), body.into()), (run(9), body.into())],
        index: vec![put(body)],
        ledger: vec![LedgerLine { body: body.into() }],
        ..Upkeep::default()
    };
    store.upkeep(change(0, "one")).await.unwrap();
    let stale = store.upkeep(change(0, "two")).await;
    let document = "place".to_owned();
    assert_eq!(stale, Err(CommitError::Expect { document }));
    assert_eq!(kit.load(lane(1)).await.header.summary, "one");
    assert_eq!(store.run_summary(run(1)).await, Ok(Some("one".into())));
    assert_eq!(store.run_summary(run(9)).await, Ok(None));
    assert_eq!(store.headers(&[lane(9)]).await, Ok(vec![None]));
    let found = store.query("runs", true, Cursor::default()).await.unwrap();
    assert_eq!(found.entries[0].body, "one");
    let ledger = store.ledger(0).await.unwrap();
    assert_eq!((ledger.len(), ledger[0].lane), (1, None));
    let watch = Upkeep {
        index: vec![IndexChange::watch("place", lane(1))],
        ..Upkeep::default()
    };
    assert!(refused(store.upkeep(watch).await), "a watch is a lane's");
}

async fn a_change_read_from_an_older_version_is_refused(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let change = || Upkeep {
        lanes: vec![(lane(1), 1)],
        summaries: vec![(lane(1), "old".into())],
        ..Upkeep::default()
    };
    kit.store().upkeep(change()).await.unwrap();
    kit.commit(&claim, 1, events(&["a"])).await;
    let late = kit.store().upkeep(change()).await;
    assert_eq!(late, Err(CommitError::Version { actual: 2 }));
}

async fn all_lanes_are_read_page_by_page(kit: &Kit<'_>) {
    const COUNT: u32 = 1_200;
    for number in 1..=COUNT {
        kit.start(number).await;
    }
    let mut found = BTreeSet::new();
    let mut cursor = Cursor::default();
    for pages in 0.. {
        assert!(pages < 500, "the reading ends");
        let page = kit.store().lanes(cursor).await.unwrap();
        assert!(page.entries.len() < COUNT as usize, "it is bounded");
        found.extend(page.entries.iter().map(|header| (header.lane, header.run)));
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    let wanted: BTreeSet<_> = (1..=COUNT).map(|n| (lane(n), run(n))).collect();
    assert_eq!(found, wanted);
}

async fn the_whole_log_is_read_also_behind_a_snapshot(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let numbers: Vec<String> = (2..=700).map(|number| format!("e{number}")).collect();
    let (first, second) = numbers.split_at(400);
    for (version, events) in [(1, first), (401, second)] {
        let batch = Batch {
            events: events.to_vec(),
            snapshot: Some("s".into()),
            ..Batch::default()
        };
        kit.commit(&claim, version, batch).await;
    }
    assert_eq!(kit.load(lane(1)).await.events, Vec::<String>::new());
    let mut log = Vec::new();
    for loads in 0.. {
        assert!(loads < 5, "the reading ends");
        let more = kit.store().log(lane(1), log.len() as u64).await.unwrap();
        assert!(more.len() <= crate::store::READ_MAX);
        if more.is_empty() {
            break;
        }
        log.extend(more);
    }
    let wanted: Vec<String> = ["born".to_owned()].into_iter().chain(numbers).collect();
    assert_eq!(log, wanted);
    assert_eq!(kit.store().log(lane(9), 0).await, Ok(vec![]));
}
