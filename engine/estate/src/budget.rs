//! The budgets of the policies, and the one of a customer's contract, as they bind one asset at one instant.
//!
//! Not here: what was spent, and holding anything.

use crate::asset::Asset;
use crate::model::{Customer, Estate};
use crate::policies::{Budget, Per, Within};
use crate::{days, gates};
use hostler_calendar::zone::Zone;
use hostler_core::budget::{Budgets, Limit, Opening, REBOOTS, Within as Counted};
use hostler_core::deferral::EMERGENCY;
use jiff::Timestamp;

/// See `Directory::budgets`.
pub fn limits(estate: &Estate, asset: &str, classes: &[String], now_ms: i64) -> Option<Budgets> {
    let asset = estate.assets.get(asset)?;
    let customer = estate.customers.get(&asset.customer)?;
    let policies = estate.policies.as_ref();
    let none = policies.is_none_or(|policies| policies.budgets.is_empty());
    let reboots = customer.reboots();
    if none && reboots.is_none() {
        return None;
    }
    let zone = days::zone(estate, Some(customer))?;
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    let opening = reboots.map(|_| opening(estate, asset, now, &zone));
    let mut limits = of_policies(estate, customer, classes, (now, &zone));
    let agreed = reboots.zip(opening.as_ref());
    limits.extend(agreed.and_then(|(most, opening)| of_contract(most, opening, classes, &zone)));
    (!limits.is_empty()).then(|| Budgets {
        customer: customer.id.clone(),
        limits,
        closes_ms: gates::closes_ms(estate, &asset.id, &[], now_ms),
        opening,
    })
}

fn of_policies(
    estate: &Estate,
    customer: &Customer,
    classes: &[String],
    (now, zone): (Timestamp, &Zone),
) -> Vec<Limit> {
    let binds = |(_, budget): &(&String, &Budget)| {
        budget.customers.is_empty() || budget.customers.contains(&customer.id)
    };
    let limit = |(name, budget): (&String, &Budget)| {
        Some(Limit {
            name: name.clone(),
            per_asset: budget.per == Per::Asset,
            disruptions: budget.disruptions,
            downtime_ms: budget.downtime_ms,
            windows: None,
            within: counted(budget.within, now, zone)?,
            holds: classes.iter().any(|class| budget.classes.contains(class)),
        })
    };
    let policies = estate.policies.iter();
    let budgets = policies.flat_map(|policies| &policies.budgets);
    budgets.filter(binds).filter_map(limit).collect()
}

/// Every class but an emergency waits. The month is that of the opening, which may begin in the one before.
fn of_contract(most: u32, opening: &Opening, classes: &[String], zone: &Zone) -> Option<Limit> {
    let day = Timestamp::from_millisecond(opening.day_ms).ok()?;
    Some(Limit {
        name: REBOOTS.to_owned(),
        per_asset: false,
        disruptions: None,
        downtime_ms: None,
        windows: Some(most),
        within: counted(Within::Month, day, zone)?,
        holds: classes.iter().any(|class| class != EMERGENCY),
    })
}

/// To which work on an asset counts that starts now.
fn opening(estate: &Estate, asset: &Asset, now: Timestamp, zone: &Zone) -> Opening {
    let present = gates::present(estate, &asset.id, now);
    let open = present.as_ref().map(|(name, open)| {
        let (from, to) = (open.from.as_millisecond(), open.to.as_millisecond());
        (name.as_str(), from, to)
    });
    let day = |at_ms| {
        let at = Timestamp::from_millisecond(at_ms).ok();
        let begins_ms = at.and_then(|at| days::begins_ms(zone.wall(at).0.date(), zone));
        begins_ms.unwrap_or(at_ms)
    };
    Opening::of(open, now.as_millisecond(), day)
}

fn counted(within: Within, now: Timestamp, zone: &Zone) -> Option<Counted> {
    if let Within::Rolling(ms) = within {
        return Some(Counted::Rolling { ms });
    }
    let today = zone.wall(now).0.date();
    Some(Counted::Month {
        from_ms: days::begins_ms(today.first_of_month(), zone)?,
        to_ms: days::begins_ms(today.last_of_month().tomorrow().ok()?, zone)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::{Estate, Known, load, policies};
    use hostler_core::budget::{Budgets, Within};
    use hostler_core::directory::Directory;
    use jiff::Timestamp;

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
windows:
  night: { when: daily, at: "02:00", lasts: 2h }
customers:
  chem: { name: Chem, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
  law: { name: Law, zone: Europe/Berlin, people: [{ id: eve, mail: eve@law.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, window: night, via: { guest: one } }
  web2: { customer: law, kind: virtual, os: debian-13, via: { guest: one } }
"#;
    const BUDGETS: &str = "budgets:
  usual: { disruptions: 2, within: month }
  chems: { customers: chem, classes: planned, downtime: 4h, within: 30d, per: asset }
";

    fn estate() -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        let estate = load(&["estate.yaml"], &read, &Known::default()).unwrap();
        let read = |_: &str| Ok(BUDGETS.to_owned());
        let known = policies::Known::of(&estate);
        estate.under(policies::load(&["budgets.yaml"], &read, &known).unwrap())
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn limits(asset: &str, class: &str, now: &str) -> Budgets {
        estate()
            .budgets(asset, &[class.to_owned()], ms(now))
            .unwrap()
    }

    #[test]
    fn a_month_is_one_of_the_customers_own_calendar() {
        let month = |asset: &str| {
            limits(asset, "planned", "2026-11-30T23:30:00Z")
                .limits
                .last()
                .unwrap()
                .within
        };
        let (from_ms, to_ms) = (ms("2026-11-01T05:00:00Z"), ms("2026-12-01T06:00:00Z"));
        assert_eq!(month("web1"), Within::Month { from_ms, to_ms });
        // In Berlin it is December already.
        let (from_ms, to_ms) = (ms("2026-11-30T23:00:00Z"), ms("2026-12-31T23:00:00Z"));
        assert_eq!(month("web2"), Within::Month { from_ms, to_ms });
    }

    #[test]
    fn a_budget_binds_its_customers_and_holds_its_classes_but_no_emergency() {
        let names = |asset: &str, class: &str| {
            let limits = limits(asset, class, "2026-11-20T12:00:00Z")
                .limits
                .into_iter();
            let named = limits.map(|limit| format!("{}:{}", limit.name, limit.holds));
            named.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("web1", "planned"), "chems:true usual:true");
        assert_eq!(names("web1", "standard-patch"), "chems:false usual:true");
        assert_eq!(names("web1", "emergency"), "chems:false usual:false");
        assert_eq!(names("web2", "planned"), "usual:true");
    }

    #[test]
    fn the_present_opening_of_the_window_says_what_counts_together() {
        let closes = |asset: &str, now: &str| limits(asset, "planned", now).closes_ms;
        assert_eq!(
            closes("web1", "2026-11-20T08:30:00Z"),
            Some(ms("2026-11-20T10:00:00Z"))
        );
        assert_eq!(closes("web1", "2026-11-20T12:30:00Z"), None);
        assert_eq!(closes("web2", "2026-11-20T08:30:00Z"), None);
    }

    const AGREED: &str = r#"
realm: main
zone: UTC
windows:
  eve: { when: daily, at: "22:00", lasts: 4h }
  always: { when: daily, at: "00:00", lasts: 25h }
customers:
  chem: { name: Chem, zone: America/Chicago, contract: { service: s, reboots: 2 per month }, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, window: eve, via: { guest: one } }
  web2: { customer: chem, kind: virtual, os: debian-13, window: always, via: { guest: one } }
  lab1: { customer: chem, kind: virtual, os: debian-13, via: { guest: one } }
"#;

    fn agreed(asset: &str, class: &str, now: &str) -> Budgets {
        let text = AGREED.replace("zone: UTC", "zone: Europe/Berlin");
        let windows = text.replace("4h }", "4h, zone: America/Chicago }");
        let read = |_: &str| Ok(windows.clone());
        let estate = load(&["estate.yaml"], &read, &Known::default());
        let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
        estate.budgets(asset, &[class.to_owned()], ms(now)).unwrap()
    }

    #[test]
    fn a_contract_counts_openings_in_the_month_of_their_first_day() {
        // Shortly after midnight of December in Chicago: the night of November.
        let now = "2026-12-01T07:00:00Z";
        let opening = |asset: &str| agreed(asset, "planned", now).opening.unwrap();
        let night = opening("web1");
        assert_eq!(
            (night.window.as_str(), night.day_ms),
            ("eve", ms("2026-11-30T06:00:00Z"))
        );
        assert_eq!(night.closes_ms, Some(ms("2026-12-01T08:00:00Z")));
        let month = |asset: &str| agreed(asset, "planned", now).limits[0].within;
        let (from_ms, to_ms) = (ms("2026-11-01T05:00:00Z"), ms("2026-12-01T06:00:00Z"));
        assert_eq!(month("web1"), Within::Month { from_ms, to_ms });
        // What is open all the time, and what has no window, counts the day on which work starts.
        for (asset, window) in [("web2", "always"), ("lab1", "")] {
            let opening = opening(asset);
            assert_eq!((opening.window.as_str(), opening.closes_ms), (window, None));
            assert_eq!(opening.day_ms, ms("2026-12-01T06:00:00Z"));
        }
        let (from_ms, to_ms) = (ms("2026-12-01T06:00:00Z"), ms("2027-01-01T06:00:00Z"));
        assert_eq!(month("web2"), Within::Month { from_ms, to_ms });
        // An emergency in the afternoon is outside of the window.
        let emergency = agreed("web1", "emergency", "2026-12-01T20:00:00Z");
        assert_eq!(emergency.opening.unwrap().window, "");
    }

    #[test]
    fn a_contract_holds_every_class_but_an_emergency() {
        for (class, holds) in [("planned", true), ("request", true), ("emergency", false)] {
            let budgets = agreed("web1", class, "2026-12-01T07:00:00Z");
            let [limit] = &budgets.limits[..] else {
                panic!("{budgets:?}");
            };
            assert_eq!((limit.holds, limit.windows), (holds, Some(2)), "{class}");
            assert_eq!(limit.name, "contract:reboots");
        }
    }
}
