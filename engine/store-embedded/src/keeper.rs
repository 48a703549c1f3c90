//! The keeper over a folder: writes go to the writer thread, reads to a snapshot beside it.
//!
//! Not here: the grouping of writes.

use crate::Options;
use crate::disk::{Disk, OpenError};
use crate::group::Group;
use crate::writer::{self, Job, QUEUE_MAX};
use hostler_ports::clock::{Clock, Ids};
use hostler_ports::store::verbs::kv::Kv;
use hostler_ports::store::verbs::{Keeper, Signals, Tx, void_leases};
use hostler_ports::store::{StoreError, StoreResult, View};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Leases voided in one transaction at opening.
const VOID_AT_ONCE: usize = 500;

pub struct Embedded {
    disk: Disk,
    /// None only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    signals: Arc<Signals>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Embedded {
    pub(crate) fn open(
        folder: &Path,
        options: Options,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, OpenError> {
        let disk = Disk::open(folder, options)?;
        let mut group = Group::open(&disk)?;
        void_all(&disk, &mut group, clock.now_ms())?;
        let (jobs, receiver) = mpsc::channel(QUEUE_MAX);
        let signals = Arc::new(Signals::default());
        let (writes, rings) = (disk.clone(), Arc::clone(&signals));
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(&writes, group, receiver, &rings))
            .map_err(|error| {
                StoreError::Unavailable(format!("no thread for the writer: {error}"))
            })?;
        Ok(Self {
            disk,
            jobs: Some(jobs),
            thread: Some(thread),
            signals,
            clock,
            ids,
        })
    }
}

/// The folder was opened alone, so whoever held leases is gone.
fn void_all(disk: &Disk, group: &mut Group, now_ms: i64) -> StoreResult<()> {
    loop {
        let (more, _) = writer::call(group, now_ms, |tx| {
            tx.meta.last_tick_ms = None;
            void_leases(tx, VOID_AT_ONCE)
        })?;
        group.finish(disk)?;
        if !more {
            return Ok(());
        }
    }
}

impl Drop for Embedded {
    /// Waits for the calls that are under way, so that the folder is free afterwards.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store had panicked");
        }
    }
}

fn stopped<T>(_: T) -> StoreError {
    StoreError::Unavailable("the writer of the store has stopped: restart".into())
}

impl Keeper for Embedded {
    async fn write<T, E, F>(&self, _verb: &'static str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let clock = Arc::clone(&self.clock);
        let job: Job = Box::new(move |group| {
            let done = writer::call(group, clock.now_ms(), work);
            let woke = matches!(done, Ok((_, true)));
            let done = done.map(|(answer, _)| answer);
            // A caller that no longer waits has no use for the answer.
            (
                Box::new(move |durable| drop(sender.send(durable.map_err(E::from).and(done)))),
                woke,
            )
        });
        let jobs = self.jobs.as_ref().ok_or_else(|| stopped(()))?;
        jobs.send(job).await.map_err(stopped)?;
        answer.await.map_err(stopped)?
    }

    async fn read<T, F>(&self, _verb: &'static str, work: F) -> StoreResult<T>
    where
        F: FnOnce(&dyn Kv) -> StoreResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let disk = self.disk.clone();
        tokio::task::spawn_blocking(move || work(&disk.view()))
            .await
            .map_err(stopped)?
    }

    fn view(&self) -> View {
        Box::new(self.disk.view())
    }
    fn kind(&self) -> &'static str {
        "embedded"
    }
    fn signals(&self) -> &Signals {
        &self.signals
    }
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
    fn fresh(&self) -> Uuid {
        self.ids.fresh()
    }
}
