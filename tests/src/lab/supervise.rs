//! Starts programs so that they cannot outlive the test process, and stops them by their process id.
//!
//! Not here: knowledge of any one server.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::error::{Attempt, LabError, tail};
use super::{Result, until};

/// A signal that a test sends to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Asks to end.
    Term,
    /// Ends at once, as a crash does.
    Kill,
    /// Stands still, as a hung host does.
    Stop,
    /// Goes on after [`Signal::Stop`].
    Continue,
}

impl Signal {
    fn option(self) -> &'static str {
        match self {
            Signal::Term => "-TERM",
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        }
    }
}

/// How long a program may take to end after being told to.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running program with its log.
#[derive(Debug)]
pub(super) struct Server {
    what: String,
    child: Child,
    log: PathBuf,
    ended: bool,
}

impl Server {
    /// Starts `command`; what it writes is appended to `log`.
    pub(super) fn start(what: &str, command: &Command, log: PathBuf) -> Result<Server> {
        let open = || File::options().create(true).append(true).open(&log);
        let (out, err) = (
            open().attempt(|| format!("open {}", log.display()))?,
            open().attempt(|| format!("open {}", log.display()))?,
        );
        let mut bound = Command::new("setpriv");
        bound
            .args(["--pdeathsig", "KILL", "--"])
            .arg(command.get_program())
            .args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            bound.current_dir(folder);
        }
        bound.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = spawn(bound).attempt(|| format!("start {what}"))?;
        Ok(Server {
            what: what.to_owned(),
            child,
            log,
            ended: false,
        })
    }

    /// Looks until `look` gives a value; fails early when the program ends.
    pub(super) fn ready<T>(
        &mut self,
        limit: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let child = &mut self.child;
        let found = until(limit, || match look() {
            Some(value) => Some(Some(value)),
            None => child.try_wait().ok().flatten().map(|_| None),
        });
        found.flatten().ok_or_else(|| LabError::NotReady {
            what: self.what.clone(),
            limit_ms: limit.as_millis(),
            log: tail(&self.log),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the program has not ended yet.
    pub(super) fn runs(&mut self) -> bool {
        !self.ended && matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal; nothing happens when the program has ended.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.ended || self.child.try_wait().ok().flatten().is_some() {
            self.ended = true;
            return Ok(());
        }
        send(self.id(), signal)
    }

    /// Sends a signal that ends the program and waits until it has; `Kill` follows when it does not.
    pub(super) fn end(&mut self, signal: Signal) -> Result<()> {
        self.signal(signal)?;
        let child = &mut self.child;
        let ended = until(END_LIMIT, || child.try_wait().ok().flatten());
        if ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.ended = true;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to one process.
pub(super) fn send(id: u32, signal: Signal) -> Result<()> {
    let mut kill = Command::new("kill");
    kill.args([signal.option(), &id.to_string()]);
    run(kill, "kill").map(drop)
}

/// Runs a program to its end; its standard output, or an error with what it wrote.
pub(super) fn run(command: Command, what: &str) -> Result<String> {
    let (status, out, err) = run_with(command, what, b"")?;
    match status.success() {
        true => Ok(out),
        false => Err(LabError::Answer {
            what: what.to_owned(),
            answer: format!("{out}{err}"),
        }),
    }
}

/// Runs a program to its end with `input` on its standard input; status, standard output and error.
pub(super) fn run_with(
    mut command: Command,
    what: &str,
    input: &[u8],
) -> Result<(ExitStatus, String, String)> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().attempt(|| format!("start {what}"))?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Beside the reading: a program that answers before it has read all would block both sides.
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output()
    })
    .attempt(|| format!("wait for {what}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status, text(&output.stdout), text(&output.stderr)))
}

type Order = (Command, Sender<std::io::Result<Child>>);

/// Starts a program from a thread that lives as long as this process: "die with your parent" means the
/// thread that started it, and the thread of a test or of a runtime may end long before.
fn spawn(command: Command) -> std::io::Result<Child> {
    static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, taken) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in taken {
                // The asker waits for the answer below, so a send only fails when it has panicked.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, answered) = channel();
    let gone = || std::io::Error::other("the thread that starts programs is gone");
    orders.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}
