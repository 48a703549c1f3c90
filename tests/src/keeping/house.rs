//! An installation in a folder of its own, with a store of either kind, on loopback addresses.
//!
//! Not here: what is asked of it.

use super::Store;
use crate::scenarios::stage::root;
use hostler_ports::clock::{Clock, Ids};
use hostler_ports::store::memory::{CountedIds, ManualClock};
use hostler_tests::lab::until;
use serde_json::Value;
use std::future::Future;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for one level on a busy machine; the first start compiles the plugins.
const LIMIT: Duration = Duration::from_secs(240);

const RUNBOOK: &str = r#"
runbook: keep
version: 1
title: Keep still
owner: tests
inputs:
  asks: { type: boolean, default: false, label: Ask first }
policy: { class: standard-patch, start: [operator], four_eyes: true }
steps:
  - id: rest
    wait: { for: 100ms }
  - id: go
    if: "${{ inputs.asks }}"
    approve: { who: role:change-board, show: [plan], expires: 5d, on_expire: deny }
"#;

/// Ends with the test, by its process id.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// As an administrator does.
    pub fn stop(mut self) {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        eventually("it ends", || self.0.try_wait().unwrap().is_some());
    }
}

pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let found = until(LIMIT, || holds().then_some(()));
    assert!(found.is_some(), "not within {LIMIT:?}: {what}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub struct House {
    /// First, so that it ends before its folder goes.
    redis: Option<(Running, u16)>,
    port: u16,
    folder: tempfile::TempDir,
}

impl House {
    pub fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::furnished(folder, None)
    }

    pub fn redis() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.current_dir(folder.path());
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        command.args(["--save", ""]).stdout(Stdio::null());
        let running = Running(command.spawn().unwrap());
        eventually("Redis answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self::furnished(folder, Some((running, port)))
    }

    fn furnished(folder: tempfile::TempDir, redis: Option<(Running, u16)>) -> Self {
        let house = Self {
            redis,
            port: free_port(),
            folder,
        };
        for name in ["estate.yaml", "people.yaml"] {
            let from = root().join("engine/estate/practice").join(name);
            let text = std::fs::read_to_string(from).unwrap();
            house.write(name, &text.replace(":PORT/", ":9/"));
        }
        house.write("workflows/keep/v1.yaml", RUNBOOK);
        house.write("hostler.toml", &house.settings());
        std::fs::create_dir_all(house.folder().join("secrets")).unwrap();
        for person in ["olga", "audrey"] {
            let token = house.said(person, &["token", "new", person]);
            assert_eq!(token.0, 0, "{}", token.1);
            house.write(&format!("token-{person}"), token.1.trim());
        }
        house
    }

    fn settings(&self) -> String {
        let store = match &self.redis {
            None => format!(
                "kind = \"embedded\"\nfolder = \"{}/store\"",
                self.folder().display()
            ),
            Some((_, port)) => {
                format!("kind = \"redis\"\nredis_url = \"redis://127.0.0.1:{port}/\"")
            }
        };
        let plugins = root().join("target/plugins/plugins.lock");
        format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\n[store]\n{store}\n[plugins]\nlock_file = \"{}\"\n",
            self.port,
            plugins.display()
        )
    }

    pub fn kind(&self) -> &'static str {
        self.redis.as_ref().map_or("embedded", |_| "redis")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("hostler");
        assert!(
            program.exists(),
            "build it first: cargo build -p hostler-server"
        );
        let mut command = Command::new(program);
        command
            .current_dir(self.folder())
            .args(words)
            .stdin(Stdio::null());
        command
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// API and worker, with these settings besides.
    pub fn serve(&self, settings: &[&str]) -> Running {
        let log = std::fs::File::create(self.folder().join("log")).unwrap();
        let mut words = Vec::new();
        for setting in settings {
            words.extend(["--set", setting]);
        }
        words.push("serve");
        let mut command = self.command(&words);
        let running = Running(command.stderr(log).spawn().unwrap());
        eventually("it listens", || {
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        running
    }

    /// Exit code, and what it printed.
    pub fn said(&self, person: &str, words: &[&str]) -> (i32, String) {
        let token = self.folder().join(format!("token-{person}"));
        let token = std::fs::read_to_string(token).unwrap_or_default();
        let output = self
            .command(words)
            .env("HOSTLER_TOKEN", token)
            .output()
            .unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            text += &String::from_utf8_lossy(&output.stderr);
        }
        (output.status.code().unwrap_or(-1), text)
    }

    pub fn value(&self, person: &str, words: &[&str]) -> Value {
        let (code, text) = self.said(person, &[&["-o", "json"], words].concat());
        assert_eq!(code, 0, "{words:?}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{words:?}: {fault}: {text}"))
    }

    /// The id of a run that ends by itself.
    pub fn started(&self, _serve: &Running, person: &str) -> String {
        self.start(person, &[])
    }

    /// The id of a run that waits for the change board.
    pub fn started_asking(&self, _serve: &Running, person: &str) -> String {
        self.start(person, &["--input", "asks=true"])
    }

    fn start(&self, person: &str, more: &[&str]) -> String {
        let words = [&["run", "start", "keep@1", "--reason", "test"], more].concat();
        let started = self.value(person, &words);
        started["run"].as_str().unwrap().to_owned()
    }

    pub fn state(&self, run: &str, wanted: &str) {
        eventually(&format!("{run} is {wanted}"), || {
            self.value("audrey", &["run", "show", run])["run"]["state"] == wanted
        });
    }

    /// The store itself, while no engine has it.
    pub fn with_store<T, F: Future<Output = T>>(
        &self,
        work: impl FnOnce(Arc<dyn Store>) -> F,
    ) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let ids: Arc<dyn Ids> = Arc::new(CountedIds::default());
            let store: Arc<dyn Store> = match &self.redis {
                None => {
                    let (path, options) = (self.folder().join("store"), Default::default());
                    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
                    Arc::new(hostler_store_embedded::open(&path, options, clock, ids).unwrap())
                }
                Some((_, port)) => {
                    use hostler_store_redis::{Endpoint, Options, open};
                    let endpoint = Endpoint::Server(format!("redis://127.0.0.1:{port}/"));
                    Arc::new(open(Options::new(endpoint, "main"), ids).await.unwrap())
                }
            };
            work(store).await
        })
    }
}
