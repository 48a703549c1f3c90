//! A batch as the arguments of `h1_commit` and `h1_start`, in the order that the Functions read.
//!
//! Not here: sending. Text from outside goes in as arguments only.

use crate::large::Ahead;
use hostler_core::id::LaneId;
use hostler_ports::store::generation::{DECISION, NewGeneration};
use hostler_ports::store::position::score_text;
use hostler_ports::store::verbs::timer_letter;
use hostler_ports::store::{
    Batch, Blob, Fence, IndexChange, Priority, Queue, Spawn, Start, Take, Then, TimerChange, Upkeep,
};
use redis::Cmd;

pub const fn queue_letter(queue: Queue) -> &'static str {
    match queue {
        Queue::Run => "r",
        Queue::Mail => "m",
    }
}

const fn then_letter(then: Then) -> &'static str {
    match then {
        Then::Keep => "K",
        Then::Park => "P",
        Then::Requeue => "R",
        Then::End => "E",
        Then::Shelve => "S",
    }
}

pub const fn priority_number(priority: Priority) -> u8 {
    priority as u8
}

/// Everything after the keys.
pub fn commit(
    cmd: &mut Cmd,
    lane: LaneId,
    fence: &Fence,
    version: u64,
    mark: &str,
    batch: &Batch,
    ahead: &Ahead,
) {
    cmd.arg(lane.to_string())
        .arg(&fence.0)
        .arg(version)
        .arg(mark);
    cmd.arg(then_letter(batch.then)).arg(batch.inbox_used);
    cmd.arg(
        batch
            .in_call
            .map_or("", |in_call| if in_call { "1" } else { "0" }),
    );
    cmd.arg(u8::from(batch.forgive)).arg(batch.events.len());
    for event in &batch.events {
        cmd.arg(event);
    }
    if let Some(known) = batch.letters_known {
        cmd.arg("O").arg(known);
    }
    own(cmd, lane, batch);
    locks(cmd, batch);
    shared(cmd, batch, ahead);
}

/// Begins a section unless it is empty.
fn section(cmd: &mut Cmd, letter: &str, count: usize) {
    if count > 0 {
        cmd.arg(letter).arg(count);
    }
}

fn own(cmd: &mut Cmd, lane: LaneId, batch: &Batch) {
    for (letter, text) in [
        ("S", &batch.summary),
        ("N", &batch.snapshot),
        ("R", &batch.run_summary),
    ] {
        if let Some(text) = text {
            cmd.arg(letter).arg(text);
        }
    }
    section(cmd, "T", batch.timers.len());
    for timer in &batch.timers {
        match timer {
            TimerChange::Set { name, at_ms, body } => {
                let letter = timer_letter(lane, name, *at_ms).to_string();
                cmd.arg(name).arg(*at_ms).arg(letter).arg(body);
            }
            TimerChange::Clear { name } => {
                cmd.arg(name).arg("").arg("").arg("");
            }
        }
    }
    if let Some(child) = &batch.collect {
        cmd.arg("K")
            .arg(child.lane.to_string())
            .arg(&child.key)
            .arg(record(child.record.as_deref()));
    }
}

/// `0`, or `1` and the text.
fn record(record: Option<&str>) -> String {
    record.map_or_else(|| "0".to_owned(), |text| format!("1{text}"))
}

fn locks(cmd: &mut Cmd, batch: &Batch) {
    if let Some(take) = &batch.take {
        let (mode, wanted) = match take {
            Take::Now(wanted) => ("N", wanted),
            Take::Wait(wanted) => ("W", wanted),
        };
        cmd.arg("L").arg(mode).arg(wanted.len());
        for resource in wanted {
            cmd.arg(&resource.key).arg(resource.capacity);
        }
    }
    section(cmd, "U", batch.release.len());
    for key in &batch.release {
        cmd.arg(key);
    }
    if batch.withdraw {
        cmd.arg("W");
    }
}

fn shared(cmd: &mut Cmd, batch: &Batch, ahead: &Ahead) {
    section(cmd, "X", batch.expect.len());
    for expect in &batch.expect {
        cmd.arg(&expect.document).arg(expect.version);
    }
    section(cmd, "D", batch.documents.len());
    for write in &batch.documents {
        cmd.arg(&write.key).arg(u8::from(write.body.is_some()));
        cmd.arg(write.body.as_deref().unwrap_or_default());
    }
    section(cmd, "C", batch.spawn.len());
    for new in &batch.spawn {
        spawn(cmd, new);
    }
    section(cmd, "M", batch.send.len());
    for post in &batch.send {
        cmd.arg(post.lane.to_string())
            .arg(post.command.to_string())
            .arg(&post.body);
    }
    section(cmd, "B", batch.blobs.len());
    blobs(cmd, &batch.blobs, ahead);
    section(cmd, "G", batch.ledger.len());
    for line in &batch.ledger {
        cmd.arg(&line.body);
    }
    section(cmd, "I", batch.index.len());
    index(cmd, &batch.index);
}

fn spawn(cmd: &mut Cmd, new: &Spawn) {
    cmd.arg(new.lane.to_string()).arg(new.run.to_string());
    cmd.arg(
        new.parent
            .map(|parent| parent.to_string())
            .unwrap_or_default(),
    );
    cmd.arg(new.key.as_deref().unwrap_or_default());
    cmd.arg(queue_letter(new.queue))
        .arg(priority_number(new.priority));
    cmd.arg(&new.summary).arg(new.events.len());
    for event in &new.events {
        cmd.arg(event);
    }
}

fn blobs(cmd: &mut Cmd, blobs: &[Blob], ahead: &Ahead) {
    for blob in blobs {
        if ahead.has(blob) {
            cmd.arg(format!("@{}", blob.digest)).arg("");
        } else {
            cmd.arg(blob.digest.to_string()).arg(blob.bytes.as_slice());
        }
    }
}

fn index(cmd: &mut Cmd, changes: &[IndexChange]) {
    for change in changes {
        match change {
            IndexChange::Put {
                index,
                member,
                score,
                body,
            } => {
                cmd.arg(index).arg(member).arg(score_text(*score)).arg(body);
            }
            IndexChange::Remove { index, member } => {
                cmd.arg(index).arg(member).arg("").arg("");
            }
        }
    }
}

/// Everything after the keys: eight lists, each with its length before it.
pub fn upkeep(cmd: &mut Cmd, change: &Upkeep, mark: &str) {
    cmd.arg(mark).arg(change.lanes.len());
    for (lane, version) in &change.lanes {
        cmd.arg(lane.to_string()).arg(*version);
    }
    cmd.arg(change.expect.len());
    for expect in &change.expect {
        cmd.arg(&expect.document).arg(expect.version);
    }
    cmd.arg(change.documents.len());
    for write in &change.documents {
        cmd.arg(&write.key).arg(u8::from(write.body.is_some()));
        cmd.arg(write.body.as_deref().unwrap_or_default());
    }
    cmd.arg(change.summaries.len());
    for (lane, summary) in &change.summaries {
        cmd.arg(lane.to_string()).arg(summary);
    }
    cmd.arg(change.runs.len());
    for (run, summary) in &change.runs {
        cmd.arg(run.to_string()).arg(summary);
    }
    cmd.arg(change.archived.len());
    for (run, digest) in &change.archived {
        cmd.arg(run.to_string()).arg(digest.to_string());
    }
    cmd.arg(change.index.len());
    index(cmd, &change.index);
    cmd.arg(change.ledger.len());
    for line in &change.ledger {
        cmd.arg(&line.body);
    }
}

/// Everything after the key: `seen` is the newest commit that this process knows of.
pub fn generation(cmd: &mut Cmd, new: &NewGeneration, seen: u64, mark: &str) {
    let taken = new.copy_taken_ms.map(|taken_ms| taken_ms.to_string());
    cmd.arg(mark).arg(new.from).arg(seen);
    cmd.arg(taken.unwrap_or_default());
    cmd.arg(DECISION).arg(&new.decision).arg(&new.ledger.body);
}

/// Everything after the keys.
pub fn start(cmd: &mut Cmd, start: &Start, ahead: &Ahead, mark: &str) {
    cmd.arg(start.run.to_string())
        .arg(start.body.to_string())
        .arg(mark)
        .arg(&start.run_summary);
    spawn(cmd, &start.root);
    cmd.arg(start.blobs.len());
    blobs(cmd, &start.blobs, ahead);
    cmd.arg(start.index.len());
    index(cmd, &start.index);
    cmd.arg(start.ledger.len());
    for line in &start.ledger {
        cmd.arg(&line.body);
    }
}
