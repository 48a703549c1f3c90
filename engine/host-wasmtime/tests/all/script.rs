//! Scripts over SSH, against a server that runs what it is told in a real shell.

use crate::component::{Ready, connection};
use crate::watch::Watch;
use hostler_ports::connection::{ConnectionConfig, Secret, Ssh};
use hostler_ports::plugin::{Entry, HostError, PluginHost};
use russh::keys::ssh_key::private::{Ed25519Keypair, PrivateKey};
use russh::keys::ssh_key::{HashAlg, LineEnding};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::{ChildStdin, Command};
use tokio::task::JoinHandle;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn public(seed: u8) -> String {
    key(seed).public_key().to_openssh().unwrap()
}

const CLIENT: u8 = 1;
const HOST: u8 = 2;
const OTHER: u8 = 3;

/// What a client asked the server to run.
type Commands = Arc<Mutex<Vec<String>>>;

struct Sshd {
    port: u16,
    commands: Commands,
    task: JoinHandle<()>,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sshd {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(Config {
            keys: vec![key(HOST)],
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            ..Config::default()
        });
        let commands = Commands::default();
        let seen = commands.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shell = Shell {
                    commands: seen.clone(),
                    stdin: None,
                };
                if let Ok(session) = russh::server::run_stream(config.clone(), stream, shell).await
                {
                    tokio::spawn(session);
                }
            }
        });
        Self {
            port,
            commands,
            task,
        }
    }

    fn connection(&self) -> ConnectionConfig {
        let mut config = connection("http://unused.example/", &["127.0.0.2/32"]);
        config.url = None;
        config.ssh = Some(Ssh {
            user: "patch".into(),
            key: Secret::new(key(CLIENT).to_openssh(LineEnding::LF).unwrap().to_string()),
            port: self.port,
            host_keys: vec![public(HOST)],
            sudo: false,
        });
        config
    }
}

struct Shell {
    commands: Commands,
    stdin: Option<ChildStdin>,
}

impl Handler for Shell {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        user: &str,
        offered: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let mine = key(CLIENT).public_key().fingerprint(HashAlg::Sha256);
        let known = user == "patch" && offered.public_key.fingerprint(HashAlg::Sha256) == mine;
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(data).into_owned();
        self.commands.lock().unwrap().push(command.clone());
        let mut child = Command::new("sh")
            .args(["-c", &command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        self.stdin = child.stdin.take();
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let handle = session.handle();
        session.channel_success(id)?;
        tokio::spawn(async move {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let _ = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
            let code = child
                .wait()
                .await
                .ok()
                .and_then(|status| status.code())
                .unwrap_or(255);
            let _ = handle.data(id, out).await;
            let _ = handle.extended_data(id, 1, err).await;
            let _ = handle
                .exit_status_request(id, u32::try_from(code).unwrap_or(255))
                .await;
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
        });
        Ok(())
    }

    async fn data(
        &mut self,
        _id: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(stdin) = &mut self.stdin {
            stdin.write_all(data).await?;
        }
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        _id: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.stdin = None;
        Ok(())
    }
}

async fn run(config: ConnectionConfig, script: &str, arguments: Value) -> Value {
    let ready = Ready::new(vec![config]).await;
    ready
        .told(
            "evil.run",
            json!({ "script": script, "arguments": arguments }),
        )
        .await
}

#[tokio::test]
async fn arguments_arrive_as_one_line_and_never_as_code() {
    let sshd = Sshd::start().await;
    let hostile = [
        json!({ "name": "$(touch /tmp/x)`id`; rm -rf / && echo \"'" }),
        json!({ "name": "a\nb\u{2028}c\r\n", "flag": "-oProxyCommand=id" }),
        json!(["--", "%COMSPEC%", "\\x00", "\u{0}", "é"]),
        json!({ "long": "x".repeat(200_000) }),
        json!(null),
    ];
    for arguments in hostile {
        let told = run(sshd.connection(), "echo.sh", arguments.clone()).await;
        assert_eq!(told["exit_code"], json!(0), "{told}");
        let line = told["stdout"].as_str().unwrap();
        let whole = format!("{arguments}\n");
        assert_eq!(told["stdout_bytes"], json!(whole.len()), "{told}");
        assert!(whole.starts_with(line), "{line}");
        assert_eq!(told["stderr"], json!("name=hostler args=0\n"), "{told}");
    }
    let commands = sshd.commands.lock().unwrap().clone();
    assert!(
        commands.windows(2).all(|pair| pair[0] == pair[1]),
        "the command is always the same: {commands:?}"
    );
}

#[tokio::test]
async fn only_scripts_of_the_package_run() {
    let sshd = Sshd::start().await;
    for name in ["other.sh", "", "../echo.sh", "echo.sh; id", "sh -c id"] {
        let told = run(sshd.connection(), name, json!({})).await;
        assert_eq!(told["kind"], json!("refused"), "{name}: {told}");
    }
    assert_eq!(sshd.commands.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_wrong_host_key_is_refused_with_the_remedy() {
    let sshd = Sshd::start().await;
    let other = key(OTHER)
        .public_key()
        .fingerprint(HashAlg::Sha256)
        .to_string();
    for known in [public(OTHER), other, format!("127.0.0.2 {}", public(OTHER))] {
        let mut config = sshd.connection();
        config.ssh.as_mut().unwrap().host_keys = vec![known];
        let told = run(config, "echo.sh", json!({})).await;
        assert_eq!(
            (&told["kind"], &told["maybe_sent"]),
            (&json!("refused"), &json!(false)),
            "{told}"
        );
        let detail = told["detail"].as_str().unwrap();
        let shown = key(HOST)
            .public_key()
            .fingerprint(HashAlg::Sha256)
            .to_string();
        assert!(
            detail.contains(&shown) && detail.contains("`host_key`"),
            "{detail}"
        );
    }
    let mut config = sshd.connection();
    config.ssh.as_mut().unwrap().host_keys.clear();
    let told = run(config, "echo.sh", json!({})).await;
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("no host key is known"),
        "{told}"
    );
    assert_eq!(sshd.commands.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn the_assets_own_host_key_counts() {
    let sshd = Sshd::start().await;
    let mut config = sshd.connection();
    config.ssh.as_mut().unwrap().host_keys.clear();
    let ready = Ready::new(vec![config]).await;
    let mut call = ready.evil(
        "evil.run",
        json!({ "script": "echo.sh" }),
        Arc::new(Watch::default()),
    );
    call.grants[0].host_key = Some(public(HOST));
    let output = ready.perform(call).await.unwrap();
    assert_eq!(output["told"]["exit_code"], json!(0), "{output}");
}

#[tokio::test]
async fn a_key_that_the_host_does_not_know_is_said() {
    let sshd = Sshd::start().await;
    let mut config = sshd.connection();
    config.ssh.as_mut().unwrap().key =
        Secret::new(key(OTHER).to_openssh(LineEnding::LF).unwrap().to_string());
    let told = run(config, "echo.sh", json!({})).await;
    assert_eq!(told["kind"], json!("unauthenticated"), "{told}");
    assert!(
        told["detail"].as_str().unwrap().contains("authorized_keys"),
        "{told}"
    );
}

#[tokio::test]
async fn output_over_the_limit_is_cut_and_the_exit_code_kept() {
    let sshd = Sshd::start().await;
    let mut config = sshd.connection();
    config.limits.answer_bytes_max = 100_000;
    let told = run(config, "noise.sh", json!({})).await;
    let found = (
        &told["exit_code"],
        &told["stdout_bytes"],
        &told["truncated"],
    );
    assert_eq!(found, (&json!(3), &json!(100_000), &json!(true)));
}

#[tokio::test]
async fn a_mutating_script_is_journalled_and_a_reading_one_is_not() {
    let sshd = Sshd::start().await;
    let ready = Ready::new(vec![sshd.connection()]).await;
    let watch = Arc::new(Watch::default());
    for script in ["echo.sh", "change.sh"] {
        ready
            .told_watched("evil.run", json!({ "script": script }), watch.clone())
            .await;
    }
    let journal = watch.journal.lock().unwrap().clone();
    let found: Vec<_> = journal
        .iter()
        .map(|entry| (entry.what.as_str(), entry.outcome.as_deref()))
        .collect();
    assert_eq!(
        found,
        [("exec change.sh", None), ("exec change.sh", Some("exit 0"))]
    );
}

#[tokio::test]
async fn a_script_that_does_not_end_is_left_at_its_time() {
    let sshd = Sshd::start().await;
    let ready = Ready::new(vec![sshd.connection()]).await;
    let told = ready
        .told(
            "evil.run",
            json!({ "script": "slow.sh", "timeout_ms": 300 }),
        )
        .await;
    assert_eq!(
        (&told["kind"], &told["maybe_sent"]),
        (&json!("timeout"), &json!(true)),
        "{told}"
    );
    let mut call = ready.evil(
        "evil.run",
        json!({ "script": "slow.sh" }),
        Arc::new(Watch::default()),
    );
    call.timeout_ms = 500;
    let reply = ready.host.call(Entry::Perform, call).await;
    assert!(
        matches!(reply, Err(HostError::Limit { limit: "time", .. })),
        "{reply:?}"
    );
}
