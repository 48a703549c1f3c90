//! Closed gates against every door, for every runbook that disturbs: whoever starts a run, calls it or takes it
//! up again, no disturbing call begins outside its server's window, under a freeze, before its customer has
//! had the notice that was promised, or while others have spent the customer's budget of disruption.
//!
//! Not here: what a window, a freeze or a budget says at an instant (the estate's and the core's own tests).

use super::ledger::{gates_that_held, told};
use super::{good, stage};
use hostler_core::budget::{Disruption, Spent, budget_document};
use hostler_core::contract::Impact;
use hostler_core::definition::{Definition, Program, Verb};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::DocumentWrite;
use hostler_rehearsal::doors::{Door, behind};
use hostler_rehearsal::{Outcome, Scenario, Stage, Trouble};
use hostler_runbook::SourceFile;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The windows of the practice estate are open all the time; these open on Sundays, but on the first one
/// nothing may be disturbed.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 4h }"#;
const FREEZE: &str = "freezes:
  - { id: new-year, from: 2025-12-31, to: 2026-01-06, applies: \"service=co-managed\" }
windows:
";

/// Longer than the freeze, and its end is no Sunday. An emergency's is short; windows and freezes let it pass.
const CLASSES: &str = "classes:
  request: { lead: 20d }
  standard-patch: { lead: 20d }
  planned: { lead: 20d }
  expedited: { lead: 20d, unproven: hold }
  emergency: { lead: 3h, unproven: hold }
";
const EMERGENCY: &str = "emergency";
/// Where its step has failed, a technician who is not in the script takes the server out of the rack first.
const UNDONE_BY_HAND: &str = "order-hardware";
/// Its servers come weeks after the freeze, when what others have spent is forgotten, too.
const BEHIND_THE_FREEZE: &str = "order-hardware";
/// What may not wait for a window.
const FREE: [&str; 2] = [EMERGENCY, "expedited"];
const LEAD_MS: i64 = 20 * 86_400_000;
const EMERGENCY_LEAD_MS: i64 = 3 * 3_600_000;

/// When rehearsals begin: then somebody else has spent all of every customer's budget. It is forgotten between the first
/// Sunday behind the lead and the next one.
const BEGIN_MS: i64 = 1_767_225_600_000;
const GRANTED: u16 = 20;
const BUDGETS: &str = "budgets:\n  usual: { disruptions: 20, within: 28d }\n";
const WITHIN_MS: i64 = 28 * 86_400_000;

/// A gate that this stage closes, and which runbooks it must have held behind every door.
struct Gate {
    name: &'static str,
    holds: fn(&Disturbing) -> bool,
}

const GATES: [Gate; 4] = [
    Gate {
        name: "budget",
        holds: |step| step.class != EMERGENCY,
    },
    Gate {
        name: "freeze",
        holds: |step| step.class != EMERGENCY,
    },
    Gate {
        name: "notice",
        holds: |step| step.announced,
    },
    Gate {
        name: "window",
        holds: |step| !FREE.contains(&step.class.as_str()),
    },
];

/// A step that disturbs, or is done for one just before.
#[derive(Clone, Debug)]
struct Disturbing {
    class: String,
    /// Its customers are told before it.
    announced: bool,
}

type Steps = BTreeMap<(String, String), Disturbing>;

fn closed() -> Stage {
    let files = [
        ("budgets.yaml", BUDGETS),
        ("classes.yaml", CLASSES),
        ("fit.yaml", stage::QUICK),
    ];
    stage::ruled(&files, |text| {
        text.replace(OPEN, SUNDAYS).replace("windows:\n", FREEZE)
    })
}

/// What somebody else has spent of the budget of each customer.
fn spent(stage: &Stage) -> Vec<DocumentWrite> {
    let one = |number: u16| Disruption {
        asset: format!("another-{number}"),
        run: RunId(Default::default()),
        lane: LaneId(Default::default()),
        at_ms: BEGIN_MS,
        until_ms: BEGIN_MS,
        downtime_ms: 1,
        opening: None,
        begun: true,
        overdrew: Vec::new(),
    };
    let spent = Spent {
        disruptions: (0..GRANTED).map(one).collect(),
        allowed: Vec::new(),
    };
    let put = |customer: String| DocumentWrite {
        key: budget_document(&customer),
        body: Some(json!(spent).to_string()),
    };
    stage.directory.customers().into_iter().map(put).collect()
}

/// Steps of all runbooks, by runbook and id.
fn disturbing(stage: &Stage) -> Steps {
    let mut steps = BTreeMap::new();
    for row in stage.runbooks.list() {
        let definition = stage.runbooks.definition(&row.name, row.version).unwrap();
        for (index, program) in (0..).zip(&definition.programs) {
            let step = Disturbing {
                class: definition.policy.class.clone(),
                announced: definition.announcement(index).is_some(),
            };
            let ids = of_program(program);
            steps.extend(ids.map(|id| ((row.name.clone(), id), step.clone())));
        }
    }
    steps
}

/// What changes anything up to the last step that disturbs.
fn of_program(program: &Program) -> impl Iterator<Item = String> {
    let disturbs = |verb: &Verb| matches!(verb, Verb::Do(call) if call.impact == Impact::Outage);
    let changes = |verb: &Verb| matches!(verb, Verb::Do(call) if call.effect.mutates());
    let last = program.steps.iter().rposition(|step| disturbs(&step.verb));
    let ahead = program.steps.iter().take(last.map_or(0, |last| last + 1));
    ahead
        .filter(move |step| changes(&step.verb))
        .map(|step| step.id.to_string())
}

/// Disturbing calls, and those of them that began while a gate was closed.
fn calls(stage: &Stage, steps: &Steps, outcome: &Outcome) -> (usize, Vec<String>) {
    let told = told(outcome);
    let performed = outcome.seen.iter().filter(|seen| seen.entry == "perform");
    let calls = performed.filter_map(|seen| {
        let name = outcome.steps.get(&seen.key)?;
        let step = steps.get(&(name.runbook.clone(), name.step.clone()))?;
        Some((seen.asset.as_deref()?, step, seen))
    });
    let directory = &stage.directory;
    let wrong = calls.clone().filter_map(|(asset, step, seen)| {
        let closed = directory.closed(asset, &step.class, 1, seen.at_ms);
        let customer = directory.asset(asset)?["customer"].as_str()?.to_owned();
        let lead_ms = match step.class.as_str() {
            EMERGENCY => EMERGENCY_LEAD_MS,
            _ => LEAD_MS,
        };
        let in_time = told
            .get(&customer)
            .is_some_and(|told_ms| seen.at_ms >= told_ms + lead_ms);
        let early = step.announced && !in_time;
        let over = step.class != EMERGENCY && seen.at_ms < BEGIN_MS + WITHIN_MS;
        let closed = closed.map(|closed| closed.name());
        let over = over.then(|| format!("the budget of {customer} is spent"));
        let closed = closed.or(over);
        let why = closed.or_else(|| early.then(|| format!("{customer} was told too late")))?;
        let (action, at_ms) = (&seen.action, seen.at_ms);
        Some(format!("{action} on {asset} at {at_ms}: {why}"))
    });
    (calls.clone().count(), wrong.collect())
}

/// A run of one runbook through one door: how it ended, disturbing calls, gates that held.
struct Passed {
    ended: String,
    count: usize,
    wrong: Vec<String>,
    held: BTreeSet<String>,
    first: Option<String>,
}

async fn pass(
    stage: &Stage,
    scenario: &Scenario,
    door: Door,
    fails: &str,
) -> Result<Passed, Trouble> {
    let steps = disturbing(stage);
    let outcome = behind(stage, &spent(stage), scenario, door, fails).await?;
    let (count, wrong) = calls(stage, &steps, &outcome);
    let outages = stage
        .contracts
        .iter()
        .flat_map(|contract| &contract.actions);
    let outages: BTreeSet<_> = outages
        .filter(|action| action.impact == Impact::Outage)
        .map(|action| &action.name)
        .collect();
    let mut seen = outcome.seen.iter();
    let first = seen.find(|seen| outages.contains(&seen.action));
    Ok(Passed {
        count,
        wrong,
        held: gates_that_held(&outcome),
        first: first.map(|seen| seen.action.clone()),
        ended: outcome.ended.state,
    })
}

/// Gates that must have held each run of a runbook that disturbs by these steps.
fn due(steps: &Steps, runbook: &str) -> BTreeSet<String> {
    let of_runbook = || steps.iter().filter(|((name, _), _)| name == runbook);
    let gates = GATES
        .iter()
        .filter(|gate| of_runbook().any(|(_, step)| (gate.holds)(step)))
        .filter(|gate| !["freeze", "budget"].contains(&gate.name) || runbook != BEHIND_THE_FREEZE);
    gates.map(|gate| gate.name.to_owned()).collect()
}

/// A runbook whose only step calls another one with these inputs. What is called reaches the caller's server only.
fn caller(scenario: &Scenario) -> SourceFile {
    let (called, mut with) = (&scenario.runbook, scenario.inputs.clone());
    with["asset"] = Value::from("${{ inputs.asset.id }}");
    SourceFile {
        name: "workflows/caller/v1.yaml".to_owned(),
        text: format!(
            "runbook: caller
version: 1
title: Calls another
owner: platform-lead
needs: []
inputs: {{ asset: {{ type: asset }} }}
policy: {{ class: request, start: [operator] }}
steps:
  - {{ id: inner, call: {{ runbook: {called}, with: {with} }} }}
"
        ),
        templates: BTreeMap::new(),
    }
}

/// Runbooks whose good run disturbs, with what they are.
async fn that_disturb(stage: &Stage) -> Vec<(Arc<Definition>, Scenario, String)> {
    let mut found = Vec::new();
    for (name, scenario) in good() {
        let passed = pass(stage, &scenario, Door::Cli, "").await;
        let passed = passed.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        if let Some(first) = passed.first.filter(|_| passed.count > 0) {
            let definition = stage.runbooks.definition(&name, 1).unwrap();
            found.push((definition, scenario, first));
        }
    }
    found
}

/// Whether a run of this runbook may be begun so.
fn is_open(door: Door, definition: &Definition) -> bool {
    let starts = |who: &str| definition.policy.start.iter().any(|start| start == who);
    let by_hand = door == Door::RetriedItem && definition.runbook == UNDONE_BY_HAND;
    (door != Door::Schedule || starts("scheduler")) && !by_hand
}

fn judge(place: &str, passed: &Passed, due: &BTreeSet<String>) -> Vec<String> {
    let Passed {
        ended, count, held, ..
    } = passed;
    println!("{place}: {ended} with {count} disturbing calls, held by {held:?}");
    let mut faults: Vec<_> = passed
        .wrong
        .iter()
        .map(|wrong| format!("{place}: {wrong}"))
        .collect();
    let missing: Vec<_> = due.difference(held).collect();
    if !missing.is_empty() {
        faults.push(format!("{place}: never held by {missing:?}"));
    }
    if passed.count == 0 {
        faults.push(format!("{place}: nothing was disturbed"));
    }
    faults
}

#[tokio::test]
async fn behind_every_door_the_gates_hold_what_disturbs() {
    let stage = closed();
    let steps = disturbing(&stage);
    let mut faults = Vec::new();
    let found = that_disturb(&stage).await;
    assert!(found.len() >= 5, "{} runbooks disturb", found.len());
    for (definition, scenario, first) in found {
        let name = &definition.runbook;
        let due = due(&steps, name);
        for door in Door::ALL {
            let place = format!("{name} {door:?}");
            match pass(&stage, &scenario, door, &first).await {
                Ok(passed) => faults.extend(judge(&place, &passed, &due)),
                Err(trouble) if is_open(door, &definition) => {
                    faults.push(format!("{place}: {trouble}"))
                }
                Err(trouble) => println!("{place}: {trouble}"),
            }
        }
        if definition
            .policy
            .start
            .iter()
            .any(|start| start == "runbook")
        {
            let stage = stage::with_runbook(stage.clone(), caller(&scenario));
            let scenario = Scenario {
                runbook: "caller".to_owned(),
                inputs: json!({ "asset": scenario.inputs["asset"] }),
                ..scenario
            };
            let place = format!("{name} called by another");
            let passed = pass(&stage, &scenario, Door::Cli, &first).await;
            match passed {
                Ok(passed) => faults.extend(judge(&place, &passed, &due)),
                Err(trouble) => faults.push(format!("{place}: {trouble}")),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_comes_before_an_outage_counts_as_disturbing_and_what_comes_after_does_not() {
    let steps = disturbing(&stage::practice());
    let has = |runbook: &str, id: &str| steps.contains_key(&(runbook.to_owned(), id.to_owned()));
    assert!(has("monthly-patch", "quiet") && has("monthly-patch", "install"));
    assert!(!has("monthly-patch", "before"), "a read disturbs nobody");
    assert!(
        !has("resize-disk", "larger"),
        "it grows while the server runs"
    );
    assert!(!has("rma", "numbers"));
}
