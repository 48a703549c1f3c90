//! The tamper-evident ledger: a Merkle tree over entries, laid out in tiles, under signed checkpoints.
//!
//! Pure: folders are read through `Folder`, keys and instants come in as values. Not here: the store
//! whose entries are sealed, any network, clock or chance, and who may see what: whoever makes a
//! receipt must have checked that its entries concern the customer who gets it.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod checkpoint;
pub mod entry;
pub mod folder;
pub mod growth;
pub mod hash;
pub mod key;
mod lines;
pub mod proof;
pub mod receipt;
pub mod tile;
pub mod tree;
pub mod verify;

/// Most entries of one ledger: six levels of tiles.
pub const SIZE_MAX: u64 = 1 << 48;
