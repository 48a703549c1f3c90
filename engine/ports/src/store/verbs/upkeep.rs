//! Changes that no lane makes: all conditions first, then everything.
//!
//! Not here: logs, inboxes, leases, queues.

use super::record::{Tx, encode};
use super::{keys, ledger, read, shared};
use crate::store::{CommitError, RunRecord, Seq, StoreError, StoreResult, Upkeep, bounds};
use hostler_core::id::{Digest, RunId};

pub fn upkeep(tx: &mut Tx<'_>, change: &Upkeep) -> Result<Seq, CommitError> {
    bounds::upkeep(change)?;
    check(tx, change)?;
    tx.meta.seq += 1;
    for write in &change.documents {
        shared::write_document(tx, write)?;
    }
    for (lane, summary) in &change.summaries {
        if read::lane(tx.kv, *lane)?.is_some() {
            tx.kv.put(keys::summary(*lane), summary.as_bytes().to_vec());
        }
    }
    for (run, summary) in &change.runs {
        change_run(tx, *run, |record| record.summary.clone_from(summary))?;
    }
    for (run, digest) in &change.archived {
        change_run(tx, *run, |record| record.archive = Some(*digest))?;
    }
    for entry in &change.index {
        shared::keep_entry(tx, entry)?;
    }
    for line in &change.ledger {
        ledger::append(tx, None, 0, &line.body)?;
    }
    Ok(Seq(tx.meta.seq))
}

fn check(tx: &mut Tx<'_>, change: &Upkeep) -> Result<(), CommitError> {
    for (lane, version) in &change.lanes {
        let actual = tx.lane(*lane)?.map_or(0, |lane| lane.version);
        if actual != *version {
            return Err(CommitError::Version { actual });
        }
    }
    for expect in &change.expect {
        let found = read::document(tx.kv, &expect.document)?.map_or(0, |found| found.version);
        if found != expect.version {
            let document = expect.document.clone();
            return Err(CommitError::Expect { document });
        }
    }
    for (run, digest) in &change.archived {
        archivable(tx, *run, *digest)?;
    }
    Ok(())
}

fn archivable(tx: &mut Tx<'_>, run: RunId, digest: Digest) -> StoreResult<()> {
    let Some(record) = read::run(tx.kv, run)? else {
        return Err(not_archivable());
    };
    let ended = tx.lane(record.root)?.is_some_and(|root| root.ended());
    if !ended || record.archive.is_some_and(|known| known != digest) {
        return Err(not_archivable());
    }
    Ok(())
}

/// The one text for it in every adapter.
#[must_use]
pub fn not_archivable() -> StoreError {
    StoreError::Bounds(
        "the run is unknown, has not ended, or is archived under another digest".into(),
    )
}

fn change_run(
    tx: &mut Tx<'_>,
    run: RunId,
    change: impl FnOnce(&mut super::record::Run),
) -> StoreResult<()> {
    if let Some(mut record) = read::run(tx.kv, run)? {
        change(&mut record);
        tx.kv.put(keys::run(run), encode("run", &record)?);
    }
    Ok(())
}

pub fn run_record(kv: &dyn super::kv::Kv, run: RunId) -> StoreResult<Option<RunRecord>> {
    Ok(read::run(kv, run)?.map(|run| RunRecord {
        body: run.body,
        root: run.root,
        summary: run.summary,
        archive: run.archive,
    }))
}
