//! Who may hold a lane: counted permits, a reserve for emergencies, and a door for lanes that must
//! run alone.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, Semaphore,
};
use tokio_util::sync::CancellationToken;

/// All permits of one queue in this process.
#[derive(Clone)]
pub(crate) struct Permits {
    pub(crate) common: Arc<Semaphore>,
    pub(crate) emergency: Arc<Semaphore>,
    /// Read by everything that runs, written by what runs alone. Fair: who waits to be alone is not
    /// overtaken.
    door: Arc<RwLock<()>>,
    /// Cancelled while somebody stands at the door to be alone, and at a stop.
    wanted: Arc<Mutex<CancellationToken>>,
    shutdown: CancellationToken,
}

/// Keeps others in mind of what runs.
pub(crate) enum Place {
    Beside(
        #[allow(dead_code, reason = "held until the lane is let go")] Arc<OwnedRwLockReadGuard<()>>,
    ),
    Alone(#[allow(dead_code, reason = "held until the lane is let go")] OwnedRwLockWriteGuard<()>),
}

impl Permits {
    pub(crate) fn new(common: usize, emergency: usize, shutdown: &CancellationToken) -> Self {
        Self {
            common: Arc::new(Semaphore::new(common)),
            emergency: Arc::new(Semaphore::new(emergency)),
            door: Arc::new(RwLock::new(())),
            wanted: Arc::new(Mutex::new(shutdown.child_token())),
            shutdown: shutdown.clone(),
        }
    }

    /// Waits until nothing runs alone. Whoever only waits for work behind the door leaves it when the token is
    /// cancelled: somebody wants to be alone, or it is time to stop.
    pub(crate) async fn beside(&self) -> (Arc<OwnedRwLockReadGuard<()>>, CancellationToken) {
        // Taken first: who comes to the door in between is seen.
        let wanted = self.wanted().clone();
        (Arc::new(Arc::clone(&self.door).read_owned().await), wanted)
    }

    /// Waits until nothing runs.
    pub(crate) async fn alone(&self) -> OwnedRwLockWriteGuard<()> {
        self.wanted().cancel();
        let place = Arc::clone(&self.door).write_owned().await;
        *self.wanted() = self.shutdown.child_token();
        place
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
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
