//! The days of a customer, and of the realm: in which zone, which of them are for business, when one begins.
//!
//! Not here: what is promised in days (`notice`, `asking`), or held until one (`contact`, `gates`).

use crate::model::{Customer, Estate};
use hostler_calendar::business::BusinessDays;
use hostler_calendar::deadline::Lead;
use hostler_calendar::holiday::Holidays;
use hostler_calendar::zone::Zone;
use jiff::Timestamp;
use jiff::civil::Date;
use std::sync::Arc;

/// For whom no calendar says which days are business days.
const WEEKDAYS: &str = "mon-fri";

/// The name of a customer's zone: the realm's where it has none of its own.
pub fn zone_name<'a>(estate: &'a Estate, customer: &'a Customer) -> &'a str {
    customer.zone.as_ref().unwrap_or(&estate.zone)
}

/// The zone of a customer, or of the realm.
pub fn zone(estate: &Estate, customer: Option<&Customer>) -> Option<Zone> {
    let name = customer.map_or(estate.zone.as_str(), |customer| zone_name(estate, customer));
    Zone::parse(name).ok()
}

impl Estate {
    /// The date in the realm's zone, in which its files are written. None: no such instant.
    pub(crate) fn date(&self, at_ms: i64) -> Option<Date> {
        let zone = Zone::parse(&self.zone).ok()?;
        let at = Timestamp::from_millisecond(at_ms).ok()?;
        Some(zone.wall(at).0.date())
    }

    /// The business days and the zone in which everything is counted that is promised to a customer, or asked of it.
    /// None: no such customer, or what its files say cannot be read.
    #[must_use]
    pub fn days_of(&self, customer: &str) -> Option<(Arc<BusinessDays>, Zone)> {
        let customer = self.customers.get(customer)?;
        days(self, Some(customer))
    }
}

/// The end of a time that begins at an instant, in the days of a customer or of the realm.
pub fn after(
    estate: &Estate,
    customer: Option<&Customer>,
    lead: Lead,
    from: Timestamp,
) -> Option<Timestamp> {
    let (business, zone) = days(estate, customer)?;
    lead.after(from, &business, &zone)
}

fn days(estate: &Estate, customer: Option<&Customer>) -> Option<(Arc<BusinessDays>, Zone)> {
    let calendar = match customer {
        Some(customer) => customer.calendar.as_deref(),
        None => realms(estate),
    };
    let business = match calendar.and_then(|calendar| estate.business_days(calendar)) {
        Some(business) => Arc::clone(business),
        None => Arc::new(BusinessDays::new(WEEKDAYS, Holidays::default()).ok()?),
    };
    Some((business, zone(estate, customer)?))
}

/// The first instant of a day.
pub fn begins_ms(day: Date, zone: &Zone) -> Option<i64> {
    Some(zone.instant(day.at(0, 0, 0, 0))?.as_millisecond())
}

/// The realm's own calendar: the one of its name, else the only one there is.
fn realms(estate: &Estate) -> Option<&str> {
    let ids = &mut estate.calendars.keys().map(String::as_str);
    let own = estate.calendars.contains_key(&estate.realm);
    if own {
        return Some(&estate.realm);
    }
    let only = ids.next()?;
    ids.next().is_none().then_some(only)
}
