//! `hostler run agree`: a customer agrees to the work on its servers, or objects.
//!
//! Not here: what is asked of whom: `hostler policy show consent`, and the contract of the customer.

use super::{Context, run};
use crate::client::Client;
use crate::failure::Failure;
use clap::Args;
use hostler_api::services::consents::{ConsentWish, Consented};

#[derive(Args)]
pub struct AgreeArgs {
    run: String,
    /// For whom, where you are not of exactly one customer
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Object instead: what has not begun is held until the same customer agrees
    #[arg(long)]
    object: bool,
    /// The customer's person on whose word you say it; kept in the ledger
    #[arg(long, value_name = "PERSON")]
    word_of: Option<String>,
    #[arg(long)]
    reason: Option<String>,
    /// The same key says it only once
    #[arg(long)]
    key: Option<String>,
}

pub async fn agree(context: &Context, client: &Client, args: AgreeArgs) -> Result<(), Failure> {
    let wish = ConsentWish {
        agrees: !args.object,
        customer: args.customer,
        word_of: args.word_of,
        reason: args.reason,
    };
    let path = run::path(&args.run, "/consent");
    let done: Consented = client.post(&path, &wish, args.key.as_deref()).await?;
    let says = match done.agrees {
        true => "agrees",
        false => "objects: what has not begun is held",
    };
    context.out.one(&format!("{} {says}", done.customer), &done)
}
