//! The functions that a guest may call.
//!
//! Not here: how a connection is reached (reach), what is counted (state).

use super::bindings::hostler::platform::{blob, exec, http, journal, log, probe, secret, types};
use super::state::{Active, CallState, shortened};
use super::{Failure, FailureKind};
use crate::limits::ARGUMENTS_MAX_BYTES;
use crate::reach::{self, ProbeKind, Run};
use ring::hmac;
use std::str::FromStr;
use std::sync::Arc;

type Reply<T> = wasmtime::Result<Result<T, Failure>>;

/// A path in the journal.
const WHAT_MAX_BYTES: usize = 200;
/// A secret's length in hex digits: 160 bits.
const SECRET_HEX: usize = 40;

impl types::Host for CallState {}

impl CallState {
    fn call(&mut self) -> wasmtime::Result<Result<&mut Active, Failure>> {
        match &mut self.active {
            Some(active) => {
                active.count()?;
                Ok(Ok(active))
            }
            None => Ok(Err(refused("nothing may be called from `describe`"))),
        }
    }
}

fn refused(detail: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Refused,
        detail: detail.into(),
        maybe_sent: false,
    }
}

impl http::Host for CallState {
    async fn send(&mut self, connection: String, request: http::Request) -> Reply<http::Response> {
        match self.call()? {
            Ok(active) => Ok(active.http(&connection, request).await),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl Active {
    async fn http(
        &mut self,
        connection: &str,
        mut request: http::Request,
    ) -> Result<http::Response, Failure> {
        let (endpoint, grant) = self.endpoint(connection)?;
        let reads =
            request.reads_only || matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let what = shortened(
            &format!("http {} {}", request.method, request.path),
            WHAT_MAX_BYTES,
        );
        let number = if reads {
            None
        } else {
            Some(self.intend(&what).await?)
        };
        if !self.secrets.is_empty() {
            request.body = self.filled(request.body);
        }
        let outcome = reach::send(&endpoint, &grant, &*self.watch, request)
            .await
            .map_err(|failure| self.cleaned(failure));
        if let Some(number) = number {
            let text = match &outcome {
                Ok(response) => format!("HTTP {}", response.status),
                Err(failure) => format!("failed: {}", failure.detail),
            };
            self.record(number, &text).await?;
        }
        outcome.map(|mut response| {
            response.body = self.redact_bytes(response.body);
            response
        })
    }

    async fn exec(
        &mut self,
        connection: &str,
        name: &str,
        arguments: &str,
        timeout_ms: Option<u32>,
    ) -> Result<exec::Outcome, Failure> {
        let plugin = Arc::clone(&self.plugin);
        let script = plugin.scripts.get(name).ok_or_else(|| {
            refused(format!(
                "the package has no script {:?}: list it in `describe`",
                shortened(name, WHAT_MAX_BYTES)
            ))
        })?;
        if arguments.len() > ARGUMENTS_MAX_BYTES {
            return Err(refused(format!(
                "arguments of {} bytes: at most {ARGUMENTS_MAX_BYTES} are sent",
                arguments.len()
            )));
        }
        // Written anew: one line, whatever blanks the guest put in.
        let arguments: serde_json::Value = serde_json::from_str(arguments)
            .map_err(|error| refused(format!("the arguments are no JSON: {error}")))?;
        let (endpoint, grant) = self.endpoint(connection)?;
        let number = if script.mutating {
            Some(self.intend(&format!("exec {name}")).await?)
        } else {
            None
        };
        let arguments = arguments.to_string();
        let run = Run {
            script: &script.text,
            arguments: &arguments,
            timeout_ms,
        };
        let outcome = reach::run(&endpoint, &grant, &*self.watch, run)
            .await
            .map_err(|failure| self.cleaned(failure));
        if let Some(number) = number {
            let text = match &outcome {
                Ok(outcome) => outcome
                    .exit_code
                    .map_or("ended by a signal".into(), |code| format!("exit {code}")),
                Err(failure) => format!("failed: {}", failure.detail),
            };
            self.record(number, &text).await?;
        }
        outcome.map(|outcome| exec::Outcome {
            exit_code: outcome.exit_code,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            truncated: outcome.truncated,
        })
    }

    async fn probe(
        &mut self,
        connection: &str,
        kind: probe::Kind,
    ) -> Result<probe::Outcome, Failure> {
        let (endpoint, grant) = self.endpoint(connection)?;
        let kind = match kind {
            probe::Kind::Tcp => ProbeKind::Tcp,
            probe::Kind::Tls => ProbeKind::Tls,
            probe::Kind::Http => ProbeKind::Http,
            probe::Kind::Banner => ProbeKind::Banner,
        };
        let found = reach::check(&endpoint, &grant, &*self.watch, kind)
            .await
            .map_err(|failure| self.cleaned(failure));
        found.map(|(up, detail)| probe::Outcome { up, detail })
    }

    fn cleaned(&self, mut failure: Failure) -> Failure {
        failure.detail = self.redact(failure.detail);
        failure
    }

    /// Secrets in place of their placeholders.
    fn filled(&self, body: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(body) {
            Ok(text) => {
                let filled = self
                    .secrets
                    .iter()
                    .fold(text, |text, (placeholder, secret)| {
                        text.replace(placeholder, secret)
                    });
                filled.into_bytes()
            }
            Err(other) => other.into_bytes(),
        }
    }

    fn generate(&mut self, purpose: &str) -> Result<String, Failure> {
        let plain = !purpose.is_empty()
            && purpose.len() <= 64
            && purpose
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain {
            return Err(refused(
                "a purpose is 1 to 64 lower-case letters, digits and `-`",
            ));
        }
        let root = self.services.secret_root.as_ref().ok_or_else(|| {
            refused(
                "this installation has no root for secrets: give `hostler` a `secret_root` file",
            )
        })?;
        let text = format!("secret\0{}\0{purpose}", self.idempotency_key);
        let secret = hex::encode(hmac::sign(root, text.as_bytes()))[..SECRET_HEX].to_owned();
        let placeholder = format!("{{{{secret:{purpose}}}}}");
        self.secrets.insert(placeholder.clone(), secret);
        Ok(placeholder)
    }

    fn derive(&self, placeholder: &str, label: &str) -> Result<String, Failure> {
        let secret = self
            .secrets
            .get(placeholder)
            .ok_or_else(|| refused("it is no placeholder of this call: generate it first"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Ok(hex::encode(hmac::sign(&key, label.as_bytes())))
    }
}

impl exec::Host for CallState {
    async fn run(
        &mut self,
        connection: String,
        script: String,
        arguments: String,
        timeout_ms: Option<u32>,
    ) -> Reply<exec::Outcome> {
        match self.call()? {
            Ok(active) => Ok(active
                .exec(&connection, &script, &arguments, timeout_ms)
                .await),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl probe::Host for CallState {
    async fn check(&mut self, connection: String, kind: probe::Kind) -> Reply<probe::Outcome> {
        match self.call()? {
            Ok(active) => Ok(active.probe(&connection, kind).await),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl blob::Host for CallState {
    fn put(&mut self, bytes: Vec<u8>) -> Reply<String> {
        Ok(self.call()?.and_then(|active| {
            active.blob(bytes.len())?;
            Ok(active.services.blobs.put(bytes).to_string())
        }))
    }

    fn get(&mut self, digest: String) -> Reply<Vec<u8>> {
        Ok(self.call()?.and_then(|active| {
            let missing = || {
                refused(format!(
                    "there is no blob {}",
                    shortened(&digest, WHAT_MAX_BYTES)
                ))
            };
            let digest = hostler_core::id::Digest::from_str(&digest).map_err(|_| missing())?;
            active.services.blobs.get(&digest).ok_or_else(missing)
        }))
    }
}

impl secret::Host for CallState {
    fn generate(&mut self, purpose: String) -> Reply<String> {
        Ok(self.call()?.and_then(|active| active.generate(&purpose)))
    }

    fn derive(&mut self, placeholder: String, label: String) -> Reply<String> {
        Ok(self
            .call()?
            .and_then(|active| active.derive(&placeholder, &label)))
    }
}

impl journal::Host for CallState {
    fn prior(&mut self) -> wasmtime::Result<Vec<journal::Entry>> {
        let Ok(active) = self.call()? else {
            return Ok(Vec::new());
        };
        let entry = |entry: &hostler_ports::plugin::JournalEntry| journal::Entry {
            number: entry.number,
            attempt: entry.attempt,
            what: entry.what.clone(),
            outcome: entry.outcome.clone(),
        };
        Ok(active.journal.iter().map(entry).collect())
    }
}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, line: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.spoke(level, &line)
    }

    fn progress(&mut self, percent: u8, note: String) -> wasmtime::Result<()> {
        match &mut self.active {
            Some(active) => active.progress(percent, &note),
            None => Ok(()),
        }
    }
}
