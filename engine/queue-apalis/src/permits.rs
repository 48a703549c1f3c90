//! Who may hold a lane: counted permits, a reserve for emergencies, and a door for lanes that must
//! run alone.

use std::sync::Arc;
use tokio::sync::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, Semaphore,
};

/// All permits of one queue in this process.
#[derive(Clone)]
pub(crate) struct Permits {
    pub(crate) common: Arc<Semaphore>,
    pub(crate) emergency: Arc<Semaphore>,
    /// Read by everything that runs, written by what runs alone. Fair: who waits to be alone is not
    /// overtaken.
    door: Arc<RwLock<()>>,
}

/// Keeps others in mind of what runs.
pub(crate) enum Place {
    Beside(
        #[allow(dead_code, reason = "held until the lane is let go")] Arc<OwnedRwLockReadGuard<()>>,
    ),
    Alone(#[allow(dead_code, reason = "held until the lane is let go")] OwnedRwLockWriteGuard<()>),
}

impl Permits {
    pub(crate) fn new(common: usize, emergency: usize) -> Self {
        Self {
            common: Arc::new(Semaphore::new(common)),
            emergency: Arc::new(Semaphore::new(emergency)),
            door: Arc::new(RwLock::new(())),
        }
    }

    /// Waits until nothing runs alone.
    pub(crate) async fn beside(&self) -> Arc<OwnedRwLockReadGuard<()>> {
        Arc::new(Arc::clone(&self.door).read_owned().await)
    }

    /// Waits until nothing runs.
    pub(crate) async fn alone(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.door).write_owned().await
    }
}

/// One permit, and at once as many more as are free. None when the semaphore was closed.
pub(crate) async fn take_free(
    semaphore: &Arc<Semaphore>,
    most: usize,
) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = Arc::clone(semaphore).acquire_owned().await.ok()?;
    let mut taken = vec![first];
    while taken.len() < most {
        match Arc::clone(semaphore).try_acquire_owned() {
            Ok(permit) => taken.push(permit),
            Err(_) => break,
        }
    }
    Some(taken)
}
