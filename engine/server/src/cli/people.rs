//! `hostler people`: what customers' people are told, and having them told less or all again on their word.
//!
//! Not here: who is there (the estate's files), and what must be had (`hostler policy show classes`).

use super::Context;
use crate::client::segment;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::{Args, Subcommand};
use hostler_api::services::mutes::{MuteAsk, MuteView};

#[derive(Subcommand)]
pub enum PeopleCommand {
    /// What a customer's person is told, and what they have asked to be spared
    Show {
        #[arg(value_name = "PERSON")]
        who: String,
    },
    /// Tell a person only what they must have: no reminders, not when work begins and ends
    Mute(MuteArgs),
    /// Tell them everything again
    Unmute(MuteArgs),
}

#[derive(Args)]
pub struct MuteArgs {
    #[arg(value_name = "PERSON")]
    who: String,
    /// Of this customer's servers; needed where the person gets notices of several
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// On whose word and why; kept in the ledger
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

pub async fn run(context: &Context, command: PeopleCommand) -> Result<(), Failure> {
    match command {
        PeopleCommand::Show { who } => show(context, &who).await,
        PeopleCommand::Mute(args) => say(context, "mute", args).await,
        PeopleCommand::Unmute(args) => say(context, "unmute", args).await,
    }
}

async fn show(context: &Context, who: &str) -> Result<(), Failure> {
    let path = format!("/api/v1/people/{}/notices", segment(who));
    let views: Vec<MuteView> = context.client()?.get(&path).await?;
    let mut rows = Rows::new(&[
        "customer",
        "always told",
        "told, too",
        "spared",
        "since",
        "by",
    ]);
    for view in &views {
        let optional = view.optional.join(", ");
        let (told, spared) = match &view.muted {
            Some(_) => (String::new(), optional),
            None => (optional, String::new()),
        };
        let muted = view.muted.as_ref();
        rows.add(vec![
            view.customer.clone(),
            view.must_have.join(", "),
            told,
            spared,
            muted.map_or_else(String::new, |muted| times::local(muted.at_ms)),
            muted.map_or_else(String::new, |muted| format!("{} ({})", muted.by, muted.via)),
        ]);
    }
    context.out.list(&rows, &views)
}

async fn say(context: &Context, word: &str, args: MuteArgs) -> Result<(), Failure> {
    let path = format!("/api/v1/people/{}/{word}", segment(&args.who));
    let ask = MuteAsk {
        customer: args.customer,
        reason: args.reason,
    };
    let view: MuteView = context.client()?.post(&path, &ask, None).await?;
    let (name, customer) = (&view.name, &view.customer_name);
    let text = match view.muted {
        Some(_) => format!(
            "{name} is told only what everybody must have of {customer}: {}",
            view.must_have.join(", ")
        ),
        None => format!("{name} is told everything of {customer}"),
    };
    context.out.one(&text, &view)
}
