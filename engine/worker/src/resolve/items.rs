//! The list of an `each`, laid out in waves.

use super::{Fault, Outcome, Resolved, milliseconds};
use crate::notices::Outlook;
use crate::scope::View;
use hostler_core::command::{Entry, SpawnEntry};
use hostler_core::decide::CUSTOMERS_MAX;
use hostler_core::definition::{Each, OPENS_MAX_DAYS, Opens, Over, Step, Wave, WaveLimit};
use hostler_core::id::Digest;
use hostler_core::lane::{Item, WaveRange};
use hostler_ports::store::Blob;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most items of one `each`.
const ITEMS_MAX: usize = 10_000;
/// Longest key of an item in bytes.
const KEY_MAX_BYTES: usize = 200;

pub async fn each(view: &View<'_>, step: &Step, each: &Each) -> Outcome<Resolved> {
    let mut values = match &each.over {
        Over::List(list) => list_of(view.value(list).await?)?,
        Over::Times(times) => counted(&view.value(times).await?)?,
    };
    if let Some(take) = each.take {
        values.truncate(take as usize);
    }
    if values.len() > ITEMS_MAX {
        return Err(Fault::Step(format!(
            "{} items; {ITEMS_MAX} is the limit of one list",
            values.len()
        )));
    }
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        items.push(item(view, step, each, value)?);
    }
    unique(&items)?;
    let (items, waves) = in_waves(view, each, items).await?;
    let customers = match &step.notices {
        Some(_) => told(&items)?,
        None => Vec::new(),
    };
    let outlook = match &step.notices {
        Some(_) => Outlook::of(view, step).await?,
        None => None,
    };
    let slots = outlook.map_or_else(BTreeMap::new, |outlook| outlook.slots(view, &items, &waves));
    let bytes = serde_json::to_vec(&items).map_err(|fault| Fault::Step(fault.to_string()))?;
    let digest = Digest::of(&bytes);
    let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
    view.driver.cache.keep_items(digest, items);
    let entry = Entry::Spawn(Box::new(SpawnEntry::Each {
        items: digest,
        total,
        waves,
        customers,
        slots,
    }));
    Ok(Resolved {
        entry,
        blobs: vec![Blob { digest, bytes }],
    })
}

fn list_of(value: Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(Fault::Step(format!("`over` gave {other}, not a list"))),
    }
}

fn counted(value: &Value) -> Outcome<Vec<Value>> {
    let number = value.as_u64().filter(|number| *number <= ITEMS_MAX as u64);
    let number =
        number.ok_or_else(|| Fault::Step(format!("`times` gave {value}, not 0 to {ITEMS_MAX}")))?;
    Ok((0..number).map(Value::from).collect())
}

/// An asset's record becomes its id again: the plan keeps the record.
fn item(view: &View<'_>, step: &Step, each: &Each, value: Value) -> Outcome<Item> {
    let plan = &view.plan;
    let named = value.get("id").unwrap_or(&value).as_str();
    let asset = named
        .filter(|id| plan.assets.contains_key(*id))
        .map(str::to_owned);
    let key = match (&each.key, &asset, &value) {
        (Some(expression), _, _) => {
            let bound = [(each.binds.clone(), value.clone())].into_iter().collect();
            match view.driver.parts.evaluate.evaluate(expression, &bound) {
                Ok(Value::String(key)) => key,
                Ok(other) => other.to_string(),
                Err(fault) => return Err(Fault::Step(fault.to_string())),
            }
        }
        (None, Some(asset), _) => asset.clone(),
        (None, None, Value::Number(number)) => number.to_string(),
        (None, None, Value::String(text)) => text.clone(),
        (None, None, _) => {
            return Err(Fault::Step(
                "an item is no asset and has no key: add `key: …`".to_owned(),
            ));
        }
    };
    if key.is_empty() || key.len() > KEY_MAX_BYTES {
        return Err(Fault::Step(format!(
            "the key {key:?} has not 1 to {KEY_MAX_BYTES} bytes"
        )));
    }
    let record = asset.as_ref().and_then(|id| plan.assets.get(id));
    let groups = record
        .map(|record| groups(step, each, record))
        .unwrap_or_default();
    let value = asset.map_or(value, Value::String);
    Ok(Item { key, value, groups })
}

/// `attribute=value` for the attributes that this step looks at.
fn groups(step: &Step, each: &Each, record: &Value) -> Vec<String> {
    let limits = each.at_once.per.iter().map(|per| per.attribute.as_str());
    let stops = each
        .stop_at
        .iter()
        .flat_map(|stop_at| stop_at.per.iter().map(|per| per.attribute.as_str()));
    let told = step.notices.iter().map(|_| "customer");
    let wanted: BTreeSet<_> = limits.chain(stops).chain(told).collect();
    let value = |attribute: &str| {
        let found = record.get(attribute).filter(|value| !value.is_null());
        found
            .or_else(|| record.get("groups")?.get(attribute))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    wanted
        .into_iter()
        .filter_map(|attribute| Some(format!("{attribute}={}", value(attribute)?)))
        .collect()
}

/// The customers who are told, with their shares of the list.
fn told(items: &[Item]) -> Outcome<Vec<(String, u32)>> {
    let customers = customers(items);
    if customers.len() > CUSTOMERS_MAX {
        return Err(Fault::Step(format!(
            "{} customers would be told; {CUSTOMERS_MAX} is the limit of one list: start a run for some of them \
             (`targets: \"customer=…\"`), then one for the others",
            customers.len()
        )));
    }
    Ok(customers)
}

fn unique(items: &[Item]) -> Outcome<()> {
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert(item.key.as_str())) {
        Some(twice) => Err(Fault::Step(format!(
            "the key {} stands twice in the list",
            twice.key
        ))),
        None => Ok(()),
    }
}

fn customers(items: &[Item]) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for customer in items.iter().filter_map(|item| item.group("customer")) {
        *counts.entry(customer.to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

async fn in_waves(
    view: &View<'_>,
    each: &Each,
    items: Vec<Item>,
) -> Outcome<(Vec<Item>, Vec<WaveRange>)> {
    if each.waves.is_empty() {
        return Ok((items, Vec::new()));
    }
    let total = items.len();
    let mut left = items;
    let mut ordered = Vec::with_capacity(total);
    let mut ranges = Vec::new();
    for wave in &each.waves {
        let from = ordered.len();
        let (mut chosen, rest) = choose(view, wave, left, total)?;
        ordered.append(&mut chosen);
        left = rest;
        let soak_ms = match &wave.soak {
            Some(soak) => milliseconds(&view.value(soak).await?)?,
            None => 0,
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        ranges.push(WaveRange {
            name: wave.name.clone(),
            from: count(from),
            to: count(ordered.len()),
            soak_ms,
            opens_ms: opens_ms(view, wave).await?,
            counts_windows: each.overflow.is_some(),
        });
    }
    if let Some(item) = left.first() {
        let why = format!(
            "{} and {} others belong to no wave: end with one that takes the rest",
            item.key,
            left.len() - 1
        );
        return Err(Fault::Step(why));
    }
    Ok((ordered, ranges))
}

/// When a wave opens; none: when its turn comes.
async fn opens_ms(view: &View<'_>, wave: &Wave) -> Outcome<Option<i64>> {
    let name = &wave.name;
    let days = match &wave.opens {
        None => return Ok(None),
        Some(Opens::AnchorDays(days)) => *days,
        Some(Opens::At(at)) => {
            let text = view.text(at).await?;
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                return Ok(Some(instant.as_millisecond()));
            }
            let why = || {
                Fault::Step(format!(
                    "`opens` of {name}: {text} is neither an instant nor up to {OPENS_MAX_DAYS} days such as 9d"
                ))
            };
            Opens::days(&text).ok_or_else(why)?
        }
    };
    let directory = &view.driver.parts.directory;
    let at_ms = directory.midnight_after(days, view.plan.started_ms);
    let why = || Fault::Step(format!("the wave {name} opens on no day that there is"));
    at_ms.map(Some).ok_or_else(why)
}

/// Splits what is left into a wave's share and the rest, keeping the order.
fn choose(
    view: &View<'_>,
    wave: &Wave,
    left: Vec<Item>,
    total: usize,
) -> Outcome<(Vec<Item>, Vec<Item>)> {
    let limit = match wave.take {
        None => usize::MAX,
        Some(WaveLimit::Count(count)) => count as usize,
        Some(WaveLimit::Percent(percent)) => (total * percent as usize).div_ceil(100),
    };
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for item in left {
        let fits = match (&wave.matches, item.value.as_str()) {
            (None, _) => true,
            (Some(selector), Some(asset)) => {
                let matched = view.driver.parts.directory.matches(asset, selector);
                matched.map_err(|fault| Fault::Step(fault.to_string()))?
            }
            (Some(_), None) => false,
        };
        if fits && chosen.len() < limit {
            chosen.push(item)
        } else {
            rest.push(item)
        }
    }
    Ok((chosen, rest))
}
