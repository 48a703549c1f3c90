//! The word that a lease ends soon: who hears it, and what it says.
//!
//! Not here: when it is due (the lane's own steps), and the words (the channel).

use super::action::asset_meant;
use super::{Fault, Outcome};
use crate::scope::{View, instant_text};
use hostler_core::command::Entry;
use hostler_core::definition::Notify;
use hostler_core::lease::{ended_by, ends_ms};
use hostler_core::mail::LEASE_ENDS;
use hostler_core::sight::Sight;
use serde_json::{Value, json};

/// Who is told where neither the runbook's owner nor the starter is anybody.
const OPERATORS: &str = "role:operator";

/// None: it is another message.
pub async fn ends(view: &View<'_>, notify: &Notify) -> Outcome<Option<Entry>> {
    let ended = ended_by(view.lane, &view.definition);
    let Some((opener, lease)) = ended.filter(|_| notify.template == LEASE_ENDS) else {
        return Ok(None);
    };
    let asset = match asset_meant(view, &lease.end.action).await {
        Ok(asset) => asset,
        Err(Fault::Worker(trouble)) => return Err(Fault::Worker(trouble)),
        // Whoever owns it hears of it all the same.
        Err(Fault::Step(_)) => None,
    };
    let name = |id: &String| view.plan.assets.get(id)?.get("name").cloned();
    let about = json!({
        "step": opener.id,
        "what": opener.name.as_deref().unwrap_or(&opener.id),
        "name": asset.as_ref().and_then(name),
        "asset": asset,
        "action": lease.end.action.action,
        "blocks": lease.blocks,
        "ends": instant_text(ends_ms(view.lane, lease)),
    });
    let asset = about.get("asset").and_then(Value::as_str);
    let template = notify.template.clone();
    let to = vec![owners(view, asset)];
    Ok(Some(Entry::Notify {
        template,
        to,
        about,
    }))
}

/// The people of the runbook's owner, else whoever started the run, else operators; never somebody who must not know
/// of the asset.
fn owners(view: &View<'_>, asset: Option<&str>) -> String {
    let directory = &*view.driver.parts.directory;
    let role = format!("role:{}", view.definition.owner);
    let starter = format!("person:{}", view.plan.starter.who);
    let hears = |to: &String| {
        let mut people = directory.people_with(to).into_iter();
        people.any(|person| asset.is_none_or(|asset| Sight::of(directory, &person).sees(asset)))
    };
    let mut who = [role, starter].into_iter();
    who.find(hears).unwrap_or_else(|| OPERATORS.to_owned())
}
