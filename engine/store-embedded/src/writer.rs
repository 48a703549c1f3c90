//! The one thread that writes. It takes every call that waits, runs them one after the other over
//! the same group, makes the group durable once, and then answers all of them.
//!
//! Not here: what a call does.

use crate::disk::Disk;
use crate::group::Group;
use hostler_ports::store::verbs::{Signals, Tx};
use hostler_ports::store::{StoreError, StoreResult};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// Most calls of one group: bounds how long the first of them waits for the last.
const GROUP_MAX: usize = 512;
/// Most calls that wait for the writer; more wait outside.
pub const QUEUE_MAX: usize = 4_096;

/// Given whether the group is durable.
pub type Answer = Box<dyn FnOnce(StoreResult<()>) + Send>;
/// Runs one call; says whether it woke a lane.
pub type Job = Box<dyn FnOnce(&mut Group) -> (Answer, bool) + Send>;

/// Runs until every sender is gone. After a failed write it refuses everything: what the disk holds
/// is not known before the folder is opened again.
pub fn run(disk: &Disk, mut group: Group, mut jobs: Receiver<Job>, signals: &Arc<Signals>) {
    let mut failed: Option<StoreError> = None;
    let mut waiting = Vec::with_capacity(GROUP_MAX);
    while let Some(first) = jobs.blocking_recv() {
        waiting.push(first);
        while waiting.len() < GROUP_MAX
            && let Ok(next) = jobs.try_recv()
        {
            waiting.push(next);
        }
        let mut woke = false;
        let answers: Vec<Answer> = waiting
            .drain(..)
            .map(|job| {
                let (answer, woken) = job(&mut group);
                woke |= woken;
                answer
            })
            .collect();
        if failed.is_none() {
            failed = group.finish(disk).err();
        }
        if let Some(error) = &failed {
            tracing::error!(%error, "the store cannot write");
        }
        for answer in answers {
            answer(failed.clone().map_or(Ok(()), Err));
        }
        if woke {
            signals.ready.notify_waiters();
        }
        signals.changed.notify_waiters();
    }
}

/// Runs `work` as one call over the group: kept when it answers `Ok`, taken back otherwise.
pub fn call<T, E: From<StoreError>>(
    group: &mut Group,
    now_ms: i64,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<(T, bool), E> {
    group.begin();
    let done = Tx::begin(group, now_ms)
        .map_err(E::from)
        .and_then(|mut tx| {
            let answer = work(&mut tx)?;
            Ok((answer, tx.flush()?))
        });
    if done.is_err() {
        group.rollback();
    }
    done
}
