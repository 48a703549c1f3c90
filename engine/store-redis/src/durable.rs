//! Confirm before effect: waits until what was committed is durable to the configured degree, on a
//! connection of its own, one wait for all who ask.
//!
//! `WAIT` counts from the last write of its own connection, so each round first writes a little: it
//! stands behind every commit that was answered before. Not here: what happens when it is unknown.

use crate::connect::{self, Purpose, info};
use crate::link::Link;
use crate::options::Durability;
use hostler_ports::store::{Confirmed, Seq, StoreResult};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd, pipe};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Most who wait in one round.
const ROUND_MAX: usize = 4_096;

type Ask = (Seq, oneshot::Sender<Confirmed>);

pub struct Durable {
    link: Arc<Link>,
    asks: Mutex<Option<mpsc::Sender<Ask>>>,
}

impl Durable {
    pub fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            asks: Mutex::default(),
        }
    }

    pub async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        if self.link.options.durability == Durability::Answer {
            return Ok(self.survived(seq));
        }
        let (sender, answer) = oneshot::channel();
        if self.asks().await.send((seq, sender)).await.is_err() {
            return Ok(Confirmed::Unknown);
        }
        Ok(answer.await.unwrap_or(Confirmed::Unknown))
    }

    /// An answer from an earlier life of the server says nothing about this one.
    fn survived(&self, seq: Seq) -> Confirmed {
        if self.link.survives(seq.0) {
            Confirmed::Durable
        } else {
            Confirmed::Unknown
        }
    }

    /// The round's queue; the task behind it is started when first needed and ends with this.
    async fn asks(&self) -> mpsc::Sender<Ask> {
        let mut asks = self.asks.lock().await;
        match &*asks {
            Some(sender) if !sender.is_closed() => sender.clone(),
            _ => {
                let (sender, receiver) = mpsc::channel(ROUND_MAX);
                tokio::spawn(rounds(Arc::clone(&self.link), receiver));
                *asks = Some(sender.clone());
                sender
            }
        }
    }
}

/// A connection and the life that it belongs to.
type Own = (MultiplexedConnection, Arc<str>);

async fn rounds(link: Arc<Link>, mut asks: mpsc::Receiver<Ask>) {
    let mut own: Option<Own> = None;
    let mut waiting = Vec::new();
    while asks.recv_many(&mut waiting, ROUND_MAX).await > 0 {
        let confirmed = match round(&link, &mut own).await {
            Ok(confirmed) => confirmed,
            Err(error) => {
                tracing::warn!(%error, "a commit could not be confirmed");
                own = None;
                Confirmed::Unknown
            }
        };
        let life = link.life();
        for (seq, sender) in waiting.drain(..) {
            let same = life
                .as_ref()
                .zip(own.as_ref())
                .is_some_and(|(life, (_, run_id))| life.run_id == *run_id)
                && link.survives(seq.0);
            // Whoever no longer waits has given the effect up.
            let _ = sender.send(if same { confirmed } else { Confirmed::Unknown });
        }
    }
}

async fn round(link: &Link, own: &mut Option<Own>) -> RedisResult<Confirmed> {
    if own.is_none() {
        let purpose = Purpose::Blocking {
            ms: link.options.confirm_ms,
        };
        let mut connection = connect::connect(&link.options, purpose).await?;
        let run_id = info(&mut connection, "server")
            .await?
            .remove("run_id")
            .unwrap_or_default();
        *own = Some((connection, run_id.into()));
    }
    let Some((connection, _)) = own else {
        return Ok(Confirmed::Unknown);
    };
    let wait_ms = link.options.confirm_ms;
    let mut write = cmd("HINCRBY");
    write.arg(&link.meta).arg("confirms").arg(1);
    let enough = match link.options.durability {
        Durability::Answer => true,
        Durability::Replicas(wanted) => {
            let mut wait = cmd("WAIT");
            wait.arg(wanted).arg(wait_ms);
            let (_, reached): (u64, u32) = pipe()
                .add_command(write)
                .add_command(wait)
                .query_async(connection)
                .await?;
            reached >= wanted
        }
        Durability::LocalLog => {
            let mut wait = cmd("WAITAOF");
            wait.arg(1).arg(0).arg(wait_ms);
            let (_, synced): (u64, (u32, u32)) = pipe()
                .add_command(write)
                .add_command(wait)
                .query_async(connection)
                .await?;
            synced.0 >= 1
        }
    };
    Ok(if enough {
        Confirmed::Durable
    } else {
        Confirmed::Unknown
    })
}
