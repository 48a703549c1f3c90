//! From the question to the answer: slots, waves, admission, notices, and what stands in the way.
//!
//! Not here: how the answer looks, and where the question comes from.

mod admit;
mod approval;
mod budgets;
mod checks;
mod conflicts;
mod consent;
mod customers;
mod cycle;
mod notice;
mod reasons;
mod slots;
mod waves;

use crate::fault::ForecastFault;
use crate::forecast::{Approval, AssetRow, FORM, Forecast, FreezeRow, Outcome, WaveRow, Work};
use crate::input::{ASSETS_MAX, Asset, Customer, Input, WAVES_MAX, Wave};
use crate::moment::Moment;
use conflicts::Conflicts;
use cycle::Cycle;
pub(crate) use cycle::days_after;
use notice::Told;
use slots::{Class, Classes};
use std::collections::BTreeMap;

/// Conflicts that are listed; the rest is counted.
pub const CONFLICTS_MAX: usize = 200;

/// What would happen in that month.
///
/// # Errors
/// When the question is wrong: no anchor, an unknown name, too many assets or waves.
pub fn forecast(input: &Input) -> Result<Forecast, ForecastFault> {
    let mut plan = Plan::of(input)?;
    let waves = plan.waves();
    checks::all(&mut plan, &waves);
    let customers = customers::rows(&mut plan);
    Ok(plan.answer(waves, customers))
}

/// Everything that is known while the answer is made. Places are those of `assets`.
struct Plan<'a> {
    input: &'a Input,
    cycle: Cycle,
    /// By id.
    assets: Vec<&'a Asset>,
    classes: Classes,
    told: BTreeMap<String, Told>,
    approval: Option<Approval>,
    /// When notices can leave.
    ready: Moment,
    /// Most at once, by key: groups, then parents.
    limits: Vec<u32>,
    keys: Vec<[Option<usize>; 2]>,
    wave_of: Vec<Option<usize>>,
    outcomes: Vec<Option<Outcome>>,
    conflicts: Conflicts,
    work: Work,
}

impl<'a> Plan<'a> {
    fn of(input: &'a Input) -> Result<Self, ForecastFault> {
        let assets = checked(input)?;
        let cycle = Cycle::of(input)?;
        let classes = Classes::of(input, &assets, &cycle)?;
        let approval = approval::of(input, &cycle);
        let possible = approval.as_ref().and_then(|found| found.possible_from);
        let ready = possible.unwrap_or(cycle.asked);
        let (limits, keys) = limits(input, &assets);
        let count = assets.len();
        let walked = classes.all.len();
        Ok(Self {
            input,
            told: notice::all(&input.customers, &input.terms, ready),
            cycle,
            assets,
            classes,
            approval,
            ready,
            limits,
            keys,
            wave_of: vec![None; count],
            outcomes: vec![None; count],
            conflicts: Conflicts::default(),
            work: Work { walked, looks: 0 },
        })
    }

    fn class(&self, place: usize) -> &Class {
        &self.classes.all[self.classes.of[place]]
    }

    fn customer(&self, place: usize) -> &'a Customer {
        &self.input.customers[&self.assets[place].customer]
    }

    fn needed_ms(&self, place: usize) -> u64 {
        let duration = self.input.durations.of(&self.assets[place].id);
        duration.needed_ms()
    }

    /// Whether a published calendar stands for its notice.
    fn is_published(&self, place: usize) -> bool {
        let ring = self.assets[place].ring.as_ref();
        ring.is_some_and(|ring| self.input.terms.published_rings.contains(ring))
    }

    fn answer(self, waves: Vec<WaveRow>, customers: Vec<crate::forecast::CustomerRow>) -> Forecast {
        let (conflicts, conflicts_left_off) = self.conflicts.list();
        let (input, cycle) = (self.input, self.cycle);
        let rows = self.assets.iter().zip(self.wave_of).zip(self.outcomes);
        // Every place was given an outcome by its wave; without one it is in none.
        let assets = rows.filter_map(|((asset, wave), outcome)| {
            Some(AssetRow {
                id: asset.id.clone(),
                customer: asset.customer.clone(),
                wave: wave
                    .and_then(|wave| waves.get(wave))
                    .map(|row| row.name.clone()),
                outcome: outcome?,
            })
        });
        let assets = assets.collect();
        Forecast {
            form: FORM,
            realm: input.realm.clone(),
            runbook: input.runbook.clone(),
            class: input.terms.class.clone(),
            month: input.month.to_string(),
            zone: input.zone.name().to_owned(),
            anchor: cycle.anchor,
            ends: cycle.ends,
            approval: self.approval,
            waves,
            customers,
            lengths: input.durations.told.clone(),
            freezes: freezes(input, &cycle),
            conflicts,
            conflicts_left_off,
            assets,
            work: self.work,
        }
    }
}

/// The waves; a runbook without any disturbs all in one.
fn waves_of(input: &Input) -> Vec<Wave> {
    if !input.waves.is_empty() {
        return input.waves.clone();
    }
    vec![Wave {
        name: String::new(),
        matches: None,
        take: None,
        opens_days: None,
        soak_ms: 0,
    }]
}

/// The assets by id, when everything that they name is there.
fn checked(input: &Input) -> Result<Vec<&Asset>, ForecastFault> {
    if input.assets.len() > ASSETS_MAX {
        return Err(ForecastFault::TooManyAssets(input.assets.len(), ASSETS_MAX));
    }
    if input.waves.len() > WAVES_MAX {
        return Err(ForecastFault::TooManyWaves(input.waves.len(), WAVES_MAX));
    }
    let mut assets: Vec<&Asset> = input.assets.iter().collect();
    assets.sort_by(|one, other| one.id.cmp(&other.id));
    if let Some(twice) = assets.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(ForecastFault::AssetTwice(twice[0].id.clone()));
    }
    for asset in &assets {
        let unknown = |kind, name: &str| ForecastFault::Unknown {
            asset: asset.id.clone(),
            kind,
            name: name.to_owned(),
        };
        if !input.customers.contains_key(&asset.customer) {
            return Err(unknown("customer", &asset.customer));
        }
        let group = asset.group.as_ref();
        if let Some(name) = group.filter(|name| !input.groups.contains_key(*name)) {
            return Err(unknown("group", name));
        }
    }
    Ok(assets)
}

/// Most at once of each group and on each parent, and which of them bind an asset.
fn limits(input: &Input, assets: &[&Asset]) -> (Vec<u32>, Vec<[Option<usize>; 2]>) {
    let mut limits = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut place = |kind: &'static str, name, limit: u32| {
        *places.entry((kind, name)).or_insert_with(|| {
            limits.push(limit);
            limits.len() - 1
        })
    };
    let mut keys = Vec::with_capacity(assets.len());
    for asset in assets {
        let group = asset.group.as_deref();
        let group = group.map(|name| place("group", name, group_limit(input, name)));
        let parent = asset.parent.as_deref().zip(input.at_once.per_parent);
        let parent = parent.map(|(name, limit)| place("parent", name, limit.max(1)));
        keys.push([group, parent]);
    }
    (limits, keys)
}

/// How many of a group may be down; 0: nobody.
fn group_limit(input: &Input, name: &str) -> u32 {
    let down = input
        .groups
        .get(name)
        .map_or(1, |group| group.members.saturating_sub(group.keep_up));
    input
        .at_once
        .per_group
        .map_or(down, |limit| down.min(limit.max(1)))
}

fn freezes(input: &Input, cycle: &Cycle) -> Vec<FreezeRow> {
    let mut rows: Vec<FreezeRow> = Vec::new();
    for (id, freeze) in &input.freezes {
        let times = freeze.intervals(cycle.anchor.0, cycle.ends.0);
        rows.extend(times.into_iter().map(|time| FreezeRow {
            id: id.clone(),
            from: Moment(time.from),
            to: Moment(time.to),
        }));
    }
    rows.sort_by(|one, other| (one.from, one.to, &one.id).cmp(&(other.from, other.to, &other.id)));
    rows
}
