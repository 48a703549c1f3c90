//! How long calls took, as staff see it.
//!
//! Not here: measuring.

use crate::support::world;
use hostler_api::services::durations::{DurationRow, by_document, list};
use hostler_core::fit::history_document;
use hostler_ports::store::histories::note;

#[tokio::test]
async fn staff_see_how_long_calls_took_and_customers_do_not() {
    let world = world();
    for ms in 1..=20 {
        let kept = note(&*world.api.store, "guest.reboot", "ssh/virtual", ms * 1_000).await;
        assert_eq!(kept, Ok(true));
    }
    let rows = list(&world.api, &world.subject("olga")).await.unwrap();
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(
        (row.action.as_str(), row.kind.as_str()),
        ("guest.reboot", "ssh/virtual")
    );
    assert_eq!(
        (row.runs, row.p50_ms, row.p95_ms, row.max_ms),
        (20, 10_000, 19_000, 20_000)
    );
    let text = serde_json::to_string(&rows).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<DurationRow>>(&text).ok(),
        Some(rows.clone())
    );
    let named = by_document(rows);
    assert_eq!(
        named[&history_document("guest.reboot", "ssh/virtual")].runs(),
        20
    );
    assert!(list(&world.api, &world.subject("chem")).await.is_err());
}
