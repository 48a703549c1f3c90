//! What was signed for one asset against what the estate says of it today.
//!
//! Not here: gates that are judged by the estate of today alone (windows, freezes, promises of policies).

use super::{About, Difference};
use crate::directory::{Chosen, Connection, Directory, List};
use crate::id::Digest;
use crate::plan::{Plan, Route, WindowRule};
use serde_json::{Value, json};

/// Said instead of a customer's name: what is told of an asset is told to its customer too, who never hears of another.
pub const ANOTHER: &str = "another customer";

/// How an asset is no longer what it was when the plan was made, as far as a call of this contract depends on it:
/// its customer, its window and when that opens, its address and host key, the route and what stands behind it.
/// Without an asset: the realm's own route. What a plan from before this was kept does not say is not compared.
#[must_use]
pub fn since(
    plan: &Plan,
    asset: Option<&str>,
    contract: &str,
    present: &dyn Directory,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(asset) = asset {
        let Some(record) = present.asset(asset) else {
            let (was, is) = (json!("in the estate"), json!("gone"));
            return vec![Difference::new(About::Asset, asset, was, is)];
        };
        let signed = plan.assets.get(asset).unwrap_or(&Value::Null);
        of_record(plan, asset, signed, &record, present, &mut found);
    }
    of_route(plan, asset, contract, present, &mut found);
    found
}

/// What was chosen from a catalog and is gone from it, or stands for something else there. What else a catalog says is
/// no difference. Neither is what becomes of a trigger: it was the reason to begin, and is asked of a start alone.
#[must_use]
pub fn choices(plan: &Plan, present: &dyn Directory) -> Vec<Difference> {
    let differs = plan.chosen.iter().filter_map(|(input, was)| {
        if matches!(was.from, List::Triggers(_)) {
            return None;
        }
        let is = Chosen::of(present, &was.from, &was.choice.id);
        if is.as_ref() == Some(was) {
            return None;
        }
        let (was, is) = (&was.choice, is.map(|chosen| chosen.choice.to_string()));
        Some(Difference::new(
            About::Choice,
            input,
            json!(was.to_string()),
            json!(is),
        ))
    });
    differs.collect()
}

fn of_record(
    plan: &Plan,
    asset: &str,
    signed: &Value,
    record: &Value,
    present: &dyn Directory,
    found: &mut Vec<Difference>,
) {
    for field in ["customer", "window", "address", "host_key"] {
        let value = |record: &Value| record.get(field).cloned().unwrap_or(Value::Null);
        let (was, is) = (value(signed), value(record));
        // A call goes where the plan says. Where the plan knew no address and no host key, what is known now is
        // not used by anything that will happen. A window that is new would decide when it happens: that differs.
        let unused = was.is_null() && ["address", "host_key"].contains(&field);
        if was == is || unused {
            continue;
        }
        let is = if field == "customer" {
            json!(ANOTHER)
        } else {
            is
        };
        found.push(Difference::new(About::Asset, asset, was, is).at(field));
    }
    let Some(window) = signed.get("window").and_then(Value::as_str) else {
        return;
    };
    if let Some(was) = plan.windows.get(window)
        && record.get("window").and_then(Value::as_str) == Some(window)
    {
        let is = WindowRule::of(present, window);
        if is.as_ref() != Some(was) {
            let said = |rule: Option<&WindowRule>| json!(rule.map(ToString::to_string));
            found.push(Difference::new(
                About::Window,
                window,
                said(Some(was)),
                said(is.as_ref()),
            ));
        }
    }
}

fn of_route(
    plan: &Plan,
    asset: Option<&str>,
    contract: &str,
    present: &dyn Directory,
    found: &mut Vec<Difference>,
) {
    let Some(signed) = plan.route(asset, contract) else {
        return;
    };
    // Older plans do not name what stands behind their routes; the realm's own was not compared then either.
    let names_connections = plan.connections.contains_key(&signed.connection);
    if asset.is_none() && !names_connections {
        return;
    }
    let name = format!("{} {contract}", asset.unwrap_or_default());
    let name = name.trim_start();
    let Some(route) = present.route(asset, contract) else {
        let was = json!(signed.connection);
        return found.push(Difference::new(About::Route, name, was, Value::Null));
    };
    // Address and host key are the asset's.
    let said = |route: &Route| {
        let Route {
            connection,
            plugin,
            reference,
            handles,
            ..
        } = route;
        json!({ "connection": connection, "plugin": plugin, "ref": reference, "handles": handles })
    };
    super::fields(
        &said(signed),
        &said(&route),
        About::Route,
        Some(name),
        found,
    );
    for connection in std::iter::once(&signed.connection).chain(signed.handles.values()) {
        let Some(was) = plan.connections.get(connection) else {
            continue;
        };
        let is = present
            .connection(connection)
            .map(|connection| connection.digest());
        if is != Some(*was) {
            let (was, is) = (json!(was.short()), json!(is.map(|digest| digest.short())));
            found.push(Difference::new(About::Connection, connection, was, is));
        }
    }
}

impl Connection {
    /// Digest of what stands behind it and how it is signed in to; how hard it may be used is left out. Secrets
    /// are references here, so a renewed password is no difference.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Self {
            name,
            plugin,
            reach,
            handles,
            limits: _,
        } = self;
        let said = json!({ "name": name, "plugin": plugin, "reach": reach, "handles": handles });
        Digest::of(said.to_string().as_bytes())
    }
}
