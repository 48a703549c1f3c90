//! The connection that all calls share, mended when it breaks, and the retries of a call.
//!
//! Every Function may be called again after an unknown outcome: it recognises its own earlier
//! success by the call's mark. Not here: what a call means.

use crate::OpenError;
use crate::connect::{self, Purpose};
use crate::options::Options;
use crate::trouble::{self, Trouble};
use hostler_ports::clock::Ids;
use hostler_ports::store::{StoreError, StoreResult};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// First and longest pause between two attempts; each is drawn between half and all of it, so that
/// fifty workers do not come back in the same millisecond.
const PAUSE_FIRST_MS: u64 = 20;
const PAUSE_MAX_MS: u64 = 2_000;

const DISK_FULL: &str = "it cannot write to its disk: make room";
/// Whether a call waits until there is room again.
const DISK_FULL_PASSES: bool = true;

/// One life of the server's process, as this process has seen it.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// The server's id of its process.
    pub run_id: Arc<str>,
    /// Commits up to here were answered before this life: whether they survived is not known. Zero
    /// in the first life.
    pub floor: u64,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// Counts connections, so that a broken one is dropped once.
    number: u64,
    life: Life,
}

/// What a call is told when it is built.
pub struct Attempt {
    /// An earlier attempt's outcome is unknown.
    pub again: bool,
    pub run_id: Arc<str>,
}

pub struct Link {
    pub options: Options,
    pub ids: Arc<dyn Ids>,
    /// Name of the realm's meta key.
    pub meta: String,
    live: RwLock<Option<Live>>,
    /// Held while a new connection is made: one attempt at a time for all calls.
    connecting: Mutex<(u64, Option<Life>)>,
    /// Largest seq that any answer bore.
    seen: AtomicU64,
    /// What a server that has gone back showed, plus one; zero while all is well.
    regressed: AtomicU64,
}

impl Link {
    pub fn new(options: Options, ids: Arc<dyn Ids>) -> Result<Self, OpenError> {
        connect::check_addresses(&options)?;
        let meta = format!("h:{{{}}}:meta", options.realm);
        Ok(Self {
            options,
            ids,
            meta,
            live: RwLock::default(),
            connecting: Mutex::default(),
            seen: AtomicU64::new(0),
            regressed: AtomicU64::new(0),
        })
    }

    /// A key of the realm.
    pub fn key(&self, rest: &str) -> String {
        format!("{}{rest}", self.meta.trim_end_matches("meta"))
    }

    /// The life that the shared connection belongs to, if there is one now.
    pub fn life(&self) -> Option<Life> {
        self.current().map(|live| live.life)
    }

    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// An answer bore `seq`; when the call was made, `before` was the largest. A smaller one now
    /// means that the server has lost commits.
    pub fn saw(&self, before: u64, seq: u64) -> StoreResult<()> {
        self.seen.fetch_max(seq, Ordering::SeqCst);
        if seq <= before {
            self.regressed.store(seq + 1, Ordering::SeqCst);
        }
        self.check_regression()
    }

    fn check_regression(&self) -> StoreResult<()> {
        match self.regressed.load(Ordering::SeqCst) {
            0 => Ok(()),
            found => Err(StoreError::Regressed {
                seen: self.seen(),
                found: found - 1,
            }),
        }
    }

    /// A person has accepted that commits are lost: go on from what the server has.
    pub fn accept_regression(&self) {
        let found = self.regressed.swap(0, Ordering::SeqCst);
        if found > 0 {
            self.seen.store(found - 1, Ordering::SeqCst);
        }
    }

    /// Calls until there is an answer or patience ends; says whether it was called again after an
    /// unknown outcome. What was begun waits for a full disk.
    pub async fn call(&self, build: impl Fn(&Attempt) -> Cmd) -> StoreResult<(Value, bool)> {
        self.call_for(build, DISK_FULL_PASSES).await
    }

    /// The same for what begins something new: a full disk is an answer.
    pub async fn call_anew(&self, build: impl Fn(&Attempt) -> Cmd) -> StoreResult<(Value, bool)> {
        self.call_for(build, !DISK_FULL_PASSES).await
    }

    async fn call_for(
        &self,
        build: impl Fn(&Attempt) -> Cmd,
        disk_full_passes: bool,
    ) -> StoreResult<(Value, bool)> {
        let deadline = Instant::now() + Duration::from_millis(self.options.patience_ms);
        let mut attempt = Attempt {
            again: false,
            run_id: Arc::default(),
        };
        let mut pause_ms = PAUSE_FIRST_MS;
        loop {
            self.check_regression()?;
            let text = match self.once(&mut attempt, &build).await {
                Ok(value) => return Ok((value, attempt.again)),
                Err(Trouble::Full) => {
                    return Err(StoreError::Full(
                        "Redis is over maxmemory: raise it or archive runs".into(),
                    ));
                }
                Err(Trouble::Refused(text)) => return Err(unavailable(text)),
                // An attempt whose outcome is unknown may have begun it: then it is asked for again.
                Err(Trouble::DiskFull) if !disk_full_passes && !attempt.again => {
                    return Err(StoreError::Full(format!("Redis: {DISK_FULL}")));
                }
                Err(Trouble::DiskFull) => DISK_FULL,
                Err(Trouble::Wait(text) | Trouble::Reconnect(text)) => text,
                Err(Trouble::NoFunctions) => "its Functions are gone",
            };
            let pause = self.jittered(pause_ms);
            if Instant::now() + pause > deadline {
                return Err(unavailable(text));
            }
            tracing::debug!(reason = text, "a call to Redis is made again");
            tokio::time::sleep(pause).await;
            pause_ms = (pause_ms * 2).min(PAUSE_MAX_MS);
        }
    }

    async fn once(
        &self,
        attempt: &mut Attempt,
        build: &impl Fn(&Attempt) -> Cmd,
    ) -> Result<Value, Trouble> {
        let mut live = self.live().await?;
        if self.check_regression().is_err() {
            // Found while connecting: nothing may be written, and the next round says so.
            return Err(Trouble::Wait("it has gone back"));
        }
        attempt.run_id = Arc::clone(&live.life.run_id);
        let answer = live.connection.send_packed_command(&build(attempt)).await;
        answer.and_then(Value::extract_error).map_err(|error| {
            let trouble = trouble::of(&error);
            if matches!(trouble, Trouble::Reconnect(_) | Trouble::NoFunctions) {
                attempt.again = true;
                self.drop_connection(live.number);
            }
            trouble
        })
    }

    fn jittered(&self, pause_ms: u64) -> Duration {
        let chance = self.ids.fresh().as_u64_pair().1;
        Duration::from_millis(pause_ms / 2 + chance % (pause_ms / 2 + 1))
    }

    fn current(&self) -> Option<Live> {
        self.live
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn drop_connection(&self, number: u64) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.number == number) {
            *live = None;
        }
    }

    async fn live(&self) -> Result<Live, Trouble> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let mut connecting = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let (number, before) = (connecting.0 + 1, connecting.1.clone());
        let live = self
            .open(number, before)
            .await
            .map_err(|error| trouble::of(&error))?;
        *connecting = (number, Some(live.life.clone()));
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
        Ok(live)
    }

    /// Connects, loads the Functions and looks whether the server has gone back.
    async fn open(&self, number: u64, before: Option<Life>) -> Result<Live, RedisError> {
        let seen = self.seen();
        let mut connection = connect::connect(&self.options, Purpose::Calls).await?;
        connect::load_functions(&mut connection, &self.options.functions).await?;
        let server = connect::info(&mut connection, "server").await?;
        let run_id: Arc<str> = server.get("run_id").map_or("", String::as_str).into();
        let mut read = redis::cmd("HGET");
        let found: Option<u64> = read
            .arg(&self.meta)
            .arg("seq")
            .query_async(&mut connection)
            .await?;
        let found = found.unwrap_or(0);
        if found < seen {
            self.regressed.store(found + 1, Ordering::SeqCst);
        }
        let life = match before {
            Some(life) if life.run_id == run_id => life,
            Some(_) => Life {
                run_id,
                floor: found.max(seen),
            },
            None => Life { run_id, floor: 0 },
        };
        Ok(Live {
            connection,
            number,
            life,
        })
    }
}

pub fn unavailable(text: &str) -> StoreError {
    StoreError::Unavailable(format!("Redis: {text}"))
}
