//! A batch as the arguments of `h1_commit` and `h1_start`, in the order that the Functions read.
//!
//! Not here: sending. Text from outside goes in as arguments only.

use crate::blobs::Ahead;
use crate::form::{Form, id_in};
use crate::pack::{Effort, packed};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::generation::{DECISION, NewGeneration};
use hostler_ports::store::verbs::timer_letter;
use hostler_ports::store::{
    Batch, Fence, IndexChange, Priority, Queue, Spawn, Start, Take, Then, TimerChange, Upkeep,
};
use redis::Cmd;
use uuid::Uuid;

/// In place of an entry's body: it is the summary of the run that is its member (`4_records.lua`).
const OF_RUN: &[u8] = &[254];

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

/// The run whose root this is, if the commit tells: by an entry whose body is the run's summary.
fn run_of_root(lane: LaneId, batch: &Batch) -> Option<Uuid> {
    let run = |change: &IndexChange| match change {
        IndexChange::Put { member, body, .. } if Some(body) == batch.run_summary.as_ref() => {
            id_in(member).filter(|run| RunId(*run).root() == lane)
        }
        _ => None,
    };
    batch.index.iter().find_map(run)
}

/// Which commit it is.
pub struct Of<'a> {
    pub lane: LaneId,
    pub fence: &'a Fence,
    pub version: u64,
    pub mark: &'a [u8],
}

/// Appends arguments as the realm's form wants them.
pub struct Args<'a> {
    pub cmd: &'a mut Cmd,
    pub form: Form,
    /// How texts are packed; none: somebody waits for this call to go on with a step.
    pub packs: Option<Effort>,
}

impl Args<'_> {
    fn id(&mut self, id: Uuid) {
        self.cmd.arg(self.form.id(id));
    }

    fn text(&mut self, text: &str, home: Option<Uuid>) {
        match self.packs {
            Some(effort) => self.cmd.arg(packed(text.as_bytes(), home, effort)),
            None => self.cmd.arg(text),
        };
    }

    /// Everything after the keys.
    pub fn commit(&mut self, of: &Of<'_>, batch: &Batch, ahead: &Ahead) {
        self.id(of.lane.0);
        self.cmd.arg(&of.fence.0).arg(of.version).arg(of.mark);
        self.cmd.arg(then_letter(batch.then)).arg(batch.inbox_used);
        self.cmd.arg(
            batch
                .in_call
                .map_or("", |in_call| if in_call { "1" } else { "0" }),
        );
        self.cmd
            .arg(u8::from(batch.forgive))
            .arg(batch.events.len());
        for event in &batch.events {
            self.text(event, Some(of.lane.0));
        }
        if let Some(known) = batch.letters_known {
            self.cmd.arg("O").arg(known);
        }
        self.own(of.lane, batch);
        self.locks(batch);
        self.shared(of.lane, batch, ahead);
    }

    /// Begins a section unless it is empty.
    fn section(&mut self, letter: &str, count: usize) {
        if count > 0 {
            self.cmd.arg(letter).arg(count);
        }
    }

    fn own(&mut self, lane: LaneId, batch: &Batch) {
        for (letter, text) in [("S", &batch.summary), ("N", &batch.snapshot)] {
            if let Some(text) = text {
                self.cmd.arg(letter);
                self.text(text, Some(lane.0));
            }
        }
        if let Some(text) = &batch.run_summary {
            self.cmd.arg("R");
            self.text(text, run_of_root(lane, batch));
        }
        self.section("T", batch.timers.len());
        for timer in &batch.timers {
            match timer {
                TimerChange::Set { name, at_ms, body } => {
                    self.cmd.arg(name).arg(*at_ms);
                    self.id(timer_letter(lane, name, *at_ms));
                    self.text(body, Some(lane.0));
                }
                TimerChange::Clear { name } => {
                    self.cmd.arg(name).arg("").arg("").arg("");
                }
            }
        }
        if let Some(child) = &batch.collect {
            self.cmd.arg("K");
            self.id(child.lane.0);
            self.cmd.arg(&child.key);
            self.record(child.record.as_deref());
        }
    }

    /// `0`, or `1` and the text.
    fn record(&mut self, record: Option<&str>) {
        let text = record.map(|text| match self.packs {
            Some(effort) => packed(text.as_bytes(), None, effort),
            None => text.as_bytes().to_vec(),
        });
        let text = text.map_or_else(|| b"0".to_vec(), |text| [b"1", &text[..]].concat());
        self.cmd.arg(text);
    }

    fn locks(&mut self, batch: &Batch) {
        if let Some(take) = &batch.take {
            let (mode, wanted) = match take {
                Take::Now(wanted) => ("N", wanted),
                Take::Wait(wanted) => ("W", wanted),
            };
            self.cmd.arg("L").arg(mode).arg(wanted.len());
            for resource in wanted {
                self.cmd.arg(&resource.key).arg(resource.capacity);
            }
        }
        self.section("U", batch.release.len());
        for key in &batch.release {
            self.cmd.arg(key);
        }
        if batch.withdraw {
            self.cmd.arg("W");
        }
    }

    fn shared(&mut self, lane: LaneId, batch: &Batch, ahead: &Ahead) {
        self.section("X", batch.expect.len());
        for expect in &batch.expect {
            self.cmd.arg(&expect.document).arg(expect.version);
        }
        self.section("D", batch.documents.len());
        for write in &batch.documents {
            self.cmd.arg(&write.key).arg(u8::from(write.body.is_some()));
            self.cmd.arg(write.body.as_deref().unwrap_or_default());
        }
        self.section("C", batch.spawn.len());
        for new in &batch.spawn {
            self.spawn(new);
        }
        self.section("M", batch.send.len());
        for post in &batch.send {
            self.id(post.lane.0);
            self.id(post.command);
            self.cmd.arg(&post.body);
        }
        self.section("B", batch.blobs.len());
        self.blobs(ahead);
        self.section("G", batch.ledger.len());
        for line in &batch.ledger {
            self.text(&line.body, Some(lane.0));
        }
        self.section("I", batch.index.len());
        let of_run = batch.run_summary.as_deref();
        self.index(&batch.index, |_, body| of_run == Some(body));
    }

    fn spawn(&mut self, new: &Spawn) {
        self.id(new.lane.0);
        self.id(new.run.0);
        self.cmd.arg(
            new.parent
                .map_or_else(Vec::new, |parent| self.form.id(parent.0)),
        );
        self.cmd.arg(new.key.as_deref().unwrap_or_default());
        self.cmd
            .arg(queue_letter(new.queue))
            .arg(priority_number(new.priority));
        self.text(&new.summary, Some(new.lane.0));
        self.cmd.arg(new.events.len());
        for event in &new.events {
            self.text(event, Some(new.lane.0));
        }
    }

    fn blobs(&mut self, ahead: &Ahead) {
        for blob in &ahead.blobs {
            let digest = self.form.digest(blob.digest);
            if ahead.has(blob.digest) {
                self.cmd.arg([b"@", &digest[..]].concat()).arg("");
            } else {
                self.cmd.arg(digest).arg(&*blob.bytes);
            }
        }
    }

    /// `of_run`: whether the body of this member is the summary of a run in the same call.
    fn index(&mut self, changes: &[IndexChange], of_run: impl Fn(Uuid, &str) -> bool) {
        for change in changes {
            match change {
                IndexChange::Put {
                    index,
                    member,
                    score,
                    body,
                } => {
                    let id = id_in(member);
                    self.cmd
                        .arg(self.form.index(index))
                        .arg(self.form.member(member));
                    self.cmd.arg(self.form.score(*score));
                    if id.is_some_and(|id| of_run(id, body)) {
                        self.cmd.arg(OF_RUN);
                    } else {
                        self.text(body, id);
                    }
                }
                IndexChange::Remove { index, member } => {
                    self.cmd
                        .arg(self.form.index(index))
                        .arg(self.form.member(member));
                    self.cmd.arg("").arg("");
                }
            }
        }
    }

    /// Everything after the keys: eight lists, each with its length before it.
    pub fn upkeep(&mut self, change: &Upkeep, mark: &[u8]) {
        self.cmd.arg(mark).arg(change.lanes.len());
        for (lane, version) in &change.lanes {
            self.id(lane.0);
            self.cmd.arg(*version);
        }
        self.cmd.arg(change.expect.len());
        for expect in &change.expect {
            self.cmd.arg(&expect.document).arg(expect.version);
        }
        self.cmd.arg(change.documents.len());
        for write in &change.documents {
            self.cmd.arg(&write.key).arg(u8::from(write.body.is_some()));
            self.cmd.arg(write.body.as_deref().unwrap_or_default());
        }
        self.cmd.arg(change.summaries.len());
        for (lane, summary) in &change.summaries {
            self.id(lane.0);
            self.text(summary, Some(lane.0));
        }
        self.cmd.arg(change.runs.len());
        for (run, summary) in &change.runs {
            self.id(run.0);
            self.text(summary, Some(run.0));
        }
        self.cmd.arg(change.archived.len());
        for (run, digest) in &change.archived {
            self.id(run.0);
            self.cmd.arg(self.form.digest(*digest));
        }
        self.lists(change);
    }

    fn lists(&mut self, change: &Upkeep) {
        self.cmd.arg(change.index.len());
        let summary = |id| {
            let mut runs = change.runs.iter().rev();
            runs.find(|(run, _)| run.0 == id)
                .map(|(_, text)| text.as_str())
        };
        self.index(&change.index, |id, body| summary(id) == Some(body));
        self.cmd.arg(change.ledger.len());
        for line in &change.ledger {
            self.text(&line.body, None);
        }
    }

    /// Everything after the key: `seen` is the newest commit that this process knows of.
    pub fn generation(&mut self, new: &NewGeneration, seen: u64, mark: &[u8]) {
        let taken = new.copy_taken_ms.map(|taken_ms| taken_ms.to_string());
        self.cmd.arg(mark).arg(new.from).arg(seen);
        self.cmd.arg(taken.unwrap_or_default());
        self.cmd.arg(DECISION).arg(&new.decision);
        self.text(&new.ledger.body, None);
    }

    /// Everything after the keys.
    pub fn start(&mut self, start: &Start, ahead: &Ahead, mark: &[u8]) {
        self.id(start.run.0);
        self.cmd.arg(self.form.digest(start.body)).arg(mark);
        self.text(&start.run_summary, Some(start.run.0));
        self.spawn(&start.root);
        self.cmd.arg(start.blobs.len());
        self.blobs(ahead);
        self.cmd.arg(start.index.len());
        let run = start.run.0;
        self.index(&start.index, |id, body| {
            id == run && start.run_summary == body
        });
        self.cmd.arg(start.ledger.len());
        for line in &start.ledger {
            self.text(&line.body, Some(start.root.lane.0));
        }
        let plan = start.plan.map(|plan| self.form.digest(plan));
        self.cmd.arg(plan.unwrap_or_default());
    }
}
