//! What a write that must be on the disk costs here and now.

use crate::clock::now;
use std::io::Write;
use std::path::Path;

const WRITES: u32 = 200;

/// Mean microseconds of a 4 KiB append with fdatasync.
pub fn fdatasync_us(folder: &Path) -> std::io::Result<f64> {
    let mut file = std::fs::File::create(folder.join("fdatasync"))?;
    let block = [7_u8; 4096];
    let began = now();
    for _ in 0..WRITES {
        file.write_all(&block)?;
        file.sync_data()?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(WRITES))
}

/// Load of the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
