//! Gathers what stands in the way: one entry for each thing and subject, whoever finds it first.

use super::CONFLICTS_MAX;
use crate::code::Code;
use crate::forecast::Conflict;
use crate::moment::Moment;
use std::collections::BTreeMap;

/// Assets that a conflict lists; the rest is counted.
const ASSETS_LISTED: usize = 20;

/// What is found, before it is counted.
#[derive(Clone, Debug)]
pub struct Found {
    pub code: Code,
    pub subject: String,
    pub what: String,
    pub when: Option<Moment>,
    pub remedy: String,
}

#[derive(Default)]
pub struct Conflicts {
    all: BTreeMap<(Code, String), Entry>,
}

struct Entry {
    found: Found,
    /// In the order in which they were added: by id.
    assets: Vec<String>,
    total: usize,
}

impl Conflicts {
    /// Of several about the same subject the earliest tells.
    pub fn add(&mut self, found: Found, asset: Option<&str>) {
        let key = (found.code, found.subject.clone());
        let entry = self.all.entry(key).or_insert_with(|| Entry {
            found: found.clone(),
            assets: Vec::new(),
            total: 0,
        });
        let order = |found: &Found| (found.when.is_none(), found.when, found.what.clone());
        if order(&found) < order(&entry.found) {
            entry.found = found;
        }
        let Some(asset) = asset else { return };
        entry.total += 1;
        if entry.assets.len() < ASSETS_LISTED {
            entry.assets.push(asset.to_owned());
        }
    }

    /// The list, and how many are left off.
    pub fn list(self) -> (Vec<Conflict>, usize) {
        let left_off = self.all.len().saturating_sub(CONFLICTS_MAX);
        let row = |entry: Entry| {
            let mut assets = entry.assets;
            assets.sort();
            Conflict {
                code: entry.found.code,
                subject: entry.found.subject,
                what: entry.found.what,
                when: entry.found.when,
                remedy: entry.found.remedy,
                assets,
                assets_total: entry.total,
            }
        };
        let all = self.all.into_values().take(CONFLICTS_MAX);
        (all.map(row).collect(), left_off)
    }
}
