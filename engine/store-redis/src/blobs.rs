//! Where blobs lie, and how they come there: short ones share tables and hashes, others have a key of their own.
//!
//! A blob that is too long to be an argument of a Function (Lua takes two microseconds for each kilobyte that it is
//! given, and everybody waits for it) is sent before the call that names it, as a command of its own, which moves no
//! bytes. Nobody sees it until a commit names it. The call looks whether it is there, for a failover may have lost it,
//! and is made again with all bytes if it is not. Not here: which blobs there are.

use crate::decode::corrupt;
use crate::form::Form;
use crate::pack::{Effort, packed, unpacked_blob};
use crate::realm::RedisStore;
use hostler_core::id::Digest;
use hostler_ports::store::{Blob, StoreResult};
use redis::{Cmd, Value, cmd};
use std::collections::BTreeSet;

/// Longest blob that goes as an argument, in bytes as it is stored: another command costs as much as that.
const ARGUMENT_MAX: usize = 8 << 10;

/// Hashes of small blobs for each value of a digest's first byte, as the Functions reckon.
pub const SHELVES: u8 = 32;

/// The part of a digest under which a blob lies in its table, as the Functions take it.
const TABLE_NAME: std::ops::Range<usize> = 1..29;

fn shelf_of(digest: Digest) -> [u8; 2] {
    let [first, second, ..] = digest.0;
    [first, second % SHELVES]
}

/// A blob as it is stored.
#[derive(Debug)]
pub struct Stored {
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

/// The blobs of a call, and which of them were sent before it: it only names those.
#[derive(Debug, Default)]
pub struct Ahead {
    pub blobs: Vec<Stored>,
    sent: BTreeSet<Digest>,
}

impl Ahead {
    pub fn of(blobs: &[Blob]) -> Self {
        let stored = |blob: &Blob| Stored {
            digest: blob.digest,
            bytes: packed(&blob.bytes, None, Effort::Small),
        };
        Self {
            blobs: blobs.iter().map(stored).collect(),
            sent: BTreeSet::new(),
        }
    }

    pub fn has(&self, digest: Digest) -> bool {
        self.sent.contains(&digest)
    }
}

impl RedisStore {
    /// Sends those that are large. Whatever goes wrong with one, its call brings it.
    async fn send_large(&self, blobs: &[Blob]) -> Ahead {
        let mut ahead = Ahead::of(blobs);
        for blob in &ahead.blobs {
            if blob.bytes.len() <= ARGUMENT_MAX {
                continue;
            }
            let mut set = cmd("SET");
            set.arg(self.link.name("b", &self.link.form.digest(blob.digest)))
                .arg(blob.bytes.as_slice())
                .arg("NX");
            if let Some(Value::Okay | Value::Nil) = self.link.try_call(&set).await {
                ahead.sent.insert(blob.digest);
            }
        }
        ahead
    }

    /// Makes a call that brings blobs. `anew`: it begins something, so a full disk is an answer.
    pub(crate) async fn call_with(
        &self,
        blobs: &[Blob],
        anew: bool,
        build: impl Fn(&Ahead) -> Cmd,
    ) -> StoreResult<(Value, bool)> {
        let mut ahead = self.send_large(blobs).await;
        let (value, again) = self.call_either(build(&ahead), anew).await?;
        if !is_lacking(&value) {
            return Ok((value, again));
        }
        ahead.sent.clear();
        let (value, _) = self.call_either(build(&ahead), anew).await?;
        Ok((value, true))
    }

    /// Wherever it lies.
    pub(crate) async fn read_blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
        for get in self.places_of(digest) {
            match self.ask(get).await? {
                Value::Nil => {}
                Value::BulkString(bytes) => return unpacked_blob(bytes, digest).map(Some),
                _ => return Err(corrupt("a blob")),
            }
        }
        Ok(None)
    }

    /// Most plans lie in tables; what is longer has a key of its own, and the smallest share hashes.
    fn places_of(&self, digest: Digest) -> Vec<Cmd> {
        let name = self.link.form.digest(digest);
        let mut own = cmd("GET");
        own.arg(self.link.name("b", &name));
        if self.link.form == Form::Long {
            return vec![own];
        }
        let (mut table, mut shelf) = (cmd("HGET"), cmd("HGET"));
        table
            .arg(self.link.name("bt", &digest.0[..1]))
            .arg(&digest.0[TABLE_NAME]);
        shelf.arg(self.link.name("bs", &shelf_of(digest))).arg(name);
        vec![table, own, shelf]
    }

    async fn call_either(&self, command: Cmd, anew: bool) -> StoreResult<(Value, bool)> {
        if anew {
            self.link.call_anew(|_| command.clone()).await
        } else {
            self.link.call(|_| command.clone()).await
        }
    }
}

/// The call found that a blob which was sent before it is not there. Nothing was written.
fn is_lacking(value: &Value) -> bool {
    let Value::Array(parts) = value else {
        return false;
    };
    matches!(&parts[..], [Value::BulkString(letter)] if letter == b"L")
}
