//! A server that has gone back: found by one process, told to all, decided once.

use crate::conformance::at_noon;
use crate::server::Server;
use hostler_ports::store::conformance::Kit;
use hostler_ports::store::generation::{Begun, NewGeneration, Regression};
use hostler_ports::store::{Batch, CommitError, Confirmed, LedgerLine, Seq, Store, StoreError};

#[tokio::test]
async fn a_store_that_has_gone_back_stops_until_it_is_accepted() {
    let server = Server::start(&[]).await;
    let subject = at_noon(&server, "main").await;
    let kit = Kit::new(&subject);
    let claim = kit.held(1).await;
    for version in 1..5 {
        kit.commit(
            &claim,
            version,
            Batch {
                events: vec!["e".into()],
                ..Batch::default()
            },
        )
        .await;
    }
    server.tell("HSET h:{main}.meta seq 2").await;
    let batch = || Batch {
        events: vec!["late".into()],
        ..Batch::default()
    };
    let regressed = Err(CommitError::Store(StoreError::Regressed {
        seen: 5,
        found: 3,
    }));
    assert_eq!(kit.try_commit(&claim, 5, batch()).await, regressed);
    assert_eq!(
        kit.try_commit(&claim, 6, batch()).await,
        regressed,
        "until somebody accepts it"
    );
    subject.store.begin_generation(decision(0)).await.unwrap();
    let done = kit.commit(&claim, 6, batch()).await;
    assert!(done.seq.0 > 5, "behind all that anybody has seen");
    assert_eq!(
        subject.store.confirm(done.seq).await,
        Ok(Confirmed::Durable)
    );
    let lost = Seq(5);
    assert_eq!(subject.store.confirm(lost).await, Ok(Confirmed::Unknown));
}

fn decision(from: u64) -> NewGeneration {
    NewGeneration {
        from,
        copy_taken_ms: None,
        decision: "{}".into(),
        ledger: LedgerLine { body: "{}".into() },
    }
}

fn is_regressed<T>(answer: Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Regressed { .. }))
}

#[tokio::test]
async fn a_loss_that_one_process_finds_stops_all_and_one_decision_frees_all() {
    let server = Server::start(&[]).await;
    let (one, two) = (
        at_noon(&server, "main").await,
        at_noon(&server, "main").await,
    );
    let kit = Kit::new(&one);
    let claim = kit.held(1).await;
    for version in 1..=5 {
        kit.commit(
            &claim,
            version,
            Batch {
                events: vec!["e".into()],
                ..Batch::default()
            },
        )
        .await;
    }
    assert!(two.store.counts().await.is_ok());
    server.tell("HSET h:{main}.meta seq 2").await;
    let found = kit.try_commit(&claim, 6, Batch::default()).await;
    assert!(matches!(
        found,
        Err(CommitError::Store(StoreError::Regressed { .. }))
    ));
    assert!(
        is_regressed(one.store.counts().await),
        "said again, and declared"
    );
    two.store.tick(1, 1_000).await.unwrap();
    assert!(
        is_regressed(two.store.now_ms().await),
        "a tick tells the others"
    );
    let three = at_noon(&server, "main").await;
    assert!(
        is_regressed(three.store.counts().await),
        "a new process knows"
    );
    let state = three.store.state().await.unwrap();
    assert_eq!(state.regressed, Some(Regression { seen: 6, found: 3 }));
    let begun = three.store.begin_generation(decision(0)).await.unwrap();
    assert!(matches!(begun, Begun::New(generation) if generation.number == 1));
    for subject in [&one, &two, &three] {
        assert!(subject.store.counts().await.is_ok(), "nobody was restarted");
        let state = subject.store.state().await.unwrap();
        assert_eq!((state.generation.number, state.regressed), (1, None));
    }
    let done = kit.commit(&claim, 6, Batch::default()).await;
    assert!(done.seq.0 > 6);
    let again = two.store.begin_generation(decision(0)).await.unwrap();
    assert!(matches!(again, Begun::Other(generation) if generation.number == 1));
}
