//! Who may have whom told less, and what is refused.
//!
//! Not here: ways out of messages, and what is not sent (rehearsals).

use crate::support::{World, world};
use hostler_api::problem::{Code, Problem};
use hostler_api::services::mutes::{MuteAsk, MuteView, list, say};

async fn said(world: &World, who: &str, mute: bool, reason: &str) -> Result<MuteView, Problem> {
    let ask = MuteAsk {
        customer: None,
        reason: reason.to_owned(),
    };
    say(&world.api, &world.subject(who), "chem", mute, &ask).await
}

async fn lines(world: &World) -> Vec<String> {
    let ledger = world.api.store.ledger(0).await.unwrap();
    ledger.into_iter().map(|line| line.body).collect()
}

#[tokio::test]
async fn the_person_or_an_operator_on_their_word_chooses_and_the_ledger_says_so_once() {
    let world = world();
    for who in ["vera", "carla", "nobody"] {
        let refused = said(&world, who, true, "why").await.unwrap_err();
        assert_eq!(refused.code, Code::Forbidden, "{who}");
    }
    let unsaid = said(&world, "olga", true, " ").await.unwrap_err();
    assert_eq!(unsaid.code, Code::Malformed);
    assert!(unsaid.remedy.unwrap().contains("--reason"));
    let long = said(&world, "chem", true, &"x".repeat(501)).await;
    assert_eq!(long.unwrap_err().code, Code::Malformed);
    assert_eq!(lines(&world).await, [""; 0]);

    let view = said(&world, "chem", true, "").await.unwrap();
    assert_eq!(
        (view.customer.as_str(), view.optional.len()),
        ("chemistry", 4)
    );
    let again = said(&world, "olga", true, "they called").await.unwrap();
    assert_eq!(again.muted.unwrap().by, "chem", "what was so before stays");
    assert_eq!(lines(&world).await.len(), 1);
    let view = said(&world, "olga", false, "they called").await.unwrap();
    assert_eq!(view.muted, None);
    said(&world, "chem", false, "").await.unwrap();
    let lines = lines(&world).await;
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("notices_muted") && lines[0].contains("\"by\":\"chem\""),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("notices_unmuted") && lines[1].contains("they called"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn what_a_person_is_told_is_shown_to_them_and_the_staff_and_nobody_else_is_known() {
    let world = world();
    said(&world, "chem", true, "").await.unwrap();
    for who in ["chem", "vera", "olga"] {
        let [view] = &list(&world.api, &world.subject(who), "chem").await.unwrap()[..] else {
            panic!("one customer")
        };
        assert_eq!(
            view.must_have,
            ["cancelled", "changed", "emergency", "scheduled"]
        );
        assert!(view.muted.is_some());
    }
    let refused = list(&world.api, &world.subject("nobody"), "chem").await;
    assert_eq!(refused.unwrap_err().code, Code::Forbidden);
    for stranger in ["vera", "eve"] {
        let none = list(&world.api, &world.subject("olga"), stranger).await;
        assert_eq!(none.unwrap_err().code, Code::NotFound, "{stranger}");
    }
    let ask = MuteAsk {
        customer: Some("chemistri".to_owned()),
        reason: String::new(),
    };
    let wrong = say(&world.api, &world.subject("chem"), "chem", true, &ask)
        .await
        .unwrap_err();
    assert_eq!(wrong.code, Code::NotFound);
    assert!(wrong.remedy.unwrap().contains("chemistry"));
}
