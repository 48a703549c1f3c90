//! Verification without the engine: a public key, the folder, and checkpoints that were kept elsewhere.
//!
//! One pass over the entries, one bundle in memory at a time. Not here: receipts of a few entries.

mod fault;
mod marks;
mod settle;
mod walk;

pub use fault::{Fault, Kind, Report};

use crate::checkpoint::{CHECKPOINT_MAX_BYTES, Checkpoint};
use crate::folder::{Folder, FolderError};
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::proof::Head;
use crate::tile::CHECKPOINT;
use marks::Marks;
use thiserror::Error;
use walk::Walk;

/// Most exported checkpoints of one verification: one an hour for two years, and one an approval.
pub const CHECKPOINTS_MAX: usize = 100_000;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(
        "there is nothing to verify against: the folder's checkpoint {0}; name an exported one with --checkpoint FILE"
    )]
    NothingSigned(String),
    #[error(
        "{0} checkpoints are more than the {CHECKPOINTS_MAX} of one verification: leave out some"
    )]
    TooMany(usize),
}

/// Compares a folder with its own checkpoint and with exported ones, all of the key's realm.
///
/// # Errors
/// When a file cannot be read, or no checkpoint counts. What is wrong with the ledger is in the report.
pub fn verify(
    folder: &dyn Folder,
    key: &VerifierKey,
    exported: &[Checkpoint],
) -> Result<Report, VerifyError> {
    if exported.len() > CHECKPOINTS_MAX {
        return Err(VerifyError::TooMany(exported.len()));
    }
    let own = own(folder, key)?;
    let heads: Vec<Head> = exported.iter().map(Checkpoint::head).collect();
    let marks = Marks::new(heads.iter().copied().chain(own.clone().ok()));
    let Some(largest) = marks.largest() else {
        return Err(VerifyError::NothingSigned(own.err().unwrap_or_default()));
    };
    let mut walk = Walk::new(folder, marks);
    let fault = walk.run(largest)?;
    let fault = fault.map(|fault| behind(fault, largest, &own));
    Ok(Report {
        head: walk.agreed(),
        checkpoints: heads.len() + usize::from(own.is_ok()),
        fault: fault.or_else(|| stale(largest, own)),
    })
}

/// The head of the folder's own checkpoint, or why it does not count.
fn own(folder: &dyn Folder, key: &VerifierKey) -> Result<Result<Head, String>, FolderError> {
    let Some(text) = folder.read(CHECKPOINT, CHECKPOINT_MAX_BYTES)? else {
        return Ok(Err("is not there".to_owned()));
    };
    let opened = Checkpoint::open(&text, key);
    Ok(opened
        .map(|checkpoint| checkpoint.head())
        .map_err(|fault| fault.to_string()))
}

/// A folder that ends where its own checkpoint says is old, not cut.
fn behind(fault: Fault, largest: u64, own: &Result<Head, String>) -> Fault {
    let is_end = matches!(fault.kind, Kind::Missing { .. }) && fault.exact();
    match own {
        Ok(own) if is_end && own.size == fault.index => Fault {
            kind: Kind::Behind { size: largest },
            ..fault
        },
        _ => fault,
    }
}

/// What is wrong when every entry is right.
fn stale(largest: u64, own: Result<Head, String>) -> Option<Fault> {
    let why = match own {
        Err(why) => why,
        Ok(own) if own.size < largest => {
            format!("it counts {} entries, an exported one {largest}", own.size)
        }
        Ok(_) => return None,
    };
    Some(Fault {
        kind: Kind::Checkpoint { why },
        index: largest,
        sure_to: largest,
    })
}

/// The root of nothing, where a walk begins.
fn nothing() -> Head {
    Head {
        size: 0,
        root: Hash::empty(),
    }
}
