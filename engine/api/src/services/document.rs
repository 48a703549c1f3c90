//! Documents that processes and people share: read with their version, written where they still have it.
//!
//! Not here: what a document means, and what is done when another one was faster.

use crate::Api;
use crate::problem::{Code, Problem};
use hostler_ports::store::{CommitError, DocumentWrite, Expect, LedgerLine, Seq, Upkeep};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A document as it was read.
pub(super) struct Kept<T> {
    /// 0: it was never written.
    pub version: u64,
    /// None: it is not there. An error: what is there cannot be read.
    pub value: Result<Option<T>, String>,
}

/// At most a page of them, in the order of their keys.
pub(super) async fn read_all<T: DeserializeOwned>(
    api: &Api,
    keys: &[String],
) -> Result<Vec<Kept<T>>, Problem> {
    let found = api.store.documents(keys).await?.into_iter();
    let kept = found.map(|found| Kept {
        version: found.as_ref().map_or(0, |found| found.version),
        value: found
            .and_then(|found| found.body)
            .map(|body| serde_json::from_str(&body).map_err(|fault| fault.to_string()))
            .transpose(),
    });
    Ok(kept.collect())
}

pub(super) async fn read<T: DeserializeOwned>(api: &Api, key: &str) -> Result<Kept<T>, Problem> {
    let kept = read_all(api, &[key.to_owned()]).await?.pop();
    kept.ok_or_else(|| Problem::new(Code::Internal, "the store answered with nothing"))
}

/// Writes it where it still has the version that was read, with a line of the ledger.
pub(super) async fn write(
    api: &Api,
    key: &str,
    version: u64,
    value: &impl Serialize,
    entry: Option<Value>,
) -> Result<Seq, CommitError> {
    put(api, key, version, Some(value), entry).await
}

/// The same; without a value it is not there any more.
pub(super) async fn put(
    api: &Api,
    key: &str,
    version: u64,
    value: Option<&impl Serialize>,
    entry: Option<Value>,
) -> Result<Seq, CommitError> {
    // Plain data with string keys always serialises.
    let body = value.map(|value| serde_json::to_string(value).unwrap_or_default());
    let line = |entry: Value| LedgerLine {
        body: entry.to_string(),
    };
    let change = Upkeep {
        expect: vec![Expect {
            document: key.to_owned(),
            version,
        }],
        documents: vec![DocumentWrite {
            key: key.to_owned(),
            body,
        }],
        ledger: entry.map(line).into_iter().collect(),
        ..Upkeep::default()
    };
    api.store.upkeep(change).await
}
