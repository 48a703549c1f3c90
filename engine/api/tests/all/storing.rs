//! The store through the services: its state, who may decide, a copy that can be restored.
//!
//! Not here: a store that has gone back; the twin in memory never does.

use crate::support::{World, world};
use hostler_api::problem::Code;
use hostler_api::services::store::{AcceptAsk, accept_regression, copy, show};
use hostler_ports::store::Store;
use hostler_ports::store::copy::restore::Restoring;
use hostler_ports::store::memory::{CountedIds, MemoryStore};
use std::sync::Arc;

fn ask(reason: &str) -> AcceptAsk {
    AcceptAsk {
        reason: reason.to_owned(),
        old_copy: false,
    }
}

async fn refused(world: &World, person: &str, reason: &str) -> Code {
    let subject = world.subject(person);
    let answer = accept_regression(&world.api, &subject, ask(reason), Some("k")).await;
    answer.unwrap_err().code
}

#[tokio::test]
async fn nothing_is_accepted_while_nothing_has_gone_back() {
    let world = world();
    assert_eq!(refused(&world, "olga", "why not").await, Code::Forbidden);
    assert_eq!(refused(&world, "ada", "  ").await, Code::Malformed);
    let code = refused(&world, "ada", "why not").await;
    assert_eq!(code, Code::NothingRegressed);
    let shown = show(&world.api, &world.subject("vera")).await.unwrap();
    assert_eq!((shown.state.generation.number, shown.decision), (0, None));
}

#[tokio::test]
async fn an_administrator_copies_a_store_that_can_be_restored() {
    let world = world();
    let run = world.started().await;
    let Err(problem) = copy(&world.api, &world.subject("olga")).await else {
        panic!("an operator is no administrator");
    };
    assert_eq!(problem.code, Code::Forbidden);
    let mut copying = copy(&world.api, &world.subject("ada")).await.unwrap();
    let mut file = Vec::new();
    while let Some(frame) = copying.frame().unwrap() {
        file.extend(frame);
    }
    let why = Restoring {
        by: "ada".into(),
        reason: "a rehearsal".into(),
    };
    let (clock, ids) = (Arc::clone(&world.clock), Arc::new(CountedIds::default()));
    let (restored, manifest) = MemoryStore::restored(&file, &why, clock, ids).unwrap();
    assert_eq!(manifest.realm, world.api.directory.realm());
    let (before, after) = (world.api.store.state().await, restored.state().await);
    let (before, after) = (before.unwrap(), after.unwrap());
    assert_eq!(after.ledger, before.ledger + 1);
    assert_eq!(after.generation.number, 1);
    let lane = restored.load(run.root(), 0).await.unwrap().unwrap();
    let mark = lane.generation.copy.unwrap();
    assert!(mark.at_ms > lane.header.created_ms, "older than the mark");
}
