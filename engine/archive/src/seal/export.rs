//! Checkpoints leave the machine: a copy that whoever holds the ledger's folder and key cannot take back.
//!
//! Before each one, the folder is held against what the place was given last: a ledger that went back, or
//! was written anew under its own key, is found here while nobody looks. Not here: when a pass is made, and
//! how a message travels.

use super::edge;
use super::{Kept, SealError, Shelf, ShelfError};
use async_trait::async_trait;
use hostler_ledger::checkpoint::{Checkpoint, CheckpointError};
use hostler_ledger::folder::File;
use hostler_ledger::key::VerifierKey;
use hostler_ledger::tile::CHECKPOINT;
use hostler_ports::channel::{Channel, Delivery, Message};
use std::sync::Arc;
use thiserror::Error;

/// The newest checkpoint of a place that is a folder; the others lie beside it, by size.
pub const LATEST: &str = "latest";
/// Digits of a size in the name of a file, so that names sort as sizes do.
const DIGITS: usize = 20;

/// Why a place was not given the newest checkpoint.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Try again later.
    #[error("{place} did not take a checkpoint: {why}")]
    Away { place: String, why: String },
    #[error(
        "{place} has a checkpoint of {exported} entries, the folder of the ledger counts {sealed}: the ledger went back. Nothing is exported until a person has looked: hostler ledger verify FOLDER --key KEY --checkpoint FILE"
    )]
    WentBack {
        place: String,
        exported: u64,
        sealed: u64,
    },
    #[error(
        "the folder of the ledger is not the one of which {place} has a checkpoint of {exported} entries: it was written anew. Nothing is exported until a person has looked: hostler ledger verify FOLDER --key KEY --checkpoint FILE"
    )]
    Rewritten { place: String, exported: u64 },
    #[error("what {place} was given last does not count: {fault}")]
    Foreign {
        place: String,
        fault: CheckpointError,
    },
    #[error(transparent)]
    Ledger(#[from] SealError),
}

impl ExportError {
    /// Whether waiting mends nothing: a person must look.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Away { .. } => false,
            Self::Ledger(fault) => fault.needs_person(),
            Self::WentBack { .. } | Self::Rewritten { .. } | Self::Foreign { .. } => true,
        }
    }
}

/// Somewhere else. Asked once a pass; may block on a network up to its own timeout.
#[async_trait]
pub trait Place: Send + Sync + 'static {
    /// As people know it.
    fn name(&self) -> &str;
    /// The text of the checkpoint that it was given last. None: none yet.
    async fn last(&self) -> Result<Option<Vec<u8>>, String>;
    /// What is taken is durable there.
    async fn put(&self, checkpoint: &Checkpoint) -> Result<(), String>;
}

/// Gives the newest checkpoint of a folder to places elsewhere.
pub struct Exporter {
    shelf: Arc<dyn Shelf>,
    key: VerifierKey,
    places: Vec<Arc<dyn Place>>,
}

impl Exporter {
    #[must_use]
    pub fn new(shelf: Arc<dyn Shelf>, key: VerifierKey, places: Vec<Arc<dyn Place>>) -> Self {
        Self { shelf, key, places }
    }

    /// Every place that has an older checkpoint is given the newest; what went wrong, place by place.
    pub async fn pass(&self) -> Vec<ExportError> {
        let newest = match self.newest().await {
            Ok(Some(newest)) => newest,
            Ok(None) => return Vec::new(),
            Err(fault) => return vec![fault.into()],
        };
        let mut faults = Vec::new();
        for place in &self.places {
            faults.extend(self.give(&**place, &newest).await.err());
        }
        faults
    }

    async fn newest(&self) -> Result<Option<Checkpoint>, SealError> {
        let text = self.shelf.read(CHECKPOINT).await?;
        let opened = text.map(|text| Checkpoint::open(&text, &self.key));
        Ok(opened.transpose()?)
    }

    async fn give(&self, place: &dyn Place, newest: &Checkpoint) -> Result<(), ExportError> {
        let name = || place.name().to_owned();
        let away = |why| ExportError::Away { place: name(), why };
        if let Some(text) = place.last().await.map_err(away)? {
            let last = Checkpoint::open(&text, &self.key);
            let last = last.map_err(|fault| {
                let place = name();
                ExportError::Foreign { place, fault }
            })?;
            self.compare(place, &last, newest).await?;
            if last.head() == newest.head() {
                return Ok(());
            }
        }
        place.put(newest).await.map_err(away)
    }

    /// The folder must still be the one of which the place was told.
    async fn compare(
        &self,
        place: &dyn Place,
        last: &Checkpoint,
        newest: &Checkpoint,
    ) -> Result<(), ExportError> {
        let (exported, sealed) = (last.head().size, newest.head().size);
        let place = place.name().to_owned();
        if exported > sealed {
            return Err(ExportError::WentBack {
                place,
                exported,
                sealed,
            });
        }
        match edge::open(&*self.shelf, last.head()).await {
            Ok(_) => Ok(()),
            Err(SealError::Damaged { .. }) => Err(ExportError::Rewritten { place, exported }),
            Err(fault) => Err(fault.into()),
        }
    }
}

/// A folder, best one on another machine: every checkpoint by its size, and the newest.
pub struct FolderPlace {
    name: String,
    shelf: Arc<dyn Shelf>,
}

impl FolderPlace {
    #[must_use]
    pub fn new(name: String, shelf: Arc<dyn Shelf>) -> Self {
        Self { name, shelf }
    }
}

#[async_trait]
impl Place for FolderPlace {
    fn name(&self) -> &str {
        &self.name
    }

    async fn last(&self) -> Result<Option<Vec<u8>>, String> {
        self.shelf.read(LATEST).await.map_err(said)
    }

    async fn put(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let file = |path| File {
            path,
            bytes: checkpoint.text().as_bytes().to_vec(),
        };
        let size = checkpoint.head().size;
        let own = file(format!("{size:0DIGITS$}.checkpoint"));
        if self.shelf.keep(&own).await.map_err(said)? == Kept::Other {
            return Err(format!("{} is there already and says otherwise", own.path));
        }
        let latest = file(LATEST.to_owned());
        self.shelf.replace(&latest).await.map_err(said)
    }
}

fn said(fault: ShelfError) -> String {
    fault.0
}

/// A mailbox or another address of a channel. What it was sent last is written down beside the ledger: a note
/// that is lost costs a second message, no more.
pub struct MessagePlace {
    address: String,
    /// Domain of message ids.
    domain: String,
    channel: Arc<dyn Channel>,
    notes: Arc<dyn Shelf>,
}

impl MessagePlace {
    #[must_use]
    pub fn new(
        address: String,
        domain: String,
        channel: Arc<dyn Channel>,
        notes: Arc<dyn Shelf>,
    ) -> Self {
        Self {
            address,
            domain,
            channel,
            notes,
        }
    }

    fn note(&self) -> String {
        let sure = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-');
        let name = self.address.replace(|c| !sure(c), "_");
        format!("exported/{name}")
    }

    fn message(&self, checkpoint: &Checkpoint) -> Message {
        let (origin, head) = (checkpoint.origin(), checkpoint.head());
        let text = format!(
            "The ledger of {origin} had {} entries when this was signed. Keep it: with it and the public key, \
             `hostler ledger verify` shows whether any of them was changed since.\n\n{}",
            head.size,
            checkpoint.text()
        );
        Message {
            message_id: format!("checkpoint.{origin}.{}@{}", head.size, self.domain),
            references: Vec::new(),
            to_name: String::new(),
            to_address: self.address.clone(),
            subject: format!("Ledger {origin}: checkpoint of {} entries", head.size),
            html: String::new(),
            text,
            calendar: None,
            unsubscribe: None,
            return_tag: None,
        }
    }
}

#[async_trait]
impl Place for MessagePlace {
    fn name(&self) -> &str {
        &self.address
    }

    async fn last(&self) -> Result<Option<Vec<u8>>, String> {
        self.notes.read(&self.note()).await.map_err(said)
    }

    async fn put(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        match self.channel.deliver(&self.message(checkpoint)).await {
            Delivery::Accepted { .. } => {}
            Delivery::Deferred { answer } | Delivery::Refused { answer } => return Err(answer),
        }
        let note = File {
            path: self.note(),
            bytes: checkpoint.text().as_bytes().to_vec(),
        };
        self.notes.replace(&note).await.map_err(said)
    }
}
