//! Items that have missed their windows, where the runbook says that people are asked: each answer, and none.
//!
//! Not here: items that are held without a question (`clocks`), and everything that a lane may be told (core).

use super::clocks::{BUSY, DAY_MS, HOUR_MS, items, slots, sundays};
use super::stage::with_runbook;
use hostler_api::Subject;
use hostler_api::problem::{Code, Problem};
use hostler_api::services::decide::{ChoiceAsk, choose};
use hostler_core::command::{Choice, Command};
use hostler_core::id::RunId;
use hostler_core::lane::PersonKind;
use hostler_core::view::{WaitingRow, index};
use hostler_ports::store::{Cursor, Store};
use hostler_rehearsal::{Outcome, Scenario, Seen, Stage, World, begin, play};
use serde_json::{Value, json};

const ASKS: &str = "      overflow: { to: next-window, at_most: 0, then: ask }";
const TOLD: &str = "    notices: { template: note }";
/// Longest time that a test waits for a question: the eight days on which the servers are busy, and a week.
const ASKED_WITHIN_DAYS: i64 = 15;

fn stage() -> Stage {
    with_runbook(sundays(), slots(ASKS, TOLD, BUSY))
}

/// A run over the two servers; somebody says this of both, an hour after being asked.
fn scenario(says: Option<&str>) -> Scenario {
    let person = |key: &str, choice: &str| {
        format!("  - {{ step: boot, key: {key}, by: olga, after: 1h, choose: {choice} }}\n")
    };
    let people = says.map_or_else(String::new, |choice| {
        let both = ["lib-web1", "lib-web2"].map(|key| person(key, choice));
        format!("people:\n{}", both.concat())
    });
    let text = format!(
        "scenario: slots\nrunbook: slots\nstarter: olga\n{people}expect: {{ result: succeeded }}\n"
    );
    Scenario::read(&text).unwrap()
}

async fn said(choice: &str) -> Outcome {
    let outcome = play(&stage(), &scenario(Some(choice))).await.unwrap();
    // Every answer of the script was asked for, and every message arrived.
    assert_eq!(outcome.complaints, Vec::<String>::new(), "{choice}");
    assert_eq!(outcome.ended.state, "succeeded", "{choice}");
    outcome
}

fn reboots(seen: &[Seen]) -> Vec<i64> {
    let seen = seen
        .iter()
        .filter(|seen| seen.entry == "perform" && seen.action == "guest.reboot");
    seen.map(|seen| seen.at_ms).collect()
}

/// Entries of a ledger in which all of these stand.
fn entries(ledger: &[String], parts: &[&str]) -> Vec<usize> {
    let has = |line: &String| parts.iter().all(|part| line.contains(part));
    let lines = ledger.iter().enumerate();
    lines
        .filter_map(|(place, line)| has(line).then_some(place))
        .collect()
}

fn count(outcome: &Outcome, stage: &str) -> u32 {
    outcome.notices.get(stage).copied().unwrap_or(0)
}

#[tokio::test]
async fn what_people_leave_out_is_not_touched_and_its_customer_hears_that_it_is_off() {
    let outcome = said("leave").await;
    assert_eq!(items(&outcome), ["nothing", "nothing"]);
    assert!(reboots(&outcome.seen).is_empty());
    assert!(count(&outcome, "cancelled") > 0 && count(&outcome, "completed") == 0);
    let settled = ["person_settled", "\"choice\":\"leave\"", "\"by\":\"olga\""];
    assert_eq!(entries(&outcome.ledger, &settled).len(), 2);
}

#[tokio::test]
async fn what_people_stop_is_held_as_if_nobody_had_been_asked() {
    let outcome = said("stop").await;
    let held = slots(&ASKS.replace("ask", "held"), TOLD, BUSY);
    let held = with_runbook(sundays(), held);
    let held = play(&held, &scenario(None)).await.unwrap();
    assert_eq!(items(&outcome), ["held", "held"]);
    assert_eq!(items(&held), ["held", "held"]);
    assert_eq!(outcome.ended.state, held.ended.state);
    assert!(reboots(&outcome.seen).is_empty());
    assert_eq!(count(&outcome, "cancelled"), count(&held, "cancelled"));
}

/// A run on its way, an hour at a time.
struct Going {
    world: World,
    run: RunId,
}

impl Going {
    /// Servers that are busy when their first window opens.
    async fn began() -> Self {
        Self::over(&stage()).await
    }

    async fn over(stage: &Stage) -> Self {
        let scenario = scenario(None);
        let world = World::new(stage, &scenario);
        let run = begin(&world, &scenario, "going").await.unwrap();
        Self { world, run }
    }

    async fn hour(&self) {
        self.world.settle().await.unwrap();
        self.world.pass(HOUR_MS).await.unwrap();
        self.world.settle().await.unwrap();
    }

    async fn days(&self, days: i64) {
        for _ in 0..days * 24 {
            self.hour().await;
        }
    }

    async fn questions(&self) -> Vec<WaitingRow> {
        let page = self
            .world
            .store
            .query(index::WAITING, false, Cursor::default())
            .await;
        let entries = page.unwrap().entries.into_iter();
        let rows = entries.map(|entry| serde_json::from_str::<WaitingRow>(&entry.body).unwrap());
        rows.collect()
    }

    /// Until people are asked about both servers.
    async fn until_asked(&self) -> Vec<WaitingRow> {
        for _ in 0..ASKED_WITHIN_DAYS * 24 {
            let rows = self.questions().await;
            if rows.len() == 2 {
                return rows;
            }
            self.hour().await;
        }
        panic!("nobody was asked");
    }

    async fn is_open(&self) -> bool {
        let now_ms = self.world.store.now_ms().await.unwrap();
        let closes_ms = self.world.api.directory.closes_ms("lib-web1", &[], now_ms);
        closes_ms.is_some()
    }

    async fn say(&self, by: &str, row: &WaitingRow, choice: Choice) -> Result<(), Problem> {
        let directory = &*self.world.api.directory;
        let subject = Subject::of(directory, by, "cli").unwrap();
        let ask = ChoiceAsk {
            signs: row.signs,
            choice,
            comment: None,
            output: Value::Null,
        };
        let said = choose(&self.world.api, &subject, row.lane, ask, None);
        let (said, moved) = tokio::join!(said, self.world.settle());
        moved.unwrap();
        said.map(|_| ())
    }

    async fn command(&self, name: &str, command: Command) {
        let lane = self.run.root();
        let body = json!(command).to_string();
        let sent = self.world.store.send(lane, lane.command(name, 0), body);
        sent.await.unwrap();
        self.world.settle().await.unwrap();
    }

    fn reboots(&self) -> Vec<i64> {
        reboots(&self.world.host.seen())
    }

    async fn ledger(&self) -> Vec<String> {
        let (mut lines, mut from) = (Vec::new(), 0);
        loop {
            let entries = self.world.store.ledger(from).await.unwrap();
            let Some(last) = entries.last() else {
                return lines;
            };
            from = last.number + 1;
            lines.extend(entries.into_iter().map(|entry| entry.body));
        }
    }
}

#[tokio::test]
async fn one_more_slot_is_the_next_window_and_the_customer_hears_of_it_first() {
    let stage = with_runbook(sundays(), slots(ASKS, TOLD, ""));
    let going = Going::over(&stage).await;
    going.world.settle().await.unwrap();
    let by = || "olga".to_owned();
    going.command("pause", Command::Pause { by: by() }).await;
    going.days(8).await;
    going.command("resume", Command::Resume { by: by() }).await;
    for row in going.until_asked().await {
        going.say("olga", &row, Choice::Next).await.unwrap();
    }
    going.days(8).await;
    let began = going.reboots();
    let in_window = |at_ms: &i64| stage.directory.closes_ms("lib-web1", &[], *at_ms).is_some();
    assert!(began.len() == 2 && began.iter().all(in_window), "{began:?}");
    let ledger = going.ledger().await;
    let asked = entries(
        &ledger,
        &["person_asked", "\"overflow\"", "1 of its windows"],
    );
    assert_eq!(asked.len(), 2);
    let next = ["person_settled", "\"choice\":\"next\"", "\"by\":\"olga\""];
    let settled = entries(&ledger, &next);
    assert_eq!(settled.len(), 2);
    let changed = entries(&ledger, &["notice_due", "\"stage\":\"changed\""]);
    let started = entries(&ledger, &["step_started", "guest.reboot"]);
    assert_eq!((changed.len(), started.len()), (1, 2), "{ledger:#?}");
    assert!(settled.last() < changed.first() && changed.first() < started.first());
}

#[tokio::test]
async fn as_long_as_nobody_answers_nothing_begins_and_nobody_is_asked_again() {
    let going = Going::began().await;
    let asked = going.until_asked().await;
    for row in &asked {
        assert_eq!(row.kind, PersonKind::Overflow);
        assert_eq!(row.step, "boot");
        let reason = row.reason.as_deref().unwrap_or_default();
        assert!(reason.contains("1 of its windows passed"), "{reason}");
    }
    going.days(40).await;
    assert_eq!(going.questions().await, asked);
    assert!(going.reboots().is_empty());
    // Whoever is not asked may not answer either, and an answer binds one server.
    let problem = going.say("carla", &asked[0], Choice::Next).await;
    assert_eq!(problem.unwrap_err().code, Code::NotAsked);
    going.say("olga", &asked[0], Choice::Next).await.unwrap();
    going.days(8).await;
    assert_eq!(going.reboots().len(), 1);
    assert_eq!(going.questions().await, asked[1..]);
}

#[tokio::test]
async fn a_slot_that_is_given_in_an_open_window_is_the_one_behind_it() {
    let going = Going::began().await;
    let asked = going.until_asked().await;
    while !going.is_open().await {
        going.hour().await;
    }
    for row in &asked {
        going.say("olga", row, Choice::Next).await.unwrap();
    }
    let said_ms = going.world.store.now_ms().await.unwrap();
    going.days(9).await;
    let began = going.reboots();
    let is_next = |at_ms: &i64| *at_ms > said_ms + 6 * DAY_MS;
    assert!(began.len() == 2 && began.iter().all(is_next), "{began:?}");
}

#[tokio::test]
async fn a_slot_that_passes_too_is_asked_about_again() {
    let going = Going::began().await;
    for row in going.until_asked().await {
        going.say("olga", &row, Choice::Next).await.unwrap();
    }
    let by = || "olga".to_owned();
    going.command("pause", Command::Pause { by: by() }).await;
    going.days(9).await;
    going.command("resume", Command::Resume { by: by() }).await;
    let asked = going.until_asked().await;
    for row in &asked {
        let reason = row.reason.as_deref().unwrap_or_default();
        assert!(reason.contains("2 of its windows passed"), "{reason}");
        going.say("olga", row, Choice::Stop).await.unwrap();
    }
    going.hour().await;
    assert_eq!(going.questions().await, []);
    assert!(going.reboots().is_empty());
}
