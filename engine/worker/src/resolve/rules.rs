//! What stands around a question: until when it is open, its ladder, its reminders, what a yes must type, what
//! is agreed to. Worked out once, when it is asked, and recorded.
//!
//! Not here: whom it asks (`person`), and what becomes of it (core).

use super::{Fault, Outcome, must};
use crate::scope::{View, instant_text};
use hostler_core::definition::{After, AskRules};
use hostler_core::id::Digest;
use hostler_core::lane::{Clause, Climb, Remind, Rules};
use serde_json::{Map, Value, json};

/// Largest name that is typed back, in bytes.
const TYPED_MAX_BYTES: usize = 200;

/// What is displayed beside what the runbook shows: all of it is signed. Nothing for a question without rules.
pub async fn displayed(view: &View<'_>, rules: &AskRules) -> Outcome<(Rules, Map<String, Value>)> {
    let mut shown = Map::new();
    let mut own = Rules {
        may_waive: rules.may_waive.clone(),
        finish: rules.finish.clone(),
        must: must::kept(view, &rules.must).await?,
        ..Rules::default()
    };
    if !rules.may_waive.is_empty() {
        shown.insert("may_waive".to_owned(), json!(rules.may_waive));
    }
    if !rules.terms.is_empty() {
        let terms: Outcome<Vec<Value>> = rules.terms.iter().map(|name| term(view, name)).collect();
        shown.insert("terms".to_owned(), Value::Array(terms?));
    }
    if let Some(typed) = &rules.typed {
        let text = view.text(typed).await?;
        if text.is_empty() || text == "null" || text.len() > TYPED_MAX_BYTES {
            let why =
                format!("what must be typed has 1 to {TYPED_MAX_BYTES} bytes; it is `{text}`");
            return Err(Fault::Step(why));
        }
        shown.insert("typed".to_owned(), Value::String(text.clone()));
        own.typed = Some(text);
    }
    if let Some(ladder) = &rules.ladder {
        shown.insert("ladder".to_owned(), json!(ladder));
    }
    Ok((own, shown))
}

/// A text with its digest: another text is another question.
fn term(view: &View<'_>, name: &str) -> Outcome<Value> {
    let text = view.driver.parts.directory.text(name).ok_or_else(|| {
        Fault::Step(format!(
            "the policies have no text `{name}`; add it to texts.yaml of the policies"
        ))
    })?;
    let digest = Digest::of(text.as_bytes());
    Ok(json!({ "name": name, "text": text, "digest": digest }))
}

/// Ladder and reminders of a question to these people, with their instants.
pub fn timed(
    view: &View<'_>,
    rules: &AskRules,
    clauses: &[Clause],
    own: Rules,
    title: &str,
) -> Outcome<Rules> {
    let ladder = match &rules.ladder {
        Some(name) => Some(climb(view, name, clauses)?),
        None => None,
    };
    let instants = rules
        .remind
        .iter()
        .map(|after| instant(view, *after, clauses));
    let mut at_ms = instants.collect::<Outcome<Vec<i64>>>()?;
    at_ms.sort_unstable();
    at_ms.dedup();
    let about = json!({ "title": title, "asked": instant_text(view.now_ms) });
    let remind = (!at_ms.is_empty()).then_some(Remind {
        at_ms,
        done: 0,
        about,
    });
    Ok(Rules {
        ladder,
        remind,
        ..own
    })
}

fn climb(view: &View<'_>, name: &str, clauses: &[Clause]) -> Outcome<Climb> {
    let customer = customer(view, clauses);
    let directory = &view.driver.parts.directory;
    let climb = directory.ladder(name, customer.as_deref(), view.now_ms);
    let climb = climb.ok_or_else(|| {
        Fault::Step(format!(
            "the policies have no ladder `{name}`; add it to ladders.yaml of the policies"
        ))
    })?;
    let empty = climb.rungs.iter().position(|rung| rung.asks.is_empty());
    match empty {
        Some(at) => Err(Fault::Step(format!(
            "rung {} of the ladder `{name}` asks nobody: it names people of a customer, and {}",
            at + 1,
            customer.map_or_else(
                || "no customer is asked here".to_owned(),
                |customer| format!("{customer} has none in that role"),
            )
        ))),
        None => Ok(climb),
    }
}

/// The instant so long after now, in the days of whoever is asked.
fn instant(view: &View<'_>, after: After, clauses: &[Clause]) -> Outcome<i64> {
    let days = match after {
        After::Ms(ms) => return Ok(view.now_ms.saturating_add_unsigned(ms)),
        After::BusinessDays(days) => days,
    };
    let customer = customer(view, clauses);
    let directory = &view.driver.parts.directory;
    let then = directory.business_days_after(customer.as_deref(), days, view.now_ms);
    then.ok_or_else(|| {
        let whose = customer.unwrap_or_else(|| "the realm".to_owned());
        Fault::Step(format!(
            "the calendar of {whose} has no {days} business days from now on; add its next year, or write calendar days"
        ))
    })
}

/// When nobody can answer any more; none: never.
pub fn expires(
    view: &View<'_>,
    expires_ms: Option<u64>,
    rules: &AskRules,
    clauses: &[Clause],
) -> Outcome<Option<i64>> {
    let days = rules.expires_business_days.map(After::BusinessDays);
    let after = expires_ms.map(After::Ms).or(days);
    after.map(|after| instant(view, after, clauses)).transpose()
}

/// The customer whose people are asked; none: staff are.
fn customer(view: &View<'_>, clauses: &[Clause]) -> Option<String> {
    let mut asked = clauses.iter().flat_map(|clause| &clause.any_of);
    asked.find_map(|who| {
        let (kind, id) = who.split_once(':')?;
        match kind {
            "customer" => Some(id.to_owned()),
            "owner-of" | "budget-of" | "head-of" => Some(owner(view, id)),
            _ => None,
        }
    })
}

/// Of an asset its customer; what is no asset is a customer.
fn owner(view: &View<'_>, id: &str) -> String {
    let known = view.plan.assets.get(id).cloned();
    let asset = known.or_else(|| view.driver.parts.directory.asset(id));
    let customer = asset.and_then(|asset| Some(asset.get("customer")?.as_str()?.to_owned()));
    customer.unwrap_or_else(|| id.to_owned())
}
