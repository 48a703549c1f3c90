//! What must fit into a window, over a small estate: histories first, then what policies assume, then timeouts.
//!
//! Not here: windows.

use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::{Definition, Do, Policy, Program, Step, Verb, Wait, WaitUntil};
use hostler_core::expression::Dynamic;
use hostler_core::fit::{
    Basis, Histories, History, Lengths, Need, history_document, kind, need, need_of,
};
use hostler_core::id::Digest;
use hostler_core::lane::UndoEntry;
use hostler_estate::policies::{self, Policies};
use hostler_estate::{Estate, Known, load};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const ESTATE: &str = r#"
realm: main
zone: UTC
customers:
  chem: { name: Chem, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
connections:
  one: { plugin: ssh, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, via: { guest: one } }
  big1: { customer: chem, kind: physical, os: debian-13, via: { guest: one } }
"#;
const MINUTE: u64 = 60_000;

fn estate(fit: &str) -> Estate {
    let read = |_: &str| Ok(ESTATE.to_owned());
    let estate = load(&["estate.yaml"], &read, &Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    let read = |_: &str| Ok(fit.to_owned());
    let read = policies::load(&["fit.yaml"], &read, &policies::Known::default());
    let policies: Policies = read.unwrap_or_else(|faults| panic!("{faults}"));
    estate.under(policies)
}

fn call(action: &str, effect: Effect, impact: Impact, minutes: u64) -> Verb {
    Verb::Do(Do {
        action: action.to_owned(),
        with: Dynamic::null(),
        effect,
        impact,
        needs_asset: true,
        timeout_ms: minutes * MINUTE,
    })
}

fn step(id: &str, verb: Verb, undo: &[Verb]) -> Step {
    let undo = undo.iter().cloned();
    Step {
        undo: undo.map(|verb| Step::bare("undo", verb)).collect(),
        ..Step::bare(id, verb)
    }
}

fn change(action: &str, minutes: u64) -> Verb {
    call(action, Effect::Repeatable, Impact::Change, minutes)
}

fn outage(action: &str, minutes: u64) -> Verb {
    call(action, Effect::Once, Impact::Outage, minutes)
}

/// A look, a silence, a wait, a patch that can be taken back in two ways, a reboot, and a look behind it all.
fn program() -> Program {
    let looks = || call("guest.fingerprint", Effect::Read, Impact::None, 5);
    let waits = Verb::Wait(Wait {
        until: WaitUntil::For(Dynamic::Literal(json!("3m"))),
    });
    Program {
        steps: vec![
            step("before", looks(), &[]),
            step(
                "quiet",
                change("guest.silence", 1),
                &[change("guest.unsilence", 2)],
            ),
            step("settle", waits, &[]),
            step(
                "patch",
                outage("guest.patch", 90),
                &[outage("guest.revert", 60), outage("guest.undo", 70)],
            ),
            step("boot", outage("guest.reboot", 30), &[]),
            step("after", looks(), &[]),
            step("late", change("guest.tidy", 40), &[]),
        ],
        ..Program::default()
    }
}

fn history(action: &str, kind: &str, minutes: u64, times: usize) -> (String, History) {
    let lasted_ms = vec![minutes * MINUTE; times];
    (history_document(action, kind), History { lasted_ms })
}

fn asked(fit: &str, asset: &str, from: usize, histories: &Histories) -> Option<Need> {
    let estate = estate(fit);
    need(
        &program(),
        from,
        &[],
        &Lengths::of(&estate, asset, histories),
    )
}

fn minutes(need: &Need) -> (u64, u64) {
    (need.steps_ms() / MINUTE, need.back_ms() / MINUTE)
}

#[test]
fn all_that_is_ahead_up_to_the_last_outage_counts_with_what_takes_back_the_most() {
    let none = Histories::new();
    let at = |from| asked("", "web1", from, &none).map(|need| minutes(&need));
    // 1 + 3 + 90 + 30, and 2 + the longer one of the ways back.
    assert_eq!(at(0), Some((124, 72)));
    assert_eq!(at(1), Some((124, 72)));
    assert_eq!(at(3), Some((120, 70)));
    assert_eq!(at(4), Some((30, 0)));
    assert_eq!(at(5), None, "nothing disturbs behind the reboot");
    let estate = estate("");
    let lengths = Lengths::of(&estate, "web1", &none);
    let begun = [1, 3].map(|step| UndoEntry { step, child: None });
    let later = need(&program(), 4, &begun, &lengths).unwrap();
    assert_eq!(
        minutes(&later),
        (30, 72),
        "what was begun may be taken back"
    );
    let again = need(&program(), 3, &begun, &lengths).unwrap();
    assert_eq!(minutes(&again), (120, 72), "and each step once");
    let mut program = program();
    program.steps[3].no_return = true;
    let kept = need(&program, 0, &[], &lengths).unwrap();
    assert_eq!(minutes(&kept), (124, 72), "it may fail before it returns");
    program.steps[4].undo = vec![Step::bare("undo", outage("guest.undo", 70))];
    let kept = need(&program, 0, &[], &lengths).unwrap();
    assert_eq!(minutes(&kept), (124, 72), "nothing before it is taken back");
}

#[test]
fn a_history_is_that_of_the_plugin_and_kind_of_the_server() {
    let virtual_kind = kind("ssh", Some(&json!({ "kind": "virtual" })));
    assert_eq!(virtual_kind, "ssh/virtual");
    let histories = Histories::from([
        history("guest.patch", &virtual_kind, 20, 12),
        history("guest.reboot", &virtual_kind, 2, 9),
    ]);
    let web = asked(
        "fit: { actions: { guest.reboot: 5m }, verbs: { wait: 50m } }",
        "web1",
        3,
        &histories,
    );
    let web = web.unwrap();
    assert_eq!(minutes(&web), (25, 70));
    let basis: Vec<Basis> = web.steps.iter().map(|part| part.estimate.basis).collect();
    let measured = Basis::Measured {
        percent: 95,
        runs: 12,
    };
    assert_eq!(basis, [measured, Basis::Assumed]);
    assert_eq!(
        web.says(Some(30 * MINUTE + 59_000)),
        "needs 25m (guest.patch 20m, p95 of 12 runs; guest.reboot 5m, assumed) and 1h10m to take back (guest.undo \
         1h10m, its timeout), 30m are left"
    );
    assert_eq!(web.longest().unwrap().action, "guest.undo");
    let big = asked("", "big1", 3, &histories).unwrap();
    assert_eq!(minutes(&big), (120, 70), "another kind has its own");
    let plain = estate("");
    let names = Lengths::of(&plain, "web1", &histories).documents(&program());
    assert!(
        names.contains("lasted:guest.patch:ssh/virtual"),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.contains("fingerprint")),
        "{names:?}"
    );
}

#[test]
fn a_verb_takes_the_time_that_policies_give_it_and_a_wait_its_own() {
    let mut program = program();
    program.steps.insert(
        3,
        Step::bare(
            "free",
            Verb::Release {
                lease: "x".to_owned(),
            },
        ),
    );
    let none = Histories::new();
    let total = |fit: &str| {
        let estate = estate(fit);
        let found = need(&program, 2, &[], &Lengths::of(&estate, "web1", &none));
        found.unwrap().steps_ms() / MINUTE
    };
    assert_eq!(total(""), 123);
    assert_eq!(total("fit: { verbs: { release: 7m } }"), 130);
}

#[test]
fn a_program_needs_what_the_longest_of_those_it_opens_needs() {
    let definition = Definition {
        format: 1,
        runbook: "patch".to_owned(),
        version: 1,
        title: "Patch".to_owned(),
        owner: "os".to_owned(),
        source: Digest([0; 32]),
        policy: Policy {
            class: "planned".to_owned(),
            start: Vec::new(),
            four_eyes: true,
            withdraw: Vec::new(),
        },
        needs: BTreeMap::new(),
        inputs: BTreeMap::new(),
        outputs: BTreeMap::new(),
        spend: BTreeSet::new(),
        programs: vec![Program::default(), program()],
        templates: BTreeMap::new(),
    };
    let (estate, none) = (estate(""), Histories::new());
    let lengths = Lengths::of(&estate, "web1", &none);
    assert_eq!(need_of(&definition, 0, &lengths), None);
    let own = need_of(&definition, 1, &lengths).unwrap();
    assert_eq!(minutes(&own), (124, 72));
}
