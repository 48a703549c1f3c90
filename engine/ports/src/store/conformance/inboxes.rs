//! Facts about commands, their order and their stamps.

use super::facts;
use super::kit::*;
use crate::store::{Batch, CommitError, LedgerLine, READ_MAX, Sent, Then};

facts![
    a_command_is_accepted_once,
    a_command_for_nobody_is_gone,
    a_letter_bears_the_instant_of_its_arrival,
    used_letters_leave_with_the_commit,
    a_refused_commit_leaves_the_inbox,
    nothing_begins_over_an_unread_letter,
    a_command_of_another_lane_arrives_once,
    a_command_for_itself_makes_the_lane_dirty,
    a_load_returns_a_bounded_inbox,
    a_known_command_stays_known_after_it_was_read,
    commands_of_a_commit_for_the_ended_are_dropped,
];

async fn a_command_is_accepted_once(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    assert_eq!(kit.send(lane, 1).await, Sent::Accepted);
    assert_eq!(kit.send(lane, 1).await, Sent::Known);
    assert_eq!(kit.send(lane, 2).await, Sent::Accepted);
    let letters = kit.load(lane).await.inbox;
    assert_eq!(
        letters.iter().map(|letter| letter.id).collect::<Vec<_>>(),
        [command(1), command(2)]
    );
}

async fn a_command_for_nobody_is_gone(kit: &Kit<'_>) {
    assert_eq!(kit.send(lane(1), 1).await, Sent::Gone);
    kit.nothing_is_ready().await;
}

async fn a_letter_bears_the_instant_of_its_arrival(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    let now_ms = kit.store().now_ms().await.unwrap();
    kit.send(lane, 1).await;
    kit.advance(700).await;
    kit.send(lane, 2).await;
    kit.advance(700).await;
    let loaded = kit.load(lane).await;
    assert_eq!(
        loaded.inbox.iter().map(|l| l.at_ms).collect::<Vec<_>>(),
        [now_ms, now_ms + 700]
    );
    assert_eq!(loaded.now_ms, now_ms + 1_400);
}

async fn used_letters_leave_with_the_commit(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    for number in 1..=3 {
        kit.send(lane, number).await;
    }
    let claim = kit.claim_only(lane).await;
    kit.commit(
        &claim,
        1,
        Batch {
            inbox_used: 2,
            ..events(&["drained"])
        },
    )
    .await;
    assert_eq!(kit.letters(lane).await, ["command 3"]);
    assert!(
        kit.commit(&claim, 2, park()).await.dirty,
        "one letter is unread"
    );
    let claim = kit.claim_only(lane).await;
    assert!(
        !kit.commit(
            &claim,
            2,
            Batch {
                inbox_used: 1,
                then: Then::Park,
                ..Batch::default()
            }
        )
        .await
        .dirty
    );
    kit.nothing_is_ready().await;
}

async fn a_refused_commit_leaves_the_inbox(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    kit.send(lane, 1).await;
    let claim = kit.claim_only(lane).await;
    assert!(
        kit.try_commit(
            &claim,
            7,
            Batch {
                inbox_used: 1,
                ..Batch::default()
            }
        )
        .await
        .is_err()
    );
    assert_eq!(kit.letters(lane).await, ["command 1"]);
}

async fn nothing_begins_over_an_unread_letter(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let begin = |used: usize, known: usize| Batch {
        inbox_used: used,
        letters_known: Some(known),
        ..events(&["begun"])
    };
    kit.commit(&claim, 1, begin(0, 0)).await;
    kit.send(claim.lane, 1).await;
    let unread = kit.try_commit(&claim, 2, begin(0, 0)).await;
    assert_eq!(unread, Err(CommitError::Unread));
    let told = Batch {
        ledger: vec![LedgerLine {
            body: "{}".to_owned(),
        }],
        ..begin(0, 0)
    };
    let unread = kit.try_commit(&claim, 2, told).await;
    assert_eq!(unread, Err(CommitError::Unread));
    assert_eq!(kit.load(claim.lane).await.header.version, 2);
    // Read and left for later, then read and used.
    kit.commit(&claim, 2, begin(0, 1)).await;
    kit.send(claim.lane, 2).await;
    kit.commit(&claim, 3, begin(2, 2)).await;
    kit.commit(&claim, 4, begin(0, 0)).await;
}

async fn a_command_of_another_lane_arrives_once(kit: &Kit<'_>) {
    let waiting = kit.parked(1).await;
    let other = kit.held(2).await;
    for _ in 0..2 {
        kit.commit(
            &other,
            1,
            Batch {
                send: vec![post(waiting, 5)],
                ..Batch::default()
            },
        )
        .await;
    }
    assert_eq!(kit.letters(waiting).await, ["command 5"]);
    kit.claim_only(waiting).await;
}

async fn a_command_for_itself_makes_the_lane_dirty(kit: &Kit<'_>) {
    let claim = kit.held(1).await;
    let batch = Batch {
        send: vec![post(claim.lane, 1)],
        then: Then::Park,
        ..Batch::default()
    };
    assert!(kit.commit(&claim, 1, batch).await.dirty);
    kit.claim_only(claim.lane).await;
}

async fn a_load_returns_a_bounded_inbox(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    let other = kit.held(2).await;
    for page in 0..3 {
        let send = (0..200)
            .map(|number| post(lane, page * 200 + number))
            .collect();
        kit.commit(
            &other,
            1,
            Batch {
                send,
                ..Batch::default()
            },
        )
        .await;
    }
    let claim = kit.claim_only(lane).await;
    assert_eq!(kit.letters(lane).await.len(), READ_MAX);
    kit.commit(
        &claim,
        1,
        Batch {
            inbox_used: READ_MAX,
            ..Batch::default()
        },
    )
    .await;
    let rest = kit.letters(lane).await;
    assert_eq!((rest.len(), rest[0].as_str()), (100, "command 500"));
}

async fn a_known_command_stays_known_after_it_was_read(kit: &Kit<'_>) {
    let lane = kit.parked(1).await;
    kit.send(lane, 1).await;
    let claim = kit.claim_only(lane).await;
    kit.commit(
        &claim,
        1,
        Batch {
            inbox_used: 1,
            then: Then::Park,
            ..Batch::default()
        },
    )
    .await;
    assert_eq!(kit.send(lane, 1).await, Sent::Known);
    kit.nothing_is_ready().await;
}

async fn commands_of_a_commit_for_the_ended_are_dropped(kit: &Kit<'_>) {
    let ended = kit.held(1).await;
    kit.commit(&ended, 1, then(Then::End)).await;
    let other = kit.held(2).await;
    let send = vec![post(ended.lane, 1), post(lane(9), 2)];
    kit.commit(
        &other,
        1,
        Batch {
            send,
            ..events(&["told"])
        },
    )
    .await;
    assert!(kit.letters(ended.lane).await.is_empty());
}
