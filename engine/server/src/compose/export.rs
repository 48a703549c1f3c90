//! Checkpoints go to the places elsewhere that are configured.
//!
//! Not here: what is compared first, and what a place is given (archive).

use super::ledger::signing_key;
use crate::config::Config;
use anyhow::{Context, bail};
use hostler_archive::seal::{Exporter, FolderPlace, MessagePlace, ObjectShelf, Place, Shelf};
use hostler_core::duration::parse_ms;
use hostler_ports::channel::Channel;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Most places of one ledger.
const PLACES_MAX: usize = 16;
/// Passes are not closer to each other than this.
const EVERY_MIN: Duration = Duration::from_secs(1);
/// After a pass in which a place did not answer, and before the first one: time to seal something.
const SOON: Duration = Duration::from_secs(30);

/// `exported to 2 places`, for `hostler doctor`.
pub fn places_text(config: &crate::config::Ledger) -> String {
    match config.export_folders.len() + config.export_mail.len() {
        0 => {
            "its checkpoints stay on this machine: name a place in ledger.export_folders".to_owned()
        }
        1 => "its checkpoints are exported to 1 place".to_owned(),
        places => format!("its checkpoints are exported to {places} places"),
    }
}

/// Exports until `shutdown`; returns at once where no place is configured.
///
/// # Errors
/// For settings that are none, before anything is done.
pub fn keep(
    config: &Config,
    realm: &str,
    channel: Arc<dyn Channel>,
    shutdown: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let every = &config.ledger.export_every;
    let every_ms = parse_ms(every).with_context(|| {
        format!("ledger.export_every is {every:?}: write a duration such as 1h")
    })?;
    let every = Duration::from_millis(every_ms).max(EVERY_MIN);
    let exporter = exporter(config, realm, channel)?;
    Ok(async move {
        let Some(exporter) = exporter else { return };
        let mut pause = every.min(SOON);
        let mut said = BTreeSet::new();
        loop {
            // A stop exports what was sealed by then.
            let last = tokio::select! {
                () = shutdown.cancelled() => true,
                () = tokio::time::sleep(pause) => false,
            };
            pause = match tell(&exporter, &mut said).await {
                true => every,
                false => every.min(SOON),
            };
            if last {
                return;
            }
        }
    })
}

/// One pass; whether every place has what it should. Each fault is said once, until it is another one.
async fn tell(exporter: &Exporter, said: &mut BTreeSet<String>) -> bool {
    let faults = exporter.pass().await;
    let mut now = BTreeSet::new();
    for fault in &faults {
        let text = fault.to_string();
        match (said.contains(&text), fault.needs_person()) {
            (true, _) => {}
            (false, true) => error!(%fault, "the ledger does not fit what was exported of it"),
            (false, false) => warn!(%fault, "a checkpoint is not exported for now"),
        }
        now.insert(text);
    }
    *said = now;
    faults.is_empty()
}

fn exporter(
    config: &Config,
    realm: &str,
    channel: Arc<dyn Channel>,
) -> anyhow::Result<Option<Exporter>> {
    let ledger = &config.ledger;
    let count = ledger.export_folders.len() + ledger.export_mail.len();
    if count == 0 {
        return Ok(None);
    }
    if count > PLACES_MAX {
        bail!(
            "ledger.export_folders and ledger.export_mail name {count} places: {PLACES_MAX} are the limit"
        );
    }
    if ledger.key_file.is_empty() {
        bail!(
            "ledger.export_folders or ledger.export_mail names places, and nothing is sealed: set ledger.key_file, or leave them empty"
        );
    }
    let key = signing_key(&ledger.key_file, realm)?.verifier().clone();
    let shelf: Arc<dyn Shelf> =
        Arc::new(ObjectShelf::open(Path::new(&ledger.folder)).context("ledger.folder")?);
    let mut places: Vec<Arc<dyn Place>> = Vec::with_capacity(count);
    for folder in &ledger.export_folders {
        let own = ObjectShelf::open(Path::new(folder)).context("ledger.export_folders")?;
        places.push(Arc::new(FolderPlace::new(folder.clone(), Arc::new(own))));
    }
    let from = &config.mail.from_address;
    let domain = from
        .rsplit_once('@')
        .map_or(from.as_str(), |(_, domain)| domain);
    for address in &ledger.export_mail {
        let (channel, notes) = (Arc::clone(&channel), Arc::clone(&shelf));
        let place = MessagePlace::new(address.clone(), domain.to_owned(), channel, notes);
        places.push(Arc::new(place));
    }
    Ok(Some(Exporter::new(shelf, key, places)))
}
