//! `hostler debt`: what is owed since an emergency, and what it holds until then.
//!
//! Not here: settling a debt: its form is answered with `hostler ask`, or a run does what is missing.

use super::Context;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::Subcommand;
use hostler_api::services::debts::DebtRow;

#[derive(Subcommand)]
pub enum DebtCommand {
    /// Open debts: over which assets, what for, since when, what settles each, what it holds
    List {
        /// Of this asset only
        #[arg(long, value_name = "ID")]
        asset: Option<String>,
    },
}

pub async fn run(context: &Context, command: DebtCommand) -> Result<(), Failure> {
    let DebtCommand::List { asset } = command;
    let client = context.client()?;
    let mut debts: Vec<DebtRow> = client.get("/api/v1/debts").await?;
    if let Some(asset) = asset {
        debts.retain(|row| row.debt.assets.contains(&asset));
    }
    list(context, &debts)
}

fn list(context: &Context, debts: &[DebtRow]) -> Result<(), Failure> {
    let mut rows = Rows::new(&[
        "customer",
        "assets",
        "owed",
        "since",
        "due",
        "settled by",
        "holds",
        "run",
        "lane",
    ]);
    for DebtRow { customer, debt } in debts {
        let assets: Vec<_> = debt.assets.iter().map(String::as_str).collect();
        let cures: Vec<_> = debt.cured_by.iter().map(ToString::to_string).collect();
        rows.add(vec![
            customer.clone(),
            assets.join(", "),
            debt.says.clone(),
            times::local(debt.since_ms),
            debt.due_ms.map(times::local).unwrap_or_default(),
            cures.join(", "),
            debt.blocks.join(", "),
            debt.run.to_string(),
            debt.lane.to_string(),
        ]);
    }
    context.out.list(&rows, debts)
}
