//! Scripts over SSH. The command is always the same text; the script and its arguments go over standard
//! input: first the script's length on a line, then the script, then the arguments as one line of JSON,
//! which the script finds as its own standard input.
//!
//! Not here: any shell text made of data.

use super::endpoint::Endpoint;
use super::host_keys::Pinned;
use super::stream::{connect, cuttable};
use super::{failed, lost};
use crate::guest::{Failure, FailureKind};
use hostler_ports::connection::{ConnectionConfig, Ssh};
use hostler_ports::plugin::{CallWatch, Grant};
use russh::client::{Config, Handle, Handler};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, Preferred};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Reads the script byte by byte, so that what follows it stays for the script. Valid in every login
/// shell: one quoted text without anything to expand.
const COMMAND: &str = r#"exec /bin/sh -c 'IFS= read -r n && s=$(dd bs=1 count="$n" 2>/dev/null) && exec /bin/sh -c "$s" hostler'"#;
const COMMAND_AS_ROOT: &str = r#"exec sudo -n -- /bin/sh -c 'IFS= read -r n && s=$(dd bs=1 count="$n" 2>/dev/null) && exec /bin/sh -c "$s" hostler'"#;
/// A script that prints this many times its limit is stopped instead of read to its end.
const DRAIN_FACTOR: usize = 16;
/// A host that says nothing for this long is asked whether it is still there; three silences end it.
const KEEPALIVE_MS: u64 = 15_000;

/// One run of a script.
pub struct Run<'a> {
    pub script: &'a str,
    /// One line of JSON.
    pub arguments: &'a str,
    pub timeout_ms: Option<u32>,
}

/// What it left.
#[derive(Debug, Default)]
pub struct Outcome {
    pub exit_code: Option<u32>,
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
}

/// Runs a script on the host of a grant.
pub async fn run(
    endpoint: &Endpoint,
    grant: &Grant,
    watch: &dyn CallWatch,
    run: Run<'_>,
) -> Result<Outcome, Failure> {
    let config = &endpoint.config;
    let refuse = |why: &str| {
        failed(
            FailureKind::Refused,
            format!("connection {}: {why}", config.name),
        )
    };
    let ssh = config
        .ssh
        .as_ref()
        .ok_or_else(|| refuse("it has no SSH login: give it `user` and `key`"))?;
    let host = grant
        .address
        .as_deref()
        .ok_or_else(|| refuse("the asset has no `address`"))?;
    let limit_ms = config.limits.timeout_ms;
    let wait_ms = run
        .timeout_ms
        .map_or(limit_ms, |asked| u64::from(asked).min(limit_ms));
    let work = async {
        let _place = endpoint.place(host, watch).await?;
        let stream = connect(config, endpoint.resolver.as_ref(), host, ssh.port).await?;
        let (stream, _cut) = cuttable(stream)?;
        let session = login(config, ssh, host, grant.host_key.as_deref(), stream).await?;
        converse(session, ssh, &run, config.limits.answer_bytes_max).await
    };
    match tokio::time::timeout(Duration::from_millis(wait_ms), work).await {
        Ok(outcome) => outcome.map(|outcome| clean(endpoint, outcome)),
        Err(_) => Err(lost(
            FailureKind::Timeout,
            format!("the script did not end in {wait_ms} ms on {host}"),
        )),
    }
}

fn clean(endpoint: &Endpoint, mut outcome: Outcome) -> Outcome {
    outcome.stdout = endpoint.redactor.text(outcome.stdout);
    outcome.stderr = endpoint.redactor.text(outcome.stderr);
    outcome
}

struct Watch {
    pinned: BTreeSet<String>,
    found: Arc<std::sync::Mutex<Option<String>>>,
}

impl Handler for Watch {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let found = key.fingerprint(HashAlg::Sha256).to_string();
        let known = self.pinned.contains(&found);
        *self
            .found
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(found);
        Ok(known)
    }
}

async fn login(
    config: &ConnectionConfig,
    ssh: &Ssh,
    host: &str,
    host_key: Option<&str>,
    stream: tokio::net::TcpStream,
) -> Result<Handle<Watch>, Failure> {
    let name = &config.name;
    let refuse = |why: String| failed(FailureKind::Refused, format!("connection {name}: {why}"));
    let pinned =
        Pinned::read(ssh.host_keys.iter().map(String::as_str).chain(host_key)).map_err(refuse)?;
    if pinned.fingerprints.is_empty() {
        return Err(refuse(format!(
            "no host key is known for {host}: give the asset its `host_key` (compare it with the console's)"
        )));
    }
    let key = decode_secret_key(ssh.key.expose(), None).map_err(|_| {
        refuse(
            "its SSH key cannot be read: it must be an OpenSSH private key without a passphrase"
                .into(),
        )
    })?;
    let found = Arc::new(std::sync::Mutex::new(None));
    let watch = Watch {
        pinned: pinned.fingerprints.clone(),
        found: found.clone(),
    };
    let mut session =
        match russh::client::connect_stream(Arc::new(settings(&pinned)), stream, watch).await {
            Ok(session) => session,
            Err(error) => {
                let shown = found
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .clone();
                return Err(handshake(host, &pinned, shown, &error).unwrap_or_else(|| {
                    failed(FailureKind::Unreachable, format!("SSH to {host}: {error}"))
                }));
            }
        };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), Some(HashAlg::Sha512));
    let accepted = session
        .authenticate_publickey(ssh.user.clone(), key)
        .await
        .map_err(|error| failed(FailureKind::Unreachable, format!("SSH to {host}: {error}")))?;
    if !accepted.success() {
        let detail = format!(
            "{host} does not accept the key of connection {name} for user {}: add its public key to authorized_keys there",
            ssh.user
        );
        return Err(failed(FailureKind::Unauthenticated, detail));
    }
    Ok(session)
}

fn handshake(
    host: &str,
    pinned: &Pinned,
    shown: Option<String>,
    error: &russh::Error,
) -> Option<Failure> {
    let known = pinned
        .fingerprints
        .iter()
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let remedy = "if the host was reinstalled, compare the key on its console and write the new one into the asset's `host_key`; else someone is in between";
    match shown {
        Some(shown) if !pinned.fingerprints.contains(&shown) => Some(failed(
            FailureKind::Refused,
            format!("{host} shows the host key {shown}, known is {known}: {remedy}"),
        )),
        None if matches!(error, russh::Error::NoCommonAlgo { .. }) => Some(failed(
            FailureKind::Refused,
            format!("{host} has no host key of the pinned kind ({known}): {remedy}"),
        )),
        _ => None,
    }
}

fn settings(pinned: &Pinned) -> Config {
    let mut preferred = Preferred::default();
    if let Some(algorithms) = &pinned.algorithms {
        // A host with several keys must show the one that is known.
        preferred.key = Cow::Owned(algorithms.clone());
    }
    Config {
        preferred,
        nodelay: true,
        keepalive_interval: Some(Duration::from_millis(KEEPALIVE_MS)),
        ..Config::default()
    }
}

async fn converse(
    session: Handle<Watch>,
    ssh: &Ssh,
    run: &Run<'_>,
    most: usize,
) -> Result<Outcome, Failure> {
    let before = |error: russh::Error| failed(FailureKind::Unreachable, format!("SSH: {error}"));
    let after = |error: russh::Error| lost(FailureKind::Broken, format!("SSH broke off: {error}"));
    let mut channel = session.channel_open_session().await.map_err(before)?;
    let command = if ssh.sudo { COMMAND_AS_ROOT } else { COMMAND };
    channel.exec(true, command).await.map_err(before)?;
    let input = format!("{}\n{}{}\n", run.script.len(), run.script, run.arguments);
    channel
        .data_bytes(input.into_bytes())
        .await
        .map_err(after)?;
    channel.eof().await.map_err(after)?;
    let mut streams = Streams::new(most);
    let mut ended = false;
    let mut exit_code = None;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => streams.take(0, &data)?,
            ChannelMsg::ExtendedData { data, .. } => streams.take(1, &data)?,
            ChannelMsg::ExitStatus { exit_status } => {
                (ended, exit_code) = (true, Some(exit_status))
            }
            ChannelMsg::ExitSignal { .. } => ended = true,
            ChannelMsg::Failure => {
                return Err(failed(
                    FailureKind::Refused,
                    "the host does not let this user run commands",
                ));
            }
            _ => {}
        }
    }
    if !ended {
        return Err(lost(
            FailureKind::Broken,
            "SSH broke off before the script's end",
        ));
    }
    Ok(streams.outcome(exit_code))
}

struct Streams {
    most: usize,
    kept: [Vec<u8>; 2],
    seen: usize,
    truncated: bool,
}

impl Streams {
    fn new(most: usize) -> Self {
        Self {
            most,
            kept: [Vec::new(), Vec::new()],
            seen: 0,
            truncated: false,
        }
    }

    fn take(&mut self, which: usize, data: &[u8]) -> Result<(), Failure> {
        self.seen += data.len();
        if self.seen > self.most.saturating_mul(DRAIN_FACTOR) {
            return Err(lost(
                FailureKind::TooLarge,
                format!(
                    "the script printed more than {} times the limit of {} bytes",
                    DRAIN_FACTOR, self.most
                ),
            ));
        }
        let room = self.most.saturating_sub(self.kept[which].len());
        self.truncated |= data.len() > room;
        self.kept[which].extend_from_slice(&data[..data.len().min(room)]);
        Ok(())
    }

    fn outcome(self, exit_code: Option<u32>) -> Outcome {
        let [stdout, stderr] = self
            .kept
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Outcome {
            exit_code,
            stdout,
            stderr,
            truncated: self.truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_over_its_limit_is_cut_and_said() {
        let mut streams = Streams::new(4);
        streams.take(0, b"abcdef").unwrap();
        streams.take(1, b"xy").unwrap();
        let outcome = streams.outcome(Some(0));
        assert_eq!(
            (
                outcome.stdout.as_str(),
                outcome.stderr.as_str(),
                outcome.truncated
            ),
            ("abcd", "xy", true)
        );
        let mut endless = Streams::new(4);
        let verdict = (0..100).try_for_each(|_| endless.take(0, b"abcdef"));
        assert!(
            verdict
                .is_err_and(|failure| failure.kind == FailureKind::TooLarge && failure.maybe_sent)
        );
    }
}
