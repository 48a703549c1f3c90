//! What customers hear while announced work goes on: how far theirs is, every so long, and nothing of others.
//!
//! Not here: when it is due (core's tests), and the words (the channels').

use super::told::{said, stages, withdrawn};
use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// One server after the other, each of another customer; each takes a hundred minutes.
const SCENARIO: &str = "
scenario: it takes its time
runbook: rolling
starter: olga
inputs: { targets: 'id=law1,win1' }
expect: { result: succeeded }
";
const PEOPLE: [(&str, &str, &str); 2] = [
    ("ada@chem.example", "win1", "law1"),
    ("eve@law.example", "law1", "win1"),
];

/// What the messages on how it goes say to somebody.
fn progress(outcome: &Outcome, to: &str) -> Vec<Value> {
    let said = said(outcome, to).into_iter();
    let said = said.filter(|(stage, _)| stage == "progress");
    said.map(|(_, message)| serde_json::from_str(&message.text).unwrap())
        .collect()
}

fn ids(outcome: &Outcome) -> BTreeSet<String> {
    let messages = outcome.messages.iter();
    messages.map(|message| message.message_id.clone()).collect()
}

#[tokio::test]
async fn everybody_hears_every_hour_how_far_theirs_is_until_it_is_over() {
    let outcome = played(estate(), SCENARIO).await.unwrap();
    let first = ["scheduled", "started", "progress", "completed"];
    let second = ["scheduled", "progress", "started", "progress", "completed"];
    let mut orders = PEOPLE.map(|(to, ..)| stages(&outcome, to));
    orders.sort_by_key(Vec::len);
    assert_eq!(orders[0], first);
    assert_eq!(orders[1], second);
    for (to, own, _) in PEOPLE {
        let told = progress(&outcome, to);
        let (last, before) = told.split_last().unwrap();
        assert_eq!(last["progress"]["going_on"][0]["name"], own);
        assert!(!last["progress"]["next_utc"].as_str().unwrap().is_empty());
        for waits in before {
            let waiting = &waits["progress"]["waiting"][0];
            assert_eq!(waiting["name"], own);
            assert_eq!(waiting["waits_for"], "those before it");
        }
    }
}

#[tokio::test]
async fn a_message_on_how_it_goes_stands_in_its_thread_and_names_no_others_server() {
    let outcome = played(estate(), SCENARIO).await.unwrap();
    for (to, own, strange) in PEOPLE {
        let said = said(&outcome, to);
        let (_, first) = &said[0];
        let progress = said.iter().filter(|(stage, _)| stage == "progress");
        for (_, message) in progress {
            assert_eq!(message.references.concat(), first.message_id);
            assert!(message.text.contains(own) && !message.text.contains(strange));
            assert_eq!(message.calendar, None);
        }
    }
}

#[tokio::test]
async fn whoever_never_had_the_announcement_does_not_hear_how_it_goes() {
    let scenario = format!("{SCENARIO}unreachable: [bob@chem.example]\n");
    let outcome = played(estate(), &scenario).await.unwrap();
    assert_eq!(stages(&outcome, "bob@chem.example"), [] as [&str; 0]);
    let heard = progress(&outcome, "ada@chem.example").len();
    let never = withdrawn(&outcome, "never had the announcement");
    assert_eq!(never, heard, "what ada has heard on how it goes");
}

#[tokio::test]
async fn whatever_commit_is_lost_each_turn_is_told_once() {
    let undisturbed = ids(&played(estate(), SCENARIO).await.unwrap());
    let scenario = Scenario::read(SCENARIO).unwrap();
    let cases = crash_after_each_commit(&stage(estate()), &scenario).await;
    for Case { what, outcome } in cases.unwrap() {
        assert_eq!(ids(&outcome), undisturbed, "{what}");
        for (to, ..) in PEOPLE {
            let heard: Vec<_> = said(&outcome, to).into_iter().map(|(_, it)| it).collect();
            let one: BTreeSet<_> = heard.iter().map(|it| &it.message_id).collect();
            let told = stages(&outcome, to);
            let repeated = heard.len() - one.len();
            assert!(repeated <= 1, "{what}: {told:?}");
        }
    }
}

const ROOM: &str = "room@chem.example";

#[tokio::test]
async fn every_channel_of_a_contact_is_told_at_once_each_in_a_thread_of_its_own() {
    let outcome = played(estate(), SCENARIO).await.unwrap();
    assert_eq!(stages(&outcome, ROOM), stages(&outcome, "ada@chem.example"));
    let (room, letters) = (said(&outcome, ROOM), said(&outcome, "ada@chem.example"));
    for (one, other) in room.iter().zip(&letters).skip(1) {
        assert_eq!(one.1.references.concat(), room[0].1.message_id);
        assert_ne!(one.1.message_id, other.1.message_id);
    }
    let told = played(estate(), &SCENARIO.replace("rolling", "told"))
        .await
        .unwrap();
    assert_eq!(
        stages(&told, ROOM),
        [] as [&str; 0],
        "a runbook that does not say so"
    );
}

#[tokio::test]
async fn a_channel_is_enough_where_no_letter_arrives() {
    let lost = "unreachable: [ada@chem.example, bob@chem.example]";
    let reached = played(estate(), &format!("{SCENARIO}{lost}\n"))
        .await
        .unwrap();
    assert_eq!(reached.items["all"]["win1"], "succeeded");
    let lost = format!("unreachable: [ada@chem.example, bob@chem.example, {ROOM}]");
    let held = played(estate(), &format!("{SCENARIO}{lost}\n"))
        .await
        .unwrap();
    assert_eq!(held.items["all"]["win1"], "held");
}
