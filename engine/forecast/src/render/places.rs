//! Assets together by wave and slot: what people look at instead of thousands of lines.

use crate::forecast::{Forecast, Outcome, Slot};
use crate::moment::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// All assets of one wave in one slot.
#[derive(Debug)]
pub struct Place<'a> {
    pub wave: &'a str,
    pub slot: &'a Slot,
    pub begins: Moment,
    pub ends: Moment,
    pub assets: usize,
    pub customers: BTreeSet<&'a str>,
}

/// In the order of the waves, then of time. Of one customer, when one is named.
pub fn places<'a>(forecast: &'a Forecast, customer: Option<&str>) -> Vec<Place<'a>> {
    let order: BTreeMap<&str, usize> = forecast
        .waves
        .iter()
        .enumerate()
        .map(|(number, wave)| (wave.name.as_str(), number))
        .collect();
    let mut found: BTreeMap<(usize, Moment, &Slot), Place<'a>> = BTreeMap::new();
    for asset in &forecast.assets {
        let (
            Some(wave),
            Outcome::Planned {
                slot, starts, ends, ..
            },
        ) = (&asset.wave, &asset.outcome)
        else {
            continue;
        };
        if customer.is_some_and(|customer| customer != asset.customer) {
            continue;
        }
        let number = order.get(wave.as_str()).copied().unwrap_or(usize::MAX);
        let place = found
            .entry((number, slot.opens, slot))
            .or_insert_with(|| Place {
                wave,
                slot,
                begins: *starts,
                ends: *ends,
                assets: 0,
                customers: BTreeSet::new(),
            });
        place.begins = place.begins.min(*starts);
        place.ends = place.ends.max(*ends);
        place.assets += 1;
        place.customers.insert(&asset.customer);
    }
    found.into_values().collect()
}
