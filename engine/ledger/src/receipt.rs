//! A receipt: a few entries, the checkpoint that seals them, and the proof of each, in one JSON text.
//! "You were told at this instant, you agreed at that one."
//!
//! Not here: whose entries they are. A receipt shows whatever it is made of: whoever makes one checks
//! first that every entry concerns the customer who gets it.

use crate::bundle;
use crate::checkpoint::{CHECKPOINT_MAX_BYTES, Checkpoint, CheckpointError};
use crate::entry::{Body, Entry, EntryError, body_path};
use crate::folder::{self, Folder, FolderError, NodeError, Tiles};
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::proof::{PROOF_MAX, includes, inclusion};
use crate::tile::{CHECKPOINT, Level, Tile, WIDTH};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most entries of one receipt.
pub const ENTRIES_MAX: usize = 100;
/// Longest text of a receipt in bytes.
pub const RECEIPT_MAX_BYTES: usize = 16 * 1024 * 1024;
const FORMAT: &str = "hostler-receipt/1";

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReceiptError {
    #[error("this is no receipt: {0}")]
    Malformed(String),
    #[error("a receipt has 1 to {ENTRIES_MAX} entries, not {0}")]
    Count(usize),
    #[error(
        "entry {index} is not sealed yet: the checkpoint counts {size} entries; wait for the next one"
    )]
    NotSealed { index: u64, size: u64 },
    #[error(
        "entry {0} is not the one that the checkpoint seals: the receipt or the folder was changed"
    )]
    NotIncluded(u64),
    #[error("entry {0} has a body of its own that does not belong to it, or none")]
    Body(u64),
    #[error("entry {index}: {fault}")]
    Entry { index: u64, fault: EntryError },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// One entry of a receipt and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    pub index: u64,
    /// The entry as it was sealed, byte by byte.
    pub entry: String,
    /// The body, where it is too long for the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Hashes in base64, from the leaf upwards.
    pub proof: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    format: String,
    pub entries: Vec<Proven>,
    pub checkpoint: String,
}

/// An entry that a receipt has proven, with its whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub entry: Entry,
    pub body: String,
}

impl Receipt {
    /// Makes a receipt of entries that the folder's checkpoint seals, and verifies it before it is
    /// given out.
    ///
    /// # Errors
    /// When an entry is not sealed yet, or the folder does not hold what its checkpoint seals.
    pub fn make(
        folder: &dyn Folder,
        key: &VerifierKey,
        indexes: &[u64],
    ) -> Result<Self, ReceiptError> {
        count(indexes.len())?;
        let found = folder.read(CHECKPOINT, CHECKPOINT_MAX_BYTES)?;
        let text = found.ok_or_else(|| NodeError::Missing(CHECKPOINT.to_owned()))?;
        let checkpoint = Checkpoint::open(&text, key)?;
        let size = checkpoint.head().size;
        let mut entries = Vec::new();
        for index in indexes {
            entries.push(proven(folder, *index, size)?);
        }
        let receipt = Self {
            format: FORMAT.to_owned(),
            entries,
            checkpoint: checkpoint.text().to_owned(),
        };
        receipt.verify(key)?;
        Ok(receipt)
    }

    /// # Errors
    /// For a text that is no receipt.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > RECEIPT_MAX_BYTES {
            let why = format!(
                "it has {} bytes, at most {RECEIPT_MAX_BYTES} are read",
                text.len()
            );
            return Err(ReceiptError::Malformed(why));
        }
        let receipt: Self = serde_json::from_str(text)
            .map_err(|fault| ReceiptError::Malformed(fault.to_string()))?;
        if receipt.format != FORMAT {
            return Err(ReceiptError::Malformed(format!(
                "its format is not {FORMAT}"
            )));
        }
        Ok(receipt)
    }

    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The entries that this receipt proves, by nothing but the public key.
    ///
    /// # Errors
    /// Unless each of them is below the signed root.
    pub fn verify(&self, key: &VerifierKey) -> Result<Vec<Told>, ReceiptError> {
        count(self.entries.len())?;
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key)?;
        let told = self.entries.iter().map(|proven| proven.told(&checkpoint));
        told.collect()
    }
}

impl Proven {
    fn told(&self, checkpoint: &Checkpoint) -> Result<Told, ReceiptError> {
        let index = self.index;
        let not_included = ReceiptError::NotIncluded(index);
        if self.proof.len() > PROOF_MAX {
            return Err(not_included);
        }
        let path: Option<Vec<Hash>> = self
            .proof
            .iter()
            .map(|text| Hash::from_base64(text))
            .collect();
        let path = path.ok_or(not_included.clone())?;
        let (head, leaf) = (checkpoint.head(), Hash::leaf(self.entry.as_bytes()));
        if !includes(leaf, index, head.size, head.root, &path) {
            return Err(not_included);
        }
        let entry = Entry::parse(self.entry.as_bytes())
            .map_err(|fault| ReceiptError::Entry { index, fault })?;
        if entry.number != index {
            return Err(not_included);
        }
        let body = self.whole_body(&entry).ok_or(ReceiptError::Body(index))?;
        Ok(Told { entry, body })
    }

    fn whole_body(&self, entry: &Entry) -> Option<String> {
        match (&entry.body, &self.body) {
            (Body::Here(text), None) => Some(text.clone()),
            (Body::Elsewhere { sha256, bytes }, Some(text)) => {
                let same = text.len() as u64 == *bytes && Hash::plain(text.as_bytes()) == *sha256;
                same.then(|| text.clone())
            }
            _ => None,
        }
    }
}

/// One entry of a folder whose checkpoint counts `size`, without its proof: to find out whose it is.
///
/// # Errors
/// When the folder does not hold it.
pub fn read(folder: &dyn Folder, index: u64, size: u64) -> Result<Told, ReceiptError> {
    let bytes = entry_bytes(folder, index, size)?;
    let entry = Entry::parse(&bytes).map_err(|fault| ReceiptError::Entry { index, fault })?;
    let body = match &entry.body {
        Body::Here(text) => text.clone(),
        Body::Elsewhere { sha256, .. } => {
            let found = folder.read(&body_path(*sha256), crate::entry::BODY_MAX_BYTES)?;
            let bytes = found.ok_or(ReceiptError::Body(index))?;
            String::from_utf8(bytes).map_err(|_| ReceiptError::Body(index))?
        }
    };
    Ok(Told { entry, body })
}

fn count(count: usize) -> Result<(), ReceiptError> {
    match count {
        1..=ENTRIES_MAX => Ok(()),
        count => Err(ReceiptError::Count(count)),
    }
}

fn proven(folder: &dyn Folder, index: u64, size: u64) -> Result<Proven, ReceiptError> {
    let path = inclusion(&Tiles { folder, size }, index, size)?;
    let path = path.ok_or(ReceiptError::NotSealed { index, size })?;
    let bytes = entry_bytes(folder, index, size)?;
    let entry = Entry::parse(&bytes).map_err(|fault| ReceiptError::Entry { index, fault })?;
    let text =
        |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| ReceiptError::NotIncluded(index));
    let body = match entry.body {
        Body::Here(_) => None,
        Body::Elsewhere { sha256, .. } => {
            let found = folder.read(&body_path(sha256), crate::entry::BODY_MAX_BYTES)?;
            Some(text(found.ok_or(ReceiptError::Body(index))?)?)
        }
    };
    Ok(Proven {
        index,
        entry: text(bytes)?,
        body,
        proof: path.into_iter().map(Hash::to_base64).collect(),
    })
}

/// One entry as it lies in the folder of a ledger of `size` entries.
fn entry_bytes(folder: &dyn Folder, index: u64, size: u64) -> Result<Vec<u8>, ReceiptError> {
    let tile = Tile {
        level: Level::Entries,
        index: index / WIDTH,
        width: WIDTH.min(size - index / WIDTH * WIDTH),
    };
    let missing = || NodeError::Missing(tile.path());
    let (bytes, width) = folder::read_tile(folder, tile)?.ok_or_else(missing)?;
    let (entries, _) = bundle::split(&bytes, width);
    let at = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
    let entry = entries.get(at).ok_or_else(missing)?;
    Ok(entry.to_vec())
}
