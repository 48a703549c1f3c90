//! A code and the command for which it counted.
//!
//! Not here: codes that do not count, and the doors (the rehearsals of links).

use crate::deciding::{asked_with, signs, with, yes};
use hostler_api::services::decide::{VoteAsk, vote};
use hostler_api::services::outcome::Settled;
use hostler_api::step_up::step;
use hostler_api::{Code, read};
use hostler_core::lane::{Rules, StepUp};

/// Whoever hears no answer asks again: that is the same decision, not a second one with a used code.
#[tokio::test(start_paused = true)]
async fn the_same_decision_may_be_repeated_with_its_code_and_no_other_may_use_it() {
    let rules = Rules {
        step_up: Some(StepUp::Totp),
        ..Rules::default()
    };
    let (world, _, lane) = asked_with(with(rules)).await;
    let carla = world.subject("carla");
    let secret = {
        let mut enrolled = world.api.step_up.write().unwrap();
        enrolled.enrol(&*world.api.ids, "carla")
    };
    let now_ms = world.api.store.now_ms().await.unwrap();
    let ask = VoteAsk {
        code: Some(secret.code(step(now_ms))),
        ..yes(signs())
    };
    let text = serde_json::to_value(&ask).unwrap()["code"].clone();
    assert!(!format!("{ask:?}").contains(text.as_str().unwrap()));
    for _ in 0..2 {
        let settled = vote(&world.api, &carla, lane, ask.clone(), Some("key")).await;
        assert_eq!(settled, Ok(Settled::Accepted));
    }
    let other = vote(&world.api, &carla, lane, ask, Some("another")).await;
    assert_eq!(other.unwrap_err().code, Code::CodeUsed);
    let waiting = read::lane(&world.api, lane).await.unwrap().waiting;
    assert_eq!(waiting.len(), 1, "one letter, not two");
}
