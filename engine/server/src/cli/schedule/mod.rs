//! `hostler schedule`: what schedules will do, what they have done, and a person's word about it.
//!
//! Not here: following them; only a running engine does.

mod explain;

use super::Context;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::{Args, Subcommand};
use explain::ExplainArgs;
use hostler_api::services::schedules::{ScheduleRow, Word, WordAsk};
use jiff::Timestamp;

#[derive(Subcommand)]
pub enum ScheduleCommand {
    /// The next firings with their UTC offsets, and how long windows really are
    Explain(ExplainArgs),
    /// When each fires next, its newest run, and what waits for a person
    List,
    /// Start a firing that was missed
    Start(FiringArgs),
    /// Leave a firing that was missed
    Skip(FiringArgs),
    /// Nothing fires any more until somebody resumes it
    Pause(PauseArgs),
    /// Fire again; what fell into the pause is not made up for
    Resume {
        schedule: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
}

#[derive(Args)]
pub struct FiringArgs {
    schedule: String,
    /// When it was due, as `hostler schedule list` shows it
    instant: Timestamp,
    /// Kept in the ledger
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Args)]
pub struct PauseArgs {
    schedule: String,
    /// Why, for those who find it stopped
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn run(context: &Context, command: ScheduleCommand) -> Result<(), Failure> {
    let (schedule, word, reason) = match command {
        ScheduleCommand::Explain(args) => return explain::run(context, &args),
        ScheduleCommand::List => return list(context).await,
        ScheduleCommand::Start(args) => {
            let instant_ms = args.instant.as_millisecond();
            (args.schedule, Word::Start { instant_ms }, args.reason)
        }
        ScheduleCommand::Skip(args) => {
            let instant_ms = args.instant.as_millisecond();
            (args.schedule, Word::Skip { instant_ms }, args.reason)
        }
        ScheduleCommand::Pause(args) => (args.schedule, Word::Pause, args.reason),
        ScheduleCommand::Resume { schedule, reason } => (schedule, Word::Resume, reason),
    };
    let path = format!("/api/v1/schedules/{schedule}/word");
    let ask = WordAsk { word, reason };
    let row: ScheduleRow = context.client()?.post(&path, &ask, None).await?;
    let text = format!("{}: {}", row.schedule, state(&row));
    context.out.one(&text, &row)
}

async fn list(context: &Context) -> Result<(), Failure> {
    let rows: Vec<ScheduleRow> = context.client()?.get("/api/v1/schedules").await?;
    let mut table = Rows::new(&["schedule", "runbook", "next", "newest run", "state"]);
    for row in &rows {
        let next = row.next_ms.map_or_else(|| "-".to_owned(), times::local);
        let last = row.last.map_or_else(
            || "-".to_owned(),
            |last| format!("{} of {}", last.run, times::local(last.instant_ms)),
        );
        table.add(vec![
            row.schedule.clone(),
            row.runbook.clone(),
            next,
            last,
            state(row),
        ]);
    }
    context.out.list(&table, &rows)
}

/// What a person should know, the most urgent first.
fn state(row: &ScheduleRow) -> String {
    let asked = row.asks.last().map(|instant_ms| {
        let instant = Timestamp::from_millisecond(*instant_ms).unwrap_or(Timestamp::MIN);
        format!(
            "asks: hostler schedule start|skip {} {instant}",
            row.schedule
        )
    });
    let failed = row
        .failed
        .as_ref()
        .map(|failed| format!("failed: {}", failed.why));
    let paused = row
        .paused
        .as_ref()
        .map(|paused| format!("paused by {}: {}", paused.by, paused.reason));
    let running = match row.waiting.len() {
        _ if !row.running => None,
        0 => Some("running".to_owned()),
        waiting => Some(format!("running, {waiting} wait")),
    };
    let fault = row.fault.clone();
    let said: Vec<_> = [fault, failed, asked, paused, running]
        .into_iter()
        .flatten()
        .collect();
    if said.is_empty() {
        return "waits".to_owned();
    }
    said.join("; ")
}
