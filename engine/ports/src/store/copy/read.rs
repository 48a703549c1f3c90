//! A copy read back, every frame checked before anything of it is used.
//!
//! Not here: what becomes of the pairs.

use super::{Chain, END, End, FRAME_MAX_BYTES, HEAD_BYTES, MAGIC, MANIFEST, Manifest, PAIRS};
use crate::store::StoreError;
use crate::store::verbs::keys;
use crate::store::verbs::kv::Pair;
use hostler_core::id::Digest;
use serde::de::DeserializeOwned;
use std::io::Read;
use thiserror::Error;

/// Why a file is not restored.
#[derive(Debug, Error)]
pub enum CopyFault {
    #[error("this is no copy of a Hostler store: give the file that `hostler backup` has written")]
    Foreign,
    #[error(
        "the copy has the layout {found}, this version reads {wanted}: restore it with the version that wrote it"
    )]
    Format { found: u32, wanted: u32 },
    /// Offsets in the file, the second one not included.
    #[error("the copy is damaged in its bytes {from} to {to} ({why}): take an older copy")]
    Damaged {
        from: u64,
        to: u64,
        why: &'static str,
    },
    #[error(
        "the copy ends after {at} bytes and is not whole: copy the file again, or take an older one"
    )]
    Short { at: u64 },
    #[error("the content has the digest {found}, its end says {said}: take an older copy")]
    Content { found: Digest, said: Digest },
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Frames<R> {
    from: R,
    at: u64,
    chain: Chain,
}

struct Frame {
    kind: u8,
    raw: Vec<u8>,
    /// Its place in the file.
    from: u64,
    to: u64,
}

/// Reads a whole copy: the manifest goes to `begin`, the pairs in the order of their keys to `each`.
/// What they were given counts only when this answers `Ok`.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn read(
    mut from: impl Read,
    mut begin: impl FnMut(&Manifest) -> Result<(), CopyFault>,
    mut each: impl FnMut(Vec<Pair>) -> Result<(), CopyFault>,
) -> Result<(Manifest, End), CopyFault> {
    let mut magic = vec![0; MAGIC.len()];
    if filled(&mut from, &mut magic)? < magic.len() || magic != MAGIC {
        return Err(CopyFault::Foreign);
    }
    let at = MAGIC.len() as u64;
    let chain = Chain::default();
    let mut frames = Frames { from, at, chain };
    let first = frames.next()?;
    let manifest: Manifest = first.json(MANIFEST)?;
    if manifest.format != keys::FORMAT {
        let (found, wanted) = (manifest.format, keys::FORMAT);
        return Err(CopyFault::Format { found, wanted });
    }
    begin(&manifest)?;
    let mut count = 0;
    loop {
        let content = frames.chain.present();
        let frame = frames.next()?;
        if frame.kind != PAIRS {
            let end: End = frame.json(END)?;
            return checked(manifest, end, content, count, &frame);
        }
        let pairs = frame.pairs()?;
        count += pairs.len() as u64;
        each(pairs)?;
    }
}

fn checked(
    manifest: Manifest,
    end: End,
    found: Digest,
    pairs: u64,
    frame: &Frame,
) -> Result<(Manifest, End), CopyFault> {
    if end.content != found {
        let said = end.content;
        return Err(CopyFault::Content { found, said });
    }
    if end.pairs != pairs {
        return Err(frame.damaged("it counts other pairs"));
    }
    Ok((manifest, end))
}

impl<R: Read> Frames<R> {
    fn next(&mut self) -> Result<Frame, CopyFault> {
        let from = self.at;
        let mut head = [0; HEAD_BYTES];
        self.fill(&mut head)?;
        let mut length = [0; 4];
        length.copy_from_slice(&head[1..5]);
        let length = u32::from_be_bytes(length) as usize;
        let to = self.at + length as u64;
        let damaged = |why| CopyFault::Damaged { from, to, why };
        if length > FRAME_MAX_BYTES {
            return Err(damaged("it claims more than any frame has"));
        }
        let mut body = vec![0; length];
        self.fill(&mut body)?;
        let digest = Digest::of(&body);
        if digest.0 != head[5..] {
            return Err(damaged("its digest is another"));
        }
        self.chain.add(digest);
        let raw = zstd::bulk::decompress(&body, FRAME_MAX_BYTES);
        let raw = raw.map_err(|_| damaged("it cannot be unpacked"))?;
        let kind = head[0];
        Ok(Frame {
            kind,
            raw,
            from,
            to,
        })
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), CopyFault> {
        let found = filled(&mut self.from, buffer)?;
        self.at += found as u64;
        if found < buffer.len() {
            return Err(CopyFault::Short { at: self.at });
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the file ends; how much there was.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(some) => filled += some,
            Err(fault) if fault.kind() == std::io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(filled)
}

impl Frame {
    fn damaged(&self, why: &'static str) -> CopyFault {
        let (from, to) = (self.from, self.to);
        CopyFault::Damaged { from, to, why }
    }

    fn json<T: DeserializeOwned>(&self, kind: u8) -> Result<T, CopyFault> {
        if self.kind != kind {
            return Err(self.damaged("it is of another kind"));
        }
        serde_json::from_slice(&self.raw).map_err(|_| self.damaged("it cannot be read"))
    }

    fn pairs(&self) -> Result<Vec<Pair>, CopyFault> {
        let mut rest = self.raw.as_slice();
        let mut pairs = Vec::new();
        while !rest.is_empty() {
            let key = part(&mut rest).ok_or_else(|| self.damaged("a pair is cut"))?;
            let value = part(&mut rest).ok_or_else(|| self.damaged("a pair is cut"))?;
            pairs.push((key, value));
        }
        Ok(pairs)
    }
}

fn part(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (part, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(part.to_vec())
}
