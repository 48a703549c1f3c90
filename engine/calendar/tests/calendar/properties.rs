//! What holds for every rule, zone and range.

use super::{all, instant, schedule};
use hostler_calendar::interval::{Interval, intersection, union, without};
use hostler_calendar::schedule::Dst;
use hostler_calendar::zone::{Fold, Gap};
use hostler_calendar::{Occurrence, Schedule, occurrences, when};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const RULES: [(&str, &[&str]); 10] = [
    ("daily", &["02:30"]),
    ("daily", &["00:00", "01:30", "02:15", "23:45"]),
    ("sunday", &["02:00", "02:30"]),
    ("second tuesday + 9 days", &["18:00"]),
    ("last business day - 2bd", &["02:30"]),
    ("friday + 1bd", &["06:00"]),
    ("day 31", &["00:00"]),
    ("*/15 * * * *", &[]),
    ("30 1-3 * * sun", &[]),
    ("0 2 29 2 *", &[]),
];
/// Those of the table, one whose change is at midnight, and one without.
const ZONES: [&str; 6] = [
    "America/Chicago",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "UTC",
];

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let gap = prop_oneof![Just(Gap::Shift), Just(Gap::Skip)];
    let fold = prop_oneof![
        Just(None),
        Just(Some(Fold::First)),
        Just(Some(Fold::Second)),
        Just(Some(Fold::Both))
    ];
    (0..RULES.len(), 0..ZONES.len(), gap, fold).prop_map(|(rule, zone, gap, fold)| {
        let (rule, at) = RULES[rule];
        schedule(rule, at, ZONES[zone]).with_dst(Dst { gap, fold })
    })
}

/// Instants of 2024 to 2031 in seconds.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let range = instant("2024-01-01T00:00Z").as_second()..instant("2031-01-01T00:00Z").as_second();
    range.prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn occurrences_increase_and_stay_within_bounds(schedule in any_schedule(), from in any_instant(), length in 1..2_000_i64) {
        let to = from + hours(length);
        let found = all(&schedule, from, to);
        prop_assert!(found.windows(2).all(|pair| pair[0].instant < pair[1].instant));
        prop_assert!(found.iter().all(|one| from <= one.instant && one.instant < to));
        let shows = |one: &Occurrence| schedule.zone().wall(one.instant) == (one.wall, one.offset);
        prop_assert!(found.iter().all(shows));
    }

    #[test]
    fn a_range_cut_anywhere_has_the_same_occurrences(schedule in any_schedule(), from in any_instant(), first in 0..1_500_i64, second in 0..1_500_i64) {
        let (middle, to) = (from + hours(first), from + hours(first + second));
        let mut parts = all(&schedule, from, middle);
        parts.extend(all(&schedule, middle, to));
        prop_assert_eq!(parts, all(&schedule, from, to));
    }

    #[test]
    fn a_cut_answer_goes_on_where_it_ended(schedule in any_schedule(), from in any_instant(), most in 1..20_usize) {
        let to = from + hours(3_000);
        let whole = all(&schedule, from, to);
        let part = occurrences(&schedule, from, to, most);
        prop_assert_eq!(&part.list[..], &whole[..most.min(whole.len())]);
        prop_assert_eq!(part.cut, whole.get(most).map(|next| next.instant));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,40}|[a-z0-9*/,# +-]{0,40}") {
        if let Err(fault) = when::parse(&text) {
            prop_assert!(fault.offset <= text.len() && !fault.remedy.is_empty());
            prop_assert!(text.is_char_boundary(fault.offset));
        }
        let _ = (when::time(&text), when::every(&text), hostler_calendar::zone::Zone::parse(&text));
        let _ = hostler_calendar::holiday::Holidays::import(&text);
    }

    #[test]
    fn intervals_behave_like_sets_of_minutes(left in any_intervals(), right in any_intervals(), minute in 0..200_i64) {
        let at = Timestamp::from_second(minute * 60).unwrap();
        let holds = |list: &[Interval]| list.iter().filter(|one| one.contains(at)).count();
        let (a, b) = (union(left.clone()), union(right.clone()));
        let (in_a, in_b) = (holds(&left) > 0, holds(&right) > 0);
        prop_assert_eq!(holds(&a), usize::from(in_a));
        prop_assert_eq!(holds(&intersection(&a, &b)), usize::from(in_a && in_b));
        prop_assert_eq!(holds(&without(&a, &b)), usize::from(in_a && !in_b));
    }
}

fn any_intervals() -> impl Strategy<Value = Vec<Interval>> {
    let one = (0..180_i64, 1..40_i64).prop_map(|(from, length)| {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        Interval::new(at(from), at(from + length)).unwrap()
    });
    proptest::collection::vec(one, 0..6)
}
