//! Who may do what, as a table.
//!
//! Not here: the rules.

use super::*;

fn subject(held: &[&str]) -> Subject {
    Subject {
        person: "pat".into(),
        qualifies: held.iter().map(ToString::to_string).collect(),
        via: "api".into(),
        stands_in: Vec::new(),
    }
}

fn policy() -> Policy {
    Policy {
        class: "standard-patch".into(),
        start: vec!["operator".into(), "scheduler".into()],
        four_eyes: true,
        withdraw: vec!["customer:chemistry".into()],
    }
}

#[test]
fn rules_hold_and_nothing_else_does() {
    let policy = policy();
    let clauses = [Clause {
        any_of: vec!["role:change-board".into()],
        at_least: 1,
    }];
    let others = ["ada".to_owned()];
    let chemistry = Resource::Contacts {
        customer: "chemistry",
        people: &others,
    };
    let (runbook, question) = (Resource::Runbook(&policy), Resource::Question(&clauses));
    let (run, own) = (
        Resource::Run {
            starter: "olga",
            policy: &policy,
        },
        Resource::Run {
            starter: "pat",
            policy: &policy,
        },
    );
    let cases: &[(&[&str], Action, Resource<'_>, bool)] = &[
        (&[], Action::WhoAmI, Resource::Realm, true),
        (&[], Action::ReadRuns, Resource::Realm, false),
        (
            &["customer:chemistry"],
            Action::ReadRuns,
            Resource::Realm,
            false,
        ),
        (&["role:viewer"], Action::ReadRuns, Resource::Realm, true),
        (&["role:viewer"], Action::ReadLedger, Resource::Realm, false),
        (&["role:auditor"], Action::ReadLedger, Resource::Realm, true),
        (&["role:viewer"], Action::ReadBudgets, Resource::Realm, true),
        (
            &["customer:chemistry"],
            Action::ReadBudgets,
            Resource::Realm,
            false,
        ),
        (&["customer:chemistry"], Action::Defer, chemistry, true),
        (&["customer:physics"], Action::Defer, chemistry, false),
        (&["role:operator"], Action::Defer, chemistry, false),
        (&["role:operator"], Action::DeferFor, chemistry, true),
        (&["role:viewer"], Action::DeferFor, chemistry, false),
        (&["customer:chemistry"], Action::DeferFor, chemistry, false),
        (&["customer:chemistry"], Action::Consent, chemistry, true),
        (&["customer:physics"], Action::Consent, chemistry, false),
        (&["role:operator"], Action::Consent, chemistry, false),
        (&["role:operator"], Action::ConsentFor, chemistry, true),
        (&["role:viewer"], Action::ConsentFor, chemistry, false),
        (
            &["customer:chemistry"],
            Action::ConsentFor,
            chemistry,
            false,
        ),
        (
            &["customer:chemistry"],
            Action::Defer,
            Resource::Realm,
            false,
        ),
        (
            &["role:viewer"],
            Action::ReadDurations,
            Resource::Realm,
            true,
        ),
        (
            &["customer:x"],
            Action::ReadDurations,
            Resource::Realm,
            false,
        ),
        (&["role:viewer"], Action::Overdraw, Resource::Realm, false),
        (&["role:operator"], Action::Overdraw, Resource::Realm, true),
        (&["role:viewer"], Action::ReadStore, Resource::Realm, true),
        (
            &["role:viewer"],
            Action::ControlSchedules,
            Resource::Realm,
            false,
        ),
        (
            &["role:operator"],
            Action::ControlSchedules,
            Resource::Realm,
            true,
        ),
        (&["customer:x"], Action::ReadStore, Resource::Realm, false),
        (
            &["role:operator"],
            Action::KeepStore,
            Resource::Realm,
            false,
        ),
        (&["role:auditor"], Action::KeepStore, Resource::Realm, false),
        (&["role:admin"], Action::KeepStore, Resource::Realm, true),
        (&["feed:x"], Action::ReadFeed, Resource::Customer("x"), true),
        (
            &["feed:x"],
            Action::ReadFeed,
            Resource::Customer("y"),
            false,
        ),
        (&["feed:x"], Action::ReadRuns, Resource::Realm, false),
        (
            &["customer:x"],
            Action::ReadFeed,
            Resource::Customer("x"),
            true,
        ),
        (
            &["customer:x"],
            Action::ReadFeed,
            Resource::Customer("y"),
            false,
        ),
        (
            &["role:viewer"],
            Action::ReadFeed,
            Resource::Customer("y"),
            true,
        ),
        (&["role:viewer"], Action::ReadFeed, Resource::Realm, false),
        (&[], Action::Mute, Resource::Person("pat"), true),
        (&[], Action::ReadMutes, Resource::Person("pat"), true),
        (
            &["customer:x"],
            Action::Mute,
            Resource::Person("ada"),
            false,
        ),
        (
            &["customer:x"],
            Action::ReadMutes,
            Resource::Person("ada"),
            false,
        ),
        (
            &["role:viewer"],
            Action::ReadMutes,
            Resource::Person("ada"),
            true,
        ),
        (
            &["role:viewer"],
            Action::Mute,
            Resource::Person("ada"),
            false,
        ),
        (
            &["role:operator"],
            Action::Mute,
            Resource::Person("ada"),
            true,
        ),
        (&["role:operator"], Action::Mute, Resource::Realm, false),
        (&["role:operator"], Action::StartRun, runbook, true),
        (&["role:viewer"], Action::StartRun, runbook, false),
        (&["role:operator"], Action::StartRun, Resource::Realm, false),
        (&["role:viewer"], Action::ControlRun, run, false),
        (&[], Action::ControlRun, own, true),
        (&["role:operator"], Action::ControlRun, run, true),
        (&["customer:chemistry"], Action::CancelRun, run, true),
        (&["customer:physics"], Action::CancelRun, run, false),
        (&["customer:chemistry"], Action::ControlRun, run, false),
        (&["role:change-board"], Action::Decide, question, true),
        (&["role:admin"], Action::Decide, question, false),
        (
            &["role:change-board"],
            Action::Decide,
            Resource::Realm,
            false,
        ),
        (&["role:change-board"], Action::ReadWaiting, question, true),
        (
            &["customer:chemistry"],
            Action::ReadWaiting,
            question,
            false,
        ),
    ];
    for (held, action, resource, allow) in cases {
        let decision = authorize(&subject(held), *action, *resource);
        assert_eq!(decision.allow, *allow, "{held:?} {action:?} {resource:?}");
    }
}

#[test]
fn whoever_has_the_notices_may_put_off_and_nobody_elses_contact() {
    let people = ["pat".to_owned()];
    let own = Resource::Contacts {
        customer: "chemistry",
        people: &people,
    };
    assert!(authorize(&subject(&[]), Action::Defer, own).allow);
    let nobody = Resource::Contacts {
        customer: "physics",
        people: &[],
    };
    assert!(!authorize(&subject(&[]), Action::Defer, nobody).allow);
}
