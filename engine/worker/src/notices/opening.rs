//! Instants before which an item's turn does not come: its wave's, its customer's, that of the window for which it is
//! held.
//!
//! Not here: calendars, freezes and what customers are promised (`prospect`).

use hostler_core::lane::{Children, Item, WaveRange};
use std::collections::BTreeMap;

/// When the waves of items open, by the items' keys, where that is said.
pub(super) fn of_waves<'a>(items: &'a [Item], waves: &[WaveRange]) -> BTreeMap<&'a str, i64> {
    let mut opens = BTreeMap::new();
    for wave in waves {
        let of_wave = items.get(wave.from as usize..wave.to as usize);
        if let Some(opens_ms) = wave.opens_ms {
            let keys = of_wave.into_iter().flatten();
            opens.extend(keys.map(|item| (item.key.as_str(), opens_ms)));
        }
    }
    opens
}

/// The same of a list on its way, with what was put off and the windows for which gates hold items: `is_slot` says of an
/// item whether one opens at an instant.
pub(super) fn of_list<'a>(
    items: &'a [Item],
    children: &'a Children,
    is_slot: &dyn Fn(&str, i64) -> bool,
) -> BTreeMap<&'a str, i64> {
    let mut opens = of_waves(items, &children.waves);
    let put_off = children.put_off.values().filter(|item| !item.back);
    let put_off = put_off.map(|item| (item.key.as_str(), item.put_off.until_ms));
    let held = children.live.iter().filter(|(_, live)| !live.began);
    let held = held.filter_map(|(key, live)| Some((key.as_str(), live.held_ms?)));
    // Not every window is for it: one may have been skipped by whoever gave it another.
    let held = held.filter(|(key, held_ms)| is_slot(key, *held_ms));
    for (key, until_ms) in put_off.chain(held) {
        let opens_ms = opens.entry(key).or_insert(until_ms);
        *opens_ms = until_ms.max(*opens_ms);
    }
    opens
}

/// None of these before that instant.
pub(super) fn open_behind<'a>(
    opens: &mut BTreeMap<&'a str, i64>,
    items: &[&'a Item],
    at_ms: Option<i64>,
) {
    let Some(at_ms) = at_ms else { return };
    for item in items {
        let opens_ms = opens.entry(item.key.as_str()).or_insert(at_ms);
        *opens_ms = at_ms.max(*opens_ms);
    }
}
