//! The file of second factors: only its owner reads it, and a running engine follows it.
//!
//! Not here: what a secret is and what codes come of it (api). Nothing of the file is ever told on.

use crate::dev::state::private;
use anyhow::{Context, bail};
use hostler_api::step_up::Enrolled;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Largest file in bytes: some ten thousand people.
const FILE_MAX_BYTES: u64 = 1024 * 1024;
/// How often it is read again: a second factor that was taken away is worth this long.
const REREAD: Duration = Duration::from_secs(5);

/// Everybody who is enrolled; nobody where there is no file.
///
/// # Errors
/// When it cannot be read, or others may read it.
pub fn read(path: &Path) -> anyhow::Result<Enrolled> {
    let named = || path.display().to_string();
    let file = match File::open(path) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Enrolled::default()),
        file => file.with_context(named)?,
    };
    if is_open_to_others(&file).with_context(named)? {
        bail!(
            "{}: others may read it, and whoever does can make everybody's codes: chmod 600 {}, then enrol everybody anew",
            path.display(),
            path.display()
        );
    }
    let mut text = String::new();
    let read = file.take(FILE_MAX_BYTES + 1).read_to_string(&mut text);
    if read.with_context(named)? as u64 > FILE_MAX_BYTES {
        bail!(
            "{}: it has more than {FILE_MAX_BYTES} bytes",
            path.display()
        );
    }
    Enrolled::parse(&text).with_context(named)
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> std::io::Result<bool> {
    Ok(false)
}

/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, enrolled: &Enrolled) -> anyhow::Result<()> {
    private(path, &enrolled.to_text()?).with_context(|| path.display().to_string())
}

/// Keeps what the engine knows as the file has it. A file that cannot be read changes nothing.
pub async fn follow(path: PathBuf, known: Arc<RwLock<Enrolled>>) {
    loop {
        tokio::time::sleep(REREAD).await;
        let of = path.clone();
        match tokio::task::spawn_blocking(move || read(&of)).await {
            Ok(Ok(enrolled)) => *known.write().unwrap_or_else(PoisonError::into_inner) = enrolled,
            Ok(Err(fault)) => tracing::warn!("second factors stay as they were: {fault:#}"),
            Err(fault) => tracing::warn!(%fault, "second factors stay as they were"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::clock::SystemIds;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_its_owners_and_is_not_read_when_it_is_anybody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("step-up.toml");
        assert_eq!(read(&path).unwrap(), Enrolled::default());
        let mut enrolled = Enrolled::default();
        let secret = enrolled.enrol(&SystemIds, "olga").text();
        write(&path, &enrolled).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read(&path).unwrap(), enrolled);
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let fault = format!("{:#}", read(&path).unwrap_err());
            assert!(
                fault.contains("chmod 600") && !fault.contains(&secret),
                "{fault}"
            );
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(
            &path,
            format!("[[person]]\nid = 'olga'\nsecret = {secret}\n"),
        )
        .unwrap();
        let fault = format!("{:#}", read(&path).unwrap_err());
        assert!(
            fault.contains("line ") && !fault.contains(&secret),
            "{fault}"
        );
    }
}
