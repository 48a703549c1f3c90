//! Whether a customer can still be told: somebody who has its notices was confirmed lately.
//!
//! Not here: whether a message arrived.

use crate::days;
use crate::model::Estate;
use hostler_core::directory::PersonId;
use hostler_core::gate::{Closed, GateKind};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::time::Duration;

/// The role of those who are told.
const TOLD: &str = "notices";
const DAY_MS: u64 = 86_400_000;

/// See `Directory::unconfirmed`.
pub fn unconfirmed(
    estate: &Estate,
    (asset, class): (&str, &str),
    now_ms: i64,
    dead: &BTreeSet<PersonId>,
) -> Option<Closed> {
    let within_ms = estate.policies.as_ref()?.class(class)?.confirmed_ms?;
    let allowed = within_ms / DAY_MS;
    let asset = estate.assets.get(asset)?;
    let customer = estate.customers.get(&asset.customer)?;
    let zone = days::zone(estate, Some(customer))?;
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    let today = zone.wall(now).0.date();
    let people = customer.people.iter();
    let told: Vec<_> = people
        .filter(|contact| contact.roles.iter().any(|role| role == TOLD))
        .collect();
    let living = told
        .iter()
        .filter(|contact| !dead.contains(&contact.person));
    let dates = living.filter_map(|contact| contact.confirmed.as_ref());
    let newest = dates.filter_map(|date| date.parse::<Date>().ok()).max();
    let counts = |date: Date| {
        date.checked_add(Duration::from_millis(allowed * DAY_MS))
            .ok()
    };
    if newest.and_then(counts).is_some_and(|last| today <= last) {
        return None;
    }
    let since = newest.map_or_else(
        || "was ever confirmed".to_owned(),
        |date| format!("was confirmed since {date}"),
    );
    let lost: Vec<_> = told
        .iter()
        .map(|contact| contact.person.as_str())
        .filter(|person| dead.contains(*person))
        .collect();
    let lost = match lost.is_empty() {
        true => String::new(),
        false => format!("; mail to {} came back", lost.join(", ")),
    };
    let names: Vec<_> = told.iter().map(|contact| contact.person.as_str()).collect();
    Some(Closed {
        gate: GateKind::Contact,
        rule: customer.id.clone(),
        why: format!("nobody there who has the notices {since}; {allowed} days are allowed{lost}"),
        remedy: format!(
            "make sure that one of them is right ({}), then write `confirmed: {today}` beside that person under \
             customers/{}/people in the estate's files; it is looked at again every day",
            names.join(", "),
            customer.id
        ),
        // The estate is read at the start of the engine: looked at again at the customer's next midnight.
        until_ms: today
            .tomorrow()
            .ok()
            .and_then(|day| days::begins_ms(day, &zone)),
        document: None,
        never: false,
    })
}

#[cfg(test)]
mod tests {
    use crate::{Estate, Known, load, policies};
    use hostler_core::directory::Directory;
    use hostler_core::gate::Closed;
    use jiff::Timestamp;
    use std::collections::BTreeSet;

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
customers:
  chem:
    name: Chem
    people:
      - { id: ada, mail: ada@chem.example, roles: [owner, notices], confirmed: 2026-09-01 }
      - { id: bob, mail: bob@chem.example, roles: [technical], confirmed: 2026-12-01 }
  law: { name: Law, people: [{ id: eve, mail: eve@law.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, via: { guest: one } }
  web2: { customer: law, kind: virtual, os: debian-13, via: { guest: one } }
"#;

    fn estate() -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        load(&["estate.yaml"], &read, &Known::default()).unwrap()
    }

    fn under(classes: &'static str) -> Result<Estate, String> {
        let read = |_: &str| Ok(classes.to_owned());
        let read = policies::load(&["classes.yaml"], &read, &policies::Known::default());
        Ok(estate().under(read.map_err(|faults| faults.to_string())?))
    }

    fn held(estate: &Estate, asset: &str, class: &str, now: &str) -> Option<Closed> {
        let now: Timestamp = now.parse().unwrap();
        estate.unconfirmed(asset, class, now.as_millisecond(), &BTreeSet::new())
    }

    #[test]
    fn whose_mail_came_back_does_not_count_as_confirmed() {
        let asks = under("classes:\n  planned: { confirmed: 90d }\n").unwrap();
        let now: Timestamp = "2026-09-02T12:00:00Z".parse().unwrap();
        let closed = |dead: &[&str]| {
            let dead = dead.iter().map(ToString::to_string).collect();
            asks.unconfirmed("web1", "planned", now.as_millisecond(), &dead)
        };
        assert_eq!(closed(&["bob"]), None, "bob has no notices");
        let closed = closed(&["ada"]).unwrap();
        assert!(
            closed.why.contains("mail to ada came back"),
            "{}",
            closed.why
        );
    }

    #[test]
    fn work_waits_for_a_contact_that_was_confirmed_lately_where_the_policies_ask_for_one() {
        let asks = under("classes:\n  planned: { confirmed: 90d }\n").unwrap();
        // The ninetieth day of the customer counts to its end; whoever has no notices does not.
        assert_eq!(held(&asks, "web1", "planned", "2026-12-01T05:59:59Z"), None);
        let closed = held(&asks, "web1", "planned", "2026-12-01T06:00:00Z").unwrap();
        assert_eq!(closed.name(), "contact:chem");
        let again: Timestamp = "2026-12-02T06:00:00Z".parse().unwrap();
        assert_eq!(closed.until_ms, Some(again.as_millisecond()));
        assert!(closed.why.contains("2026-09-01") && closed.why.contains("90 days"));
        assert!(closed.remedy.contains("ada") && !closed.remedy.contains("bob"));
        let never = held(&asks, "web2", "planned", "2026-09-02T12:00:00Z").unwrap();
        assert!(never.why.contains("ever confirmed"), "{}", never.why);
        assert_eq!(
            held(&asks, "web2", "standard-patch", "2026-12-01T06:00:00Z"),
            None
        );
        assert_eq!(
            held(&estate(), "web2", "planned", "2026-12-01T06:00:00Z"),
            None
        );
    }

    #[test]
    fn an_emergency_never_waits_for_a_contact() {
        let fault = under("classes:\n  emergency: { confirmed: 90d }\n").unwrap_err();
        assert!(fault.contains("HP110"), "{fault}");
        let hours = under("classes:\n  planned: { confirmed: 3h }\n").unwrap_err();
        assert!(hours.contains("number of days"), "{hours}");
    }
}
