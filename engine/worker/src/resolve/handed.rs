//! A change that somebody else owes is handed to them: a question with a deadline where the call would be.
//!
//! What they answer is the step's output, so an output that only a plugin gives is missing behind it. Not here: the
//! rows that say who owes what (estate), and telling people before the run starts (api).

use super::action::Meant;
use super::{Fault, Outcome, Resolved, person};
use crate::scope::View;
use hostler_core::command::{AskEntry, Entry};
use hostler_core::definition::{Do, OnDeny, OnExpire, Step};
use hostler_core::duty::{Owed, Work};
use hostler_core::lane::{Clause, PersonKind, Rules};
use serde_json::{Map, Value, json};

/// Longest account of what was done, in characters.
const DONE_MAX_CHARS: u32 = 2_000;

/// The question that stands in for a call. None: the platform does it.
pub async fn off(
    view: &View<'_>,
    step: &Step,
    action: &Do,
    meant: &Meant,
) -> Outcome<Option<Resolved>> {
    if !action.effect.mutates() {
        return Ok(None);
    }
    let work = Work {
        action: &action.action,
        asset: meant.asset.as_deref(),
        duty: step.duty.as_deref(),
        class: &view.definition.policy.class,
        from_ms: view.now_ms,
    };
    let Some(owed) = view.driver.parts.directory.owed(&work) else {
        return Ok(None);
    };
    if owed.is_refused() || owed.asks.is_empty() {
        return Err(Fault::Step(not_done(&work, &owed)));
    }
    question(view, step, action, meant, owed).await.map(Some)
}

fn not_done(work: &Work<'_>, owed: &Owed) -> String {
    let Work { action, .. } = work;
    let on = work.asset.unwrap_or("the realm");
    let Owed { by, reason, .. } = owed;
    match owed.is_refused() {
        true => format!("{action} on {on} is not done here: {reason}"),
        false => format!(
            "{action} on {on} is up to {by}, and nobody can be asked: {reason}; give somebody the role in the estate's files"
        ),
    }
}

async fn question(
    view: &View<'_>,
    step: &Step,
    action: &Do,
    meant: &Meant,
    owed: Owed,
) -> Outcome<Resolved> {
    let name = step.name.as_deref().unwrap_or(&step.id);
    let on = meant
        .asset
        .as_deref()
        .map_or(String::new(), |asset| format!(" on {asset}"));
    let title = format!("{}: {name}{on} is yours to do", view.definition.title);
    let more = json!({ "hand_off": {
        "action": action.action, "asset": meant.asset, "input": meant.input,
        "by": owed.by, "reason": owed.reason,
    } });
    let more = match more {
        Value::Object(more) => more,
        _ => Map::new(),
    };
    let blob = person::shown(view, &title, Some(&owed.reason), &[], more).await?;
    let entry = AskEntry {
        kind: PersonKind::Ask,
        title,
        clauses: vec![Clause {
            any_of: owed.asks,
            at_least: 1,
        }],
        quorum: 1,
        form: form(),
        shown: Some(blob.digest),
        signs: blob.digest,
        excluded: Vec::new(),
        expires_ms: owed.until_ms,
        on_expire: OnExpire::Deny,
        on_deny: OnDeny::Stop,
        debt: None,
        rules: Rules::default(),
    };
    Ok(Resolved {
        entry: Entry::Person(Box::new(entry)),
        blobs: vec![blob],
    })
}

fn form() -> Value {
    json!({
        "type": "object", "required": ["done"], "additionalProperties": false,
        "properties": { "done": {
            "type": "string", "minLength": 1, "maxLength": DONE_MAX_CHARS,
            "title": "What was done, and how it was checked",
        } },
    })
}
