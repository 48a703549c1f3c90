//! What has changed since somebody looked: named for whoever decides on what they saw before, and for whoever runs
//! something again.
//!
//! Not here: whether a decision counts (core), and what counts as a difference (core).

use crate::Api;
use crate::authorize::Subject;
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use hostler_core::command::Command;
use hostler_core::difference::{self, About, Difference};
use hostler_core::id::Digest;
use hostler_core::lane::Phase;
use hostler_core::plan::Plan;
use serde_json::Value;

/// Most differences that one answer lists.
const LISTED_MAX: usize = 200;

/// A refusal because of `changed` that says what did. Only the staff hear it: the one plan may name servers and
/// customers that are no business of whoever may see the other.
pub(super) async fn explained(
    api: &Api,
    subject: &Subject,
    reading: &Reading,
    command: &Command,
    problem: Problem,
) -> Problem {
    if problem.code != Code::Changed || !subject.is_staff() {
        return problem;
    }
    let Some(signs) = signs(command) else {
        return problem;
    };
    // What was looked at may have left the store with its run: then nobody can say.
    let Ok(found) = since_shown(api, reading, signs).await else {
        return problem;
    };
    if found.is_empty() {
        return problem;
    }
    let detail = format!(
        "{}; what changed: {}",
        problem.detail,
        difference::sentence(&found)
    );
    let listed: Vec<String> = found
        .iter()
        .take(LISTED_MAX)
        .map(ToString::to_string)
        .collect();
    Problem { detail, ..problem }.with("differences", listed)
}

fn signs(command: &Command) -> Option<Digest> {
    match command {
        Command::Decide { signs, .. } | Command::Answer { signs, .. } => Some(*signs),
        Command::Choose { signs, .. } => *signs,
        _ => None,
    }
}

/// From the display that a decision names to what the lane asks now.
async fn since_shown(
    api: &Api,
    reading: &Reading,
    signs: Digest,
) -> Result<Vec<Difference>, Problem> {
    let Phase::Person(person) = &reading.lane.phase else {
        return Ok(Vec::new());
    };
    let old: Value = read::blob(api, "display", signs).await?;
    let covers = old.get("covers").and_then(Value::as_str);
    let Some(covers) = covers.and_then(|text| text.parse::<Digest>().ok()) else {
        return Ok(Vec::new());
    };
    let was = read::plan(api, covers).await?;
    let is = read::plan(api, reading.lane.opening.plan).await?;
    let mut found = plans(api, &was, &is).await;
    if let Some(shown) = person.shown {
        let new: Value = read::blob(api, "display", shown).await?;
        found.extend(difference::displays(&old, &new));
    }
    Ok(found)
}

/// Two plans, and of their runbooks which notices differ.
pub(super) async fn plans(api: &Api, old: &Plan, new: &Plan) -> Vec<Difference> {
    let mut found = difference::plans(old, new);
    if old.definition == new.definition {
        return found;
    }
    let was = read::definition(api, old.definition).await;
    let is = read::definition(api, new.definition).await;
    if let (Ok(was), Ok(is)) = (was, is)
        && let Some(place) = found.iter().position(|one| one.about == About::Runbook)
    {
        found.splice(place..=place, difference::definitions(&was, &is));
    }
    found
}
