//! Freezes through the services: who may declare one, and what is refused.
//!
//! Not here: the steps that they hold.

use crate::support::{World, world};
use hostler_api::problem::{Code, Problem};
use hostler_api::services::freezes::{DeclareAsk, LiftAsk, declare, lift, list};
use hostler_core::gate::DeclaredFreeze;

const HOUR: i64 = 3_600_000;

async fn ask(world: &World) -> DeclareAsk {
    DeclareAsk {
        id: "finals".into(),
        from_ms: None,
        to_ms: world.api.store.now_ms().await.unwrap() + HOUR,
        applies: "id=web*".into(),
        lets_through: vec!["emergency".into()],
        reason: "exams".into(),
    }
}

async fn declared(world: &World, person: &str, ask: DeclareAsk) -> Result<DeclaredFreeze, Problem> {
    declare(&world.api, &world.subject(person), ask).await
}

#[tokio::test]
async fn an_operator_declares_a_freeze_and_lifts_it_and_the_ledger_says_so() {
    let world = world();
    let asked = ask(&world).await;
    let denied = declared(&world, "vera", asked.clone()).await;
    assert_eq!(denied.unwrap_err().code, Code::Forbidden);
    let freeze = declared(&world, "olga", asked.clone()).await.unwrap();
    assert_eq!((freeze.by.as_str(), freeze.to_ms), ("olga", asked.to_ms));
    let again = declared(&world, "olga", asked).await;
    assert_eq!(again.unwrap_err().code, Code::Conflict);
    let shown = list(&world.api, &world.subject("vera")).await.unwrap();
    assert_eq!(shown, [freeze]);

    let why = |reason: &str| LiftAsk {
        reason: reason.into(),
    };
    let (olga, api) = (world.subject("olga"), &world.api);
    assert_eq!(
        lift(api, &olga, "final", why("over"))
            .await
            .unwrap_err()
            .code,
        Code::NotFound
    );
    assert_eq!(
        lift(api, &olga, "finals", why(" ")).await.unwrap_err().code,
        Code::Malformed
    );
    lift(api, &olga, "finals", why("over")).await.unwrap();
    assert_eq!(list(api, &olga).await.unwrap(), []);
    let ledger = api.store.ledger(0).await.unwrap();
    let told: Vec<_> = ledger.iter().map(|line| &line.body).collect();
    assert!(told.len() == 2 && told[0].contains("freeze_declared") && told[1].contains("over"));
}

#[tokio::test]
async fn what_is_no_freeze_is_refused_with_the_reason() {
    let world = world();
    let good = ask(&world).await;
    let cases: [(DeclareAsk, &str); 5] = [
        (
            DeclareAsk {
                to_ms: 5,
                ..good.clone()
            },
            "ends after it begins",
        ),
        (
            DeclareAsk {
                id: "Not a name".into(),
                ..good.clone()
            },
            "no name",
        ),
        (
            DeclareAsk {
                applies: "colour=red".into(),
                ..good.clone()
            },
            "applies",
        ),
        (
            DeclareAsk {
                reason: String::new(),
                ..good.clone()
            },
            "reason",
        ),
        (
            DeclareAsk {
                to_ms: good.to_ms + 9_000 * HOUR,
                ..good
            },
            "within a year",
        ),
    ];
    for (wrong, why) in cases {
        let problem = declared(&world, "olga", wrong).await.unwrap_err();
        assert_eq!(problem.code, Code::Malformed);
        assert!(problem.detail.contains(why), "{problem}");
    }
}

#[tokio::test]
async fn a_freeze_that_is_over_is_not_listed_and_makes_room_for_its_name() {
    let world = world();
    let asked = ask(&world).await;
    declared(&world, "olga", asked.clone()).await.unwrap();
    world.clock.advance(HOUR);
    assert_eq!(list(&world.api, &world.subject("olga")).await.unwrap(), []);
    declared(&world, "olga", ask(&world).await).await.unwrap();
}
