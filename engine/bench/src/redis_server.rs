//! A Redis server for one measurement, on loopback, stopped by its process id.

use anyhow::{Context, bail};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Tries to connect, 50 ms apart.
const TRIES: u32 = 200;

pub struct RedisServer {
    child: Child,
    pub port: u16,
}

impl RedisServer {
    pub fn start(folder: &Path, appendfsync: &str) -> anyhow::Result<Self> {
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

    /// Requests a second of redis-benchmark's SET with 64 clients: the limit of this server here.
    pub fn set_per_s(&self, pipeline: u32) -> anyhow::Result<f64> {
        let port = self.port.to_string();
        let pipeline = pipeline.to_string();
        let output = Command::new("redis-benchmark")
            .args([
                "-p", &port, "-t", "set", "-n", "200000", "-c", "64", "-d", "1000", "-r", "10000",
            ])
            .args(["-P", &pipeline, "-q", "--csv"])
            .output()
            .context("redis-benchmark is needed: apt-get install redis-tools")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.starts_with("\"SET\""))
            .context("redis-benchmark said nothing")?;
        let value = line
            .split(',')
            .nth(1)
            .context("redis-benchmark said nothing")?;
        Ok(value.trim_matches('"').parse()?)
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
