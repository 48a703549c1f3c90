//! The sessions whose logs are kept as the golden ones.

use crate::support::build::*;
use crate::support::drive::*;
use crate::support::leases::*;
use crate::support::letters::*;
use hostler_core::command::{Choice, Command, Entry, Input, RetryItem, Seen};
use hostler_core::definition::*;
use hostler_core::event::Journal;
use hostler_core::expression::Dynamic;
use hostler_core::lane::Lane;
use hostler_core::result::LaneResult::*;
use serde_json::json;

/// A server of a customer: a lost call, a lease, an undo that fails, a doubt.
fn host() -> Drive {
    let mut snapshot = repeatable("snapshot").undo(vec![read("delete")]);
    let Verb::Do(action) = read("end").verb else {
        panic!("an action");
    };
    snapshot.lease = Some(StepLease {
        for_ms: 10,
        end: LeaseEnd { action },
        blocks: Vec::new(),
        warn_ms: None,
    });
    let install = once("install").undo(vec![repeatable("revert"), repeatable("restore")]);
    let steps = vec![
        read("look").conditional(),
        read("fixed").no_return(),
        snapshot,
        install.retry(1),
        read("verify").failing(OnFailure::Undo),
    ];
    let mut drive = Drive::of(World::of(definition(steps, vec![read("loud")])));
    let resource = "asset:a".to_owned();
    drive.ok(Input::Enter(Entry::Skip)).enter().done();
    drive
        .ok(Input::Blocked { resource })
        .enter()
        .ok(Input::Orphaned)
        .done();
    drive.enter().ok(Input::Journaled(Journal {
        number: 1,
        attempt: 1,
        what: "POST /install".to_owned(),
        outcome: Some("201".to_owned()),
    }));
    drive
        .ok(Input::Answered(again()))
        .after(1_000)
        .ok(Input::Continue);
    drive.enter().ok(Input::Answered(pending()));
    drive
        .after(600)
        .ok(Input::Continue)
        .ok(Input::Orphaned)
        .after(2_000);
    drive.ok(Input::Observed(Seen::Unknown("no trace".to_owned())));
    drive.after(9_000).choose(Choice::Done);
    drive.enter().ok(Input::Answered(reject()));
    drive.enter().ok(Input::Answered(reject())).enter();
    drive.ok(Input::Answered(reject())).choose(Choice::Retry);
    drive.enter().done().enter().done().enter().done();
    drive
}

/// A run over items in waves, with notices and a gate.
fn patch() -> Drive {
    let spec = Each {
        gate: gate(),
        on_failure: OnFailure::Stop,
        ..each_of()
    };
    let steps = vec![each("all", spec).noticed()];
    let world = World::of(definition(steps, Vec::new()));
    let (a, b): (&[&str], &[&str]) = (&["customer=a"], &["customer=b"]);
    let mut world = world.with_items(items(&[a, b, b]), &[(1, 500), (2, 0)]);
    world.customers = vec![("a".to_owned(), 1), ("b".to_owned(), 2)];
    let mut drive = Drive::of(world);
    let by = "ada".to_owned();
    drive
        .enter()
        .ends("i0", Succeeded)
        .after(500)
        .ok(Input::Continue)
        .gate();
    drive.command(vote("ada", "board", true));
    drive.command(Command::Pause { by: by.clone() });
    drive.command(Command::Resume { by: by.clone() });
    drive.ends("i1", Failed).ends("i2", Failed).gate();
    let item = |index: u32| RetryItem {
        key: format!("i{index}"),
        index,
        result: Failed,
    };
    let items = vec![item(1)];
    drive.command(Command::RetryItems { by, items });
    drive
        .ends("i1", Succeeded)
        .gate()
        .command(vote("bob", "board", true));
    drive
}

/// People: an escalated approval, a form, a question that holds nobody, a report, a finish.
fn people() -> Drive {
    let mut later = ask("later");
    if let Verb::Ask(ask) = &mut later.verb {
        ask.later = true;
    }
    let notify = Notify {
        template: "report".to_owned(),
        to: vec![Recipient(Dynamic::Literal("role:board".into()))],
        about: None,
    };
    let lease = "snapshot".to_owned();
    let mut end = finish("end", "succeeded");
    if let Verb::Finish(finish) = &mut end.verb {
        finish.of_run = true;
    }
    let gate = approve(1, OnExpire::Escalate, OnDeny::Stop);
    let steps = vec![
        Step::bare("gate", Verb::Approve(gate)),
        ask("form"),
        later,
        Step::bare("report", Verb::Notify(notify)),
        Step::bare("release", Verb::Release { lease }),
        wait("rest"),
        end,
    ];
    let mut opening = opening(hostler_core::lane::Origin::Program(0));
    opening.parent = Some(hostler_core::lane::Parent {
        lane: opening.lane,
        step: "all".into(),
        key: "i0".to_owned(),
        index: 0,
        iteration: 0,
    });
    let lane = Lane::open(opening, BEGIN_MS);
    let mut drive = Drive::from(World::of(definition(steps, Vec::new())), lane);
    drive.enter().after(100).ok(Input::Continue);
    drive.command(vote("ada", "board", true)).enter();
    drive.command(Command::Answer {
        actor: actor("ada", "board"),
        signs: hostler_core::id::Digest::of(b"form"),
        answer: json!({ "window": "saturday" }),
    });
    drive
        .enter()
        .enter()
        .enter()
        .enter()
        .after(10)
        .ok(Input::Continue)
        .enter();
    drive
}

/// Rounds that are cancelled, and what they left open.
fn rounds() -> Drive {
    let steps = vec![repeat("r", 3, true, OnExhausted::Stop)];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter();
    let end = drive.end_of("1", Succeeded, true);
    drive.ok(Input::ChildrenEnded(vec![end]));
    drive
        .ok(Input::RoundJudged { until: false })
        .after(10)
        .ok(Input::Continue);
    drive.cancel().ends("2", Cancelled).enter();
    let key = drive.live()[0].to_owned();
    drive.ends(&key, Succeeded);
    drive
}

/// A lease that lives longer, and ends early.
fn lease() -> Drive {
    let mut drive = Drive::of_lease(leasing("snapshot"));
    let by = "ada".to_owned();
    drive.enter().after(3);
    drive
        .command(Command::Extend {
            by: by.clone(),
            reason: "not yet".to_owned(),
            by_ms: 2,
        })
        .command(Command::Release { by, reason: None })
        .enter()
        .done();
    drive
}

fn tolerated() -> Drive {
    let spec = Each {
        on_failure: OnFailure::Continue,
        ..each_of()
    };
    let world = World::of(definition(vec![each("all", spec)], Vec::new()));
    let mut drive = Drive::of(world.with_items(items(&[&[], &[]]), &[]));
    drive.enter().ends("i0", Failed).ends("i1", Held);
    drive
}

/// An undo that waits for a call whose worker was lost.
fn held_up() -> Drive {
    let a = repeatable("a").undo(vec![read("back")]);
    let steps = vec![a, read("b").failing(OnFailure::Undo)];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter().after(50).ok(Input::Orphaned).done();
    drive.enter().ok(Input::Answered(reject())).enter();
    drive.after(1_050).ok(Input::Continue).enter().done();
    drive
}

/// A lane that goes on from a copy: one call is known to have happened since, the next is not.
fn restored() -> Drive {
    let steps = vec![repeatable("a"), once("b"), once("c")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter().after(50);
    let copy = crate::support::offers::restored(drive.now_ms);
    drive.now_ms += 1;
    drive.ok(copy).after(1_100);
    drive.ok(Input::Observed(Seen::Done(json!({ "seen": true }))));
    drive.enter().choose(Choice::Done);
    drive.enter().choose(Choice::Retry);
    drive.enter().done();
    drive
}

/// A call whose worker was lost: looked up at once, and believed to be undone only later.
fn looked_up() -> Drive {
    let mut drive = Drive::of(World::of(definition(vec![once("a")], Vec::new())));
    drive.enter().after(50).ok(Input::Orphaned);
    let not_done = || Input::Observed(Seen::NotDone);
    drive
        .ok(Input::Observed(Seen::Going { ask_after_ms: 10 }))
        .after(500);
    drive.after(500).ok(not_done()).after(100).ok(not_done());
    drive.after(1_000).ok(Input::Continue).enter().done();
    drive
}

/// A customer agrees, changes its mind, and agrees again.
fn consented() -> Drive {
    let mut drive = crate::consents::before_all();
    for agrees in [true, false, true] {
        drive.after(10).ok(crate::consents::says(agrees));
    }
    drive.ends("i0", Succeeded).ends("i1", Succeeded);
    drive.ends("i2", Succeeded);
    drive
}

/// Windows pass, people give one more, and it passes, too.
fn one_more() -> Drive {
    let steps = vec![read("look"), once("install")];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter().done();
    crate::overflows::miss(&mut drive);
    drive.after(50).choose(Choice::Next);
    crate::overflows::miss(&mut drive);
    drive.after(50).choose(Choice::Leave);
    drive
}

/// A server whose customer puts its turn off while its lane lives.
fn put_off() -> Drive {
    let mut drive = crate::deferrals::put_off_at(crate::waves::fixed(1), &[]);
    drive
        .ok(crate::deferrals::put_off(&["i0"]))
        .ends("i0", Deferred);
    drive.ends("i1", Succeeded).ends("i2", Succeeded);
    drive.after(10 * 86_400_000).ok(Input::Continue);
    drive.ends("i0", Succeeded);
    drive
}

/// Two rungs, a reminder, a typed name and a waiver.
fn ladder() -> Drive {
    let rules = AskRules {
        ladder: Some("oncall".to_owned()),
        typed: Some(Dynamic::Literal("web-01".into())),
        remind: vec![After::Ms(40)],
        may_waive: vec!["backup".to_owned()],
        ..AskRules::default()
    };
    let gate = Approve {
        rules,
        ..approve(1, OnExpire::Escalate, OnDeny::Stop)
    };
    let steps = vec![Step::bare("gate", Verb::Approve(gate))];
    let mut drive = Drive::of(World::of(definition(steps, Vec::new())));
    drive.enter().after(30).ok(Input::Continue);
    drive.after(10).ok(Input::Continue);
    drive.command(Command::Decide {
        actor: actor("sue", "second"),
        yes: true,
        signs: hostler_core::id::Digest::of(b"shown"),
        comment: None,
        typed: Some("web-01".to_owned()),
        waive: vec!["backup".to_owned()],
    });
    drive
}

pub fn sessions() -> Vec<(&'static str, Drive)> {
    vec![
        ("host", host()),
        ("patch", patch()),
        ("people", people()),
        ("rounds", rounds()),
        ("lease", lease()),
        ("tolerated", tolerated()),
        ("held_up", held_up()),
        ("restored", restored()),
        ("looked_up", looked_up()),
        ("ladder", ladder()),
        ("put_off", put_off()),
        ("one_more", one_more()),
        ("consented", consented()),
    ]
}
