//! Windows without their freezes, walked once for each distinct set of both.
//!
//! Not here: who is put into them.

use super::cycle::Cycle;
use crate::fault::ForecastFault;
use crate::input::{Asset, Input};
use crate::moment::Moment;
use hostler_calendar::interval::{Interval, union, without};
use hostler_calendar::window::Windows;
use std::collections::{BTreeMap, BTreeSet};

/// Assets that can be disturbed at the same times.
#[derive(Clone, Debug, Default)]
pub struct Class {
    /// Names of its windows, joined; empty: it has none.
    pub window: String,
    /// Names of its freezes that lie in this cycle.
    pub freezes: Vec<String>,
    /// Whatever is frozen.
    pub open: Vec<Interval>,
    /// What is left of that.
    pub free: Vec<Interval>,
}

impl Class {
    /// The first slot, from `from` on, in which work of so many milliseconds fits whole.
    pub fn first(&self, list: &[Interval], from: Moment, needed_ms: u64) -> Option<usize> {
        list.iter().position(|slot| fits(slot, from, needed_ms))
    }

    pub fn longest_ms(&self) -> u64 {
        self.open
            .iter()
            .map(Interval::elapsed_ms)
            .max()
            .unwrap_or_default()
    }
}

/// Whether so much time is left in a slot after `from`.
pub fn fits(slot: &Interval, from: Moment, needed_ms: u64) -> bool {
    let from = Moment(slot.from).max(from);
    Moment(slot.to).since(from) >= needed_ms
}

/// The classes, and the one of each asset.
pub struct Classes {
    pub all: Vec<Class>,
    /// By place in the list of assets.
    pub of: Vec<usize>,
}

impl Classes {
    /// # Errors
    /// For a window or a freeze that is not in the input.
    pub fn of(input: &Input, assets: &[&Asset], cycle: &Cycle) -> Result<Self, ForecastFault> {
        type Key<'a> = (&'a BTreeSet<String>, &'a BTreeSet<String>);
        let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
        let (mut all, mut of) = (Vec::new(), Vec::with_capacity(assets.len()));
        for asset in assets {
            let key = (&asset.windows, &asset.freezes);
            let place = match known.get(&key) {
                Some(place) => *place,
                None => {
                    all.push(walk(input, asset, cycle)?);
                    known.insert(key, all.len() - 1);
                    all.len() - 1
                }
            };
            of.push(place);
        }
        Ok(Self { all, of })
    }
}

fn walk(input: &Input, asset: &Asset, cycle: &Cycle) -> Result<Class, ForecastFault> {
    let unknown = |kind, name: &String| ForecastFault::Unknown {
        asset: asset.id.clone(),
        kind,
        name: name.clone(),
    };
    let (from, to) = (cycle.anchor.0, cycle.ends.0);
    let window = |name: &String| {
        let found = input.windows.get(name).cloned();
        found.ok_or_else(|| unknown("window", name))
    };
    let windows: Vec<Windows> = asset.windows.iter().map(window).collect::<Result<_, _>>()?;
    let open = Windows::AnyOf(windows).intervals(from, to);
    let (mut names, mut frozen) = (Vec::new(), Vec::new());
    for name in &asset.freezes {
        let freeze = input.freezes.get(name);
        let times = freeze
            .ok_or_else(|| unknown("freeze", name))?
            .intervals(from, to);
        if !times.is_empty() {
            names.push(name.clone());
        }
        frozen.extend(times);
    }
    let free = without(&open, &union(frozen));
    let joined: Vec<&str> = asset.windows.iter().map(String::as_str).collect();
    Ok(Class {
        window: joined.join("+"),
        freezes: names,
        open,
        free,
    })
}
