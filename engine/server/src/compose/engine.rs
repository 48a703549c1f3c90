//! One process with everything in it: store, plugins, estate, runbooks, workers, outbox.

use super::connections::EstateConnections;
use super::library::{self, Library};
use super::{
    archive, contracts, export, folders, ledger, mail, policies, scheduler, store, webhooks,
};
use crate::clock::{SystemClock, SystemIds};
use crate::config::Config;
use anyhow::{Context, anyhow, bail};
use hostler_api::Api;
use hostler_api::catalogue::Runbooks;
use hostler_core::directory::Directory;
use hostler_core::expression::Evaluate;
use hostler_estate::{Estate, Known};
use hostler_host_wasmtime::{HostConfig, SystemResolver, WasmHost};
use hostler_ports::channel::Compose;
use hostler_ports::clock::{Clock, Ids};
use hostler_ports::plugin::PluginHost;
use hostler_ports::store::{Queue, Store};
use hostler_queue_apalis::{Drained, Settings as QueueSettings};
use hostler_worker::{Driver, Outbox, OutboxParts, Parts};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long one claim waits in the store for work.
const CLAIM_WAIT_MS: u64 = 1_000;
/// Messages are not urgent: a message waits at most so much longer for its claim.
const MAIL_WAIT_MS: u64 = 2_000;

/// What all parts share.
pub struct Engine {
    pub api: Api,
    pub clock: Arc<dyn Clock>,
    config: Config,
    evaluate: Arc<dyn Evaluate>,
}

/// Reads the configured estate and checks it against the contracts.
pub fn estate(config: &Config) -> anyhow::Result<Estate> {
    let estate = files(config)?;
    if config.policies.folder.is_empty() {
        return Ok(estate);
    }
    let known = hostler_estate::policies::Known::of(&estate);
    let read = policies::read(Path::new(&config.policies.folder), &known)?;
    Ok(estate.under(read.policies))
}

/// The estate of its files alone.
pub fn files(config: &Config) -> anyhow::Result<Estate> {
    let read = |path: &str| library::read(Path::new(path));
    let files: Vec<&str> = config.estate.files.iter().map(String::as_str).collect();
    hostler_estate::load(&files, &read, &known()?).map_err(|faults| anyhow!("{faults}"))
}

/// Names that an estate may refer to.
pub fn known() -> anyhow::Result<Known> {
    let contracts = contracts::all().map_err(|fault| anyhow!(fault))?;
    let names = contracts
        .into_iter()
        .map(|contract| contract.name)
        .collect();
    Ok(Known {
        contracts: Some(names),
        plugins: None,
    })
}

/// Reads the configured runbooks.
pub fn runbooks(config: &Config, directory: Option<&dyn Directory>) -> anyhow::Result<Library> {
    let folder = &config.runbooks.folder;
    let (prefix, texts) = if folder.is_empty() {
        (String::new(), library::delivered())
    } else {
        (
            format!("{folder}/"),
            library::folder(Path::new(folder)).map_err(|fault| anyhow!(fault))?,
        )
    };
    let environment = library::environment(directory).map_err(|fault| anyhow!(fault))?;
    Ok(Library::new(&prefix, &texts, environment))
}

impl Engine {
    /// Opens everything that is configured.
    ///
    /// # Errors
    /// With the first part that cannot be opened, and what to do about it.
    pub async fn open(config: Config, estate: Estate) -> anyhow::Result<Self> {
        folders::check(&config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let directory: Arc<dyn Directory> = Arc::new(estate);
        let runbooks: Arc<dyn Runbooks> = Arc::new(runbooks(&config, Some(&*directory))?);
        let plugins = plugins(&config, &directory, &clock).await?;
        let store = store::open(
            &config.store,
            directory.realm(),
            Arc::clone(&clock),
            Arc::clone(&ids),
        );
        let store = store.await.context("the store cannot be opened")?;
        let zone = directory.zone(None).unwrap_or_else(|| "UTC".to_owned());
        let zone = jiff::tz::TimeZone::get(&zone).with_context(|| format!("zone {zone}"))?;
        let evaluate: Arc<dyn Evaluate> = Arc::new(hostler_runbook::Evaluator::new(zone));
        let compose: Arc<dyn Compose> = Arc::new(mail::Renderer::default());
        let archive = archive::open(&config.archive)?;
        let sealed = Some(ledger::reader(&config.ledger, directory.realm())?);
        let api = Api {
            store,
            directory,
            plugins,
            runbooks,
            compose,
            ids,
            archive,
            sealed,
            schedules: scheduler::open(&config.schedules).context("schedules.file")?,
            // Only whoever opens a door reads secrets; a worker never does.
            step_up: Arc::default(),
        };
        Ok(Self {
            api,
            clock,
            config,
            evaluate,
        })
    }

    fn worker_name(&self) -> String {
        match self.config.worker.name.as_str() {
            "" => "worker".to_owned(),
            name => name.to_owned(),
        }
    }

    /// Works until `shutdown`, then lets go of what it holds, at most for `worker.drain_ms`.
    ///
    /// # Errors
    /// When a queue ends by itself, or mail cannot be set up.
    pub async fn work(&self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let worker = self.worker_name();
        let driver = Driver::new(Parts {
            store: Arc::clone(&self.api.store),
            host: Arc::clone(&self.api.plugins),
            directory: Arc::clone(&self.api.directory),
            evaluate: Arc::clone(&self.evaluate),
            clock: Arc::clone(&self.clock),
            settings: self.driver_settings(&worker),
        });
        let channel = mail::channel(
            (&self.config.mail, &self.config.bounces),
            self.config.worker.mail_permits,
            Arc::clone(&self.clock),
        )?;
        let hooks = &self.config.webhooks.file;
        let channel =
            webhooks::beside(Arc::new(channel), hooks, &self.clock).context("webhooks.file")?;
        let outbox = Outbox::new(OutboxParts {
            store: Arc::clone(&self.api.store),
            channel: Arc::clone(&channel),
            compose: Arc::clone(&self.api.compose),
            links: mail::links(
                &self.config.server.public_url,
                &self.config.bounces,
                Arc::clone(&self.api.ids),
            )?,
            tags: mail::tags(&self.config.bounces, Arc::clone(&self.api.ids))?,
        });
        // Leases are renewed until the last lane is let go.
        let ticking = CancellationToken::new();
        let background = {
            let (driver, ticking) = (Arc::clone(&driver), ticking.clone());
            tokio::spawn(async move { driver.background(ticking).await })
        };
        let keeping = archive::keep(&self.api, &self.config.archive, &worker, shutdown.clone())?;
        let sealing = ledger::keep(&self.api, &self.config.ledger, shutdown.clone())?;
        let realm = self.api.directory.realm();
        let exporting = export::keep(&self.config, realm, channel, shutdown.clone())?;
        let scheduling = scheduler::keep(&self.api, shutdown.clone());
        let runs = {
            let drive = move |claim, asked_ms| Arc::clone(&driver).drive(claim, asked_ms);
            hostler_queue_apalis::run(
                Arc::clone(&self.api.store),
                Arc::clone(&self.clock),
                self.queue(Queue::Run, &worker),
                drive,
                shutdown.clone(),
            )
        };
        let mails = {
            let drive = move |claim, _| Arc::clone(&outbox).drive(claim);
            hostler_queue_apalis::run(
                Arc::clone(&self.api.store),
                Arc::clone(&self.clock),
                self.queue(Queue::Mail, &worker),
                drive,
                shutdown,
            )
        };
        let (runs, mails, (), (), (), ()) =
            tokio::join!(runs, mails, keeping, sealing, exporting, scheduling);
        ticking.cancel();
        background.await?;
        if runs? == Drained::TimedOut || mails? == Drained::TimedOut {
            tracing::warn!(
                "lanes were still held at the end of worker.drain_ms: their leases run out by themselves"
            );
        }
        Ok(())
    }

    fn driver_settings(&self, worker: &str) -> hostler_worker::Settings {
        let lease_ms = self.config.worker.lease_ms.max(1_000);
        let third = u64::try_from(lease_ms / 3).unwrap_or(10_000);
        hostler_worker::Settings {
            worker: worker.to_owned(),
            lease_ms,
            renew_ms: third,
            lease_age_max_ms: lease_ms * 2 / 3,
            contact: contact(&self.config),
            ..hostler_worker::Settings::default()
        }
    }

    fn queue(&self, queue: Queue, worker: &str) -> QueueSettings {
        let settings = &self.config.worker;
        let (permits, emergency_permits, wait_ms) = match queue {
            Queue::Run => (settings.permits, settings.emergency_permits, CLAIM_WAIT_MS),
            Queue::Mail => (settings.mail_permits.max(1), 0, MAIL_WAIT_MS),
        };
        let (worker, lease_ms, drain_ms) =
            (worker.to_owned(), settings.lease_ms, settings.drain_ms);
        QueueSettings {
            queue,
            worker,
            permits,
            emergency_permits,
            lease_ms,
            wait_ms,
            drain_ms,
        }
    }
}

fn contact(config: &Config) -> String {
    let mail = &config.mail;
    if mail.reply_to.is_empty() {
        mail.from_address.clone()
    } else {
        mail.reply_to.clone()
    }
}

/// The plugin host with everything that the lock file pins.
pub async fn plugins(
    config: &Config,
    directory: &Arc<dyn Directory>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn PluginHost>> {
    let lock = Path::new(&config.plugins.lock_file);
    if !lock.exists() {
        bail!(
            "{} is not there: build the plugins (`cargo xtask plugins`) or name their folder with --plugins",
            lock.display()
        );
    }
    let secrets = Path::new(&config.estate.secrets_folder);
    let connections = EstateConnections::new(Arc::clone(directory), secrets, Arc::clone(clock));
    let cache = Path::new(&config.plugins.cache_folder);
    std::fs::create_dir_all(cache).with_context(|| cache.display().to_string())?;
    let host = HostConfig {
        cache: cache.to_owned(),
        connections: Arc::new(connections),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    };
    Ok(Arc::new(WasmHost::load(host, lock).await?))
}

/// Ends when somebody asks the process to stop.
pub async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}

/// Whether the store answers, with a bounded wait.
pub async fn store_answers(store: &dyn Store) -> Result<(), String> {
    const WAIT: Duration = Duration::from_secs(5);
    match tokio::time::timeout(WAIT, store.now_ms()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(_) => Err(format!("no answer within {} s", WAIT.as_secs())),
    }
}
