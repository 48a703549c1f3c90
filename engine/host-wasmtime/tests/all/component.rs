//! The guests, built once; hosts and calls for them.

use crate::watch::Watch;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_host_wasmtime::{HostConfig, Resolver, SystemResolver, WasmHost};
use hostler_ports::connection::{AddressRange, ConnectionConfig};
use hostler_ports::plugin::{Call, Entry, Grant, HostError, PluginHost, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The folder with the built components.
pub fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // <target>/<profile>/deps/all-<hash>
        let binary = std::env::current_exe().unwrap();
        let target = binary.ancestors().nth(3).unwrap().to_owned();
        let folder = target.join("wasm32-wasip2").join("plugin");
        let made = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--profile",
                "plugin",
                "--target",
                "wasm32-wasip2",
            ])
            .args([
                "-p",
                "hostler-fixture-evil",
                "-p",
                "hostler-plugin-practice",
            ])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .env("CARGO_TARGET_DIR", &target)
            // Flags for the host's own target must not replace those of the configuration.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .unwrap();
        assert!(
            made.success(),
            "the guests could not be built: `rustup target add wasm32-wasip2`"
        );
        folder
    })
}

pub fn evil() -> Vec<u8> {
    std::fs::read(built().join("hostler_fixture_evil.wasm")).unwrap()
}

pub fn practice() -> Vec<u8> {
    std::fs::read(built().join("hostler_plugin_practice.wasm")).unwrap()
}

/// Compiled guests are shared by all tests: compiling takes longest.
pub fn cache() -> PathBuf {
    built().parent().unwrap().join("compiled-for-tests")
}

pub struct Ready {
    pub host: Arc<WasmHost>,
    pub evil: Digest,
    pub practice: Digest,
}

impl Ready {
    pub async fn new(connections: Vec<ConnectionConfig>) -> Self {
        Self::with_resolver(connections, Arc::new(SystemResolver)).await
    }

    pub async fn with_resolver(
        connections: Vec<ConnectionConfig>,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let connections: BTreeMap<String, Arc<ConnectionConfig>> = connections
            .into_iter()
            .map(|config| (config.name.clone(), Arc::new(config)))
            .collect();
        let config = HostConfig {
            cache: cache(),
            connections: Arc::new(connections),
            resolver,
            secret_root: Some(vec![7; 32]),
        };
        let mut host = WasmHost::new(config).unwrap();
        let evil = host.add("evil", &evil()).await.unwrap();
        let practice = host.add("practice", &practice()).await.unwrap();
        Self {
            host: Arc::new(host),
            evil,
            practice,
        }
    }

    pub fn noop(&self, n: i64) -> Call {
        let mut call = self.evil(
            "practice.noop",
            json!({ "n": n }),
            Arc::new(Watch::default()),
        );
        call.plugin = self.practice;
        call.asset = Value::Null;
        call
    }

    /// A call of the evil plugin, granted `c` as its target.
    pub fn evil(&self, action: &str, input: Value, watch: Arc<Watch>) -> Call {
        Call {
            plugin: self.evil,
            action: action.to_owned(),
            input,
            asset: json!({ "id": "web1", "address": "127.0.0.2" }),
            grants: vec![Grant {
                handle: "target".into(),
                connection: "c".into(),
                address: Some("127.0.0.2".into()),
                reference: None,
                host_key: None,
            }],
            run: RunId(Uuid::from_u128(1)),
            lane: LaneId(Uuid::from_u128(2)),
            step: "step".into(),
            attempt: 1,
            idempotency_key: Uuid::from_u128(0x1234_5678_9abc_def0),
            now_ms: 1_767_225_600_000,
            timeout_ms: 60_000,
            dry_run: false,
            journal: Vec::new(),
            watch,
        }
    }

    pub async fn perform(&self, call: Call) -> Result<Value, HostError> {
        match self.host.call(Entry::Perform, call).await? {
            Reply::Answer(hostler_core::answer::Answer::Done { output, .. }) => Ok(output),
            other => panic!("not done: {other:?}"),
        }
    }

    /// What the evil plugin was told by the host.
    pub async fn told(&self, action: &str, input: Value) -> Value {
        self.told_watched(action, input, Arc::new(Watch::default()))
            .await
    }

    pub async fn told_watched(&self, action: &str, input: Value, watch: Arc<Watch>) -> Value {
        self.perform(self.evil(action, input, watch)).await.unwrap()["told"].take()
    }
}

/// Connection `c` of the evil plugin.
pub fn connection(url: &str, addresses: &[&str]) -> ConnectionConfig {
    let mut config = ConnectionConfig::new("c", "evil");
    config.url = Some(url.to_owned());
    config.addresses = addresses
        .iter()
        .map(|text| AddressRange::parse(text).unwrap())
        .collect();
    config.limits.timeout_ms = 20_000;
    config
}
