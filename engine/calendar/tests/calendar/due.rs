//! What is done about firings, the more so about missed ones.

use super::{every, instant, schedule};
use hostler_calendar::due::{Missed, Standing, Then, Verdict, WhileRunning, Why, due};
use hostler_calendar::{Schedule, ScheduleFault, firing};

const HOUR_MS: u64 = 3_600_000;

fn with(then: Then, late_ms: u64, while_running: WhileRunning) -> Schedule {
    let daily = schedule("daily", &["04:30"], "UTC");
    daily
        .with_policy(Missed { late_ms, then }, while_running)
        .unwrap()
}

fn standing(handled: &str, now: &str, running: bool, waiting: u32) -> Standing {
    Standing {
        handled: instant(handled),
        now: instant(now),
        running,
        waiting,
    }
}

fn verdicts(schedule: &Schedule, standing: &Standing) -> Vec<Verdict> {
    due(schedule, standing)
        .list
        .into_iter()
        .map(|(_, verdict)| verdict)
        .collect()
}

#[test]
fn each_policy_decides_about_the_same_three_missed_days() {
    use Verdict::{Ask, Drop, Queue, Start};
    let away = standing("2026-06-01T04:30Z", "2026-06-04T12:00Z", false, 0);
    let late = [Drop(Why::Late); 3];
    let newest = |verdict| [Drop(Why::Superseded), Drop(Why::Superseded), verdict];
    let skip = WhileRunning::Skip;
    for (schedule, expected) in [
        (with(Then::Skip, 6 * HOUR_MS, skip), late),
        (with(Then::Ask, 6 * HOUR_MS, skip), newest(Ask)),
        (with(Then::RunOnce, 6 * HOUR_MS, skip), newest(Start)),
        (with(Then::Skip, 8 * HOUR_MS, skip), newest(Start)),
        (with(Then::Ask, 8 * HOUR_MS, skip), newest(Start)),
        (
            with(Then::RunAll { at_most: 2 }, HOUR_MS, WhileRunning::Queue),
            [Drop(Why::Late), Start, Queue],
        ),
    ] {
        assert_eq!(
            verdicts(&schedule, &away),
            expected,
            "{:?}",
            schedule.missed()
        );
    }
}

#[test]
fn what_was_handled_is_never_decided_again_and_now_itself_is_due() {
    let daily = with(Then::Skip, HOUR_MS, WhileRunning::Skip);
    let exactly = standing("2026-06-01T04:30Z", "2026-06-02T04:30Z", false, 0);
    assert_eq!(verdicts(&daily, &exactly), [Verdict::Start]);
    let again = standing("2026-06-02T04:30Z", "2026-06-02T04:30Z", false, 0);
    assert_eq!(verdicts(&daily, &again), []);
    let clock_went_back = standing("2026-06-03T04:30Z", "2026-06-02T04:30Z", false, 0);
    assert_eq!(verdicts(&daily, &clock_went_back), []);
}

#[test]
fn a_run_that_goes_on_is_waited_for_or_not_disturbed() {
    let skip = with(Then::Skip, HOUR_MS, WhileRunning::Skip);
    let queue = with(Then::Skip, HOUR_MS, WhileRunning::Queue);
    let at =
        |running, waiting| standing("2026-06-01T04:30Z", "2026-06-02T04:31Z", running, waiting);
    assert_eq!(verdicts(&skip, &at(true, 0)), [Verdict::Drop(Why::Running)]);
    assert_eq!(verdicts(&queue, &at(true, 0)), [Verdict::Queue]);
    assert_eq!(
        verdicts(&queue, &at(false, 1)),
        [Verdict::Queue],
        "who waits already goes first"
    );
    assert_eq!(
        verdicts(&queue, &at(true, 100)),
        [Verdict::Drop(Why::QueueFull)]
    );
}

#[test]
fn all_missed_runs_beside_each_other_are_refused() {
    let all = Missed {
        late_ms: HOUR_MS,
        then: Then::RunAll { at_most: 3 },
    };
    let refused = schedule("daily", &["04:30"], "UTC").with_policy(all, WhileRunning::Skip);
    assert_eq!(refused, Err(ScheduleFault::AllAtOnce));
}

#[test]
fn years_without_a_scheduler_are_answered_within_bounds() {
    let probe = every("1m");
    let long = due(
        &probe,
        &standing("2020-01-01T00:00Z", "2026-06-01T00:00Z", false, 0),
    );
    assert_eq!(long.list.len(), 1_000);
    assert_eq!(long.older, 400 * 1440 + 1 - 1_000);
    assert!(long.forgotten_before.is_some());
    assert_eq!(
        long.list.last().unwrap().1,
        Verdict::Start,
        "the one of this minute"
    );
}

#[test]
fn three_schedulers_make_one_run_and_realms_and_schedules_differ() {
    let at = instant("2026-06-01T04:30Z");
    let run = firing::run("main", "nightly", at);
    assert_eq!(
        run,
        firing::run("main", "nightly", "2026-06-01T06:30+02:00".parse().unwrap())
    );
    for other in [
        firing::run("test", "nightly", at),
        firing::run("main", "nightl", at),
        firing::run("main", "nightly", instant("2026-06-01T04:31Z")),
    ] {
        assert_ne!(run, other);
    }
    assert_eq!(run.0.get_version_num(), 5);
}

#[test]
fn a_period_counts_in_utc_whatever_the_range() {
    let found = super::first(&every("15m"), "2026-03-08T07:59:00.5Z", 3);
    assert_eq!(
        found,
        [
            "2026-03-08T08:00:00 +00",
            "2026-03-08T08:15:00 +00",
            "2026-03-08T08:30:00 +00"
        ]
    );
}
