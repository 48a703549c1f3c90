//! apalis's view of the claims: a source that yields jobs and has nothing to acknowledge.

use crate::pump::Job;
use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;

/// Claimed lanes. Clones share one source, so that a worker that is begun anew goes on with it.
#[derive(Clone)]
pub(crate) struct Claims {
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    dry: CancellationToken,
}

impl Claims {
    pub(crate) fn new(jobs: mpsc::Receiver<Job>) -> Self {
        Self {
            jobs: Arc::new(Mutex::new(jobs)),
            dry: CancellationToken::new(),
        }
    }

    /// Cancelled when all pumps have ended and the last job was taken.
    pub(crate) fn dry(&self) -> CancellationToken {
        self.dry.clone()
    }
}

impl Backend for Claims {
    type Task = Task<Job>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// None when all pumps have ended: the worker then finishes what it holds.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Job>, Infallible>>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(job) = ready!(jobs.poll_recv(context)) else {
            self.dry.cancel();
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(Task::new(job))))
    }

    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Claims {
    type Args = Job;
    type Id = NoId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

/// Jobs have no id of apalis's own: the lane's is enough.
pub(crate) enum NoId {}
