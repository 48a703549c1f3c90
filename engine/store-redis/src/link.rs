//! The connection that all calls share, mended when it breaks, and the retries of a call.
//!
//! Every Function may be called again after an unknown outcome: it recognises its own earlier
//! success by the call's mark. Not here: what a call means.

use crate::OpenError;
use crate::connect::{self, Purpose};
use crate::decode::{self, Parts};
use crate::form::Form;
use crate::options::Options;
use crate::past::Past;
use crate::trouble::{self, Trouble};
use hostler_ports::clock::Ids;
use hostler_ports::store::generation::Regression;
use hostler_ports::store::{StoreError, StoreResult};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value, cmd};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// First and longest pause between two attempts; each is drawn between half and all of it, so that
/// fifty workers do not come back in the same millisecond.
const PAUSE_FIRST_MS: u64 = 20;
const PAUSE_MAX_MS: u64 = 2_000;

const DISK_FULL: &str = "it cannot write to its disk: make room";

/// What a call does about a server that is full or has gone back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Begins something new: a full disk is an answer.
    New,
    /// Goes on with what was begun: waits until there is room again.
    Begun,
    /// Is about the loss itself.
    Anyway,
}

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
    pub form: Form,
    live: RwLock<Option<Live>>,
    /// Held while a new connection is made: one attempt at a time for all calls.
    connecting: Mutex<(u64, Option<Life>)>,
    pub past: Past,
}

impl Link {
    pub fn new(options: Options, ids: Arc<dyn Ids>, form: Form) -> Result<Self, OpenError> {
        connect::check_addresses(&options)?;
        let meta = connect::meta_key(&options, form);
        Ok(Self {
            options,
            ids,
            meta,
            form,
            live: RwLock::default(),
            connecting: Mutex::default(),
            past: Past::default(),
        })
    }

    /// A key of the realm.
    pub fn key(&self, rest: &str) -> String {
        format!("{}{rest}", self.meta.trim_end_matches("meta"))
    }

    /// A key of the realm that ends with an id or a digest, in the realm's form.
    pub fn name(&self, letter: &str, id: &[u8]) -> Vec<u8> {
        let mut name = self.key(letter).into_bytes();
        name.push(b':');
        name.extend_from_slice(id);
        name
    }

    /// The life that the shared connection belongs to, if there is one now.
    pub fn life(&self) -> Option<Life> {
        self.current().map(|live| live.life)
    }

    /// Whether what was committed under `seq` belongs to this life of the server and counts.
    pub fn survives(&self, seq: u64) -> bool {
        let floor = |life: Life| life.floor.max(self.past.floor());
        let floor = self.life().map(floor);
        floor.is_some_and(|floor| seq > floor && seq <= self.past.seen())
    }

    /// Declares a loss that was found here, and hears of a decision. What cannot be asked now is
    /// asked at the next call.
    pub async fn look(&self) {
        if let Some(lost) = self.past.regression()
            && let Err(trouble) = self.declare(lost).await
        {
            tracing::debug!(?trouble, "a loss could not be declared");
        }
    }

    async fn declare(&self, lost: Regression) -> Result<(), Trouble> {
        let mut live = self.live().await?;
        let mut call = cmd("FCALL");
        call.arg("h1_declare").arg(1).arg(&self.meta);
        call.arg(self.past.generation())
            .arg(lost.seen)
            .arg(lost.found);
        let answer = live.connection.send_packed_command(&call).await;
        let value = answer
            .and_then(Value::extract_error)
            .map_err(|error| self.judge(&error, live.number))?;
        let unreadable = |_| Trouble::Refused("its answer is of another form");
        let mut parts = Parts::of(value, "a declaration").map_err(unreadable)?;
        let present = parts.value().and_then(decode::generation);
        let (present, declared) = present.map_err(unreadable)?;
        let seq = parts.parsed().map_err(unreadable)?;
        if self.past.heard(present.number, seq) {
            tracing::warn!(present.number, "a person has decided what counts");
        } else if let Some(declared) = declared {
            self.past.told(present.number, declared);
        }
        Ok(())
    }

    fn judge(&self, error: &RedisError, number: u64) -> Trouble {
        let trouble = trouble::of(error);
        if matches!(trouble, Trouble::Reconnect(_) | Trouble::NoFunctions) {
            self.drop_connection(number);
        }
        trouble
    }

    /// Calls until there is an answer or patience ends; says whether it was called again after an
    /// unknown outcome. What was begun waits for a full disk.
    pub async fn call(&self, build: impl Fn(&Attempt) -> Cmd) -> StoreResult<(Value, bool)> {
        self.call_for(build, Manner::Begun).await
    }

    /// The same also while the server has gone back.
    pub async fn call_anyway(&self, build: impl Fn(&Attempt) -> Cmd) -> StoreResult<(Value, bool)> {
        self.call_for(build, Manner::Anyway).await
    }

    /// The same for what begins something new: a full disk is an answer.
    pub async fn call_anew(&self, build: impl Fn(&Attempt) -> Cmd) -> StoreResult<(Value, bool)> {
        self.call_for(build, Manner::New).await
    }

    /// Calls once. None when there is no answer that tells what became of it.
    pub async fn try_call(&self, command: &Cmd) -> Option<Value> {
        let attempt = &mut Attempt {
            again: false,
            run_id: Arc::default(),
        };
        self.once(attempt, &|_| command.clone(), Manner::Begun)
            .await
            .ok()
    }

    async fn call_for(
        &self,
        build: impl Fn(&Attempt) -> Cmd,
        manner: Manner,
    ) -> StoreResult<(Value, bool)> {
        let deadline = Instant::now() + Duration::from_millis(self.options.patience_ms);
        let mut attempt = Attempt {
            again: false,
            run_id: Arc::default(),
        };
        let mut pause_ms = PAUSE_FIRST_MS;
        loop {
            if manner != Manner::Anyway && self.past.check().is_err() {
                self.look().await;
                self.past.check()?;
            }
            let text = match self.once(&mut attempt, &build, manner).await {
                Ok(value) => return Ok((value, attempt.again)),
                Err(Trouble::Full) => {
                    return Err(StoreError::Full(
                        "Redis is over maxmemory: raise it or archive runs".into(),
                    ));
                }
                Err(Trouble::Refused(text)) => return Err(unavailable(text)),
                // An attempt whose outcome is unknown may have begun it: then it is asked for again.
                Err(Trouble::DiskFull) if manner == Manner::New && !attempt.again => {
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
        manner: Manner,
    ) -> Result<Value, Trouble> {
        let mut live = self.live().await?;
        if manner != Manner::Anyway && self.past.check().is_err() {
            // Found while connecting: nothing may be written, and the next round says so.
            return Err(Trouble::Wait("it has gone back"));
        }
        attempt.run_id = Arc::clone(&live.life.run_id);
        let answer = live.connection.send_packed_command(&build(attempt)).await;
        answer.and_then(Value::extract_error).map_err(|error| {
            let trouble = self.judge(&error, live.number);
            attempt.again |= matches!(trouble, Trouble::Reconnect(_) | Trouble::NoFunctions);
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
        let known = self.past.before();
        let seen = self.past.seen();
        let mut connection = connect::connect(&self.options, Purpose::Calls).await?;
        connect::load_functions(&mut connection, &self.options.functions).await?;
        let server = connect::info(&mut connection, "server").await?;
        let run_id: Arc<str> = server.get("run_id").map_or("", String::as_str).into();
        let mut read = cmd("HMGET");
        read.arg(&self.meta)
            .arg("seq")
            .arg("generation")
            .arg("regressed");
        let (found, generation, declared): (Option<u64>, Option<u64>, Option<String>) =
            read.query_async(&mut connection).await?;
        let found = found.unwrap_or(0);
        let declared = declared.and_then(|text| decode::regression(&text).ok().flatten());
        let generation = generation.unwrap_or(0);
        let known = before.is_some().then_some(known);
        self.past.met(known, generation, found, declared);
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
