//! How long calls took: one document for each action and kind of asset, and one that names them all.
//!
//! Written beside the log, not in it: it decides nothing that has happened, and a call that is lost between its commit
//! and this costs one measurement. Not here: what is measured (worker), and what follows from it (core).

use super::{CommitError, Document, DocumentWrite, Expect, Store, StoreError, StoreResult, Upkeep};
use hostler_core::fit::{HISTORIES, HISTORIES_MAX, Histories, History, history_document};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Attempts against others who write the same history at that moment; then the measurement is lost.
const TRIES_MAX: u32 = 8;

/// What the document [`HISTORIES`] holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    /// Action and kind.
    histories: BTreeSet<(String, String)>,
}

/// The history of an action on one kind of asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub action: String,
    pub kind: String,
    pub history: History,
}

/// Remembers one more call. False: too many histories, or others were faster all the time.
///
/// # Errors
/// The store's.
pub async fn note(store: &dyn Store, action: &str, kind: &str, ms: u64) -> StoreResult<bool> {
    let (name, pair) = (
        history_document(action, kind),
        (action.to_owned(), kind.to_owned()),
    );
    for _ in 0..TRIES_MAX {
        let mut found = store
            .documents(&[name.clone(), HISTORIES.to_owned()])
            .await?;
        let (listed, own) = (found.pop().flatten(), found.pop().flatten());
        let (expect, mut history) = parsed::<History>(&name, own)?;
        history.add(ms);
        let mut change = Upkeep {
            expect: vec![expect],
            documents: vec![written(&name, &history)],
            ..Upkeep::default()
        };
        let (expect, mut listed) = parsed::<Listed>(HISTORIES, listed)?;
        if !listed.histories.contains(&pair) {
            if listed.histories.len() >= HISTORIES_MAX {
                return Ok(false);
            }
            listed.histories.insert(pair.clone());
            change.expect.push(expect);
            change.documents.push(written(HISTORIES, &listed));
        }
        match store.upkeep(change).await {
            Ok(_) => return Ok(true),
            Err(CommitError::Store(fault)) => return Err(fault),
            Err(_) => {}
        }
    }
    Ok(false)
}

/// Those of these names that are there, and what a commit is to find where nothing has changed since.
///
/// # Errors
/// The store's; also for more than [`HISTORIES_MAX`] names.
pub async fn read(
    store: &dyn Store,
    names: &BTreeSet<String>,
) -> StoreResult<(Histories, Vec<Expect>)> {
    let names: Vec<String> = names.iter().cloned().collect();
    if names.is_empty() {
        return Ok(Default::default());
    }
    let found = store.documents(&names).await?;
    let (mut histories, mut expects) = (Histories::new(), Vec::with_capacity(names.len()));
    for (name, found) in names.into_iter().zip(found) {
        let (expect, history) = parsed::<History>(&name, found)?;
        expects.push(expect);
        histories.insert(name, history);
    }
    Ok((histories, expects))
}

/// All of them, by action and kind.
///
/// # Errors
/// The store's.
pub async fn all(store: &dyn Store) -> StoreResult<Vec<Kept>> {
    let found = store.documents(&[HISTORIES.to_owned()]).await?;
    let (_, listed) = parsed::<Listed>(HISTORIES, found.into_iter().next().flatten())?;
    let name = |(action, kind): &(String, String)| history_document(action, kind);
    let names: BTreeSet<String> = listed.histories.iter().map(name).collect();
    let (mut histories, _) = read(store, &names).await?;
    let kept = listed.histories.into_iter().map(|(action, kind)| Kept {
        history: histories
            .remove(&history_document(&action, &kind))
            .unwrap_or_default(),
        action,
        kind,
    });
    Ok(kept.collect())
}

fn parsed<T: DeserializeOwned + Default>(
    name: &str,
    found: Option<Document>,
) -> StoreResult<(Expect, T)> {
    let version = found.as_ref().map_or(0, |found| found.version);
    let body = found.and_then(|found| found.body);
    let read = body.map(|body| serde_json::from_str(&body)).transpose();
    let value =
        read.map_err(|fault| StoreError::Corrupt(format!("the document {name}: {fault}")))?;
    let document = name.to_owned();
    Ok((Expect { document, version }, value.unwrap_or_default()))
}

fn written(name: &str, value: &impl Serialize) -> DocumentWrite {
    DocumentWrite {
        key: name.to_owned(),
        // Plain data with string keys always serialises.
        body: serde_json::to_string(value).ok(),
    }
}
