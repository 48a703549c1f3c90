//! What a host shall be like, and starting it.
//!
//! Not here: what a running host can do.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{LinuxHost, UP_LIMIT, greets};
use crate::lab::error::Attempt;
use crate::lab::network::ssh_key;
use crate::lab::supervise::Server;
use crate::lab::{Lab, Result, recipe};

const HOST_SCRIPT: &str = include_str!("../recipes/host.sh");
/// Enough for every package of the lab and an upgrade of all.
const DISK_MIB: u32 = 256;
/// The port of every SSH server of the lab.
const PORT: u16 = 22;

/// What a host is patched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// apt and dpkg.
    Debian,
    /// dnf and rpm; no apt or dpkg to be found.
    Rpm,
}

/// A host that is not started yet.
#[derive(Debug)]
pub struct HostPlan {
    lab: Lab,
    n: u8,
    family: Family,
    disk_mib: u32,
    packages: Vec<String>,
}

impl HostPlan {
    pub(in crate::lab) fn new(lab: Lab, n: u8) -> HostPlan {
        HostPlan {
            lab,
            n,
            family: Family::Debian,
            disk_mib: DISK_MIB,
            packages: Vec::new(),
        }
    }

    /// Which package tools it has; Debian's when not said.
    pub fn family(mut self, family: Family) -> HostPlan {
        self.family = family;
        self
    }

    /// The size of its whole disk; small for tests of a full one. The base system takes none of it.
    pub fn tmpfs_mib(mut self, disk_mib: u32) -> HostPlan {
        self.disk_mib = disk_mib;
        self
    }

    /// Packages of the lab's repository that it has in version 1.0 from the start.
    pub fn installed(mut self, packages: &[&str]) -> HostPlan {
        self.packages
            .extend(packages.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Starts the host and returns when its SSH server greets.
    pub fn start(self) -> Result<LinuxHost> {
        for program in ["unshare", "setpriv", "nsenter", "ssh", "ssh-keygen"] {
            recipe::require(program)?;
        }
        let folder = self.lab.fresh_folder(&format!("host-{}", self.n))?;
        ssh_key(&folder.join("host_key"), "hostler-lab-host")?;
        let script = folder.join("host.sh");
        std::fs::write(&script, HOST_SCRIPT).attempt(|| format!("write {}", script.display()))?;
        let public = self.lab.client_key().with_extension("pub");
        std::fs::copy(&public, folder.join("client.pub"))
            .attempt(|| "copy the client key".to_owned())?;
        let address = SocketAddr::from((self.lab.host_address(self.n), PORT));
        let command = self.command(&folder, address)?;
        let mut server = Server::start(&self.name(), &command, folder.join("log"))?;
        server.ready(UP_LIMIT, || greets(address))?;
        let host_key = host_key(&folder.join("host_key.pub"))?;
        let (name, lab) = (self.name(), self.lab);
        Ok(LinuxHost {
            lab,
            name,
            address,
            host_key,
            folder,
            server,
        })
    }

    fn name(&self) -> String {
        format!("lab-{}", self.n)
    }

    fn command(&self, folder: &Path, address: SocketAddr) -> Result<Command> {
        let roots = recipe::roots()?;
        let lower = match self.family {
            Family::Debian => roots.deb.display().to_string(),
            Family::Rpm => format!("{}:{}", roots.rpm.display(), roots.deb.display()),
        };
        let mut command = Command::new("unshare");
        command.args("--mount --pid --uts --ipc --fork --kill-child sh".split(' '));
        command
            .arg(folder.join("host.sh"))
            .arg(folder)
            .args([&self.name(), &lower]);
        command.arg(&roots.repo_deb).arg(&roots.repo_rpm);
        command.args([
            self.disk_mib.to_string(),
            address.ip().to_string(),
            address.port().to_string(),
        ]);
        command.args(&self.packages);
        Ok(command)
    }
}

/// The first two fields of a public key file.
fn host_key(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).attempt(|| format!("read {}", path.display()))?;
    Ok(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
}
