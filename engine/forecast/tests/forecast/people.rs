//! Approvers, absences and stand-ins.

use super::{base, of};
use hostler_forecast::{Approver, Input, Moment};
use jiff::civil::Date;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Away all the time that the approval is open.
fn away() -> Vec<(Date, Date)> {
    vec![(day("2026-10-01"), day("2026-10-31"))]
}

fn approver(person: &str, stand_ins: &[&str]) -> Approver {
    Approver {
        person: person.to_owned(),
        absences: away(),
        stand_ins: stand_ins
            .iter()
            .map(|one| ((*one).to_owned(), Vec::new()))
            .collect(),
    }
}

fn possible(quorum: u32, people: Vec<Approver>) -> Option<Moment> {
    let mut input: Input = base();
    input.approvers.quorum = quorum;
    input.approvers.people = people;
    of(&input).approval.unwrap().possible_from
}

#[test]
fn a_stand_in_speaks_for_one_person_only() {
    let both = || vec![approver("a", &["s"]), approver("b", &["s"])];
    assert!(possible(1, both()).is_some());
    assert_eq!(possible(2, both()), None);
    let other = vec![approver("a", &["s"]), approver("b", &["s", "t"])];
    assert!(possible(2, other).is_some());
}

/// Whoever is tried first must make room for the one that has no other way.
#[test]
fn stand_ins_are_shared_out_so_that_most_have_a_voice() {
    let people = vec![
        approver("a", &["s", "t"]),
        approver("b", &["s"]),
        approver("c", &["t", "u"]),
    ];
    assert!(possible(3, people).is_some());
    let people = vec![
        approver("a", &["s"]),
        approver("b", &["s"]),
        approver("c", &["t", "u"]),
    ];
    assert_eq!(possible(3, people), None);
}

#[test]
fn somebody_who_comes_back_counts_from_that_day() {
    let mut back = approver("a", &[]);
    back.absences = vec![(day("2026-10-10"), day("2026-10-15"))];
    let from = possible(1, vec![back]).unwrap();
    assert_eq!(from.0.to_string(), "2026-10-16T05:00:00Z");
}

#[test]
fn the_approval_is_due_when_the_first_notice_leaves() {
    let forecast = of(&base());
    let approval = forecast.approval.unwrap();
    let due = approval.due_by.unwrap();
    assert_eq!(Some(due), forecast.customers[0].notice_by);
    // A week before Thursday at 02:00 in Chicago.
    assert_eq!(due.0.to_string(), "2026-10-15T07:00:00Z");
    let reminder = forecast.customers[0].reminders[0];
    assert_eq!(reminder.0.to_string(), "2026-10-20T07:00:00Z");
}

#[test]
fn a_customer_sees_nothing_of_another() {
    let mut input: Input = base();
    input
        .customers
        .insert("phys".to_owned(), super::customer("Physics"));
    for number in 2..=6 {
        let mut one = super::asset(&format!("web{number}"));
        one.customer = if number > 3 { "phys" } else { "chem" }.to_owned();
        input.assets.push(one);
    }
    input.assets[1].windows.clear();
    input.assets[5].windows.clear();
    input
        .customers
        .get_mut("phys")
        .unwrap()
        .disruptions_per_month = Some(0);
    input.waves[0].take = Some(hostler_core::definition::WaveLimit::Count(4));
    let all = of(&input);
    assert_eq!(all.conflicts.len(), 3, "{:?}", all.conflicts);
    assert!(all.clone().of_customer("nobody").is_none());
    let chem = all.clone().of_customer("chem").unwrap();
    assert_eq!((chem.waves[0].planned, chem.waves[0].held), (2, 1));
    let subjects: Vec<&str> = chem
        .conflicts
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    assert_eq!(subjects, ["customer chem"]);
    let text = hostler_forecast::render::json(&chem).unwrap();
    for other in ["phys", "Physics", "web4", "web5", "web6"] {
        assert!(!text.contains(other), "{other}");
    }
    let phys = all.of_customer("phys").unwrap();
    let waves = phys
        .conflicts
        .iter()
        .find(|one| one.subject == "the waves")
        .unwrap();
    assert_eq!((waves.assets.len(), waves.assets_total), (2, 2));
}
