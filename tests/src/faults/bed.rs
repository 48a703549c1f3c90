//! One installation under test: Redis, a mail server, the counting target, the API and its workers, each worker
//! behind a door of its own.
//!
//! Not here: faults. They are what the tests do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use hostler_tests::lab::{Lab, Program, RedisPlan, RedisServer, Signal, SmtpSink, Usage, request};

use super::LIMIT;
use super::api::Api;
use super::files::{self, Differs};
use super::target::{Call, Course, Target};

/// Sizes of an installation.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub assets: usize,
    /// Workers that the target can tell apart.
    pub doors: usize,
    pub lease_ms: u64,
    pub permits: usize,
    /// Calls of one worker at the target at the same time.
    pub per_host: usize,
    /// Timeout of every step.
    pub timeout: &'static str,
}

impl Size {
    /// Two workers that take runs of a few assets, under short leases.
    pub const BUSY: Self = Self {
        assets: 0,
        doors: 2,
        lease_ms: 3_000,
        permits: 16,
        per_host: 400,
        timeout: "3s",
    };
}

/// A running installation without workers. Everything stops when it is dropped.
pub struct Bed {
    pub api: Api,
    pub target: Target,
    pub redis: RedisServer,
    pub mail: SmtpSink,
    pub size: Size,
    pub lab: Lab,
    folder: PathBuf,
    store: String,
    /// Sections of every process's settings besides the usual ones.
    also: String,
    settings: PathBuf,
    serve: Program,
    serve_command: Command,
}

/// An id as it stands in Redis: its bytes, written for a command line.
pub fn in_redis(id: &str) -> String {
    let digits: Vec<char> = id.chars().filter(|letter| *letter != '-').collect();
    digits
        .chunks(2)
        .map(|byte| format!("\\x{}", byte.iter().collect::<String>()))
        .collect()
}

/// Name of a lane's or a run's key, written for a command line.
pub fn key(kind: &str, id: &str) -> String {
    format!("\"h:{{main}}.{kind}:{}\"", in_redis(id))
}

impl Bed {
    /// Upon a Redis that syncs before every answer.
    pub fn start(size: Size, behave: impl Fn(&Call) -> Course + Send + Sync + 'static) -> Bed {
        let lab = Lab::start().unwrap();
        let plan = RedisPlan::default().option("appendfsync", "always");
        let redis = plan.start(&lab).unwrap();
        let store = format!("kind = \"redis\"\nredis_url = \"{}\"", redis.url());
        Bed::over(lab, redis, store, size, behave)
    }

    /// With an archive that takes every run at once, and a sealed ledger.
    pub fn keeping(size: Size, behave: impl Fn(&Call) -> Course + Send + Sync + 'static) -> Bed {
        let lab = Lab::start().unwrap();
        let plan = RedisPlan::default().option("appendfsync", "always");
        let redis = plan.start(&lab).unwrap();
        let store = format!("kind = \"redis\"\nredis_url = \"{}\"", redis.url());
        let also = keeping(&lab.folder("kept").unwrap());
        Bed::with(lab, redis, store, also, size, behave)
    }

    /// Upon a store of the test's own making.
    pub fn over(
        lab: Lab,
        redis: RedisServer,
        store: String,
        size: Size,
        behave: impl Fn(&Call) -> Course + Send + Sync + 'static,
    ) -> Bed {
        Bed::with(lab, redis, store, String::new(), size, behave)
    }

    fn with(
        lab: Lab,
        redis: RedisServer,
        store: String,
        also: String,
        size: Size,
        behave: impl Fn(&Call) -> Course + Send + Sync + 'static,
    ) -> Bed {
        let mail = SmtpSink::start(&lab).unwrap();
        let target = Target::start(&lab, size.doors, behave);
        let folder = lab.folder("installation").unwrap();
        write_estate(&folder, &target, size);
        let listen = lab.service_address();
        let differs = Differs {
            listen,
            store: &store,
            estate: &estate_of(&folder),
            mail: mail.address(),
            lease_ms: size.lease_ms,
            permits: size.permits,
            also: &also,
        };
        let settings = write_settings(&folder, "serve", &differs);
        // An embedded store has one process: the API and the worker in one.
        let is_alone = store.contains("embedded");
        let words: &[&str] = if is_alone {
            &["serve"]
        } else {
            &["serve", "--no-worker"]
        };
        let serve_command = behind(&folder, 0, &command(&folder, &settings, words));
        let serve = serve(&lab, &serve_command, listen);
        Bed {
            api: Api(listen),
            target,
            redis,
            mail,
            size,
            lab,
            folder,
            store,
            also,
            settings,
            serve,
            serve_command,
        }
    }

    /// Starts a run over all servers and signs it; its id.
    pub fn run_all(&self) -> String {
        let run = self.api.start("id=*", "all");
        self.api.signed(&run);
        run
    }

    /// One field of a lane's header in Redis; empty when there is none.
    pub fn header(&self, lane: &str, field: &str) -> String {
        self.redis_says(&format!("HGET {} {field}", key("l", lane)))
    }

    /// What the workers' logs say of a lane.
    pub fn log_about(&self, lane: &str) -> Vec<String> {
        let folder = self.lab.folder("logs").unwrap();
        let doors = (0..self.size.doors).map(worker_name);
        let said = doors.filter_map(|name| std::fs::read_to_string(folder.join(name)).ok());
        let about = |log: String| -> Vec<String> {
            let lines = log.lines().filter(|line| line.contains(lane));
            lines.map(str::to_owned).collect()
        };
        said.flat_map(about).collect()
    }

    /// A short answer of Redis without its frame.
    pub fn redis_says(&self, command: &str) -> String {
        let answer = self.redis.ask(command).unwrap();
        let mut lines = answer.lines();
        let first = lines.next().unwrap_or_default();
        match first.strip_prefix('$') {
            Some(_) => lines.next().unwrap_or_default().to_owned(),
            None => first.get(1..).unwrap_or_default().to_owned(),
        }
    }

    /// The API does nothing any more, and is there until it is stopped.
    pub fn stand_still(&mut self) {
        self.serve.signal(Signal::Stop).unwrap();
    }

    /// Nobody serves until the next call of `serve_upon`.
    pub fn stop_api(&mut self) {
        self.serve.end(Signal::Kill).unwrap();
    }

    /// The API again, with a setting besides.
    pub fn serve_upon(&mut self, setting: &str) {
        let words = ["--set", setting, "serve"];
        self.serve_command = behind(
            &self.folder,
            0,
            &command(&self.folder, &self.settings, &words),
        );
        self.serve = serve(&self.lab, &self.serve_command, self.api.0);
    }

    /// What the API takes of the machine.
    pub fn api_usage(&self) -> Option<Usage> {
        self.serve.usage()
    }

    /// What the program says to the administrator: exit code and all that it printed.
    pub fn said(&self, words: &[&str]) -> (i32, String) {
        let mut command = command(&self.folder, &self.settings, words);
        let output = command.env("HOSTLER_TOKEN", files::token("ada")).output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.code().unwrap_or(-1), text)
    }

    /// A place in the installation's folder.
    pub fn place(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// A worker behind a door. Its log goes on with that of an earlier one behind the same door.
    pub fn worker(&self, door: usize) -> Program {
        self.worker_upon(door, &self.store)
    }

    /// A worker that reaches the store in a way of its own.
    pub fn worker_upon(&self, door: usize, store: &str) -> Program {
        let name = worker_name(door);
        let differs = Differs {
            listen: self.api.0,
            store,
            estate: &estate_of(&self.folder),
            mail: self.mail.address(),
            lease_ms: self.size.lease_ms,
            permits: self.size.permits,
            also: &self.also,
        };
        let settings = write_settings(&self.folder, &name, &differs);
        let named = format!("worker.name={name}");
        let level = "log.level=info,hostler_worker=debug";
        let words = ["--set", &named, "--set", level, "worker"];
        let command = command(&self.folder, &settings, &words);
        let command = behind(&self.folder, door, &command);
        Program::start(&self.lab, &name, &command).unwrap()
    }
}

/// The name under which leases show the worker behind a door.
pub fn worker_name(door: usize) -> String {
    format!("worker-{door}")
}

/// Sections for a kept installation, with a key of its own.
fn keeping(folder: &Path) -> String {
    let folder = folder.display();
    let key = format!("{folder}/ledger.key");
    let words = ["ledger", "key", "new", &key, "--realm", "main"];
    let made = Command::new(program()).args(words).status().unwrap();
    assert!(made.success());
    format!(
        "[archive]\nfolder = \"{folder}/archive\"\nshared = true\nafter = \"0s\"\nevery = \"1s\"\n\
         [ledger]\nkey_file = \"{key}\"\nfolder = \"{folder}/ledger\"\nshared = true\nevery = \"1s\"\n"
    )
}

fn serve(lab: &Lab, command: &Command, listen: SocketAddr) -> Program {
    let mut serve = Program::start(lab, "serve", command).unwrap();
    let listens = || request(listen, "GET", "/healthz", "").ok().map(drop);
    serve.ready(LIMIT, listens).unwrap();
    serve
}

fn write_estate(folder: &Path, target: &Target, size: Size) {
    files::write_shared(folder, size.timeout);
    let estate = files::estate(&target.doors, size.assets, size.per_host);
    std::fs::write(estate_of(folder), estate).unwrap();
    for (door, address) in target.doors.iter().enumerate() {
        std::fs::write(hosts_of(folder, door), files::hosts(*address)).unwrap();
    }
}

fn estate_of(folder: &Path) -> PathBuf {
    folder.join("estate.yaml")
}

fn hosts_of(folder: &Path, door: usize) -> PathBuf {
    folder.join(format!("hosts-{door}"))
}

/// The same command where the target's name leads to one of its doors, under the same process id.
fn behind(folder: &Path, door: usize, command: &Command) -> Command {
    let mut behind = Command::new("unshare");
    let script = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    behind
        .current_dir(folder)
        .args(["--mount", "sh", "-c", script])
        .arg(hosts_of(folder, door))
        .arg(command.get_program())
        .args(command.get_args());
    behind
}

fn write_settings(folder: &Path, name: &str, differs: &Differs<'_>) -> PathBuf {
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, files::settings(folder, differs)).unwrap();
    path
}

fn command(folder: &Path, settings: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(folder)
        .arg("--config")
        .arg(settings)
        .args(words);
    command
}

/// The program as it was built with the tests, beside the program `lab`.
fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("hostler");
    assert!(
        path.exists(),
        "{} is not there: run `cargo build -p hostler-server` first",
        path.display()
    );
    path
}
