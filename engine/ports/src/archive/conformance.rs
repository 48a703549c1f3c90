//! The suite that every adapter of `Archive` runs. A fact's function panics when it does not hold.
//!
//! Not here: damage below the adapter; every adapter tests that with its own means.
#![allow(
    clippy::unwrap_used,
    reason = "a case is a test: what does not hold ends it"
)]

use super::{Archive, ArchiveError, LIST_MAX, OBJECT_MAX_BYTES};
use hostler_core::id::Digest;

/// Runs every fact on an empty archive of its own; answers how many there were.
pub async fn all<A: Archive>(make: impl Fn() -> A) -> usize {
    what_was_put_is_read_back(&make()).await;
    putting_again_is_free(&make()).await;
    names_come_in_order_and_in_pages(&make()).await;
    what_is_too_large_is_refused(&make()).await;
    4
}

async fn what_was_put_is_read_back(archive: &dyn Archive) {
    for bytes in [Vec::new(), b"one".to_vec(), vec![7; 3_000_000]] {
        let digest = archive.put(&bytes).await.unwrap();
        assert_eq!(digest, Digest::of(&bytes));
        assert_eq!(archive.get(digest).await, Ok(Some(bytes)));
    }
    assert_eq!(archive.get(Digest::of(b"never put")).await, Ok(None));
}

async fn putting_again_is_free(archive: &dyn Archive) {
    let first = archive.put(b"one").await;
    assert_eq!(archive.put(b"one").await, first);
    assert_eq!(archive.list(None).await.unwrap().len(), 1);
}

async fn names_come_in_order_and_in_pages(archive: &dyn Archive) {
    let mut wanted = Vec::new();
    for number in 0..LIST_MAX + 20 {
        wanted.push(archive.put(number.to_string().as_bytes()).await.unwrap());
    }
    wanted.sort();
    let first = archive.list(None).await.unwrap();
    assert_eq!(first, wanted[..LIST_MAX]);
    let second = archive.list(first.last().copied()).await.unwrap();
    assert_eq!(second, wanted[LIST_MAX..]);
    assert_eq!(archive.list(second.last().copied()).await, Ok(vec![]));
}

async fn what_is_too_large_is_refused(archive: &dyn Archive) {
    let bytes = vec![0; OBJECT_MAX_BYTES + 1];
    let refused = archive.put(&bytes).await;
    assert_eq!(refused, Err(ArchiveError::TooLarge(bytes.len())));
    assert_eq!(archive.list(None).await, Ok(vec![]));
}
