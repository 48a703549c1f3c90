//! Facts about generations: a decision is written once, and everybody who reads a lane hears of it.
//!
//! Not here: how an adapter finds that it has gone back.

use super::facts;
use super::kit::*;
use crate::store::LedgerLine;
use crate::store::generation::{Begun, CopyMark, DECISION, Generation, NewGeneration};

facts![
    a_store_begins_in_generation_zero_and_tells_its_state,
    a_decision_begins_one_generation_and_is_written_down,
    a_decision_upon_an_older_generation_writes_nothing,
    a_copy_leaves_a_mark_that_is_younger_than_every_lane_in_it,
    lanes_that_are_held_go_on_in_a_new_generation,
];

fn decided(from: u64) -> NewGeneration {
    NewGeneration {
        from,
        copy_taken_ms: None,
        decision: format!("{{\"from\":{from}}}"),
        ledger: LedgerLine {
            body: format!("after {from}"),
        },
    }
}

async fn begin(kit: &Kit<'_>, new: NewGeneration) -> Begun {
    kit.store().begin_generation(new).await.unwrap()
}

fn number(number: u64) -> Generation {
    Generation { number, copy: None }
}

async fn a_store_begins_in_generation_zero_and_tells_its_state(kit: &Kit<'_>) {
    let state = kit.store().state().await.unwrap();
    assert_eq!((state.generation, state.regressed), (number(0), None));
    assert!(!state.kind.is_empty());
    kit.held(1).await;
    let (state, counts) = (kit.store().state().await, kit.store().counts().await);
    let (state, counts) = (state.unwrap(), counts.unwrap());
    assert_eq!((state.seq, state.ledger), (counts.seq, counts.ledger));
    assert_eq!(state.now_ms, kit.store().now_ms().await.unwrap());
    assert_eq!(kit.load(lane(1)).await.generation, number(0));
}

async fn a_decision_begins_one_generation_and_is_written_down(kit: &Kit<'_>) {
    kit.start(1).await;
    let before = kit.store().state().await.unwrap();
    assert_eq!(begin(kit, decided(0)).await, Begun::New(number(1)));
    let state = kit.store().state().await.unwrap();
    assert_eq!(state.generation, number(1));
    assert!(state.seq > before.seq && state.ledger == before.ledger + 1);
    assert_eq!(kit.load(lane(1)).await.generation, number(1));
    let found = kit.store().documents(&[DECISION.to_owned()]).await.unwrap();
    let document = found[0].clone().unwrap();
    assert_eq!(
        (document.version, document.body),
        (1, Some("{\"from\":0}".into()))
    );
    let ledger = kit.store().ledger(before.ledger).await.unwrap();
    assert_eq!((ledger[0].lane, ledger[0].body.as_str()), (None, "after 0"));
}

async fn a_decision_upon_an_older_generation_writes_nothing(kit: &Kit<'_>) {
    begin(kit, decided(0)).await;
    let before = kit.store().state().await.unwrap();
    for from in [0, 2] {
        assert_eq!(begin(kit, decided(from)).await, Begun::Other(number(1)));
    }
    assert_eq!(kit.store().state().await.unwrap(), before);
    assert_eq!(begin(kit, decided(1)).await, Begun::New(number(2)));
}

async fn a_copy_leaves_a_mark_that_is_younger_than_every_lane_in_it(kit: &Kit<'_>) {
    kit.start(1).await;
    let now_ms = kit.store().now_ms().await.unwrap();
    for (from, taken_ms) in [(0, now_ms - 500), (1, now_ms + 500)] {
        let new = NewGeneration {
            copy_taken_ms: Some(taken_ms),
            ..decided(from)
        };
        begin(kit, new).await;
        let at_ms = now_ms.max(taken_ms + 1);
        let copy = Some(CopyMark { taken_ms, at_ms });
        let number = from + 1;
        let loaded = kit.load(lane(1)).await;
        assert_eq!(loaded.generation, Generation { number, copy });
    }
    begin(kit, decided(2)).await;
    let kept = kit.load(lane(1)).await.generation;
    assert!(kept.number == 3 && kept.copy.is_some(), "the mark stays");
}

async fn lanes_that_are_held_go_on_in_a_new_generation(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    begin(kit, decided(0)).await;
    assert!(kit.renew(&claim).await);
    assert_eq!(kit.commit(&claim, 1, events(&["on"])).await.version, 2);
}
