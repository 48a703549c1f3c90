//! `hostler lease`: what will end later by itself: snapshots, reservations, mitigations, safe copies.
//!
//! Not here: what may be released or live longer (core), and what a lease keeps off (its server's gate).

use super::Context;
use crate::client::segment;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::Subcommand;
use hostler_api::services::leases::{LeaseAsk, LeasePage};
use hostler_core::id::LaneId;
use serde_json::Value;

#[derive(Subcommand)]
pub enum LeaseCommand {
    /// Live leases: on which server, when and how each ends, what it keeps off until then; the next to end first
    List {
        /// Of this asset only
        #[arg(long, value_name = "ID")]
        asset: Option<String>,
        /// From this place on, as the list before it said
        #[arg(long, value_name = "PLACE")]
        after: Option<String>,
    },
    /// End a lease now
    Release {
        lease: LaneId,
        /// Kept in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let a lease live longer; from now on never longer than it was given at first
    Extend {
        lease: LaneId,
        /// By how much, such as 24h
        #[arg(long = "for", value_name = "DURATION")]
        longer: String,
        /// Kept in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(context: &Context, command: LeaseCommand) -> Result<(), Failure> {
    let client = context.client()?;
    let (lease, longer, reason) = match command {
        LeaseCommand::List { asset, after } => {
            let page: LeasePage = client.get(&path(asset, after)).await?;
            return list(context, &page);
        }
        LeaseCommand::Release { lease, reason } => (lease, None, reason),
        LeaseCommand::Extend {
            lease,
            longer,
            reason,
        } => (lease, Some(longer), reason),
    };
    let (verb, done) = match &longer {
        None => ("release", format!("lease {lease} ends now")),
        Some(longer) => ("extend", format!("lease {lease} lives {longer} longer")),
    };
    let path = format!("/api/v1/leases/{lease}/{verb}");
    let settled: Value = client
        .post(&path, &LeaseAsk { longer, reason }, None)
        .await?;
    context.out.one(&done, &settled)
}

fn path(asset: Option<String>, after: Option<String>) -> String {
    let given = [("asset", asset), ("after", after)].into_iter();
    let given = given.filter_map(|(name, value)| Some(format!("{name}={}", segment(&value?))));
    let query: Vec<String> = given.collect();
    format!("/api/v1/leases?{}", query.join("&"))
}

fn list(context: &Context, page: &LeasePage) -> Result<(), Failure> {
    let mut rows = Rows::new(&[
        "asset",
        "runbook",
        "step",
        "ends",
        "by",
        "keeps off",
        "run",
        "lease",
    ]);
    for lease in &page.leases {
        rows.add(vec![
            lease.asset.clone().unwrap_or_default(),
            lease.runbook.clone(),
            lease.step.clone(),
            times::local(lease.ends_ms),
            lease.end.clone(),
            lease.blocks.join(", "),
            lease.run.to_string(),
            lease.lane.to_string(),
        ]);
    }
    context.out.list(&rows, &page.leases)?;
    if let Some(next) = &page.next {
        context.out.note(&format!("there are more: --after {next}"));
    }
    Ok(())
}
