//! Rows of a lane and of a run, made from their state. Pure.
//!
//! Not here: where they are kept.

use crate::definition::Definition;
use crate::lane::{Children, ChildrenKind, Lane, Phase, Section, SetAside, WaveRange};
use crate::plan::Plan;
use crate::view::{ChildrenRow, LaneRow, PutOffRow, RunRow, WaitingRow, WaveRow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most items that were put off in one row: it is written with every pause of its lane.
const PUT_OFF_MAX: usize = 100;
/// Most waves ahead in one row, likewise.
const AHEAD_MAX: usize = 20;
/// Most customers in one row whose alternate contacts were told, likewise; the list of notices has all.
const FELL_BACK_MAX: usize = 100;

/// Key of a child's record beside its parent.
pub fn record_key(step: &str, key: &str) -> String {
    format!("{step}/{key}")
}

/// Id of the step under the cursor. Behind the last way to take a step back, that step: it is what
/// people are then asked about.
pub fn present_step(lane: &Lane, definition: &Definition) -> Option<Arc<str>> {
    let program = lane.program(definition)?;
    let undone = || match lane.cursor.section {
        Section::Undo => program.steps.get(usize::from(lane.undo.last()?.step)),
        Section::Main | Section::Always => None,
    };
    let step = lane.step(&program).or_else(undone)?;
    Some(Arc::clone(&step.id))
}

fn section(lane: &Lane) -> &'static str {
    match lane.cursor.section {
        Section::Main => "main",
        Section::Undo => "undo",
        Section::Always => "always",
    }
}

fn children_row(children: &Children) -> ChildrenRow {
    ChildrenRow {
        total: children.total,
        live: u32::try_from(children.live.len()).unwrap_or(u32::MAX),
        ended: children.tally.total(),
        failed: children.tally.failures(),
        wave: children.present_wave().map(|wave| wave.name.clone()),
        soak_until_ms: children.soak_until_ms,
        opens_ms: children.next_round_ms.filter(|next_ms| {
            let opens_ms = children.present_wave().and_then(|wave| wave.opens_ms);
            children.kind == ChildrenKind::Each && opens_ms == Some(*next_ms)
        }),
        ahead: ahead(children),
        put_off: put_off(children),
        stopped: children.stopped.clone(),
    }
}

/// The waves whose turn is still to come; none where nothing more is admitted.
fn ahead(children: &Children) -> Vec<WaveRow> {
    let stopped = children.stopped.is_some();
    let behind = usize::from(children.wave) + 1;
    let waves = children.waves.iter().skip(behind).filter(|_| !stopped);
    let row = |wave: &WaveRange| WaveRow {
        wave: wave.name.clone(),
        items: wave.to.saturating_sub(wave.from),
        opens_ms: wave.opens_ms,
        soak_ms: (wave.soak_ms > 0).then_some(wave.soak_ms),
    };
    waves.take(AHEAD_MAX).map(row).collect()
}

/// Items that wait for the time until which they were put off; the rest of many is in the lane's own state.
fn put_off(children: &Children) -> Vec<PutOffRow> {
    let waits = children.put_off.values().filter(|item| !item.back);
    let row = |item: &SetAside| PutOffRow {
        key: item.key.clone(),
        until_ms: item.put_off.until_ms,
        by: item.put_off.who(),
    };
    waits.take(PUT_OFF_MAX).map(row).collect()
}

pub fn lane_row(lane: &Lane, definition: &Definition) -> LaneRow {
    let parent = lane.opening.parent.as_ref();
    let steps: BTreeMap<_, _> = lane
        .results
        .iter()
        .map(|(id, result)| (id.to_string(), result.state.name().to_owned()))
        .collect();
    let wave = lane
        .opening
        .locals
        .get("wave")
        .and_then(|wave| wave.get("name")?.as_str());
    LaneRow {
        lane: lane.id(),
        key: parent.map(|parent| parent.key.clone()),
        of_step: parent.map(|parent| parent.step.to_string()),
        wave: wave.map(str::to_owned),
        step: present_step(lane, definition).map(|step| step.to_string()),
        section: section(lane).to_owned(),
        phase: lane.phase.name().to_owned(),
        steps,
        result: lane
            .verdict
            .as_ref()
            .map(|verdict| verdict.result)
            .filter(|_| lane.has_ended()),
        note: held(lane).or_else(|| lane.verdict.as_ref()?.note.clone()),
        children: lane.children.as_deref().map(children_row),
        attempt: lane.attempt,
        paused: lane.paused,
        fell_back: lane.fell_back.iter().take(FELL_BACK_MAX).cloned().collect(),
    }
}

/// Why a closed gate holds the lane.
fn held(lane: &Lane) -> Option<String> {
    let Phase::Gated(gate) = &lane.phase else {
        return None;
    };
    let closed = gate.closed.as_ref()?;
    Some(format!("{}: {}", gate.resource, closed.why))
}

fn run_state(lane: &Lane) -> String {
    match (&lane.phase, &lane.verdict) {
        (Phase::Ended, Some(verdict)) => verdict.result.name().to_owned(),
        _ if lane.stop.is_some() => "stopping".to_owned(),
        _ if lane.paused => "paused".to_owned(),
        (Phase::Person(_), _) => "waiting".to_owned(),
        _ => "running".to_owned(),
    }
}

pub fn run_row(lane: &Lane, definition: &Definition, plan: &Plan) -> RunRow {
    RunRow {
        run: lane.opening.run,
        runbook: plan.runbook.clone(),
        version: plan.version,
        title: definition.title.clone(),
        state: run_state(lane),
        starter: plan.starter.who.clone(),
        reason: plan.starter.reason.clone(),
        started_ms: plan.started_ms,
        ended_ms: lane.ended_ms,
        step: present_step(lane, definition).map(|step| step.to_string()),
        note: lane
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.note.clone()),
        definition: lane.opening.definition,
        plan: lane.opening.plan,
        targets: u32::try_from(plan.assets.len()).unwrap_or(u32::MAX),
        retry_of: plan.retry_of,
    }
}

/// None when nobody is waited for.
pub fn waiting_row(lane: &Lane, definition: &Definition) -> Option<WaitingRow> {
    let Phase::Person(person) = &lane.phase else {
        return None;
    };
    Some(WaitingRow {
        run: lane.opening.run,
        lane: lane.id(),
        runbook: definition.runbook.clone(),
        step: present_step(lane, definition)
            .map(|step| step.to_string())
            .unwrap_or_default(),
        key: lane
            .opening
            .parent
            .as_ref()
            .map(|parent| parent.key.clone()),
        kind: person.kind,
        title: person.title.clone(),
        clauses: person.clauses.clone(),
        quorum: person.quorum,
        votes: person.votes.clone(),
        signs: person.signs,
        shown: person.shown,
        form: person.form.clone(),
        asked_ms: person.asked_ms,
        expires_ms: person.expires_ms,
        escalated: person.escalated,
        reason: person.reason.clone(),
        step_up: person.rules.step_up,
    })
}
