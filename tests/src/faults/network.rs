//! A bad network between the workers and Redis.

use std::time::Duration;

use hostler_tests::lab::{Program, Proxy, Weather, until};

use super::audit;
use super::bed::{Bed, Size, in_redis};
use super::chance::Chance;
use super::people::People;
use super::target::{Book, Course};
use super::{LIMIT, lasts, rounds};

const SIZE: Size = Size {
    assets: 0,
    doors: 2,
    lease_ms: 6_000,
    permits: 16,
    per_host: 400,
    timeout: "3s",
};
const AHEAD: usize = 6;
/// Further runs until both workers have something to do, and how long each is waited for.
const MORE: usize = 20;
const SOON: Duration = Duration::from_secs(3);
const LASTS: Duration = Duration::from_millis(60);
/// Longest of one kind of weather.
const SPELL_MS: u64 = 2_500;
const SLOW: Duration = Duration::from_millis(400);

/// One spell: some weather, perhaps begun by a cut of every connection.
fn spell(proxies: &[Proxy], chance: &mut Chance) {
    let weather = [
        Weather::Slow(SLOW),
        Weather::Mute,
        Weather::Deaf,
        Weather::Frozen,
        Weather::Shut,
    ];
    for proxy in proxies {
        proxy.weather(chance.of(&weather));
        if chance.below(2) == 0 {
            proxy.cut();
        }
    }
    lasts(Duration::from_millis(chance.below(SPELL_MS)));
    for proxy in proxies {
        proxy.weather(Weather::Fair);
    }
    lasts(Duration::from_millis(chance.below(SPELL_MS / 2)));
}

fn behind(bed: &Bed, proxies: &[Proxy]) -> Vec<Program> {
    let worker = |(door, proxy): (usize, &Proxy)| {
        let store = format!(
            "kind = \"redis\"\nredis_url = \"redis://{}/\"",
            proxy.address()
        );
        bed.worker_upon(door, &store)
    };
    proxies.iter().enumerate().map(worker).collect()
}

#[test]
fn a_bad_network_to_redis_loses_no_run_and_repeats_no_once_action_unseen() {
    let spells = rounds(12);
    let size = Size {
        assets: 2 * (AHEAD + MORE + spells),
        ..SIZE
    };
    let course = Course {
        effect_after: LASTS,
        answer_after: LASTS,
        ..Course::default()
    };
    let bed = Bed::start(size, move |_| course);
    let proxies = [0, 1].map(|_| Proxy::start(&bed.lab, bed.redis.address()).unwrap());
    let mut workers = behind(&bed, &proxies);
    let people = People::new(&bed.api, AHEAD);
    let mut chance = Chance::new();
    std::thread::scope(|scope| {
        let _stop = people.until_dropped();
        scope.spawn(|| people.work());
        // A process that does not reach its store at the start says so and ends.
        let both = |book: &Book| {
            [0, 1].map(|door| book.calls.iter().any(|call| call.door == door)) == [true; 2]
        };
        for _ in 0..MORE {
            // The one that was there first may have done all that there was.
            if until(SOON, || both(&bed.target.book()).then_some(())).is_some() {
                break;
            }
            people.allow();
        }
        bed.target.wait("both workers are at work", LIMIT, both);
        for _ in 0..spells {
            people.allow();
            spell(&proxies, &mut chance);
        }
        audit::all(
            &bed,
            &people.runs(),
            &format!("{spells} spells of bad network"),
        );
    });
    assert!(workers.iter_mut().all(Program::runs), "a worker has ended");
}

/// From the engine's last look to the target's first, on a busy machine.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// When the store last heard that a lane is held, as far as the store shows it.
fn renewed(bed: &Bed, lane: &str) -> String {
    bed.redis_says(&format!("ZSCORE h:{{main}}.leased \"{}\"", in_redis(lane)))
}

/// A worker that hears nothing of Redis any more calls nobody once its lease is two thirds over: not even those
/// calls that were admitted before and wait for their turn at the host.
#[test]
fn a_worker_that_is_cut_off_from_redis_begins_no_call_on_an_old_lease() {
    let lanes = 80;
    let size = Size {
        assets: lanes,
        permits: lanes,
        per_host: 1,
        doors: 1,
        lease_ms: 12_000,
        timeout: "60s",
    };
    // One at a time: the others wait longer than a lease lasts.
    let course = Course {
        effect_after: Duration::from_millis(200),
        ..Course::default()
    };
    let bed = Bed::start(size, move |_| course);
    let proxy = Proxy::start(&bed.lab, bed.redis.address()).unwrap();
    let _workers = behind(&bed, std::slice::from_ref(&proxy));
    let run = bed.run_all();
    bed.target
        .wait("work goes on", LIMIT, |book| book.calls.len() > 2);
    let view = bed.api.run(&run);
    let lane = view["lanes"].as_array().unwrap().last().unwrap();
    let lane = lane["lane"].as_str().unwrap();
    let before = renewed(&bed, lane);
    let again = || (renewed(&bed, lane) != before).then_some(());
    assert!(until(LIMIT, again).is_some(), "the lease is not renewed");
    proxy.weather(Weather::Deaf);
    let deaf = bed.target.now();
    lasts(Duration::from_millis(size.lease_ms));
    let book = bed.target.book();
    let last = book.calls.iter().map(|call| call.at).max().unwrap();
    let late = last.saturating_sub(deaf);
    proxy.weather(Weather::Fair);
    println!(
        "cut off from Redis under a lease of {} ms: the last call began {late:?} later",
        size.lease_ms
    );
    let age_max = Duration::from_millis(size.lease_ms * 2 / 3);
    assert!(
        late <= age_max + ON_ITS_WAY,
        "a call began {late:?} after Redis was last heard"
    );
    audit::all(&bed, &[run], "cut off");
}
