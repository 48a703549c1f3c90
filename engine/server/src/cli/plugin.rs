//! `hostler plugin`: installed ones, and writing new ones.

use super::Context;
use crate::compose::contracts;
use crate::failure::Failure;
use crate::output::Rows;
use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use hostler_api::services::plugins::PluginRow;
use hostler_host_wasmtime::{HostConfig, SystemResolver, check, template};
use hostler_ports::connection::ConnectionConfig;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Subcommand)]
pub enum PluginCommand {
    /// Plugins of the running engine
    List,
    /// Look at a component: what it can do, and whether it keeps to the contracts
    Check { file: PathBuf },
    /// Begin a new one
    New {
        name: String,
        /// Folder in which it is made
        #[arg(long, default_value = "plugins")]
        folder: PathBuf,
    },
}

pub async fn run(context: &Context, command: PluginCommand) -> Result<(), Failure> {
    match command {
        PluginCommand::List => {
            let plugins: Vec<PluginRow> = context.client()?.get("/api/v1/plugins").await?;
            let mut rows = Rows::new(&["plugin", "version", "digest", "actions", "contracts"]);
            for plugin in &plugins {
                let contracts: BTreeSet<&str> = plugin
                    .actions
                    .iter()
                    .filter_map(|action| action.split('.').next())
                    .collect();
                rows.add(vec![
                    plugin.name.clone(),
                    plugin.version.clone(),
                    plugin.digest.short(),
                    plugin.actions.len().to_string(),
                    contracts.into_iter().collect::<Vec<_>>().join(", "),
                ]);
            }
            context.out.list(&rows, &plugins)
        }
        PluginCommand::Check { file } => check(context, &file).await,
        PluginCommand::New { name, folder } => {
            let files = template::plugin(&name).map_err(Failure::Usage)?;
            let folder = folder.join(&name);
            write_new(&folder, &files)?;
            context
                .out
                .note(&format!("written: {}; see its README.md", folder.display()));
            Ok(())
        }
    }
}

async fn check(context: &Context, file: &Path) -> Result<(), Failure> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let cache = PathBuf::from(context.config()?.plugins.cache_folder);
    std::fs::create_dir_all(&cache)?;
    let config = HostConfig {
        cache,
        connections: Arc::new(BTreeMap::<String, Arc<ConnectionConfig>>::new()),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    };
    let contracts = contracts::all().map_err(|fault| anyhow!(fault))?;
    let report = check::check(config, &bytes, &contracts).await;
    let mut text = String::new();
    if let Some(description) = &report.description {
        text = format!("{} {}\n", description.name, description.version);
        for action in &description.actions {
            text.push_str(&format!("  {:<28} {}\n", action.name, action.summary));
        }
    }
    for remark in &report.remarks {
        text.push_str(&format!("remark: {remark}\n"));
    }
    let value = json!({
        "digest": report.digest,
        "description": report.description,
        "faults": report.faults,
        "remarks": report.remarks,
    });
    context.out.one(text.trim_end(), &value)?;
    if report.fit() {
        Ok(())
    } else {
        Err(Failure::Invalid(report.faults.join("\n")))
    }
}

/// Writes the files of a new folder; one that is there already is left as it is.
pub fn write_new(folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::Usage(format!(
            "{} is there already: choose another name",
            folder.display()
        )));
    }
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
    }
    Ok(())
}
