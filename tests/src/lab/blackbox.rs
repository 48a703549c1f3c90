//! A real blackbox exporter (Debian's): a place from which a host is looked at.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use super::error::Attempt;
use super::supervise::Server;
use super::{Lab, Result, recipe, request};

/// Starting takes less than a second on an idle machine.
const UP_LIMIT: Duration = Duration::from_secs(60);
/// The one way of looking: connect, and read the greeting of an SSH server.
pub(super) const MODULE: &str = "ssh_banner";

/// A running exporter; it is killed when dropped.
#[derive(Debug)]
pub struct Blackbox {
    address: SocketAddr,
    _server: Server,
}

impl Blackbox {
    /// Starts it and returns when it answers.
    pub fn start(lab: &Lab) -> Result<Blackbox> {
        recipe::require("prometheus-blackbox-exporter")?;
        let address = lab.service_address();
        let folder = lab.folder(&format!("blackbox-{}", address.port()))?;
        let file = folder.join("configuration.yml");
        let configuration = format!(
            "modules: {{{MODULE}: {{prober: tcp, timeout: 900ms, tcp: {{preferred_ip_protocol: ip4, \
             query_response: [{{expect: '^SSH-2.0-'}}]}}}}}}\n"
        );
        std::fs::write(&file, configuration).attempt(|| format!("write {}", file.display()))?;
        let mut command = Command::new("prometheus-blackbox-exporter");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--web.listen-address={address}"));
        let mut server = Server::start("the blackbox exporter", &command, folder.join("log"))?;
        server.ready(UP_LIMIT, || {
            let answer = request(address, "GET", "/-/healthy", "").ok()?;
            (answer.status == 200).then_some(())
        })?;
        Ok(Blackbox {
            address,
            _server: server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
