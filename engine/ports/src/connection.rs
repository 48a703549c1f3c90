//! What a host needs to know of one endpoint, with its credentials. Filled in from the estate and the
//! secrets beside it; read by the adapters that talk to the world.
//!
//! Not here: files, parsing, networking. A `Secret` has no way out but `expose`, and none to a log.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A text that must not appear anywhere. Not serialisable; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A range of addresses: `10.9.1.0/24`, `127.0.0.1/32`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    pub network: IpAddr,
    /// 0 to 32, or to 128.
    pub prefix: u8,
}

impl AddressRange {
    /// Reads `address/prefix`, or an address alone, which is a range of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let network: IpAddr = address.parse().ok()?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= longest)?,
        };
        Some(Self { network, prefix })
    }

    /// Whether the range names this one address and no other.
    #[must_use]
    pub fn names_exactly(&self, address: IpAddr) -> bool {
        self.network == address && self.prefix == if address.is_ipv4() { 32 } else { 128 }
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix.min(32)))
                    .unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix.min(128)))
                    .unwrap_or(0);
                u128::from(network) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

/// How the host makes itself known. The guest never sees any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    #[default]
    None,
    Basic {
        user: String,
        password: Secret,
    },
    /// A header with a fixed value: an API key or a bearer token.
    Header {
        name: String,
        value: Secret,
    },
    /// A client certificate (PEM: chain, then key).
    MutualTls {
        certificate: String,
        key: Secret,
    },
    Session(SessionLogin),
}

/// A login that gives a token, which the following requests carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLogin {
    /// `/redfish/v1/SessionService/Sessions`.
    pub path: String,
    /// Header name → value of the login request, e.g. basic authentication of its own.
    pub headers: BTreeMap<String, Secret>,
    /// Body of the login request (JSON), with user and password in it.
    pub body: Option<Secret>,
    pub token: TokenFrom,
    /// The header that carries the token afterwards: `x-auth-token`.
    pub send_as: String,
}

/// Where a login's answer has the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    Header(String),
    /// A JSON Pointer into the body; the empty pointer is a body that is one JSON text.
    Body(String),
}

/// Login over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    pub user: String,
    /// The private key, OpenSSH format, without a passphrase.
    pub key: Secret,
    pub port: u16,
    /// Accepted host keys for every host of this connection: OpenSSH public keys (`ssh-ed25519 AAAA…`),
    /// `known_hosts` lines without hashing, or `SHA256:…` fingerprints. An asset's own `host_key` counts
    /// besides. None at all: nothing can be reached.
    pub host_keys: Vec<String>,
    /// Run scripts as root by `sudo -n`.
    pub sudo: bool,
}

/// Bounds of a connection's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Host calls at the same time over the connection.
    pub at_once: u32,
    /// And to one address of it.
    pub per_host: u32,
    /// Longest time of one host call in milliseconds.
    pub timeout_ms: u64,
    /// Longest body of an answer, and of each stream of a script, in bytes.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Half a hundred sessions are what small management controllers and arrays bear; two to one
        // host leave room for a poll beside a slow call.
        Self {
            at_once: 50,
            per_host: 2,
            timeout_ms: 120_000,
            answer_bytes_max: 4 * 1024 * 1024,
        }
    }
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    pub name: String,
    /// Only this plugin may use it.
    pub plugin: String,
    /// `https://vc.example:443/`; its path is the base of every request. For a connection that stands for
    /// many hosts, `https://{address}/`: the asset's address takes the place. None: no HTTP.
    pub url: Option<String>,
    /// Addresses that may be connected to. Empty: public addresses, and those that the configuration
    /// itself writes as an address. Loopback, link-local and metadata addresses are reached only when
    /// an entry names exactly that address.
    pub addresses: Vec<AddressRange>,
    /// Prefixes of paths that may be asked for, whole segments. Empty: all.
    pub paths: Vec<String>,
    pub auth: Auth,
    /// Certificates (PEM) that sign the server's, instead of the system's.
    pub authorities: Option<String>,
    pub ssh: Option<Ssh>,
    pub limits: Limits,
}

impl ConnectionConfig {
    /// A connection without credentials and with the usual limits.
    #[must_use]
    pub fn new(name: &str, plugin: &str) -> Self {
        Self {
            name: name.to_owned(),
            plugin: plugin.to_owned(),
            url: None,
            addresses: Vec::new(),
            paths: Vec::new(),
            auth: Auth::None,
            authorities: None,
            ssh: None,
            limits: Limits::default(),
        }
    }
}

/// The estate's connections, with their credentials. Asked at every host call: a change counts at once.
pub trait Connections: Send + Sync + 'static {
    fn connection(&self, name: &str) -> Option<Arc<ConnectionConfig>>;
}

/// Connections held in memory.
impl Connections for BTreeMap<String, Arc<ConnectionConfig>> {
    fn connection(&self, name: &str) -> Option<Arc<ConnectionConfig>> {
        self.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_network_and_no_neighbour() {
        let cases = [
            ("10.9.1.0/24", "10.9.1.255", true),
            ("10.9.1.0/24", "10.9.2.0", false),
            ("0.0.0.0/0", "198.51.100.7", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("::/0", "10.0.0.1", false),
        ];
        for (range, address, inside) in cases {
            let parsed = AddressRange::parse(range).unwrap();
            assert_eq!(
                parsed.contains(address.parse().unwrap()),
                inside,
                "{address} in {range}"
            );
        }
        for wrong in ["10.0.0.0/33", "10.0.0/8", "host", "::/129", "1.2.3.4/x", ""] {
            assert_eq!(AddressRange::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let auth = Auth::Basic {
            user: "u".into(),
            password: Secret::new("hunter2"),
        };
        assert!(!format!("{auth:?}").contains("hunter2"));
    }
}
