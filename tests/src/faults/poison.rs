//! One lane takes its worker down whenever it is worked on; a hundred others do not.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_tests::lab::Signal;

use super::LIMIT;
use super::audit;
use super::bed::{Bed, Size};
use super::files;
use super::target::{Boundary, Course};

const OTHERS: usize = 100;
const SIZE: Size = Size {
    assets: OTHERS + 1,
    doors: 1,
    lease_ms: 6_000,
    permits: 128,
    per_host: 400,
    timeout: "15s",
};
/// One look for the poisoned lane's next call.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS_MAX: usize = 120;
/// Two deaths among others, and one alone: what the lane had against it before each. A death may stand there
/// twice: a worker that the machine held up for seconds has let its lanes go before it is killed, which is no
/// strike.
const STRIKES: [&str; 3] = ["", "1", "2"];
const DEATHS_MAX: usize = 6;

fn strikes_of(bed: &Bed, run: &str, asset: &str) -> String {
    let view = bed.api.run(run);
    let mut lanes = view["lanes"].as_array().unwrap().iter();
    let lane = lanes.find(|lane| lane["key"] == asset).unwrap();
    bed.header(lane["lane"].as_str().unwrap(), "sk")
}

#[test]
fn a_lane_that_takes_its_worker_down_is_quarantined_and_a_hundred_others_end() {
    let bed = Bed::start(SIZE, |_| Course::default());
    let mut worker = bed.worker(0);
    let run = bed.run_all();
    let poisoned = files::asset(0);
    let mut strikes = Vec::new();
    let mut quarantined = false;
    for _ in 0..LOOKS_MAX {
        if let Some(caught) = bed
            .target
            .catch_for(Boundary::Arrived, Some(&poisoned), LOOK)
        {
            strikes.push(strikes_of(&bed, &run, &poisoned));
            worker.end(Signal::Kill).unwrap();
            drop(caught);
            worker = bed.worker(0);
        }
        let rows = bed.api.try_waiting().unwrap_or_default();
        quarantined = rows.iter().any(|row| row["key"] == poisoned.as_str());
        if quarantined {
            break;
        }
    }
    assert!(quarantined, "{strikes:?}: {:#}", bed.api.run(&run));
    let figures = audit::settled(&bed, std::slice::from_ref(&run), LIMIT);
    audit::once(&bed, &bed.target.book(), &[run]);
    println!(
        "{} worker deaths, with {strikes:?} strikes before; lanes {:?}",
        strikes.len(),
        figures.lanes
    );
    let others = u32::try_from(OTHERS).unwrap();
    let expected = [("succeeded", others), ("waits: quarantine", 1)];
    let expected: BTreeMap<String, u32> = expected.map(|(name, n)| (name.to_owned(), n)).into();
    assert_eq!(figures.lanes, expected);
    assert!(strikes.len() <= DEATHS_MAX, "{strikes:?}");
    strikes.dedup();
    assert_eq!(strikes, STRIKES);
}
