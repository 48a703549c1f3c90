//! A calendar feed for one customer: one event for each of its windows, with only its own servers.
//!
//! Names of events depend on realm, runbook, customer, wave, window, its end and the local time that it
//! opens: a forecast that is made again has the same names for what did not change.

use super::places::{Place, places};
use crate::fault::ForecastFault;
use crate::forecast::Forecast;
use crate::moment::Moment;
use hostler_calendar::feed::{self, Feed};
use hostler_calendar::zone::{Fold, Gap, Zone};
use hostler_calendar::{Change, Occurrence};

/// The iCalendar text. `domain` ends the names of the events.
///
/// # Errors
/// For a customer that is not in the forecast, and what [`feed::text`] refuses.
pub fn ics(forecast: &Forecast, customer: &str, domain: &str) -> Result<String, ForecastFault> {
    let row = forecast.customers.iter().find(|row| row.id == customer);
    let row = row.ok_or_else(|| unknown(forecast, customer))?;
    let zone = Zone::parse(&row.zone).map_err(|fault| ForecastFault::Text(fault.to_string()))?;
    let places = places(forecast, Some(customer));
    let named: Vec<(String, String)> = places
        .iter()
        .map(|place| (name(forecast, customer, place), summary(forecast, place)))
        .collect();
    let entries: Vec<feed::Entry<'_>> = places
        .iter()
        .zip(&named)
        .map(|(place, (schedule, summary))| feed::Entry {
            schedule,
            occurrence: occurrence(&zone, place.slot.opens),
            lasts_ms: place.slot.elapsed_ms(),
            summary,
            sequence: 0,
            cancelled: false,
        })
        .collect();
    let feed = Feed {
        realm: &forecast.realm,
        domain,
        made: forecast.anchor.0,
    };
    Ok(feed::text(&feed, &entries)?)
}

fn unknown(forecast: &Forecast, customer: &str) -> ForecastFault {
    let known = forecast.customers.iter().map(|row| row.id.as_str());
    let known: Vec<&str> = known.take(20).collect();
    ForecastFault::Text(format!(
        "no server of the customer `{customer}` is in this forecast; there are {}",
        known.join(", ")
    ))
}

fn name(forecast: &Forecast, customer: &str, place: &Place<'_>) -> String {
    // A freeze can cut the same opening short for some servers: then there are two events.
    let (window, closes) = (&place.slot.window, place.slot.closes.0);
    let (runbook, wave) = (&forecast.runbook, place.wave);
    format!("{runbook}/{customer}/{wave}/{window}/{closes}")
}

fn summary(forecast: &Forecast, place: &Place<'_>) -> String {
    let servers = match place.assets {
        1 => "1 server".to_owned(),
        count => format!("{count} servers"),
    };
    let wave = if place.wave.is_empty() { "" } else { " " };
    format!(
        "Forecast: {}, {servers}{wave}{}",
        forecast.runbook, place.wave
    )
}

/// The instant with what the clock on the wall says then, the second of two equal times told apart.
fn occurrence(zone: &Zone, opens: Moment) -> Occurrence {
    let (wall, offset) = zone.wall(opens.0);
    let both = zone.resolve(wall, Gap::Shift, Fold::Both);
    let mut found = both.into_iter().flatten();
    let same = found.find(|one| one.instant == opens.0);
    same.unwrap_or(Occurrence {
        wanted: wall,
        wall,
        instant: opens.0,
        offset,
        change: Change::None,
    })
}
