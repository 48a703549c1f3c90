//! Finished runs leave the store: read out whole, put into the archive, verified, committed, purged.
//! `seal` does the same for the ledger: its entries become a signed tree in a folder.
//!
//! Not here: how people look at an archived run (`hostler_ports::archive::ArchiveView`).
#![forbid(unsafe_code)]

mod fault;
mod folder;
mod gather;
mod keeper;
mod purge;
pub mod seal;

pub use fault::KeeperError;
pub use folder::{ObjectArchive, OpenError};
pub use gather::{GatherError, Gathered, gather};
pub use keeper::{Backlog, Keeper, Pass, Settings};
