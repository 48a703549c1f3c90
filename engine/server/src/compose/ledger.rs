//! The sealed ledger as configured: its key, its folder, and the housekeeping that seals.

use crate::config::Ledger as Config;
use crate::dev::state::private;
use anyhow::{Context, anyhow, bail};
use hostler_api::Api;
use hostler_archive::seal::{ObjectShelf, SealError, SealedReader, Sealer, Trust, carry};
use hostler_core::duration::parse_ms;
use hostler_ledger::key::{SEED_BYTES, SigningKey, VerifierKey};
use hostler_ports::sealed::SealedLedger;
use hostler_ports::store::Store;
use ring::rand::{SecureRandom, SystemRandom};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Passes made one after the other while there is more to do.
const PASSES_MAX: usize = 100;
/// Passes are not closer to each other than this.
const EVERY_MIN_MS: u64 = 100;

/// Makes a new key: the private one into `file`, the public one beside it and back.
///
/// # Errors
/// When `file` is there already, or cannot be written.
pub fn new_key(file: &Path, realm: &str) -> anyhow::Result<VerifierKey> {
    if file.exists() {
        bail!(
            "{} is there already: a new key would not sign for what that one has sealed; name another file",
            file.display()
        );
    }
    let mut seed = [0; SEED_BYTES];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| anyhow!("this machine gives no random bytes"))?;
    let key = SigningKey::from_seed(realm, seed)?;
    let written = private(file, &key.to_private_text());
    written.with_context(|| file.display().to_string())?;
    let public = public_file(file);
    std::fs::write(&public, format!("{}\n", key.verifier()))
        .with_context(|| public.display().to_string())?;
    Ok(key.verifier().clone())
}

/// Where the public key lies beside a private one.
pub fn public_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// A key for practice, made once.
///
/// # Errors
/// When it cannot be written.
pub fn practice_key(file: &Path, realm: &str) -> anyhow::Result<()> {
    if !file.exists() {
        new_key(file, realm)?;
    }
    Ok(())
}

/// None when no key is configured.
///
/// # Errors
/// When the key cannot be read, is of another realm, or the folder cannot be made.
pub fn sealer(
    config: &Config,
    realm: &str,
    store: Arc<dyn Store>,
) -> anyhow::Result<Option<Sealer>> {
    if config.key_file.is_empty() {
        return Ok(None);
    }
    let key = signing_key(&config.key_file, realm)?;
    let shelf = ObjectShelf::open(Path::new(&config.folder)).context("ledger.folder")?;
    let sealer = Sealer::new(Arc::new(store), Arc::new(shelf), key, realm)?;
    Ok(Some(sealer))
}

pub(super) fn signing_key(file: &str, realm: &str) -> anyhow::Result<SigningKey> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!("ledger.key_file {file}; make one: hostler ledger key new {file} --realm {realm}")
    })?;
    SigningKey::parse(&text).with_context(|| format!("ledger.key_file {file}"))
}

/// Where entries are read that have left the store. The folder need not be there: it is asked only for
/// what the store has no more, and then says what is missing.
///
/// # Errors
/// When the key cannot be read, or the folder's name is none.
pub fn reader(config: &Config, realm: &str) -> anyhow::Result<Arc<dyn SealedLedger>> {
    // An engine that only answers requests needs no private key, whatever its settings name.
    let trust = match config.key_file.as_str() {
        file if Path::new(file).is_file() => {
            Trust::Key(signing_key(file, realm)?.verifier().clone())
        }
        _ => Trust::Realm(realm.to_owned()),
    };
    Ok(Arc::new(reading(Path::new(&config.folder), trust)?))
}

fn reading(folder: &Path, trust: Trust) -> anyhow::Result<SealedReader> {
    let shelf = ObjectShelf::reading(folder).context("ledger.folder")?;
    let place = folder.display().to_string();
    Ok(SealedReader::new(Arc::new(shelf), place, trust))
}

/// Begins the folder `new` with what `old` has below a number; how many entries lie there then.
///
/// # Errors
/// When the key or a folder cannot be read, or they do not fit together.
pub async fn begin(old: &Path, new: &Path, below: u64, key_file: &Path) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(key_file).with_context(|| key_file.display().to_string())?;
    let key = SigningKey::parse(&text).with_context(|| key_file.display().to_string())?;
    let old = reading(old, Trust::Key(key.verifier().clone()))?;
    let shelf = ObjectShelf::open(new)?;
    Ok(carry(old, below, Arc::new(shelf), key).await?)
}

/// Seals until `shutdown`, or until a person must look; returns at once without a key.
///
/// # Errors
/// For settings that are none, before anything is done.
pub fn keep(
    api: &Api,
    config: &Config,
    shutdown: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let sealer = sealer(config, api.directory.realm(), Arc::clone(&api.store))?;
    let every_ms = parse_ms(&config.every).with_context(|| {
        format!(
            "ledger.every is {:?}: write a duration such as 2s",
            config.every
        )
    })?;
    let every = Duration::from_millis(every_ms.max(EVERY_MIN_MS));
    Ok(async move {
        let Some(sealer) = sealer else { return };
        let mut away = false;
        loop {
            // A stop seals what is there by then.
            let last = tokio::select! {
                () = shutdown.cancelled() => true,
                () = tokio::time::sleep(every) => false,
            };
            match passes(&sealer).await {
                Ok(()) => away = false,
                Err(fault) if fault.needs_person() => {
                    return error!(%fault, "the ledger is not sealed any more until the next start");
                }
                // Once is enough: it is tried again and again.
                Err(fault) if !away => {
                    away = true;
                    warn!(%fault, "new entries of the ledger are not sealed for now");
                }
                Err(_) => {}
            }
            if last {
                return;
            }
        }
    })
}

async fn passes(sealer: &Sealer) -> Result<(), SealError> {
    for _ in 0..PASSES_MAX {
        if !sealer.pass().await?.more {
            break;
        }
    }
    Ok(())
}

/// What `hostler doctor` finds.
pub enum Look {
    Good(String),
    Off(String),
    Bad(String),
}

/// Looks at key, folder and store, and changes nothing.
pub async fn look(config: &Config, realm: &str, store: Arc<dyn Store>) -> Look {
    let folder = Path::new(&config.folder);
    if !config.key_file.is_empty() && Path::new(&config.key_file).exists() && !folder.exists() {
        let folder = folder.display();
        return Look::Off(format!(
            "{folder} is not there yet: it is made at the first start"
        ));
    }
    match sealer(config, realm, store) {
        Err(fault) => Look::Bad(format!("{fault:#}")),
        Ok(None) => Look::Off(format!(
            "it is not sealed: make a key with `hostler ledger key new ledger.key --realm {realm}` and set ledger.key_file = \"ledger.key\""
        )),
        Ok(Some(_)) if others_read(Path::new(&config.key_file)) => Look::Bad(format!(
            "others can read {file}, and so sign what never was: chmod 600 {file}",
            file = config.key_file
        )),
        Ok(Some(sealer)) => match sealer.look().await {
            Ok((sealed, waiting)) => Look::Good(format!(
                "{sealed} entries are sealed, {waiting} wait for it; {}",
                super::export::places_text(config)
            )),
            Err(fault) => Look::Bad(fault.to_string()),
        },
    }
}

#[cfg(unix)]
fn others_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_read(_: &Path) -> bool {
    false
}
