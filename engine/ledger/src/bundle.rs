//! Entry bundles of c2sp.org/tlog-tiles: each entry behind its length in two bytes.

use thiserror::Error;

/// Longest entry in bytes: what its length field can say.
pub const ENTRY_MAX_BYTES: usize = u16::MAX as usize;
/// Longest bundle in bytes.
pub const BUNDLE_MAX_BYTES: usize = crate::tile::WIDTH as usize * (2 + ENTRY_MAX_BYTES);

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BundleError {
    #[error("an entry of {0} bytes is longer than the {ENTRY_MAX_BYTES} that a bundle can hold")]
    TooLong(usize),
    /// `at` counts entries from the beginning of the bundle: those before it can be read.
    #[error("the bundle ends within its entry {at}")]
    Short { at: u64 },
    #[error("the bundle goes on after its last entry, {at}")]
    Long { at: u64 },
}

/// Appends one entry to a bundle.
///
/// # Errors
/// For an entry that is too long; the bundle is as it was.
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle as far as they can be read, and what is wrong after them.
#[must_use]
pub fn split(bundle: &[u8], width: u64) -> (Vec<&[u8]>, Option<BundleError>) {
    let mut entries = Vec::new();
    let mut rest = bundle;
    for at in 0..width.min(crate::tile::WIDTH) {
        let Some((entry, after)) = first(rest) else {
            return (entries, Some(BundleError::Short { at }));
        };
        entries.push(entry);
        rest = after;
    }
    let fault = (!rest.is_empty()).then_some(BundleError::Long { at: width });
    (entries, fault)
}

fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
