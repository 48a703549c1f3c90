//! A real Redis server on an address and in a folder of its own, append-only file on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::error::Attempt;
use super::supervise::Server;
use super::usage::{self, Usage};
use super::{Lab, Result, Signal, recipe};

/// Loading the small files of a test takes milliseconds; the machine may be busy.
const UP_LIMIT: Duration = Duration::from_secs(30);
/// A server that is silent for longer is stopped or hung.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Longest answer that [`RedisServer::ask`] reads in one go.
const ANSWER_BYTES: usize = 64 << 10;

/// A Redis server that is not started yet.
#[derive(Clone, Debug)]
pub struct RedisPlan {
    options: Vec<String>,
}

impl Default for RedisPlan {
    /// What Hostler asks for: append-only, synced every second, nothing evicted, no snapshots.
    fn default() -> RedisPlan {
        let plan = RedisPlan {
            options: Vec::new(),
        };
        plan.option("appendonly", "yes")
            .option("appendfsync", "everysec")
            .option("maxmemory-policy", "noeviction")
            .option("save", "")
    }
}

impl RedisPlan {
    /// Sets one line of the configuration; the last one of a name counts.
    pub fn option(mut self, name: &str, value: &str) -> RedisPlan {
        self.options.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// Starts it and returns when it answers.
    pub fn start(self, lab: &Lab) -> Result<RedisServer> {
        let address = lab.service_address();
        let folder = lab.folder(&format!("redis-{}", address.port()))?;
        self.start_at(address, folder)
    }

    /// Starts it upon a folder of the caller's choice, which must be there.
    pub fn start_in(self, lab: &Lab, folder: PathBuf) -> Result<RedisServer> {
        self.start_at(lab.service_address(), folder)
    }

    fn start_at(self, address: SocketAddr, folder: PathBuf) -> Result<RedisServer> {
        recipe::require("redis-server")?;
        let server = launch(&self, address, &folder)?;
        Ok(RedisServer {
            plan: self,
            address,
            folder,
            server,
        })
    }
}

/// A running Redis server; it is killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    plan: RedisPlan,
    address: SocketAddr,
    folder: PathBuf,
    server: Server,
}

impl RedisServer {
    /// Starts a server with the default plan.
    pub fn start(lab: &Lab) -> Result<RedisServer> {
        RedisPlan::default().start(lab)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `redis://address/`.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Sends one inline command and gives the raw answer.
    pub fn ask(&self, command: &str) -> Result<String> {
        ask(self.address, command).attempt(|| format!("ask Redis {command}"))
    }

    /// Whether its process has not ended.
    pub fn runs(&mut self) -> bool {
        self.server.runs()
    }

    /// What it takes of the machine now; none when it has ended.
    pub fn usage(&self) -> Option<Usage> {
        usage::of(self.server.id())
    }

    /// Lets it have a processor whenever it wants one, so that the times it measures are its own. False where the
    /// machine does not allow that.
    pub fn goes_first(&self) -> bool {
        let mut command = Command::new("chrt");
        command.args(["--all-tasks", "--fifo", "--pid", "1"]);
        command.arg(self.server.id().to_string());
        command.output().is_ok_and(|output| output.status.success())
    }

    /// Kills it as a crash does; the files stay.
    pub fn crash(&mut self) -> Result<()> {
        self.server.end(Signal::Kill)
    }

    /// Lets it stand still ([`Signal::Stop`]) or go on ([`Signal::Continue`]).
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.server.signal(signal)
    }

    /// Ends it if it runs and starts it again upon the same files and address.
    pub fn restart(&mut self) -> Result<()> {
        self.server.end(Signal::Term)?;
        self.server = launch(&self.plan, self.address, &self.folder)?;
        Ok(())
    }
}

fn launch(plan: &RedisPlan, address: SocketAddr, folder: &PathBuf) -> Result<Server> {
    let mut command = Command::new("redis-server");
    command.args([
        "--bind",
        &address.ip().to_string(),
        "--port",
        &address.port().to_string(),
        // A replica is seen at the address that it calls from, which on loopback is another one.
        "--replica-announce-ip",
        &address.ip().to_string(),
    ]);
    command.arg("--dir").arg(folder).args(&plan.options);
    let mut server = Server::start("redis-server", &command, folder.join("log"))?;
    server.ready(UP_LIMIT, || {
        ask(address, "PING")
            .ok()
            .filter(|answer| answer == "+PONG\r\n")
    })?;
    Ok(server)
}

pub(super) fn ask(address: SocketAddr, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    write!(stream, "{command}\r\n")?;
    let mut bytes = vec![0_u8; ANSWER_BYTES];
    let mut read = stream.read(&mut bytes)?;
    // A text comes with its length in front.
    let whole = whole_of(&bytes[..read]).min(ANSWER_BYTES);
    while read < whole {
        match stream.read(&mut bytes[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

/// Length of an answer that begins so, as far as it says so.
fn whole_of(begun: &[u8]) -> usize {
    let text = String::from_utf8_lossy(begun);
    let said = text
        .strip_prefix('$')
        .and_then(|text| text.split_once("\r\n"));
    let length = said.and_then(|(length, _)| Some((length, length.parse::<usize>().ok()?)));
    length.map_or(0, |(length, bytes)| 1 + length.len() + 2 + bytes + 2)
}
