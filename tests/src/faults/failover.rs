//! The primary dies while its replica lags; a Sentinel makes the replica primary, and `once` steps go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hostler_tests::lab::{Lab, Program, RedisPlan, RedisServer, Sentinel, Signal, until};

use super::api::Api;
use super::audit;
use super::bed::{Bed, Size};
use super::chance::Chance;
use super::people::People;
use super::target::{Boundary, Course};
use super::{LIMIT, files, lasts, rounds};

const AHEAD: usize = 6;
/// Runs that each failover brings besides.
const EACH: usize = 4;
/// Longest lag of the replica before the primary dies.
const LAG_MS: u64 = 1_500;
const MOMENT: Duration = Duration::from_secs(2);
const LASTS: Duration = Duration::from_millis(60);
/// Longest that everything takes: a guard, not a figure.
const ALL: Duration = Duration::from_secs(6 * 3_600);
const NAME: &str = "estate";

fn plan() -> RedisPlan {
    RedisPlan::default()
        .option("min-replicas-to-write", "1")
        .option("min-replicas-max-lag", "2")
        .option("repl-diskless-sync-delay", "0")
}

/// The two servers; `bed.redis` is the first.
struct Pair {
    second: RedisServer,
    first_is_primary: bool,
    sentinel: Sentinel,
}

impl Pair {
    fn servers<'a>(&'a mut self, bed: &'a mut Bed) -> (&'a mut RedisServer, &'a mut RedisServer) {
        match self.first_is_primary {
            true => (&mut bed.redis, &mut self.second),
            false => (&mut self.second, &mut bed.redis),
        }
    }

    /// Waits until the primary that the Sentinel names has its replica and the Sentinel knows of it.
    ///
    /// Which of the two it is, is the Sentinel's word alone: a replica that stood still just before may be
    /// taken for dead once more after its promotion, and then the other one is promoted back.
    fn is_whole(&mut self, bed: &mut Bed) {
        let whole = until(LIMIT, || {
            self.asks_who_is_primary(bed)?;
            let is_well = self.replica_is_known()? && self.replica_is_attached(bed)?;
            is_well.then_some(())
        });
        assert!(whole.is_some(), "no replica: {}", self.report(bed));
    }

    fn asks_who_is_primary(&mut self, bed: &Bed) -> Option<()> {
        let at = format!("SENTINEL get-master-addr-by-name {NAME}");
        let named = self.sentinel.ask(&at).ok()?;
        let is = |server: &RedisServer| named.contains(&server.address().port().to_string());
        self.first_is_primary = match (is(&bed.redis), is(&self.second)) {
            (true, false) => true,
            (false, true) => false,
            _ => return None,
        };
        Some(())
    }

    fn replica_is_known(&self) -> Option<bool> {
        let replicas = format!("SENTINEL replicas {NAME}");
        let known = self.sentinel.ask(&replicas).ok()?;
        let is_away = known.contains("s_down") || known.contains("disconnected");
        Some(known.contains("slave") && !is_away)
    }

    fn replica_is_attached(&mut self, bed: &mut Bed) -> Option<bool> {
        let (primary, _) = self.servers(bed);
        let info = primary.ask("INFO replication").ok()?;
        Some(info.contains("role:master") && info.contains("state=online"))
    }

    /// What all three say, for a test that fails.
    fn report(&mut self, bed: &mut Bed) -> String {
        let sentinel = self.sentinel.ask(&format!("SENTINEL replicas {NAME}"));
        let (primary, replica) = self.servers(bed);
        let words = [primary, replica].map(|server| server.ask("INFO replication"));
        format!("the Sentinel: {sentinel:?}\nprimary and replica: {words:#?}")
    }

    /// The replica lags, the primary dies, the replica is promoted, the dead one comes back behind it.
    fn fail_over(&mut self, bed: &mut Bed, lag: Duration) {
        let (primary, replica) = self.servers(bed);
        replica.signal(Signal::Stop).unwrap();
        lasts(lag);
        primary.crash().unwrap();
        replica.signal(Signal::Continue).unwrap();
        let promoted = until(LIMIT, || {
            let info = replica.ask("INFO replication").ok()?;
            info.contains("role:master").then_some(())
        });
        assert!(promoted.is_some(), "nobody was promoted");
        primary.restart().unwrap();
        self.is_whole(bed);
    }
}

/// An administrator who accepts each loss that is declared, until told to stop; how many there were.
fn decides(api: &Api, stop: &AtomicBool) -> usize {
    let mut losses = 0;
    let over = until(ALL, || {
        losses += usize::from(api.accepts_loss("a failover").is_some());
        stop.load(Ordering::SeqCst).then_some(())
    });
    assert!(over.is_some(), "the test did not end in time");
    losses
}

/// Told to stop when it is dropped, also by a test that fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn begin(assets: usize) -> (Bed, Pair) {
    let lab = Lab::start().unwrap();
    let first = plan().start(&lab).unwrap();
    let behind = format!("{} {}", first.address().ip(), first.address().port());
    let second = plan().option("replicaof", &behind).start(&lab).unwrap();
    let sentinel = Sentinel::start(&lab, NAME, &first).unwrap();
    let store = format!(
        "kind = \"redis\"\nredis_sentinels = [\"{}\"]\nredis_primary = \"{NAME}\"\nredis_replicas = 1",
        sentinel.url()
    );
    let mut pair = Pair {
        second,
        first_is_primary: true,
        sentinel,
    };
    let course = Course {
        effect_after: LASTS,
        answer_after: LASTS,
        ..Course::default()
    };
    let size = Size {
        assets,
        ..Size::BUSY
    };
    let mut bed = Bed::over(lab, first, store, size, move |_| course);
    pair.is_whole(&mut bed);
    (bed, pair)
}

#[test]
fn a_start_is_answered_only_when_the_replica_has_it() {
    let (mut bed, mut pair) = begin(2);
    let (_, replica) = pair.servers(&mut bed);
    replica.signal(Signal::Stop).unwrap();
    let refused = bed.api.try_start(&files::pair(0), "run-0");
    let (_, replica) = pair.servers(&mut bed);
    replica.signal(Signal::Continue).unwrap();
    let status = refused.map_err(|answer| answer.map(|answer| answer.status));
    assert_eq!(status, Err(Some(503)));
    // The same key is the same run, and now it counts.
    let run = bed.api.start(&files::pair(0), "run-0");
    assert_eq!(bed.api.run(&run)["run"]["run"], run.as_str());
}

#[test]
fn failovers_with_a_lagging_replica_repeat_no_once_action_unseen() {
    let failovers = rounds(3);
    let (mut bed, mut pair) = begin(2 * (AHEAD + failovers * EACH));
    let _workers: Vec<Program> = (0..Size::BUSY.doors).map(|door| bed.worker(door)).collect();
    let people = People::new(&bed.api, AHEAD);
    let mut chance = Chance::new();
    let (stop, api) = (AtomicBool::new(false), bed.api.clone());
    std::thread::scope(|scope| {
        let told = Stop(&stop);
        let _stop = people.until_dropped();
        scope.spawn(|| people.work());
        let decider = scope.spawn(|| decides(&api, &stop));
        for _ in 0..failovers {
            (0..EACH).for_each(|_| people.allow());
            let boundary = chance.of(&[Boundary::Arrived, Boundary::Effective]);
            drop(bed.target.catch(boundary, MOMENT));
            let lag = Duration::from_millis(chance.below(LAG_MS));
            pair.fail_over(&mut bed, lag);
        }
        let what = format!("{failovers} failovers with a lagging replica, no process restarted");
        audit::all(&bed, &people.runs(), &what);
        drop(told);
        println!(
            "{} losses were declared and accepted",
            decider.join().unwrap()
        );
    });
}
