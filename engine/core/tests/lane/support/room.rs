//! Invariants of a lane's children: every item in one place, never more at once than there is room.
//!
//! Not here: how they end (see `watch.rs`).

use super::watch::{Verdict, must};
use hostler_core::decide::children_at_once;
use hostler_core::definition::{Definition, Each, Spawn, Verb};
use hostler_core::lane::{Children, ChildrenKind, Lane, Phase};
use std::collections::{BTreeMap, BTreeSet};

/// Every item that was looked at is in exactly one place.
pub fn counts(lane: &Lane) -> Verdict {
    let Some(children) = lane.children.as_deref() else {
        return must(!matches!(lane.phase, Phase::Children), || {
            "no children".to_owned()
        });
    };
    if children.kind != ChildrenKind::Each {
        return must(children.live.len() <= 1, || "two at once".to_owned());
    }
    let mut open: Vec<u32> = children.live.values().map(|live| live.index).collect();
    open.extend(&children.passed);
    open.extend(&children.again);
    // What was put off and looked at waits where it was passed over, or by itself.
    let waits = |index: &u32| {
        let key = &children.put_off[index].key;
        let has_lane = children.live.contains_key(key);
        *index < children.next && !has_lane && !children.passed.contains(index)
    };
    let put_off = children.put_off.keys().filter(|index| waits(index));
    open.extend(put_off.copied());
    let distinct: BTreeSet<_> = open.iter().collect();
    must(distinct.len() == open.len(), || {
        "an item is in two places".to_owned()
    })?;
    let ended = children.tally.total() as usize;
    must(ended + open.len() == children.next as usize, || {
        format!(
            "{ended} ended, {} open, {} looked at",
            open.len(),
            children.next
        )
    })?;
    let in_wave = children.wave_tally.total();
    must(in_wave <= children.tally.total(), || {
        "more in the wave than in all".to_owned()
    })
}

fn each_of<'a>(definition: &'a Definition, lane: &Lane) -> Option<&'a Each> {
    let program = definition.program(0)?;
    match &lane.step(program)?.verb {
        Verb::Spawn(Spawn::Each(each)) => Some(each),
        _ => None,
    }
}

pub fn room_was_there(definition: &Definition, lane: &Lane) -> Verdict {
    let (Some(children), Some(each)) = (lane.children.as_deref(), each_of(definition, lane)) else {
        return Ok(());
    };
    if children.kind != ChildrenKind::Each {
        return Ok(());
    }
    let limit = children_at_once(&each.at_once, children) as usize;
    must(children.live.len() <= limit, || {
        format!("{} live where {limit} may", children.live.len())
    })?;
    for per in &each.at_once.per {
        let most = per_group(children, &per.attribute);
        must(most <= per.limit as usize, || {
            format!("{most} live in one {}", per.attribute)
        })?;
    }
    Ok(())
}

fn per_group(children: &Children, attribute: &str) -> usize {
    let prefix = format!("{attribute}=");
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for group in children.live.values().flat_map(|live| &live.groups) {
        if group.starts_with(&prefix) {
            *counted.entry(group).or_default() += 1;
        }
    }
    counted.into_values().max().unwrap_or(0)
}
