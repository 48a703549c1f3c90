//! Finished runs leave the store: read out whole, put into the archive, verified, committed, purged.
//!
//! Not here: how people look at an archived run (`hostler_ports::archive::ArchiveView`).
#![forbid(unsafe_code)]

mod folder;
mod gather;
mod keeper;
mod purge;

pub use folder::{ObjectArchive, OpenError};
pub use gather::{GatherError, Gathered, gather};
pub use keeper::{Backlog, Keeper, KeeperError, Pass, Settings};
