//! `hostler approve`: yes and no to approvals and gates, and ways out of doubts and failures.

use super::{Context, asked, question};
use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use hostler_api::services::decide::{ChoiceAsk, VoteAsk};
use hostler_core::command::Choice;
use hostler_core::id::Digest;
use hostler_core::lane::PersonKind;
use serde_json::Value;

#[derive(Subcommand)]
pub enum ApproveCommand {
    /// What waits for a decision
    List {
        /// Only what you may decide
        #[arg(long)]
        mine: bool,
    },
    /// What will happen, and who decides
    Show { question: String },
    /// Approve
    Yes(Vote),
    /// Refuse
    No(Vote),
    /// Say how to go on after a failure or a doubt
    Choose {
        question: String,
        choice: Way,
        #[arg(short, long)]
        comment: Option<String>,
        /// With `done`: what the action would have given, as JSON
        #[arg(long, value_name = "JSON")]
        gave: Option<String>,
    },
}

#[derive(clap::Args)]
pub struct Vote {
    /// Id of the question or of its run; the beginning is enough
    question: String,
    #[arg(short, long)]
    comment: Option<String>,
    /// Digest of what you looked at (`signs` in `show`); without it, of what is asked now
    #[arg(long)]
    signs: Option<Digest>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Way {
    Retry,
    Skip,
    Fail,
    Done,
}

fn is_decision(kind: PersonKind) -> bool {
    !kind.is_form()
}

pub async fn run(context: &Context, command: ApproveCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        ApproveCommand::List { mine } => {
            let rows = question::list(&client, mine, is_decision).await?;
            context.out.list(&asked::waiting_rows(&rows), &rows)
        }
        ApproveCommand::Show { question } => {
            let row = question::find(&client, &question, is_decision).await?;
            let view = question::show(&client, &row).await?;
            context.out.one(&asked::question(&view), &view)
        }
        ApproveCommand::Yes(vote) => decide(context, vote, true).await,
        ApproveCommand::No(vote) => decide(context, vote, false).await,
        ApproveCommand::Choose {
            question,
            choice,
            comment,
            gave,
        } => {
            let row = question::find(&client, &question, is_decision).await?;
            let output = match gave {
                Some(text) => serde_json::from_str(&text)
                    .map_err(|fault| Failure::Usage(format!("--gave: {fault}")))?,
                None => Value::Null,
            };
            let ask = ChoiceAsk {
                signs: row.signs,
                choice: way(choice),
                comment,
                output,
            };
            let answer: Value = client
                .post(&format!("/api/v1/waiting/{}/choice", row.lane), &ask, None)
                .await?;
            context.out.one(&settled(&answer), &answer)
        }
    }
}

fn way(way: Way) -> Choice {
    match way {
        Way::Retry => Choice::Retry,
        Way::Skip => Choice::Skip,
        Way::Fail => Choice::Fail,
        Way::Done => Choice::Done,
    }
}

async fn decide(context: &Context, vote: Vote, yes: bool) -> Result<(), Failure> {
    let client = context.client()?;
    let row = question::find(&client, &vote.question, is_decision).await?;
    let ask = VoteAsk {
        yes,
        signs: vote.signs.unwrap_or(row.signs),
        comment: vote.comment,
    };
    let answer: Value = client
        .post(
            &format!("/api/v1/waiting/{}/decision", row.lane),
            &ask,
            None,
        )
        .await?;
    context.out.one(&settled(&answer), &answer)
}

/// `done`, or that it is durable and waits.
pub fn settled(answer: &Value) -> String {
    match answer.get("settled").and_then(Value::as_str) {
        Some("done") => "done".to_owned(),
        _ => "accepted: it is safe and will be looked at soon".to_owned(),
    }
}
