//! A real Alertmanager (Debian's prometheus-alertmanager).

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::error::{Attempt, LabError};
use super::supervise::Server;
use super::{Lab, Result, recipe, request};

/// Seen to take two seconds on an idle machine.
const UP_LIMIT: Duration = Duration::from_secs(60);
/// Alerts go nowhere: the tests read them back.
const CONFIGURATION: &str =
    "route: {receiver: nobody, group_wait: 1s}\nreceivers: [{name: nobody}]\n";

/// A running Alertmanager; it is killed when dropped.
#[derive(Debug)]
pub struct Alertmanager {
    address: SocketAddr,
    _server: Server,
}

impl Alertmanager {
    /// Starts it and returns when it says that it is ready.
    pub fn start(lab: &Lab) -> Result<Alertmanager> {
        recipe::require("prometheus-alertmanager")?;
        let address = lab.service_address();
        let folder = lab.folder(&format!("alertmanager-{}", address.port()))?;
        let file = folder.join("configuration.yml");
        std::fs::write(&file, CONFIGURATION).attempt(|| format!("write {}", file.display()))?;
        let mut command = Command::new("prometheus-alertmanager");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.path={}", folder.display()));
        command.arg(format!("--web.listen-address={address}"));
        // Empty: no cluster port, which would listen beyond loopback.
        command.arg("--cluster.listen-address=");
        let mut server = Server::start("prometheus-alertmanager", &command, folder.join("log"))?;
        server.ready(UP_LIMIT, || {
            request(address, "GET", "/-/ready", "")
                .ok()
                .filter(|answer| answer.status == 200)
        })?;
        Ok(Alertmanager {
            address,
            _server: server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://address`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All silences it knows, as its API lists them.
    pub fn silences(&self) -> Result<Vec<Value>> {
        list(request(self.address, "GET", "/api/v2/silences", "")?.json()?)
    }

    /// The alerts that fire and are not silenced.
    pub fn loud_alerts(&self) -> Result<Vec<Value>> {
        list(
            request(
                self.address,
                "GET",
                "/api/v2/alerts?silenced=false&inhibited=false",
                "",
            )?
            .json()?,
        )
    }

    /// Lets an alert fire with these labels.
    pub fn fire(&self, labels: &[(&str, &str)]) -> Result<()> {
        let labels: serde_json::Map<String, Value> = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let body = json!([{ "labels": labels }]).to_string();
        let answer = request(self.address, "POST", "/api/v2/alerts", &body)?;
        match answer.status {
            200 => Ok(()),
            status => Err(LabError::Answer {
                what: format!("alerts, {status}"),
                answer: answer.body,
            }),
        }
    }
}

fn list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(entries) => Ok(entries),
        other => Err(LabError::Answer {
            what: "a list was expected".to_owned(),
            answer: other.to_string(),
        }),
    }
}
