//! A real SMTP server (aiosmtpd) that stores what it accepts.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::error::{Attempt, LabError};
use super::supervise::Server;
use super::{Lab, Result, recipe, until};

const SCRIPT: &str = include_str!("recipes/smtp_sink.py");
/// Starting the interpreter takes a second on an idle machine.
const UP_LIMIT: Duration = Duration::from_secs(60);
/// A greeting that takes longer is looked for again.
const BANNER_LIMIT: Duration = Duration::from_secs(5);

/// A message as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Header and body, as sent.
    pub text: String,
}

/// A running mail server; it is killed when dropped. Addresses that begin with `refuse-` are refused for
/// good, those with `later-` for now.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    mails: PathBuf,
    certificate: Option<PathBuf>,
    _server: Server,
}

impl SmtpSink {
    /// Starts it without encryption.
    pub fn start(lab: &Lab) -> Result<SmtpSink> {
        SmtpSink::launch(lab, false)
    }

    /// Starts it so that it requires STARTTLS; see [`SmtpSink::certificate`].
    pub fn start_with_tls(lab: &Lab) -> Result<SmtpSink> {
        SmtpSink::launch(lab, true)
    }

    fn launch(lab: &Lab, tls: bool) -> Result<SmtpSink> {
        let python = recipe::venv()?;
        let address = lab.service_address();
        let folder = lab.folder(&format!("smtp-{}", address.port()))?;
        let (script, mails) = (
            folder.join("sink.py"),
            lab.folder(&format!("mails-{}", address.port()))?,
        );
        std::fs::write(&script, SCRIPT).attempt(|| format!("write {}", script.display()))?;
        let mut command = Command::new(python);
        command
            .arg(&script)
            .args([address.ip().to_string(), address.port().to_string()])
            .arg(&mails);
        let mut certificate = None;
        if tls {
            let (public, key) = recipe::certificate(&folder, &address.ip().to_string())?;
            command.arg(&public).arg(key);
            certificate = Some(public);
        }
        let mut server = Server::start("the mail server", &command, folder.join("log"))?;
        server.ready(UP_LIMIT, || greets(address))?;
        Ok(SmtpSink {
            address,
            mails,
            certificate,
            _server: server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The self-signed certificate (PEM) of a server that requires STARTTLS.
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// What was accepted so far, oldest first.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let entries =
            std::fs::read_dir(&self.mails).attempt(|| format!("list {}", self.mails.display()))?;
        let mut envelopes: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        envelopes.sort();
        envelopes.iter().map(|path| mail(path)).collect()
    }

    /// Waits until at least `count` messages were accepted, at most for `limit`; gives all.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Result<Vec<Mail>> {
        let found = until(limit, || {
            self.mails().ok().filter(|mails| mails.len() >= count)
        });
        found.ok_or_else(|| LabError::Answer {
            what: format!("{count} messages were expected"),
            answer: format!("{:?}", self.mails()),
        })
    }
}

fn mail(envelope: &Path) -> Result<Mail> {
    let read = |path: &Path| std::fs::read(path).attempt(|| format!("read {}", path.display()));
    let record: serde_json::Value =
        serde_json::from_slice(&read(envelope)?).map_err(|error| LabError::Answer {
            what: envelope.display().to_string(),
            answer: error.to_string(),
        })?;
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Mail {
        from: word(&record["from"]),
        to: record["to"]
            .as_array()
            .into_iter()
            .flatten()
            .map(word)
            .collect(),
        tls: record["tls"] == true,
        text: String::from_utf8_lossy(&read(&envelope.with_extension("eml"))?).into_owned(),
    })
}

/// Whether a mail server sends its greeting.
fn greets(address: SocketAddr) -> Option<()> {
    let mut stream = TcpStream::connect_timeout(&address, BANNER_LIMIT).ok()?;
    stream.set_read_timeout(Some(BANNER_LIMIT)).ok()?;
    let mut banner = [0_u8; 4];
    stream.read_exact(&mut banner).ok()?;
    (&banner == b"220 ").then_some(())
}
