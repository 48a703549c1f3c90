//! Whether the doors would take an answer: it fits its form, and keeps the rules of its fields.
//!
//! Not here: what the lane says of it (`people`).

use crate::world::{Trouble, World};
use hostler_api::read::{self, Reading};
use hostler_api::services::rules;
use hostler_core::command::Command;
use hostler_core::definition::offer;
use hostler_core::lane::Phase;
use hostler_core::view::WaitingRow;
use serde_json::Value;

/// The smallest answer to a form: of what is offered the first.
pub fn made_up(form: &Value, display: &Value) -> Value {
    let mut answer = crate::sample::of(form);
    let offered = display.get(offer::CHOICES).and_then(Value::as_object);
    for (field, choices) in offered.into_iter().flatten() {
        match &mut answer[field] {
            Value::Array(_) => {}
            one => *one = choices.get(0).cloned().unwrap_or(Value::Null),
        }
    }
    answer
}

async fn reading(world: &World, row: &WaitingRow) -> Result<Reading, Trouble> {
    let read = read::lane(&world.api, row.lane).await;
    read.map_err(|problem| Trouble::NotStarted(Box::new(problem)))
}

fn answer(command: &Command) -> Option<&Value> {
    match command {
        Command::Answer { answer, .. } => Some(answer),
        _ => None,
    }
}

/// Why no door takes it; none for what is no answer.
pub async fn misfit(
    world: &World,
    row: &WaitingRow,
    command: &Command,
) -> Result<Option<String>, Trouble> {
    let Some(answer) = answer(command) else {
        return Ok(None);
    };
    let reading = reading(world, row).await?;
    let judged = rules::answer(&world.api, &reading, answer).await;
    Ok(judged.err().map(|problem| problem.detail))
}

/// Whether an answer that was made up does not do for a form with rules: a form without any takes a sample.
pub async fn breaks_a_rule(
    world: &World,
    row: &WaitingRow,
    command: &Command,
) -> Result<bool, Trouble> {
    let Some(answer) = answer(command) else {
        return Ok(false);
    };
    let reading = reading(world, row).await?;
    let has_rules =
        matches!(&reading.lane.phase, Phase::Person(person) if !person.rules.must.is_empty());
    Ok(has_rules && rules::answer(&world.api, &reading, answer).await.is_err())
}
