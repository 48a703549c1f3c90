//! `hostler duration`: how long calls took that change or disturb something.
//!
//! Not here: what is assumed without a history: `hostler policy show fit`.

use super::Context;
use crate::failure::Failure;
use crate::output::Rows;
use clap::Subcommand;
use hostler_api::services::durations::DurationRow;
use hostler_core::fit::rounded;

#[derive(Subcommand)]
pub enum DurationCommand {
    /// By action and kind of server: how many of the last calls, how long half of them took, 95 of 100, the longest
    List {
        /// Of this action or contract only
        #[arg(long, value_name = "NAME")]
        action: Option<String>,
    },
}

pub async fn run(context: &Context, command: DurationCommand) -> Result<(), Failure> {
    let DurationCommand::List { action } = command;
    let mut durations: Vec<DurationRow> = context.client()?.get("/api/v1/durations").await?;
    durations.retain(|row| action.as_ref().is_none_or(|name| is_of(row, name)));
    let mut rows = Rows::new(&["action", "kind", "runs", "p50", "p95", "max"]);
    for row in &durations {
        rows.add(vec![
            row.action.clone(),
            row.kind.clone(),
            row.runs.to_string(),
            rounded(row.p50_ms),
            rounded(row.p95_ms),
            rounded(row.max_ms),
        ]);
    }
    context.out.list(&rows, &durations)
}

/// Of the action, or of any of the contract.
fn is_of(row: &DurationRow, name: &str) -> bool {
    let rest = row.action.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
