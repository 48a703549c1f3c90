//! Facts about indexes, children, blobs and the feed.

use super::facts;
use super::kit::*;
use crate::store::{Batch, Blob, Cursor, IndexChange, READ_MAX, Seq, StoreError};
use hostler_core::id::Digest;

facts![
    an_index_is_read_in_both_directions,
    an_index_entry_moves_when_it_is_put_again,
    long_indexes_are_read_page_by_page,
    a_page_goes_on_although_its_last_entry_left,
    indexes_do_not_run_into_each_other,
    a_blob_is_written_once,
    the_feed_names_changed_lanes_in_order,
    the_feed_names_a_lane_once_at_its_newest_change,
    foreign_cursors_are_refused,
];

fn put(index: &str, member: &str, score: i64, body: &str) -> IndexChange {
    IndexChange::Put {
        index: index.into(),
        member: member.into(),
        score,
        body: body.into(),
    }
}

fn indexed(index: Vec<IndexChange>) -> Batch {
    Batch {
        index,
        ..Batch::default()
    }
}

async fn members(kit: &Kit<'_>, index: &str, newest_first: bool) -> Vec<String> {
    let page = kit
        .store()
        .query(index, newest_first, Cursor::default())
        .await
        .unwrap();
    page.entries.into_iter().map(|entry| entry.member).collect()
}

async fn an_index_is_read_in_both_directions(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let entries = [
        ("c", 5),
        ("a", -7),
        ("b", 5),
        ("d", 0),
        ("e", i64::from(u32::MAX)),
    ];
    let changes = entries
        .iter()
        .map(|(member, score)| put("runs", member, *score, "x"))
        .collect();
    kit.commit(&claim, 1, indexed(changes)).await;
    assert_eq!(members(kit, "runs", false).await, ["a", "d", "b", "c", "e"]);
    assert_eq!(members(kit, "runs", true).await, ["e", "c", "b", "d", "a"]);
    let page = kit
        .store()
        .query("runs", false, Cursor::default())
        .await
        .unwrap();
    assert_eq!(
        (
            page.entries[0].score,
            page.entries[0].body.as_str(),
            page.next
        ),
        (-7, "x", None)
    );
}

async fn an_index_entry_moves_when_it_is_put_again(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    kit.commit(
        &claim,
        1,
        indexed(vec![put("i", "a", 1, "old"), put("i", "b", 2, "b")]),
    )
    .await;
    let gone = IndexChange::Remove {
        index: "i".into(),
        member: "b".into(),
    };
    let never = IndexChange::Remove {
        index: "i".into(),
        member: "zz".into(),
    };
    kit.commit(
        &claim,
        1,
        indexed(vec![put("i", "a", 9, "new"), gone, never]),
    )
    .await;
    let page = kit
        .store()
        .query("i", false, Cursor::default())
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(
        (page.entries[0].score, page.entries[0].body.as_str()),
        (9, "new")
    );
}

async fn long_indexes_are_read_page_by_page(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let total = 2 * READ_MAX + 3;
    let all: Vec<IndexChange> = (0..total)
        .map(|n| put("i", &format!("m{n:05}"), (n / 10) as i64 - 50, ""))
        .collect();
    for chunk in all.chunks(400) {
        kit.commit(&claim, 1, indexed(chunk.to_vec())).await;
    }
    for newest_first in [false, true] {
        let (mut cursor, mut read, mut pages) = (Cursor::default(), Vec::new(), 0);
        loop {
            let page = kit.store().query("i", newest_first, cursor).await.unwrap();
            assert!(page.entries.len() <= READ_MAX);
            read.extend(page.entries.into_iter().map(|entry| entry.member));
            pages += 1;
            match page.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_eq!((read.len(), pages), (total, 3));
        assert!(if newest_first {
            read.is_sorted_by(|a, b| a > b)
        } else {
            read.is_sorted_by(|a, b| a < b)
        });
    }
}

async fn a_page_goes_on_although_its_last_entry_left(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let all: Vec<IndexChange> = (0..READ_MAX + 2)
        .map(|n| put("i", &format!("m{n:05}"), 1, ""))
        .collect();
    for chunk in all.chunks(400) {
        kit.commit(&claim, 1, indexed(chunk.to_vec())).await;
    }
    let page = kit
        .store()
        .query("i", false, Cursor::default())
        .await
        .unwrap();
    let last = page.entries.last().unwrap().member.clone();
    kit.commit(
        &claim,
        1,
        indexed(vec![IndexChange::Remove {
            index: "i".into(),
            member: last,
        }]),
    )
    .await;
    let rest = kit
        .store()
        .query("i", false, page.next.unwrap())
        .await
        .unwrap();
    let rest: Vec<_> = rest.entries.into_iter().map(|entry| entry.member).collect();
    assert_eq!(
        rest,
        [format!("m{READ_MAX:05}"), format!("m{:05}", READ_MAX + 1)]
    );
}

async fn indexes_do_not_run_into_each_other(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let changes = vec![
        put("run", "a", 1, ""),
        put("runs", "b", 1, ""),
        put("run:x", "c", 1, ""),
    ];
    kit.commit(&claim, 1, indexed(changes)).await;
    assert_eq!(members(kit, "run", false).await, ["a"]);
    assert_eq!(members(kit, "runs", true).await, ["b"]);
    assert_eq!(members(kit, "ru", false).await, [""; 0]);
}

async fn a_blob_is_written_once(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let digest = Digest::of(b"first");
    for bytes in [b"first".to_vec(), b"other".to_vec()] {
        kit.commit(
            &claim,
            1,
            Batch {
                blobs: vec![Blob { digest, bytes }],
                ..Batch::default()
            },
        )
        .await;
    }
    assert_eq!(kit.store().blob(digest).await, Ok(Some(b"first".to_vec())));
    assert_eq!(kit.store().blob(Digest::of(b"none")).await, Ok(None));
}

fn shown(list: &[&str]) -> Batch {
    Batch {
        summary: Some("shown".into()),
        ..events(list)
    }
}

async fn the_feed_names_changed_lanes_in_order(kit: &Kit<'_>) {
    let first = kit.held(1).await;
    let second = kit.held(2).await;
    let from = kit.store().counts().await.unwrap().seq;
    let a = kit
        .commit(
            &second,
            1,
            Batch {
                summary: Some("two".into()),
                ..events(&["a"])
            },
        )
        .await
        .seq;
    let b = kit.commit(&first, 1, shown(&["b"])).await.seq;
    let entries = kit.store().feed(Seq(from), 0).await.unwrap();
    let read: Vec<_> = entries
        .iter()
        .map(|e| (e.seq, e.lane, e.run, e.summary.as_str()))
        .collect();
    assert_eq!(
        read,
        [(a, lane(2), run(2), "two"), (b, lane(1), run(1), "shown")]
    );
    assert_eq!(kit.store().feed(b, 0).await, Ok(vec![]));
}

async fn the_feed_names_a_lane_once_at_its_newest_change(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let mut newest = Seq(0);
    for version in 1..=5 {
        newest = kit.commit(&claim, version, shown(&["e"])).await.seq;
    }
    // Nothing new to show: its rows follow when it pauses.
    kit.commit(&claim, 6, events(&["e"])).await;
    let entries = kit.store().feed(Seq(0), 0).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [newest]
    );
}

async fn foreign_cursors_are_refused(kit: &Kit<'_>) {
    let bad = || Cursor(Some("no cursor".into()));
    assert!(matches!(
        kit.store().query("i", false, bad()).await,
        Err(StoreError::Bounds(_))
    ));
    assert!(matches!(
        kit.store().children(lane(1), bad()).await,
        Err(StoreError::Bounds(_))
    ));
}
