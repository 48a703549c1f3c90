//! `hostler approve`: yes and no to approvals and gates, and ways out of doubts and failures.

use super::{Context, asked, question};
use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use hostler_api::services::decide::{ChoiceAsk, VoteAsk};
use hostler_api::step_up::Passcode;
use hostler_core::command::Choice;
use hostler_core::id::Digest;
use hostler_core::lane::PersonKind;
use hostler_core::view::WaitingRow;
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Read, Write};

/// Longest line that is read as a typed name or a code, in bytes.
const TYPED_MAX_BYTES: u64 = 1_024;

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
    Yes {
        #[command(flatten)]
        vote: Vote,
        /// The name that must be typed back, where the question wants one; without it, you are asked for it
        #[arg(long, value_name = "NAME")]
        typed: Option<String>,
        /// What you waive, of what may be waived here; may be given again
        #[arg(long, value_name = "WAIVER")]
        waive: Vec<String>,
        /// What your authenticator app shows now, where a yes needs it; without it, you are asked for it
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// Refuse
    No(Vote),
    /// Say how to go on after a failure, a doubt, or windows that passed
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
    /// One more slot for an item that has missed its windows
    Next,
    /// Leave such an item out
    Leave,
    /// Hold such an item
    Stop,
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
        ApproveCommand::Yes {
            vote,
            typed,
            waive,
            code,
        } => yes(context, vote, (typed, waive), code).await,
        ApproveCommand::No(vote) => {
            let row = question::find(&client, &vote.question, is_decision).await?;
            let ask = ask(vote, &row, false);
            decide(context, &row, &ask).await
        }
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
        Way::Next => Choice::Next,
        Way::Leave => Choice::Leave,
        Way::Stop => Choice::Stop,
    }
}

fn ask(vote: Vote, row: &WaitingRow, yes: bool) -> VoteAsk {
    VoteAsk {
        yes,
        signs: vote.signs.unwrap_or(row.signs),
        comment: vote.comment,
        typed: None,
        waive: Vec::new(),
        code: None,
    }
}

async fn yes(
    context: &Context,
    vote: Vote,
    (typed, waive): (Option<String>, Vec<String>),
    code: Option<String>,
) -> Result<(), Failure> {
    let client = context.client()?;
    let row = question::find(&client, &vote.question, is_decision).await?;
    let typed = match typed {
        Some(typed) => Some(typed),
        None => {
            let view = question::show(&client, &row).await?;
            let wanted = view.shown.get("typed").and_then(Value::as_str);
            wanted.map(typed_back).transpose()?
        }
    };
    // Last of all: it is old soon.
    let code = match code {
        Some(code) => Some(passcode(&code)?),
        None => row.step_up.map(|_| asked_code()).transpose()?,
    };
    let ask = VoteAsk {
        typed,
        waive,
        code,
        ..ask(vote, &row, true)
    };
    decide(context, &row, &ask).await
}

/// Asks whoever sits at the terminal; a script must say it.
fn typed_back(wanted: &str) -> Result<String, Failure> {
    line(&format!("Type `{wanted}` to approve: "), || {
        format!(
            "this approval wants a name typed back: add --typed with `{wanted}` if that is what you mean"
        )
    })
}

fn asked_code() -> Result<Passcode, Failure> {
    let text = line("The code that your authenticator app shows: ", || {
        "this approval wants the code of your authenticator app: add --code".to_owned()
    });
    passcode(&text?)
}

/// Without what was typed: it may be the code, and a letter.
fn passcode(text: &str) -> Result<Passcode, Failure> {
    let wrong = || Failure::Usage("a code has six digits: type what the app shows now".to_owned());
    Passcode::parse(text).ok_or_else(wrong)
}

/// A line that whoever sits at the terminal types; for a script, what to say instead.
fn line(prompt: &str, instead: impl FnOnce() -> String) -> Result<String, Failure> {
    let mut input = std::io::stdin().lock();
    if !input.is_terminal() {
        return Err(Failure::Usage(instead()));
    }
    let mut told = std::io::stderr();
    let asked = told
        .write_all(prompt.as_bytes())
        .and_then(|()| told.flush());
    let mut line = String::new();
    asked
        .and_then(|()| input.by_ref().take(TYPED_MAX_BYTES).read_line(&mut line))
        .map_err(|fault| Failure::Usage(format!("nothing was read: {fault}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn decide(context: &Context, row: &WaitingRow, ask: &VoteAsk) -> Result<(), Failure> {
    let path = format!("/api/v1/waiting/{}/decision", row.lane);
    let answer: Value = context.client()?.post(&path, ask, None).await?;
    context.out.one(&settled(&answer), &answer)
}

/// `done`, or that it is durable and waits.
pub fn settled(answer: &Value) -> String {
    match answer.get("settled").and_then(Value::as_str) {
        Some("done") => "done".to_owned(),
        _ => "accepted: it is safe and will be looked at soon".to_owned(),
    }
}
