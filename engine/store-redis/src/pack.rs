//! Texts as they lie in Redis. What a lane leaves behind when it is let go is written small: ids, digests and
//! instants by their bytes, the rest by zstd with a dictionary of what the product writes. What a moving lane
//! writes stays as it is, for its steps must not wait for this.
//!
//! A packed text begins with a byte that no text has, so every reader takes both. The dictionary of a number never
//! changes: a better one gets the next number (`dictionary/README.md`). Not here: which texts there are.

use crate::shape;
use crate::tokens;
use hostler_core::id::Digest;
use hostler_ports::store::{StoreError, StoreResult};
use std::cell::RefCell;
use std::sync::LazyLock;
use uuid::Uuid;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// First byte of what was packed with the first dictionary; UTF-8 never has it. A frame follows without what can
/// be told from its length.
const PACKED: u8 = 0xff;
/// The same with the whole frame, for texts that zstd writes in another shape.
const PACKED_WHOLE: u8 = 0xfd;
static DICTIONARY: &[u8] = include_bytes!("../dictionary/1.zdict");

/// How much is done for a small text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For what lies for days.
    Small,
    /// For what leaves soon: a run that has ended goes into the archive.
    Quick,
}

impl Effort {
    /// Of one to nineteen: `Small` is about as small as any, `Quick` takes two thirds of its time.
    const fn level(self) -> i32 {
        match self {
            Self::Small => 5,
            Self::Quick => 3,
        }
    }
}

/// Shorter texts gain less than reading them costs.
const BYTES_MIN: usize = 32;
/// Longer ones would hold a task up for milliseconds.
const BYTES_MAX: usize = 256 << 10;

static SMALL: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, Effort::Small.level()));
static QUICK: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, Effort::Quick.level()));
static READING: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static TO_SMALL: RefCell<Option<Compressor<'static>>> = RefCell::new(compressor(&SMALL).ok());
    static TO_QUICK: RefCell<Option<Compressor<'static>>> = RefCell::new(compressor(&QUICK).ok());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> =
        RefCell::new(Decompressor::with_prepared_dictionary(&READING).ok());
}

fn compressor(
    dictionary: &'static EncoderDictionary<'static>,
) -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(dictionary)?;
    compressor.include_checksum(false)?;
    compressor.include_dictid(false)?;
    Ok(compressor)
}

/// The text as it is stored. `home` is the id under which it will lie: it costs one byte wherever it occurs.
pub fn packed(text: &[u8], home: Option<Uuid>, effort: Effort) -> Vec<u8> {
    smaller(text, home, effort).unwrap_or_else(|| text.to_vec())
}

fn smaller(text: &[u8], home: Option<Uuid>, effort: Effort) -> Option<Vec<u8>> {
    if !(BYTES_MIN..=BYTES_MAX).contains(&text.len()) {
        return None;
    }
    let tokens = tokens::written(text, home)?;
    let compressor = match effort {
        Effort::Small => &TO_SMALL,
        Effort::Quick => &TO_QUICK,
    };
    let frame = compressor.with_borrow_mut(|one| one.as_mut()?.compress(&tokens).ok())?;
    let stored = match shape::bare(&frame) {
        Some(bare) => [&[PACKED], &bare[..]].concat(),
        None => [&[PACKED_WHOLE], &frame[..]].concat(),
    };
    (stored.len() < text.len()).then_some(stored)
}

/// What was stored, packed or not.
pub fn unpacked(bytes: Vec<u8>, home: Option<Uuid>, what: &str) -> StoreResult<Vec<u8>> {
    let frame = match bytes.split_first() {
        Some((&PACKED, bare)) => shape::framed(bare),
        Some((&PACKED_WHOLE, frame)) => Some(frame.to_vec()),
        _ => return Ok(bytes),
    };
    frame.and_then(|frame| larger(frame, home)).ok_or_else(|| {
        StoreError::Corrupt(format!(
            "Redis holds {what} that no dictionary of this version unpacks: upgrade this process"
        ))
    })
}

fn larger(frame: Vec<u8>, home: Option<Uuid>) -> Option<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(&frame).ok()??;
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= BYTES_MAX)?;
    let tokens = DECOMPRESSOR.with_borrow_mut(|one| one.as_mut()?.decompress(&frame, size).ok())?;
    tokens::read(&tokens, home)
}

/// A blob may be anything, also what begins like a packed text: its digest tells.
pub fn unpacked_blob(bytes: Vec<u8>, digest: Digest) -> StoreResult<Vec<u8>> {
    if matches!(bytes.first(), Some(&(PACKED | PACKED_WHOLE))) && Digest::of(&bytes) != digest {
        return unpacked(bytes, None, "a blob");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(lane: Uuid) -> String {
        let digest = Digest::of(b"plan");
        format!(
            r#"{{"v":1,"at":1795000000123,"event":"lane_opened","opening":{{"lane":"{lane}","run":"{}","definition":"{digest}","plan":"{digest}","origin":{{"program":0}}}}}}"#,
            Uuid::from_u128(5)
        )
    }

    #[test]
    fn what_is_packed_reads_back_and_is_a_third() {
        let home = Uuid::from_u128(0x1234_5678_9abc_def0);
        let text = opened(home);
        let small = packed(text.as_bytes(), Some(home), Effort::Small);
        assert!(
            small.len() * 3 < text.len(),
            "{} of {}",
            small.len(),
            text.len()
        );
        let read = unpacked(small, Some(home), "an event").unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), text);
    }

    #[test]
    fn every_text_reads_back() {
        let long = "ä\u{1}\n".repeat(10_000);
        let all = [
            "",
            "{}",
            "second",
            "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}",
            &"7".repeat(300),
            &long,
        ];
        for text in all {
            for effort in [Effort::Small, Effort::Quick] {
                let stored = packed(text.as_bytes(), None, effort);
                let read = unpacked(stored, None, "a text");
                assert_eq!(read, Ok(text.as_bytes().to_vec()));
            }
        }
    }

    #[test]
    fn a_blob_that_looks_packed_is_what_it_is() {
        let bytes = [&[PACKED][..], &[7; 40]].concat();
        assert_eq!(
            unpacked_blob(bytes.clone(), Digest::of(&bytes)),
            Ok(bytes.clone())
        );
        let stored = packed(&bytes, None, Effort::Small);
        assert_eq!(unpacked_blob(stored, Digest::of(&bytes)), Ok(bytes));
    }

    #[test]
    fn damage_is_told_and_never_guessed_at() {
        let mut stored = packed(opened(Uuid::nil()).as_bytes(), None, Effort::Small);
        stored.truncate(stored.len() / 2);
        let told = unpacked(stored, None, "an event");
        assert!(matches!(told, Err(StoreError::Corrupt(_))), "{told:?}");
    }
}
