//! A store made from a copy. The copy is read twice: whole, before anything is written, and again to
//! fill a folder beside the wanted one, which takes its place only when all is done.
//!
//! Not here: the form of a copy, and what a restored store is told (both in `hostler_ports`).

use crate::Options;
use crate::disk::{Changes, Disk, OpenError};
use crate::group::Group;
use crate::writer;
use hostler_ports::clock::Clock;
use hostler_ports::store::copy::restore::{Restoring, declare, prepare};
use hostler_ports::store::copy::{CopyFault, Manifest, read};
use hostler_ports::store::generation::Generation;
use hostler_ports::store::{StoreError, StoreResult};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why nothing was restored. The wanted folder is as it was.
#[derive(Debug, Error)]
pub enum RestoreError {
    #[error(
        "{0} is not empty: a copy is restored only into an empty store. Move the folder away (it may \
         hold what the copy lacks), or name another one with store.folder"
    )]
    NotEmpty(String),
    #[error(transparent)]
    Copy(#[from] CopyFault),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
}

impl From<StoreError> for RestoreError {
    fn from(fault: StoreError) -> Self {
        Self::Copy(fault.into())
    }
}

/// Makes a store in `folder` from the copy in `file`. Blocks for as long as it takes.
///
/// # Errors
/// See `RestoreError`; a damaged copy is refused before anything is written.
pub fn restore(
    file: &Path,
    folder: &Path,
    why: &Restoring,
    clock: &dyn Clock,
) -> Result<(Manifest, Generation), RestoreError> {
    if !is_empty(folder)? {
        return Err(RestoreError::NotEmpty(folder.display().to_string()));
    }
    read(opened(file)?, |_| Ok(()), |_| Ok(()))?;
    let beside = beside(folder);
    if beside.exists() {
        // What an interrupted restore has left: nobody but it makes this name.
        std::fs::remove_dir_all(&beside).map_err(|fault| named(&beside, fault))?;
    }
    let made = fill(file, &beside, why, clock)?;
    if folder.exists() {
        std::fs::remove_dir(folder).map_err(|fault| named(folder, fault))?;
    }
    std::fs::rename(&beside, folder).map_err(|fault| named(folder, fault))?;
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    synced.map_err(|fault| named(parent, fault))?;
    Ok(made)
}

fn fill(
    file: &Path,
    folder: &Path,
    why: &Restoring,
    clock: &dyn Clock,
) -> Result<(Manifest, Generation), RestoreError> {
    let disk = Disk::open(folder, Options::default())?;
    let write = |pairs: Vec<(Vec<u8>, Vec<u8>)>| {
        let pairs = pairs.into_iter().map(|(key, value)| (key, Some(value)));
        Ok(disk.write(&pairs.collect::<Changes>())?)
    };
    let (manifest, _) = read(opened(file)?, |_| Ok(()), write)?;
    let mut group = Group::open(&disk)?;
    loop {
        let (more, _) = writer::call(&mut group, clock.now_ms(), prepare)?;
        group.finish(&disk)?;
        if !more {
            break;
        }
    }
    let declared: StoreResult<_> =
        writer::call(&mut group, clock.now_ms(), |tx| declare(tx, &manifest, why));
    let (generation, _) = declared?;
    group.finish(&disk)?;
    Ok((manifest, generation))
}

fn is_empty(folder: &Path) -> Result<bool, RestoreError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(fault) => Err(named(folder, fault)),
    }
}

fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

fn opened(file: &Path) -> Result<BufReader<File>, RestoreError> {
    let opened = File::open(file).map_err(|fault| named(file, fault))?;
    Ok(BufReader::new(opened))
}

fn named(path: &Path, fault: std::io::Error) -> RestoreError {
    RestoreError::Io(path.display().to_string(), fault)
}
