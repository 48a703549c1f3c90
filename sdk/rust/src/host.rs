//! What an action can ask of its host. In a component the imports stand behind it, in a test the
//! recorded exchanges of the test kit.

use crate::http::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The imports of the platform package, as a trait.
pub trait Host {
    /// # Errors
    /// When there is no response.
    fn send(&mut self, connection: &str, request: &HttpRequest) -> Result<HttpResponse, Failure>;
    /// # Errors
    /// When the script did not run to its end.
    fn exec(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
        timeout_ms: Option<u32>,
    ) -> Result<ExecOutcome, Failure>;
    /// # Errors
    /// When the question could not be asked.
    fn probe(&mut self, connection: &str, kind: ProbeKind) -> Result<ProbeOutcome, Failure>;
    /// # Errors
    /// When the piece is too large or there are too many.
    fn blob_put(&mut self, bytes: &[u8]) -> Result<String, Failure>;
    /// # Errors
    /// When there is no such blob.
    fn blob_get(&mut self, digest: &str) -> Result<Vec<u8>, Failure>;
    /// # Errors
    /// When the host has no secrets to give.
    fn secret_generate(&mut self, purpose: &str) -> Result<String, Failure>;
    /// # Errors
    /// When the placeholder is not one of this call.
    fn secret_derive(&mut self, placeholder: &str, label: &str) -> Result<String, Failure>;
    fn journal(&mut self) -> Vec<JournalEntry>;
    fn log(&mut self, level: Level, line: &str);
    fn progress(&mut self, percent: u8, note: &str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    Tcp,
    Tls,
    Http,
    Banner,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOutcome {
    pub up: bool,
    pub detail: String,
}

/// What a script left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecOutcome {
    /// None if a signal ended it.
    pub exit_code: Option<u32>,
    #[serde(default)]
    pub stdout: String,
    #[serde(default)]
    pub stderr: String,
    #[serde(default)]
    pub truncated: bool,
}

/// A mutating host call of this step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub number: u32,
    pub attempt: u32,
    pub what: String,
    /// None while it is only an intent.
    pub outcome: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    NotGranted,
    Refused,
    Unreachable,
    Timeout,
    TooLarge,
    Broken,
    Unauthenticated,
    Cut,
}

/// Why a host call gave no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// For people, with the remedy.
    pub detail: String,
    /// Whether the other side may have seen the request.
    #[serde(default)]
    pub maybe_sent: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Failure {}
