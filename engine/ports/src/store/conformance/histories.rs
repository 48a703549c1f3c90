//! Facts about how long calls took, as every store keeps it.
//!
//! Not here: what is measured, and quantiles.

use super::facts;
use super::kit::*;
use crate::store::Store;
use crate::store::histories::{all, note, read};
use hostler_core::fit::{LASTED_MAX, history_document};
use std::collections::BTreeSet;

facts![
    what_calls_took_is_kept_by_action_and_kind_and_stays_small,
    of_those_who_measure_at_the_same_time_none_forgets_the_others,
];

async fn what_calls_took_is_kept_by_action_and_kind_and_stays_small(kit: &Kit<'_>) {
    let store = kit.store();
    assert_eq!(all(store).await, Ok(Vec::new()));
    for ms in 0..70 {
        assert_eq!(
            note(store, "guest.reboot", "ssh/virtual", ms).await,
            Ok(true)
        );
    }
    for ms in [9, u64::MAX] {
        assert_eq!(
            note(store, "guest.reboot", "ssh/physical", ms).await,
            Ok(true)
        );
    }
    let kept = all(store).await.unwrap();
    let rows: Vec<_> = kept
        .iter()
        .map(|row| (row.kind.as_str(), row.history.lasted_ms.len()))
        .collect();
    assert_eq!(rows, [("ssh/physical", 2), ("ssh/virtual", LASTED_MAX)]);
    assert_eq!(kept[0].history.lasted_ms, [9, u64::MAX]);
    assert_eq!(kept[1].history.lasted_ms, (6..70).collect::<Vec<u64>>());
    let names = ["ssh/physical", "ssh/none"].map(|kind| history_document("guest.reboot", kind));
    let (found, expects) = read(store, &BTreeSet::from(names.clone())).await.unwrap();
    assert_eq!(found[&names[0]].runs(), 2);
    assert_eq!(found[&names[1]].runs(), 0, "nothing was measured");
    let versions: Vec<bool> = expects.iter().map(|expect| expect.version == 0).collect();
    assert_eq!(versions, [true, false], "none, then physical");
}

async fn of_those_who_measure_at_the_same_time_none_forgets_the_others(kit: &Kit<'_>) {
    let writing = (0..6_u64).map(|writer| notes(kit.store(), writer));
    let noted: usize = futures::future::join_all(writing).await.into_iter().sum();
    let kept = all(kit.store()).await.unwrap();
    assert_eq!(kept.len(), 1);
    let distinct: BTreeSet<&u64> = kept[0].history.lasted_ms.iter().collect();
    assert_eq!(
        (distinct.len(), kept[0].history.lasted_ms.len()),
        (noted, noted)
    );
    assert!(noted >= 8, "{noted} of 48");
}

/// How many of eight measurements were kept.
async fn notes(store: &dyn Store, writer: u64) -> usize {
    let mut noted = 0;
    for number in 0..8 {
        let ms = writer * 100 + number;
        let kept = note(store, "guest.reboot", "ssh", ms).await.unwrap();
        noted += usize::from(kept);
    }
    noted
}
