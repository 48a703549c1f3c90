//! What a verification finds, in words that name the entry.

use crate::proof::Head;
use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An entry is not the one that was sealed.
    Edited,
    /// An entry that says of itself that it is number `found`: the one that belongs here was deleted
    /// or moved.
    Misplaced { found: u64 },
    /// What lies there is no entry.
    Unreadable { why: String },
    /// The entries end here, or the file of this entry is gone.
    Missing { path: String },
    /// The entries are right; a file of hashes beside them is not.
    Tile { path: String },
    /// The long body beside the entry is gone or another one.
    Body { path: String },
    /// The folder is in itself consistent and not what was sealed at this size.
    Rewritten { size: u64 },
    /// Two checkpoints are signed and both cannot be true: the ledger was told in two ways.
    Fork { size: u64 },
    /// The folder is sound and older than a checkpoint: an old backup, or its end was cut off.
    Behind { size: u64 },
    /// The folder's own checkpoint counts for nothing: nobody vouches for what comes after the
    /// others.
    Checkpoint { why: String },
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// Number of the first entry that is seen to be bad.
    pub index: u64,
    /// All entries below this number are vouched for. Below `index` when hashes were rewritten too:
    /// those in between agree with each other, and with no checkpoint.
    pub sure_to: u64,
}

impl Fault {
    /// Whether `index` is the first bad entry for certain.
    #[must_use]
    pub fn exact(&self) -> bool {
        self.sure_to >= self.index
    }
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The largest head that the folder agrees with.
    pub head: Head,
    /// Checkpoints that were compared, the folder's own among them.
    pub checkpoints: usize,
    pub fault: Option<Fault>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index;
        match &self.kind {
            Kind::Edited => write!(f, "entry {index} was changed after it was sealed")?,
            Kind::Misplaced { found } => write!(
                f,
                "entry {found} stands where entry {index} belongs: that one was deleted or moved"
            )?,
            Kind::Unreadable { why } => write!(f, "entry {index} cannot be read: {why}")?,
            Kind::Missing { path } => write!(
                f,
                "entry {index} is missing: {path} is not there, or too short"
            )?,
            Kind::Tile { path } => {
                write!(
                    f,
                    "the hash of entry {index} in {path} was changed; the entry is right"
                )?;
            }
            Kind::Body { path } => write!(f, "the body of entry {index} was changed: {path}")?,
            Kind::Rewritten { size } => write!(
                f,
                "the ledger was rewritten: from entry {index} on, and before entry {size}, it is not what the checkpoint of {size} entries sealed"
            )?,
            Kind::Fork { size } => write!(
                f,
                "the ledger was told in two ways: two signed checkpoints contradict each other from entry {index} on, and before entry {size}"
            )?,
            Kind::Behind { size } => write!(
                f,
                "the folder ends before entry {index}, and a checkpoint has sealed {size}: an old backup was restored or the end was cut off"
            )?,
            Kind::Checkpoint { why } => write!(
                f,
                "nobody vouches for entry {index} and those after it: the folder's checkpoint does not count: {why}"
            )?,
        }
        if self.exact() || matches!(self.kind, Kind::Rewritten { .. } | Kind::Fork { .. }) {
            return Ok(());
        }
        write!(
            f,
            "; hashes were rewritten too, so an entry from {} on may be bad as well",
            self.sure_to
        )
    }
}
