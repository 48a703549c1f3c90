//! Where things are, and running other programs with their output in view.
//!
//! Not here: which programs; no shell string is ever built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task ended, in a sentence with the remedy.
pub type Outcome<T> = Result<T, String>;

/// No step of a task takes longer than this; one that does hangs. Seconds.
const STEP_LIMIT_S: &str = "2400";

/// The root of the repository.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => top().join(folder),
        None => top().join("target"),
    }
}

/// The cargo that runs this task.
pub fn cargo(words: &[&str]) -> Command {
    command(env!("CARGO"), words)
}

/// A program that starts in the root of the repository.
pub fn command(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).current_dir(top());
    command
}

/// Shows a command, runs it to its end, and fails as it fails.
pub fn run(command: Command) -> Outcome<()> {
    let line = shown(&command);
    println!("$ {line}");
    let mut limited = Command::new("timeout");
    limited.args(["--foreground", "--kill-after=30", STEP_LIMIT_S]);
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.current_dir(top());
    finish(limited, &line)
}

/// The same without a limit, for what runs until the user ends it.
pub fn run_open_ended(command: Command) -> Outcome<()> {
    let line = shown(&command);
    println!("$ {line}");
    finish(command, &line)
}

fn finish(mut command: Command, line: &str) -> Outcome<()> {
    let status = command
        .status()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(124) => Err(format!("`{line}` took longer than {STEP_LIMIT_S} s")),
        _ => Err(format!("`{line}` ended with {status}")),
    }
}

/// Runs a command quietly; its standard output when it succeeds.
pub fn ask(mut command: Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the path.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
