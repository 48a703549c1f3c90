//! A Redis server for one measurement, on loopback, stopped by its process id.

use anyhow::{Context, bail};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Tries to connect, 50 ms apart.
const TRIES: u32 = 200;

/// What a step writes: the header compared and written, two events, a line of the ledger.
const SCRIPT: &str = "#!lua name=limit
redis.register_function('limit_step', function(keys, args)
  local header = redis.call('HMGET', keys[2], 'f', 'v')
  local seq = redis.call('HINCRBY', keys[1], 'seq', 1)
  redis.call('RPUSH', keys[3], args[1], args[1])
  redis.call('RPUSH', keys[4], args[1])
  redis.call('HSET', keys[2], 'f', 'x', 'v', (tonumber(header[2]) or 0) + 2)
  return seq
end)";
/// About the size of an event in the log.
const EVENT_BYTES: usize = 400;
const CALLS: &str = "100000";

pub struct RedisServer {
    child: Child,
    pub port: u16,
}

impl RedisServer {
    pub fn start(folder: &Path, appendfsync: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
        ]);
        command
            .args(["--appendfsync", appendfsync, "--daemonize", "no", "--dir"])
            .arg(folder);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.context("redis-server is needed: apt-get install redis-server")?;
        let server = Self { child, port };
        for _ in 0..TRIES {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            pause();
        }
        bail!("redis-server did not listen on {port}")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Bytes of data and what goes with them.
    pub fn used_memory(&self) -> anyhow::Result<u64> {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port, "INFO", "memory"])
            .output()
            .context("redis-cli is needed: apt-get install redis-tools")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.context("INFO has no used_memory")?.trim().parse()?)
    }

    /// Calls a second of a Function that does a step's writes and nothing else, by redis-benchmark
    /// with 64 clients: the limit of this server here.
    pub fn script_per_s(&self, pipeline: u32) -> anyhow::Result<f64> {
        let load = Command::new("redis-cli")
            .args([
                "-p",
                &self.port.to_string(),
                "FUNCTION",
                "LOAD",
                "REPLACE",
                SCRIPT,
            ])
            .output()
            .context("redis-cli is needed: apt-get install redis-tools")?;
        if !load.status.success() {
            bail!("{}", String::from_utf8_lossy(&load.stdout));
        }
        let event = "e".repeat(EVENT_BYTES);
        let output = Command::new("redis-benchmark")
            .args([
                "-p",
                &self.port.to_string(),
                "-n",
                CALLS,
                "-c",
                "64",
                "-r",
                "1000",
            ])
            .args(["-P", &pipeline.to_string(), "--csv"])
            .args(["FCALL", "limit_step", "4", "lim:meta", "lim:l:__rand_int__"])
            .args(["lim:g:__rand_int__", "lim:led", &event])
            .output()
            .context("redis-benchmark is needed: apt-get install redis-tools")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = text
            .lines()
            .filter_map(|line| line.split(',').nth(1)?.trim_matches('"').parse().ok())
            .next_back();
        value.context("redis-benchmark said nothing")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Nothing can be done about a server that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "looks again at whether the server listens"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
