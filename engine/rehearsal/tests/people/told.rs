//! What customers hear when announced work does not happen as it was announced.
//!
//! Not here: each decision by itself (core's tests), and how a message looks (the channels').

use super::*;
use hostler_ports::channel::Message;
use hostler_rehearsal::scaffold::freeze_before_each_commit;

/// In the nights; every person of the customer hears of it.
const SCENARIO: &str = "
scenario: held over
runbook: told
starter: olga
inputs: { targets: 'id=web1,web2' }
expect: { result: succeeded }
";

pub fn said(outcome: &Outcome, to: &str) -> Vec<(String, Message)> {
    let theirs = |message: &&Message| message.to_address == to;
    let stage = |message: &Message| message.subject.trim_start_matches("work.").to_owned();
    let messages = outcome.messages.iter().filter(theirs);
    messages
        .map(|message| (stage(message), message.clone()))
        .collect()
}

pub fn stages(outcome: &Outcome, to: &str) -> Vec<String> {
    let said = said(outcome, to);
    said.into_iter().map(|(stage, _)| stage).collect()
}

#[tokio::test]
async fn the_slot_is_announced_and_people_are_reminded_of_it_once() {
    let outcome = played(estate(), SCENARIO).await.unwrap();
    let order = ["scheduled", "reminder", "started", "completed"];
    assert_eq!(stages(&outcome, "ada@chem.example"), order);
    let (_, first) = said(&outcome, "ada@chem.example").remove(0);
    assert!(first.text.contains("02:00"), "{}", first.text);
    let (_, last) = said(&outcome, "ada@chem.example").remove(3);
    assert!(
        last.text.contains("web2"),
        "every server of theirs: {}",
        last.text
    );
}

#[tokio::test]
async fn a_new_time_is_told_once_as_a_difference_to_exactly_those_who_had_the_announcement() {
    let scenario = format!("{SCENARIO}unreachable: [bob@chem.example]\n");
    let scenario = Scenario::read(&scenario).unwrap();
    let cases = freeze_before_each_commit(&stage(estate()), &scenario).await;
    let mut told = 0;
    for Case { what, outcome } in cases.unwrap() {
        assert_eq!(stages(&outcome, "bob@chem.example"), [] as [&str; 0]);
        let said = said(&outcome, "ada@chem.example");
        let changed: Vec<_> = said
            .iter()
            .filter(|(stage, _)| stage == "changed")
            .collect();
        assert!(changed.len() <= 1, "{what}: {said:?}");
        let Some((_, changed)) = changed.first() else {
            continue;
        };
        told += 1;
        let (_, first) = &said[0];
        assert_eq!(changed.references.concat(), first.message_id);
        let context: serde_json::Value = serde_json::from_str(&changed.text).unwrap();
        let changes = context["changes"].as_array().unwrap();
        assert!(
            !changes.is_empty() && changes[0]["was"] != changes[0]["is"],
            "{context}"
        );
        assert_eq!(changed.calendar.as_deref(), Some("sequence 1"));
        // Bob had no announcement: what follows it is not for him.
        assert!(withdrawn(&outcome, "mail_withdrawn") >= 1, "{what}");
    }
    assert!(
        told > 0,
        "the freeze never came between announcement and work"
    );
}

#[tokio::test]
async fn a_server_that_is_left_out_before_the_work_is_told_as_a_difference() {
    let scenario = format!(
        "{SCENARIO}answers: [{{ action: guest.fingerprint, asset: web1, reject: it is broken }}]\n"
    );
    let outcome = played(estate(), &scenario).await.unwrap();
    let said = said(&outcome, "ada@chem.example");
    let changed: Vec<_> = said
        .iter()
        .filter(|(stage, _)| stage == "changed")
        .collect();
    let [(_, changed)] = &changed[..] else {
        panic!("{said:?}")
    };
    let context: serde_json::Value = serde_json::from_str(&changed.text).unwrap();
    assert_eq!(context["changes"][0]["name"], "web1");
    let is = context["changes"][0]["is"].as_str().unwrap();
    assert!(is.contains("not part"), "{is}");
    assert_eq!(context["changes"].as_array().unwrap().len(), 1);
}

async fn rejected(action: &str) -> Outcome {
    let scenario = format!("{SCENARIO}unreachable: [bob@chem.example]\n");
    let scenario = format!("{scenario}answers: [{{ action: {action}, reject: it is broken }}]\n");
    played(estate(), &scenario).await.unwrap()
}

pub fn withdrawn(outcome: &Outcome, why: &str) -> usize {
    let entries = outcome.ledger.iter();
    entries.filter(|entry| entry.contains(why)).count()
}

#[tokio::test]
async fn nobody_is_told_of_a_cancellation_who_never_had_the_announcement() {
    let outcome = rejected("guest.reboot").await;
    let order = ["scheduled", "reminder", "started", "cancelled"];
    assert_eq!(stages(&outcome, "ada@chem.example"), order);
    assert_eq!(stages(&outcome, "bob@chem.example"), [] as [&str; 0]);
    let of_bob = withdrawn(&outcome, "never had the announcement");
    assert_eq!(of_bob, 2, "neither the reminder nor the cancellation");
    let cancelled = said(&outcome, "ada@chem.example").remove(3).1;
    assert_eq!(cancelled.calendar.as_deref(), Some("cancelled, sequence 1"));
}

#[tokio::test]
async fn what_is_cancelled_before_it_was_sent_is_not_announced_at_all() {
    let outcome = rejected("guest.fingerprint").await;
    assert_eq!(stages(&outcome, "ada@chem.example"), [] as [&str; 0]);
    assert_eq!(withdrawn(&outcome, "cancelled before it was sent"), 2);
    assert_eq!(withdrawn(&outcome, "never had the announcement"), 2);
}

#[tokio::test]
async fn whatever_commit_is_lost_nobody_hears_a_stage_twice() {
    let scenario = Scenario::read(SCENARIO).unwrap();
    let cases = crash_after_each_commit(&stage(estate()), &scenario).await;
    for Case { what, outcome } in cases.unwrap() {
        let mut ids: Vec<_> = outcome.messages.iter().map(|it| &it.message_id).collect();
        ids.sort_unstable();
        ids.dedup();
        // Two people, four stages: a message may be repeated under its id.
        assert_eq!(ids.len(), 8, "{what}");
    }
}
