//! The archive as configured, and the housekeeping that fills it.

use crate::config::Archive as Config;
use anyhow::Context;
use hostler_api::Api;
use hostler_archive::{Keeper, ObjectArchive, Settings};
use hostler_core::duration::parse_ms;
use hostler_core::id::Digest;
use hostler_ports::archive::Archive;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Passes made one after the other while there is more to do.
const PASSES_MAX: usize = 20;
/// Most deletions of one call, and most calls of one pass.
const DELETIONS_A_CALL: usize = 500;
const CALLS_A_PASS: usize = 2_000;
/// Passes are not closer to each other than this.
const EVERY_MIN_MS: u64 = 100;

/// None when no folder is configured.
///
/// # Errors
/// When the folder cannot be made.
pub fn open(config: &Config) -> anyhow::Result<Option<Arc<dyn Archive>>> {
    if config.folder.is_empty() {
        return Ok(None);
    }
    let archive = ObjectArchive::open(Path::new(&config.folder))?;
    Ok(Some(Arc::new(archive)))
}

/// # Errors
/// For a duration that is none.
pub fn settings(config: &Config, worker: &str) -> anyhow::Result<Settings> {
    let [a, b, ..] = Digest::of(worker.as_bytes()).0;
    Ok(Settings {
        after_ms: i64::try_from(duration("archive.after", &config.after)?)?,
        runs_a_pass: config.runs.clamp(1, 500),
        calls_a_pass: CALLS_A_PASS,
        deletions_a_call: DELETIONS_A_CALL,
        begins_with: usize::from(u16::from_be_bytes([a, b])),
    })
}

fn duration(name: &str, text: &str) -> anyhow::Result<u64> {
    parse_ms(text)
        .with_context(|| format!("{name} is {text:?}: write a duration such as 7d or 30m"))
}

/// Archives and purges bounded amounts until `shutdown`; returns at once when there is no archive.
///
/// # Errors
/// For settings that are none, before anything is done.
pub fn keep(
    api: &Api,
    config: &Config,
    worker: &str,
    shutdown: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let (store, archive) = (Arc::clone(&api.store), api.archive.clone());
    let settings = settings(config, worker)?;
    let every_ms = duration("archive.every", &config.every)?.max(EVERY_MIN_MS);
    Ok(async move {
        let Some(archive) = archive else { return };
        let keeper = Keeper::new(store, archive, settings);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(every_ms)) => passes(&keeper).await,
            }
        }
    })
}

async fn passes(keeper: &Keeper) {
    for _ in 0..PASSES_MAX {
        match keeper.pass().await {
            Err(fault) => return warn!(%fault, "finished runs stay in the store for now"),
            Ok(pass) => {
                for (run, why) in &pass.failed {
                    warn!(run, why, "the run stays in the store for now");
                }
                if pass.archived + pass.purged > 0 {
                    info!(pass.archived, pass.purged, "finished runs left the store");
                }
                if !pass.more {
                    return;
                }
            }
        }
    }
}
