//! A folder in memory that remembers every checkpoint, and can stop at a write.

use async_trait::async_trait;
use hostler_archive::seal::{Kept, SealError, Sealed, Sealer, Shelf, ShelfError, Source};
use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::folder::File;
use hostler_ledger::key::SigningKey;
use hostler_ledger::verify::{Report, verify};
use hostler_ports::store::memory::MemoryStore;
use hostler_ports::store::{LedgerLine, Store, Upkeep};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) fn key() -> SigningKey {
    SigningKey::from_seed("main", [7; 32]).unwrap()
}

/// A folder in memory that remembers every checkpoint, and can stop at a write.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) files: Mutex<Files>,
    pub(super) checkpoints: Mutex<Vec<Vec<u8>>>,
    /// Writes until the crash, and whether the last one is still done.
    pub(super) crash: Mutex<Option<(usize, bool)>>,
}

impl Desk {
    /// Whether this write is done, and whether the process lives on.
    pub(super) fn write(&self) -> (bool, bool) {
        let mut crash = self.crash.lock().unwrap();
        match &mut *crash {
            None => (true, true),
            Some((0, done)) => (std::mem::take(done), false),
            Some((left, _)) => {
                *left -= 1;
                (true, true)
            }
        }
    }

    pub(super) fn answer<T>(lives: bool, answer: T) -> Result<T, ShelfError> {
        let dead = || ShelfError("the process has died".into());
        lives.then_some(answer).ok_or_else(dead)
    }

    pub(super) fn exported(&self) -> Vec<Checkpoint> {
        let texts = self.checkpoints.lock().unwrap();
        let opened = texts
            .iter()
            .map(|text| Checkpoint::open(text, key().verifier()));
        opened.collect::<Result<_, _>>().unwrap()
    }

    /// What lies there, against every checkpoint that was ever written.
    pub(super) fn report(&self) -> Report {
        let files = self.files.lock().unwrap().clone();
        verify(&files, key().verifier(), &self.exported()).unwrap()
    }
}

#[async_trait]
impl Shelf for Desk {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        tokio::task::yield_now().await;
        Ok(self.files.lock().unwrap().get(path).cloned())
    }

    async fn keep(&self, file: &File) -> Result<Kept, ShelfError> {
        tokio::task::yield_now().await;
        let (done, lives) = self.write();
        let mut files = self.files.lock().unwrap();
        let kept = match files.get(&file.path) {
            Some(bytes) if *bytes != file.bytes => Kept::Other,
            _ => Kept::Same,
        };
        if done && kept == Kept::Same {
            files.insert(file.path.clone(), file.bytes.clone());
        }
        Self::answer(lives, kept)
    }

    async fn replace(&self, file: &File) -> Result<(), ShelfError> {
        tokio::task::yield_now().await;
        let (done, lives) = self.write();
        if done {
            let (path, bytes) = (file.path.clone(), file.bytes.clone());
            self.checkpoints.lock().unwrap().push(bytes.clone());
            self.files.lock().unwrap().insert(path, bytes);
        }
        Self::answer(lives, ())
    }

    async fn remove_below(&self, folder: &str) -> Result<(), ShelfError> {
        tokio::task::yield_now().await;
        let (done, lives) = self.write();
        if done {
            let below = format!("{folder}/");
            let mut files = self.files.lock().unwrap();
            files.retain(|path, _| !path.starts_with(&below));
        }
        Self::answer(lives, ())
    }
}

/// A store, and the folder that it is sealed into.
pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) desk: Arc<Desk>,
}

impl World {
    pub(super) fn new() -> Self {
        let store = Arc::new(MemoryStore::with_manual_clock().0);
        let desk = Arc::default();
        Self { store, desk }
    }

    pub(super) async fn tell(&self, count: usize, what: &str) {
        let line = |number| LedgerLine {
            body: format!("{{\"what\":\"{what}\",\"n\":{number}}}"),
        };
        for number in 0..count {
            let ledger = vec![line(number)];
            let change = Upkeep {
                ledger,
                ..Upkeep::default()
            };
            self.store.upkeep(change).await.unwrap();
        }
    }

    pub(super) fn source(&self) -> Arc<dyn Source> {
        let store: Arc<dyn Store> = Arc::clone(&self.store) as _;
        Arc::new(store)
    }

    pub(super) fn sealer(&self) -> Sealer {
        self.sealer_of(self.source())
    }

    pub(super) fn sealer_of(&self, source: Arc<dyn Source>) -> Sealer {
        Sealer::new(source, Arc::clone(&self.desk) as _, key(), "main").unwrap()
    }

    pub(super) async fn seal(&self) -> Result<Sealed, SealError> {
        self.sealer().pass().await
    }
}
