//! A host that answers from a list, in order.

use hostler_sdk::{
    ExecOutcome, Failure, Host, HttpRequest, HttpResponse, JournalEntry, Level, ProbeKind,
    ProbeOutcome,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// What the action must ask for next, and what it gets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    #[serde(default)]
    pub http: Option<HttpAsked>,
    #[serde(default)]
    pub exec: Option<ExecAsked>,
    #[serde(default)]
    pub probe: Option<ProbeAsked>,
    /// The response, outcome or probe outcome.
    #[serde(default)]
    pub answer: Option<Value>,
    /// Instead of an answer.
    #[serde(default)]
    pub failure: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAsked {
    #[serde(default = "target")]
    pub connection: String,
    pub method: String,
    pub path: String,
    /// Each must be there; others may be.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON compared as JSON, text compared as text; absent: not compared.
    #[serde(default)]
    pub body: Option<Value>,
    /// Compared when given.
    #[serde(default)]
    pub reads_only: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecAsked {
    #[serde(default = "target")]
    pub connection: String,
    pub script: String,
    /// Absent: not compared.
    #[serde(default)]
    pub arguments: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeAsked {
    #[serde(default = "target")]
    pub connection: String,
    pub kind: ProbeKind,
}

fn target() -> String {
    "target".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

/// Plays exchanges in order. What goes wrong is collected in `faults`, and `unused` tells what is left.
#[derive(Default)]
pub struct Replay {
    exchanges: VecDeque<Exchange>,
    pub journal: Vec<JournalEntry>,
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// Requests that the recording does not have.
    pub faults: Vec<String>,
    /// Lines logged, with their level.
    pub log: Vec<(Level, String)>,
    pub progress: Vec<(u8, String)>,
}

impl Replay {
    #[must_use]
    pub fn new(exchanges: Vec<Exchange>) -> Self {
        Self {
            exchanges: exchanges.into(),
            ..Self::default()
        }
    }

    /// How many exchanges were not asked for.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.exchanges.len()
    }

    fn next(
        &mut self,
        asked: &str,
        differs: impl FnOnce(&Exchange) -> Option<String>,
    ) -> Result<Value, Failure> {
        let Some(exchange) = self.exchanges.pop_front() else {
            return Err(self.fault(format!("{asked}: the recording has no further exchange")));
        };
        if let Some(difference) = differs(&exchange) {
            return Err(self.fault(format!("{asked}: {difference}")));
        }
        match (exchange.failure, exchange.answer) {
            (Some(failure), _) => Err(failure),
            (None, Some(answer)) => Ok(answer),
            (None, None) => Err(self.fault(format!(
                "{asked}: the exchange has neither an answer nor a failure"
            ))),
        }
    }

    fn fault(&mut self, detail: String) -> Failure {
        self.faults.push(detail.clone());
        Failure {
            kind: hostler_sdk::FailureKind::Refused,
            detail,
            maybe_sent: false,
        }
    }

    fn read<T: serde::de::DeserializeOwned>(
        &mut self,
        asked: &str,
        answer: Value,
    ) -> Result<T, Failure> {
        serde_json::from_value(answer)
            .map_err(|error| self.fault(format!("{asked}: the recorded answer: {error}")))
    }
}

fn differs<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Option<String> {
    (expected != found).then(|| format!("{what} is {found:?}, recorded {expected:?}"))
}

fn http_differs(asked: &HttpAsked, connection: &str, request: &HttpRequest) -> Option<String> {
    differs("connection", &asked.connection.as_str(), &connection)
        .or_else(|| differs("method", &asked.method, &request.method))
        .or_else(|| differs("path", &asked.path, &request.path))
        .or_else(|| {
            asked
                .reads_only
                .and_then(|expected| differs("reads_only", &expected, &request.reads_only))
        })
        .or_else(|| {
            asked.headers.iter().find_map(|(name, value)| {
                let found = request
                    .headers
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, found)| found);
                (found != Some(value))
                    .then(|| format!("header {name} is {found:?}, recorded {value:?}"))
            })
        })
        .or_else(|| match &asked.body {
            None => None,
            Some(Value::String(text)) => differs(
                "body",
                text,
                &String::from_utf8_lossy(&request.body).into_owned(),
            ),
            Some(json) => {
                let found = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
                differs("body", json, &found)
            }
        })
}

fn other(recorded: &Exchange) -> Option<String> {
    Some(format!(
        "another kind of exchange was recorded next: {recorded:?}"
    ))
}

impl Host for Replay {
    fn send(&mut self, connection: &str, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let asked = format!("{} {}", request.method, request.path);
        let answer = self.next(&asked, |recorded| match &recorded.http {
            Some(http) => http_differs(http, connection, request),
            None => other(recorded),
        })?;
        let response: Response = self.read(&asked, answer)?;
        let body = match response.body {
            Value::Null => Vec::new(),
            Value::String(text) => text.into_bytes(),
            json => json.to_string().into_bytes(),
        };
        Ok(HttpResponse {
            status: response.status,
            headers: response.headers.into_iter().collect(),
            body,
        })
    }

    fn exec(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
        _timeout_ms: Option<u32>,
    ) -> Result<ExecOutcome, Failure> {
        let asked = format!("exec {script}");
        let answer = self.next(&asked, |recorded| match &recorded.exec {
            Some(exec) => differs("connection", &exec.connection.as_str(), &connection)
                .or_else(|| differs("script", &exec.script.as_str(), &script))
                .or_else(|| {
                    exec.arguments
                        .as_ref()
                        .and_then(|expected| differs("arguments", expected, arguments))
                }),
            None => other(recorded),
        })?;
        self.read(&asked, answer)
    }

    fn probe(&mut self, connection: &str, kind: ProbeKind) -> Result<ProbeOutcome, Failure> {
        let asked = format!("probe {kind:?}");
        let answer = self.next(&asked, |recorded| match &recorded.probe {
            Some(probe) => differs("connection", &probe.connection.as_str(), &connection)
                .or_else(|| differs("kind", &probe.kind, &kind)),
            None => other(recorded),
        })?;
        self.read(&asked, answer)
    }

    fn blob_put(&mut self, bytes: &[u8]) -> Result<String, Failure> {
        let digest = hex::encode(Sha256::digest(bytes));
        self.blobs.insert(digest.clone(), bytes.to_vec());
        Ok(digest)
    }

    fn blob_get(&mut self, digest: &str) -> Result<Vec<u8>, Failure> {
        let found = self.blobs.get(digest).cloned();
        found.ok_or_else(|| self.fault(format!("there is no blob {digest}")))
    }

    fn secret_generate(&mut self, purpose: &str) -> Result<String, Failure> {
        Ok(format!("{{{{secret:{purpose}}}}}"))
    }

    fn secret_derive(&mut self, placeholder: &str, label: &str) -> Result<String, Failure> {
        Ok(hex::encode(Sha256::digest(format!(
            "{placeholder}/{label}"
        ))))
    }

    fn journal(&mut self) -> Vec<JournalEntry> {
        self.journal.clone()
    }

    fn log(&mut self, level: Level, line: &str) {
        self.log.push((level, line.to_owned()));
    }

    fn progress(&mut self, percent: u8, note: &str) {
        self.progress.push((percent, note.to_owned()));
    }
}
