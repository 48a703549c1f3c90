//! What one call holds: its grants, its counters, its journal, its secrets.

use super::{Failure, FailureKind};
use crate::limits::{
    BLOB_MAX_BYTES, BLOBS_MAX, HOST_CALLS_MAX, LOG_LINE_MAX_BYTES, LOG_LINES_MAX, PROGRESS_MAX,
};
use crate::plugin::Described;
use crate::reach::{Endpoint, Reach, Redactor};
use crate::sandbox::{Guard, LimitHit};
use hostler_core::id::Digest;
use hostler_ports::plugin::{CallWatch, Grant, JournalEntry};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// What all calls share.
pub struct Services {
    pub reach: Reach,
    pub blobs: MemoryBlobs,
    /// Root of the secrets that plugins set; none: there are none.
    pub secret_root: Option<ring::hmac::Key>,
}

/// The pieces, and their digests, oldest first.
type Kept = (BTreeMap<Digest, Vec<u8>>, VecDeque<Digest>);

/// Evidence in memory, the oldest forgotten first.
pub struct MemoryBlobs {
    inner: Mutex<Kept>,
    most: usize,
}

impl MemoryBlobs {
    /// Keeps at most that many pieces.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            inner: Mutex::default(),
            most,
        }
    }

    pub fn put(&self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.insert(digest, bytes).is_none() {
            inner.1.push_back(digest);
        }
        while inner.1.len() > self.most {
            if let Some(oldest) = inner.1.pop_front() {
                inner.0.remove(&oldest);
            }
        }
        digest
    }

    pub fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .get(digest)
            .cloned()
    }
}

/// Whether a call may change the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Change,
    /// And why only reading is allowed.
    ReadOnly(&'static str),
}

/// A store's data. Without an active call (`describe`) every host function is refused.
#[derive(Default)]
pub struct CallState {
    pub guard: Guard,
    pub active: Option<Active>,
    last_words: Option<String>,
}

/// One call under way.
pub struct Active {
    pub services: Arc<Services>,
    pub plugin: Arc<Described>,
    pub grants: Vec<Grant>,
    pub watch: Arc<dyn CallWatch>,
    pub mode: Mode,
    pub journal: Vec<JournalEntry>,
    pub attempt: u32,
    pub idempotency_key: Uuid,
    host_calls: u32,
    log_lines: u32,
    progress: u32,
    blobs: u32,
    endpoints: Vec<Arc<Endpoint>>,
    /// Placeholder to secret.
    pub secrets: BTreeMap<String, String>,
}

/// What `Active::new` needs beside the call's own values.
impl Active {
    #[must_use]
    pub fn new(
        services: Arc<Services>,
        plugin: Arc<Described>,
        watch: Arc<dyn CallWatch>,
        mode: Mode,
    ) -> Self {
        Self {
            services,
            plugin,
            grants: Vec::new(),
            watch,
            mode,
            journal: Vec::new(),
            attempt: 1,
            idempotency_key: Uuid::nil(),
            host_calls: 0,
            log_lines: 0,
            progress: 0,
            blobs: 0,
            endpoints: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// Takes every secret that this call could know out of a text.
    #[must_use]
    pub fn redact(&self, text: String) -> String {
        let text = self
            .endpoints
            .iter()
            .fold(text, |text, endpoint| endpoint.redactor.text(text));
        if self.secrets.is_empty() {
            text
        } else {
            Redactor::new(self.secrets.values().map(String::as_str)).text(text)
        }
    }

    /// And out of every text of a JSON value.
    #[must_use]
    pub fn redact_json(&self, value: Value) -> Value {
        let value = self
            .endpoints
            .iter()
            .fold(value, |value, endpoint| endpoint.redactor.json(value));
        if self.secrets.is_empty() {
            value
        } else {
            Redactor::new(self.secrets.values().map(String::as_str)).json(value)
        }
    }

    #[must_use]
    pub fn redact_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.secrets.is_empty() {
            bytes
        } else {
            Redactor::new(self.secrets.values().map(String::as_str)).bytes(bytes)
        }
    }

    /// Whether nothing was reached and no secret made: then nothing needs redaction.
    #[must_use]
    pub fn untouched(&self) -> bool {
        self.endpoints.is_empty() && self.secrets.is_empty()
    }

    /// The connection of a handle, if this call may begin a host call on it.
    pub fn endpoint(&mut self, handle: &str) -> Result<(Arc<Endpoint>, Grant), Failure> {
        if !self.watch.may_begin() {
            return Err(cut());
        }
        let Some(grant) = self
            .grants
            .iter()
            .find(|grant| grant.handle == handle)
            .cloned()
        else {
            let names: Vec<&str> = self
                .grants
                .iter()
                .map(|grant| grant.handle.as_str())
                .collect();
            let shown: String = handle.chars().take(100).collect();
            let detail = format!(
                "{shown:?} is not granted to this call (it has: {}): add it to the asset's `via`",
                names.join(", ")
            );
            return Err(Failure {
                kind: FailureKind::NotGranted,
                detail,
                maybe_sent: false,
            });
        };
        let endpoint = self
            .services
            .reach
            .endpoint(&grant, &self.plugin.description.name)?;
        if !self
            .endpoints
            .iter()
            .any(|known| Arc::ptr_eq(known, &endpoint))
        {
            self.endpoints.push(endpoint.clone());
        }
        Ok((endpoint, grant))
    }

    /// Makes the intent of a mutating host call durable; its number.
    pub async fn intend(&mut self, what: &str) -> Result<u32, Failure> {
        if let Mode::ReadOnly(why) = self.mode {
            let detail = format!(
                "{what} would change something, and {why}: mark a query as reads-only, or do it in `perform`"
            );
            return Err(Failure {
                kind: FailureKind::Refused,
                detail,
                maybe_sent: false,
            });
        }
        let number = self.journal.last().map_or(1, |entry| entry.number + 1);
        let entry = JournalEntry {
            number,
            attempt: self.attempt,
            what: self.redact(what.to_owned()),
            outcome: None,
        };
        self.watch.journal(entry.clone()).await.map_err(|_| cut())?;
        self.journal.push(entry);
        Ok(number)
    }

    /// Makes the outcome of a mutating host call durable.
    pub async fn record(&mut self, number: u32, outcome: &str) -> Result<(), Failure> {
        let outcome = self.redact(outcome.to_owned());
        let Some(entry) = self
            .journal
            .iter_mut()
            .rev()
            .find(|entry| entry.number == number)
        else {
            return Ok(());
        };
        entry.outcome = Some(outcome);
        let entry = entry.clone();
        let lost = |_| Failure {
            maybe_sent: true,
            ..cut()
        };
        self.watch.journal(entry).await.map_err(lost)
    }

    pub fn blob(&mut self, size: usize) -> Result<(), Failure> {
        self.blobs += 1;
        if self.blobs > BLOBS_MAX || size > BLOB_MAX_BYTES {
            let detail = format!(
                "at most {BLOBS_MAX} pieces of {BLOB_MAX_BYTES} bytes are kept of one call"
            );
            return Err(Failure {
                kind: FailureKind::Refused,
                detail,
                maybe_sent: false,
            });
        }
        Ok(())
    }

    /// Counts a host call.
    pub fn count(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        if self.host_calls > HOST_CALLS_MAX {
            Err(LimitHit("host calls").into())
        } else {
            Ok(())
        }
    }

    pub fn log(&mut self, level: &str, line: &str) -> wasmtime::Result<()> {
        self.log_lines += 1;
        if self.log_lines > LOG_LINES_MAX {
            return Err(LimitHit("log").into());
        }
        let line = self.redact(shortened(line, LOG_LINE_MAX_BYTES));
        self.watch.log(level, &line);
        Ok(())
    }

    pub fn progress(&mut self, percent: u8, note: &str) -> wasmtime::Result<()> {
        self.progress += 1;
        if self.progress > PROGRESS_MAX {
            return Err(LimitHit("log").into());
        }
        let note = self.redact(shortened(note, LOG_LINE_MAX_BYTES));
        self.watch.progress(percent.min(100), &note);
        Ok(())
    }
}

/// The lease is too old, or lost.
fn cut() -> Failure {
    Failure {
        kind: FailureKind::Cut,
        detail: "the call is being cut off".into(),
        maybe_sent: false,
    }
}

/// The beginning of a text, at a character's end.
pub fn shortened(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl CallState {
    #[must_use]
    pub fn new(active: Active) -> Self {
        Self {
            active: Some(active),
            ..Self::default()
        }
    }

    /// Chance that repeats with the step.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.active
            .as_ref()
            .map_or(0, |active| seed(active.idempotency_key))
    }

    /// What a guest printed: a line of the log.
    pub fn printed(&mut self, bytes: &[u8]) -> wasmtime::Result<()> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.spoke("debug", &text)
    }

    /// A line of the log; an error's line is remembered, as it may be the guest's last.
    pub fn spoke(&mut self, level: &str, line: &str) -> wasmtime::Result<()> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        active.log(level, line)?;
        if level == "error" {
            self.last_words = Some(active.redact(shortened(line, LOG_LINE_MAX_BYTES)));
        }
        Ok(())
    }

    pub fn take_last_words(&mut self) -> Option<String> {
        self.last_words.take()
    }
}

/// The lower half of the key: it is random or a hash.
#[must_use]
pub fn seed(key: Uuid) -> u64 {
    key.as_u64_pair().1
}
