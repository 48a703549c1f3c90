//! `hostler store`: what the store says of itself, and the decision when it has gone back.

use super::Context;
use crate::failure::Failure;
use crate::times;
use clap::{Args, Subcommand};
use hostler_api::services::store::{AcceptAsk, Accepted, StoreShow};

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Kind, newest commit, generation, and whether the store has gone back
    Show,
    /// Decide that what the store holds counts, though it has lost commits
    AcceptRegression(AcceptArgs),
}

#[derive(Args)]
pub struct AcceptArgs {
    /// What happened; kept in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// What was lost may hold effects: ask people before each lane's next change
    #[arg(long)]
    old_copy: bool,
}

pub async fn run(context: &Context, command: StoreCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        StoreCommand::Show => {
            let show: StoreShow = client.get("/api/v1/store").await?;
            context.out.one(&text(&show), &show)
        }
        StoreCommand::AcceptRegression(args) => {
            let ask = AcceptAsk {
                reason: args.reason,
                old_copy: args.old_copy,
            };
            let path = "/api/v1/store/generation";
            let accepted: Accepted = client.post(path, &ask, None).await?;
            let text = format!(
                "generation {} begins: {} commits between {} and {} are given up",
                accepted.generation,
                accepted.seen.saturating_sub(accepted.found),
                accepted.found,
                accepted.seen
            );
            context.out.one(&text, &accepted)
        }
    }
}

fn text(show: &StoreShow) -> String {
    let state = &show.state;
    let mut lines = vec![
        format!("kind        {}", state.kind),
        format!("commits     {}", state.seq),
        format!("ledger      {} entries", state.ledger),
        format!("generation  {}", state.generation.number),
    ];
    if let Some(copy) = state.generation.copy {
        lines.push(format!(
            "restored    {} from a copy of {}: lanes that are older ask before their next change",
            times::local(copy.at_ms),
            times::local(copy.taken_ms)
        ));
    }
    if let Some(decision) = &show.decision {
        lines.push(format!("decision    {decision}"));
    }
    lines.push(match state.regressed {
        None => "gone back   no".to_owned(),
        Some(lost) => format!(
            "gone back   from commit {} to {}: nothing is written until somebody decides\n\
             \x20           hostler store accept-regression --reason TEXT, or put the lost commits back",
            lost.seen, lost.found
        ),
    });
    lines.join("\n")
}
