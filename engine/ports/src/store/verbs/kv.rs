//! The little that a keeper must offer: an ordered map of bytes with a transaction around it.
//!
//! Not here: any knowledge of what the bytes mean.

use crate::store::StoreResult;
use std::collections::{BTreeMap, VecDeque};

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

/// What a key held before a change.
type Old = (Vec<u8>, Option<Vec<u8>>);

/// A map in memory whose changes since `begin` can be taken back, and, where it was asked to
/// remember them, whole transactions.
#[derive(Debug, Default)]
pub struct Journaled {
    map: BTreeMap<Vec<u8>, Vec<u8>>,
    undo: Vec<Old>,
    /// Transactions that can still be lost, oldest first, each with the realm's seq behind it.
    past: VecDeque<(u64, Vec<Old>)>,
    /// Most transactions in `past`; older ones can no longer be lost.
    past_max: usize,
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

    /// From now on, the newest `transactions` can be lost.
    pub fn remember(&mut self, transactions: usize) {
        self.past_max = transactions;
    }

    /// Ends a transaction that stays; `seq` is the realm's behind it.
    pub fn keep(&mut self, seq: u64) {
        if self.past_max == 0 {
            return;
        }
        self.past.push_back((seq, std::mem::take(&mut self.undo)));
        if self.past.len() > self.past_max {
            self.past.pop_front();
        }
    }

    /// Everything up to `seq` is durable: it cannot be lost any more.
    pub fn settle(&mut self, seq: u64) {
        while self.past.front().is_some_and(|(behind, _)| *behind <= seq) {
            self.past.pop_front();
        }
    }

    /// Takes back the newest `transactions`, as far as they can be lost; their number.
    pub fn lose(&mut self, transactions: usize) -> usize {
        let mut lost = 0;
        while lost < transactions {
            let Some((_, undo)) = self.past.pop_back() else {
                break;
            };
            self.undo = undo;
            self.rollback();
            lost += 1;
        }
        lost
    }

    /// A copy of all entries that changes no more.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self {
            map: self.map.clone(),
            ..Self::default()
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
    fn a_failover_loses_the_newest_transactions_but_none_that_is_durable() {
        let mut map = Journaled::default();
        map.remember(3);
        for seq in 1..=5u8 {
            map.begin();
            map.put(vec![seq], vec![seq]);
            map.put(b"last".to_vec(), vec![seq]);
            map.keep(u64::from(seq));
        }
        assert_eq!(map.lose(1), 1);
        assert_eq!(map.get(b"last"), Ok(Some(vec![4])));
        map.settle(3);
        assert_eq!(map.lose(9), 1);
        assert_eq!(map.get(b"last"), Ok(Some(vec![3])));
        assert_eq!(map.get(&[4]), Ok(None));
    }

    #[test]
    fn a_prefix_of_high_bytes_ends_after_them() {
        let span = Span::prefix(vec![7, 255]);
        assert_eq!(span.to, vec![8]);
    }
}
