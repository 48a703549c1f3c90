//! How long before the work a customer is told: what the policies promise, counted in the customer's own days.
//!
//! Not here: whether anybody was told, and when.

use crate::days;
use crate::model::Estate;
use crate::policies::{Notice, Policies, Unproven};
use hostler_calendar::deadline::Lead;
use hostler_core::id::Digest;
use jiff::Timestamp;
use std::sync::Arc;

/// Work may begin at any time.
const AT_ONCE_MS: i64 = i64::MIN;

impl Estate {
    /// The same estate, under these policies; another digest.
    #[must_use]
    pub fn under(mut self, policies: Policies) -> Self {
        let both = format!("{} {}", self.digest, policies.digest());
        self.digest = Digest::of(both.as_bytes());
        self.policies = Some(Arc::new(policies));
        self
    }
}

/// See `Directory::earliest_ms`.
pub fn earliest_ms(estate: &Estate, class: &str, asset: &str, told_ms: Option<i64>) -> Option<i64> {
    let Some(policies) = &estate.policies else {
        return told_ms;
    };
    let asset = estate.assets.get(asset)?;
    let lead = match policies.lead(class, asset.ring.as_deref()) {
        Some(Notice::Calendar) => return Some(AT_ONCE_MS),
        Some(Notice::Lead(lead)) => lead,
        // What is no class was promised nothing.
        None => return told_ms,
    };
    let terms = policies.class(class)?;
    if told_ms.is_none() && terms.unproven == Unproven::Debt {
        return Some(AT_ONCE_MS);
    }
    let told = Timestamp::from_millisecond(told_ms?).ok()?;
    let floor_ms = told_ms?.saturating_add_unsigned(terms.floor_ms);
    Some(after(estate, &asset.customer, lead.into(), told)?.max(floor_ms))
}

fn after(estate: &Estate, customer: &str, lead: Lead, told: Timestamp) -> Option<i64> {
    let customer = estate.customers.get(customer)?;
    let earliest = days::after(estate, Some(customer), lead, told);
    earliest.map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Known, load, policies};
    use hostler_core::directory::Directory;

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
customers:
  chem: { name: Chem, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, ring: rest, via: { guest: one } }
  lab1: { customer: chem, kind: virtual, os: debian-13, ring: canary, via: { guest: one } }
"#;
    const CLASSES: &str = r"
classes:
  standard-patch: { lead: 7d, rings: { canary: calendar } }
  planned: { lead: 5bd }
  emergency: { lead: none, unproven: debt }
";

    fn estate() -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        let estate = load(&["estate.yaml"], &read, &Known::default());
        estate.unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn promised() -> Estate {
        let read = |_: &str| Ok(CLASSES.to_owned());
        let read = policies::load(&["classes.yaml"], &read, &policies::Known::default());
        estate().under(read.unwrap_or_else(|faults| panic!("{faults}")))
    }

    fn earliest(estate: &Estate, class: &str, asset: &str, told: Option<&str>) -> Option<String> {
        let told = told.map(|told| told.parse::<Timestamp>().unwrap().as_millisecond());
        let earliest_ms = estate.earliest_ms(class, asset, told)?;
        let earliest = Timestamp::from_millisecond(earliest_ms);
        Some(earliest.map_or_else(|_| "at once".to_owned(), |at| at.to_string()))
    }

    #[test]
    fn without_policies_it_is_enough_to_be_told() {
        let estate = estate();
        let told = "2026-11-20T08:00:00Z";
        let begin = earliest(&estate, "planned", "web1", Some(told));
        assert_eq!(begin.as_deref(), Some(told));
        assert_eq!(earliest(&estate, "planned", "web1", None), None);
    }

    #[test]
    fn a_class_promises_time_between_the_notice_and_the_work() {
        let estate = promised();
        assert_ne!(estate.digest(), super::tests::estate().digest());
        for (class, asset, told, begins) in [
            (
                "standard-patch",
                "web1",
                Some("2026-11-20T08:00:00Z"),
                Some("2026-11-27T08:00:00Z"),
            ),
            // Friday, five business days on: the next Friday, at the same local time.
            (
                "planned",
                "web1",
                Some("2026-11-20T08:00:00Z"),
                Some("2026-11-27T08:00:00Z"),
            ),
            // Over the end of daylight saving time the local time stays.
            (
                "planned",
                "web1",
                Some("2026-10-28T08:00:00Z"),
                Some("2026-11-04T09:00:00Z"),
            ),
            // Sunday: Monday is the first of the five.
            (
                "planned",
                "web1",
                Some("2026-11-22T18:00:00Z"),
                Some("2026-11-27T18:00:00Z"),
            ),
            ("standard-patch", "web1", None, None),
            // The published calendar is this ring's notice.
            ("standard-patch", "lab1", None, Some("at once")),
            ("emergency", "web1", None, Some("at once")),
            // Its floor, where there is no lead.
            (
                "emergency",
                "web1",
                Some("2026-11-20T08:00:00Z"),
                Some("2026-11-20T09:00:00Z"),
            ),
        ] {
            let found = earliest(&estate, class, asset, told);
            assert_eq!(found.as_deref(), begins, "{class} {asset} {told:?}");
        }
    }
}
