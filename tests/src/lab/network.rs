//! A lab: a claimed loopback network, a folder for its servers, a key for its hosts.

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::error::{Attempt, LabError};
use super::linux_host::HostPlan;
use super::{Result, supervise};

/// Networks 127.10.0.0/24 to 127.10.249.0/24: more than the tests that fit on a machine at once.
const NETWORKS: u8 = 250;
/// The last byte of the address that the lab's services share; hosts take those below.
const SERVICES: u8 = 250;
/// Services get ports from here on; nobody else listens in a claimed network.
const FIRST_PORT: u16 = 7_000;

/// A claimed network. Cheap to clone; the claim ends with the last clone.
#[derive(Clone, Debug)]
pub struct Lab(Arc<Claim>);

#[derive(Debug)]
struct Claim {
    network: u8,
    folder: PathBuf,
    next_port: AtomicU16,
    /// Locked for as long as the lab lives; the operating system frees it if the process dies.
    _lock: File,
}

impl Lab {
    /// Claims a free network and makes the client key that its hosts accept.
    pub fn start() -> Result<Lab> {
        // Not below `target`: claims count for the whole machine, whatever the work tree.
        let top = std::env::temp_dir().join("hostler-lab");
        std::fs::create_dir_all(&top).attempt(|| format!("create {}", top.display()))?;
        for network in 0..NETWORKS {
            let path = top.join(format!("{network}.lock"));
            let lock = File::create(&path).attempt(|| format!("create {}", path.display()))?;
            match lock.try_lock() {
                Ok(()) => return Lab::claimed(network, top.join(network.to_string()), lock),
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(source)) => {
                    return Err(LabError::Io {
                        what: format!("lock {}", path.display()),
                        source,
                    });
                }
            }
        }
        Err(LabError::NoNetwork(NETWORKS))
    }

    fn claimed(network: u8, folder: PathBuf, lock: File) -> Result<Lab> {
        // Left by a process that was killed: its servers died with it, so the folder is free.
        if folder.exists() {
            std::fs::remove_dir_all(&folder).attempt(|| format!("empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).attempt(|| format!("create {}", folder.display()))?;
        let next_port = AtomicU16::new(FIRST_PORT);
        let lab = Lab(Arc::new(Claim {
            network,
            folder,
            next_port,
            _lock: lock,
        }));
        ssh_key(&lab.client_key(), "hostler-lab-client")?;
        Ok(lab)
    }

    /// Plans the Linux host `n` (1–249) of this lab, at 127.10.x.n port 22.
    pub fn linux_host(&self, n: u8) -> HostPlan {
        HostPlan::new(self.clone(), n)
    }

    /// The address of host `n`.
    pub fn host_address(&self, n: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 10, self.0.network, n)
    }

    /// A fresh address for a service. Nobody listens there: it serves as a dead target, too.
    pub fn service_address(&self) -> SocketAddr {
        let port = self.0.next_port.fetch_add(1, Ordering::Relaxed);
        SocketAddr::from((self.host_address(SERVICES), port))
    }

    /// Fresh addresses that share a port: what tells them apart is the host alone. At most 5.
    pub fn service_addresses(&self, count: usize) -> Vec<SocketAddr> {
        let port = self.service_address().port();
        let hosts = (SERVICES..u8::MAX).take(count);
        hosts
            .map(|host| SocketAddr::from((self.host_address(host), port)))
            .collect()
    }

    /// A folder of the lab's own, made if need be; it vanishes with the lab.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.folder.join(name);
        std::fs::create_dir_all(&path).attempt(|| format!("create {}", path.display()))?;
        Ok(path)
    }

    /// The same, emptied of what an earlier server of the name left.
    pub(super) fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder(name)?;
        std::fs::remove_dir_all(&path).attempt(|| format!("empty {}", path.display()))?;
        self.folder(name)
    }

    /// The private key (OpenSSH, ed25519, no passphrase) that root of every host accepts.
    pub fn client_key(&self) -> PathBuf {
        self.0.folder.join("client")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The logs of a failed test stay until the next lab takes this network.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Makes a key pair at `path` and `path.pub`.
pub(super) fn ssh_key(path: &Path, comment: &str) -> Result<()> {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(path);
    supervise::run(command, "ssh-keygen").map(drop)
}
