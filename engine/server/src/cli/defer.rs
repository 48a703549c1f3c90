//! `hostler run defer`: the turn of a customer's servers is put off.
//!
//! Not here: what was agreed: `hostler policy show deferrals`.

use super::{Context, run};
use crate::client::Client;
use crate::failure::Failure;
use crate::times;
use clap::Args;
use hostler_api::services::deferrals::{DeferWish, Deferred};

#[derive(Args)]
pub struct DeferArgs {
    run: String,
    /// Only these servers; without any all of the customer that may still be put off
    #[arg(long = "asset", value_name = "ASSET")]
    assets: Vec<String>,
    /// A date, from midnight in the customer's zone on, or an instant (RFC 3339)
    #[arg(long, value_name = "DATE")]
    until: String,
    /// Whose servers, where none is named
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// The customer's person on whose word you ask; kept in the ledger
    #[arg(long, value_name = "PERSON")]
    word_of: Option<String>,
    /// The same key puts off only once
    #[arg(long)]
    key: Option<String>,
}

pub async fn defer(context: &Context, client: &Client, args: DeferArgs) -> Result<(), Failure> {
    let wish = DeferWish {
        assets: args.assets.into_iter().collect(),
        customer: args.customer,
        until: args.until,
        word_of: args.word_of,
    };
    let path = run::path(&args.run, "/defer");
    let done: Deferred = client.post(&path, &wish, args.key.as_deref()).await?;
    let text = format!(
        "put off until {}: {}",
        times::local(done.until_ms),
        done.assets.join(", ")
    );
    context.out.one(&text, &done)
}
