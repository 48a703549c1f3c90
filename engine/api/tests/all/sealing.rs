//! Entries that have left the store for the sealed ledger: nobody sees fewer of them.
//!
//! Not here: how they are sealed, and how the folder is read.

use crate::support::{World, world};
use hostler_api::ledger::page;
use hostler_api::services::evidence::gather;
use hostler_api::{Api, Code};
use hostler_ports::sealed::{MemorySealed, SealedError, SealedLedger};
use hostler_ports::store::{LedgerEntry, LedgerLine, Upkeep};
use std::sync::Arc;

async fn tell(world: &World, count: usize) {
    let line = |number| LedgerLine {
        body: format!("{{\"number\":{number}}}"),
    };
    let change = Upkeep {
        ledger: (0..count).map(line).collect(),
        ..Upkeep::default()
    };
    world.api.store.upkeep(change).await.unwrap();
}

/// Seals what is below a number, and takes it out of the store.
async fn sealed_below(world: &mut World, below: u64) {
    let store = &world.api.store;
    let sealed = MemorySealed::default();
    let mut next = 0;
    while next < below {
        let page = page(&world.api, next).await.unwrap();
        next = page.last().unwrap().number + 1;
        sealed.seal(page);
    }
    while !store.trim_ledger(below, 1_000).await.unwrap() {}
    world.api.sealed = Some(Arc::new(sealed));
}

async fn all(api: &Api) -> Vec<LedgerEntry> {
    let mut entries: Vec<LedgerEntry> = Vec::new();
    loop {
        let found = page(api, entries.len() as u64).await.unwrap();
        if found.is_empty() {
            return entries;
        }
        entries.extend(found);
    }
}

#[tokio::test]
async fn the_evidence_of_an_old_run_is_complete_after_its_entries_left_the_store() {
    let mut world = world();
    for _ in 0..2 {
        tell(&world, 500).await;
        world.clock.advance(10 * 3_600_000);
    }
    let run = world.started().await;
    tell(&world, 500).await;
    let olga = world.subject("olga");
    let before = gather(&world.api, &olga, run).await.unwrap();
    assert_eq!(before.ledger[0].body["event"], "run_started");
    let entries = all(&world.api).await;
    // The border lies behind its entries, among them, and at the newest of all.
    for below in [700, 1_001, entries.len() as u64] {
        sealed_below(&mut world, below).await;
        assert_eq!(
            world
                .api
                .store
                .ledger(0)
                .await
                .unwrap()
                .first()
                .map(|one| one.number),
            (below < 1_501).then_some(below)
        );
        assert_eq!(gather(&world.api, &olga, run).await.unwrap(), before);
        assert_eq!(all(&world.api).await, entries);
    }
}

#[tokio::test]
async fn an_engine_without_the_sealed_ledger_says_where_it_lies_and_shows_nothing_less() {
    let mut world = world();
    tell(&world, 10).await;
    let run = world.started().await;
    sealed_below(&mut world, 11).await;
    tell(&world, 1).await;
    let olga = world.subject("olga");
    for sealed in [
        None,
        Some(Arc::new(MemorySealed::default()) as Arc<dyn SealedLedger>),
    ] {
        world.api.sealed = sealed;
        let problem = page(&world.api, 3).await.unwrap_err();
        assert_eq!(problem.code, Code::StoreUnavailable);
        assert!(
            problem
                .detail
                .starts_with("entry 3 of the ledger is sealed"),
            "{problem}"
        );
        assert!(problem.to_string().contains("ledger.folder"), "{problem}");
        let problem = gather(&world.api, &olga, run).await.unwrap_err();
        assert_eq!(problem.code, Code::StoreUnavailable, "{problem}");
        // What is in the store is told as ever.
        assert_eq!(page(&world.api, 11).await.unwrap().len(), 1);
        assert_eq!(page(&world.api, 12).await.unwrap(), []);
    }
}

struct Broken(SealedError);

#[async_trait::async_trait]
impl SealedLedger for Broken {
    async fn entries(&self, _: u64) -> Result<Vec<LedgerEntry>, SealedError> {
        Err(self.0.clone())
    }
}

#[tokio::test]
async fn a_sealed_ledger_that_is_damaged_or_away_is_an_error_of_its_own() {
    let mut world = world();
    tell(&world, 10).await;
    sealed_below(&mut world, 5).await;
    let why = || "as planned".to_owned();
    for (fault, code) in [
        (SealedError::Damaged(why()), Code::Internal),
        (SealedError::Unavailable(why()), Code::StoreUnavailable),
    ] {
        world.api.sealed = Some(Arc::new(Broken(fault)));
        let problem = page(&world.api, 0).await.unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.detail.contains("as planned"), "{problem}");
    }
}
