//! The innermost service: hands a claim to the engine, then gives its permit back.

use crate::pump::Job;
use apalis_core::task::Task;
use hostler_ports::store::Claim;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;

#[derive(Clone)]
pub(crate) struct Lanes<H>(H);

impl<H> Lanes<H> {
    pub(crate) fn new(handler: H) -> Self {
        Self(handler)
    }
}

impl<H, F> Service<Task<Job>> for Lanes<H>
where
    H: Fn(Claim, i64) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    type Response = ();
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Job>) -> Self::Future {
        let (job, _) = task.take();
        let Job {
            claim,
            asked_ms,
            place,
            permit,
        } = job;
        let turn = (self.0)(claim, asked_ms);
        Box::pin(async move {
            turn.await;
            drop((place, permit));
            Ok(())
        })
    }
}
