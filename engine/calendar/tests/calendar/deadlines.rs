//! Deadlines counted backwards, and feeds.

use super::{all, business, instant, schedule, zone};
use hostler_calendar::deadline::{DeadlineFault, Lead, Promise, backwards};
use hostler_calendar::feed::{Entry, Feed, FeedFault, text, uid};
use hostler_calendar::when::{Rule, parse, time};
use hostler_calendar::window::{Length, Window, Windows};

const HOUR_MS: u64 = 3_600_000;

fn windows() -> Windows {
    let Rule::Days(rule) = parse("sunday").unwrap() else {
        panic!()
    };
    let length = Length::Elapsed(4 * HOUR_MS);
    let window = Window::new(
        "sun",
        rule,
        time("02:00").unwrap(),
        length,
        zone("America/Chicago"),
        None,
    );
    Windows::One(window.unwrap())
}

fn notice_by(lead: Lead, by: &str, needed_ms: u64) -> Result<Vec<String>, DeadlineFault> {
    let (windows, business, zone) = (windows(), business(), zone("America/Chicago"));
    let promise = Promise {
        by: instant(by),
        needed_ms,
        windows: &windows,
        lead,
        business: &business,
        zone: &zone,
    };
    let deadline = backwards(&promise, instant("2026-06-01T00:00Z"))?;
    Ok(deadline
        .terms
        .iter()
        .map(|term| format!("{}: {}", term.what, term.local.0))
        .collect())
}

#[test]
fn the_notice_leaves_before_window_and_lead_and_each_term_is_shown() {
    // Promised until a Wednesday; the window is the Sunday before; the third of July is off.
    let terms = notice_by(Lead::BusinessDays(5), "2026-07-08T22:00Z", 2 * HOUR_MS).unwrap();
    assert_eq!(
        terms,
        [
            "promised until: 2026-07-08T17:00:00",
            "last window closes, after 4h: 2026-07-05T06:00:00",
            "last window opens: 2026-07-05T02:00:00",
            "notice leaves, 5 business days before it opens: 2026-06-26T02:00:00",
        ]
    );
    let week = notice_by(
        Lead::Elapsed(168 * HOUR_MS),
        "2026-07-08T22:00Z",
        2 * HOUR_MS,
    )
    .unwrap();
    assert!(week[3].ends_with("2026-06-28T02:00:00"), "{week:?}");
}

#[test]
fn a_window_that_the_promise_cuts_too_short_does_not_count() {
    // 09:00 UTC is 04:00 in Chicago: two of four hours are left of that Sunday.
    let fits = notice_by(Lead::BusinessDays(0), "2026-07-05T09:00Z", 2 * HOUR_MS).unwrap();
    assert!(fits[2].ends_with("07-05T02:00:00"), "{fits:?}");
    let before = notice_by(Lead::BusinessDays(0), "2026-07-05T09:00Z", 2 * HOUR_MS + 1).unwrap();
    assert!(before[2].ends_with("06-28T02:00:00"), "{before:?}");
}

#[test]
fn a_promise_that_cannot_be_kept_is_said_in_time() {
    let fault = notice_by(Lead::BusinessDays(5), "2026-07-08T22:00Z", 5 * HOUR_MS).unwrap_err();
    assert!(fault.to_string().contains("widen a window"), "{fault}");
    let fault = notice_by(Lead::BusinessDays(2_000), "2026-07-08T22:00Z", HOUR_MS).unwrap_err();
    assert_eq!(fault, DeadlineFault::NoBusinessDay(2_000));
}

const FEED: Feed<'_> = Feed {
    realm: "main",
    domain: "hostler.example",
    made: jiff::Timestamp::UNIX_EPOCH,
};

#[test]
fn a_feed_names_each_firing_the_same_in_every_version() {
    let nightly =
        schedule("30 1 * * *", &[], "America/Chicago").with_dst(hostler_calendar::schedule::Dst {
            gap: hostler_calendar::zone::Gap::Shift,
            fold: Some(hostler_calendar::zone::Fold::Both),
        });
    let found = all(
        &nightly,
        instant("2026-10-31T00:00Z"),
        instant("2026-11-03T00:00Z"),
    );
    let entries: Vec<Entry<'_>> = found
        .iter()
        .map(|one| Entry {
            schedule: nightly.id(),
            occurrence: *one,
            lasts_ms: HOUR_MS,
            summary: "Nightly\r\nATTACH:evil",
            sequence: 2,
            cancelled: one == &found[0],
        })
        .collect();
    let file = text(&FEED, &entries).unwrap();
    assert_eq!(
        file,
        text(&FEED, &entries).unwrap(),
        "no clock and no chance in it"
    );
    let lines: Vec<&str> = file.split("\r\n").collect();
    let count = |line: &str| lines.iter().filter(|one| **one == line).count();
    assert_eq!((count("BEGIN:VEVENT"), count("SEQUENCE:2")), (4, 4));
    assert_eq!(
        (count("STATUS:CANCELLED"), count("STATUS:CONFIRMED")),
        (1, 3)
    );
    assert_eq!(
        (
            count("DTSTART:20261101T063000Z"),
            count("DTSTART:20261101T073000Z")
        ),
        (1, 1)
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("ATTACH") || line.contains("TZID")),
        "{file}"
    );
    let mut uids: Vec<String> = found
        .iter()
        .map(|one| uid(&FEED, nightly.id(), one))
        .collect();
    uids.dedup();
    assert_eq!(uids.len(), 4);
    let first: std::collections::BTreeSet<&String> = uids.iter().collect();
    assert_eq!(first.len(), 4);
    assert_ne!(
        uids[0],
        uid(
            &Feed {
                realm: "test",
                ..FEED
            },
            nightly.id(),
            &found[0]
        )
    );
}

#[test]
fn a_feed_that_would_break_is_refused() {
    let bad = Feed {
        domain: "x\r\nATTACH:y",
        ..FEED
    };
    assert!(matches!(text(&bad, &[]), Err(FeedFault::Domain(_))));
}

/// Every seven hours of a year, over changes of clocks, holidays and days off.
#[test]
fn a_notice_that_is_in_time_and_any_before_it_is_counted_to_no_later_instant() {
    let (business, utc) = (business(), zone("UTC"));
    let hours = |hours: i64| jiff::SignedDuration::from_hours(hours);
    let minute = jiff::SignedDuration::from_mins(1);
    for name in ["UTC", "America/Chicago", "Europe/Berlin"] {
        let zone = zone(name);
        for days in [1, 3, 5] {
            let lead = Lead::BusinessDays(days);
            let mut begins = instant("2026-01-15T00:30Z");
            while begins < instant("2027-01-15T00:30Z") {
                let by = lead.in_time(begins, &business, &zone).unwrap();
                for earlier in [0, 1, 9, 31, 75, 200] {
                    let told = by - hours(earlier);
                    let counted = lead.after(told, &business, &zone).unwrap();
                    assert!(counted <= begins, "{name} {days}: {told} to {begins}");
                }
                // Clocks that change make it an hour at most.
                let late = lead.after(by + minute, &business, &utc).unwrap();
                assert!(name != "UTC" || late > begins, "{days}: {by} to {begins}");
                begins += hours(7);
            }
        }
    }
    let never = Lead::BusinessDays(2_000).in_time(instant("2026-01-15T00:30Z"), &business, &utc);
    assert_eq!(never, None);
}
