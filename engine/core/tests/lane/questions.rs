//! What stands around a question: ladders and reminders.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::letters::*;
use hostler_core::command::{Command, Input};
use hostler_core::definition::*;
use hostler_core::effect::{Effect, timer};
use hostler_core::event::Event;
use hostler_core::lane::{Person, Phase, Section};
use hostler_core::refusal::Refusal;
use hostler_core::result::{LaneResult, StepState};

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

fn ladder() -> AskRules {
    AskRules {
        ladder: Some("oncall".to_owned()),
        ..AskRules::default()
    }
}

/// Rungs at 0, 30 and 60 ms, denied at 90; the gate's own end would be at 100.
fn climbing(quorum: u32) -> Drive {
    gate_of(with(quorum, ladder()))
}

fn yes(person: &str, role: &str) -> Input {
    Input::Command(vote(person, role, true))
}

fn timer(name: &str) -> Input {
    let name = name.to_owned();
    Input::Command(Command::Timer { name })
}

fn person(drive: &Drive) -> &Person {
    match &drive.lane.phase {
        Phase::Person(person) => person,
        other => panic!("nobody is asked: {}", other.name()),
    }
}

fn sets(drive: &Drive) -> Vec<(&str, i64)> {
    let begin_ms = drive.now_ms;
    let set = |effect: &Effect| match effect {
        Effect::SetTimer { name, at_ms } => Some((name.clone(), *at_ms - begin_ms)),
        _ => None,
    };
    let names = [timer::EXPIRE, timer::RUNG, timer::REMIND];
    let all = drive.effects.iter().filter_map(set);
    all.filter_map(|(name, at_ms)| Some((*names.iter().find(|known| **known == name)?, at_ms)))
        .collect()
}

fn not_asked(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NotAsked { .. })
}

#[test]
fn the_first_rung_is_asked_at_once_and_the_ladders_end_is_the_questions() {
    let drive = climbing(1);
    assert_eq!(sets(&drive), [(timer::EXPIRE, 90), (timer::RUNG, 30)]);
    let person = person(&drive);
    assert_eq!(person.clauses[0].any_of, ["role:board", "role:first"]);
    assert_eq!(
        person.reason.as_deref(),
        Some("rung 1 of 3 of the ladder oncall is asked")
    );
}

#[test]
fn each_rung_widens_who_is_asked_and_the_earlier_ones_stay_asked() {
    let mut drive = climbing(1);
    let refusal = drive.refused(yes("sue", "second"));
    assert!(not_asked(&refusal), "{refusal}");
    drive.after(30).ok(timer(timer::RUNG));
    assert_eq!(sets(&drive), [(timer::RUNG, 30)]);
    assert!(drive.effects.contains(&Effect::Ledger));
    assert!(drive.effects.contains(&Effect::Waiting { open: true }));
    let asked = &person(&drive).clauses[0].any_of;
    assert_eq!(asked, &["role:board", "role:first", "role:second"]);
    drive.ok(yes("ada", "board"));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn whoever_is_on_a_rung_that_has_come_due_may_decide_before_its_timer_is_read() {
    let mut drive = climbing(1);
    drive.after(30).ok(yes("sue", "second"));
    let asked = matches!(drive.events.first(), Some(Event::PersonAsked { .. }));
    assert!(asked, "the rung is recorded before the vote");
    assert_eq!(drive.phase(), "at");
}

#[test]
fn the_last_rung_denies_whatever_the_expiry_says() {
    for on_expire in [OnExpire::Deny, OnExpire::Escalate, OnExpire::Again] {
        let mut drive = gate_of(Approve {
            on_expire,
            ..with(1, ladder())
        });
        drive.after(90).ok(timer(timer::EXPIRE));
        assert_eq!(drive.result(), Some(LaneResult::Expired), "{on_expire:?}");
    }
}

#[test]
fn an_escalation_is_the_ladder_itself_and_a_denial_that_comes_sooner_stands() {
    let ends = |on_expire: OnExpire, expires_ms: Option<u64>| {
        let drive = gate_of(Approve {
            on_expire,
            expires_ms,
            ..with(1, ladder())
        });
        person(&drive).expires_ms.unwrap() - drive.now_ms
    };
    assert_eq!(ends(OnExpire::Escalate, Some(40)), 90);
    assert_eq!(ends(OnExpire::Deny, Some(40)), 40);
    assert_eq!(ends(OnExpire::Deny, None), 90);
}

#[test]
fn a_rung_that_comes_after_the_decision_asks_nobody() {
    let mut drive = climbing(1);
    drive.ok(yes("ada", "board"));
    let cleared = |name: &str| {
        let name = name.to_owned();
        drive.effects.contains(&Effect::ClearTimer { name })
    };
    assert!(cleared(timer::RUNG) && cleared(timer::EXPIRE));
    let name = timer::RUNG.to_owned();
    let refusal = drive.after(30).refused(timer(timer::RUNG));
    assert_eq!(refusal, Refusal::StaleTimer { name });
}

#[test]
fn rungs_that_were_missed_are_asked_together() {
    let mut drive = climbing(1);
    drive.after(70).ok(timer(timer::RUNG));
    assert_eq!(drive.events.len(), 1);
    assert_eq!(person(&drive).rules.ladder.as_ref().unwrap().reached, 3);
    assert_eq!(person(&drive).next_rung_ms(), None);
}

#[test]
fn a_vote_between_two_rungs_is_kept() {
    let mut drive = climbing(2);
    drive
        .after(40)
        .ok(yes("fay", "first"))
        .after(20)
        .ok(timer(timer::RUNG));
    assert_eq!(person(&drive).votes.len(), 1);
    drive.ok(yes("ted", "third"));
    assert_eq!(drive.phase(), "at");
}

#[test]
fn the_same_person_on_two_rungs_counts_once() {
    let mut drive = climbing(2);
    drive.ok(yes("sue", "first")).after(30);
    let person = "sue".to_owned();
    let refusal = drive.refused(yes("sue", "second"));
    assert_eq!(refusal, Refusal::DecidedAlready { person });
    assert_eq!(drive.phase(), "person");
}

#[test]
fn starter_and_author_are_excluded_on_every_rung() {
    let mut drive = climbing(1);
    if let Phase::Person(person) = &mut drive.lane.phase {
        person.excluded.push("author".to_owned());
    }
    for role in ["board", "first", "second", "third"] {
        for person in ["starter", "author"] {
            let refusal = drive.refused(yes(person, role));
            let person = person.to_owned();
            let four_eyes = refusal == Refusal::FourEyes { person };
            assert!(four_eyes || not_asked(&refusal), "{role}: {refusal}");
        }
        drive.after(20);
    }
}

#[test]
fn a_rung_never_grants_and_stands_in_only_for_the_first_who_was_asked() {
    let two_rooms = Approve {
        who: who(&[("role:board", 1), ("role:customer", 1)]),
        ..with(2, ladder())
    };
    let mut drive = gate_of(two_rooms);
    let mut both = actor("cora", "customer");
    both.qualifies.push("role:second".to_owned());
    drive
        .command(vote_of(both, true))
        .command(vote("carl", "customer", true));
    drive.after(30).ok(timer(timer::RUNG));
    assert_eq!(
        drive.phase(),
        "person",
        "cora was not asked as one of the second rung"
    );
    drive.ok(yes("sam", "second"));
    assert_eq!(drive.phase(), "at");
}

fn reminding() -> Drive {
    let rules = AskRules {
        remind: vec![After::Ms(20), After::BusinessDays(50), After::Ms(400)],
        ..AskRules::default()
    };
    gate_of(with(1, rules))
}

fn reports(drive: &Drive) -> Vec<(String, Vec<String>)> {
    let reports = drive.effects.iter().filter_map(|effect| match effect {
        Effect::Report { template, to, .. } => Some((template.clone(), to.clone())),
        _ => None,
    });
    reports.collect()
}

#[test]
fn those_who_are_asked_are_reminded_once_each_time() {
    let mut drive = reminding();
    assert_eq!(sets(&drive), [(timer::EXPIRE, 100), (timer::REMIND, 20)]);
    drive.after(20).ok(timer(timer::REMIND));
    let first = reports(&drive);
    assert_eq!(first[0].1, ["role:board"]);
    assert_eq!(sets(&drive), [(timer::REMIND, 30)]);
    let name = timer::REMIND.to_owned();
    assert_eq!(
        drive.refused(timer(timer::REMIND)),
        Refusal::StaleTimer { name }
    );
    drive.after(30).ok(timer(timer::REMIND));
    assert_ne!(reports(&drive), first, "each is a message of its own");
    assert_eq!(sets(&drive), [], "the third would come after the end");
}

#[test]
fn nobody_is_reminded_of_what_is_settled() {
    let mut drive = reminding();
    drive.ok(yes("ada", "board"));
    let name = timer::REMIND.to_owned();
    assert!(
        drive
            .effects
            .contains(&Effect::ClearTimer { name: name.clone() })
    );
    assert_eq!(
        drive.after(20).refused(timer(timer::REMIND)),
        Refusal::StaleTimer { name }
    );
}

#[test]
fn reminders_that_were_missed_are_one_message() {
    let mut drive = reminding();
    drive.after(60).ok(timer(timer::REMIND));
    assert_eq!(reports(&drive).len(), 1);
}

#[test]
fn reminders_go_on_behind_an_escalation() {
    let rules = AskRules {
        remind: vec![After::Ms(20), After::Ms(150)],
        ..AskRules::default()
    };
    let mut drive = gate_of(Approve {
        on_expire: OnExpire::Escalate,
        ..with(1, rules)
    });
    drive
        .after(20)
        .ok(timer(timer::REMIND))
        .after(80)
        .ok(timer(timer::EXPIRE));
    assert_eq!(sets(&drive), [(timer::REMIND, 50)]);
    drive.after(50).ok(timer(timer::REMIND));
    assert_eq!(reports(&drive).len(), 1);
}

#[test]
fn a_form_that_nobody_fills_in_ends_its_lane_as_the_runbook_says() {
    let silent = |result| {
        let mut form = ask("form");
        if let Verb::Ask(ask) = &mut form.verb {
            ask.rules.finish = Some(Silence {
                result,
                note: Some("capacity delivered".to_owned()),
            });
        }
        let steps = vec![
            repeatable("grow").undo(vec![read("back")]),
            form,
            read("behind"),
        ];
        let mut drive = Drive::of(World::of(definition(steps, vec![read("last")])));
        drive
            .enter()
            .done()
            .enter()
            .after(100)
            .ok(timer(timer::EXPIRE));
        drive
    };
    let mut drive = silent(LaneResult::Succeeded);
    drive.enter().done();
    assert_eq!(
        drive.result(),
        Some(LaneResult::Succeeded),
        "nothing is taken back"
    );
    let verdict = drive.lane.verdict.clone().unwrap();
    assert_eq!(verdict.note.as_deref(), Some("capacity delivered"));
    assert!(
        !drive.lane.results.contains_key("behind"),
        "what comes behind does not run"
    );
    assert_eq!(drive.lane.results["form"].state, StepState::Skipped);
    assert!(drive.lane.results.contains_key("last"), "`always` does");
    let drive = silent(LaneResult::Failed);
    assert_eq!(
        drive.lane.cursor.section,
        Section::Undo,
        "a bad end is taken back"
    );
}
