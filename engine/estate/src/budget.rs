//! The budgets of the policies, as they bind one asset at one instant.
//!
//! Not here: what was spent, and holding anything.

use crate::model::Estate;
use crate::policies::{Budget, Per, Within};
use crate::{days, gates};
use hostler_calendar::zone::Zone;
use hostler_core::budget::{Budgets, Limit, Within as Counted};
use jiff::Timestamp;

/// See `Directory::budgets`.
pub fn limits(estate: &Estate, asset: &str, classes: &[String], now_ms: i64) -> Option<Budgets> {
    let budgets = &estate.policies.as_ref()?.budgets;
    if budgets.is_empty() {
        return None;
    }
    let asset = estate.assets.get(asset)?;
    let customer = estate.customers.get(&asset.customer)?;
    let zone = days::zone(estate, Some(customer))?;
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    let binds = |(_, budget): &(&String, &Budget)| {
        budget.customers.is_empty() || budget.customers.contains(&customer.id)
    };
    let limit = |(name, budget): (&String, &Budget)| {
        Some(Limit {
            name: name.clone(),
            per_asset: budget.per == Per::Asset,
            disruptions: budget.disruptions,
            downtime_ms: budget.downtime_ms,
            within: counted(budget.within, now, &zone)?,
            holds: classes.iter().any(|class| budget.classes.contains(class)),
        })
    };
    let limits: Vec<Limit> = budgets.iter().filter(binds).filter_map(limit).collect();
    (!limits.is_empty()).then(|| Budgets {
        customer: customer.id.clone(),
        limits,
        closes_ms: gates::closes_ms(estate, &asset.id, &[], now_ms),
    })
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
}
