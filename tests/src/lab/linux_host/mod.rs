//! A real Linux host: Debian's (or dnf's) file system in namespaces of its own, with a real SSH server.
//!
//! Its disk is memory, so it is new at every start and gone when it stops. It has no systemd. It shares the
//! machine's network, but knows no name server and no package source beyond the lab's read-only one.
//! `/usr/sbin/reboot` kills every process, gives a new boot id and an empty /run, and starts the SSH server
//! again.

mod plan;

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::error::{Attempt, LabError};
use super::supervise::{self, Server};
use super::{Lab, Result, Signal, until};
pub use plan::{Family, HostPlan};

/// Up in a second on an idle machine; generous because the machine may compile meanwhile.
const UP_LIMIT: Duration = Duration::from_secs(60);
/// A silent SSH server is looked at again after this.
const BANNER_LIMIT: Duration = Duration::from_secs(5);

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A running host; it stops when dropped.
#[derive(Debug)]
pub struct LinuxHost {
    lab: Lab,
    name: String,
    address: SocketAddr,
    host_key: String,
    folder: PathBuf,
    server: Server,
}

impl LinuxHost {
    /// Where its SSH server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its host name, `lab-<n>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public host key as a line of `known_hosts` has it: `ssh-ed25519 AAAA…`.
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The fingerprint of the host key: `SHA256:…`.
    pub fn fingerprint(&self) -> Result<String> {
        let mut command = Command::new("ssh-keygen");
        command.arg("-lf").arg(self.folder.join("host_key.pub"));
        let line = supervise::run(command, "ssh-keygen")?;
        let found = line.split(' ').nth(1).map(str::to_owned);
        found.ok_or(LabError::Answer {
            what: "ssh-keygen -lf".to_owned(),
            answer: line,
        })
    }

    /// Runs a shell command inside, as root, beside the SSH server: for what a test asserts.
    pub fn exec(&self, script: &str) -> Result<Said> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.first_process()?));
        command.args(
            "--mount --pid --uts --ipc --root --wd env -i HOME=/root LANG=C.UTF-8".split(' '),
        );
        command.args([
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "sh",
            "-c",
        ]);
        said(command.arg(script), "nsenter", b"")
    }

    /// Runs a command over SSH as root, with the lab's key and this host's key pinned.
    pub fn ssh(&self, script: &str, input: &[u8]) -> Result<Said> {
        let known = self.folder.join("known_hosts");
        std::fs::write(&known, format!("{} {}\n", self.address.ip(), self.host_key))
            .attempt(|| format!("write {}", known.display()))?;
        let mut command = Command::new("ssh");
        command.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
        ]);
        command
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(self.lab.client_key());
        command.args(["-p", &self.address.port().to_string()]);
        said(
            command
                .arg(format!("root@{}", self.address.ip()))
                .args(["--", script]),
            "ssh",
            input,
        )
    }

    /// Stops the whole host in its tracks, as a hung one; [`LinuxHost::go_on`] ends that.
    pub fn hang(&mut self) -> Result<()> {
        self.every_process(Signal::Stop)
    }

    /// Lets a hung host go on.
    pub fn go_on(&mut self) -> Result<()> {
        self.every_process(Signal::Continue)
    }

    /// Waits until its SSH server greets (again), for instance after a restart.
    pub fn wait_up(&mut self) -> Result<()> {
        let address = self.address;
        self.server.ready(UP_LIMIT, || greets(address))
    }

    /// Cuts the power. The disk is gone; a new start of the same number is a new host.
    pub fn power_off(mut self) -> Result<()> {
        self.server.end(Signal::Kill)
    }

    /// The id, on this machine, of the host's process 1.
    fn first_process(&self) -> Result<u32> {
        let id = self.server.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let text = std::fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
        let first = text
            .split_whitespace()
            .next()
            .and_then(|id| id.parse().ok());
        first.ok_or(LabError::Answer {
            what: path,
            answer: text,
        })
    }

    /// Signals process 1 and all below it, parents first: a parent that stands still starts no child.
    fn every_process(&self, signal: Signal) -> Result<()> {
        let mut found = vec![self.first_process()?];
        let mut next = 0;
        // Ends: every process is visited once, and a host has a few dozen.
        while let Some(id) = found.get(next).copied() {
            let sent = supervise::send(id, signal);
            // A child may have ended since it was listed; process 1 may not.
            if next == 0 {
                sent?;
            }
            let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            let children = children.unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
            next += 1;
        }
        Ok(())
    }
}

impl Drop for LinuxHost {
    fn drop(&mut self) {
        let _ = self.server.end(Signal::Kill);
        // Its processes are ended by the kernel a moment later; the next host may want the address.
        let address = self.address;
        let _ = until(BANNER_LIMIT, || TcpListener::bind(address).ok());
    }
}

/// Whether an SSH server sends its banner.
fn greets(address: SocketAddr) -> Option<()> {
    let mut stream = TcpStream::connect_timeout(&address, BANNER_LIMIT).ok()?;
    stream.set_read_timeout(Some(BANNER_LIMIT)).ok()?;
    let mut banner = [0_u8; 4];
    stream.read_exact(&mut banner).ok()?;
    (&banner == b"SSH-").then_some(())
}

fn said(command: &mut Command, what: &str, input: &[u8]) -> Result<Said> {
    let owned = std::mem::replace(command, Command::new("true"));
    let (status, out, err) = supervise::run_with(owned, what, input)?;
    Ok(Said {
        code: status.code().unwrap_or(-1),
        out,
        err,
    })
}
