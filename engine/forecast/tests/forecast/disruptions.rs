//! In how many windows a customer is disturbed: the forecast counts as the gate of a run does.

use super::december::{definition, estate, options};
use hostler_core::directory::Directory;
use hostler_estate::{Estate, Known};
use hostler_forecast::{Forecast, Options, Outcome, forecast, from_estate};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

type Counts = BTreeMap<(String, String), u32>;

fn counted(forecast: &Forecast) -> Counts {
    let rows = forecast.customers.iter();
    let months = rows.flat_map(|row| row.disruptions.iter().map(|one| (row.id.clone(), one)));
    months
        .map(|(id, one)| ((id, one.month.clone()), one.count))
        .collect()
}

/// The same by what the gate says at the instant at which each server begins.
fn at_the_gate(estate: &Estate, forecast: &Forecast) -> Counts {
    let mut openings = BTreeSet::new();
    for asset in &forecast.assets {
        let Outcome::Planned { starts, .. } = &asset.outcome else {
            continue;
        };
        let class = [forecast.class.clone()];
        let budgets = estate.budgets(&asset.id, &class, starts.0.as_millisecond());
        openings.insert((asset.customer.clone(), budgets.unwrap().opening.unwrap()));
    }
    let mut counts = Counts::new();
    for (customer, opening) in openings {
        let zone = estate.zone(Some(&customer)).unwrap();
        let day = Timestamp::from_millisecond(opening.day_ms).unwrap();
        let month = day.to_zoned(TimeZone::get(&zone).unwrap());
        let month = month.strftime("%Y-%m").to_string();
        *counts.entry((customer, month)).or_default() += 1;
    }
    counts
}

fn same(estate: &Estate, options: &Options) -> usize {
    let input = from_estate(estate, &definition(), options).unwrap();
    let forecast = forecast(&input).unwrap();
    let counted = counted(&forecast);
    assert_eq!(counted, at_the_gate(estate, &forecast));
    counted.len()
}

#[test]
fn the_forecast_counts_disruptions_as_the_gate_does() {
    // Two nights, in two months.
    let mut published = options("2026-12");
    published.terms.published_rings.insert("canary".to_owned());
    assert_eq!(same(&estate(), &published), 2);
    // Windows that are open all the time, and customers of four zones.
    let practice = hostler_estate::practice::estate(1, &Known::default()).unwrap();
    let mut options = options("2026-11");
    options.opens_days.clear();
    assert!(same(&practice, &options) >= 6);
}
