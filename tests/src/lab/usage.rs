//! What a process takes of the machine, as the kernel counts it.
//!
//! Not here: what is too much.

use std::path::PathBuf;

/// At one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory that it has in RAM, in KiB.
    pub resident_kib: u64,
    /// Open files and sockets.
    pub descriptors: u64,
}

/// None when there is no such process any more.
pub(super) fn of(process: u32) -> Option<Usage> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kib = line.split_whitespace().next()?.parse().ok()?;
    let descriptors = std::fs::read_dir(folder.join("fd")).ok()?.count();
    Some(Usage {
        resident_kib,
        descriptors: u64::try_from(descriptors).unwrap_or(u64::MAX),
    })
}
