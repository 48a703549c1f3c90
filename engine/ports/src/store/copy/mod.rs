//! A copy of a whole store as one file: frames that carry their own digests, so that a damaged one is
//! found with its place, and a last frame without which the file is not whole.
//!
//! `magic`, then frames: kind (1 byte), length (4), SHA-256 of the body (32), body (zstd). The first
//! frame is the manifest, then come pairs in the order of their keys, then the end.
//!
//! Not here: where the file lies, and what a restored store must be told (`restore`).

mod read;
pub mod restore;
mod write;

pub use read::{CopyFault, read};
pub use write::Copying;

use super::verbs::kv::Kv;
use hostler_core::id::Digest;
use serde::{Deserialize, Serialize};

/// One unchanging state of a store.
pub type View = Box<dyn Kv + Send>;

/// Beginning of every copy; the number is the form of the file.
pub const MAGIC: &[u8] = b"hostler-copy 1\n";
/// Raw bytes after which a frame is closed; a single larger pair has a frame of its own.
const FRAME_BYTES: usize = 1024 * 1024;
/// Most raw bytes of one frame: what a pair may have, and more. Bounds the memory of a reader.
const FRAME_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Pairs read from a view at once.
const PAIRS_AT_ONCE: usize = 256;
/// Kind, length and digest.
const HEAD_BYTES: usize = 1 + 4 + 32;

const MANIFEST: u8 = b'M';
const PAIRS: u8 = b'P';
const END: u8 = b'E';

/// What a copy says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the keys; a store refuses another than its own.
    pub format: u32,
    pub realm: String,
    /// Newest commit in it.
    pub seq: u64,
    pub generation: u64,
    /// Entries of the ledger in it.
    pub ledger: u64,
    /// When it was taken, by the store's clock.
    pub taken_ms: i64,
}

/// What the last frame says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub pairs: u64,
    /// SHA-256 over the digests of all frames before this one, in their order.
    pub content: Digest,
}

/// The digest of the content grows with every frame.
#[derive(Clone, Debug, Default)]
struct Chain(Vec<u8>);

impl Chain {
    fn add(&mut self, digest: Digest) {
        self.0.extend_from_slice(&digest.0);
        // One block of digests becomes one digest: the chain stays small whatever is copied.
        if self.0.len() >= 4096 * 32 {
            self.0 = self.present().0.to_vec();
        }
    }

    fn present(&self) -> Digest {
        Digest::of(&self.0)
    }
}
