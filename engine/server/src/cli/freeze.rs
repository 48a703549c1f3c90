//! `hostler freeze`: times in which nothing is disturbed, declared while the engine runs.
//!
//! Not here: the freezes of the estate's files, and holding anything.

use super::Context;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::{Args, Subcommand};
use hostler_api::services::freezes::{DeclareAsk, LiftAsk};
use hostler_core::duration::parse_ms;
use hostler_core::gate::DeclaredFreeze;
use hostler_ports::clock::Clock as _;
use jiff::Timestamp;

#[derive(Subcommand)]
pub enum FreezeCommand {
    /// Freezes that people have declared; those of the estate stand in its files
    List,
    /// Hold every disturbing step on some assets, whoever started its run
    Declare(DeclareArgs),
    /// End a declared freeze before its time
    Lift {
        freeze: String,
        /// Kept in the ledger
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Args)]
pub struct DeclareArgs {
    /// A name for it
    freeze: String,
    /// Which assets, such as service=co-managed
    #[arg(long, value_name = "SELECTOR")]
    applies: String,
    /// How long from now on, such as 8h
    #[arg(
        long = "for",
        value_name = "DURATION",
        required_unless_present = "until"
    )]
    length: Option<String>,
    /// Until this instant, such as 2026-12-23T17:00:00Z
    #[arg(long, value_name = "INSTANT", conflicts_with = "length")]
    until: Option<Timestamp>,
    /// From this instant on; default: now
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Classes of runbooks that pass, such as emergency
    #[arg(long, value_name = "CLASS")]
    let_through: Vec<String>,
    /// Why, for those whose work is held
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn run(context: &Context, command: FreezeCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        FreezeCommand::List => {
            let freezes: Vec<DeclaredFreeze> = client.get("/api/v1/freezes").await?;
            list(context, &freezes)
        }
        FreezeCommand::Declare(args) => {
            let ask = asked(args)?;
            let freeze: DeclaredFreeze = client.post("/api/v1/freezes", &ask, None).await?;
            let until = times::local(freeze.to_ms);
            let text = format!("{} holds {} until {until}", freeze.id, freeze.applies);
            context.out.one(&text, &freeze)
        }
        FreezeCommand::Lift { freeze, reason } => {
            let path = format!("/api/v1/freezes/{freeze}/lift");
            let lifted: DeclaredFreeze = client.post(&path, &LiftAsk { reason }, None).await?;
            context
                .out
                .one(&format!("{} is lifted", lifted.id), &lifted)
        }
    }
}

fn asked(args: DeclareArgs) -> Result<DeclareAsk, Failure> {
    let from_ms = args.from.map(Timestamp::as_millisecond);
    let to_ms = match (args.until, args.length) {
        (Some(until), _) => until.as_millisecond(),
        (None, length) => {
            let text = length.unwrap_or_default();
            let length_ms = parse_ms(&text).ok_or_else(|| {
                Failure::Usage(format!(
                    "--for is {text:?}: write a duration such as 8h or 3d"
                ))
            })?;
            let begins_ms = from_ms.unwrap_or_else(|| SystemClock::new().now_ms());
            begins_ms.saturating_add_unsigned(length_ms)
        }
    };
    Ok(DeclareAsk {
        id: args.freeze,
        from_ms,
        to_ms,
        applies: args.applies,
        lets_through: args.let_through,
        reason: args.reason,
    })
}

fn list(context: &Context, freezes: &[DeclaredFreeze]) -> Result<(), Failure> {
    let mut rows = Rows::new(&[
        "freeze",
        "from",
        "to",
        "applies to",
        "lets through",
        "by",
        "reason",
    ]);
    for freeze in freezes {
        rows.add(vec![
            freeze.id.clone(),
            times::local(freeze.from_ms),
            times::local(freeze.to_ms),
            freeze.applies.clone(),
            freeze.lets_through.join(", "),
            freeze.by.clone(),
            freeze.reason.clone(),
        ]);
    }
    context.out.list(&rows, freezes)
}
