//! One case for each code: what must be said of it, with its remedy.

use super::{DAY, HOUR, MINUTE, asset, base, customer, freeze, of, wave, window};
use hostler_calendar::deadline::Lead;
use hostler_calendar::window::Length;
use hostler_core::definition::{Ramp, WaveLimit};
use hostler_forecast::{Budget, Code, Duration, Group, Input, Outcome};
use std::collections::BTreeSet;

pub struct Case {
    pub code: Code,
    pub change: fn(&mut Input),
    pub subject: &'static str,
    /// Parts of what is said.
    pub what: &'static [&'static str],
    pub remedy: &'static str,
    /// The assets that it names.
    pub assets: &'static [&'static str],
    /// What becomes of `web1`: none, it is planned all the same.
    pub held: Option<Code>,
}

pub const fn case(code: Code, change: fn(&mut Input)) -> Case {
    Case {
        code,
        change,
        subject: "",
        what: &[],
        remedy: "",
        assets: &["web1"],
        held: Some(code),
    }
}

fn only(input: &mut Input, id: &str, rule: &str, at: &str, lasts_ms: u64) {
    let (id, window) = window(id, rule, at, Length::Elapsed(lasts_ms));
    input.windows.insert(id.clone(), window);
    for asset in &mut input.assets {
        asset.windows = BTreeSet::from([id.clone()]);
    }
}

fn add(input: &mut Input, count: usize) {
    let present = input.assets[0].clone();
    input.assets.extend((2..=count).map(|number| {
        let mut more = present.clone();
        more.id = format!("web{number}");
        more
    }));
}

fn cases() -> Vec<Case> {
    vec![
        super::consent::too_late(),
        Case {
            subject: "customer chem",
            what: &["it has no window"],
            remedy: "give it a `window`",
            ..case(Code::NoWindow, |input| input.assets[0].windows.clear())
        },
        Case {
            subject: "wave rest, window first",
            what: &[
                "after the wave opens Thu 2026-10-22 00:00 -05:00",
                "before the next cycle begins Tue 2026-11-10 18:00 -06:00",
            ],
            remedy: "choose a window that opens more often",
            ..case(Code::NeverOpens, |input| {
                only(input, "first", "third monday", "02:00", 4 * HOUR)
            })
        },
        Case {
            subject: "customer chem, window nightly",
            what: &["is frozen (audit)", "the first Thu 2026-10-22 02:00 -05:00"],
            remedy: "add a window after the freeze",
            ..case(Code::Frozen, |input| {
                input
                    .freezes
                    .extend([freeze("audit", "2026-10-20T00:00", "2026-11-12T00:00")]);
                input.assets[0].freezes.insert("audit".to_owned());
            })
        },
        Case {
            subject: "window nightly",
            what: &["steps and rollback need 5h", "the longest opening is 4h"],
            remedy: "make the window longer",
            ..case(Code::TooLong, |input| {
                input.durations.assumed = Duration {
                    steps_ms: 3 * HOUR,
                    rollback_ms: 2 * HOUR,
                };
            })
        },
        Case {
            subject: "customer chem",
            // Asked on Wednesday at 06:00, it is lawful a week later; the wave would have opened that night.
            what: &[
                "for Tue 2026-10-20 02:00 -05:00",
                "had to leave by Tue 2026-10-13 02:00 -05:00",
                "asked for Wed 2026-10-14 06:00 -05:00",
            ],
            remedy: "publish a yearly calendar for its ring",
            held: None,
            ..case(Code::Lead, |input| input.waves[0].opens_days = Some(7))
        },
        Case {
            subject: "customer chem",
            what: &[
                "had to leave by Fri 2026-10-09 09:00 -05:00",
                "asked for Tue 2026-10-13 18:00 -05:00",
            ],
            remedy: "let the wave open later",
            ..case(Code::Lead, |input| {
                only(input, "once", "fourth thursday", "09:00", 4 * HOUR);
                input.anchor.prepared_ms = 0;
                input.terms.lead = Lead::BusinessDays(9);
            })
        },
        Case {
            subject: "wave rest, window short",
            what: &["its window and 1 further ones are too short for all"],
            remedy: "raise `at_once`",
            assets: &["web3", "web4"],
            held: None,
            ..case(Code::OverflowUsed, |input| {
                only(input, "short", "daily", "02:00", HOUR);
                add(input, 4);
                input.at_once.ramp = Ramp::Fixed(1);
                input.overflow.at_most = 1;
            })
        },
        Case {
            subject: "wave rest, window weekly",
            what: &["the next cycle begins"],
            remedy: "spread the servers over more windows",
            assets: &["web4"],
            held: None,
            ..case(Code::NoRoom, |input| {
                only(input, "weekly", "sunday", "02:00", HOUR);
                add(input, 4);
                input.at_once.ramp = Ramp::Fixed(1);
                input.overflow.at_most = 9;
            })
        },
        Case {
            subject: "group pair",
            what: &[
                "its 2 members have only the window short",
                "need 1h40m",
                "the longest opening is 1h30m",
            ],
            remedy: "give them different windows",
            assets: &["web1", "web2"],
            held: None,
            ..case(Code::PairTooLong, |input| {
                only(input, "short", "daily", "02:00", 90 * MINUTE);
                input.assets[0].group = Some("pair".to_owned());
                add(input, 2);
            })
        },
        Case {
            subject: "group pair",
            what: &["2 of its 2 members must stay up"],
            remedy: "lower `keep_up`",
            ..case(Code::KeepsAll, |input| {
                input.groups.insert(
                    "pair".to_owned(),
                    Group {
                        members: 2,
                        keep_up: 2,
                    },
                );
                input.assets[0].group = Some("pair".to_owned());
            })
        },
        Case {
            subject: "wave rest",
            what: &[
                "it opens Fri 2026-10-23 00:00 -05:00, but early is watched until Sun 2026-10-25 02:40 -05:00",
            ],
            remedy: "shorten the soak of early (3d)",
            assets: &[],
            held: None,
            ..case(Code::SoakOverlap, |input| {
                add(input, 2);
                input.waves = vec![wave("early", 9, 3 * DAY), wave("rest", 10, 0)];
                input.waves[0].take = Some(WaveLimit::Count(1));
            })
        },
        Case {
            subject: "wave rest",
            what: &["it opens Tue 2026-11-17 00:00 -06:00, when the next cycle has begun"],
            remedy: "let it open earlier",
            ..case(Code::WaveTooLate, |input| {
                input.waves[0].opens_days = Some(35)
            })
        },
        Case {
            subject: "the waves",
            what: &["no wave takes it"],
            remedy: "end `order` with a wave",
            ..case(Code::NoWave, |input| {
                input.waves[0].matches = Some("ring=canary".to_owned())
            })
        },
        Case {
            subject: "the approval",
            what: &[
                "too few of role:change-board are there from Wed 2026-10-14 06:00 -05:00",
                "expires Mon 2026-10-19 06:00 -05:00",
            ],
            remedy: "name stand-ins",
            assets: &[],
            held: None,
            ..case(Code::ApproversAway, |input| {
                for approver in &mut input.approvers.people {
                    approver.absences =
                        vec![("2026-10-01".parse().unwrap(), "2026-10-19".parse().unwrap())];
                }
            })
        },
        Case {
            subject: "customer chem",
            what: &[
                "for Thu 2026-10-22 02:00 -05:00 the notice had to leave by Thu 2026-10-15 02:00 -05:00",
                "there only from Sat 2026-10-17 00:00 -05:00",
            ],
            remedy: "name a stand-in",
            held: None,
            ..case(Code::ApprovalLate, |input| {
                for approver in &mut input.approvers.people {
                    approver.absences =
                        vec![("2026-10-01".parse().unwrap(), "2026-10-16".parse().unwrap())];
                }
            })
        },
        Case {
            subject: "the approval",
            what: &["3 of role:change-board must approve, 2 could"],
            remedy: "give more people role:change-board",
            assets: &[],
            held: None,
            ..case(Code::NoApprover, |input| input.approvers.quorum = 3)
        },
        Case {
            subject: "customer chem",
            what: &["no contact for notices"],
            remedy: "add a person with the role `notices`",
            ..case(Code::NobodyToTell, |input| {
                input.customers.get_mut("chem").unwrap().contacts.clear()
            })
        },
        Case {
            subject: "customer chem",
            what: &[
                "in the 90 days before the notice: ada (confirmed 2026-07-15), bo (never confirmed)",
            ],
            remedy: "write the date to `confirmed`",
            ..case(Code::StaleContact, |input| {
                let contacts = &mut input.customers.get_mut("chem").unwrap().contacts;
                // Day 91; on day 90 it would be fresh.
                contacts[0].confirmed = Some("2026-07-15".parse().unwrap());
                contacts[1].confirmed = None;
            })
        },
        Case {
            subject: "customer chem, 2026-10",
            what: &["2 windows with disruptions, 1 are agreed upon"],
            remedy: "put its servers into fewer windows",
            assets: &[],
            held: None,
            ..case(Code::Budget, |input| {
                add(input, 2);
                input.at_once.ramp = Ramp::Fixed(1);
                only(input, "short", "daily", "02:00", HOUR);
                input
                    .customers
                    .get_mut("chem")
                    .unwrap()
                    .disruptions_per_month = Some(1);
            })
        },
        Case {
            subject: "customer chem, budget usual",
            what: &["2 disruptions and", "1 disruption in 30d are granted"],
            remedy: "`hostler budget allow`",
            held: None,
            assets: &["web2"],
            ..case(Code::Budget, |input| {
                add(input, 2);
                let customer = input.customers.get_mut("chem").unwrap();
                customer.budgets.push(Budget {
                    name: "usual".to_owned(),
                    disruptions: Some(1),
                    downtime_ms: None,
                    within_ms: Some(30 * 24 * HOUR),
                });
            })
        },
        Case {
            subject: "customer chem, high",
            what: &[
                "no legal slot before its 14-day deadline Tue 2026-10-27 18:00 -05:00",
                "the last window before it opens Sun 2026-10-18 02:00 -05:00, its notice had to leave by Sun 2026-10-11 02:00 -05:00",
            ],
            remedy: "use an expedited class",
            held: None,
            ..case(Code::Deadline, |input| {
                input.assets[0].severity = Some("high".to_owned());
                only(input, "twice", "third sunday", "02:00", HOUR);
                let (other, windows) =
                    window("month-end", "last day", "02:00", Length::Elapsed(HOUR));
                input.assets[0].windows.insert(other.clone());
                input.windows.insert(other, windows);
            })
        },
    ]
}

#[test]
fn every_conflict_is_told_with_its_remedy() {
    for case in cases() {
        let mut input = base();
        (case.change)(&mut input);
        let forecast = of(&input);
        let all = &forecast.conflicts;
        let found = all.iter().find(|one| one.code == case.code);
        let found = found.unwrap_or_else(|| panic!("{} is not told: {all:#?}", case.code));
        assert_eq!(found.subject, case.subject, "{}", case.code);
        for part in case.what {
            assert!(
                found.what.contains(part),
                "{}: {:?} is not in {:?}",
                case.code,
                part,
                found.what
            );
        }
        assert!(
            found.remedy.contains(case.remedy),
            "{}: {}",
            case.code,
            found.remedy
        );
        assert_eq!(found.assets, case.assets, "{}", case.code);
        assert_eq!(found.assets_total, case.assets.len(), "{}", case.code);
        let held = match &super::row(&forecast, "web1").outcome {
            Outcome::Held { code, why } => {
                assert!(why.contains(&found.remedy), "{why}");
                Some(*code)
            }
            Outcome::Planned { .. } => None,
        };
        assert_eq!(held, case.held, "{}", case.code);
    }
}

#[test]
fn no_code_is_without_a_case() {
    let told: BTreeSet<Code> = cases().into_iter().map(|case| case.code).collect();
    let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(told, all);
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(names.len(), Code::ALL.len());
}

#[test]
fn nothing_stands_in_the_way_of_the_base() {
    let forecast = of(&base());
    assert_eq!(forecast.conflicts, []);
    assert_eq!(
        super::planned(&forecast, "web1"),
        "Thu 2026-10-22 02:00 -05:00 to Thu 2026-10-22 02:40 -05:00"
    );
}

#[test]
fn conflicts_beyond_the_limit_are_counted() {
    let mut input = base();
    input.assets.clear();
    for number in 0..250 {
        let name = format!("c{number:03}");
        let mut nobody = customer(&name);
        nobody.contacts.clear();
        input.customers.insert(name.clone(), nobody);
        let mut one = asset(&format!("a{number:03}"));
        one.customer = name;
        input.assets.push(one);
    }
    let forecast = of(&input);
    assert_eq!(
        (forecast.conflicts.len(), forecast.conflicts_left_off),
        (200, 50)
    );
    assert_eq!(forecast.assets.len(), 250);
}
