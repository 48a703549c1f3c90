//! Workers and Redis are killed at every boundary of a call, again and again, while runs, approvals and messages
//! go on.

use std::time::Duration;

use hostler_tests::lab::{Program, Signal};

use super::audit;
use super::bed::{Bed, Size};
use super::chance::Chance;
use super::people::People;
use super::target::{Boundary, Course};
use super::{lasts, rounds};

/// Runs that are under way besides the one that each round brings.
const AHEAD: usize = 16;
const ASSETS_PER_RUN: usize = 2;
/// Longest time between two kills, besides the wait for a boundary.
const CALM_MS: u64 = 700;
/// Longest wait for a call to come to a boundary; a kill at any other instant is as good.
const MOMENT: Duration = Duration::from_millis(900);
/// Every call lasts a while on both sides of its effect.
const LASTS: Duration = Duration::from_millis(60);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Worker(usize),
    Workers,
    Redis,
}
const VICTIMS: [Victim; 6] = [
    Victim::Worker(0),
    Victim::Worker(1),
    Victim::Worker(0),
    Victim::Worker(1),
    Victim::Workers,
    Victim::Redis,
];
const BOUNDARIES: [Boundary; 3] = [Boundary::Arrived, Boundary::Effective, Boundary::Answered];

fn kill(bed: &mut Bed, workers: &mut [Program], victim: Victim) {
    let mut again = |door: usize| {
        workers[door].end(Signal::Kill).unwrap();
        workers[door] = bed.worker(door);
    };
    match victim {
        Victim::Worker(door) => again(door),
        Victim::Workers => (0..Size::BUSY.doors).for_each(again),
        Victim::Redis => {
            bed.redis.crash().unwrap();
            bed.redis.restart().unwrap();
        }
    }
}

/// A killing at a boundary if a call comes to it, else at any instant; some of the calls are lost with it.
fn round(bed: &mut Bed, workers: &mut [Program], chance: &mut Chance) -> bool {
    let (victim, boundary) = (chance.of(&VICTIMS), chance.of(&BOUNDARIES));
    lasts(Duration::from_millis(chance.below(CALM_MS)));
    let caught = bed.target.catch(boundary, MOMENT);
    kill(bed, workers, victim);
    let is_caught = caught.is_some();
    if let Some(caught) = caught.filter(|_| chance.below(2) == 0) {
        caught.lose();
    }
    is_caught
}

#[test]
fn killed_workers_and_redis_lose_no_run_and_repeat_no_once_action_unseen() {
    let kills = rounds(40);
    let size = Size {
        assets: (kills + AHEAD) * ASSETS_PER_RUN,
        ..Size::BUSY
    };
    let course = Course {
        effect_after: LASTS,
        answer_after: LASTS,
        ..Course::default()
    };
    let mut bed = Bed::start(size, move |_| course);
    let mut workers: Vec<Program> = (0..Size::BUSY.doors).map(|door| bed.worker(door)).collect();
    let people = People::new(&bed.api, AHEAD);
    let mut chance = Chance::new();
    let mut caught = 0;
    std::thread::scope(|scope| {
        let _stop = people.until_dropped();
        scope.spawn(|| people.work());
        for _ in 0..kills {
            caught += usize::from(round(&mut bed, &mut workers, &mut chance));
            people.allow();
        }
        // Somebody signs until nothing is on its way.
        let what = format!("{kills} kills ({caught} with a call at a boundary)");
        audit::all(&bed, &people.runs(), &what);
    });
}
