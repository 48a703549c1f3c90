//! A disk whose power is cut: what nobody has synced is gone.
//!
//! Not here: what a program ought to have synced.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Attempt;
use super::{Lab, Result, supervise};

/// A journal is written by itself after so many seconds: longer than any test.
const OPTIONS: &str = "loop,commit=600";

/// A mounted file system in an image; it vanishes when dropped, after whoever works upon it.
#[derive(Debug)]
pub struct PowerDisk {
    image: PathBuf,
    path: PathBuf,
}

impl PowerDisk {
    /// Mounts a new one of this size.
    pub fn mount(lab: &Lab, name: &str, mib: u64) -> Result<PowerDisk> {
        let image = lab.folder(&format!("{name}-images"))?.join("0");
        let file = std::fs::File::create(&image).attempt(|| image.display().to_string())?;
        file.set_len(mib << 20)
            .attempt(|| image.display().to_string())?;
        let mut make = Command::new("mkfs.ext4");
        make.args(["-q", "-F"]).arg(&image);
        supervise::run(make, "mkfs.ext4")?;
        let path = lab.folder(name)?;
        let disk = PowerDisk { image, path };
        disk.attach()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn attach(&self) -> Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-o", OPTIONS]).arg(&self.image).arg(&self.path);
        supervise::run(mount, "mount").map(drop)
    }

    fn detach(&self) -> Result<()> {
        let mut umount = Command::new("umount");
        // A process that is on its way out may still have a file open.
        umount.arg("--lazy").arg(&self.path);
        supervise::run(umount, "umount").map(drop)
    }

    /// Cuts the power. Whoever writes stands still already; what they have not synced is in the kernel's memory, not
    /// in the image, whose copy is the disk from here on.
    pub fn cut(&mut self) -> Result<()> {
        let number = self.image.file_name().and_then(|name| name.to_str());
        let number: u32 = number.and_then(|name| name.parse().ok()).unwrap_or(0);
        let copy = self.image.with_file_name((number + 1).to_string());
        std::fs::copy(&self.image, &copy).attempt(|| copy.display().to_string())?;
        self.image = copy;
        Ok(())
    }

    /// Mounts what the cut has left, when all who used it are gone.
    pub fn again(&self) -> Result<()> {
        self.detach()?;
        self.attach()
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        let _ = self.detach();
    }
}
