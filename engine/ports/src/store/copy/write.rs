//! A store's state as the frames of a copy, one after the other.
//!
//! Not here: writing them anywhere.

use super::{
    Chain, END, End, FRAME_BYTES, HEAD_BYTES, MAGIC, MANIFEST, Manifest, PAIRS, PAIRS_AT_ONCE, View,
};
use crate::store::verbs::kv::Span;
use crate::store::verbs::{keys, read};
use crate::store::{StoreError, StoreResult};
use hostler_core::id::Digest;
use serde::Serialize;

/// Fast; records of one kind lie beside each other and are much alike.
const LEVEL: i32 = 3;

/// The frames of one copy. Every call may block.
pub struct Copying {
    view: View,
    manifest: Manifest,
    rest: Span,
    chain: Chain,
    pairs: u64,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Manifest,
    Pairs,
    Done,
}

impl Copying {
    /// # Errors
    /// When the store's own record cannot be read.
    pub fn new(view: View, realm: &str, taken_ms: i64) -> StoreResult<Self> {
        let meta = read::meta(&*view)?;
        let manifest = Manifest {
            format: keys::FORMAT,
            realm: realm.to_owned(),
            seq: meta.seq,
            generation: meta.generation.number,
            ledger: meta.ledger,
            taken_ms,
        };
        let rest = Span {
            from: Vec::new(),
            to: vec![u8::MAX; 2],
            reverse: false,
        };
        Ok(Self {
            view,
            manifest,
            rest,
            chain: Chain::default(),
            pairs: 0,
            at: At::Manifest,
        })
    }

    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The next bytes of the file; none when it is whole.
    ///
    /// # Errors
    /// When something cannot be read: the copy is then worth nothing.
    pub fn frame(&mut self) -> StoreResult<Option<Vec<u8>>> {
        match self.at {
            At::Manifest => {
                self.at = At::Pairs;
                let frame = self.closed(MANIFEST, &json(&self.manifest.clone())?)?;
                Ok(Some([MAGIC, &frame].concat()))
            }
            At::Pairs => {
                let raw = self.gathered()?;
                if !raw.is_empty() {
                    return self.closed(PAIRS, &raw).map(Some);
                }
                self.at = At::Done;
                let (pairs, content) = (self.pairs, self.chain.present());
                self.closed(END, &json(&End { pairs, content })?).map(Some)
            }
            At::Done => Ok(None),
        }
    }

    /// Pairs as length, key, length, value.
    fn gathered(&mut self) -> StoreResult<Vec<u8>> {
        let mut raw = Vec::new();
        while raw.len() < FRAME_BYTES {
            let found = self.view.range(&self.rest, PAIRS_AT_ONCE)?;
            let mut last = None;
            for (key, value) in found {
                part(&mut raw, &key)?;
                part(&mut raw, &value)?;
                self.pairs += 1;
                last = Some(key);
                if raw.len() >= FRAME_BYTES {
                    break;
                }
            }
            let Some(last) = last else { break };
            self.rest = self.rest.clone().after(&last);
        }
        Ok(raw)
    }

    fn closed(&mut self, kind: u8, raw: &[u8]) -> StoreResult<Vec<u8>> {
        let failed = |fault: std::io::Error| StoreError::Corrupt(format!("zstd: {fault}"));
        let body = zstd::bulk::compress(raw, LEVEL).map_err(failed)?;
        let digest = Digest::of(&body);
        self.chain.add(digest);
        let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
        frame.push(kind);
        frame.extend_from_slice(&length(body.len())?);
        frame.extend_from_slice(&digest.0);
        frame.extend_from_slice(&body);
        Ok(frame)
    }
}

fn part(raw: &mut Vec<u8>, bytes: &[u8]) -> StoreResult<()> {
    raw.extend_from_slice(&length(bytes.len())?);
    raw.extend_from_slice(bytes);
    Ok(())
}

fn length(bytes: usize) -> StoreResult<[u8; 4]> {
    let long = |_| StoreError::Corrupt(format!("{bytes} bytes in one record"));
    u32::try_from(bytes).map(u32::to_be_bytes).map_err(long)
}

fn json(value: &impl Serialize) -> StoreResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}
