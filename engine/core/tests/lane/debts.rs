//! Questions that are obligations: open until they are settled, whatever happens around them.
//!
//! Not here: what a debt holds.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Input};
use hostler_core::debt::{Cure, Debts, OpenDebt};
use hostler_core::definition::*;
use hostler_core::effect::Effect;
use hostler_core::event::Event;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

fn other_run() -> RunId {
    RunId(Uuid::from_u128(77))
}

fn owing(on_expire: OnExpire) -> Drive {
    let mut step = ask("review");
    let Verb::Ask(ask) = &mut step.verb else {
        unreachable!()
    };
    ask.on_expire = on_expire;
    ask.debt = Some(Owing {
        blocks: vec!["planned".to_owned()],
        cured_by: vec![Cure::Answer, Cure::Class("standard-patch".to_owned())],
        over: None,
    });
    let mut drive = Drive::of(World::of(definition(vec![step], Vec::new())));
    drive.enter();
    drive
}

fn answer() -> Input {
    Input::Command(Command::Answer {
        actor: actor("ada", "board"),
        signs: Digest::of(b"form"),
        answer: json!({}),
    })
}

fn cure(asset: &str, how: Cure) -> Input {
    Input::Command(Command::Cure {
        assets: BTreeSet::from([asset.to_owned()]),
        how,
        run: other_run(),
    })
}

fn patched(asset: &str) -> Input {
    cure(asset, Cure::Class("standard-patch".to_owned()))
}

fn owed(drive: &Drive) -> Vec<String> {
    let debt = drive.lane.debt.as_deref();
    debt.map(|debt| debt.assets().into_iter().collect())
        .unwrap_or_default()
}

fn owe(customers: &[&str]) -> Effect {
    let customers = customers.iter().map(|name| (*name).to_owned()).collect();
    Effect::Owe { customers }
}

#[test]
fn a_debt_opens_with_its_question_and_an_answer_settles_all_of_it() {
    let mut drive = owing(OnExpire::Escalate);
    assert!(matches!(drive.events[1], Event::DebtOpened { .. }));
    assert!(drive.effects.contains(&owe(&["chem", "law"])));
    assert_eq!(owed(&drive), ["web1", "web2"]);
    drive.ok(answer());
    assert!(drive.effects.contains(&owe(&["chem", "law"])));
    let Event::DebtSettled { how, by, assets } = &drive.events[0] else {
        panic!("{:?}", drive.events);
    };
    assert_eq!(
        (how.as_str(), by.as_str(), assets.len()),
        ("answer", "ada", 2)
    );
    assert_eq!(drive.result(), Some(LaneResult::Succeeded));
    assert!(drive.lane.debt.is_none());
}

#[test]
fn runs_settle_a_debt_asset_by_asset_and_the_last_one_closes_the_question() {
    let mut drive = owing(OnExpire::Escalate);
    drive.ok(patched("web2"));
    assert_eq!(
        (drive.phase(), owed(&drive)),
        ("person", vec!["web1".to_owned()])
    );
    assert_eq!(drive.effects, [Effect::Ledger, owe(&["chem", "law"])]);
    assert_eq!(drive.refused(patched("web2")), Refusal::NothingOwed);
    drive.ok(patched("web1"));
    assert_eq!(drive.result(), Some(LaneResult::Succeeded));
}

#[test]
fn only_what_the_debt_names_settles_it() {
    let mut drive = owing(OnExpire::Escalate);
    for how in [
        Cure::Answer,
        Cure::Class("planned".to_owned()),
        Cure::Runbook("probe".to_owned()),
    ] {
        assert_eq!(drive.refused(cure("web1", how)), Refusal::NothingOwed);
    }
    assert_eq!(drive.refused(patched("web9")), Refusal::NothingOwed);
    assert_eq!(owed(&drive), ["web1", "web2"]);
}

#[test]
fn neither_silence_nor_a_cancel_ends_a_debt() {
    let mut drive = owing(OnExpire::Deny);
    drive.after(100).ok(Input::Continue);
    assert_eq!(drive.events, [Event::PersonEscalated]);
    assert_eq!(drive.refused(Input::Command(cancel())), Refusal::Owes);
    assert_eq!((drive.phase(), owed(&drive).len()), ("person", 2));
    drive.ok(answer());
    assert_eq!(drive.result(), Some(LaneResult::Succeeded));
}

#[test]
fn a_debt_holds_the_classes_it_names_but_neither_emergencies_nor_its_own_run() {
    let lane = |number| LaneId(Uuid::from_u128(number));
    let own = RunId(Uuid::from_u128(1));
    let open = |number: u128, since_ms| OpenDebt {
        lane: lane(number),
        run: own,
        runbook: "emergency-patch".to_owned(),
        step: "review".to_owned(),
        says: "owed".to_owned(),
        assets: BTreeSet::from(["web1".to_owned()]),
        blocks: vec!["planned".to_owned(), "emergency".to_owned()],
        cured_by: vec![Cure::Answer],
        since_ms,
        due_ms: None,
    };
    let debt = open(1, 5);
    assert!(debt.holds(other_run(), "web1", "planned"));
    assert!(!debt.holds(other_run(), "web1", "standard-patch"));
    assert!(!debt.holds(other_run(), "web1", "emergency"));
    assert!(!debt.holds(other_run(), "web2", "planned"));
    assert!(!debt.holds(own, "web1", "planned"));
    let mut debts = Debts::default();
    debts.put(lane(1), Some(open(1, 5)));
    debts.put(lane(2), Some(open(2, 4)));
    debts.put(lane(1), Some(open(1, 5)));
    let lanes: Vec<_> = debts.debts.iter().map(|debt| debt.lane).collect();
    assert_eq!(lanes, [lane(2), lane(1)]);
    debts.put(lane(2), None);
    assert_eq!(debts.debts.len(), 1);
}
