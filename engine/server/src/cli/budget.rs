//! `hostler budget`: what customers' budgets of disruption have spent, and letting a run overdraw them.
//!
//! Not here: what was agreed: `hostler policy show budgets`, and the customers' contracts in the estate's files.

use super::Context;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::Subcommand;
use hostler_api::services::budgets::{AllowAsk, BudgetRow};
use hostler_core::budget::{Allowed, Opening, length};
use hostler_core::id::RunId;

#[derive(Subcommand)]
pub enum BudgetCommand {
    /// What disturbed which server, when, by which run, and what was overdrawn; where nothing but the windows of a
    /// contract is counted, the first server of each
    List {
        /// Of this customer only
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
    },
    /// Let a run overdraw the budgets of a customer; whoever started it may not
    Allow {
        customer: String,
        run: RunId,
        /// Kept in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(context: &Context, command: BudgetCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        BudgetCommand::List { customer } => {
            let mut budgets: Vec<BudgetRow> = client.get("/api/v1/budgets").await?;
            budgets.retain(|row| customer.as_ref().is_none_or(|id| row.customer == *id));
            list(context, &budgets)
        }
        BudgetCommand::Allow {
            customer,
            run,
            reason,
        } => {
            let path = format!("/api/v1/budgets/{customer}/allow");
            let allowed: Allowed = client.post(&path, &AllowAsk { run, reason }, None).await?;
            let text = format!("run {run} may overdraw the budgets of {customer}");
            context.out.one(&text, &allowed)
        }
    }
}

fn list(context: &Context, budgets: &[BudgetRow]) -> Result<(), Failure> {
    let mut rows = Rows::new(&[
        "customer",
        "server",
        "since",
        "downtime up to",
        "window",
        "state",
        "overdrew",
        "run",
    ]);
    for BudgetRow { customer, spent } in budgets {
        for one in &spent.disruptions {
            rows.add(vec![
                customer.clone(),
                one.asset.clone(),
                times::local(one.at_ms),
                length(one.downtime_ms),
                one.opening.as_ref().map_or_else(String::new, window),
                if one.begun { "disturbed" } else { "prepared" }.to_owned(),
                one.overdrew.join(", "),
                one.run.to_string(),
            ]);
        }
    }
    context.out.list(&rows, budgets)
}

/// `sun-early until 2026-12-13 04:00`; of one that is open all the time the day.
fn window(opening: &Opening) -> String {
    let name = match opening.window.is_empty() {
        true => "outside",
        false => &opening.window,
    };
    match opening.closes_ms {
        Some(closes_ms) => format!("{name} until {}", times::local(closes_ms)),
        None => format!("{name} on the day from {}", times::local(opening.day_ms)),
    }
}
