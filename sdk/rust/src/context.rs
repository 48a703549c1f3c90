//! What an action works with: the call and the host.

use crate::call::Call;
use crate::host::{ExecOutcome, Failure, Host, JournalEntry, Level, ProbeKind, ProbeOutcome};
use crate::http::{HttpRequest, HttpResponse};
use serde_json::Value;

/// One call of one action. Every host call may block until the call's deadline.
pub struct Context<'a> {
    pub call: &'a Call,
    host: &'a mut dyn Host,
}

impl<'a> Context<'a> {
    pub fn new(call: &'a Call, host: &'a mut dyn Host) -> Self {
        Self { call, host }
    }

    /// Sends an HTTP request over a granted connection; an answer of any status is a response.
    ///
    /// # Errors
    /// When there is no response; `maybe_sent` says whether the platform may have seen the request.
    pub fn send(
        &mut self,
        connection: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Failure> {
        self.host.send(connection, request)
    }

    /// Runs a script of the package on the host of a granted connection. It reads `arguments` as one
    /// line of JSON on standard input.
    ///
    /// # Errors
    /// When it could not be run to its end; any exit code is an outcome.
    pub fn exec(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
    ) -> Result<ExecOutcome, Failure> {
        self.host.exec(connection, script, arguments, None)
    }

    /// As `exec`, cut off after `timeout_ms`.
    ///
    /// # Errors
    /// As `exec`.
    pub fn exec_within(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
        timeout_ms: u32,
    ) -> Result<ExecOutcome, Failure> {
        self.host
            .exec(connection, script, arguments, Some(timeout_ms))
    }

    /// Asks whether the other side of a connection answers.
    ///
    /// # Errors
    /// When the question could not be asked (not granted, refused); "down" is an outcome.
    pub fn probe(&mut self, connection: &str, kind: ProbeKind) -> Result<ProbeOutcome, Failure> {
        self.host.probe(connection, kind)
    }

    /// Stores a piece of evidence; returns its SHA-256 in hex.
    ///
    /// # Errors
    /// Over 4 MiB, or over 16 pieces a call.
    pub fn blob_put(&mut self, bytes: &[u8]) -> Result<String, Failure> {
        self.host.blob_put(bytes)
    }

    /// # Errors
    /// When there is no such blob.
    pub fn blob_get(&mut self, digest: &str) -> Result<Vec<u8>, Failure> {
        self.host.blob_get(digest)
    }

    /// A placeholder for this step's secret of that purpose, to be used in a request body.
    ///
    /// # Errors
    /// When the host has no secrets to give.
    pub fn secret(&mut self, purpose: &str) -> Result<String, Failure> {
        self.host.secret_generate(purpose)
    }

    /// A one-way value of a secret and a label.
    ///
    /// # Errors
    /// When the placeholder is not one of this call.
    pub fn secret_derive(&mut self, placeholder: &str, label: &str) -> Result<String, Failure> {
        self.host.secret_derive(placeholder, label)
    }

    /// What earlier attempts of this step did to the world, oldest first.
    pub fn journal(&mut self) -> Vec<JournalEntry> {
        self.host.journal()
    }

    pub fn info(&mut self, line: &str) {
        self.host.log(Level::Info, line);
    }

    pub fn warn(&mut self, line: &str) {
        self.host.log(Level::Warn, line);
    }

    pub fn progress(&mut self, percent: u8, note: &str) {
        self.host.progress(percent.min(100), note);
    }
}
