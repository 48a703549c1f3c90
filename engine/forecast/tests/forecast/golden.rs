//! A small month to the byte. Whoever changes the picture looks at it, and copies it from the folder that
//! the failing test names.

use super::december::{december, options};
use hostler_forecast::render;
use hostler_forecast::{Forecast, Month};

fn forecast() -> Forecast {
    let mut options = options("2026-12");
    options.terms.published_rings.insert("canary".to_owned());
    december(&options)
}

fn same(name: &str, found: &str, expected: &str) {
    if found == expected {
        return;
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, found).unwrap();
    panic!(
        "{name} is another than the golden one; look at {}",
        path.display()
    );
}

#[test]
fn the_table_of_december_is_the_golden_one() {
    same(
        "december.txt",
        &render::table(&forecast()),
        include_str!("golden/december.txt"),
    );
}

#[test]
fn the_json_of_december_is_the_golden_one_and_is_read_back() {
    let json = render::json(&forecast()).unwrap();
    let back: Forecast = serde_json::from_str(&json).unwrap();
    assert_eq!(back, forecast());
    same("december.json", &json, include_str!("golden/december.json"));
}

#[test]
fn the_picture_of_december_is_the_golden_one() {
    same(
        "december.svg",
        &render::svg(&forecast()),
        include_str!("golden/december.svg"),
    );
}

#[test]
fn the_feed_of_a_customer_is_the_golden_one() {
    let text = render::ics::ics(&forecast(), "chemistry", "hostler.example").unwrap();
    same("december.ics", &text, include_str!("golden/december.ics"));
    let fault = render::ics::ics(&forecast(), "physics", "hostler.example").unwrap_err();
    assert!(fault.to_string().contains("there are chemistry"), "{fault}");
}

/// Two servers of one window, for one of which a freeze cuts it short, are two events.
#[test]
fn no_two_events_of_a_feed_have_the_same_name() {
    let mut input = super::base();
    input
        .freezes
        .extend([super::freeze("cut", "2026-10-22T04:00", "2026-10-23T00:00")]);
    let mut other = super::asset("web2");
    other.freezes.insert("cut".to_owned());
    input.assets.push(other);
    let text = render::ics::ics(&super::of(&input), "chem", "hostler.example").unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("UID:"))
        .collect();
    assert_eq!(names.len(), 2, "{text}");
    assert_ne!(names[0], names[1]);
}

#[test]
fn what_people_write_cannot_leave_its_place_in_the_picture() {
    let mut forecast = forecast();
    forecast.runbook = "<script>&\"\u{7}".to_owned();
    forecast.waves[0].name = "</text><a>".to_owned();
    let svg = render::svg(&forecast);
    for bad in ["<script", "</text><a", "\u{7}", "&\""] {
        assert!(!svg.contains(bad), "{bad:?}");
    }
    assert!(svg.contains("&lt;script&gt;&amp;&quot; "));
}

#[test]
fn a_month_is_written_as_it_is_read() {
    assert_eq!(Month::parse("2026-12").unwrap().to_string(), "2026-12");
}
