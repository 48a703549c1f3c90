//! People: they start runs, decide at random times, also from old pages, and send things twice.
//! When all is calm they answer whatever is asked, so that every run can end.
//!
//! Not here: what counts (the core decides).

use crate::chance::Chance;
use crate::clockwork::{Owner, WORLD, locked};
use crate::estate::{self, ASSETS, PEOPLE, Wish, qualifications};
use crate::link::{Link, short};
use crate::process::connect;
use crate::runbooks;
use crate::shape::Trouble;
use crate::sim::Sim;
use crate::watch::STALE;
use hostler_core::command::{Actor, Choice, Command, RetryItem};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::PersonKind;
use hostler_core::view::{ChildRecord, WaitingRow, index};
use hostler_ports::clock::Clock;
use hostler_ports::store::{Confirmed, Cursor, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The process through which people come in; it never crashes.
const DOOR: Owner = 1_000_000;
/// Tries to have a run accepted.
const START_MAX: u32 = 200;

pub struct People {
    sim: Arc<Sim>,
    chance: Chance,
    letters: u64,
    started: Arc<AtomicU64>,
}

impl People {
    pub fn new(sim: &Arc<Sim>) -> Self {
        Self {
            sim: Arc::clone(sim),
            chance: Chance::of(sim.shape.seed, "people"),
            letters: 0,
            started: Arc::default(),
        }
    }

    /// Starts the runs, then goes on acting; `started` counts those that were accepted.
    pub fn arrive(mut self) -> Arc<AtomicU64> {
        let started = Arc::clone(&self.started);
        let sim = Arc::clone(&self.sim);
        let link = connect(&sim, DOOR, &mut Chance::of(sim.shape.seed, "door"));
        let slots = 1 + u32::try_from(self.chance.below(3)).unwrap_or(0);
        for number in 1..=sim.shape.runs {
            let mut chance = Chance::of(sim.shape.seed, &format!("run {number}"));
            let (link, started) = (Arc::clone(&link), Arc::clone(&started));
            sim.clockwork.spawn(WORLD, async move {
                let after_ms = chance.between(0, 10_000);
                link.sim.clockwork.sleep(after_ms).await;
                start(&link, number, slots, &mut chance).await;
                started.fetch_add(1, Ordering::SeqCst);
            });
        }
        sim.clockwork
            .spawn(WORLD, async move { self.act_on().await });
        started
    }

    async fn act_on(&mut self) {
        loop {
            let pause_ms = self.chance.between(500, 5_000);
            self.sim.clockwork.sleep(pause_ms).await;
            if self.sim.is_calm() {
                self.settle().await;
            } else {
                self.trouble().await;
            }
        }
    }

    async fn trouble(&mut self) {
        if self.sim.shape.has(Trouble::People) {
            match self.chance.below(20) {
                0..=9 => self.decide().await,
                10 => self.command(|by| Command::Pause { by }).await,
                11..=13 => self.command(|by| Command::Resume { by }).await,
                14 => self.cancel().await,
                15..=17 => self.retry_items().await,
                _ => {}
            }
        }
        if self.sim.shape.has(Trouble::Duplicates) && self.chance.percent(50) {
            self.again().await;
        }
    }

    async fn waiting(&self) -> Vec<WaitingRow> {
        let page = self
            .sim
            .store
            .query(index::WAITING, false, Cursor::default())
            .await;
        let entries = page.map(|page| page.entries).unwrap_or_default();
        let read = |body: &str| serde_json::from_str(body).ok();
        entries
            .iter()
            .filter_map(|entry| read(&entry.body))
            .collect()
    }

    async fn decide(&mut self) {
        let rows = self.waiting().await;
        if rows.is_empty() {
            return;
        }
        let row = &rows[self.chance.at(rows.len())];
        let person = self.chance.pick(&PEOPLE);
        if self.chance.percent(20) {
            self.sim.count("stale page");
            let command = answer(row, STALE, Digest::of(b"an old page"), true, Choice::Retry);
            self.send(row.lane, &command).await;
            return;
        }
        let yes = self.chance.percent(75);
        let choice = self
            .chance
            .pick(&[Choice::Retry, Choice::Skip, Choice::Fail, Choice::Done]);
        let command = answer(row, person, row.signs, yes, choice);
        self.send(row.lane, &command).await;
    }

    fn root(&mut self) -> LaneId {
        run_of(&self.sim, 1 + self.chance.below(self.sim.shape.runs)).root()
    }

    async fn command(&mut self, make: impl FnOnce(String) -> Command) {
        let root = self.root();
        let command = make(self.chance.pick(&PEOPLE).to_owned());
        self.send(root, &command).await;
    }

    async fn cancel(&mut self) {
        if self.chance.percent(60) {
            self.command(|by| Command::Cancel { by, reason: None })
                .await;
        }
    }

    async fn retry_items(&mut self) {
        let root = self.root();
        let page = self.sim.store.children(root, Cursor::default()).await;
        let mut items = Vec::new();
        for child in page.map(|page| page.entries).unwrap_or_default() {
            let record = child.record.as_deref().map(serde_json::from_str);
            let (Some(Ok(record)), Some((_, key))) = (record, child.key.split_once('/')) else {
                continue;
            };
            let record: ChildRecord = record;
            items.push(RetryItem {
                key: key.to_owned(),
                index: record.index,
                result: record.result,
            });
        }
        let by = PEOPLE[0].to_owned();
        self.send(root, &Command::RetryItems { by, items }).await;
    }

    /// A letter of one lane to another comes again, under its own id or another one.
    async fn again(&mut self) {
        let letter = {
            let watch = locked(&self.sim.watch);
            let at = self.chance.at(watch.letters.len());
            watch.letters.get(at).cloned()
        };
        if let Some((lane, body)) = letter {
            self.sim.count("letter again");
            self.letters += 1;
            let id = lane.command("again", self.letters);
            // Refused or not: it must not matter.
            let _ = self.sim.store.send(lane, id, body).await;
            self.sim.ring().await;
        }
        if self.chance.percent(30) {
            let name = self
                .chance
                .pick(&["retry", "check", "wait", "expire", "soak"]);
            let lane = self.root();
            self.send(
                lane,
                &Command::Timer {
                    name: name.to_owned(),
                },
            )
            .await;
        }
    }

    async fn send(&mut self, lane: LaneId, command: &Command) {
        self.letters += 1;
        let id = lane.command("person", self.letters);
        let body = json!(command).to_string();
        self.sim.count("person acted");
        self.sim.note(|| format!("people: {} {body}", short(lane)));
        let twice = self.chance.percent(20) && self.sim.shape.has(Trouble::Duplicates);
        for number in 0..=u64::from(twice) {
            let other: Uuid = lane.command("person again", self.letters);
            let id = if number == 1 && self.letters.is_multiple_of(2) {
                other
            } else {
                id
            };
            // A lane that is gone takes nothing.
            let _ = self.sim.store.send(lane, id, body.clone()).await;
        }
        self.sim.ring().await;
    }

    /// Nothing stays open: approvals are given, doubts cleared up, pauses ended.
    async fn settle(&mut self) {
        for row in self.waiting().await {
            let voted = |person: &&&str| row.votes.iter().any(|vote| vote.person == **person);
            let person = PEOPLE.iter().find(|person| !voted(person));
            let choice = match row.kind {
                PersonKind::InDoubt if self.chance.percent(50) => Choice::Done,
                PersonKind::InDoubt => Choice::Fail,
                _ => self.chance.pick(&[Choice::Skip, Choice::Fail]),
            };
            let command = answer(&row, person.unwrap_or(&PEOPLE[0]), row.signs, true, choice);
            self.send(row.lane, &command).await;
        }
        let paused: Vec<LaneId> = {
            let watch = locked(&self.sim.watch);
            let lanes = watch
                .lanes
                .values()
                .filter_map(|shadow| shadow.lane.as_ref());
            lanes
                .filter(|lane| lane.paused && !lane.has_ended())
                .map(hostler_core::lane::Lane::id)
                .collect()
        };
        for lane in paused {
            let by = PEOPLE[0].to_owned();
            self.send(lane, &Command::Resume { by }).await;
        }
    }
}

fn answer(row: &WaitingRow, person: &str, signs: Digest, yes: bool, choice: Choice) -> Command {
    let actor = Actor {
        person: person.to_owned(),
        qualifies: qualifications(person),
        ..Actor::default()
    };
    match row.kind {
        PersonKind::Approve | PersonKind::WaveGate => Command::Decide {
            actor,
            yes,
            signs,
            comment: None,
            typed: None,
            waive: Vec::new(),
        },
        PersonKind::Ask | PersonKind::NeedsHuman => Command::Answer {
            actor,
            signs,
            answer: json!({ "ok": yes }),
        },
        _ => Command::Choose {
            actor,
            choice,
            comment: None,
            signs: Some(signs),
            output: Value::Null,
        },
    }
}

pub fn run_of(sim: &Sim, number: u64) -> RunId {
    RunId::of_client_key("sim", &format!("{} {number}", sim.shape.seed))
}

/// Asks until the run is accepted and that is durable: only then has it been promised.
async fn start(link: &Link, number: u64, slots: u32, chance: &mut Chance) {
    let sim = &link.sim;
    let (main, other) = runbooks::pair(chance, sim.shape.steps_max);
    let wish = Wish {
        run: run_of(sim, number),
        main: &main,
        other: &other,
        asset: chance.pick(&ASSETS),
        slots,
        now_ms: sim.store_clock.now_ms(),
    };
    let start = estate::start(&wish);
    for _ in 0..START_MAX {
        let root = start.root.lane;
        let accepted = link.start(start.clone()).await;
        if accepted.is_ok() {
            let seq = link.newest().await;
            if link.confirm(seq).await == Ok(Confirmed::Durable) {
                sim.note(|| format!("run {number} is {}", short(root)));
                sim.judge(|watch| watch.accepted(root));
                return;
            }
        }
        sim.clockwork.sleep(1_000).await;
    }
}
