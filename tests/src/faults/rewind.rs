//! The store goes back under running processes; an administrator decides, and work goes on without a restart.

use hostler_tests::lab::until;
use serde_json::{Value, json};

use super::LIMIT;
use super::bed::{Bed, Size};
use super::files;
use super::target::Course;

const PATH: &str = "/api/v1/store/generation";
/// Where so many looks in a row find nothing committed, nobody is at work.
const QUIET: u32 = 40;

fn ask(bed: &Bed, who: &str, key: &str, reason: &str) -> (u16, Value) {
    let body = json!({ "reason": reason }).to_string();
    let answer = bed.api.ask(who, "POST", PATH, key, &body).unwrap();
    (answer.status, answer.json().unwrap())
}

/// The newest commit, once no lane is on its way any more: commits of a worker would bring the number back to what
/// the API has seen before the API looks.
fn quiet(bed: &Bed) -> String {
    let newest = || bed.redis_says("HGET h:{main}.meta seq");
    let (mut last, mut same) = (newest(), 0);
    let found = until(LIMIT, || {
        let now = newest();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        (same == QUIET).then(|| last.clone())
    });
    found.expect("everything waits")
}

#[test]
fn a_loss_is_declared_decided_by_an_administrator_and_work_goes_on_without_a_restart() {
    let size = Size {
        assets: 4,
        ..Size::BUSY
    };
    let bed = Bed::start(size, |_| Course::default());
    let _worker = bed.worker(0);
    let (status, refused) = ask(&bed, "ada", "k0", "nothing happened");
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("nothing-regressed"))
    );
    let run = bed.api.start(&files::pair(0), "before");
    let waiting = until(LIMIT, || {
        let rows = bed.api.try_waiting()?;
        (!rows.is_empty()).then_some(())
    });
    assert!(waiting.is_some(), "it is asked about");
    let seq = quiet(&bed);
    bed.redis_says("HSET h:{main}.meta seq 0");
    // The API commits, finds a smaller number than it has seen, and says so to all.
    let begun = bed.api.try_start(&files::pair(1), "while");
    let problem = begun.unwrap_err().unwrap();
    assert!(problem.body.contains("store-regressed"), "{}", problem.body);
    let doctor = bed.said(&["doctor"]);
    assert_eq!(doctor.0, 3, "{}", doctor.1);
    assert!(doctor.1.contains("accept-regression"), "{}", doctor.1);
    let shown = bed.said(&["store", "show"]);
    assert!(shown.1.contains("gone back   from commit"), "{}", shown.1);
    assert_eq!(ask(&bed, "olga", "k1", "may I").0, 403);
    assert_eq!(ask(&bed, "ada", "k1", " ").0, 400);
    let (status, accepted) = ask(&bed, "ada", "k1", "the lab turned it back");
    assert_eq!(status, 200, "{accepted}");
    assert_eq!(
        ask(&bed, "ada", "k1", "the lab turned it back").1,
        accepted,
        "a repeat"
    );
    assert_eq!(ask(&bed, "ada", "k2", "again").0, 409, "another request");
    assert_eq!(accepted["generation"], 1);
    let before: u64 = seq.parse().unwrap();
    assert!(accepted["found"].as_u64().unwrap() < before);
    let ledger = bed.api.ask("ada", "GET", "/api/v1/ledger", "", "").unwrap();
    assert!(ledger.body.contains("the lab turned it back"));
    let second = bed.api.start(&files::pair(1), "while");
    for run in [run, second] {
        bed.api.signed(&run);
        let ended = |view: &Value| (view["run"]["state"] == "succeeded").then_some(());
        bed.api.until("it ends", &run, LIMIT, ended);
    }
    let now: u64 = bed.redis_says("HGET h:{main}.meta seq").parse().unwrap();
    assert!(now > before, "behind all that anybody has seen");
    println!(
        "{} to {}: accepted, two runs went on",
        accepted["seen"], accepted["found"]
    );
}

#[test]
fn a_redis_that_was_put_back_is_told_so_and_every_lane_asks_before_its_next_change() {
    let size = Size {
        assets: 2,
        ..Size::BUSY
    };
    let mut bed = Bed::start(size, |_| Course::default());
    let refused = bed.said(&["backup", &bed.place("copy")]);
    assert!(refused.1.contains("redis-cli --rdb"), "{}", refused.1);
    let worker = bed.worker(0);
    let run = bed.api.start(&files::pair(0), "before");
    let asked = until(LIMIT, || {
        let rows = bed.api.try_waiting()?;
        (!rows.is_empty()).then_some(())
    });
    assert!(asked.is_some(), "it is asked about");
    drop(worker);
    bed.stop_api();
    let told = bed.said(&["restore", "--in-place", "--reason", "the RDB of noon"]);
    assert_eq!(told.0, 0, "{}", told.1);
    bed.serve_upon("log.level=info");
    bed.api.signed(&run);
    let doubts = until(LIMIT, || {
        let rows = bed.api.try_waiting()?;
        let doubts = rows.iter().filter(|row| row["kind"] == "in_doubt");
        (doubts.count() == 2).then_some(())
    });
    assert!(doubts.is_some(), "{:#?}", bed.api.try_waiting());
    assert_eq!(bed.target.book().calls_of("compute.snapshot"), 0);
    let shown = bed.said(&["store", "show"]);
    assert!(shown.1.contains("the RDB of noon"), "{}", shown.1);
}
