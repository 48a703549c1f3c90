//! Puts the practice process together: platform, mail catcher, people, engine, API.

use super::DevArgs;
use super::platform::{Platform, Server};
use super::state::{DevState, private};
use crate::cli::Context;
use crate::cli::serve::{listen, serve_api, start_log, stop_on_signal};
use crate::client::Client;
use crate::clock::SystemIds;
use crate::compose::engine::{self, Engine};
use crate::compose::ledger;
use crate::config::{Config, Log};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use hostler_api::http::Door;
use hostler_api::tokens::Tokens;
use hostler_channel_mail::sink::{Options, Sink};
use hostler_core::directory::Directory;
use hostler_estate::Estate;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Who acts when nobody is named.
const OPERATOR: &str = "olga";
/// A server with this tag fails its first verification.
const FAILS_ONCE: &str = "fails-once";
const TOKENS_FILE: &str = "tokens.toml";

/// A practice process at work.
pub struct Practice {
    pub state: DevState,
    pub sink: Sink,
    pub directory: Arc<dyn Directory>,
    pub shutdown: CancellationToken,
    _platform: Platform,
    tasks: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Practice {
    /// The API as one of the practice people.
    ///
    /// # Errors
    /// When the estate has no such person.
    pub fn client(&self, person: &str) -> Result<Client, Failure> {
        let token = self.state.tokens.get(person).cloned();
        let token = token
            .ok_or_else(|| Failure::Internal(anyhow!("the practice estate has no {person}")))?;
        Client::new(&self.state.address, Some(token))
    }

    /// Lets go of everything.
    ///
    /// # Errors
    /// When a part ended badly.
    pub async fn stop(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await
                .map_err(|fault| Failure::Internal(fault.into()))??;
        }
        Ok(())
    }
}

pub async fn start(context: &Context, args: &DevArgs) -> Result<Practice, Failure> {
    start_log(&Log {
        level: "warn".into(),
        ..Log::default()
    })?;
    let folder = context.state_folder();
    if args.fresh {
        forget(folder)?;
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let loopback: SocketAddr = ([127, 0, 0, 1], 0).into();
    let platform = TcpListener::bind(loopback).await?;
    let sink = Sink::start(loopback, Options::default()).await?;
    let known = engine::known()?;
    let port = platform.local_addr()?.port();
    let estate =
        hostler_estate::practice::estate(port, &known).map_err(|faults| anyhow!("{faults}"))?;
    let platform = Platform::start(platform, servers(&estate))?;
    tracing::info!(address = %platform.address(), "the practice platform answers");
    let listener = listen(&args.listen).await?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "{address}: practice listens on this machine only, e.g. 127.0.0.1:7700"
        )));
    }
    let (state, tokens) = people(&estate, address);
    let mut config = config(folder, args, sink.address());
    config.server.public_url = format!("http://{address}");
    ledger::practice_key(Path::new(&config.ledger.key_file), estate.realm())?;
    if !Path::new(&config.plugins.cache_folder).exists() {
        context
            .out
            .note("compiling the plugins for this machine; only the first start does that");
    }
    let engine = Engine::open(config, estate).await?;
    private(
        &folder.join(TOKENS_FILE),
        &tokens.to_text().context("tokens")?,
    )?;
    state.write(folder)?;
    let shutdown = stop_on_signal();
    let directory = Arc::clone(&engine.api.directory);
    let door = Door {
        api: engine.api.clone(),
        tokens: Arc::new(RwLock::new(tokens)),
        clock: Arc::clone(&engine.clock),
        bounces: None,
    };
    let api = tokio::spawn(serve_api(listener, door, shutdown.clone()));
    let stop = shutdown.clone();
    let work = tokio::spawn(async move { engine.work(stop).await });
    Ok(Practice {
        state,
        sink,
        directory,
        shutdown,
        _platform: platform,
        tasks: vec![api, work],
    })
}

/// Removes what practice keeps, and nothing else that may lie in the folder.
fn forget(folder: &Path) -> Result<(), Failure> {
    // A sealed ledger would say of a fresh store that it went back.
    for name in ["store", "ledger"] {
        let kept = folder.join(name);
        if kept.exists() {
            std::fs::remove_dir_all(&kept).with_context(|| kept.display().to_string())?;
        }
    }
    Ok(())
}

fn servers(estate: &Estate) -> Vec<Server> {
    let assets = estate.select("id=*").unwrap_or_default();
    let server = |id: String| {
        let record = estate.asset(&id).unwrap_or_default();
        let tags = record
            .get("tags")
            .and_then(serde_json::Value::as_array)
            .cloned()
            .unwrap_or_default();
        let fails = tags.iter().any(|tag| tag == FAILS_ONCE);
        let faults = if fails {
            BTreeMap::from([("guest-patch.verify".to_owned(), 1)])
        } else {
            BTreeMap::new()
        };
        Server { id, faults }
    };
    assets.into_iter().map(server).collect()
}

/// A token for everybody, new at every start.
fn people(estate: &Estate, address: SocketAddr) -> (DevState, Tokens) {
    let mut tokens = Tokens::default();
    let mut texts = BTreeMap::new();
    for person in estate.people() {
        let note = Some("practice".to_owned());
        texts.insert(
            person.id.clone(),
            tokens.issue(&SystemIds, &person.id, None, note),
        );
    }
    (
        DevState {
            address: format!("http://{address}"),
            operator: OPERATOR.to_owned(),
            tokens: texts,
        },
        tokens,
    )
}

fn config(folder: &Path, args: &DevArgs, mail: SocketAddr) -> Config {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut config = Config::default();
    config.store.folder = path("store");
    config.ledger.key_file = path("ledger.key");
    config.ledger.folder = path("ledger");
    config.estate.secrets_folder = path("secrets");
    config.runbooks.folder = args
        .runbooks
        .as_ref()
        .map(|folder| folder.display().to_string())
        .unwrap_or_default();
    config.plugins.lock_file = args.plugins.join("plugins.lock").display().to_string();
    config.plugins.cache_folder = path("compiled");
    config.worker.name = "practice".to_owned();
    // Practice ends at once: its leases are void at the next start in any case.
    config.worker.drain_ms = 3_000;
    config.mail.host = mail.ip().to_string();
    config.mail.port = mail.port();
    config.mail.security = "plain".to_owned();
    config.mail.from_address = "patching@platform.practice.example".to_owned();
    config.mail.from_name = "Platform team (practice)".to_owned();
    config.mail.list_id = "notices.platform.practice.example".to_owned();
    config
}
