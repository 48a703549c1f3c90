//! From an estate and a compiled runbook to the input of a forecast.
//!
//! Not here: what the class's terms are, who is away, and what was measured: those come in.

mod approvers;
mod customers;

use crate::fault::ForecastFault;
use crate::input::{Anchor, Asset, AtOnce, Group, Input, Month, Overflow, Terms, Wave};
use crate::lengths;
use hostler_calendar::freeze::Freeze;
use hostler_calendar::zone::Zone;
use hostler_core::definition::{
    Approve, Definition, Each, Opens, Over, Ramp, Spawn, Verb, Wave as Compiled,
};
use hostler_core::directory::Directory as _;
use hostler_core::duration::parse_ms;
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::fit::Histories;
use hostler_estate::{Estate, Selector};
use jiff::civil::Date;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What neither estate nor runbook says.
#[derive(Clone, Debug)]
pub struct Options {
    pub month: Month,
    pub anchor: Anchor,
    /// The servers; none takes those of the runbook's input.
    pub targets: Option<String>,
    /// Wave to days after the anchor.
    pub opens_days: BTreeMap<String, u16>,
    pub overflow: Overflow,
    pub terms: Terms,
    /// Of every asset.
    pub severity: Option<String>,
    /// What was measured; what was not is assumed as the policies say, or takes all of its timeout.
    pub histories: Histories,
    /// Person to days away, both included.
    pub absences: BTreeMap<String, Vec<(Date, Date)>>,
    /// Person to those who stand in.
    pub stand_ins: BTreeMap<String, Vec<String>>,
    /// Of an approval that says nothing. Milliseconds.
    pub approval_expires_ms: u64,
}

/// # Errors
/// For a runbook without an `each` over servers, a selector that does not fit, an unknown wave, and
/// zones or calendars that cannot be read.
pub fn from_estate(
    estate: &Estate,
    definition: &Definition,
    options: &Options,
) -> Result<Input, ForecastFault> {
    let name = format!("{}@{}", definition.runbook, definition.version);
    let (each, approve) = disturbing(definition).ok_or(ForecastFault::NoWaves(name.clone()))?;
    let waves = waves(definition, each, options)?;
    let assets = assets(estate, definition, each, options)?;
    let asked = customers::Asking {
        class: &options.terms.class,
        announced: definition.announcement(each.body).is_some(),
    };
    Ok(Input {
        runbook: name,
        realm: estate.realm.clone(),
        month: options.month,
        zone: zone(&estate.zone)?,
        anchor: options.anchor.clone(),
        waves,
        at_once: at_once(each),
        overflow: each.overflow.map_or(options.overflow, |own| Overflow {
            at_most: own.at_most,
        }),
        windows: windows(estate, &assets),
        freezes: stopping(estate, &options.terms.class)
            .map(|(_, freeze)| (freeze.id.clone(), freeze.clone()))
            .collect(),
        groups: groups(estate),
        durations: lengths::durations(estate, (definition, each.body), &assets, &options.histories),
        customers: customers::customers(estate, &assets, &asked)?,
        assets,
        terms: options.terms.clone(),
        approvers: approvers::approvers(estate, approve, options),
    })
}

/// The `each` whose customers get notices, else the first one in waves; and the approval before it.
fn disturbing(definition: &Definition) -> Option<(&Each, Option<&Approve>)> {
    let steps = &definition.program(0)?.steps;
    let each = |place: usize| match &steps[place].verb {
        Verb::Spawn(Spawn::Each(each)) => Some(&**each),
        _ => None,
    };
    let is_list =
        |place: &usize| each(*place).is_some_and(|each| matches!(each.over, Over::List(_)));
    let mut all = (0..steps.len()).filter(is_list);
    let told = all.clone().find(|place| steps[*place].notices.is_some());
    let waves = |place: &usize| each(*place).is_some_and(|each| !each.waves.is_empty());
    let place = told.or_else(|| all.find(waves))?;
    let approve = steps[..place]
        .iter()
        .rev()
        .find_map(|step| match &step.verb {
            Verb::Approve(approve) => Some(approve),
            _ => None,
        });
    Some((each(place)?, approve))
}

fn waves(
    definition: &Definition,
    each: &Each,
    options: &Options,
) -> Result<Vec<Wave>, ForecastFault> {
    let names: Vec<&str> = each.waves.iter().map(|wave| wave.name.as_str()).collect();
    let stray = options
        .opens_days
        .keys()
        .find(|name| !names.contains(&name.as_str()));
    if let Some(stray) = stray {
        return Err(ForecastFault::NoWave(stray.clone(), names.join(", ")));
    }
    let wave = |wave: &Compiled| {
        Ok(Wave {
            name: wave.name.clone(),
            matches: wave.matches.clone(),
            take: wave.take,
            opens_days: options
                .opens_days
                .get(&wave.name)
                .copied()
                .or_else(|| opens(definition, wave)),
            soak_ms: soak_ms(definition, wave)?,
        })
    };
    each.waves.iter().map(wave).collect()
}

/// Days after the anchor that the runbook itself says. None: it opens when its turn comes, or at an instant.
fn opens(definition: &Definition, wave: &Compiled) -> Option<u16> {
    match &wave.opens {
        Some(Opens::AnchorDays(days)) => Some(*days),
        Some(Opens::At(at)) => Opens::days(given(definition, at)?.as_str()?),
        None => None,
    }
}

/// A value as it stands there, or the default of the input that is named.
fn given<'a>(definition: &'a Definition, value: &'a Dynamic) -> Option<&'a Value> {
    match value {
        Dynamic::Literal(value) => Some(value),
        Dynamic::Expression(Expression(text)) => {
            let name = text.trim().strip_prefix("inputs.")?;
            definition.inputs.get(name)?.default.as_ref()
        }
        Dynamic::List(_) | Dynamic::Map(_) => None,
    }
}

/// A length, or the default of an input.
fn soak_ms(definition: &Definition, wave: &Compiled) -> Result<u64, ForecastFault> {
    let Some(soak) = &wave.soak else {
        return Ok(0);
    };
    let length = match given(definition, soak) {
        Some(Value::String(text)) => parse_ms(text),
        Some(Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    length.ok_or_else(|| ForecastFault::Soak(wave.name.clone()))
}

fn at_once(each: &Each) -> AtOnce {
    let per = |names: &[&str]| {
        let mut all = each.at_once.per.iter();
        let found = all.find(|per| names.contains(&per.attribute.as_str()));
        found.map(|per| per.limit)
    };
    AtOnce {
        ramp: match &each.at_once.ramp {
            Ramp::Stages(stages) if stages.is_empty() => Ramp::Fixed(1),
            ramp => ramp.clone(),
        },
        per_group: per(&["redundancy_group"]),
        per_parent: per(&["hypervisor", "parent"]),
    }
}

/// Freezes that hold work of this class, with their selectors.
fn stopping<'a>(estate: &'a Estate, class: &'a str) -> impl Iterator<Item = (&'a str, &'a Freeze)> {
    let passes = move |freeze: &Freeze| freeze.lets_through.iter().any(|passes| passes == class);
    estate
        .frozen_times()
        .filter(move |(_, freeze)| !passes(freeze))
}

fn assets(
    estate: &Estate,
    definition: &Definition,
    each: &Each,
    options: &Options,
) -> Result<Vec<Asset>, ForecastFault> {
    let selector = targets(definition, options)?;
    let chosen = estate.select(&selector)?;
    let waves = each.waves.iter();
    let waves = waves.filter_map(|wave| Some((wave.matches.as_deref()?, &wave.name)));
    let fits = parsed(waves)?;
    let freezes = stopping(estate, &options.terms.class);
    let freezes = parsed(freezes.map(|(text, freeze)| (text, &freeze.id)))?;
    let asset = |id: &String| {
        let asset = estate.assets.get(id)?;
        Some(Asset {
            id: id.clone(),
            customer: asset.customer.clone(),
            ring: asset.ring.clone(),
            windows: asset.window.iter().cloned().collect(),
            freezes: taken(&freezes, asset),
            group: asset.redundancy_group.clone(),
            parent: asset.parent.clone(),
            fits: taken(&fits, asset),
            severity: options.severity.clone(),
        })
    };
    Ok(chosen.iter().filter_map(asset).collect())
}

/// Selectors, each with the name of what it belongs to.
type Named<'a> = Vec<(Selector, &'a String)>;

fn parsed<'a>(
    all: impl Iterator<Item = (&'a str, &'a String)>,
) -> Result<Named<'a>, ForecastFault> {
    all.map(|(text, name)| Ok((Selector::parse(text)?, name)))
        .collect()
}

/// Names of those that take an asset.
fn taken(all: &Named<'_>, asset: &hostler_estate::Asset) -> BTreeSet<String> {
    let all = all.iter().filter(|(selector, _)| selector.matches(asset));
    all.map(|(_, name)| (*name).clone()).collect()
}

/// The selector that was given, or the default of the runbook's first input that is one.
fn targets(definition: &Definition, options: &Options) -> Result<String, ForecastFault> {
    use hostler_core::definition::InputKind;
    if let Some(targets) = &options.targets {
        return Ok(targets.clone());
    }
    let mut inputs = definition.inputs.values();
    let found = inputs.find(|input| input.kind == InputKind::Selector);
    let default = found.and_then(|input| input.default.as_ref()?.as_str().map(str::to_owned));
    default.ok_or_else(|| {
        ForecastFault::Text("the runbook has no default for its servers; name them".to_owned())
    })
}

fn windows(
    estate: &Estate,
    assets: &[Asset],
) -> BTreeMap<String, hostler_calendar::window::Windows> {
    let names: BTreeSet<&String> = assets.iter().flat_map(|asset| &asset.windows).collect();
    let found = names.into_iter();
    found
        .filter_map(|name| Some((name.clone(), estate.openings(name)?.clone())))
        .collect()
}

fn groups(estate: &Estate) -> BTreeMap<String, Group> {
    let row = |(name, group): (&String, &hostler_estate::Group)| {
        let members = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
        let keep_up = group.keep_up;
        (name.clone(), Group { members, keep_up })
    };
    estate.groups.iter().map(row).collect()
}

fn zone(name: &str) -> Result<Zone, ForecastFault> {
    Zone::parse(name).map_err(|fault| ForecastFault::Text(fault.to_string()))
}
