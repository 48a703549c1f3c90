//! Facts about the limits of a call and about what passes through unchanged.

use super::facts;
use super::kit::*;
use crate::store::{
    Batch, Blob, CommitError, DocumentWrite, IndexChange, READ_MAX, SEND_MAX, SPAWN_MAX,
    StoreError, Take, TimerChange, bounds,
};
use hostler_core::id::Digest;

fn write(key: &str, body: &str) -> DocumentWrite {
    DocumentWrite {
        key: key.into(),
        body: Some(body.into()),
    }
}

facts![
    calls_out_of_bounds_are_refused_whole,
    an_empty_commit_keeps_the_version,
    awkward_text_is_kept_as_it_is,
    a_load_never_folds_more_than_its_limit,
];

async fn calls_out_of_bounds_are_refused_whole(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let children = (0..=SPAWN_MAX)
        .map(|n| spawn(run(1), lane(100 + n as u32)))
        .collect();
    let far = IndexChange::Put {
        index: "i".into(),
        member: "m".into(),
        score: bounds::SCORE_MAX + 1,
        body: String::new(),
    };
    let timers = (0..=bounds::LANE_TIMERS_MAX).map(|n| TimerChange::Set {
        name: n.to_string(),
        at_ms: i64::MAX,
        body: String::new(),
    });
    let batches = [
        Batch {
            spawn: children,
            ..Batch::default()
        },
        Batch {
            send: (0..=SEND_MAX).map(|n| post(lane(1), n as u64)).collect(),
            ..Batch::default()
        },
        Batch {
            events: vec!["e".into(); bounds::LIST_MAX + 1],
            ..Batch::default()
        },
        Batch {
            inbox_used: 1,
            ..Batch::default()
        },
        Batch {
            timers: timers.collect(),
            ..Batch::default()
        },
        Batch {
            documents: vec![write("", "x")],
            ..Batch::default()
        },
        Batch {
            documents: vec![write("a\0b", "x")],
            ..Batch::default()
        },
        Batch {
            documents: vec![write(&"d".repeat(bounds::NAME_MAX_BYTES + 1), "x")],
            ..Batch::default()
        },
        Batch {
            take: Some(Take::Now(slots(&["host"], 0))),
            ..Batch::default()
        },
        Batch {
            take: Some(Take::Wait(locks(&["host", "host"]))),
            ..Batch::default()
        },
        Batch {
            index: vec![far],
            ..Batch::default()
        },
        Batch {
            index: vec![IndexChange::watch("d", lane(2))],
            ..Batch::default()
        },
        Batch {
            snapshot: Some("s".repeat(bounds::BATCH_MAX_BYTES + 1)),
            ..Batch::default()
        },
    ];
    for batch in batches {
        let refused = kit.try_commit(&claim, 1, batch).await;
        assert!(
            matches!(refused, Err(CommitError::Store(StoreError::Bounds(_)))),
            "{refused:?}"
        );
    }
    let many = vec![lane(1); READ_MAX + 1];
    assert!(matches!(
        kit.store().headers(&many).await,
        Err(StoreError::Bounds(_))
    ));
    assert!(matches!(
        kit.store().renew(&[], 0).await,
        Err(StoreError::Bounds(_))
    ));
    assert_eq!(kit.commit(&claim, 1, events(&["a"])).await.version, 2);
}

async fn an_empty_commit_keeps_the_version(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    assert_eq!(kit.commit(&claim, 1, Batch::default()).await.version, 1);
    assert_eq!(kit.commit(&claim, 1, park()).await.version, 1);
    assert_eq!(kit.load(lane(1)).await.events, ["born"]);
}

async fn awkward_text_is_kept_as_it_is(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let texts = [
        "",
        " ",
        "E",
        "a\0b\r\n",
        "\"quoted\\",
        "zażółć 🐎",
        "-1",
        "{}",
    ];
    let bytes: Vec<u8> = (0..=255).collect();
    let digest = Digest::of(&bytes);
    let blobs = vec![Blob {
        digest,
        bytes: bytes.clone(),
    }];
    kit.commit(
        &claim,
        1,
        Batch {
            blobs,
            summary: Some(texts.concat()),
            ..events(&texts)
        },
    )
    .await;
    kit.commit(
        &claim,
        9,
        Batch {
            documents: vec![write("ключ \"x\"", texts[3])],
            ..Batch::default()
        },
    )
    .await;
    let loaded = kit.load(lane(1)).await;
    assert_eq!(loaded.events[1..], texts);
    assert_eq!(loaded.header.summary, texts.concat());
    assert_eq!(kit.store().blob(digest).await, Ok(Some(bytes)));
    let read = kit.store().documents(&["ключ \"x\"".into()]).await.unwrap();
    assert_eq!(read[0].clone().unwrap().body.as_deref(), Some(texts[3]));
}

async fn a_load_never_folds_more_than_its_limit(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let many: Vec<String> = (0..400).map(|number| format!("event {number}")).collect();
    let mut version = 1;
    for _ in 0..3 {
        let batch = Batch {
            events: many.clone(),
            ..Batch::default()
        };
        version = kit.commit(&claim, version, batch).await.version;
    }
    let (mut read, mut from) = (Vec::new(), 0);
    while from < version {
        let page = kit.store().load(lane(1), from).await.unwrap().unwrap();
        assert!(page.events.len() <= READ_MAX && page.events_from == from);
        from += page.events.len() as u64;
        read.extend(page.events);
    }
    assert_eq!(
        (read.len(), read[1].as_str(), read[1200].as_str()),
        (1201, "event 0", "event 399")
    );
}
