//! The sealer: confirmed lines of the store's ledger become leaves, tiles and a signed checkpoint.
//!
//! It keeps no state: where it stopped, the folder's checkpoint says. A leaf is the stored line in its
//! one way of writing, so two sealers make one tree, and a tile that was written before a crash is
//! written again with the same bytes. What is sealed leaves the store (`trim`) and is read back from the
//! folder (`reader`); its checkpoints go to places elsewhere (`export`).

mod carry;
mod edge;
mod export;
mod reader;
mod shelf;
mod trim;

pub use carry::carry;
pub use export::{ExportError, Exporter, FolderPlace, LATEST, MessagePlace, Place};
pub use reader::{SealedReader, Trust};
pub use shelf::{Kept, ObjectShelf, Shelf, ShelfError};
pub use trim::KEEP_SEALED;

use async_trait::async_trait;
use hostler_ledger::checkpoint::{Checkpoint, CheckpointError};
use hostler_ledger::entry::{Body, Entry, EntryError};
use hostler_ledger::folder::File;
use hostler_ledger::growth::Growth;
use hostler_ledger::hash::Hash;
use hostler_ledger::key::SigningKey;
use hostler_ledger::proof::Head;
use hostler_ledger::tile::{CHECKPOINT, Tile, WIDTH};
use hostler_ports::store::{Confirmed, Counts, LedgerEntry, Seq, Store, StoreError, StoreResult};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use thiserror::Error;

/// Most entries that one pass seals.
pub const ENTRIES_A_PASS: u64 = 5_000;
/// A pass ends once it has this many bytes of entries and bodies.
const BYTES_A_PASS: usize = 32 * 1024 * 1024;

/// What the sealer asks of the store.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    async fn counts(&self) -> StoreResult<Counts>;
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed>;
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>>;
    async fn trim(&self, below: u64, max: usize) -> StoreResult<bool>;
}

#[async_trait]
impl Source for Arc<dyn Store> {
    async fn counts(&self) -> StoreResult<Counts> {
        Store::counts(&**self).await
    }
    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        Store::confirm(&**self, seq).await
    }
    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        Store::ledger(&**self, from).await
    }
    async fn trim(&self, below: u64, max: usize) -> StoreResult<bool> {
        Store::trim_ledger(&**self, below, max).await
    }
}

#[derive(Debug, Error)]
pub enum SealError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(
        "the ledger's key is named {key:?}, the realm {realm:?}: make a key with `hostler ledger key new FILE --realm {realm}`"
    )]
    Realm { key: String, realm: String },
    /// The store answers from a past that was sealed over already.
    #[error(
        "the store has {found} ledger entries, {sealed} are sealed: it went back to an older state. Nothing is sealed until a person has restored it, or put the folder of the ledger aside and begun a new one from it: hostler ledger begin OLD NEW --below {found} --key FILE"
    )]
    Regressed { sealed: u64, found: u64 },
    #[error(
        "entry {number} of the store's ledger is not the one that was sealed: the store was changed, or went back and on. Nothing is sealed until a person has looked"
    )]
    Rewritten { number: u64 },
    #[error(
        "entry {number} of the store's ledger is not there although later ones are: it was deleted, or it was sealed into another folder than this one (ledger.folder) and has left the store. Nothing is sealed until a person has looked"
    )]
    Gap { number: u64 },
    #[error(
        "{path} in the folder of the ledger holds something else than the store: the store went back after it was written, or the file was changed. Nothing is sealed until a person has looked"
    )]
    Other { path: String },
    #[error(
        "the folder of the ledger is damaged ({why}): restore it from a backup, or look with `hostler ledger verify`"
    )]
    Damaged { why: String },
    #[error("the checkpoint in the folder of the ledger does not count: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("entry {number} cannot be sealed: {fault}")]
    Entry { number: u64, fault: EntryError },
}

impl SealError {
    /// Whether waiting mends nothing: a person must look.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Shelf(_))
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Entries below the checkpoint.
    pub size: u64,
    /// Those of them that this pass has added.
    pub added: u64,
    /// There are more that can be sealed now.
    pub more: bool,
}

pub struct Sealer {
    source: Arc<dyn Source>,
    shelf: Arc<dyn Shelf>,
    key: SigningKey,
    reader: SealedReader,
    /// Entries that this process knows to have left the store; spares it asking.
    trimmed: AtomicU64,
}

impl Sealer {
    /// # Errors
    /// Unless the key is the realm's.
    pub fn new(
        source: Arc<dyn Source>,
        shelf: Arc<dyn Shelf>,
        key: SigningKey,
        realm: &str,
    ) -> Result<Self, SealError> {
        let name = key.verifier().name();
        if name != realm {
            return Err(SealError::Realm {
                key: name.to_owned(),
                realm: realm.to_owned(),
            });
        }
        let trust = Trust::Key(key.verifier().clone());
        let place = "the folder of the ledger".to_owned();
        Ok(Self {
            reader: SealedReader::new(Arc::clone(&shelf), place, trust),
            source,
            shelf,
            key,
            trimmed: AtomicU64::new(0),
        })
    }

    /// Seals what the store has confirmed, at most `ENTRIES_A_PASS`, and takes out of the store what has
    /// been sealed for long enough.
    ///
    /// # Errors
    /// When the store or the folder does not answer, or what they hold does not fit together. The
    /// folder's checkpoint stands for what was sealed before.
    pub async fn pass(&self) -> Result<Sealed, SealError> {
        let (sealed, counts) = self.both().await?;
        let done = match self.append(sealed, counts).await {
            Err(SealError::Gap { number }) => {
                let size = self.overtaken(sealed, number).await?.size;
                let (added, more) = (0, true);
                return Ok(Sealed { size, added, more });
            }
            done => done?,
        };
        self.trim(done.size).await?;
        Ok(done)
    }

    async fn append(&self, sealed: Head, counts: Counts) -> Result<Sealed, SealError> {
        let (mut growth, last) = edge::open(&*self.shelf, sealed).await?;
        let confirmed = counts.ledger == sealed.size
            || self.source.confirm(Seq(counts.seq)).await? == Confirmed::Durable;
        let until = if confirmed {
            counts.ledger
        } else {
            sealed.size
        };
        let until = until.min(sealed.size + ENTRIES_A_PASS);
        let bodies = self.grow(&mut growth, last, until).await?;
        let head = Head {
            size: growth.size(),
            root: growth.root(),
        };
        if head.size > sealed.size {
            self.write(bodies, growth.files(), head).await?;
        }
        Ok(Sealed {
            size: head.size,
            added: head.size - sealed.size,
            more: confirmed && head.size < counts.ledger,
        })
    }

    /// An entry is not in the store. Where another sealer has gone on since `behind` was read, it may have
    /// taken it out: the new checkpoint is where to go on. Else somebody else took it.
    async fn overtaken(&self, behind: Head, number: u64) -> Result<Head, SealError> {
        let ahead = self.sealed().await?;
        match ahead.size > behind.size {
            true => Ok(ahead),
            false => Err(SealError::Gap { number }),
        }
    }

    /// How many entries are sealed, and how many wait for it. Writes nothing.
    ///
    /// # Errors
    /// Those of a pass.
    pub async fn look(&self) -> Result<(u64, u64), SealError> {
        let (sealed, counts) = self.both().await?;
        let (mut growth, last) = edge::open(&*self.shelf, sealed).await?;
        let sealed = match self.grow(&mut growth, last, sealed.size).await {
            Err(SealError::Gap { number }) => self.overtaken(sealed, number).await?,
            grown => grown.map(|_| sealed)?,
        };
        Ok((sealed.size, counts.ledger.saturating_sub(sealed.size)))
    }

    /// What is sealed and what the store has: never less.
    async fn both(&self) -> Result<(Head, Counts), SealError> {
        let sealed = self.sealed().await?;
        let counts = self.source.counts().await?;
        if counts.ledger < sealed.size {
            return Err(SealError::Regressed {
                sealed: sealed.size,
                found: counts.ledger,
            });
        }
        Ok((sealed, counts))
    }

    /// What the folder's checkpoint seals; nothing where there is none.
    async fn sealed(&self) -> Result<Head, SealError> {
        match self.shelf.read(CHECKPOINT).await? {
            Some(text) => Ok(Checkpoint::open(&text, self.key.verifier())?.head()),
            None => Ok(Head {
                size: 0,
                root: Hash::empty(),
            }),
        }
    }

    /// Appends the lines below `until`; gives the bodies that lie beside them. `last` is the leaf that
    /// was sealed last: the store must still have it.
    async fn grow(
        &self,
        growth: &mut Growth,
        last: Option<Hash>,
        until: u64,
    ) -> Result<Vec<File>, SealError> {
        let mut number = growth.size() - u64::from(last.is_some());
        let (mut bytes, mut bodies) = (0, Vec::new());
        while number < until && bytes < BYTES_A_PASS {
            let page = self.source.ledger(number).await?;
            if page.first().map(|line| line.number) != Some(number) {
                return Err(SealError::Gap { number });
            }
            for line in page.into_iter().take_while(|line| line.number < until) {
                if line.number != number {
                    return Err(SealError::Gap { number });
                }
                let (entry, body) = leaf(line)?;
                if number == growth.size() {
                    bytes += entry.len() + body.as_ref().map_or(0, |body| body.bytes.len());
                    bodies.extend(body);
                    growth.append(&entry).map_err(edge::damaged)?;
                } else if last != Some(Hash::leaf(&entry)) {
                    return Err(SealError::Rewritten { number });
                }
                number += 1;
                if bytes >= BYTES_A_PASS {
                    break;
                }
            }
        }
        Ok(bodies)
    }

    /// Bodies, then tiles, then the checkpoint: whoever reads it finds all that it counts.
    async fn write(
        &self,
        bodies: Vec<File>,
        files: Vec<File>,
        head: Head,
    ) -> Result<(), SealError> {
        for file in bodies.iter().chain(&files) {
            if self.shelf.keep(file).await? == Kept::Other {
                let path = file.path.clone();
                return Err(SealError::Other { path });
            }
        }
        // Another sealer may be ahead: its checkpoint counts these entries too.
        if self.sealed().await?.size < head.size {
            let checkpoint = Checkpoint::sign(&self.key, head);
            let file = File {
                path: CHECKPOINT.to_owned(),
                bytes: checkpoint.text().as_bytes().to_vec(),
            };
            self.shelf.replace(&file).await?;
        }
        self.clean(&files).await
    }

    /// Removes the narrower versions of tiles that are full now.
    async fn clean(&self, files: &[File]) -> Result<(), SealError> {
        for file in files {
            let full = Tile::parse(&file.path).is_ok_and(|tile| tile.width == WIDTH);
            if full {
                let folder = format!("{}.p", file.path);
                self.shelf.remove_below(&folder).await?;
            }
        }
        Ok(())
    }
}

/// A line of the store in the one way of writing it, and the file that a long body needs.
fn leaf(line: LedgerEntry) -> Result<(Vec<u8>, Option<File>), SealError> {
    let number = line.number;
    let (body, file) = Body::of(line.body).map_err(|fault| SealError::Entry { number, fault })?;
    let entry = Entry {
        number,
        lane: line.lane.map(|lane| lane.to_string()),
        version: line.version,
        at_ms: line.at_ms,
        // The store keeps none yet.
        mac: None,
        body,
    };
    Ok((entry.to_bytes(), file))
}
