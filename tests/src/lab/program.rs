//! A program under test as a child process: its log in the lab's folder, ended by its process id when dropped,
//! and by the kernel when the test process dies.
//!
//! Not here: knowledge of any one program, and waiting for a length of time.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::error::Attempt;
use super::supervise::Server;
use super::usage::{self, Usage};
use super::{Lab, Result, Signal};

/// A running program; it is killed when dropped.
#[derive(Debug)]
pub struct Program {
    log: PathBuf,
    server: Server,
}

impl Program {
    /// Starts `command` (program, arguments and folder count, its environment does not). `name` names the log,
    /// which a later program of the same name goes on with.
    pub fn start(lab: &Lab, name: &str, command: &Command) -> Result<Program> {
        let log = lab.folder("logs")?.join(name);
        let server = Server::start(name, command, log.clone())?;
        Ok(Program { log, server })
    }

    /// Looks until `look` gives a value; fails with the end of the log when the program ends before.
    pub fn ready<T>(&mut self, limit: Duration, look: impl FnMut() -> Option<T>) -> Result<T> {
        self.server.ready(limit, look)
    }

    /// Sends a signal that ends it and waits until it has.
    pub fn end(&mut self, signal: Signal) -> Result<()> {
        self.server.end(signal)
    }

    /// Lets it stand still ([`Signal::Stop`]) or go on ([`Signal::Continue`]).
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.server.signal(signal)
    }

    /// Whether it runs, be it that it stands still.
    pub fn runs(&mut self) -> bool {
        self.server.runs()
    }

    /// What it takes of the machine now; none when it has ended.
    pub fn usage(&self) -> Option<Usage> {
        usage::of(self.server.id())
    }

    /// What it has written so far.
    pub fn log(&self) -> Result<String> {
        std::fs::read_to_string(&self.log).attempt(|| format!("read {}", self.log.display()))
    }
}
