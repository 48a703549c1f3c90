//! From the start of the program to the first answer that it is ready, with a store that has been used
//! before. Beside it, the same of a Redis server.

use crate::Figure;
use crate::clock::now;
use crate::peer::disk;
use crate::peer::redis_server::RedisServer;
use anyhow::{Context, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 7;
/// The first start compiles the plugins.
const READY_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A process that is ended with us.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn measure(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let program = std::env::current_exe()?.with_file_name("hostler");
    if !program.exists() {
        bail!(
            "{} is not there: `cargo xtask bench` builds it",
            program.display()
        );
    }
    let state = folder.join("ready");
    let first_ms = started(&program, &state)?;
    let mut spent = Vec::new();
    for _ in 0..STARTS {
        spent.push(started(&program, &state)?);
    }
    spent.sort_by(f64::total_cmp);
    let began = now();
    let server = RedisServer::start(&folder.join("ready-redis"), "everysec")?;
    let redis_ms = began.elapsed().as_secs_f64() * 1e3;
    drop(server);
    let value = spent[STARTS / 2];
    Ok(vec![Figure {
        bench: "ready",
        store: "embedded".to_owned(),
        value,
        unit: "ms",
        beside: "redis-server",
        ratio: value / redis_ms,
        note: format!(
            "first start, which compiles the plugins: {first_ms:.0} ms; load {}",
            disk::load()
        ),
    }])
}

/// Milliseconds until it says that it is ready.
fn started(program: &Path, state: &Path) -> anyhow::Result<f64> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(program);
    command.args(["dev", "--listen", &address.to_string(), "--state-folder"]);
    command.arg(state).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = now();
    let mut running = Program(command.spawn()?);
    while !says_ready(address) {
        if let Some(status) = running.0.try_wait()? {
            bail!("hostler ended with {status}");
        }
        if began.elapsed() > READY_MAX {
            bail!("hostler was not ready within {READY_MAX:?}");
        }
        pause();
    }
    Ok(ms_since(began))
}

fn ms_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

fn says_ready(address: SocketAddr) -> bool {
    asked(address).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn asked(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no answer")?;
    Ok(answer)
}

#[allow(
    clippy::disallowed_methods,
    reason = "looks again at whether the program is ready"
)]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}
