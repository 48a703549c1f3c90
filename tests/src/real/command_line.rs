//! The command line of `hostler`, one child process a question.
//!
//! Not here: waiting, and what an answer means.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use hostler_tests::lab::Said;
use serde_json::Value;

use super::files;

/// How to ask one engine.
pub struct CommandLine {
    program: PathBuf,
    server: SocketAddr,
    folder: PathBuf,
}

impl CommandLine {
    pub fn new(program: PathBuf, server: SocketAddr, folder: PathBuf) -> CommandLine {
        CommandLine {
            program,
            server,
            folder,
        }
    }

    /// Runs a command as a person; whatever comes of it.
    pub fn said(&self, person: &str, words: &[&str]) -> Said {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .env("HOSTLER_TOKEN", files::token(person));
        command
            .arg("--server")
            .arg(format!("http://{}", self.server))
            .args(words);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The text of a command that must succeed.
    pub fn text(&self, person: &str, words: &[&str]) -> String {
        let said = self.said(person, words);
        assert_eq!(
            said.code, 0,
            "{person}: {words:?}: {}{}",
            said.out, said.err
        );
        said.out
    }

    /// The value of a command that must succeed.
    pub fn value(&self, person: &str, words: &[&str]) -> Value {
        let text = self.text(person, &[&["-o", "json"], words].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    /// The value, or nothing while the engine or its store cannot be reached.
    pub fn try_value(&self, person: &str, words: &[&str]) -> Option<Value> {
        let said = self.said(person, &[&["-o", "json"], words].concat());
        if said.code != 0 {
            return None;
        }
        serde_json::from_str(&said.out).ok()
    }
}
