//! What stands around the one block of a short zstd frame follows from lengths: nine bytes that need not lie in Redis
//! a dozen times for each run (RFC 8878, 3.1.1).
//!
//! Not here: compressing.

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A single segment without checksum and dictionary id, its size in one byte and in two.
const ONE_BYTE: u8 = 0x20;
const TWO_BYTES: u8 = 0x60;
/// What is added to a size of two bytes.
const TWO_FROM: usize = 256;
/// The last block, compressed; its size stands above these bits.
const LAST_COMPRESSED: u32 = 0b101;
/// Sizes below it take one byte here, too.
const SHORT_MAX: usize = 250;

fn block_header(size: usize) -> Option<[u8; 3]> {
    let size = u32::try_from(size).ok().filter(|size| *size < 1 << 21)?;
    let [a, b, c, _] = (size << 3 | LAST_COMPRESSED).to_le_bytes();
    Some([a, b, c])
}

/// Size of the text in one byte or three, and the block's content; none for a frame of another shape.
pub fn bare(frame: &[u8]) -> Option<Vec<u8>> {
    let (size, rest) = match frame.strip_prefix(&MAGIC)? {
        [ONE_BYTE, size, rest @ ..] => (usize::from(*size), rest),
        [TWO_BYTES, low, high, rest @ ..] => (
            usize::from(u16::from_le_bytes([*low, *high])) + TWO_FROM,
            rest,
        ),
        _ => return None,
    };
    let (header, block) = rest.split_first_chunk::<3>()?;
    if *header != block_header(block.len())? {
        return None;
    }
    Some([&written(size)?[..], block].concat())
}

fn written(size: usize) -> Option<Vec<u8>> {
    match u8::try_from(size) {
        Ok(size) if usize::from(size) < SHORT_MAX => Some(vec![size]),
        _ => {
            let [low, high] = u16::try_from(size).ok()?.to_le_bytes();
            Some(vec![u8::MAX, low, high])
        }
    }
}

/// The frame again.
pub fn framed(bare: &[u8]) -> Option<Vec<u8>> {
    let (size, block) = match bare {
        [u8::MAX, low, high, block @ ..] => (usize::from(u16::from_le_bytes([*low, *high])), block),
        [size, block @ ..] => (usize::from(*size), block),
        [] => return None,
    };
    let mut frame = MAGIC.to_vec();
    match u8::try_from(size) {
        Ok(size) => frame.extend([ONE_BYTE, size]),
        Err(_) => {
            frame.push(TWO_BYTES);
            frame.extend(u16::try_from(size - TWO_FROM).ok()?.to_le_bytes());
        }
    }
    frame.extend(block_header(block.len())?);
    frame.extend(block);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_frame_loses_what_its_length_tells_and_is_the_same_again() {
        for size in [1_usize, 60, 249, 250, 255, 256, 300, 4_000, 60_000] {
            let text: Vec<u8> = (0..size).map(|at| b"abcabd"[at % 6]).collect();
            let frame = zstd::bulk::compress(&text, 3).unwrap();
            if let Some(short) = bare(&frame) {
                assert!(short.len() + 5 < frame.len(), "{size}");
                assert_eq!(framed(&short), Some(frame), "{size}");
            } else {
                assert!(size < 60, "{size} bytes are kept whole");
            }
        }
    }

    #[test]
    fn a_frame_of_another_shape_is_left_alone() {
        let noise: Vec<u8> = (0..200_u8).collect();
        let frame = zstd::bulk::compress(&noise, 3).unwrap();
        assert_eq!(bare(&frame), None, "its block is not compressed");
        assert_eq!(bare(b"something else"), None);
        assert_eq!(framed(&[]), None);
    }
}
