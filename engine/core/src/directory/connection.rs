//! Connections as an administrator configures them: what stands behind one, how the host signs in, how hard it may be
//! used.
//!
//! Not here: secrets themselves, and calls (the plugin host).

use super::AssetId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a secret lies: `file:<path below the secrets folder>`. Never the secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretReference(pub String);

impl SecretReference {
    /// The path after `file:`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.strip_prefix("file:").unwrap_or(&self.0)
    }
}

impl fmt::Debug for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An administrator's configuration of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub name: String,
    /// The only plugin that may use it.
    pub plugin: String,
    pub reach: Reach,
    pub limits: Limits,
    /// Further connections that the plugin gets with this one: handle to connection.
    pub handles: BTreeMap<String, String>,
}

/// What stands behind a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reach")]
pub enum Reach {
    /// One origin.
    Http {
        /// `scheme://host[:port]/[path]`, without user, query and fragment.
        url: String,
        /// Path prefixes that may be asked for; empty: those below the url's own path.
        paths: Vec<String>,
        /// Addresses and networks (CIDR) to which the host name may resolve, beside public ones.
        addresses: Vec<String>,
        auth: Auth,
        /// PEM of the authority that signs the server's certificate, if not a public one.
        authority: Option<SecretReference>,
    },
    /// Hosts by their own addresses, each with its own pinned host key.
    Ssh {
        user: String,
        key: SecretReference,
        port: u16,
        jump: Option<AssetId>,
        addresses: Vec<String>,
        /// Run scripts as root by `sudo -n`.
        sudo: bool,
    },
    /// Devices of one network, each at its asset's address.
    Network {
        network: String,
        scheme: String,
        port: u16,
        auth: Auth,
        authority: Option<SecretReference>,
    },
    /// A place from which to look: the worker of this name.
    Vantage { worker: String },
}

/// How the host signs in; the plugin never sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    #[default]
    None,
    Basic {
        user: String,
        password: SecretReference,
    },
    /// A fixed header: `Authorization` and the file that holds its whole value.
    Header {
        name: String,
        value: SecretReference,
    },
    MutualTls {
        certificate: SecretReference,
        key: SecretReference,
    },
    /// Sign in once, then send what the answer gave.
    Session {
        path: String,
        user: String,
        password: SecretReference,
        /// Fields of the login's JSON body; none of them: basic authentication on the login.
        user_field: Option<String>,
        password_field: Option<String>,
        /// Header of the answer that has the token, or a JSON Pointer into its body: exactly one.
        token_header: Option<String>,
        token_body: Option<String>,
        /// The header that carries the token afterwards; none: `token_header`.
        send_as: Option<String>,
    },
    /// A JSON file that says kind, user and secret itself.
    Credential { file: SecretReference },
}

/// How hard a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Calls at the same time over the whole connection.
    pub at_once: u32,
    /// Calls at the same time to one address.
    pub per_host: u32,
    /// Longest time of one host call; none: the host's own.
    pub timeout_ms: Option<u64>,
}
