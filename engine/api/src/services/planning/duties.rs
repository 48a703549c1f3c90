//! Changes that are not the platform's: who does them, and what nobody does, before a run starts.
//!
//! Not here: handing a step over while the run works (worker).

use crate::problem::{Code, Problem};
use hostler_core::definition::{Definition, Program, Step, Verb};
use hostler_core::directory::Directory;
use hostler_core::duty::{HandOff, Owed, Work};
use std::collections::{BTreeMap, BTreeSet};

/// A change, as often as it stands in the runbooks in this way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    action: String,
    duty: Option<String>,
    class: String,
    needs_asset: bool,
}

/// What others do in a run over these assets.
///
/// # Errors
/// `duty-refused` for what nobody does, or nobody can be asked to do.
pub fn hand_offs(
    directory: &dyn Directory,
    definitions: &[&Definition],
    assets: &BTreeSet<String>,
    from_ms: i64,
) -> Result<Vec<HandOff>, Problem> {
    let mut found: BTreeMap<(String, String, String), u32> = BTreeMap::new();
    for change in changes(definitions) {
        let all = assets.iter().map(|asset| Some(asset.as_str()));
        let on: Vec<Option<&str>> = match change.needs_asset {
            true => all.collect(),
            false => vec![None],
        };
        for asset in on {
            let work = Work {
                action: &change.action,
                asset,
                duty: change.duty.as_deref(),
                class: &change.class,
                from_ms,
            };
            let Some(owed) = directory.owed(&work) else {
                continue;
            };
            can_be_asked(directory, &work, &owed)?;
            let key = (change.action.clone(), owed.by, owed.reason);
            *found.entry(key).or_default() += u32::from(asset.is_some());
        }
    }
    let hand_off = |((action, by, reason), assets)| HandOff {
        action,
        by,
        reason,
        assets,
    };
    Ok(found.into_iter().map(hand_off).collect())
}

fn can_be_asked(directory: &dyn Directory, work: &Work<'_>, owed: &Owed) -> Result<(), Problem> {
    let (action, on) = (work.action, work.asset.unwrap_or("the realm"));
    let Owed {
        by, reason, asks, ..
    } = owed;
    if owed.is_refused() {
        let detail = format!("{action} on {on} is not done here: {reason}");
        return Err(Problem::new(Code::DutyRefused, detail)
            .remedy("leave it out, or change the row in responsibilities.yaml of the policies"));
    }
    let anybody = |asked: &String| !directory.people_with(asked).is_empty();
    if !asks.iter().any(anybody) {
        let detail = format!("{action} on {on} is up to {by}, and nobody can be asked: {reason}");
        return Err(Problem::new(Code::DutyRefused, detail).remedy(
            "give somebody the role in the estate's people, or in roles.yaml of the policies",
        ));
    }
    Ok(())
}

/// All changes of these definitions, undo steps and ends of leases included.
fn changes(definitions: &[&Definition]) -> BTreeSet<Change> {
    let mut found = BTreeSet::new();
    for definition in definitions {
        for step in definition.programs.iter().flat_map(steps) {
            let class = &definition.policy.class;
            note(&mut found, step, class);
            for undo in &step.undo {
                note(&mut found, undo, class);
            }
        }
    }
    found
}

fn steps(program: &Program) -> impl Iterator<Item = &Step> {
    program.steps.iter().chain(&program.always)
}

fn note(found: &mut BTreeSet<Change>, step: &Step, class: &str) {
    let Verb::Do(action) = &step.verb else {
        return;
    };
    if action.effect.mutates() {
        found.insert(Change {
            action: action.action.clone(),
            duty: step.duty.clone(),
            class: class.to_owned(),
            needs_asset: action.needs_asset,
        });
    }
}
