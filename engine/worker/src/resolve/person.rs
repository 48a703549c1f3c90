//! Whom a step asks, what they are shown, what their decision signs.

use super::{Fault, Outcome, Resolved, debt, offer, rules};
use crate::Trouble;
use crate::scope::{View, asset_of};
use hostler_core::command::{AskEntry, Entry};
use hostler_core::definition::{Approve, Ask, OnDeny, Who};
use hostler_core::expression::Expression;
use hostler_core::id::Digest;
use hostler_core::lane::{Clause, PersonKind, Rules, StepUp};
use hostler_ports::store::Blob;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Largest display in bytes of JSON.
const SHOWN_MAX_BYTES: usize = 4 * 1024 * 1024;

pub async fn approve(view: &View<'_>, approve: &Approve) -> Outcome<Resolved> {
    if let Some(condition) = &approve.condition
        && view.evaluate(condition).await? == Value::Bool(false)
    {
        return Ok(Entry::Skip.into());
    }
    let (ask, blob) = approval(view, approve, PersonKind::Approve).await?;
    Ok(Resolved {
        entry: Entry::Person(Box::new(ask)),
        blobs: vec![blob],
    })
}

/// The gate behind a wave: none when its condition is false. `wave` must be in the lane's scope.
pub async fn resolve_gate(
    view: &View<'_>,
    approve: &Approve,
) -> Result<(Option<Box<AskEntry>>, Vec<Blob>), Trouble> {
    let outcome = async {
        if let Some(condition) = &approve.condition
            && view.evaluate(condition).await? == Value::Bool(false)
        {
            return Ok((None, Vec::new()));
        }
        let (ask, blob) = approval(view, approve, PersonKind::WaveGate).await?;
        Ok((Some(Box::new(ask)), vec![blob]))
    };
    match outcome.await {
        Ok(gate) => Ok(gate),
        Err(Fault::Worker(trouble)) => Err(trouble),
        // A gate that cannot be evaluated stays shut: operators are asked with the reason.
        Err(Fault::Step(reason)) => Ok((Some(Box::new(shut(view, reason))), Vec::new())),
    }
}

fn shut(view: &View<'_>, reason: String) -> AskEntry {
    AskEntry {
        kind: PersonKind::WaveGate,
        title: format!("The gate could not be evaluated: {reason}"),
        clauses: vec![Clause {
            any_of: vec!["role:operator".to_owned()],
            at_least: 1,
        }],
        quorum: 1,
        form: Value::Null,
        shown: None,
        signs: Digest::of(format!("{}:{reason}", view.lane.opening.plan).as_bytes()),
        excluded: Vec::new(),
        expires_ms: None,
        on_expire: hostler_core::definition::OnExpire::Deny,
        on_deny: OnDeny::Stop,
        rules: Rules {
            step_up: step_up(view),
            ..Rules::default()
        },
        debt: None,
    }
}

/// What a yes must be proved by, as the policies say today of work of this run's class.
fn step_up(view: &View<'_>) -> Option<StepUp> {
    let class = &view.definition.policy.class;
    view.driver.parts.directory.step_up(class)
}

async fn approval(
    view: &View<'_>,
    approve: &Approve,
    kind: PersonKind,
) -> Outcome<(AskEntry, Blob)> {
    let title = match &approve.title {
        Some(title) => view.text(title).await?,
        None => title_of(view, kind),
    };
    let (mut own, mut more) = rules::displayed(view, &approve.rules).await?;
    own.step_up = step_up(view);
    if let Some(by) = own.step_up {
        more.insert("step_up".to_owned(), json!(by));
    }
    let blob = shown(view, &title, approve.say.as_deref(), &approve.show, more).await?;
    let four_eyes = view.definition.policy.four_eyes;
    let clauses = clauses(view, &approve.who).await?;
    let ask = AskEntry {
        kind,
        rules: rules::timed(view, &approve.rules, &clauses, own, &title)?,
        title,
        expires_ms: rules::expires(view, approve.expires_ms, &approve.rules, &clauses)?,
        clauses,
        quorum: approve.quorum,
        form: Value::Null,
        shown: Some(blob.digest),
        signs: blob.digest,
        excluded: if four_eyes {
            vec![view.plan.starter.who.clone()]
        } else {
            Vec::new()
        },
        on_expire: approve.on_expire,
        on_deny: approve.on_deny,
        debt: None,
    };
    Ok((ask, blob))
}

pub async fn ask(view: &View<'_>, ask: &Ask) -> Outcome<Resolved> {
    let title = match &ask.title {
        Some(title) => view.text(title).await?,
        None => title_of(view, PersonKind::Ask),
    };
    let (own, mut more) = rules::displayed(view, &ask.rules).await?;
    let (form, choices) = offer::offered(view, &ask.form).await?;
    more.extend(choices);
    let blob = shown(view, &title, None, &ask.show, more).await?;
    let clauses = clauses(view, &ask.who).await?;
    let expires_ms = rules::expires(view, ask.expires_ms, &ask.rules, &clauses)?;
    let debt = match &ask.debt {
        Some(owing) => Some(debt::owed(view, owing, &title, expires_ms).await?),
        None => None,
    };
    let entry = AskEntry {
        kind: PersonKind::Ask,
        rules: rules::timed(view, &ask.rules, &clauses, own, &title)?,
        title,
        expires_ms,
        clauses,
        quorum: 1,
        form,
        shown: Some(blob.digest),
        signs: blob.digest,
        excluded: Vec::new(),
        on_expire: ask.on_expire,
        on_deny: OnDeny::Stop,
        debt,
    };
    Ok(Resolved {
        entry: Entry::Person(Box::new(entry)),
        blobs: vec![blob],
    })
}

fn title_of(view: &View<'_>, kind: PersonKind) -> String {
    let program = view.program();
    let step = program.as_deref().and_then(|program| view.step(program));
    let step = step.map_or("step", |step| step.name.as_deref().unwrap_or(&step.id));
    match kind {
        PersonKind::WaveGate => format!("{}: go on after the wave?", view.definition.title),
        _ => format!("{}: {step}", view.definition.title),
    }
}

/// What is displayed. Its digest is what a decision names: everything that people see, and (`covers`) the plan, which is
/// everything that will run.
pub(super) async fn shown(
    view: &View<'_>,
    title: &str,
    say: Option<&str>,
    show: &[Expression],
    more: Map<String, Value>,
) -> Outcome<Blob> {
    let mut values = Map::new();
    let mut plan = Value::Null;
    for expression in show {
        match expression.0.as_str() {
            "plan" => plan = overview(view),
            text => {
                values.insert(text.to_owned(), view.evaluate(expression).await?);
            }
        }
    }
    // With its run, also where no plan is shown: it is nobody else's, and leaves with it.
    let run = view.lane.opening.run;
    let covers = view.lane.opening.plan;
    let mut display = json!({
        "run": run, "covers": covers, "title": title, "say": say, "show": values, "plan": plan,
    });
    if let Value::Object(display) = &mut display {
        display.extend(more);
    }
    let bytes = display.to_string().into_bytes();
    if bytes.len() > SHOWN_MAX_BYTES {
        return Err(Fault::Step(format!(
            "what is shown has {} bytes; {SHOWN_MAX_BYTES} is the limit",
            bytes.len()
        )));
    }
    Ok(Blob {
        digest: Digest::of(&bytes),
        bytes,
    })
}

/// The plan as people read it.
fn overview(view: &View<'_>) -> Value {
    let plan = &view.plan;
    let windows = plan.windows.iter();
    let windows = windows.map(|(name, rule)| (name.as_str(), rule.to_string()));
    let mut overview = json!({
        "runbook": plan.runbook,
        "version": plan.version,
        "definition": plan.definition,
        "plan": view.lane.opening.plan,
        "started_by": plan.starter.who,
        "reason": plan.starter.reason,
        "inputs": plan.inputs,
        "targets": plan.assets.keys().collect::<Vec<_>>(),
        "plugins": plan.plugins,
        "hand_offs": plan.hand_offs,
        "windows": windows.collect::<BTreeMap<_, _>>(),
        "policies": plan.policies,
    });
    if !plan.chosen.is_empty() {
        overview["chosen"] = json!(plan.chosen);
    }
    // Of the run itself: a runbook that it calls has inputs of its own.
    if view.lane.opening.definition == plan.definition {
        let evaluate = &*view.driver.parts.evaluate;
        let waves = view.definition.wave_lines(evaluate, &plan.inputs);
        if !waves.is_empty() {
            overview["waves"] = json!(waves);
        }
    }
    overview
}

async fn clauses(view: &View<'_>, who: &Who) -> Outcome<Vec<Clause>> {
    let mut clauses = Vec::new();
    for clause in &who.clauses {
        let text = view.text(&clause.who).await?;
        clauses.push(Clause {
            any_of: vec![qualification(view, &text).await?],
            at_least: clause.at_least,
        });
    }
    Ok(clauses)
}

/// `role:x` stays; `customer` and `owner-of:inputs.asset` become the one meant here; a bare id is
/// a person.
pub async fn qualification(view: &View<'_>, text: &str) -> Outcome<String> {
    match text.split_once(':') {
        Some(("owner-of" | "budget-of" | "head-of", path)) if path.starts_with("inputs.") => {
            let value = view.evaluate(&Expression(path.to_owned())).await?;
            let id = value
                .get("id")
                .unwrap_or(&value)
                .as_str()
                .map(str::to_owned);
            let id = id.ok_or_else(|| Fault::Step(format!("{path} names nobody's property")))?;
            Ok(format!(
                "{}:{id}",
                text.split(':').next().unwrap_or_default()
            ))
        }
        Some(_) => Ok(text.to_owned()),
        None if text == "customer" => customer(view),
        None => Ok(format!("person:{text}")),
    }
}

fn customer(view: &View<'_>) -> Outcome<String> {
    let by_asset = asset_of(view.lane, &view.plan).and_then(|id| {
        view.plan
            .assets
            .get(&id)?
            .get("customer")?
            .as_str()
            .map(str::to_owned)
    });
    let given = || {
        view.plan
            .inputs
            .get("customer")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    by_asset
        .or_else(given)
        .map(|id| format!("customer:{id}"))
        .ok_or_else(|| {
            Fault::Step(
                "no customer is meant here: the run has neither asset nor customer".to_owned(),
            )
        })
}
