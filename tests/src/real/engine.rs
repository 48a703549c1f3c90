//! `hostler serve` and `hostler worker` as child processes.
//!
//! Not here: what is asked of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use hostler_tests::lab::{Program, RedisServer, Signal, request};

use super::LIMIT;
use super::command_line::CommandLine;
use super::files;
use super::fleet::Fleet;

/// The program as it was built with the tests, beside the program `lab`.
pub fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("hostler");
    assert!(
        path.exists(),
        "{} is not there: run `cargo build -p hostler-server` first",
        path.display()
    );
    path
}

/// One installation at work.
pub struct Engine {
    pub says: CommandLine,
    settings: PathBuf,
    serve: Program,
}

impl Engine {
    /// API and worker in one process, upon the embedded store.
    pub fn embedded(fleet: &Fleet, runbooks: &Path) -> Engine {
        let store = format!(
            "kind = \"embedded\"\nfolder = \"{}/store\"",
            fleet.folder.display()
        );
        Engine::start(fleet, &store, runbooks, &["serve"])
    }

    /// The API alone, upon Redis; workers come with [`Engine::worker`].
    pub fn redis(fleet: &Fleet, redis: &RedisServer, runbooks: &Path) -> Engine {
        let store = format!("kind = \"redis\"\nredis_url = \"{}\"", redis.url());
        Engine::start(fleet, &store, runbooks, &["serve", "--no-worker"])
    }

    fn start(fleet: &Fleet, store: &str, runbooks: &Path, words: &[&str]) -> Engine {
        let listen = fleet.lab.service_address();
        let text = files::settings(fleet, &listen.to_string(), store, runbooks);
        let settings = fleet.write("hostler.toml", &text);
        let mut serve =
            Program::start(&fleet.lab, "serve", &command(fleet, &settings, words)).unwrap();
        serve.ready(LIMIT, || answers(listen)).unwrap();
        let says = CommandLine::new(program(), listen, fleet.folder.clone());
        Engine {
            says,
            settings,
            serve,
        }
    }

    /// A worker in a process of its own.
    pub fn worker(&self, fleet: &Fleet, name: &str) -> Program {
        let named = format!("worker.name={name}");
        let words = [
            "--set",
            &named,
            "--set",
            "log.level=info,hostler_worker=debug",
            "worker",
        ];
        Program::start(&fleet.lab, name, &command(fleet, &self.settings, &words)).unwrap()
    }

    /// Ends `serve` as an administrator does.
    pub fn stop(mut self) {
        self.serve.end(Signal::Term).unwrap();
    }
}

fn command(fleet: &Fleet, settings: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(&fleet.folder)
        .arg("--config")
        .arg(settings)
        .args(words);
    command
}

/// Whatever it says: it listens.
fn answers(address: SocketAddr) -> Option<()> {
    request(address, "GET", "/api/v1/runs", "").ok().map(drop)
}
