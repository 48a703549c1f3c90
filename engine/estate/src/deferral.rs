//! What was agreed with customers about putting work off, as it binds at one instant.
//!
//! Not here: what counts against it, and who may ask.

use crate::model::Estate;
use hostler_calendar::zone::Zone;
use hostler_core::deferral::Agreed;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeSet;

/// See `Directory::deferral`.
pub fn agreed(estate: &Estate, customer: &str, class: &str, now_ms: i64) -> Option<Agreed> {
    let deferral = estate.policies.as_ref()?.deferrals.get(class)?;
    let customer = estate.customers.get(customer)?;
    let zone = Zone::parse(customer.zone.as_ref().unwrap_or(&estate.zone)).ok()?;
    let today = zone
        .wall(Timestamp::from_millisecond(now_ms).ok()?)
        .0
        .date();
    let begins = |day: Date| Some(zone.instant(day.at(0, 0, 0, 0))?.as_millisecond());
    let (year, first) = (today.year(), today.month() - (today.month() - 1) % 3);
    let next = match first {
        10 => date(year.checked_add(1)?, 1, 1),
        month => date(year, month + 3, 1),
    };
    Some(Agreed {
        times: deferral.times,
        from_ms: begins(date(year, first, 1))?,
        to_ms: begins(next)?,
        longest_ms: deferral.longest_ms,
        until_ms: deferral.until_ms,
    })
}

/// See `Directory::deferrable`.
pub fn classes(estate: &Estate) -> Option<BTreeSet<String>> {
    let deferrals = &estate.policies.as_ref()?.deferrals;
    (!deferrals.is_empty()).then(|| deferrals.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use crate::{Estate, Known, load, policies};
    use hostler_core::directory::Directory;

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
customers:
  chem: { name: Chem, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
  law: { name: Law, zone: Europe/Berlin, people: [{ id: eve, mail: eve@law.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, via: { guest: one } }
"#;

    const DEFERRALS: &str = "deferrals:\n  standard-patch: { times: 2, until: 48h, longest: 14d }";

    fn estate(policies_text: Option<&str>) -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        let estate = load(&["estate.yaml"], &read, &Known::default()).unwrap();
        let files: &[&str] = match policies_text {
            Some(_) => &["deferrals.yaml"],
            None => &[],
        };
        let read = |_: &str| Ok(policies_text.unwrap_or_default().to_owned());
        let known = policies::Known::of(&estate);
        estate.under(policies::load(files, &read, &known).unwrap())
    }

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_quarter_is_one_of_the_customers_own_calendar() {
        let estate = estate(Some(DEFERRALS));
        let now_ms = ms("2026-12-31T23:30:00Z");
        let quarter = |customer: &str| {
            let agreed = estate.deferral(customer, "standard-patch", now_ms).unwrap();
            (agreed.from_ms, agreed.to_ms)
        };
        let chicago = (ms("2026-10-01T05:00:00Z"), ms("2027-01-01T06:00:00Z"));
        assert_eq!(quarter("chem"), chicago);
        let berlin = (ms("2026-12-31T23:00:00Z"), ms("2027-03-31T22:00:00Z"));
        assert_eq!(quarter("law"), berlin);
    }

    #[test]
    fn what_no_file_grants_nobody_puts_off() {
        let with = estate(Some(DEFERRALS));
        assert_eq!(with.deferral("chem", "planned", 0), None);
        assert_eq!(with.deferral("bio", "standard-patch", 0), None);
        assert_eq!(with.deferrable().unwrap().len(), 1);
        let without = estate(None);
        assert_eq!(without.deferral("chem", "standard-patch", 0), None);
        assert_eq!(without.deferrable(), None);
    }
}
