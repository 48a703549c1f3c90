//! The estate's connections with their credentials, as the plugin host wants them.
//!
//! A secret is read from its file when its connection is first used and kept no longer than a minute,
//! so that a changed password counts without a restart.

use hostler_core::directory::{Auth as Described, Connection, Directory, Reach, SecretReference};
use hostler_ports::clock::Clock;
use hostler_ports::connection::{
    AddressRange, Auth, ConnectionConfig, Connections, Limits, Secret, SessionLogin, Ssh, TokenFrom,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const KEPT_MS: i64 = 60_000;
/// Longest secret.
const SECRET_MAX_BYTES: u64 = 64 * 1024;

pub struct EstateConnections {
    directory: Arc<dyn Directory>,
    secrets: PathBuf,
    clock: Arc<dyn Clock>,
    kept: Mutex<BTreeMap<String, (i64, Arc<ConnectionConfig>)>>,
}

impl EstateConnections {
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, secrets: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory,
            secrets: secrets.to_owned(),
            clock,
            kept: Mutex::default(),
        }
    }

    /// A connection with its secrets, read now.
    ///
    /// # Errors
    /// Names what is missing, never what is in a file.
    pub fn read(&self, name: &str) -> Result<ConnectionConfig, String> {
        let described = self
            .directory
            .connection(name)
            .ok_or_else(|| format!("there is no connection {name}"))?;
        self.with_secrets(&described)
            .map_err(|why| format!("connection {name}: {why}"))
    }

    fn with_secrets(&self, described: &Connection) -> Result<ConnectionConfig, String> {
        let mut config = ConnectionConfig::new(&described.name, &described.plugin);
        let limits = &described.limits;
        config.limits = Limits {
            at_once: limits.at_once,
            per_host: limits.per_host,
            timeout_ms: limits.timeout_ms.unwrap_or(config.limits.timeout_ms),
            ..config.limits
        };
        match &described.reach {
            Reach::Http {
                url,
                paths,
                addresses,
                auth,
                authority,
            } => {
                config.url = Some(url.clone());
                config.paths.clone_from(paths);
                config.addresses = ranges(addresses)?;
                config.auth = self.auth(auth)?;
                config.authorities = authority.as_ref().map(|file| self.text(file)).transpose()?;
            }
            Reach::Ssh {
                user,
                key,
                port,
                addresses,
                sudo,
                ..
            } => {
                config.addresses = ranges(addresses)?;
                let key = self.secret(key)?;
                config.ssh = Some(Ssh {
                    user: user.clone(),
                    key,
                    port: *port,
                    host_keys: Vec::new(),
                    sudo: *sudo,
                });
            }
            Reach::Network {
                network,
                scheme,
                port,
                auth,
                authority,
            } => {
                config.url = Some(format!("{scheme}://{{address}}:{port}/"));
                config.addresses = ranges(std::slice::from_ref(network))?;
                config.auth = self.auth(auth)?;
                config.authorities = authority.as_ref().map(|file| self.text(file)).transpose()?;
            }
            Reach::Vantage { .. } => {}
        }
        Ok(config)
    }

    fn auth(&self, described: &Described) -> Result<Auth, String> {
        Ok(match described {
            Described::None => Auth::None,
            Described::Basic { user, password } => Auth::Basic {
                user: user.clone(),
                password: self.secret(password)?,
            },
            Described::Header { name, value } => Auth::Header {
                name: name.clone(),
                value: self.secret(value)?,
            },
            Described::MutualTls { certificate, key } => Auth::MutualTls {
                certificate: self.text(certificate)?,
                key: self.secret(key)?,
            },
            session @ Described::Session { .. } => Auth::Session(self.session(session)?),
            Described::Credential { .. } => {
                return Err("`credential` files are not read by this version: use basic, header, mutual-tls or session".into());
            }
        })
    }

    fn session(&self, described: &Described) -> Result<SessionLogin, String> {
        let Described::Session {
            path,
            user,
            password,
            user_field,
            password_field,
            token_header,
            token_body,
            send_as,
        } = described
        else {
            return Err("no session".into());
        };
        let password = self.secret(password)?;
        let (mut headers, mut body) = (BTreeMap::new(), None);
        match (user_field, password_field) {
            (Some(user_field), Some(password_field)) => {
                body = Some(Secret::new(
                    json!({ user_field: user, password_field: password.expose() }).to_string(),
                ));
            }
            _ => {
                let basic = base64(format!("{user}:{}", password.expose()).as_bytes());
                headers.insert(
                    "authorization".to_owned(),
                    Secret::new(format!("Basic {basic}")),
                );
            }
        }
        let token = match (token_header, token_body) {
            (Some(header), _) => TokenFrom::Header(header.clone()),
            (None, Some(pointer)) => TokenFrom::Body(pointer.clone()),
            (None, None) => {
                return Err("the session names neither token_header nor token_body".into());
            }
        };
        let send_as = send_as
            .clone()
            .or_else(|| token_header.clone())
            .ok_or("the session names no `send_as`")?;
        Ok(SessionLogin {
            path: path.clone(),
            headers,
            body,
            token,
            send_as,
        })
    }

    fn secret(&self, reference: &SecretReference) -> Result<Secret, String> {
        self.text(reference)
            .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    fn text(&self, reference: &SecretReference) -> Result<String, String> {
        let below = Path::new(reference.path());
        if !below
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(format!(
                "{reference:?} does not lie below the secrets folder"
            ));
        }
        let path = self.secrets.join(below);
        let size = std::fs::metadata(&path)
            .map_err(|fault| format!("{reference:?}: {fault}"))?
            .len();
        if size > SECRET_MAX_BYTES {
            return Err(format!(
                "{reference:?} has more than {SECRET_MAX_BYTES} bytes"
            ));
        }
        std::fs::read_to_string(&path).map_err(|fault| format!("{reference:?}: {fault}"))
    }
}

impl Connections for EstateConnections {
    fn connection(&self, name: &str) -> Option<Arc<ConnectionConfig>> {
        let now_ms = self.clock.monotonic_ms();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read_ms, config)) = kept.get(name)
            && now_ms - read_ms < KEPT_MS
        {
            return Some(Arc::clone(config));
        }
        match self.read(name) {
            Ok(config) => {
                let config = Arc::new(config);
                kept.insert(name.to_owned(), (now_ms, Arc::clone(&config)));
                Some(config)
            }
            Err(why) => {
                tracing::warn!(connection = name, why, "a connection cannot be used");
                None
            }
        }
    }
}

fn ranges(texts: &[String]) -> Result<Vec<AddressRange>, String> {
    let parse = |text: &String| {
        AddressRange::parse(text).ok_or_else(|| format!("{text} is no address range"))
    };
    texts.iter().map(parse).collect()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_core::directory::SecretReference;
    use hostler_estate::Known;
    use hostler_ports::store::memory::ManualClock;

    #[test]
    fn base64_as_the_rfc_has_it() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn secrets_come_from_below_their_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        std::fs::write(secrets.join("key"), "open\n").unwrap();
        std::fs::write(folder.path().join("outside"), "shut").unwrap();
        let estate = Arc::new(hostler_estate::practice::estate(1, &Known::default()).unwrap());
        let connections = EstateConnections::new(estate, &secrets, Arc::new(ManualClock::at(0)));
        let secret = |path: &str| connections.secret(&SecretReference(format!("file:{path}")));
        assert_eq!(secret("key").unwrap().expose(), "open");
        for path in ["../outside", "/etc/hostname", "./../outside", "missing"] {
            assert!(secret(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_practice_connection_reaches_its_one_address() {
        let estate = Arc::new(hostler_estate::practice::estate(8123, &Known::default()).unwrap());
        let connections =
            EstateConnections::new(estate, Path::new("none"), Arc::new(ManualClock::at(0)));
        let config = connections.connection("practice").unwrap();
        assert_eq!(config.url.as_deref(), Some("http://127.0.0.1:8123/"));
        assert!(config.addresses[0].names_exactly("127.0.0.1".parse().unwrap()));
        assert!(connections.connection("other").is_none());
    }
}
