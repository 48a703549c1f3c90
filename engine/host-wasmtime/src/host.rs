//! The plugin host: loads what is pinned, and enters it, one fresh store a call.

use crate::guest::{self, Active, CallState, Doors, MemoryBlobs, Mode, PluginPre, Services};
use crate::limits::{CALLS_AT_ONCE, DESCRIBE_TIMEOUT_MS, HANDLES_MAX, TRANSFER_MAX_BYTES};
use crate::plugin::{CacheError, CompileCache, Described, LockError, PluginsLock, describe};
use crate::reach::{Reach, Resolver};
use crate::sandbox::{self, Ticker};
use async_trait::async_trait;
use hostler_core::contract::Effect;
use hostler_core::id::Digest;
use hostler_ports::connection::Connections;
use hostler_ports::plugin::{Call, Description, Entry, HostError, PluginHost, Reply};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

/// Pieces of evidence kept in memory.
const BLOBS_KEPT: usize = 256;

/// What a host is made from.
pub struct HostConfig {
    /// Compiled components and the key that seals them; only this installation may write there.
    pub cache: PathBuf,
    pub connections: Arc<dyn Connections>,
    pub resolver: Arc<dyn Resolver>,
    /// 32 bytes from which secrets for platforms are derived. None: plugins cannot set secrets.
    pub secret_root: Option<Vec<u8>>,
}

#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("plugin {name} cannot be used: {detail}")]
    Plugin { name: String, detail: String },
    #[error("the sandbox cannot be made: {0}")]
    Engine(String),
}

/// One component, ready to be entered.
struct Loaded {
    description: Arc<Description>,
    described: Arc<Described>,
    pre: PluginPre<CallState>,
    doors: Doors,
}

/// Runs the pinned components.
pub struct WasmHost {
    engine: Engine,
    plugins: BTreeMap<Digest, Loaded>,
    services: Arc<Services>,
    places: Semaphore,
    cache: CompileCache,
    _ticker: Ticker,
}

impl WasmHost {
    /// A host without plugins.
    ///
    /// # Errors
    /// When the cache cannot be opened or the machine cannot give the pool's address space.
    pub fn new(config: HostConfig) -> Result<Self, LoadError> {
        let engine = sandbox::engine().map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let ticker =
            Ticker::start(&engine).map_err(|error| LoadError::Engine(error.to_string()))?;
        let services = Services {
            reach: Reach::new(config.connections, config.resolver),
            blobs: MemoryBlobs::new(BLOBS_KEPT),
            secret_root: config
                .secret_root
                .map(|root| ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &root)),
        };
        Ok(Self {
            engine,
            plugins: BTreeMap::new(),
            services: Arc::new(services),
            places: Semaphore::new(CALLS_AT_ONCE as usize),
            cache: CompileCache::open(&config.cache)?,
            _ticker: ticker,
        })
    }

    /// A host with every plugin of a lock file.
    ///
    /// # Errors
    /// When a component is not the pinned one or cannot be used; nothing of it has run then.
    pub async fn load(config: HostConfig, lock_file: &std::path::Path) -> Result<Self, LoadError> {
        let lock = PluginsLock::read(lock_file)?;
        let mut host = Self::new(config)?;
        for name in lock.plugins.keys() {
            let (_, bytes) = lock.bytes(lock_file, name)?;
            let digest = host.add(name, &bytes).await?;
            let described = &host.plugins[&digest].description.name;
            if described != name {
                let detail =
                    format!("it calls itself {described}: write that name into the lock file");
                return Err(LoadError::Plugin {
                    name: name.clone(),
                    detail,
                });
            }
        }
        Ok(host)
    }

    /// Adds a component from bytes that the caller has verified; compiles exactly these.
    ///
    /// # Errors
    /// When they are no component, import what no plugin may, or describe themselves wrongly.
    pub async fn add(&mut self, name: &str, bytes: &[u8]) -> Result<Digest, LoadError> {
        let wrong = |detail: String| LoadError::Plugin {
            name: name.to_owned(),
            detail,
        };
        let digest = Digest::of(bytes);
        let component = self.cache.component(&self.engine, digest, bytes)?;
        sandbox::refuse_ambient(&component, &self.engine).map_err(wrong)?;
        let pre = self
            .prepare(&component)
            .map_err(|error| wrong(format!("{error:#}")))?;
        let described = self.ask(&pre).await.map_err(wrong)?;
        let loaded = Loaded {
            description: Arc::new(described.description.clone()),
            described: Arc::new(described),
            pre,
            doors: Doors::of(&component).ok_or_else(|| wrong("an export is missing".into()))?,
        };
        self.plugins.insert(digest, loaded);
        Ok(digest)
    }

    fn prepare(&self, component: &Component) -> wasmtime::Result<PluginPre<CallState>> {
        let mut linker = Linker::new(&self.engine);
        guest::link_platform(&mut linker)?;
        sandbox::stub_language_imports(&mut linker, component, &self.engine)?;
        PluginPre::new(linker.instantiate_pre(component)?)
    }

    async fn ask(&self, pre: &PluginPre<CallState>) -> Result<Described, String> {
        let mut store = self.store(CallState::default());
        let work = async {
            let plugin = pre.instantiate_async(&mut store).await?;
            plugin.call_describe(&mut store).await
        };
        match tokio::time::timeout(Duration::from_millis(DESCRIBE_TIMEOUT_MS), work).await {
            Ok(Ok(text)) => describe(&text),
            Ok(Err(error)) => Err(format!("describe: {error:#}")),
            Err(_) => Err(format!(
                "describe did not answer in {DESCRIBE_TIMEOUT_MS} ms"
            )),
        }
    }

    fn store(&self, state: CallState) -> Store<CallState> {
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.guard);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| context.data_mut().guard.tick());
        store.set_hostcall_fuel(TRANSFER_MAX_BYTES);
        store.set_max_component_handles(HANDLES_MAX);
        store
    }

    fn state(&self, loaded: &Loaded, entry: &Entry, call: &Call) -> Result<CallState, HostError> {
        let effect = loaded
            .described
            .effect(&call.action)
            .ok_or_else(|| HostError::Unusable {
                digest: call.plugin.to_string(),
                detail: format!("{} has no action {}", loaded.description.name, call.action),
            })?;
        let mut active = Active::new(
            self.services.clone(),
            loaded.described.clone(),
            call.watch.clone(),
            mode(entry, effect, call),
        );
        active.grants.clone_from(&call.grants);
        active.journal.clone_from(&call.journal);
        active.attempt = call.attempt;
        active.idempotency_key = call.idempotency_key;
        Ok(CallState::new(active))
    }

    async fn enter(&self, entry: &Entry, call: &Call) -> Result<Reply, HostError> {
        let loaded = self
            .plugins
            .get(&call.plugin)
            .ok_or_else(|| HostError::Unusable {
                digest: call.plugin.to_string(),
                detail: "this worker has no such component: pin it in the lock file and restart"
                    .into(),
            })?;
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| HostError::Internal("the host is closing".into()))?;
        let mut store = self.store(self.state(loaded, entry, call)?);
        let work = run(&mut store, loaded, entry, call);
        match tokio::time::timeout(Duration::from_millis(call.timeout_ms), work).await {
            Ok(Ok(given)) => finish(&store, given),
            Ok(Err(error)) => {
                let words = store.data_mut().take_last_words();
                Err(sandbox::hit(&store.data().guard, &error, words))
            }
            Err(_) => Err(HostError::Limit {
                limit: "time",
                detail: format!("{} did not end in {} ms", call.action, call.timeout_ms),
            }),
        }
    }
}

fn mode(entry: &Entry, effect: Effect, call: &Call) -> Mode {
    match entry {
        _ if call.dry_run => Mode::ReadOnly("this is a dry run"),
        Entry::Plan => Mode::ReadOnly("`plan` only reads"),
        Entry::Observe { .. } => Mode::ReadOnly("`observe` only reads"),
        _ if effect == Effect::Read => Mode::ReadOnly("the action says that it only reads"),
        _ => Mode::Change,
    }
}

/// What a guest gave back, in its own words.
enum Given {
    Answer(guest::WitAnswer),
    Observed(guest::WitObserved),
    Plan(Result<String, String>),
}

async fn run(
    store: &mut Store<CallState>,
    loaded: &Loaded,
    entry: &Entry,
    call: &Call,
) -> wasmtime::Result<Given> {
    let before = loaded.pre.instance_pre();
    let instance = before.instantiate_async(&mut *store).await?;
    let (circumstances, input) = (guest::wit_call(call), call.input.to_string());
    let with = (&circumstances, input.as_str());
    let doors = &loaded.doors;
    let text = |checkpoint: &Option<serde_json::Value>| {
        checkpoint.as_ref().map(serde_json::Value::to_string)
    };
    Ok(match entry {
        Entry::Plan => Given::Plan(doors.plan(store, &instance, with).await?),
        Entry::Perform => Given::Answer(doors.perform(store, &instance, with).await?),
        Entry::Resume { checkpoint } => {
            let checkpoint = checkpoint.to_string();
            Given::Answer(doors.resume(store, &instance, with, &checkpoint).await?)
        }
        Entry::Observe { checkpoint } => {
            let checkpoint = text(checkpoint);
            Given::Observed(
                doors
                    .observe(store, &instance, with, checkpoint.as_deref())
                    .await?,
            )
        }
        Entry::Cancel { checkpoint } => {
            let checkpoint = text(checkpoint);
            Given::Answer(
                doors
                    .cancel(store, &instance, with, checkpoint.as_deref())
                    .await?,
            )
        }
    })
}

fn finish(store: &Store<CallState>, given: Given) -> Result<Reply, HostError> {
    let active = store
        .data()
        .active
        .as_ref()
        .ok_or_else(|| HostError::Internal("a call without a call".into()))?;
    match given {
        Given::Answer(given) => guest::answer(active, given).map(Reply::Answer),
        Given::Observed(given) => guest::observed(active, given).map(Reply::Observed),
        Given::Plan(given) => Ok(match guest::plan(active, given)? {
            Ok(difference) => Reply::Plan(difference),
            Err(reason) => Reply::Answer(hostler_core::answer::Answer::Reject {
                reason,
                output: serde_json::Value::Null,
            }),
        }),
    }
}

#[async_trait]
impl PluginHost for WasmHost {
    fn plugins(&self) -> BTreeMap<Digest, Arc<Description>> {
        self.plugins
            .iter()
            .map(|(digest, loaded)| (*digest, loaded.description.clone()))
            .collect()
    }

    async fn call(&self, entry: Entry, call: Call) -> Result<Reply, HostError> {
        let watch = call.watch.clone();
        // Dropping the call drops its store and every socket that it holds.
        tokio::select! {
            biased;
            reply = self.enter(&entry, &call) => reply,
            () = watch.cut() => Err(HostError::Cut),
        }
    }
}
