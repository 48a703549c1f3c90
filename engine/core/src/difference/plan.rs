//! Two plans: what an approval of the one does not cover in the other.
//!
//! Not here: what else a runbook's digest stands for (`runbook`).

use super::{About, Difference, fields};
use crate::directory::Chosen;
use crate::id::Digest;
use crate::plan::{Plan, Route, WindowRule};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What an approval of one plan does not cover in another. Who started it, when, and as which run is no
/// difference: every run has its own. Two plans that are told apart by anything else have at least one.
#[must_use]
pub fn plans(old: &Plan, new: &Plan) -> Vec<Difference> {
    let mut found = Vec::new();
    fields(&old.inputs, &new.inputs, About::Input, None, &mut found);
    targets(old, new, &mut found);
    routes("", &realm(old), &realm(new), &mut found);
    let (was, is) = (&old.connections, &new.connections);
    digests(About::Connection, was, is, &mut found);
    let limit = |limit: &u32| json!(limit);
    each(About::Limit, &old.limits, &new.limits, limit, &mut found);
    digests(About::Plugin, &old.plugins, &new.plugins, &mut found);
    found.extend(runbook(old, new));
    digests(About::Runbook, &old.calls, &new.calls, &mut found);
    let rule = |rule: &WindowRule| json!(rule.to_string());
    each(About::Window, &old.windows, &new.windows, rule, &mut found);
    chosen(old, new, &mut found);
    if old.policies != new.policies {
        let digest = |digest: Option<Digest>| json!(digest.map(|digest| digest.short()));
        let (was, is) = (digest(old.policies), digest(new.policies));
        found.push(Difference::new(About::Policies, "", was, is));
    }
    let cents = |cents: &u64| json!(cents);
    each(About::Spend, &old.spend, &new.spend, cents, &mut found);
    if old.requester_owns != new.requester_owns {
        let (was, is) = (json!(old.requester_owns), json!(new.requester_owns));
        found.push(Difference::new(About::Ownership, "", was, is));
    }
    found
}

/// The same value that stands for something else now; another value is told as an input.
fn chosen(old: &Plan, new: &Plan, found: &mut Vec<Difference>) {
    let names: BTreeSet<&String> = old.chosen.keys().chain(new.chosen.keys()).collect();
    for name in names {
        let (was, is) = (old.chosen.get(name), new.chosen.get(name));
        let same_input = old.inputs.get(name) == new.inputs.get(name);
        if was != is && same_input {
            let said =
                |chosen: Option<&Chosen>| json!(chosen.map(|chosen| chosen.choice.to_string()));
            found.push(Difference::new(About::Choice, name, said(was), said(is)));
        }
    }
}

/// Assets that came or went, then what else is said of those that stay.
fn targets(old: &Plan, new: &Plan, found: &mut Vec<Difference>) {
    let there = |plan: &Plan, id: &String| match plan.assets.contains_key(id) {
        true => Value::Bool(true),
        false => Value::Null,
    };
    let names: BTreeSet<&String> = old.assets.keys().chain(new.assets.keys()).collect();
    let stays = |id: &&&String| old.assets.contains_key(**id) && new.assets.contains_key(**id);
    let others = names.iter().filter(|id| !stays(id));
    let exchanged =
        |id: &&String| Difference::new(About::Target, id, there(old, id), there(new, id));
    found.extend(others.map(exchanged));
    for id in names.iter().filter(stays) {
        let (was, is) = (&old.assets[*id], &new.assets[*id]);
        fields(was, is, About::Asset, Some(id), found);
        routes(id, &reached(old, id), &reached(new, id), found);
    }
}

fn runbook(old: &Plan, new: &Plan) -> Option<Difference> {
    let pinned = |plan: &Plan| {
        let (runbook, version) = (&plan.runbook, plan.version);
        format!("{runbook}@{version} {}", plan.definition.short())
    };
    if old.definition == new.definition && pinned(old) == pinned(new) {
        return None;
    }
    let (was, is) = (json!(pinned(old)), json!(pinned(new)));
    Some(Difference::new(About::Runbook, &new.runbook, was, is))
}

/// Entries of two maps that are not the same.
fn each<T: PartialEq>(
    about: About,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    say: impl Fn(&T) -> Value,
    found: &mut Vec<Difference>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was != is {
            let say = |value: Option<&T>| value.map_or(Value::Null, &say);
            found.push(Difference::new(about, name, say(was), say(is)));
        }
    }
}

fn digests(
    about: About,
    old: &BTreeMap<String, Digest>,
    new: &BTreeMap<String, Digest>,
    found: &mut Vec<Difference>,
) {
    each(about, old, new, |digest| json!(digest.short()), found);
}

/// An asset's routes by contract, without what they only repeat of its record.
fn reached(plan: &Plan, asset: &str) -> BTreeMap<String, Value> {
    let record = plan.assets.get(asset).unwrap_or(&Value::Null);
    let bare = |route: &Route| {
        let mut route = json!(route);
        if let Some(fields) = route.as_object_mut() {
            fields.retain(|name, value| record.get(name) != Some(value));
        }
        route
    };
    let routes = plan.routes.get(asset).into_iter().flatten();
    routes
        .map(|(contract, route)| (contract.clone(), bare(route)))
        .collect()
}

/// The realm's own routes by contract.
fn realm(plan: &Plan) -> BTreeMap<String, Value> {
    let routes = plan.ambient.iter();
    // Plain data with string keys always serialises.
    routes
        .map(|(contract, route)| (contract.clone(), json!(route)))
        .collect()
}

/// Routes of one asset (or, without a name, of the realm), by contract.
fn routes(
    asset: &str,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
    found: &mut Vec<Difference>,
) {
    let contracts: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for contract in contracts {
        let name = format!("{asset} {contract}");
        let (was, is) = (old.get(contract), new.get(contract));
        let (was, is) = (was.unwrap_or(&Value::Null), is.unwrap_or(&Value::Null));
        fields(was, is, About::Route, Some(name.trim_start()), found);
    }
}
