//! `hostler config` and `hostler lock`.

use super::Context;
use super::show::short;
use crate::client::segment;
use crate::failure::Failure;
use crate::output::{Rows, print};
use crate::times;
use clap::Subcommand;
use hostler_api::services::locks::LockRow;

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Read all settings and say what is wrong
    Check,
    /// All settings as they count, from defaults, file, environment and flags
    Show,
    /// A complete, commented file with the defaults
    Example,
}

pub fn config(context: &Context, command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check => {
            context.config()?;
            context.out.note("the settings are good");
            Ok(())
        }
        ConfigCommand::Show => {
            let config = context.config()?;
            let text = toml::to_string(&config).map_err(|fault| Failure::Internal(fault.into()))?;
            context.out.one(text.trim_end(), &config)
        }
        ConfigCommand::Example => print(include_str!("../../examples/hostler.toml").trim_end()),
    }
}

#[derive(Subcommand)]
pub enum LockCommand {
    /// What is held or waited for
    List,
    /// One lock or slot: asset:web1, slot:vcenter1
    Show { key: String },
}

pub async fn lock(context: &Context, command: &LockCommand) -> Result<(), Failure> {
    let client = context.client()?;
    let locks: Vec<LockRow> = match command {
        LockCommand::List => client.get("/api/v1/locks").await?,
        LockCommand::Show { key } => vec![
            client
                .get(&format!("/api/v1/locks/{}", segment(key)))
                .await?,
        ],
    };
    let mut rows = Rows::new(&["key", "held", "of", "holders", "since", "waiting"]);
    for lock in &locks {
        let holders: Vec<String> = lock.holders.iter().map(|(lane, _)| short(lane)).collect();
        let since = lock.holders.iter().map(|(_, since)| *since).min();
        rows.add(vec![
            lock.key.clone(),
            lock.holders.len().to_string(),
            lock.capacity.to_string(),
            holders.join(", "),
            since.map(times::local).unwrap_or_default(),
            lock.waiters.len().to_string(),
        ]);
    }
    context.out.list(&rows, &locks)
}
