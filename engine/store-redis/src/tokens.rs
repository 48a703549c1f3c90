//! Ids, digests and instants in a text as their bytes behind a control character, which no JSON has as it is. zstd
//! finds nothing in them, and their digits would cost half a byte each.
//!
//! Not here: compression (`pack`).

use hostler_core::id::Digest;
use uuid::Uuid;

/// The id under which the text lies.
const HOME: u8 = 1;
/// 16 bytes follow.
const ID: u8 = 2;
/// 32 bytes follow.
const DIGEST: u8 = 3;
/// 6 bytes follow: milliseconds since 1970, of an instant with 13 digits.
const INSTANT: u8 = 4;

const ID_LETTERS: usize = 36;
const DIGEST_LETTERS: usize = 64;
const INSTANT_LETTERS: usize = 13;

/// None for a text that has one of those characters itself.
pub fn written(text: &[u8], home: Option<Uuid>) -> Option<Vec<u8>> {
    let mut tokens = Vec::with_capacity(text.len());
    let (mut at, mut in_word) = (0, false);
    while let Some(&byte) = text.get(at) {
        if (HOME..=INSTANT).contains(&byte) {
            return None;
        }
        let is_hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if is_hex
            && !in_word
            && let Some(length) = token(&text[at..], home, &mut tokens)
        {
            at += length;
            in_word = true;
            continue;
        }
        in_word = byte.is_ascii_alphanumeric();
        tokens.push(byte);
        at += 1;
    }
    Some(tokens)
}

/// Writes what the text begins with, if it is one of those, and answers how long it was.
fn token(text: &[u8], home: Option<Uuid>, tokens: &mut Vec<u8>) -> Option<usize> {
    if text.get(8) == Some(&b'-') {
        let id = id(text.get(..ID_LETTERS)?)?;
        if home == Some(id) {
            tokens.push(HOME);
        } else {
            tokens.push(ID);
            tokens.extend(id.as_bytes());
        }
        return Some(ID_LETTERS);
    }
    if let Some(digest) = text.get(..DIGEST_LETTERS).and_then(digest) {
        tokens.push(DIGEST);
        tokens.extend(digest.0);
        return Some(DIGEST_LETTERS);
    }
    let instant = text.get(..INSTANT_LETTERS).and_then(instant)?;
    tokens.push(INSTANT);
    tokens.extend(&instant.to_be_bytes()[2..]);
    Some(INSTANT_LETTERS)
}

/// Only what is written back the same.
fn id(letters: &[u8]) -> Option<Uuid> {
    let is_lower = letters.iter().all(|letter| !letter.is_ascii_uppercase());
    is_lower.then(|| Uuid::try_parse_ascii(letters).ok())?
}

fn digest(letters: &[u8]) -> Option<Digest> {
    let is_hex = |letter: &u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    let text = letters.iter().all(is_hex).then_some(letters)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn instant(letters: &[u8]) -> Option<u64> {
    let is_one = letters.first() == Some(&b'1') && letters.iter().all(u8::is_ascii_digit);
    let text = is_one.then_some(letters)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// None when it was not written by `written`, or under another home.
pub fn read(tokens: &[u8], home: Option<Uuid>) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(tokens.len() * 2);
    let mut rest = tokens;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            HOME => {
                text.extend(home?.to_string().into_bytes());
                behind
            }
            ID => {
                let (id, behind) = behind.split_first_chunk::<16>()?;
                text.extend(Uuid::from_bytes(*id).to_string().into_bytes());
                behind
            }
            DIGEST => {
                let (digest, behind) = behind.split_first_chunk::<32>()?;
                text.extend(Digest(*digest).to_string().into_bytes());
                behind
            }
            INSTANT => {
                let ([a, b, c, d, e, f], behind) = behind.split_first_chunk::<6>()?;
                let instant = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
                text.extend(instant.to_string().into_bytes());
                behind
            }
            _ => {
                text.push(byte);
                behind
            }
        };
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(text: &str, home: Option<Uuid>) -> usize {
        let tokens = written(text.as_bytes(), home).unwrap();
        let back = read(&tokens, home).unwrap();
        assert_eq!(String::from_utf8(back).unwrap(), text);
        tokens.len()
    }

    #[test]
    fn ids_digests_and_instants_are_their_bytes_and_read_back() {
        let (home, other) = (Uuid::from_u128(1 << 100), Uuid::from_u128(0xabc));
        let digest = Digest::of(b"x");
        let text = format!(r#"["{home}","{other}","{digest}",1795000000123,{home}{other}]"#);
        let tokens = both_ways(&text, Some(home));
        assert_eq!(tokens, "[\"\",\"\",\"\",,]".len() + 2 + 17 + 33 + 7 + 36);
    }

    #[test]
    fn what_only_looks_like_one_stays_as_it_is() {
        let upper = Uuid::from_u128(0xabc).to_string().to_uppercase();
        let digits = "f".repeat(65);
        for text in [
            upper.as_str(),
            &digits,
            "0123456789012",
            "2795000000123",
            "ab-cd",
            "17950000001234",
        ] {
            both_ways(text, Some(Uuid::nil()));
        }
        assert_eq!(both_ways("179500000012", None), 12);
    }

    #[test]
    fn a_text_with_such_characters_of_its_own_is_not_touched() {
        for byte in HOME..=INSTANT {
            assert_eq!(written(&[b'a', byte], None), None);
        }
    }

    #[test]
    fn tokens_of_another_home_or_cut_short_are_refused() {
        let home = Uuid::from_u128(9);
        let tokens = written(home.to_string().as_bytes(), Some(home)).unwrap();
        assert_eq!(read(&tokens, None), None);
        assert_eq!(read(&[DIGEST, 1, 2], None), None);
    }
}
