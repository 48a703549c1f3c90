//! What a code is worth, instant by instant.

use super::*;
use crate::step_up::Enrolled;
use hostler_ports::store::memory::CountedIds;

const STEP_MS: i64 = 30_000;
/// The beginning of a step.
const NOW_MS: i64 = 1_700_000_010_000;

fn secret() -> Secret {
    Enrolled::default().enrol(&CountedIds::default(), "ada")
}

fn command(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The code of so many steps from now.
fn code(steps: i64) -> Passcode {
    secret().code(step(NOW_MS + steps * STEP_MS))
}

fn at(used: Used, code: Passcode, number: u128, after_ms: i64) -> (Used, Verdict) {
    judged(used, &secret(), code, command(number), NOW_MS + after_ms)
}

#[test]
fn a_code_counts_in_its_step_and_one_before_and_behind() {
    assert_eq!(NOW_MS % STEP_MS, 0);
    let worth = |steps, after_ms| at(Used::default(), code(steps), 1, after_ms).1;
    for (steps, after_ms) in [(0, 0), (-1, STEP_MS - 1), (1, 0), (0, 2 * STEP_MS - 1)] {
        assert_eq!(
            worth(steps, after_ms),
            Verdict::Counts,
            "{steps} {after_ms}"
        );
    }
    for (steps, after_ms) in [(-2, 0), (2, 0), (0, 2 * STEP_MS), (0, -STEP_MS - 1)] {
        assert_eq!(
            worth(steps, after_ms),
            Verdict::Wrong(1),
            "{steps} {after_ms}"
        );
    }
}

#[test]
fn a_code_counts_once_and_older_ones_no_more() {
    let (used, first) = at(Used::default(), code(0), 1, 0);
    assert_eq!(first, Verdict::Counts);
    assert_eq!(at(used.clone(), code(0), 2, 0).1, Verdict::Used);
    assert_eq!(
        at(used.clone(), code(0), 1, 0),
        (used.clone(), Verdict::Again)
    );
    assert_eq!(at(used.clone(), code(-1), 1, 0).1, Verdict::Used);
    let (used, next) = at(used, code(1), 2, 0);
    assert_eq!(next, Verdict::Counts);
    assert_eq!(
        at(used, code(0), 1, 0).1,
        Verdict::Used,
        "not even as a repeat"
    );
}

#[test]
fn the_sixth_wrong_code_in_a_quarter_of_an_hour_is_not_looked_at_nor_a_right_one() {
    let wrong = code(40);
    let mut used = Used::default();
    for count in 1..=WRONG_MAX {
        let verdict;
        (used, verdict) = at(used, wrong, 1, count as i64);
        assert_eq!(verdict, Verdict::Wrong(count));
    }
    let until_ms = NOW_MS + 1 + WRONG_WITHIN_MS;
    for tried in [wrong, code(0)] {
        assert_eq!(at(used.clone(), tried, 1, 10).1, Verdict::Locked(until_ms));
    }
    let again = 1 + WRONG_WITHIN_MS;
    let later = secret().code(step(NOW_MS + again));
    assert_eq!(
        at(used.clone(), later, 1, again - 1).1,
        Verdict::Locked(until_ms)
    );
    let (used, verdict) = at(used, later, 1, again);
    assert_eq!(verdict, Verdict::Counts);
    // What was wrong in between is remembered: one that counts forgives nothing.
    assert_eq!(used.wrong_ms.len(), WRONG_MAX - 1);
}
