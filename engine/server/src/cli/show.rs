//! Runs, plans and questions as text.

use crate::output::{Output, Rows};
use crate::times;
use hostler_api::services::consent_view::ConsentView;
use hostler_api::services::planning::{BudgetView, DeferView};
use hostler_api::services::runs::RunView;
use hostler_api::services::start::PlanView;
use hostler_core::budget::{Sum, length};
use hostler_core::view::{ChildrenRow, LaneRow, RunRow, WaveRow};
use serde_json::Value;
use std::fmt::Write as _;

/// Names of one line before the rest is counted.
const NAMED_MAX: usize = 8;
/// Longest value that is shown in a line.
const VALUE_MAX_CHARACTERS: usize = 300;

/// The first digits of an id, enough for people.
pub fn short(id: impl std::fmt::Display) -> String {
    id.to_string().chars().take(8).collect()
}

pub(super) fn named(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(NAMED_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

pub fn run_rows(out: &Output, runs: &[RunRow]) -> Rows {
    let mut rows = Rows::new(&[
        "run", "runbook", "state", "step", "targets", "started", "by", "note",
    ]);
    for run in runs {
        rows.add(vec![
            short(run.run),
            format!("{}@{}", run.runbook, run.version),
            out.state(&run.state),
            run.step.clone().unwrap_or_default(),
            run.targets.to_string(),
            times::local(run.started_ms),
            run.starter.clone(),
            run.note.clone().unwrap_or_default(),
        ]);
    }
    rows
}

/// The word for what a lane does.
pub fn lane_state(lane: &LaneRow) -> String {
    match (&lane.result, lane.paused) {
        (Some(result), _) => result.name().to_owned(),
        (None, true) => "paused".to_owned(),
        (None, false) if lane.phase == "person" => "waiting".to_owned(),
        (None, false) if lane.section == "undo" => "undoing".to_owned(),
        (None, false) => lane.phase.clone(),
    }
}

pub fn lane_rows(out: &Output, lanes: &[LaneRow]) -> Rows {
    let mut rows = Rows::new(&["of", "item", "wave", "state", "step", "done", "note"]);
    for lane in lanes {
        let done = lane
            .steps
            .values()
            .filter(|state| *state == "succeeded")
            .count();
        rows.add(vec![
            lane.of_step.clone().unwrap_or_default(),
            lane.key.clone().unwrap_or_default(),
            lane.wave.clone().unwrap_or_default(),
            out.state(&lane_state(lane)),
            lane.step
                .clone()
                .filter(|_| lane.result.is_none())
                .unwrap_or_default(),
            format!("{done}/{}", lane.steps.len()),
            lane.note.clone().unwrap_or_default(),
        ]);
    }
    rows
}

pub fn children(row: &ChildrenRow) -> String {
    let mut text = format!(
        "{} of {} ended, {} live, {} failed",
        row.ended, row.total, row.live, row.failed
    );
    if let Some(wave) = &row.wave {
        let _ = write!(text, ", wave {wave}");
    }
    for (does, at_ms) in [("opens", row.opens_ms), ("soaks until", row.soak_until_ms)] {
        if let Some(at_ms) = at_ms {
            let _ = write!(text, ", {does} {}", times::local(at_ms));
        }
    }
    if let Some(stopped) = &row.stopped {
        let _ = write!(text, ", stopped: {stopped}");
    }
    text
}

/// `rest (12): opens 2026-12-01 00:00:00, soaks 5d`.
fn wave_ahead(row: &WaveRow) -> String {
    let opens = row.opens_ms.map_or_else(
        || "opens when the wave before it is over".to_owned(),
        |opens_ms| format!("opens {}", times::local(opens_ms)),
    );
    let soaks = row
        .soak_ms
        .map(|soak_ms| format!(", soaks {}", length(soak_ms)));
    format!(
        "wave {} ({}): {opens}{}",
        row.wave,
        row.items,
        soaks.unwrap_or_default()
    )
}

pub fn run(out: &Output, view: &RunView, all: bool) -> String {
    let run = &view.run;
    let ended_ms = run.ended_ms.unwrap_or(view.now_ms);
    let mut text = format!(
        "{} {}@{}  {}\n  run     {}\n  started {} by {}{}\n  takes   {}\n  plan    {}\n",
        run.title,
        run.runbook,
        run.version,
        out.state(&run.state),
        run.run,
        times::local(run.started_ms),
        run.starter,
        run.reason
            .as_ref()
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default(),
        times::length(ended_ms - run.started_ms),
        run.plan.short(),
    );
    if let Some(step) = run.step.as_ref().filter(|_| run.ended_ms.is_none()) {
        let counts = view
            .root
            .children
            .as_ref()
            .map(|row| format!(": {}", children(row)))
            .unwrap_or_default();
        let _ = writeln!(text, "  step    {step}{counts}");
    }
    for wave in view.root.children.iter().flat_map(|row| &row.ahead) {
        let _ = writeln!(text, "  then    {}", wave_ahead(wave));
    }
    for item in view.root.children.iter().flat_map(|row| &row.put_off) {
        let until = times::local(item.until_ms);
        let _ = writeln!(
            text,
            "  later   {}: put off until {until} by {}",
            item.key, item.by
        );
    }
    let lanes = std::iter::once(&view.root).chain(&view.lanes);
    for told in lanes.flat_map(|lane| &lane.fell_back) {
        let _ = writeln!(text, "  instead {}", super::notice::instead(told));
    }
    for consent in &view.consents {
        let _ = writeln!(text, "  consent {}", consent_line(consent, view.now_ms));
    }
    if let Some(note) = &run.note {
        let _ = writeln!(text, "  note    {note}");
    }
    let present: Vec<LaneRow> = view
        .lanes
        .iter()
        .filter(|lane| all || is_present(view, lane))
        .cloned()
        .collect();
    if !present.is_empty() {
        let _ = writeln!(text, "{}", lane_rows(out, &present).text());
    }
    for row in &view.waiting {
        text.push_str(&super::asked::question_line(row));
    }
    text.trim_end().to_owned()
}

/// `physics: petra objects since 2026-12-01 08:00:00: the term ends; what has not begun is held`.
fn consent_line(view: &ConsentView, now_ms: i64) -> String {
    let customer = &view.customer;
    let Some(said) = &view.said else {
        let rule = view.rule.as_deref().unwrap_or_default();
        return format!("{customer}: {} ({rule})", unsaid(view, now_ms));
    };
    let (who, since) = (said.consent.who(), times::local(said.at_ms));
    let reason = said.consent.reason.as_deref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    match said.consent.agrees {
        true => format!("{customer}: {who} agrees since {since}{reason}"),
        false => {
            format!("{customer}: {who} objects since {since}{reason}; what has not begun is held")
        }
    }
}

/// What comes of it that nobody has said anything yet.
fn unsaid(view: &ConsentView, now_ms: i64) -> String {
    let silence = match view.silent_ms {
        _ if !view.by_silence => return "nobody has agreed yet".to_owned(),
        None => "nobody is known to have the notice yet".to_owned(),
        Some(at_ms) if at_ms > now_ms => format!("silence agrees at {}", times::local(at_ms)),
        Some(at_ms) => format!("silence agrees since {}", times::local(at_ms)),
    };
    match view.needs_yes {
        true => format!("{silence}, what no notice tells of waits for a yes"),
        false => silence,
    }
}

/// Lanes of the step that the run is at; of an ended run those with a wave or a failure.
fn is_present(view: &RunView, lane: &LaneRow) -> bool {
    match &view.run.ended_ms {
        None => lane.of_step == view.root.step || lane.result.is_none(),
        Some(_) => {
            lane.wave.is_some()
                || lane
                    .result
                    .is_some_and(hostler_core::result::LaneResult::is_failure)
        }
    }
}

pub fn plan(view: &PlanView) -> String {
    let mut text = format!(
        "{} ({}@{})\n  plan    {}\n",
        view.title,
        view.runbook,
        view.version,
        view.digest.short()
    );
    let _ = writeln!(
        text,
        "  targets {}: {}",
        view.targets.len(),
        named(&view.targets)
    );
    let customers: Vec<String> = view
        .customers
        .iter()
        .map(|(customer, count)| format!("{customer} {count}"))
        .collect();
    let _ = writeln!(text, "  told    {}", customers.join(", "));
    let connections: Vec<String> = view
        .connections
        .iter()
        .map(|(name, limit)| format!("{name} (at most {limit} calls)"))
        .collect();
    let _ = writeln!(text, "  over    {}", connections.join(", "));
    let plugins: Vec<String> = view
        .plugins
        .iter()
        .map(|(name, digest)| format!("{name} {}", digest.short()))
        .collect();
    let _ = writeln!(text, "  plugins {}", plugins.join(", "));
    for (name, rule) in &view.windows {
        let _ = writeln!(text, "  window  {name}: {rule}");
    }
    for budget in &view.budgets {
        let _ = writeln!(text, "  spends  {}", spends(budget));
    }
    for told in &view.told {
        let (customer, channel, reached) = (&told.customer, &told.channel, told.reached);
        let lacks = match told.people - reached.min(told.people) {
            0 => String::new(),
            lacking => format!(": {lacking} have none"),
        };
        let _ = writeln!(
            text,
            "  tells   {customer} by {channel}: {reached} people{lacks}"
        );
    }
    for defers in &view.defers {
        let _ = writeln!(text, "  defers  {}", may_put_off(defers));
    }
    if let Some(policies) = &view.policies {
        let _ = writeln!(text, "  under   policies {}", policies.short());
    }
    for (name, value) in view.inputs.as_object().into_iter().flatten() {
        let _ = writeln!(text, "  {name} = {}", value_line(value));
    }
    for off in &view.hand_offs {
        let on = match off.assets {
            0 => String::new(),
            1 => " on 1 server".to_owned(),
            count => format!(" on {count} servers"),
        };
        let _ = writeln!(text, "  {} does {}{on}: {}", off.by, off.action, off.reason);
    }
    let _ = writeln!(text, "steps:");
    for (number, step) in view.steps.iter().enumerate() {
        let name = step.name.as_deref().unwrap_or_default();
        let perhaps = if step.conditional { " (perhaps)" } else { "" };
        let _ = writeln!(
            text,
            "  {:>2} {:<12} {}{perhaps}  {name}",
            number + 1,
            step.id,
            step.verb
        );
    }
    if !view.waves.is_empty() {
        let _ = writeln!(text, "waves, if every server takes part:");
    }
    for wave in &view.waves {
        let (servers, terms) = (named(&wave.assets), &wave.terms);
        let count = wave.assets.len();
        let line = format!("  {:<8} {count:>4}  {servers}  {terms}", wave.wave);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.trim_end().to_owned()
}

pub(super) fn value_line(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let names: Vec<String> = items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect();
            format!("{} ({})", named(&names), names.len())
        }
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_MAX_CHARACTERS {
        return text;
    }
    text.chars().take(VALUE_MAX_CHARACTERS).collect::<String>() + " … (-o json shows all)"
}

/// What a customer may put off: `chem: 2 of 2 times left in this quarter, until 2d before the slot, by 14d at most`.
fn may_put_off(view: &DeferView) -> String {
    let customer = &view.customer;
    let Some(terms) = &view.terms else {
        return format!("{customer}: nothing, for nothing was agreed");
    };
    format!(
        "{customer}: {} of {} times left in this quarter, until {} before the slot, by {} at most",
        terms.left,
        terms.times,
        length(terms.until_ms),
        length(terms.longest_ms)
    )
}

/// What a run would spend of one budget, and what comes of it.
fn spends(budget: &BudgetView) -> String {
    let of = |sum: &Sum| match budget.needs.windows {
        0 => format!(
            "{} disruptions ({})",
            sum.disruptions,
            length(sum.downtime_ms)
        ),
        _ => format!("{} windows", sum.windows),
    };
    let comes = match (budget.fits, budget.holds) {
        (true, _) => String::new(),
        (false, true) => format!(
            ": NO ROOM, it waits for it, or for `hostler budget allow {} RUN --reason TEXT`",
            budget.customer
        ),
        (false, false) => ": NO ROOM, it goes on and overdraws".to_owned(),
    };
    format!(
        "{} {}: up to {}; {} spent of {}{comes}",
        budget.customer,
        budget.budget,
        of(&budget.needs),
        of(&budget.spent),
        budget.grants
    )
}

#[cfg(test)]
mod tests;
