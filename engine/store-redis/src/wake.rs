//! Waiting for work without polling: a blocking read of the wake list, on connections of its own.
//!
//! A token only says "claim again"; whoever misses one claims again after `BLOCK_MS` anyway. Not
//! here: claiming.

use crate::connect::{self, Purpose};
use crate::link::Link;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, cmd};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Longest blocking read. After a lost connection or a lost token a claim is late by at most this.
const BLOCK_MS: u64 = 2_000;

type Slot = Arc<Mutex<Option<MultiplexedConnection>>>;

/// One connection for each wake list, shared by those of this process who wait on it.
#[derive(Default)]
pub struct Wakes {
    slots: Mutex<HashMap<String, Slot>>,
}

impl Wakes {
    /// The right to read the list; whoever has had to wait for it claims again first.
    pub async fn turn(&self, list: &str) -> OwnedMutexGuard<Option<MultiplexedConnection>> {
        let slot = Arc::clone(self.slots.lock().await.entry(list.to_owned()).or_default());
        slot.lock_owned().await
    }
}

/// Waits for a token, at most `wait_ms` and `BLOCK_MS`. False when the server cannot be asked.
pub async fn wait(
    link: &Link,
    slot: &mut Option<MultiplexedConnection>,
    list: &str,
    wait_ms: u64,
) -> bool {
    let read = read(link, slot, list, wait_ms.min(BLOCK_MS)).await;
    if let Err(error) = &read {
        tracing::debug!(%error, "waiting for work was interrupted");
        *slot = None;
    }
    read.is_ok()
}

async fn read(
    link: &Link,
    slot: &mut Option<MultiplexedConnection>,
    list: &str,
    wait_ms: u64,
) -> RedisResult<Value> {
    let mut connection = match slot.take() {
        Some(connection) => connection,
        None => connect::connect(&link.options, Purpose::Blocking { ms: BLOCK_MS }).await?,
    };
    let mut pop = cmd("BLPOP");
    // Zero would wait for ever.
    pop.arg(list).arg(format!(
        "{}.{:03}",
        wait_ms / 1_000,
        (wait_ms % 1_000).max(1)
    ));
    let read = pop.query_async(&mut connection).await?;
    // Only a connection whose answer was read is used again.
    *slot = Some(connection);
    Ok(read)
}
