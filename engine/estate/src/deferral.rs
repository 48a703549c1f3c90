//! What was agreed with customers about putting work off, as it binds at one instant.
//!
//! Not here: what counts against it, and who may ask.

use crate::model::{Customer, Estate};
use crate::when;
use hostler_calendar::zone::Zone;
use hostler_core::deferral::Agreed;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::collections::BTreeSet;

/// See `Directory::deferral`.
pub fn agreed(estate: &Estate, customer: &str, class: &str, now_ms: i64) -> Option<Agreed> {
    let deferral = estate.policies.as_ref()?.deferrals.get(class)?;
    let customer = estate.customers.get(customer)?;
    let of_contract = own(customer);
    let times = of_contract.unwrap_or(deferral.times);
    if times == 0 {
        return None;
    }
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
        times,
        from_ms: begins(date(year, first, 1))?,
        to_ms: begins(next)?,
        longest_ms: deferral.longest_ms,
        until_ms: deferral.until_ms,
        of_contract: of_contract.is_some(),
    })
}

/// The number of the customer's contract. None: it names none, so that of the class binds.
fn own(customer: &Customer) -> Option<u32> {
    let text = customer.contract.as_ref()?.deferrals.as_ref()?;
    // What was not checked when the files were read grants nothing.
    Some(when::deferrals(text).unwrap_or_default())
}

/// See `Directory::deferrable`.
pub fn classes(estate: &Estate) -> Option<BTreeSet<String>> {
    let deferrals = &estate.policies.as_ref()?.deferrals;
    (!deferrals.is_empty()).then(|| deferrals.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use crate::{Estate, Known, load, policies};
    use hostler_core::deferral::Agreed;
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

    /// What binds each customer of an estate in which `chem` has this contract: the number, and whether it is its own.
    fn numbers(contract: &str, class: &str) -> [Option<(u32, bool)>; 2] {
        let chem = format!("name: Chem, contract: {{ service: all{contract} }}");
        let text = ESTATE.replace("name: Chem", &chem);
        let read = |_: &str| Ok(text.clone());
        let estate = load(&["estate.yaml"], &read, &Known::default()).unwrap();
        let read = |_: &str| {
            Ok(format!(
                "{DEFERRALS}\n  planned: {{ times: 3, until: 72h, longest: 30d }}\n"
            ))
        };
        let known = policies::Known::of(&estate);
        let estate = estate.under(policies::load(&["deferrals.yaml"], &read, &known).unwrap());
        ["chem", "law"].map(|customer| {
            let agreed = estate.deferral(customer, class, 0)?;
            Some((agreed.times, agreed.of_contract))
        })
    }

    #[test]
    fn a_contracts_number_is_the_customers_own_and_grants_no_class_that_no_file_grants() {
        let class = Some((2, false));
        for (contract, of_class, chem, law) in [
            ("", "standard-patch", class, class),
            (
                ", deferrals: 1 per quarter",
                "standard-patch",
                Some((1, true)),
                class,
            ),
            (
                ", deferrals: 4 per quarter",
                "standard-patch",
                Some((4, true)),
                class,
            ),
            (
                ", deferrals: 1 per quarter",
                "planned",
                Some((1, true)),
                Some((3, false)),
            ),
            (", deferrals: 0 per quarter", "standard-patch", None, class),
            (", deferrals: 4 per quarter", "request", None, None),
            (", reboots: 1 per month", "standard-patch", class, class),
        ] {
            assert_eq!(
                numbers(contract, of_class),
                [chem, law],
                "{contract} {of_class}"
            );
        }
    }

    #[test]
    fn what_the_class_says_of_time_binds_whatever_number_the_contract_has() {
        let plain = estate(Some(DEFERRALS));
        let text = ESTATE.replace(
            "name: Chem",
            "name: Chem, contract: { service: all, deferrals: 9 per quarter }",
        );
        let read = |_: &str| Ok(text.clone());
        let own = load(&["estate.yaml"], &read, &Known::default()).unwrap();
        let own = own.under((*plain.policies.clone().unwrap()).clone());
        let of_class = plain.deferral("chem", "standard-patch", 0).unwrap();
        let of_contract = own.deferral("chem", "standard-patch", 0).unwrap();
        let same = Agreed {
            times: 9,
            of_contract: true,
            ..of_class
        };
        assert_eq!(of_contract, same);
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
