//! What a yes must say: typed names and waivers.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Input};
use hostler_core::definition::*;
use hostler_core::event::Event;
use hostler_core::expression::Dynamic;
use hostler_core::id::Digest;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult;
use serde_json::{Value, json};

fn gate_of(approve: Approve) -> Drive {
    let steps = vec![Step::bare("gate", Verb::Approve(approve)), read("behind")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter();
    drive
}

fn with(quorum: u32, rules: AskRules) -> Approve {
    Approve {
        rules,
        ..approve(quorum, OnExpire::Deny, OnDeny::Stop)
    }
}

fn typed(text: Option<&str>) -> Input {
    Input::Command(Command::Decide {
        actor: actor("ada", "board"),
        yes: true,
        signs: Digest::of(b"shown"),
        comment: None,
        typed: text.map(str::to_owned),
        waive: Vec::new(),
    })
}

#[test]
fn a_yes_types_the_name_back_letter_for_letter_and_a_no_need_not() {
    let rules = AskRules {
        typed: Some(Dynamic::Literal("web-01".into())),
        ..AskRules::default()
    };
    let mut drive = gate_of(with(1, rules.clone()));
    for wrong in [None, Some(""), Some("WEB-01"), Some("web-01 ")] {
        let refusal = drive.refused(typed(wrong));
        assert_eq!(refusal, Refusal::NotTyped);
        assert!(refusal.to_string().contains("--typed"), "{refusal}");
    }
    drive.ok(typed(Some("web-01")));
    assert_eq!(drive.phase(), "at");
    let mut drive = gate_of(with(1, rules));
    drive.command(vote("ada", "board", false));
    assert_eq!(drive.result(), Some(LaneResult::Denied));
}

fn waiving(person: &str, yes: bool, waive: &[&str]) -> Input {
    Input::Command(Command::Decide {
        actor: actor(person, "board"),
        yes,
        signs: Digest::of(b"shown"),
        comment: None,
        typed: None,
        waive: waive.iter().map(|name| (*name).to_owned()).collect(),
    })
}

fn waivable(quorum: u32) -> Drive {
    let rules = AskRules {
        may_waive: vec!["notice-floor".to_owned(), "backup".to_owned()],
        ..AskRules::default()
    };
    gate_of(with(quorum, rules))
}

fn output(drive: &Drive) -> Value {
    drive.lane.results["gate"].output["waived"].clone()
}

#[test]
fn only_what_every_yes_waives_is_waived() {
    let mut drive = waivable(2);
    drive.ok(waiving("ada", true, &["backup", "notice-floor"]));
    drive.ok(waiving("bob", true, &["backup"]));
    assert_eq!(output(&drive), json!(["backup"]));
    let settled = drive.events.iter().find_map(|event| match event {
        Event::PersonSettled { answer, .. } => Some(answer.clone()),
        _ => None,
    });
    assert_eq!(settled, Some(json!({ "waived": ["backup"] })));
    let mut drive = waivable(2);
    drive
        .ok(waiving("ada", true, &["backup"]))
        .ok(waiving("bob", true, &[]));
    assert_eq!(output(&drive), json!([]));
}

#[test]
fn what_is_not_on_the_list_cannot_be_waived() {
    let mut drive = waivable(1);
    let refusal = drive.refused(waiving("ada", true, &["backup", "approval"]));
    let may = vec!["notice-floor".to_owned(), "backup".to_owned()];
    let waiver = "approval".to_owned();
    assert_eq!(refusal, Refusal::NotWaivable { waiver, may });
    assert!(
        refusal.to_string().contains("notice-floor, backup"),
        "{refusal}"
    );
    let mut drive = gate_of(with(1, AskRules::default()));
    let refusal = drive.refused(waiving("ada", true, &["backup"]));
    assert!(matches!(refusal, Refusal::NotWaivable { .. }));
}

#[test]
fn a_no_waives_nothing() {
    let mut drive = waivable(1);
    drive.ok(waiving("ada", false, &["backup"]));
    assert_eq!(drive.result(), Some(LaneResult::Denied));
}

#[test]
fn a_question_without_rules_is_written_as_it_always_was() {
    let drive = gate_of(with(1, AskRules::default()));
    let text = drive.log.last().unwrap().to_json();
    assert!(!text.contains("rules"), "{text}");
    let text = serde_json::to_string(&drive.world.definition).unwrap();
    assert!(
        !text.contains("rules") && !text.contains("class\":null"),
        "{text}"
    );
}
