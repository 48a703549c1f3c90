//! `hostler serve` and `hostler worker`.

use super::Context;
use crate::compose::bounces;
use crate::compose::engine::{self, Engine};
use crate::compose::step_up;
use crate::config::{Config, Log};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use clap::Args;
use hostler_api::http::{self, Door};
use hostler_api::tokens::Tokens;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Args)]
pub struct ServeArgs {
    /// Only the API: workers are elsewhere
    #[arg(long)]
    no_worker: bool,
}

/// Lines of log on standard error.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_log(log: &Log) -> Result<(), Failure> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|fault| Failure::Invalid(format!("log.level: {fault}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let begun = if log.format == "json" {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    begun.map_err(|fault| Failure::Internal(anyhow!(fault)))
}

pub async fn serve(context: &Context, args: ServeArgs) -> Result<(), Failure> {
    let config = context.config()?;
    start_log(&config.log)?;
    let tokens = tokens(&config)?;
    let enrolled = step_up::read(Path::new(&config.server.step_up_file))
        .map_err(|fault| Failure::Invalid(format!("server.step_up_file {fault:#}")))?;
    let listener = listen(&config.server.listen).await?;
    let engine = Engine::open(config.clone(), estate(&config)?).await?;
    let known = Arc::clone(&engine.api.step_up);
    *known.write().unwrap_or_else(PoisonError::into_inner) = enrolled;
    let shutdown = stop_on_signal();
    context
        .out
        .note(&format!("listening on http://{}", listener.local_addr()?));
    let tokens = Arc::new(RwLock::new(tokens));
    let reading = tokio::spawn(reread(
        config.server.tokens_file.clone(),
        Arc::clone(&tokens),
    ));
    let following = tokio::spawn(step_up::follow(
        config.server.step_up_file.clone().into(),
        known,
    ));
    let taking = bounces::open(&config.bounces, &engine.api, &engine.clock).await?;
    let door = Door {
        api: engine.api.clone(),
        tokens,
        clock: Arc::clone(&engine.clock),
        bounces: taking.as_ref().map(|taking| Arc::clone(&taking.door)),
    };
    let api = serve_api(listener, door, shutdown.clone());
    if args.no_worker {
        return Ok(api.await?);
    }
    let (served, worked) = tokio::join!(api, engine.work(shutdown));
    reading.abort();
    following.abort();
    served?;
    Ok(worked?)
}

pub async fn worker(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    start_log(&config.log)?;
    if config.store.kind == "embedded" {
        return Err(Failure::Invalid(
            "a worker of its own needs store.kind = \"redis\": the embedded store is open in one process only".to_owned(),
        ));
    }
    let engine = Engine::open(config.clone(), estate(&config)?).await?;
    Ok(engine.work(stop_on_signal()).await?)
}

fn estate(config: &Config) -> Result<hostler_estate::Estate, Failure> {
    engine::estate(config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))
}

fn tokens(config: &Config) -> Result<Tokens, Failure> {
    let path = &config.server.tokens_file;
    let text = std::fs::read_to_string(path).map_err(|fault| {
        Failure::Invalid(format!(
            "server.tokens_file {path}: {fault}\n  make the first token: hostler token new PERSON"
        ))
    })?;
    Ok(Tokens::parse(&text).context(path.clone())?)
}

/// How often the tokens are read again: a token that was taken away is worth this long.
const REREAD: Duration = Duration::from_secs(5);

/// Keeps the tokens as the file has them. A file that cannot be read changes nothing.
async fn reread(path: String, tokens: Arc<RwLock<Tokens>>) {
    let mut known = String::new();
    loop {
        tokio::time::sleep(REREAD).await;
        match tokio::fs::read_to_string(&path).await {
            Ok(text) if text == known => {}
            Ok(text) => match Tokens::parse(&text) {
                Ok(read) => {
                    *tokens.write().unwrap_or_else(PoisonError::into_inner) = read;
                    known = text;
                }
                Err(fault) => tracing::warn!(path, %fault, "the tokens stay as they were"),
            },
            Err(fault) => tracing::warn!(path, %fault, "the tokens stay as they were"),
        }
    }
}

/// Opens the door for requests.
pub async fn listen(address: &str) -> Result<TcpListener, Failure> {
    let parsed: SocketAddr = address.parse().map_err(|_| {
        Failure::Invalid(format!(
            "server.listen is {address:?}: write address:port, e.g. 127.0.0.1:7700"
        ))
    })?;
    let taken = |fault| {
        Failure::Invalid(format!(
            "{address}: {fault}; choose another with --set server.listen=…"
        ))
    };
    TcpListener::bind(parsed).await.map_err(taken)
}

/// Serves until `shutdown`; streams end with it.
pub async fn serve_api(
    listener: TcpListener,
    door: Door,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let router = http::router(door);
    let served =
        axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = served.into_future() => Ok(served?),
        // A watcher's stream has no end of its own: a second is long enough for everything else.
        () = async { shutdown.cancelled().await; tokio::time::sleep(Duration::from_secs(1)).await } => Ok(()),
    }
}

/// A token that is cancelled when somebody asks the process to stop.
pub fn stop_on_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        engine::stop_signal().await;
        tracing::info!("stopping: nothing new is begun");
        stop.cancel();
    });
    shutdown
}
