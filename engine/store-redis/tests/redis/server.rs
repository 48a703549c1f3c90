//! A Redis server of the test's own: a free port on loopback, a folder of its own, ended by its
//! process id. Not here: facts.

use hostler_ports::clock::Ids;
use hostler_store_redis::{Endpoint, Functions, Options, RedisStore, open};
use redis::aio::MultiplexedConnection;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Longer than a server takes to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A log that is synced before every answer. With `everysec` Redis puts off writing to the log while
/// a slow sync runs, and a killed server then loses what it had answered.
pub const SYNCED: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];
/// Ports tried before a test gives up: another process may take one between choosing and binding.
const PORTS_MAX: usize = 10;

pub struct Server {
    child: Child,
    folder: TempDir,
    pub port: u16,
    settings: Vec<String>,
}

/// Ids that differ between all stores of all tests.
#[derive(Default)]
pub struct TestIds(AtomicU64);

static STORES: AtomicU64 = AtomicU64::new(1);

impl TestIds {
    pub fn fresh_store() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(
            STORES.fetch_add(1, Ordering::SeqCst) << 32,
        )))
    }
}

impl Ids for TestIds {
    fn fresh(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u64_pair(number, number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Server {
    pub async fn start(settings: &[&str]) -> Self {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        for _ in 0..PORTS_MAX {
            let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
            let child = run(&folder, port, &settings);
            let mut server = Self {
                child,
                folder,
                port,
                settings: settings.clone(),
            };
            if server.answers().await {
                return server;
            }
        }
        panic!("no free port for redis-server");
    }

    /// A Sentinel alone, which watches a primary and is quick to judge.
    pub async fn sentinel(primary: &Self, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sentinel.conf");
        let port = free_port();
        let watch = format!(
            "bind 127.0.0.1\nport {port}\nsentinel monitor {name} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {name} 500\nsentinel failover-timeout {name} 3000\n",
            primary.port
        );
        std::fs::write(&file, watch).unwrap();
        let mut command = Command::new("redis-server");
        command
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut server = Self {
            child,
            folder,
            port,
            settings: vec![],
        };
        assert!(server.answers().await, "the Sentinel did not start");
        server
    }

    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Ends the process at once and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again over the same folder.
    pub async fn restart(&mut self) {
        self.child = run(&self.folder, self.port, &self.settings);
        assert!(self.answers().await, "somebody took the port");
    }

    pub fn stop(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .arg(signal)
            .arg(self.child.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }

    pub async fn admin(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.address()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Runs one command as an administrator, words apart by blanks.
    pub async fn tell(&self, words: &str) -> redis::Value {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        command.query_async(&mut self.admin().await).await.unwrap()
    }

    /// Waits until this very process answers; false when it ended instead.
    async fn answers(&mut self) -> bool {
        let client = redis::Client::open(self.address()).unwrap();
        let ask = async {
            loop {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                    && redis::cmd("PING")
                        .query_async::<String>(&mut connection)
                        .await
                        .is_ok()
                {
                    let mut info = redis::cmd("INFO");
                    let text: String = info
                        .arg("server")
                        .query_async(&mut connection)
                        .await
                        .unwrap();
                    if text.contains(&format!("process_id:{}\r", self.child.id())) {
                        return true;
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(START, ask)
            .await
            .expect("the server did not start")
    }

    pub fn options(&self, realm: &str) -> Options {
        let options = Options::new(Endpoint::Server(self.address()), realm);
        Options {
            allow_loss: true,
            ..options
        }
    }

    pub async fn store(&self, realm: &str) -> RedisStore {
        open(self.options(realm), TestIds::fresh_store())
            .await
            .unwrap()
    }

    pub async fn store_with(&self, options: Options) -> RedisStore {
        open(options, TestIds::fresh_store()).await.unwrap()
    }

    /// A store over the clock that `advance` moves.
    pub async fn store_at_test_clock(&self, realm: &str) -> RedisStore {
        let options = self.options(realm);
        self.store_with(Options {
            functions: Functions::with_test_clock(),
            ..options
        })
        .await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn run(folder: &TempDir, port: u16, settings: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command.args([
        "--bind",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--save",
        "",
        "--dir",
    ]);
    command
        .arg(folder.path())
        .args(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .spawn()
        .expect("redis-server is not installed: apt-get install redis-server")
}
