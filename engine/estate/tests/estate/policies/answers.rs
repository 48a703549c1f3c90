//! What the delivered set answers.

use super::{delivered, read};
use hostler_core::lane::StepUp;
use hostler_estate::policies::{
    Attributes, Consent, Cure, Duty, Impact, Known, Notice, Policies, Reached, Span,
};
use jiff::civil::date;

#[test]
fn a_ring_that_the_class_names_has_its_own_notice() {
    let read = delivered();
    let week = Notice::Lead(Span::Elapsed(7 * 86_400_000));
    assert_eq!(
        read.lead("standard-patch", Some("canary")),
        Some(Notice::Calendar)
    );
    assert_eq!(read.lead("standard-patch", Some("rest")), Some(week));
    assert_eq!(read.lead("standard-patch", None), Some(week));
    assert_eq!(
        read.lead("planned", Some("canary")),
        Some(Notice::Lead(Span::BusinessDays(5)))
    );
    assert_eq!(read.lead("emergency", None), Some(Notice::Lead(Span::NONE)));
    assert_eq!(read.lead("whenever", None), None);
}

#[test]
fn a_class_binds_what_it_names() {
    let read = delivered();
    assert!(read.binds("planned", Impact::Outage) && !read.binds("planned", Impact::Change));
    assert!(read.binds("planned-high", Impact::Change));
    assert_eq!(read.consent("emergency"), Some(Consent::NotifyOnly));
    assert_eq!(read.consent("whenever"), None);
}

#[test]
fn a_yes_needs_a_code_for_the_classes_of_which_a_file_says_so_and_for_no_other() {
    let read = delivered();
    assert_eq!(read.step_up("emergency"), Some(StepUp::Totp));
    assert_eq!(read.step_up("standard-patch"), None);
    assert_eq!(read.step_up("whenever"), None);
    assert_eq!(Policies::default().step_up("emergency"), None);
}

#[test]
fn a_reason_is_one_of_its_class_alone_with_its_text_and_its_exposure() {
    let read = delivered();
    let ids = |class: &str| -> Vec<String> {
        let reasons = read.reasons(class).into_iter();
        reasons.map(|reason| reason.id).collect()
    };
    assert_eq!(
        ids("emergency"),
        ["exploited", "exposed-critical", "security-order"]
    );
    assert_eq!(ids("expedited"), ["restored-old-state", "security-release"]);
    assert!(ids("planned").is_empty() && Policies::default().reasons("emergency").is_empty());
    let exposed = &read.reasons("emergency")[1];
    assert!(exposed.says.starts_with("Critical"), "{exposed:?}");
    assert_eq!(exposed.exposure.iter().collect::<Vec<_>>(), ["internet"]);
}

#[test]
fn what_reaches_everybody_is_what_the_file_says_or_the_default() {
    let default = Policies::default().must_have;
    assert_eq!(delivered().must_have, default);
    let more = "must_have: [scheduled, changed, cancelled, completed, emergency]";
    let more = read("p", &[("classes.yaml", more)], &Known::default());
    let more = more.unwrap_or_else(|faults| panic!("{faults}")).must_have;
    assert_eq!(more.difference(&default).collect::<Vec<_>>(), ["completed"]);
    let one = read(
        "p",
        &[("classes.yaml", "must_have: scheduled")],
        &Known::default(),
    );
    let one = one.unwrap_or_else(|faults| panic!("{faults}")).must_have;
    assert_eq!(one.into_iter().collect::<Vec<_>>(), ["scheduled"]);
}

/// The table of responsibilities: subject, system, data level, duty of the step, who owes it.
const DUTIES: &[(&str, &str, u8, Option<&str>, Duty)] = &[
    ("guest-patch.apply", "debian-13", 1, None, Duty::Platform),
    ("guest-patch.apply", "debian-13", 3, None, Duty::Refuse),
    ("guest-patch.apply", "windows-2025", 2, None, Duty::Platform),
    (
        "host-firewall.apply",
        "windows-2025",
        1,
        None,
        Duty::Customer,
    ),
    ("host-firewall.apply", "rhel-10", 1, None, Duty::Platform),
    ("host-firewall.apply", "netbsd-10", 1, None, Duty::Platform),
    ("mitigation.apply", "windows-2025", 1, None, Duty::Customer),
    ("mitigation.apply", "debian-13", 1, None, Duty::Platform),
    ("compute.disk-grow", "debian-13", 1, None, Duty::Platform),
    (
        "guest.fs-grow",
        "debian-13",
        1,
        Some("customer"),
        Duty::Customer,
    ),
    (
        "guest.fs-grow-commands",
        "debian-13",
        1,
        None,
        Duty::Platform,
    ),
    ("database", "debian-13", 1, None, Duty::Customer),
    (
        "tls-certificate",
        "debian-13",
        1,
        Some("platform"),
        Duty::Customer,
    ),
    (
        "ipam.reserve",
        "debian-13",
        1,
        Some("network"),
        Duty::Network,
    ),
    ("datacentre-firewall", "debian-13", 1, None, Duty::Security),
    ("payment", "debian-13", 1, None, Duty::Finance),
    ("handover", "debian-13", 1, Some("customer"), Duty::Customer),
    ("handover", "debian-13", 1, None, Duty::Refuse),
    ("guestbook.apply", "debian-13", 1, None, Duty::Refuse),
];

#[test]
fn the_first_row_that_fits_says_who_owes_a_step() {
    let read = delivered();
    for (subject, os, level, duty, expected) in DUTIES {
        let asked = Attributes {
            duty: duty.map(str::to_owned),
            service: Some("co-managed".to_owned()),
            kind: Some("virtual".to_owned()),
            os: Some((*os).to_owned()),
            os_family: None,
            data_level: Some(*level),
        };
        // The family as the estate would say it.
        let family = match os.split('-').next() {
            Some("debian") => "debian",
            Some("rhel") => "redhat",
            Some("windows") => "windows",
            _ => "other",
        };
        let asked = Attributes {
            os_family: Some(family.to_owned()),
            ..asked
        };
        let owed = read.duty(subject, &asked);
        assert_eq!(owed.duty, *expected, "{subject} on {os}: {}", owed.reason);
        assert_eq!(owed.reason, read.responsibilities[owed.row].reason);
    }
}

#[test]
fn what_is_not_known_of_an_asset_fits_only_rows_that_do_not_ask() {
    let read = delivered();
    let nothing = Attributes::default();
    assert_eq!(
        read.duty("guest-patch.apply", &nothing).duty,
        Duty::Platform
    );
    assert_eq!(
        read.duty("host-firewall.apply", &nothing).duty,
        Duty::Refuse
    );
}

#[test]
fn a_ladder_says_who_is_asked_when_and_when_it_denies() {
    let read = delivered();
    let climb = read.rungs("emergency", 1_000).unwrap();
    let from: Vec<i64> = climb.rungs.iter().map(|rung| rung.from_ms).collect();
    assert_eq!(from, [1_000, 901_000, 1_801_000, 2_701_000]);
    assert_eq!(climb.denies_ms, 3_601_000, "four rungs of 15 minutes");
    let Reached { who, channels, .. } = &climb.rungs[0];
    assert_eq!(*who, ["role:ciso", "role:oncall-manager", "owner"]);
    assert_eq!(*channels, ["mail"]);
    assert_eq!(read.rungs("nowhere", 0), None);
    assert_eq!(read.rungs("owner", i64::MAX).unwrap().denies_ms, i64::MAX);
}

#[test]
fn what_was_never_measured_is_assumed_by_action_contract_verb_and_default() {
    let read = delivered();
    for (name, minutes) in [
        ("guest-patch.apply", 45),
        ("guest-patch.freeze", 10),
        ("guest.resources", 30),
        ("monitor", 1),
        ("", 30),
    ] {
        let terms = read.fit(name);
        assert_eq!(terms.assumed_ms, Some(minutes * 60_000), "{name}");
        assert_eq!((terms.at_least, terms.percent), (10, 95));
    }
    assert_eq!(read.verb_ms("notify"), Some(60_000));
    assert_eq!(
        read.verb_ms("approve"),
        None,
        "nobody says how long people take"
    );
    let own = fitting("fit: { at_least: 3, percent: 80 }");
    let terms = own.fit("guest-patch.apply");
    assert_eq!((terms.at_least, terms.percent), (3, 80));
    assert_eq!(terms.assumed_ms, None, "it may take all of its timeout");
}

fn fitting(text: &str) -> Policies {
    let read = read("etc", &[("fit.yaml", text)], &Known::default());
    read.unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn whoever_is_absent_is_stood_in_for_on_these_dates_only() {
    let read = delivered();
    let who = |person: &'static str, day: i8| read.standing_in_for(person, date(2026, 12, day));
    assert!(
        !read.is_absent("carla", date(2026, 12, 23)) && read.is_absent("carla", date(2026, 12, 24))
    );
    assert!(
        read.is_absent("carla", date(2027, 1, 1)) && !read.is_absent("carla", date(2027, 1, 2))
    );
    assert!(!read.is_absent("olga", date(2026, 12, 24)));
    assert_eq!(
        who("carla", 23),
        Some("carla"),
        "without dates: while absent"
    );
    assert_eq!(who("carla", 24), Some("olga"));
    assert_eq!(who("sara", 20), Some("sara"));
    assert_eq!(who("sara", 21), Some("sam"), "with dates: on these dates");
    assert_eq!(who("sam", 21), Some("sam"));
}

fn staffed(text: &str) -> Policies {
    let read = read("etc", &[("roles.yaml", text)], &Known::default());
    read.unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_delegate_who_is_absent_is_stood_in_for_in_turn() {
    let policies = staffed(
        "delegates:
  - { person: a, delegate: b, from: 2026-12-01, until: 2026-12-31 }
  - { person: a, delegate: d }
  - { person: b, delegate: c }
  - { person: c, delegate: a, from: 2027-01-01 }
absences:
  - { person: b, from: 2026-12-10, until: 2026-12-20 }
  - { person: c, from: 2026-12-15, until: 2026-12-20 }
  - { person: a, from: 2026-12-18, until: 2026-12-20 }
  - { person: d, from: 2026-12-20, until: 2026-12-20 }",
    );
    let who = |day: i8| policies.standing_in_for("a", date(2026, 12, day));
    assert_eq!(who(9), Some("b"));
    assert_eq!(who(12), Some("c"), "b is absent, c stands in for b");
    assert_eq!(
        who(16),
        Some("a"),
        "nobody of the delegates is there: a decides"
    );
    assert_eq!(who(18), Some("d"), "a is absent too");
    assert_eq!(who(20), None, "nobody at all");
}

#[test]
fn delegates_count_on_their_dates_or_while_somebody_is_absent_and_hand_nothing_on() {
    let policies = staffed(
        "delegates:
  - { person: a, delegate: b, from: 2026-12-01, until: 2026-12-03 }
  - { person: b, delegate: c, from: 2026-12-01, until: 2026-12-31 }
  - { person: d, delegate: b }
absences:
  - { person: d, from: 2026-12-03, until: 2026-12-04 }",
    );
    let of = |delegate: &str, day: i8| {
        let found = policies.delegators(delegate, date(2026, 12, day));
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!((of("b", 1), of("b", 2)), ("a".into(), "a".into()));
    assert_eq!((of("b", 3), of("b", 4)), ("a d".into(), "d".into()));
    assert_eq!(of("b", 5), "", "the dates are over, and d is back");
    assert_eq!(of("c", 2), "b", "what a gave to b is not c's");
    assert_eq!((of("a", 2), of("d", 3)), (String::new(), String::new()));
    let delegates = policies.delegates("a", date(2026, 12, 3));
    assert_eq!(delegates.into_iter().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn delegations_that_never_meet_are_no_circle() {
    staffed(
        "delegates:
  - { person: a, delegate: b, until: 2026-12-09 }
  - { person: b, delegate: a, from: 2026-12-10 }",
    );
}

#[test]
fn dates_that_are_over_help_nobody_who_is_absent() {
    let policies = staffed(
        "delegates:
  - { person: a, delegate: b, until: 2026-12-09 }
absences:
  - { person: a, from: 2026-12-09, until: 2026-12-11 }",
    );
    let who = |day: i8| policies.standing_in_for("a", date(2026, 12, day));
    assert_eq!(who(9), Some("b"));
    assert_eq!(who(10), None);
    assert_eq!(who(12), Some("a"));
}

#[test]
fn a_debt_may_block_a_cure_when_there_is_another() {
    let text =
        "debts:\n  a: { says: x, due: 1d, blocks: planned, cured_by: [class:planned, answer] }";
    let read = read("etc", &[("debts.yaml", text)], &Known::default()).unwrap();
    let cures = [Cure::Class("planned".to_owned()), Cure::Answer];
    assert_eq!(read.debts["a"].cured_by, cures);
}
