//! The little that a keeper must offer: an ordered map of bytes with a transaction around it.
//!
//! Not here: any knowledge of what the bytes mean.

use crate::store::StoreResult;
use std::collections::BTreeMap;

pub type Pair = (Vec<u8>, Vec<u8>);

/// A stretch of keys, `from` included, `to` excluded.
#[derive(Clone, Debug)]
pub struct Span {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    /// Largest key first.
    pub reverse: bool,
}

impl Span {
    /// All keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: Vec<u8>) -> Self {
        let to = successor(&prefix);
        Self {
            from: prefix,
            to,
            reverse: false,
        }
    }

    /// The keys of this span after `key`, in reading order.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        if self.reverse {
            self.to = key.to_vec();
        } else {
            self.from = key.to_vec();
            self.from.push(0);
        }
        self
    }

    #[must_use]
    pub fn reversed(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }
}

/// The smallest key that is larger than every key with this prefix.
fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < u8::MAX {
            next.push(last + 1);
            return next;
        }
    }
    vec![u8::MAX; prefix.len() + 1]
}

pub trait Kv {
    fn get(&self, key: &[u8]) -> StoreResult<Option<Vec<u8>>>;
    /// At most `limit` entries of a span, in its order.
    fn range(&self, span: &Span, limit: usize) -> StoreResult<Vec<Pair>>;
}

pub trait KvMut: Kv {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);
    fn delete(&mut self, key: &[u8]);
}

/// A map in memory whose changes since `begin` can be taken back.
#[derive(Debug, Default)]
pub struct Journaled {
    map: BTreeMap<Vec<u8>, Vec<u8>>,
    undo: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Journaled {
    pub fn begin(&mut self) {
        self.undo.clear();
    }

    /// Takes back everything since `begin`.
    pub fn rollback(&mut self) {
        while let Some((key, old)) = self.undo.pop() {
            match old {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }

    /// Fills the map when it is opened; not part of any transaction.
    pub fn seed(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.map.insert(key, value);
    }
}

impl Kv for Journaled {
    fn get(&self, key: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.map.get(key).cloned())
    }

    fn range(&self, span: &Span, limit: usize) -> StoreResult<Vec<Pair>> {
        if span.from >= span.to {
            return Ok(Vec::new());
        }
        let entries = self.map.range(span.from.clone()..span.to.clone());
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(if span.reverse {
            entries.rev().take(limit).map(copy).collect()
        } else {
            entries.take(limit).map(copy).collect()
        })
    }
}

impl KvMut for Journaled {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        let old = self.map.insert(key.clone(), value);
        self.undo.push((key, old));
    }

    fn delete(&mut self, key: &[u8]) {
        if let Some(old) = self.map.remove(key) {
            self.undo.push((key.to_vec(), Some(old)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_restores_replaced_added_and_removed_keys() {
        let mut map = Journaled::default();
        map.seed(b"a".to_vec(), b"1".to_vec());
        map.seed(b"b".to_vec(), b"2".to_vec());
        map.begin();
        map.put(b"a".to_vec(), b"9".to_vec());
        map.put(b"c".to_vec(), b"3".to_vec());
        map.delete(b"b");
        map.put(b"b".to_vec(), b"8".to_vec());
        map.rollback();
        let all = map.range(
            &Span {
                from: vec![0],
                to: vec![255],
                reverse: false,
            },
            9,
        );
        assert_eq!(
            all,
            Ok(vec![
                (b"a".to_vec(), b"1".to_vec()),
                (b"b".to_vec(), b"2".to_vec())
            ])
        );
    }

    #[test]
    fn a_prefix_of_high_bytes_ends_after_them() {
        let span = Span::prefix(vec![7, 255]);
        assert_eq!(span.to, vec![8]);
    }
}
