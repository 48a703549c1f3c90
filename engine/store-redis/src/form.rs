//! How ids, digests and scores are written in a realm: by their bytes, or as the first version did, in hex digits.
//! The prefix of a realm's keys tells which it is, to this program and to the Functions.
//!
//! Not here: texts (`pack`).

use hostler_core::id::Digest;
use hostler_ports::store::position::{biased, score_text, unbiased};
use hostler_ports::store::upkeep::STRAY_PREFIX;
use uuid::Uuid;

/// Before a member whose length is that of an id without being one. No text begins with this byte.
const OTHER: u8 = 0xff;
const ID_BYTES: usize = 16;
const ID_LETTERS: usize = 36;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Ids are 36 letters, digests 64, scores 16: realms that the first version made.
    Long,
    /// Ids are 16 bytes, digests 32, scores 8.
    Short,
}

impl Form {
    /// What parts the realm's name from a key's own.
    pub const fn mark(self) -> char {
        match self {
            Self::Long => ':',
            Self::Short => '.',
        }
    }

    pub const fn id_length(self) -> usize {
        match self {
            Self::Long => ID_LETTERS,
            Self::Short => ID_BYTES,
        }
    }

    pub const fn score_length(self) -> usize {
        match self {
            Self::Long => 16,
            Self::Short => 8,
        }
    }

    pub fn id(self, id: Uuid) -> Vec<u8> {
        match self {
            Self::Long => id.to_string().into_bytes(),
            Self::Short => id.as_bytes().to_vec(),
        }
    }

    pub fn read_id(self, bytes: &[u8]) -> Option<Uuid> {
        match self {
            Self::Long => Uuid::try_parse_ascii(bytes).ok(),
            Self::Short => Uuid::from_slice(bytes).ok(),
        }
    }

    /// The id at the beginning, and what follows it.
    pub fn split_id(self, bytes: &[u8]) -> Option<(Uuid, &[u8])> {
        let (id, rest) = bytes.split_at_checked(self.id_length())?;
        Some((self.read_id(id)?, rest))
    }

    pub fn digest(self, digest: Digest) -> Vec<u8> {
        match self {
            Self::Long => digest.to_string().into_bytes(),
            Self::Short => digest.0.to_vec(),
        }
    }

    pub fn read_digest(self, bytes: &[u8]) -> Option<Digest> {
        match self {
            Self::Long => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Short => bytes.try_into().ok().map(Digest),
        }
    }

    /// Bytes whose order is the order of scores.
    pub fn score(self, score: i64) -> Vec<u8> {
        match self {
            Self::Long => score_text(score).into_bytes(),
            Self::Short => biased(score).to_be_bytes().to_vec(),
        }
    }

    fn read_score(self, bytes: &[u8]) -> Option<i64> {
        let value = match self {
            Self::Long => u64::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok()?,
            Self::Short => u64::from_be_bytes(bytes.try_into().ok()?),
        };
        Some(unbiased(value))
    }

    /// A member of an index. Most are ids.
    pub fn member(self, member: &str) -> Vec<u8> {
        match (self, id_in(member)) {
            (Self::Short, Some(id)) => id.as_bytes().to_vec(),
            (Self::Short, None) if member.len() == ID_BYTES => {
                [&[OTHER], member.as_bytes()].concat()
            }
            _ => member.as_bytes().to_vec(),
        }
    }

    pub fn read_member(self, bytes: &[u8]) -> Option<String> {
        let other = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match (self, bytes) {
            (Self::Short, [OTHER, member @ ..]) if bytes.len() != ID_BYTES => other(member),
            (Self::Short, bytes) if bytes.len() == ID_BYTES => {
                Some(Uuid::from_slice(bytes).ok()?.to_string())
            }
            _ => other(bytes),
        }
    }

    /// Name of an index. The Functions put together those of the lanes that nobody lists.
    pub fn index(self, name: &str) -> Vec<u8> {
        let run = name.strip_prefix(STRAY_PREFIX).and_then(id_in);
        match (self, run) {
            (Self::Short, Some(run)) => [STRAY_PREFIX.as_bytes(), run.as_bytes()].concat(),
            _ => name.as_bytes().to_vec(),
        }
    }

    /// The place of an entry: score and member.
    pub fn place(self, score: i64, member: &str) -> Vec<u8> {
        [self.score(score), self.member(member)].concat()
    }

    pub fn read_place(self, bytes: &[u8]) -> Option<(i64, String)> {
        let (score, member) = bytes.split_at_checked(self.score_length())?;
        Some((self.read_score(score)?, self.read_member(member)?))
    }
}

/// The id that is written so, and in no other way.
pub fn id_in(text: &str) -> Option<Uuid> {
    let id = (text.len() == ID_LETTERS).then(|| Uuid::try_parse(text).ok())??;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 2] = [Form::Long, Form::Short];

    #[test]
    fn a_member_reads_back_whatever_its_length() {
        let id = Uuid::from_u128(0xff << 120 | 7).to_string();
        let members = [
            &id,
            &id.to_uppercase(),
            "chem-web1",
            "sixteen letters.",
            "ÿ",
            "seventeen letters",
        ];
        for form in FORMS {
            for member in members {
                let place = form.place(-5, member);
                assert_eq!(
                    form.read_place(&place),
                    Some((-5, (*member).to_owned())),
                    "{form:?}"
                );
            }
        }
    }

    #[test]
    fn the_order_of_places_is_the_order_of_scores() {
        for form in FORMS {
            let scores = [i64::MIN, -256, -1, 0, 1, 255, 256, 1 << 53];
            let places: Vec<_> = scores.iter().map(|score| form.place(*score, "m")).collect();
            assert!(places.is_sorted(), "{form:?}");
        }
    }

    #[test]
    fn ids_and_digests_read_back() {
        let (id, digest) = (Uuid::from_u128(7), Digest::of(b"plan"));
        for form in FORMS {
            assert_eq!(form.read_id(&form.id(id)), Some(id));
            assert_eq!(form.read_digest(&form.digest(digest)), Some(digest));
            let text = [form.id(id), b"rest".to_vec()].concat();
            assert_eq!(form.split_id(&text), Some((id, &b"rest"[..])));
        }
    }
}
