//! A real Prometheus (Debian's) that records `up` for instances which a test names.
//!
//! An instance that is up is scraped at Prometheus itself under the instance's name; one that is down, at an
//! address where nobody listens. So `up{instance="web1"}` is a real recorded series that a test can turn.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::error::{Attempt, LabError};
use super::supervise::Server;
use super::{Lab, Result, blackbox, recipe, request, until};

/// Starting, and taking in changed targets: seconds each on an idle machine.
const UP_LIMIT: Duration = Duration::from_secs(60);

/// An instance as Prometheus shall see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The label `instance`.
    pub instance: String,
    pub up: bool,
}

/// An instance that a blackbox exporter looks at for Prometheus: `probe_success` from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The label `instance`.
    pub instance: String,
    /// The label `vantage`: the place that is looked from.
    pub vantage: String,
    /// Where the exporter listens.
    pub exporter: SocketAddr,
    /// Whose SSH server is looked at.
    pub host: SocketAddr,
}

/// A running Prometheus; it is killed when dropped.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    nobody: SocketAddr,
    targets: PathBuf,
    _server: Server,
}

impl Prometheus {
    /// Starts it without targets and returns when it says that it is ready.
    pub fn start(lab: &Lab) -> Result<Prometheus> {
        recipe::require("prometheus")?;
        let (address, nobody) = (lab.service_address(), lab.service_address());
        let folder = lab.folder(&format!("prometheus-{}", address.port()))?;
        let (file, targets) = (
            folder.join("configuration.yml"),
            folder.join("targets.json"),
        );
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: node\n  \
             file_sd_configs: [{{files: ['{}'], refresh_interval: 1s}}]\n",
            targets.display()
        );
        for (path, text) in [(&file, configuration.as_str()), (&targets, "[]")] {
            std::fs::write(path, text).attempt(|| format!("write {}", path.display()))?;
        }
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ));
        command.arg(format!("--web.listen-address={address}"));
        let mut server = Server::start("prometheus", &command, folder.join("log"))?;
        server.ready(UP_LIMIT, || {
            request(address, "GET", "/-/ready", "")
                .ok()
                .filter(|answer| answer.status == 200)
        })?;
        Ok(Prometheus {
            address,
            nobody,
            targets,
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

    /// Replaces all targets and waits until each is recorded as it shall be.
    pub fn set_targets(&self, targets: &[Target]) -> Result<()> {
        self.set(targets, &[])
    }

    /// The same with probes beside the targets; every probe must succeed once.
    pub fn set(&self, targets: &[Target], probes: &[Probe]) -> Result<()> {
        let mut entries: Vec<Value> = targets
            .iter()
            .map(|target| {
                let address = if target.up { self.address } else { self.nobody };
                json!({ "targets": [address.to_string()], "labels": { "instance": target.instance } })
            })
            .collect();
        entries.extend(probes.iter().map(Probe::entry));
        let part = self.targets.with_extension("part");
        std::fs::write(&part, Value::from(entries).to_string())
            .and_then(|()| std::fs::rename(&part, &self.targets))
            .attempt(|| format!("write {}", self.targets.display()))?;
        let seen = until(UP_LIMIT, || {
            let all = targets.iter().all(|target| self.records(target))
                && probes.iter().all(|probe| self.sees(probe));
            all.then_some(())
        });
        seen.ok_or_else(|| LabError::Answer {
            what: "Prometheus has not recorded the targets".to_owned(),
            answer: format!("{targets:?} {probes:?}"),
        })
    }

    /// The result of an instant query: `data.result` of the API's answer.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>> {
        let path = format!("/api/v1/query?query={}", percent(expression));
        let mut answer = request(self.address, "GET", &path, "")?.json()?;
        match answer["data"]["result"].take() {
            Value::Array(series) => Ok(series),
            _ => Err(LabError::Answer {
                what: path,
                answer: answer.to_string(),
            }),
        }
    }

    fn records(&self, target: &Target) -> bool {
        let found = self
            .query(&format!(
                "up{{instance=\"{}\",vantage=\"\"}}",
                target.instance
            ))
            .unwrap_or_default();
        let want = if target.up { "1" } else { "0" };
        found
            .first()
            .is_some_and(|series| series["value"][1] == want)
    }

    fn sees(&self, probe: &Probe) -> bool {
        let (instance, vantage) = (&probe.instance, &probe.vantage);
        let expression =
            format!("probe_success{{instance=\"{instance}\",vantage=\"{vantage}\"}} == 1");
        self.query(&expression)
            .is_ok_and(|series| !series.is_empty())
    }
}

impl Probe {
    /// The exporter is asked at `/probe`, with what it shall look at as a parameter.
    fn entry(&self) -> Value {
        json!({
            "targets": [self.exporter.to_string()],
            "labels": {
                "instance": self.instance, "vantage": self.vantage, "__metrics_path__": "/probe",
                "__param_module": blackbox::MODULE, "__param_target": self.host.to_string(),
            },
        })
    }
}

/// Percent-encodes everything but letters and digits.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
