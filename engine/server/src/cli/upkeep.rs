//! `hostler reindex`: what an administrator does to the store itself.

use super::Context;
use crate::clock::{SystemClock, SystemIds};
use crate::compose::{engine, store};
use crate::failure::Failure;
use hostler_core::directory::Directory;
use hostler_ports::store::Store;
use hostler_worker::{Reindex, Reindexed};
use std::sync::Arc;

/// Steps of one command: more lanes than any store holds.
const STEPS_MAX: usize = 1_000_000;

/// Opens the store as configured; the embedded one only while no engine has it.
async fn open(context: &Context) -> Result<Arc<dyn Store>, Failure> {
    let config = context.config()?;
    let estate = engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    let opened = store::open(
        &config.store,
        estate.realm(),
        Arc::new(SystemClock::new()),
        Arc::new(SystemIds),
    );
    Ok(opened.await?)
}

/// Makes lists and summaries anew from the logs. Stopped and called again, it goes on where it was.
pub async fn reindex(context: &Context) -> Result<(), Failure> {
    let reindex = Reindex::new(open(context).await?);
    let mut whole = Reindexed::default();
    for _ in 0..STEPS_MAX {
        let step = reindex
            .step()
            .await
            .map_err(|fault| Failure::Internal(fault.into()))?;
        whole.lanes += step.lanes;
        whole.removed += step.removed;
        whole.failed.extend(step.failed);
        whole.done = step.done;
        if step.done {
            break;
        }
    }
    let text = format!(
        "{} lanes were read, {} entries stood for nothing",
        whole.lanes, whole.removed
    );
    context.out.one(&text, &whole)?;
    match whole.failed.first() {
        None => Ok(()),
        Some((lane, why)) => Err(Failure::Invalid(format!(
            "{} lanes cannot be read, the first is {lane}: {why}",
            whole.failed.len()
        ))),
    }
}
