//! Documents that gates were read from, as this process knows them.
//!
//! What is known may be old: a commit expects the version, and a lane is held only by what is so now. Not here: what a
//! document says.

use crate::{Driver, Trouble};
use hostler_ports::store::{Expect, StoreError};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most documents that are kept; all are forgotten when there are more.
const KNOWN_MAX: usize = 1_024;

/// A document's version and what it says; 0 and nothing: it is not there.
type Known = (u64, Option<Arc<str>>);

/// Documents that gates were read from, by name.
#[derive(Default)]
pub struct Gates(Mutex<HashMap<String, Known>>, Arc<tokio::sync::Mutex<()>>);

impl Gates {
    pub(super) fn known(&self, document: &str) -> Option<Known> {
        self.lock().get(document).cloned()
    }

    pub(super) fn keep(&self, document: &str, version: u64, body: Option<Arc<str>>) {
        let mut known = self.lock();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(document.to_owned(), (version, body));
    }

    /// Somebody has changed one of them.
    pub fn forget(&self) {
        self.lock().clear();
    }

    pub(super) fn forget_one(&self, document: &str) {
        self.lock().remove(document);
    }

    /// One lane of this process at a time writes what it spends: each would be refused but the first.
    pub(super) async fn spenders(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.1).lock_owned().await
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver {
    /// As `document`, whatever was known of it.
    pub(crate) async fn document_now<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<(Expect, Option<T>), Trouble> {
        self.gates.forget_one(name);
        self.document(name).await
    }

    /// A document of a gate, and the version that a commit is to find.
    pub(crate) async fn document<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<(Expect, Option<T>), Trouble> {
        let (version, body) = match self.gates.known(name) {
            Some(known) => known,
            None => {
                let found = self.parts.store.documents(&[name.to_owned()]).await?;
                let found = found.into_iter().flatten().next();
                let version = found.as_ref().map_or(0, |found| found.version);
                let body = found.and_then(|found| found.body).map(Arc::from);
                self.gates.keep(name, version, body.clone());
                (version, body)
            }
        };
        let read = |body: Arc<str>| serde_json::from_str(&body);
        let value = body
            .map(read)
            .transpose()
            .map_err(|fault| StoreError::Corrupt(format!("the document {name}: {fault}")))?;
        let document = name.to_owned();
        Ok((Expect { document, version }, value))
    }
}
