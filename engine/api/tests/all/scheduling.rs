//! Schedulers on one store: who starts what, and what people say.

use crate::support::{RUNBOOK, World, world_with};
use hostler_api::problem::{Code, Problem};
use hostler_api::services::scheduler::{Passed, Scheduler};
use hostler_api::services::schedules::{ScheduleRow, Word, WordAsk, list, say};
use hostler_calendar::{Scheduled, firing, occurrences};
use hostler_core::id::RunId;
use hostler_core::view::{RunRow, index};
use hostler_ports::store::{Cursor, Upkeep};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// The schedulers go on for so long behind the day: what is due at its end may be started late.
const AFTER: i64 = 14 * MINUTE;
/// 2026-11-01, on which the clocks of America/Chicago go back.
const START: i64 = 1_793_491_200_000;

fn schedules(text: &str) -> Arc<[Scheduled]> {
    let read = |_: &str| Ok(text.to_owned());
    let loaded = hostler_estate::schedules::load("schedules.yaml", &read);
    let loaded = loaded.unwrap_or_else(|faults| panic!("{faults}"));
    loaded.schedules.into()
}

/// A world at `START` in which schedules may start the runbook.
fn world_of(text: &str) -> World {
    let mut world = world_with(&RUNBOOK.replace("[operator]", "[operator, scheduler]"));
    world.api.schedules = schedules(text);
    world.clock.set(START);
    world
}

/// Says that the run is over, as its lanes would.
async fn end(world: &World, run: RunId) -> bool {
    let Some(text) = world.api.store.run_summary(run).await.unwrap() else {
        return false;
    };
    let mut row: RunRow = serde_json::from_str(&text).unwrap();
    row.ended_ms = Some(world.api.store.now_ms().await.unwrap());
    let change = Upkeep {
        runs: vec![(run, serde_json::to_string(&row).unwrap())],
        ..Upkeep::default()
    };
    world.api.store.upkeep(change).await.unwrap();
    true
}

async fn runs(world: &World) -> usize {
    let (mut count, mut cursor) = (0, Cursor::default());
    loop {
        let page = world
            .api
            .store
            .query(index::RUNS, false, cursor)
            .await
            .unwrap();
        count += page.entries.len();
        match page.next {
            Some(next) => cursor = next,
            None => return count,
        }
    }
}

/// Chance that is the same at every run of the test.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

type Pass = Pin<Box<dyn Future<Output = (Scheduler, Result<Passed, Problem>)>>>;

/// One of several schedulers: at work, or asleep by a clock that is wrong.
struct Desk {
    at_work: Option<Pass>,
    idle: Option<Scheduler>,
    wakes_ms: i64,
    skew_ms: i64,
}

impl Desk {
    fn new(world: &World, skew_ms: i64) -> Self {
        let idle = Some(Scheduler::new(world.api.clone()));
        Self {
            at_work: None,
            idle,
            wakes_ms: 0,
            skew_ms,
        }
    }

    /// Goes one step on, to the next place at which others get their turn.
    fn step(&mut self, now_ms: i64) {
        if let Some(mut scheduler) = self.idle.take_if(|_| self.wakes_ms <= now_ms) {
            self.at_work = Some(Box::pin(async move {
                let passed = scheduler.pass().await;
                (scheduler, passed)
            }));
        }
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let polled = self
            .at_work
            .as_mut()
            .map(|pass| pass.as_mut().poll(&mut context));
        if let Some(Poll::Ready((scheduler, passed))) = polled {
            let sleep_ms = passed.unwrap().sleep_ms.min(60_000);
            self.wakes_ms = now_ms + (sleep_ms + self.skew_ms).max(1);
            (self.at_work, self.idle) = (None, Some(scheduler));
        }
    }
}

fn two_hundred() -> String {
    let zones = [
        "America/Chicago",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
    ];
    let line = |number: usize| {
        let zone = zones[number % zones.len()];
        let when = match number % 10 {
            0 => "every: 15m".to_owned(),
            1..=4 => format!("when: \"{} * * * *\", zone: {zone}", number % 60),
            _ => format!(
                "when: daily, at: \"{:02}:{:02}\", zone: {zone}",
                number % 24,
                number % 60
            ),
        };
        format!("  - {{ id: s{number}, runbook: touch, {when}, missed: {{ late: 14m }} }}\n")
    };
    format!("schedules:\n{}", (0..200).map(line).collect::<String>())
}

/// All firings of a day, by instant.
fn expected(world: &World) -> BTreeMap<(i64, RunId), ()> {
    let (from, to) = (START + 1, START + DAY + AFTER);
    let instant = |ms| Timestamp::from_millisecond(ms).unwrap();
    let of = |one: &Scheduled| {
        let found = occurrences(&one.schedule, instant(from), instant(to), 1_000);
        assert_eq!(found.cut, None);
        let run = |at: Timestamp| firing::run("main", one.schedule.id(), at);
        found
            .list
            .into_iter()
            .map(move |one| one.instant)
            .map(|at| ((at.as_millisecond(), run(at)), ()))
            .collect::<Vec<_>>()
    };
    world.api.schedules.iter().flat_map(of).collect()
}

#[tokio::test]
async fn three_schedulers_that_are_killed_make_one_run_of_every_firing_of_a_day() {
    let world = world_of(&two_hundred());
    let mut wanted = expected(&world);
    let total = wanted.len();
    assert!(total > 3_000, "{total}");
    let mut chance = Chance(7);
    let mut desks = [-5_000, 0, 5_000].map(|skew_ms| Desk::new(&world, skew_ms));
    let mut killed_at_work = 0;
    for now_ms in (START..START + DAY + AFTER).step_by(20_000) {
        world.clock.set(now_ms);
        for _ in 0..8 {
            let place = chance.below(3) as usize;
            desks[place].step(now_ms);
            if chance.below(200) == 0 {
                killed_at_work += u32::from(desks[place].at_work.is_some());
                let skew_ms = desks[place].skew_ms;
                desks[place] = Desk::new(&world, skew_ms);
                desks[place].wakes_ms = now_ms + i64::try_from(chance.below(120_000)).unwrap();
            }
        }
        let due: Vec<_> = wanted
            .range(..=(now_ms, RunId(uuid::Uuid::max())))
            .map(|(key, ())| *key)
            .collect();
        for key in due {
            if end(&world, key.1).await {
                wanted.remove(&key);
            }
        }
    }
    for key in wanted.clone().into_keys() {
        if end(&world, key.1).await {
            wanted.remove(&key);
        }
    }
    let missing: Vec<_> = wanted
        .keys()
        .take_while(|(at_ms, _)| *at_ms < START + DAY)
        .take(5)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let fired = total - wanted.len();
    assert_eq!(runs(&world).await, fired, "as many runs as firings");
    assert!(killed_at_work > 20, "{killed_at_work}");
}

const ONE: &str = "
schedules:
  - { id: night, runbook: touch, when: daily, at: '02:00', zone: UTC, missed: { late: 10m, then: ask }, inputs: { times: 3 } }
";

async fn row(world: &World) -> ScheduleRow {
    let rows = list(&world.api, &world.subject("vera")).await.unwrap();
    rows.into_iter().next().unwrap()
}

async fn pass(world: &World) -> u32 {
    Scheduler::new(world.api.clone())
        .pass()
        .await
        .unwrap()
        .started
}

async fn word(world: &World, person: &str, word: Word) -> Result<ScheduleRow, Problem> {
    let ask = WordAsk {
        word,
        reason: "test".into(),
    };
    say(&world.api, &world.subject(person), "night", ask).await
}

#[tokio::test]
async fn a_firing_starts_the_runbook_with_the_inputs_of_its_schedule() {
    let world = world_of(ONE);
    assert_eq!(pass(&world).await, 0);
    let due_ms = START + 120 * MINUTE;
    world.clock.set(due_ms - 1);
    assert_eq!(
        (pass(&world).await, row(&world).await.next_ms),
        (0, Some(due_ms))
    );
    world.clock.set(due_ms + 1);
    assert_eq!((pass(&world).await, pass(&world).await), (1, 0));
    let row = row(&world).await;
    let fired = row.last.unwrap();
    assert_eq!((fired.instant_ms, row.running), (due_ms, true));
    let text = world
        .api
        .store
        .run_summary(fired.run)
        .await
        .unwrap()
        .unwrap();
    let run: RunRow = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (run.starter.as_str(), run.reason.as_deref()),
        (
            "schedule:night",
            Some("schedule night, 2026-11-01T02:00:00Z")
        )
    );
    let plan = hostler_api::read::plan(&world.api, run.plan).await.unwrap();
    assert_eq!(plan.inputs["times"], 3);
}

#[tokio::test]
async fn what_is_released_in_the_middle_of_a_firing_makes_no_second_run() {
    let mut world = world_of(ONE);
    pass(&world).await;
    let due_ms = START + 120 * MINUTE;
    world.clock.set(due_ms);
    let mut desk = Desk::new(&world, 0);
    for _ in 0..20 {
        desk.step(due_ms);
        if runs(&world).await == 1 {
            break;
        }
    }
    assert!(
        desk.at_work.is_some(),
        "it has not written down what it did"
    );
    drop(desk);
    let next = RUNBOOK.replace("[operator]", "[operator, scheduler]");
    let next = next.replace("Touch servers", "Touch them otherwise");
    world.api.runbooks = world_with(&next).api.runbooks;
    world.api.schedules = schedules(&ONE.replace("times: 3", "times: 4"));
    assert_eq!(pass(&world).await, 0);
    assert_eq!(row(&world).await.last.unwrap().instant_ms, due_ms);
    assert_eq!(runs(&world).await, 1);
}

#[tokio::test]
async fn people_decide_about_what_was_missed() {
    let world = world_of(ONE);
    pass(&world).await;
    let due_ms = START + 120 * MINUTE;
    world.clock.set(due_ms + 30 * MINUTE);
    assert_eq!(
        (pass(&world).await, row(&world).await.asks),
        (0, vec![due_ms])
    );
    let start = Word::Start { instant_ms: due_ms };
    assert_eq!(
        word(&world, "vera", start.clone()).await.unwrap_err().code,
        Code::Forbidden
    );
    word(&world, "olga", start.clone()).await.unwrap();
    assert_eq!(
        word(&world, "olga", start).await.unwrap_err().code,
        Code::Changed
    );
    assert_eq!(pass(&world).await, 1);
    assert_eq!(row(&world).await.last.unwrap().instant_ms, due_ms);
    let ledger = world.api.store.ledger(0).await.unwrap();
    let told = |event: &str| {
        ledger
            .iter()
            .filter(|line| line.body.contains(event))
            .count()
    };
    assert_eq!((told("firings_left"), told("firing_allowed")), (1, 1));
}

#[tokio::test]
async fn a_stopped_schedule_fires_nothing_and_goes_on_with_the_next() {
    let world = world_of(ONE);
    pass(&world).await;
    let stopped = word(&world, "olga", Word::Pause).await.unwrap();
    assert_eq!(
        (stopped.next_ms, stopped.paused.unwrap().by),
        (None, "olga".to_owned())
    );
    world.clock.set(START + 121 * MINUTE);
    assert_eq!(pass(&world).await, 0);
    word(&world, "olga", Word::Resume).await.unwrap();
    assert_eq!(pass(&world).await, 0);
    world.clock.set(START + DAY + 121 * MINUTE);
    assert_eq!(pass(&world).await, 1);
}

#[tokio::test]
async fn a_firing_whose_inputs_break_a_rule_starts_nothing_and_says_which() {
    let ruled = RUNBOOK
        .replace("[operator]", "[operator, scheduler]")
        .replace("default: 1 }", "default: 1, must: \"${{ value < 3 }}\" }");
    let mut world = world_with(&ruled);
    world.api.schedules = schedules(ONE);
    world.clock.set(START);
    pass(&world).await;
    let due_ms = START + 120 * MINUTE;
    world.clock.set(due_ms);
    assert_eq!((pass(&world).await, runs(&world).await), (0, 0));
    let row = row(&world).await;
    let why = row.failed.unwrap().why;
    assert!(why.contains("times breaks its rule `value < 3`"), "{why}");
    assert_eq!(row.asks, [due_ms]);
}

#[tokio::test]
async fn a_firing_that_cannot_be_started_is_told_and_can_be_tried_again() {
    let world = world_of(&ONE.replace("runbook: touch", "runbook: gone"));
    pass(&world).await;
    let due_ms = START + 120 * MINUTE;
    world.clock.set(due_ms);
    assert_eq!(pass(&world).await, 0);
    let row = row(&world).await;
    assert!(row.failed.unwrap().why.contains("gone"));
    assert_eq!(row.asks, [due_ms]);
}
