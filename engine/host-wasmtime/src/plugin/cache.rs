//! Compiled components on disk. Machine code is loaded without further checks by the engine, so only a
//! file that carries this installation's own seal is loaded; whatever else lies there is compiled anew.
//!
//! The one `unsafe` of the workspace is here, behind the seal.

use hostler_core::id::Digest;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_FILE: &str = "seal.key";
const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = 32;
/// Rises when the sealed layout changes.
const FORMAT: &str = "hostler-compiled-1";

#[derive(Debug, Error)]
pub enum CacheError {
    #[error("the compile cache {path}: {detail}")]
    Io { path: PathBuf, detail: String },
    #[error(
        "{path} can be read or written by others: `chmod 600` it, or delete it and what lies beside it"
    )]
    Open { path: PathBuf },
    #[error("{path} is not a key of {KEY_BYTES} bytes: delete it and what lies beside it")]
    NoKey { path: PathBuf },
    #[error("the component cannot be compiled: {0}")]
    Compile(String),
}

/// A folder of compiled components and the key that seals them.
pub struct CompileCache {
    folder: PathBuf,
    key: hmac::Key,
}

impl CompileCache {
    /// Opens a folder; makes it and its key if they are not there.
    ///
    /// # Errors
    /// When the folder cannot be written or the key is open to others.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let io = |error: std::io::Error| CacheError::Io {
            path: folder.to_owned(),
            detail: error.to_string(),
        };
        fs::create_dir_all(folder).map_err(io)?;
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            make_key(&path)?;
        }
        private(&path)?;
        let key = fs::read(&path).map_err(io)?;
        if key.len() != KEY_BYTES {
            return Err(CacheError::NoKey { path });
        }
        Ok(Self {
            folder: folder.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// The component of these bytes: from the folder if a sealed copy is there, else compiled and kept.
    ///
    /// # Errors
    /// When the bytes are no component.
    pub fn component(
        &self,
        engine: &Engine,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Component, CacheError> {
        let name = name(engine, digest);
        let path = self.folder.join(&name);
        if let Some(component) = self.load(engine, &name, &path) {
            return Ok(component);
        }
        let compiled = Component::from_binary(engine, bytes)
            .map_err(|error| CacheError::Compile(format!("{error:#}")))?;
        if let Err(error) = self.keep(&compiled, &name, &path) {
            // Without the cache everything works, only slower.
            tracing::warn!(path = %path.display(), %error, "a compiled plugin could not be kept");
        }
        Ok(compiled)
    }

    fn load(&self, engine: &Engine, name: &str, path: &Path) -> Option<Component> {
        let file = fs::read(path).ok()?;
        let (seal, code) = file.split_at_checked(SEAL_BYTES)?;
        if hmac::verify(&self.key, &sealed(name, code), seal).is_err() {
            tracing::warn!(path = %path.display(), "a file of the compile cache is not ours: compiling anew");
            return None;
        }
        // SAFETY: `deserialize` trusts its input to be what `serialize` gave. These bytes carry an HMAC
        // under a key that only this installation has, over the name too, which names the component's
        // digest and the engine's exact compatibility hash; they were verified in this very buffer.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    fn keep(&self, component: &Component, name: &str, path: &Path) -> Result<(), CacheError> {
        let io = |detail: String| CacheError::Io {
            path: path.to_owned(),
            detail,
        };
        let code = component
            .serialize()
            .map_err(|error| io(error.to_string()))?;
        let seal = hmac::sign(&self.key, &sealed(name, &code));
        let fresh = path.with_extension(format!("new-{}", std::process::id()));
        let written = fs::File::create(&fresh).and_then(|mut file| {
            file.write_all(seal.as_ref())?;
            file.write_all(&code)?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        });
        written.map_err(|error| io(error.to_string()))
    }
}

/// Digest and compatibility hash: another compiler or other settings never meet an old file.
fn name(engine: &Engine, digest: Digest) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.compiled", hasher.finish())
}

fn sealed(name: &str, code: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(FORMAT.len() + name.len() + code.len() + 2);
    for part in [FORMAT.as_bytes(), b"\0", name.as_bytes(), b"\0", code] {
        text.extend_from_slice(part);
    }
    text
}

fn make_key(path: &Path) -> Result<(), CacheError> {
    let io = |detail: String| CacheError::Io {
        path: path.to_owned(),
        detail,
    };
    let mut key = [0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| io("the system gives no random bytes".into()))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options
        .open(path)
        .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
    {
        // Another process of this installation made it just now.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|error| io(error.to_string())),
    }
}

#[cfg(unix)]
fn private(path: &Path) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt;
    let io = |error: std::io::Error| CacheError::Io {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let open = fs::metadata(path).map_err(io)?.mode() & 0o077 != 0;
    if open {
        Err(CacheError::Open {
            path: path.to_owned(),
        })
    } else {
        Ok(())
    }
}

#[cfg(not(unix))]
fn private(_path: &Path) -> Result<(), CacheError> {
    Ok(())
}
