//! Every runbook's scenarios, and what the scaffolds make of them: a new case is a new file in
//! `workflows/<runbook>/scenarios/`, no Rust.

mod budgets;
mod clocks;
mod customers;
mod debts;
mod deferrals;
mod fit;
mod gates;
mod leases;
mod ledger;
mod overflow;
mod overtaken;
mod owed;
mod proofs;
mod reboots;
mod signed;
pub mod stage;
mod step_up;

use hostler_core::contract::{Effect, Impact};
use hostler_rehearsal::reindex::made_anew;
use hostler_rehearsal::scaffold::{
    Case, crash_after_each_commit, fail_each_step, freeze_before_each_commit, lose_each_answer,
    stop_during_each_call, unseen_repeats,
};
use hostler_rehearsal::{Answer, Ended, Outcome, Scenario, Stage, play, side_by_side};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// All scenario files of all runbooks.
fn files() -> Vec<PathBuf> {
    let workflows = stage::root().join("workflows");
    let mut files = Vec::new();
    for runbook in std::fs::read_dir(workflows).unwrap() {
        let folder = runbook.unwrap().path().join("scenarios");
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    assert!(!files.is_empty(), "no runbook has a scenario");
    files
}

fn scenarios() -> Vec<(String, Scenario)> {
    let named = |path: PathBuf| {
        let name = path
            .strip_prefix(stage::root())
            .unwrap()
            .display()
            .to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = Scenario::read(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        (name, scenario)
    };
    files().into_iter().map(named).collect()
}

/// The smallest good run of each runbook, by the runbook's name: what the scaffolds disturb.
pub fn good() -> Vec<(String, Scenario)> {
    let good = scenarios()
        .into_iter()
        .filter(|(name, _)| name.ends_with("/good.yaml"));
    good.map(|(_, scenario)| (scenario.runbook.clone(), scenario))
        .collect()
}

/// The good run of one runbook.
pub fn good_of(runbook: &str) -> Scenario {
    let good = good().into_iter().find(|(name, _)| name == runbook);
    good.unwrap_or_else(|| panic!("{runbook} has no good.yaml"))
        .1
}

#[tokio::test]
async fn every_scenario_ends_as_its_file_says() {
    let stage = stage::practice();
    let mut complaints = Vec::new();
    for (name, scenario) in scenarios() {
        match play(&stage, &scenario).await {
            Ok(outcome) => complaints.extend(
                outcome
                    .complaints
                    .iter()
                    .map(|line| format!("{name}: {line}")),
            ),
            Err(trouble) => complaints.push(format!("{name}: {trouble}")),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A disturbed run has a named end, and nothing happened twice unseen.
fn sound(case: &Case, effects: &BTreeMap<String, Effect>) -> Vec<String> {
    let live = |outcome: &Outcome| {
        let lanes = outcome.items.values().flat_map(|items| items.values());
        lanes
            .filter(|state| ["at", "running", "gated", "live"].contains(&state.as_str()))
            .count()
    };
    let mut faults = unseen_repeats(&case.outcome, effects);
    if live(&case.outcome) > 0 {
        faults.push(format!("{} lanes never ended", live(&case.outcome)));
    }
    faults.extend(
        case.outcome
            .complaints
            .iter()
            .filter(|line| line.contains("notice"))
            .cloned(),
    );
    faults
        .into_iter()
        .map(|fault| format!("{}: {fault}", case.what))
        .collect()
}

#[tokio::test]
async fn a_run_whose_step_fails_or_hangs_comes_to_a_named_end() {
    let stage = stage::practice();
    let effects = stage.effects();
    for (name, scenario) in good() {
        let cases = fail_each_step(&stage, &scenario).await.unwrap();
        assert!(cases.len() > 4, "{name}: only {} cases", cases.len());
        let faults: Vec<_> = cases
            .iter()
            .flat_map(|case| sound(case, &effects))
            .collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Every disturbed run is sound and ends as the undisturbed one.
fn same_end(scenario: &Scenario, cases: &[Case], effects: &BTreeMap<String, Effect>) {
    let mut faults: Vec<_> = cases.iter().flat_map(|case| sound(case, effects)).collect();
    let other = |case: &&Case| case.outcome.ended.state != scenario.expect.result;
    let named = |case: &Case| format!("{}: {:?}", case.what, case.outcome.ended);
    faults.extend(cases.iter().filter(other).map(named));
    assert!(
        !cases.is_empty() && faults.is_empty(),
        "{}",
        faults.join("\n")
    );
}

#[tokio::test]
async fn a_lost_answer_changes_nothing_about_the_end() {
    let stage = stage::practice();
    for (_, scenario) in good() {
        let cases = lose_each_answer(&stage, &scenario).await.unwrap();
        same_end(&scenario, &cases, &stage.effects());
    }
}

#[tokio::test]
async fn a_crash_after_any_commit_changes_nothing_about_the_end() {
    let stage = stage::practice();
    for (_, scenario) in good() {
        let cases = crash_after_each_commit(&stage, &scenario).await.unwrap();
        same_end(&scenario, &cases, &stage.effects());
    }
}

/// Whether any of these runs calls an action that disturbs.
fn disturbs(stage: &Stage, cases: &[Case]) -> bool {
    let actions = stage
        .contracts
        .iter()
        .flat_map(|contract| &contract.actions);
    let outages = actions.filter(|action| action.impact == Impact::Outage);
    let outages: BTreeSet<&str> = outages.map(|action| &*action.name).collect();
    let mut seen = cases.iter().flat_map(|case| &case.outcome.seen);
    seen.any(|seen| outages.contains(&*seen.action))
}

#[tokio::test]
async fn a_freeze_between_look_and_commit_lets_no_disturbing_call_begin() {
    let stage = stage::practice();
    for (name, scenario) in good() {
        let cases = freeze_before_each_commit(&stage, &scenario).await.unwrap();
        same_end(&scenario, &cases, &stage.effects());
        let complaints = cases.iter().flat_map(|case| &case.outcome.complaints);
        let began: Vec<_> = complaints.filter(|line| line.contains("freeze")).collect();
        assert!(began.is_empty(), "{name}: {began:?}");
        let held = |case: &&Case| {
            case.outcome
                .ledger
                .iter()
                .any(|line| line.contains("step_held"))
        };
        let held = cases.iter().filter(held).count();
        println!("{name}: a step was held in {held} of {} runs", cases.len());
        let few = if disturbs(&stage, &cases) {
            cases.len() / 4
        } else {
            0
        };
        assert!(held >= few, "{name}: {held} of {}", cases.len());
    }
}

#[tokio::test]
async fn a_lane_that_is_told_to_stop_while_it_calls_begins_no_other_step() {
    let stage = stage::practice();
    let effects = stage.effects();
    for (name, scenario) in good() {
        let cases = stop_during_each_call(&stage, &scenario, &["monitor.unsilence"])
            .await
            .unwrap();
        let began: Vec<_> = cases
            .iter()
            .flat_map(|case| {
                case.outcome
                    .complaints
                    .iter()
                    .map(|line| (&case.what, line))
            })
            .filter(|(_, line)| line.contains("behind the stop"))
            .collect();
        assert!(began.is_empty(), "{name}: {began:#?}");
        let faults: Vec<_> = cases
            .iter()
            .flat_map(|case| sound(case, &effects))
            .collect();
        assert!(cases.len() > 4 && faults.is_empty(), "{name}: {faults:#?}");
    }
}

/// A ticket that waited for a server's lock and for a slot at once once stood before the holder of
/// the lock at the slot: each waited for the other.
#[tokio::test]
async fn runs_over_the_same_servers_wait_for_each_other_and_all_end() {
    let stage = stage::practice();
    // Whoever answers for people here knows no dates, and orders are asked for them.
    for (name, mut scenario) in good()
        .into_iter()
        .filter(|(name, _)| name != "order-hardware")
    {
        // Lanes that wait while they hold the lock: others come and queue for it meanwhile.
        scenario.answers.insert(
            0,
            Answer {
                action: "guest-patch.apply".to_owned(),
                times: Some(4),
                retry: Some("the package manager is at work".to_owned()),
                ..Answer::default()
            },
        );
        let ended = side_by_side(&stage, &scenario, 3).await.unwrap();
        // What the first one has done leaves others nothing to do.
        let is_over = |ended: &Ended| ["succeeded", "nothing", "rejected"].contains(&&*ended.state);
        assert!(ended.iter().all(is_over), "{name}: {ended:?}");
        assert!(
            ended.iter().any(|ended| ended.state == "succeeded"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_lists_show_is_made_anew_from_the_logs_at_any_moment() {
    let stage = stage::practice();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let mut times = 0;
    for (name, scenario) in good() {
        let compared = made_anew(&stage, &scenario).await.unwrap();
        assert_eq!(compared.differences, Vec::<String>::new(), "{name}");
        times += compared.times;
        for (index, entries) in compared.met {
            let most = met.entry(index).or_default();
            *most = entries.max(*most);
        }
    }
    println!("{times} times all was made anew and the same; most entries: {met:?}");
    for index in ["runs", "waiting", "leases", "notices", "strays"] {
        assert!(met[index] > 0, "no scenario ever had an entry in {index}");
    }
}
