//! What a question needs of the estate when it is asked: until when, in whose days; which ladder, with whom on
//! its rungs; which texts.
//!
//! Not here: who may answer (`directory`), and the state of a question (core).

use crate::days;
use crate::model::Estate;
use crate::policies::{Policies, Reached};
use hostler_calendar::deadline::Lead;
use hostler_core::directory::Directory;
use hostler_core::lane::{Climb, Rung};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// See `Directory::business_days_after`.
pub fn business_days_after(
    estate: &Estate,
    customer: Option<&str>,
    count: u16,
    from_ms: i64,
) -> Option<i64> {
    let customer = match customer {
        Some(id) => Some(estate.customers.get(id)?),
        None => None,
    };
    let from = Timestamp::from_millisecond(from_ms).ok()?;
    let then = days::after(estate, customer, Lead::BusinessDays(count), from);
    then.map(Timestamp::as_millisecond)
}

/// Those of the realm, or those that hold without any file.
fn policies(estate: &Estate) -> Cow<'_, Policies> {
    let own = estate.policies.as_deref();
    own.map_or_else(|| Cow::Owned(Policies::default()), Cow::Borrowed)
}

/// See `Directory::ladders`.
pub fn ladders(estate: &Estate) -> BTreeSet<String> {
    policies(estate).ladders.keys().cloned().collect()
}

/// See `Directory::ladder`.
pub fn ladder(
    estate: &Estate,
    name: &str,
    customer: Option<&str>,
    opened_ms: i64,
) -> Option<Climb> {
    let policies = policies(estate);
    let reached = policies.rungs(name, opened_ms)?;
    let rung = |reached: &Reached<'_>| Rung {
        from_ms: reached.from_ms,
        asks: reached
            .who
            .iter()
            .flat_map(|who| asks(estate, who, customer))
            .collect(),
    };
    Some(Climb {
        ladder: name.to_owned(),
        rungs: reached.rungs.iter().map(rung).collect(),
        reached: 0,
        denies_ms: reached.denies_ms,
    })
}

/// `role:ciso` and `person:ada` as they stand, with those to whom the policies give the role; of a customer's role its people, by
/// name. Nobody: the customer has none, or no customer is meant.
pub(crate) fn asks(estate: &Estate, who: &str, customer: Option<&str>) -> Vec<String> {
    let person = |id: &String| format!("person:{id}");
    if let Some(role) = who.strip_prefix("role:") {
        let named = estate
            .policies
            .iter()
            .filter_map(|policies| policies.roles.get(role));
        let named = named.flatten().map(person);
        return std::iter::once(who.to_owned()).chain(named).collect();
    }
    if who.contains(':') {
        return vec![who.to_owned()];
    }
    let people = customer.map(|customer| estate.contacts(customer, who));
    people
        .iter()
        .flatten()
        .map(|contact| person(&contact.person))
        .collect()
}

/// Midnight in the realm's zone, so many days after the day of an instant.
pub fn midnight_after(estate: &Estate, count: u16, from_ms: i64) -> Option<i64> {
    let zone = days::zone(estate, None)?;
    let from = Timestamp::from_millisecond(from_ms).ok()?;
    let day = zone.wall(from).0.date();
    let day = day
        .checked_add(jiff::Span::new().days(i64::from(count)))
        .ok()?;
    days::begins_ms(day, &zone)
}

#[cfg(test)]
mod tests {
    use crate::policies;
    use crate::{Estate, Known, load};
    use hostler_core::directory::Directory;
    use jiff::Timestamp;

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
calendars:
  campus: { business_days: mon-fri, hours: "08:00-17:00", holidays: [2026-11-26, 2026-11-27] }
customers:
  chem: { name: Chem, calendar: campus, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
  shop: { name: Shop, zone: Europe/Berlin, people: [{ id: bo, mail: bo@shop.example, roles: [owner, notices] }] }
"#;

    fn estate() -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        let estate = load(&["estate.yaml"], &read, &Known::default());
        estate.unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn after(customer: Option<&str>, days: u16, from: &str) -> Option<String> {
        let from: Timestamp = from.parse().unwrap();
        let then = estate().business_days_after(customer, days, from.as_millisecond())?;
        Some(Timestamp::from_millisecond(then).unwrap().to_string())
    }

    #[test]
    fn business_days_are_those_of_whoever_is_asked() {
        let tuesday = "2026-11-24T16:00:00Z";
        let is = |text: &str| Some(text.to_owned());
        // Thursday and Friday are holidays of the campus, not of the shop.
        assert_eq!(after(Some("chem"), 3, tuesday), is("2026-12-01T16:00:00Z"));
        assert_eq!(after(Some("shop"), 3, tuesday), is("2026-11-27T16:00:00Z"));
        assert_eq!(
            after(None, 3, tuesday),
            is("2026-12-01T16:00:00Z"),
            "the only calendar is the realm's"
        );
        assert_eq!(after(Some("nobody"), 3, tuesday), None);
    }

    #[test]
    fn a_business_day_keeps_the_local_time_when_the_clocks_change() {
        let friday = "2026-10-30T15:00:00Z";
        assert_eq!(
            after(Some("chem"), 1, friday),
            Some("2026-11-02T16:00:00Z".to_owned())
        );
    }

    const LADDERS: &str = r"
ladders:
  outage:
    rungs:
      - { who: [role:oncall, owner], every: 15m, channels: [mail] }
      - { who: [person:bo], every: 30m, channels: [mail] }
      - deny
";

    fn under_policies() -> Estate {
        let read = |_: &str| Ok(LADDERS.to_owned());
        let read = policies::load(&["ladders.yaml"], &read, &policies::Known::default());
        estate().under(read.unwrap_or_else(|faults| panic!("{faults}")))
    }

    #[test]
    fn a_rung_names_the_people_of_the_customer_who_is_meant() {
        let estate = under_policies();
        let climb = estate.ladder("outage", Some("chem"), 1_000).unwrap();
        assert_eq!(climb.rungs[0].asks, ["role:oncall", "person:ada"]);
        assert_eq!(climb.rungs[1].asks, ["person:bo"]);
        let from_ms: Vec<_> = climb.rungs.iter().map(|rung| rung.from_ms).collect();
        assert_eq!(from_ms, [1_000, 901_000]);
        assert_eq!((climb.denies_ms, climb.reached), (2_701_000, 0));
        let nobodys = estate.ladder("outage", None, 0).unwrap();
        assert_eq!(nobodys.rungs[0].asks, ["role:oncall"]);
    }

    #[test]
    fn without_a_file_there_is_the_ladder_of_an_emergency_and_no_text() {
        let emergency = |estate: Estate| {
            let climb = estate.ladder("emergency", None, 0).unwrap();
            let rungs = climb.rungs.into_iter();
            let rungs: Vec<_> = rungs
                .map(|rung| (rung.from_ms / 60_000, rung.asks.concat()))
                .collect();
            let asked = |minutes, role: &str| (minutes, format!("role:{role}"));
            assert_eq!(
                rungs,
                [
                    asked(0, "security-office"),
                    asked(15, "ecab"),
                    asked(30, "platform-lead")
                ]
            );
            assert_eq!(climb.denies_ms, 3_600_000);
        };
        emergency(estate());
        emergency(under_policies());
        assert_eq!(estate().ladder("outage", None, 0), None);
        let only = ["emergency".to_owned()].into();
        assert_eq!((estate().ladders(), estate().texts()), (Some(only), None));
        let estate = under_policies();
        assert_eq!(estate.ladder("other", None, 0), None);
        assert_eq!(estate.ladders().map(|all| all.len()), Some(2));
        assert_eq!(estate.text("duty-matrix"), None);
    }
}
