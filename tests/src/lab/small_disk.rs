//! A disk that is full soon: a file system of a few MiB in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Attempt;
use super::{Lab, Result, supervise};

/// The file that takes the room.
const BALLAST: &str = "ballast";
/// Written at once while filling up.
const BLOCK: usize = 4_096;

/// A mounted file system; it vanishes when dropped, after whoever works upon it.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of this size.
    pub fn mount(lab: &Lab, name: &str, mib: u32) -> Result<SmallDisk> {
        let path = lab.folder(name)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]);
        mount.arg(&path);
        supervise::run(mount, "mount")?;
        Ok(SmallDisk(path))
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes all the room that is left.
    pub fn fill(&self) -> Result<()> {
        use std::io::Write as _;
        let path = self.0.join(BALLAST);
        let mut file = std::fs::File::create(&path).attempt(|| path.display().to_string())?;
        // Ends with the room, which is a few MiB.
        while file.write_all(&[0; BLOCK]).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    pub fn free(&self) -> Result<()> {
        let path = self.0.join(BALLAST);
        std::fs::remove_file(&path).attempt(|| path.display().to_string())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        // A process that is on its way out may still have a file open.
        umount.arg("--lazy").arg(&self.0);
        let _ = supervise::run(umount, "umount");
    }
}
