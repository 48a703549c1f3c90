//! `hostler backup` and `hostler restore`: the whole store as one file, and back.
//!
//! A copy comes from the running engine; from the store itself when none runs. Restoring is done
//! while none runs.

use super::Context;
use crate::clock::{SystemClock, SystemIds};
use crate::compose::{engine, store};
use crate::failure::Failure;
use anyhow::Context as _;
use clap::Args;
use hostler_core::directory::Directory;
use hostler_estate::Estate;
use hostler_ports::clock::Clock;
use hostler_ports::store::copy::restore::Restoring;
use hostler_ports::store::copy::{Copying, Manifest, read};
use hostler_ports::store::generation::{Begun, Generation, NewGeneration};
use hostler_ports::store::{Cursor, LedgerLine, Store};
use hostler_store_embedded::{RestoreError, restore as restore_embedded};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pages of lanes that are looked through: more than any store has.
const PAGES_MAX: usize = 1_000_000;

#[derive(Args)]
pub struct BackupArgs {
    /// The file to write; one that exists is never replaced
    file: PathBuf,
}

#[derive(Args)]
pub struct RestoreArgs {
    /// A file that `hostler backup` has written
    #[arg(required_unless_present = "in_place")]
    file: Option<PathBuf>,
    /// The copy lies in its place already, put there by the store's own tools
    #[arg(long, conflicts_with = "file")]
    in_place: bool,
    /// Why; kept in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn backup(context: &Context, args: &BackupArgs) -> Result<(), Failure> {
    let part = beside(&args.file);
    if args.file.exists() {
        let what = format!("{} exists: name another file", args.file.display());
        return Err(Failure::Usage(what));
    }
    let written = match write(context, &part).await {
        Ok(()) => check(&part),
        Err(fault) => Err(fault),
    };
    let manifest = match written {
        Ok(manifest) => manifest,
        Err(fault) => {
            // Half a copy is worth nothing; that it cannot be removed changes nothing.
            let _ = std::fs::remove_file(&part);
            return Err(fault);
        }
    };
    std::fs::rename(&part, &args.file).with_context(|| args.file.display().to_string())?;
    let text = format!(
        "{}: realm {}, {} commits, {} ledger entries; copy archive.folder and ledger.folder behind it, and keep all of it where \
         only you can read",
        args.file.display(),
        manifest.realm,
        manifest.seq,
        manifest.ledger
    );
    context.out.one(&text, &manifest)
}

/// From whoever has the store open.
async fn write(context: &Context, part: &Path) -> Result<(), Failure> {
    let mut file = private(part)?;
    match context
        .client()?
        .download("/api/v1/store/copy", &mut file)
        .await
    {
        Err(Failure::Unreachable(why)) => {
            context.out.note(&format!(
                "{why}\n  no engine answers: the store is opened here"
            ));
            let (store, realm) = opened(context).await?;
            let Some(view) = store.view().await.map_err(internal)? else {
                return Err(hostler_api::services::store::elsewhere().into());
            };
            let taken_ms = store.now_ms().await.map_err(internal)?;
            let copying = Copying::new(view, &realm, taken_ms).map_err(internal)?;
            tokio::task::spawn_blocking(move || frames(copying, &mut file))
                .await
                .map_err(|fault| Failure::Internal(fault.into()))?
        }
        other => {
            other?;
            Ok(file.sync_all()?)
        }
    }
}

fn frames(mut copying: Copying, file: &mut File) -> Result<(), Failure> {
    while let Some(frame) = copying.frame().map_err(internal)? {
        file.write_all(&frame)?;
    }
    Ok(file.sync_all()?)
}

/// What was written is read back: a copy that cannot be restored is none.
fn check(file: &Path) -> Result<Manifest, Failure> {
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    let checked = read(BufReader::new(opened), |_| Ok(()), |_| Ok(()));
    Ok(checked.map_err(|fault| Failure::Internal(fault.into()))?.0)
}

pub async fn restore(context: &Context, args: &RestoreArgs) -> Result<(), Failure> {
    let why = Restoring {
        by: super::user(),
        reason: args.reason.clone(),
    };
    let (generation, taken_ms) = match &args.file {
        Some(file) => from_file(context, file, why).await?,
        None => in_place(context, &why).await?,
    };
    let taken = crate::times::local(taken_ms);
    let text = format!(
        "generation {} goes on from a copy of {taken}: every lane in it asks before its next change. \
         Runs that were started behind the copy are unknown now: look into the ledger that you exported",
        generation.number
    );
    context.out.one(&text, &generation)
}

async fn from_file(
    context: &Context,
    file: &Path,
    why: Restoring,
) -> Result<(Generation, i64), Failure> {
    let config = context.config()?;
    if config.store.kind != "embedded" {
        return Err(hostler_api::services::store::elsewhere().into());
    }
    let (file, folder) = (file.to_owned(), PathBuf::from(&config.store.folder));
    let clock = SystemClock::new();
    let restored =
        tokio::task::spawn_blocking(move || restore_embedded(&file, &folder, &why, &clock));
    match restored
        .await
        .map_err(|fault| Failure::Internal(fault.into()))?
    {
        Ok((manifest, generation)) => Ok((generation, manifest.taken_ms)),
        Err(fault @ (RestoreError::NotEmpty(_) | RestoreError::Copy(_))) => {
            Err(Failure::Invalid(fault.to_string()))
        }
        Err(fault) => Err(Failure::Internal(fault.into())),
    }
}

/// When the copy was taken is not known here; it is not older than its newest lane.
async fn in_place(context: &Context, why: &Restoring) -> Result<(Generation, i64), Failure> {
    let (store, realm) = opened(context).await?;
    let state = store.state().await.map_err(internal)?;
    let mut taken_ms = 0;
    let mut cursor = Cursor::default();
    for _ in 0..PAGES_MAX {
        let page = store.lanes(cursor).await.map_err(internal)?;
        let newest = page
            .entries
            .iter()
            .map(|lane| lane.updated_ms.max(lane.created_ms));
        taken_ms = newest.fold(taken_ms, i64::max);
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    let from = state.generation.number;
    let decision = json!({
        "entry": "restored_in_place",
        "generation": from + 1,
        "by": why.by,
        "reason": why.reason,
        "realm": realm,
        "seq": state.seq,
        "ledger": state.ledger,
        "newest_ms": taken_ms,
        "at_ms": state.now_ms,
    })
    .to_string();
    let new = NewGeneration {
        from,
        copy_taken_ms: Some(taken_ms),
        ledger: LedgerLine {
            body: decision.clone(),
        },
        decision,
    };
    match store.begin_generation(new).await.map_err(internal)? {
        Begun::New(generation) => Ok((generation, taken_ms)),
        Begun::Other(_) => Err(Failure::Invalid(
            "somebody else has decided meanwhile: stop every Hostler process first".to_owned(),
        )),
    }
}

/// The store as configured; a folder that is not there is not made.
async fn opened(context: &Context) -> Result<(Arc<dyn Store>, String), Failure> {
    let config = context.config()?;
    let estate: Estate =
        engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    let folder = Path::new(&config.store.folder);
    if config.store.kind == "embedded" && !folder.exists() {
        let what = format!("there is no store in {}", folder.display());
        return Err(Failure::Invalid(what));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let realm = estate.realm().to_owned();
    let store = store::open(&config.store, &realm, clock, Arc::new(SystemIds)).await?;
    Ok((store, realm))
}

/// Beside the wanted file, so that taking its name is one step.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Readable for its owner only: a copy holds everything.
fn private(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    Ok(opened.with_context(|| path.display().to_string())?)
}

fn internal(fault: hostler_ports::store::StoreError) -> Failure {
    hostler_api::Problem::from(fault).into()
}
