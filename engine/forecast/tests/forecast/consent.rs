//! What customers must say before their servers are disturbed: days of silence and yeses, counted as the gates of a run
//! count them.

use super::conflicts::{Case, case};
use super::december::{definition, estate, options};
use super::{DAY, HOUR, base, of, planned};
use hostler_calendar::deadline::Lead;
use hostler_core::consent::{ConsentKind, Required};
use hostler_core::definition::{Definition, NoticePlan};
use hostler_core::directory::Directory;
use hostler_estate::{Estate, Known, load};
use hostler_forecast::{
    Asked, Code, Conflict, ConsentRow, Forecast, Input, Month, Outcome, Terms, forecast,
    from_estate, render,
};
use serde_json::json;

fn asks(input: &mut Input, kind: ConsentKind, announced: bool) {
    let from = "the contract of chem".to_owned();
    let required = Required { kind, from };
    input.customers.get_mut("chem").unwrap().consent = Some(Asked {
        required,
        announced,
    });
}

fn silent(input: &mut Input, business_days: u16) {
    asks(input, ConsentKind::Tacit { business_days }, true);
}

fn row(forecast: &Forecast) -> &ConsentRow {
    forecast.customers[0].consent.as_ref().unwrap()
}

/// Asked for on Wednesday at 06:00, six business days of silence are over on the next Thursday but one at 06:00, when
/// that night's window has closed.
pub fn too_late() -> Case {
    Case {
        subject: "customer chem",
        what: &[
            "tacit-6bd by the contract of chem: for Thu 2026-10-22 02:00 -05:00",
            "had to leave by Wed 2026-10-14 02:00 -05:00; it leaves Wed 2026-10-14 06:00 -05:00",
            "silence agrees Thu 2026-10-22 06:00 -05:00",
        ],
        remedy: "announce it 4h earlier, let it wait for the next window (Fri 2026-10-23 02:00 -05:00), or ask for an explicit yes (`hostler run agree RUN --customer chem`)",
        held: None,
        ..case(Code::Silence, |input| silent(input, 6))
    }
}

#[test]
fn days_of_silence_move_the_first_slot_and_the_last_moment_for_the_notice() {
    let mut input = base();
    input.terms.lead = Lead::Elapsed(2 * DAY);
    let by = |input: &Input| {
        let forecast = of(input);
        assert_eq!(forecast.conflicts, []);
        forecast.customers[0].notice_by.unwrap().0.to_string()
    };
    assert_eq!(by(&input), "2026-10-20T07:00:00Z");
    silent(&mut input, 5);
    assert_eq!(by(&input), "2026-10-15T07:00:00Z");
    silent(&mut input, 6);
    let forecast = of(&input);
    assert!(planned(&forecast, "web1").starts_with("Fri 2026-10-23 02:00 -05:00"));
    let agrees = row(&forecast).silence_agrees.unwrap();
    assert_eq!(agrees.0.to_string(), "2026-10-22T11:00:00Z");
    assert_eq!(row(&forecast).yes_by, None);
    // A calendar that was published is a notice, and no silence.
    input.assets[0].ring = Some("canary".to_owned());
    input.terms.published_rings.insert("canary".to_owned());
    assert!(planned(&of(&input), "web1").starts_with("Fri 2026-10-23 02:00 -05:00"));
}

#[test]
fn what_silence_cannot_agree_to_in_this_cycle_is_held_with_its_remedy() {
    for (days, what, remedy) in [
        (
            20,
            "silence agrees Wed 2026-11-11 06:00 -06:00",
            "add a window behind that",
        ),
        (2_000, "silence never agrees", "mend `business_days`"),
    ] {
        let mut input = base();
        silent(&mut input, days);
        let forecast = of(&input);
        let Outcome::Held { code, why } = &super::row(&forecast, "web1").outcome else {
            panic!("{days} days fit");
        };
        assert_eq!(*code, Code::Silence);
        for part in [what, remedy, "explicit yes"] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
}

/// With one blank between words.
fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[test]
fn a_yes_that_is_needed_is_a_remark_with_its_last_moment_and_no_conflict() {
    let explicit = (ConsentKind::Explicit, true, "explicit");
    // Whom nobody tells is not silent: nobody knows of anything.
    let untold = (
        ConsentKind::Tacit { business_days: 30 },
        false,
        "tacit-30bd",
    );
    for (kind, announced, name) in [explicit, untold] {
        let mut input = base();
        asks(&mut input, kind, announced);
        let forecast = of(&input);
        assert_eq!(forecast.conflicts, []);
        assert_eq!(planned(&forecast, "web1"), planned(&of(&base()), "web1"));
        let row = row(&forecast);
        assert_eq!(row.yes_by, forecast.customers[0].first);
        assert_eq!((row.silence_agrees, row.yes_by.is_some()), (None, true));
        let table = render::table(&forecast);
        let line = squeezed(table.lines().find(|line| line.contains(name)).unwrap());
        assert!(line.ends_with(" - Thu 2026-10-22 02:00 -05:00"), "{table}");
        assert!(table.contains("needs a yes by"), "{table}");
        let json = render::json(&forecast).unwrap();
        assert!(
            json.contains("\"yes_by\": \"2026-10-22T07:00:00Z\""),
            "{json}"
        );
        let back: Forecast = serde_json::from_str(&json).unwrap();
        assert_eq!(back, forecast);
        let svg = render::svg(&forecast);
        let title = "a yes of 1 customer is needed, the first by Thu 2026-10-22 02:00 -05:00";
        assert!(svg.contains(title), "{svg}");
    }
    let mut input = base();
    silent(&mut input, 5);
    let forecast = of(&input);
    let table = squeezed(&render::table(&forecast));
    let said = "chem tacit-5bd by the contract of chem Wed 2026-10-21 06:00 -05:00 -";
    assert!(table.contains(said), "{table}");
    let svg = render::svg(&forecast);
    assert!(
        svg.contains("the silence of 1 customer agrees, the first Wed 2026-10-21 06:00"),
        "{svg}"
    );
    assert!(!render::svg(&of(&base())).contains("Consent"));
    assert!(!render::json(&of(&base())).unwrap().contains("consent"));
}

/// The monthly patching that tells its customers, and asks nobody for an approval.
fn announced() -> Definition {
    let mut definition = definition();
    let notices = json!({ "template": "patch", "invite": false });
    let notices: NoticePlan = serde_json::from_value(notices).unwrap();
    definition.programs[0].steps[1].notices = Some(notices);
    definition.programs[0].steps.remove(0);
    definition
}

#[test]
fn the_contract_of_the_example_comes_before_the_canary_of_december() {
    let mut options = options("2026-12");
    options.terms.published_rings.insert("canary".to_owned());
    let input = from_estate(&estate(), &announced(), &options).unwrap();
    let found = forecast(&input).unwrap();
    assert_eq!(planned(&found, "chem-lab1"), "HF020");
    assert_eq!(row(&found).rule, "tacit-5bd by the contract of chemistry");
    // An emergency only tells.
    options.terms.class = "emergency".to_owned();
    let input = from_estate(&estate(), &announced(), &options).unwrap();
    assert_eq!(forecast(&input).unwrap().customers[0].consent, None);
}

const CUSTOMERS: [(&str, &str); 5] = [
    ("campus", "calendar: campus"),
    ("gulf", "zone: Asia/Dubai, calendar: gulf"),
    ("part", "zone: Europe/Berlin, calendar: part"),
    ("east", "zone: America/New_York"),
    ("apia", "zone: Pacific/Auckland, calendar: campus"),
];

/// Customers of several calendars and zones, each with a server that is open every night.
fn world(days: u16) -> Estate {
    let mut text = r#"
realm: main
zone: America/Chicago
calendars:
  campus: { business_days: mon-fri, hours: "08:00-17:00", holidays: [2026-10-12, 2026-11-11, 2026-11-26, 2026-11-27] }
  gulf: { business_days: sun-thu, hours: "08:00-17:00", holidays: [2026-10-18] }
  part: { business_days: "mon,wed", hours: "08:00-17:00" }
windows:
  nightly: { when: daily, at: "02:00", lasts: 4h }
connections:
  one: { plugin: practice, url: "https://one.example/" }
customers:
"#
    .to_owned();
    for (id, more) in CUSTOMERS {
        text += &format!(
            "  {id}: {{ name: {id}, {more}, contract: {{ service: s, consent: tacit-{days}bd }}, people: [{{ id: {id}-ada, mail: ada@{id}.example, roles: [owner, notices], confirmed: 2026-10-01 }}] }}\n"
        );
    }
    text += "assets:\n";
    for (id, _) in CUSTOMERS {
        text += &format!(
            "  {id}-web1: {{ customer: {id}, kind: virtual, os: debian-13, window: nightly, via: {{ guest: one }} }}\n"
        );
    }
    let read = |_: &str| Ok(text.clone());
    let estate = load(&["estate.yaml"], &read, &Known::default());
    estate.unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn silence_is_counted_as_the_gate_counts_it_whatever_the_calendar() {
    let mut seen = 0;
    for days in [1, 4, 9] {
        let estate = world(days);
        for (day, prepared_ms) in [
            ("second tuesday", 0),
            ("first saturday", 13 * HOUR),
            ("third sunday", 5 * HOUR),
            ("last friday", 7 * HOUR + 1),
            ("last wednesday", 30 * HOUR),
        ] {
            let mut options = options("2026-10");
            options.month = Month::parse("2026-10").unwrap();
            options.anchor.rule = super::rule(day);
            options.anchor.prepared_ms = prepared_ms;
            options.targets = Some("id=*".to_owned());
            options.opens_days.clear();
            options.terms = Terms {
                lead: Lead::Elapsed(0),
                ..options.terms
            };
            let input = from_estate(&estate, &announced(), &options).unwrap();
            let found = forecast(&input).unwrap();
            let told_ms = found.anchor.0.as_millisecond() + i64::try_from(prepared_ms).unwrap();
            for customer in &found.customers {
                let gate = |from_ms| estate.business_days_after(Some(&customer.id), days, from_ms);
                let consent = customer.consent.as_ref().unwrap();
                let agrees = consent.silence_agrees.unwrap();
                let context = format!("{} {days} {day}", customer.id);
                assert_eq!(Some(agrees.0.as_millisecond()), gate(told_ms), "{context}");
                seen += 1;
                let Some(first) = customer.first else {
                    let of = |one: &&Conflict| one.subject == format!("customer {}", customer.id);
                    let codes = found.conflicts.iter().filter(of).map(|one| one.code);
                    assert_eq!(codes.collect::<Vec<_>>(), [Code::Silence], "{context}");
                    continue;
                };
                let first_ms = first.0.as_millisecond();
                assert!(gate(told_ms).unwrap() <= first_ms, "{context}");
                // A notice that leaves at the last moment is in time for the gate, too.
                let by_ms = customer.notice_by.unwrap().0.as_millisecond();
                assert!(
                    by_ms >= told_ms && gate(by_ms).unwrap() <= first_ms,
                    "{context}"
                );
            }
        }
    }
    assert_eq!(seen, 3 * 5 * CUSTOMERS.len());
}
