//! A Redis Sentinel that is quick to judge: it takes a silent primary for dead after a second.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use super::error::Attempt;
use super::redis::ask;
use super::supervise::Server;
use super::{Lab, RedisServer, Result, recipe};

const UP_LIMIT: Duration = Duration::from_secs(30);

/// A running Sentinel, alone; it is killed when dropped.
#[derive(Debug)]
pub struct Sentinel {
    address: SocketAddr,
    _server: Server,
}

impl Sentinel {
    /// Starts one that watches a primary under a name.
    pub fn start(lab: &Lab, name: &str, primary: &RedisServer) -> Result<Sentinel> {
        recipe::require("redis-server")?;
        let address = lab.service_address();
        let folder = lab.folder(&format!("sentinel-{}", address.port()))?;
        let file = folder.join("sentinel.conf");
        let watched = primary.address();
        let text = format!(
            "bind {}\nport {}\ndir {}\n\
             sentinel monitor {name} {} {} 1\n\
             sentinel down-after-milliseconds {name} 1000\nsentinel failover-timeout {name} 4000\n",
            address.ip(),
            address.port(),
            folder.display(),
            watched.ip(),
            watched.port(),
        );
        // It writes into its own configuration.
        std::fs::write(&file, text).attempt(|| format!("write {}", file.display()))?;
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel");
        let mut server = Server::start("the Sentinel", &command, folder.join("log"))?;
        let pongs = |answer: &String| answer == "+PONG\r\n";
        server.ready(UP_LIMIT, || ask(address, "PING").ok().filter(pongs))?;
        Ok(Sentinel {
            address,
            _server: server,
        })
    }

    /// `redis://address/`.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Sends one inline command and gives the raw answer.
    pub fn ask(&self, command: &str) -> Result<String> {
        ask(self.address, command).attempt(|| format!("ask the Sentinel {command}"))
    }
}
