//! What need not be read again: content-addressed blobs, lanes at a version, ended children.
//!
//! Every entry is either immutable or checked against a version before use.

use crate::Trouble;
use hostler_core::definition::Definition;
use hostler_core::id::{Digest, LaneId};
use hostler_core::lane::{Item, Lane};
use hostler_core::plan::Plan;
use hostler_ports::store::{Blob, Store};
use lru::LruCache;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Runbook versions in use at the same time.
const DEFINITIONS_MAX: NonZeroUsize = size(256);
/// Runs whose lanes are being moved; a plan holds the records of its assets.
const PLANS_MAX: NonZeroUsize = size(1_024);
const ITEMS_MAX: NonZeroUsize = size(256);
/// Parked lanes whose state is likely to be wanted again. Some kilobytes each, and many of them are ended by another
/// worker and never asked for: a worker fills its caches, whatever their size, and keeps them full.
const LANES_MAX: NonZeroUsize = size(2_048);
/// Lanes whose children are being moved.
const ANCESTORS_MAX: NonZeroUsize = size(1_024);
const VIEWS_MAX: NonZeroUsize = size(256);

const fn size(entries: usize) -> NonZeroUsize {
    match NonZeroUsize::new(entries) {
        Some(size) => size,
        None => NonZeroUsize::MIN,
    }
}

/// Key of what an ended step's children left: lane, step, and when it ended.
pub type ViewKey = (LaneId, Arc<str>, i64);

pub struct Cache {
    definitions: Shelf<Digest, Definition>,
    plans: Shelf<Digest, Plan>,
    items: Shelf<Digest, Vec<Item>>,
    lanes: Shelf<LaneId, Lane>,
    ancestors: Shelf<(LaneId, Arc<str>, u32), Lane>,
    views: Shelf<ViewKey, Value>,
    /// Number of the store's generation in which lanes and what hangs on them were read.
    generation: AtomicU64,
}

struct Shelf<K: std::hash::Hash + Eq, V>(Mutex<LruCache<K, Arc<V>>>);

impl<K: std::hash::Hash + Eq, V> Shelf<K, V> {
    fn new(size: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(size)))
    }

    fn get(&self, key: &K) -> Option<Arc<V>> {
        self.lock().get(key).cloned()
    }

    fn put(&self, key: K, value: Arc<V>) {
        self.lock().put(key, value);
    }

    fn pop(&self, key: &K) -> Option<Arc<V>> {
        self.lock().pop(key)
    }

    fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<K, Arc<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            definitions: Shelf::new(DEFINITIONS_MAX),
            plans: Shelf::new(PLANS_MAX),
            items: Shelf::new(ITEMS_MAX),
            lanes: Shelf::new(LANES_MAX),
            ancestors: Shelf::new(ANCESTORS_MAX),
            views: Shelf::new(VIEWS_MAX),
            generation: AtomicU64::new(0),
        }
    }
}

impl Cache {
    pub async fn definition(
        &self,
        store: &dyn Store,
        digest: Digest,
    ) -> Result<Arc<Definition>, Trouble> {
        blob(&self.definitions, store, digest).await
    }

    pub async fn plan(&self, store: &dyn Store, digest: Digest) -> Result<Arc<Plan>, Trouble> {
        blob(&self.plans, store, digest).await
    }

    pub async fn items(
        &self,
        store: &dyn Store,
        digest: Digest,
    ) -> Result<Arc<Vec<Item>>, Trouble> {
        blob(&self.items, store, digest).await
    }

    /// Takes the state that was kept for a lane, if it is not newer than the store's.
    pub fn take_lane(&self, lane: LaneId, version: u64) -> Option<Arc<Lane>> {
        self.lanes.pop(&lane).filter(|kept| kept.version <= version)
    }

    pub fn keep_lane(&self, lane: Lane) {
        self.lanes.put(lane.id(), Arc::new(lane));
    }

    /// Number of the generation in which what is kept was read.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether what is kept was read in this generation; otherwise it is forgotten.
    pub fn is_of(&self, generation: u64) -> bool {
        if self.generation() == generation {
            return true;
        }
        // In this order: whoever reads the new number finds nothing old.
        self.forget_lanes();
        self.generation.store(generation, Ordering::Release);
        false
    }

    /// Keeps only what its digest proves.
    pub fn forget_lanes(&self) {
        self.lanes.clear();
        self.ancestors.clear();
        self.views.clear();
    }

    /// A lane as it was while a step's children ran: what is behind that step does not change.
    pub fn ancestor(&self, key: &(LaneId, Arc<str>, u32)) -> Option<Arc<Lane>> {
        self.ancestors.get(key)
    }

    pub fn keep_ancestor(&self, key: (LaneId, Arc<str>, u32), lane: Arc<Lane>) {
        self.ancestors.put(key, lane);
    }

    pub fn view(&self, key: &ViewKey) -> Option<Arc<Value>> {
        self.views.get(key)
    }

    pub fn keep_view(&self, key: ViewKey, view: Arc<Value>) {
        self.views.put(key, view);
    }

    pub fn keep_plan(&self, digest: Digest, plan: Plan) {
        self.plans.put(digest, Arc::new(plan));
    }

    /// A plan that came with a claim. What cannot be read is asked for again by whoever needs it.
    pub fn keep_carried(&self, plan: &Blob) {
        if self.plans.get(&plan.digest).is_none()
            && let Ok(read) = serde_json::from_slice(&plan.bytes)
        {
            self.keep_plan(plan.digest, read);
        }
    }

    pub fn keep_items(&self, digest: Digest, items: Vec<Item>) {
        self.items.put(digest, Arc::new(items));
    }
}

async fn blob<T: DeserializeOwned>(
    shelf: &Shelf<Digest, T>,
    store: &dyn Store,
    digest: Digest,
) -> Result<Arc<T>, Trouble> {
    if let Some(known) = shelf.get(&digest) {
        return Ok(known);
    }
    let bytes = store
        .blob(digest)
        .await?
        .ok_or(Trouble::MissingBlob(digest))?;
    let value =
        serde_json::from_slice(&bytes).map_err(|fault| Trouble::Unreadable(fault.to_string()))?;
    let value = Arc::new(value);
    shelf.put(digest, Arc::clone(&value));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use hostler_core::id::LaneId;
    use serde_json::Value;
    use std::sync::Arc;

    #[test]
    fn whoever_reads_the_number_of_a_new_generation_finds_nothing_of_the_one_before() {
        let cache = Cache::default();
        let key = (LaneId(uuid::Uuid::nil()), "s".into(), 1);
        cache.keep_view(key.clone(), Arc::new(Value::Null));
        assert!(cache.is_of(0), "nothing has changed");
        assert!(cache.view(&key).is_some());
        assert!(!cache.is_of(1), "what was read before it is read again");
        assert_eq!(cache.generation(), 1);
        assert!(cache.view(&key).is_none());
        cache.keep_view(key.clone(), Arc::new(Value::Null));
        assert!(cache.is_of(1));
        assert!(!cache.is_of(0), "an answer of before comes late");
        assert!(cache.view(&key).is_none());
    }
}
