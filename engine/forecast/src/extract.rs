//! One customer's part of a forecast: nothing of anybody else's is in it.
//!
//! Not here: planning anew; others still take their places beside this one.

use crate::forecast::{Conflict, Forecast, Outcome};
use std::collections::BTreeSet;

impl Forecast {
    /// With only this customer's servers, counts and conflicts. None: it has no servers in it.
    #[must_use]
    pub fn of_customer(mut self, customer: &str) -> Option<Self> {
        self.customers.retain(|row| row.id == customer);
        self.assets.retain(|row| row.customer == customer);
        if self.customers.is_empty() {
            return None;
        }
        for wave in &mut self.waves {
            let own = self
                .assets
                .iter()
                .filter(|row| row.wave.as_ref() == Some(&wave.name));
            let is_planned = |outcome: &Outcome| matches!(outcome, Outcome::Planned { .. });
            let all = own.clone().count();
            wave.planned = own.filter(|row| is_planned(&row.outcome)).count();
            wave.held = all - wave.planned;
        }
        let ids: BTreeSet<&str> = self.assets.iter().map(|row| row.id.as_str()).collect();
        let conflicts = std::mem::take(&mut self.conflicts);
        let own = conflicts.into_iter();
        self.conflicts = own.filter_map(|one| part(one, customer, &ids)).collect();
        // Kinds of servers that only others have are among them.
        self.lengths.clear();
        // Whose those are is not known any more.
        self.conflicts_left_off = 0;
        Some(self)
    }
}

/// What concerns this customer, or nobody's servers at all.
fn part(mut conflict: Conflict, customer: &str, ids: &BTreeSet<&str>) -> Option<Conflict> {
    let subject = conflict.subject.strip_prefix("customer ");
    if let Some(subject) = subject {
        let name = subject.split(',').next().unwrap_or_default();
        return (name == customer).then_some(conflict);
    }
    if conflict.assets_total == 0 {
        return Some(conflict);
    }
    conflict.assets.retain(|asset| ids.contains(asset.as_str()));
    conflict.assets_total = conflict.assets.len();
    (conflict.assets_total > 0).then_some(conflict)
}
