//! Change-over days: windows are as long as they really are.

use super::{HOUR, MINUTE, asset, base, of, planned, window};
use hostler_calendar::window::Length;
use hostler_core::definition::Ramp;
use hostler_forecast::{Duration, Input, Month, Outcome};
use jiff::civil::Time;

/// Sunday, 00:00 to 06:00 on the wall, in the cycle of a month.
fn until_six(month: &str, count: usize) -> Input {
    let mut input = base();
    input.month = Month::parse(month).unwrap();
    for contact in &mut input.customers.get_mut("chem").unwrap().contacts {
        contact.confirmed = Some(input.month.first());
    }
    let six = Length::Until(Time::constant(6, 0, 0, 0));
    input.windows = [window("nightly", "sunday", "00:00", six)].into();
    input.assets = (1..=count)
        .map(|number| asset(&format!("web{number}")))
        .collect();
    input.at_once.ramp = Ramp::Fixed(1);
    input.durations.assumed = Duration {
        steps_ms: 2 * HOUR,
        rollback_ms: 0,
    };
    input.overflow.at_most = 0;
    input
}

fn fit(input: &Input) -> (usize, u64) {
    let forecast = of(input);
    let slots = forecast.assets.iter().filter_map(|row| match &row.outcome {
        Outcome::Planned { slot, .. } => Some(slot.elapsed_ms()),
        Outcome::Held { .. } => None,
    });
    let slots: Vec<u64> = slots.collect();
    (slots.len(), slots[0])
}

#[test]
fn a_night_in_spring_has_an_hour_less_and_one_in_autumn_an_hour_more() {
    // Each month's anchor is such that the first Sunday after the lead is a day of change, or none is.
    let mut spring = until_six("2027-02", 4);
    // 9 February + 33 days is 14 March 2027; the next cycle would begin on 9 March.
    spring.anchor.rule = super::rule("last tuesday");
    spring.waves[0].opens_days = Some(14);
    assert_eq!(fit(&spring), (2, 5 * HOUR));
    let mut autumn = until_six("2026-10", 4);
    autumn.waves[0].opens_days = Some(16);
    assert_eq!(fit(&autumn), (3, 7 * HOUR));
    assert_eq!(fit(&until_six("2026-10", 4)), (3, 6 * HOUR));
}

#[test]
fn four_hours_are_four_hours_when_two_in_the_morning_does_not_exist() {
    let mut input = base();
    input.month = Month::parse("2027-02").unwrap();
    for contact in &mut input.customers.get_mut("chem").unwrap().contacts {
        contact.confirmed = Some(input.month.first());
    }
    input.anchor.rule = super::rule("last tuesday");
    input.waves[0].opens_days = Some(17);
    input.windows = [window(
        "nightly",
        "second sunday",
        "02:00",
        Length::Elapsed(4 * HOUR),
    )]
    .into();
    input.durations.assumed = Duration {
        steps_ms: 4 * HOUR,
        rollback_ms: 0,
    };
    let forecast = of(&input);
    assert_eq!(
        planned(&forecast, "web1"),
        "Sun 2027-03-14 03:00 -05:00 to Sun 2027-03-14 07:00 -05:00"
    );
    input.durations.assumed.rollback_ms = MINUTE;
    assert_eq!(planned(&of(&input), "web1"), "HF004");
}

/// The notice for a window after the change leaves at the same time on the wall, not as many hours before.
#[test]
fn a_lead_of_business_days_keeps_the_time_on_the_wall() {
    let mut input = base();
    input.waves[0].opens_days = Some(20);
    input.terms.lead = hostler_calendar::deadline::Lead::BusinessDays(5);
    let forecast = of(&input);
    let by = forecast.customers[0]
        .notice_by
        .unwrap()
        .people(&super::chicago());
    assert_eq!(planned(&forecast, "web1")[..20], *"Mon 2026-11-02 02:00");
    assert_eq!(by, "Mon 2026-10-26 02:00 -05:00");
}

/// A cycle begins when its schedule fires, in the zone of that; its waves open at the realm's midnight.
#[test]
fn the_schedule_and_the_realm_have_zones_of_their_own() {
    let mut input = base();
    input.anchor.zone = hostler_calendar::zone::Zone::parse("Asia/Tokyo").unwrap();
    let forecast = of(&input);
    assert_eq!(forecast.anchor.0.to_string(), "2026-10-13T09:00:00Z");
    assert_eq!(
        forecast.waves[0].opens.0.to_string(),
        "2026-10-22T05:00:00Z"
    );
}
