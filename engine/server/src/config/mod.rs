//! Configuration: defaults, then the file, then the environment, then flags. The only place where
//! settings are read; everything else gets values.
//!
//! Not here: secrets. A key that ends in `_file` names a file that holds one.

mod layers;

pub use layers::{ConfigError, Sources, load};

use serde::{Deserialize, Serialize};

/// All settings. Every field has a value: what is not set is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub estate: Estate,
    pub runbooks: Runbooks,
    pub schedules: Schedules,
    pub policies: Policies,
    pub plugins: Plugins,
    pub worker: Worker,
    pub archive: Archive,
    pub ledger: Ledger,
    pub mail: Mail,
    pub bounces: Bounces,
    pub webhooks: Webhooks,
    pub log: Log,
}

/// The API, and how the CLI finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port that the API listens on.
    pub listen: String,
    /// Where the CLI looks for it; empty: at `listen`.
    pub address: String,
    /// Tokens of people, hashed.
    pub tokens_file: String,
    /// Secrets of the people who can prove a yes by a code, readable by their owner only; not there: nobody can.
    pub step_up_file: String,
    /// Where people reach it: `https://runs.example`; begins the links of messages. Empty: without links.
    pub public_url: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// `embedded` or `redis`.
    pub kind: String,
    /// Folder of the embedded store.
    pub folder: String,
    /// A file that holds the URL of the Redis server (it may contain a password).
    pub redis_url_file: String,
    /// The URL itself, where it is no secret.
    pub redis_url: String,
    /// URLs of Sentinels; the primary is where they say, with user and password of the URL above.
    pub redis_sentinels: Vec<String>,
    /// What the Sentinels call the primary.
    pub redis_primary: String,
    /// Replicas that must have a commit before an effect follows; 0: the primary's answer is enough.
    pub redis_replicas: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Estate {
    /// Files that together are the estate.
    pub files: Vec<String>,
    /// Folder below which the estate's `file:` secrets lie.
    pub secrets_folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runbooks {
    /// Folder with one folder for each runbook; empty: those that came with the program.
    pub folder: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedules {
    /// A file that says which runbooks start when; empty: people start them.
    pub file: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// Folder of the policy files; empty: the defaults. Runs do not follow them yet.
    pub folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plugins {
    /// Components pinned by digest; the files lie beside it.
    pub lock_file: String,
    /// Compiled components; only this installation may write there.
    pub cache_folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Worker {
    /// Name for people who look at leases; empty: `worker`.
    pub name: String,
    /// Lanes at the same time.
    pub permits: usize,
    /// Further lanes, of emergencies only.
    pub emergency_permits: usize,
    /// Messages at the same time.
    pub mail_permits: usize,
    /// How long a lane is held unless renewed, in milliseconds.
    pub lease_ms: i64,
    /// How long a stop waits for lanes that are held, in milliseconds.
    pub drain_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Archive {
    /// Folder for finished runs; empty: they stay in the store.
    pub folder: String,
    /// Every machine that works upon the store sees this folder.
    pub shared: bool,
    /// How long a run stays in the store after its end: `7d`.
    pub after: String,
    /// How often finished runs are looked for.
    pub every: String,
    /// Most runs that are archived each time.
    pub runs: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// A file that holds the key that signs the ledger; empty: it is not sealed.
    pub key_file: String,
    /// Folder of the sealed ledger.
    pub folder: String,
    /// Every machine that works upon the store sees this folder.
    pub shared: bool,
    /// How often new entries are sealed: `2s`.
    pub every: String,
    /// Folders elsewhere that are given checkpoints: `/mnt/witness/hostler`.
    pub export_folders: Vec<String>,
    /// Mail addresses that are given checkpoints.
    pub export_mail: Vec<String>,
    /// How often each is given the newest one: `1h`.
    pub export_every: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// Next hop: host name or address.
    pub host: String,
    pub port: u16,
    /// `starttls`, `tls` or `plain`.
    pub security: String,
    /// Name of the sender, as people see it.
    pub from_name: String,
    pub from_address: String,
    /// Where answers go; empty: to `from_address`.
    pub reply_to: String,
    /// `notices.platform.example`.
    pub list_id: String,
    /// User at the next hop; empty: without login.
    pub user: String,
    pub password_file: String,
    /// PEM of the authority of the next hop's certificate; empty: the system's.
    pub authority_file: String,
    /// Selector of the key that signs messages (DKIM) for the domain of `from_address`; empty: unsigned.
    pub dkim_selector: String,
    /// PEM of that key.
    pub dkim_key_file: String,
    /// What we call ourselves.
    pub hello_name: String,
    pub timeout_ms: u64,
}

/// Chat rooms and programs that are told like people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// A file of hooks, each for one address of the estate; empty: everything goes by mail.
    pub file: String,
}

/// Messages that come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bounces {
    /// Address of ours that mail servers report to; empty: to `mail.from_address`, and the engine hears nothing.
    pub recipient: String,
    /// Address and port on which the engine takes mail for `recipient`; empty: it takes none.
    pub listen: String,
    /// `listen` may be more than loopback.
    pub beyond_loopback: bool,
    /// Each message comes back to an address of its own: `bounces+<tag>@runs.example`.
    pub tags: bool,
    /// A file with the key of those who bring reports over HTTP; empty: nobody may.
    pub key_file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `warn`, `info`, or a filter such as `info,hostler_worker=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: String,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7700".into(),
            address: String::new(),
            tokens_file: "tokens.toml".into(),
            step_up_file: "step-up.toml".into(),
            public_url: String::new(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kind: "embedded".into(),
            folder: ".hostler/store".into(),
            redis_url_file: String::new(),
            redis_url: String::new(),
            redis_sentinels: Vec::new(),
            redis_primary: "hostler".into(),
            redis_replicas: 0,
        }
    }
}

impl Default for Estate {
    fn default() -> Self {
        Self {
            files: vec!["estate.yaml".into(), "people.yaml".into()],
            secrets_folder: "secrets".into(),
        }
    }
}

impl Default for Runbooks {
    fn default() -> Self {
        Self {
            folder: "workflows".into(),
        }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            lock_file: "target/plugins/plugins.lock".into(),
            cache_folder: ".hostler/compiled".into(),
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: String::new(),
            permits: 64,
            emergency_permits: 8,
            mail_permits: 8,
            lease_ms: 30_000,
            drain_ms: 20_000,
        }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            folder: String::new(),
            shared: false,
            after: "7d".into(),
            every: "1m".into(),
            runs: 100,
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            key_file: String::new(),
            folder: ".hostler/ledger".into(),
            shared: false,
            every: "2s".into(),
            export_folders: Vec::new(),
            export_mail: Vec::new(),
            export_every: "1h".into(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 25,
            security: "starttls".into(),
            from_name: "Platform team".into(),
            from_address: "platform@platform.example".into(),
            reply_to: String::new(),
            list_id: "notices.platform.example".into(),
            user: String::new(),
            password_file: String::new(),
            authority_file: String::new(),
            dkim_selector: String::new(),
            dkim_key_file: String::new(),
            hello_name: "hostler.platform.example".into(),
            timeout_ms: 30_000,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: "text".into(),
        }
    }
}

impl Config {
    /// Where the CLI looks for the API: a URL.
    #[must_use]
    pub fn url(&self) -> String {
        match self.server.address.as_str() {
            "" => format!("http://{}", self.server.listen),
            address if address.contains("://") => address.to_owned(),
            address => format!("http://{address}"),
        }
    }
}
