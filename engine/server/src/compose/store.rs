//! The store as configured.

use crate::config::Store as Settings;
use anyhow::{Context, bail};
use hostler_ports::clock::{Clock, Ids};
use hostler_ports::store::Store;
use hostler_store_redis as redis;
use std::path::Path;
use std::sync::Arc;

/// Host and port are replaced by what the Sentinels say.
const ANYWHERE: &str = "redis://127.0.0.1:6379/";

/// # Errors
/// When the folder is in use or the server is not fit; the text says what to do.
pub async fn open(
    settings: &Settings,
    realm: &str,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
) -> anyhow::Result<Arc<dyn Store>> {
    match settings.kind.as_str() {
        "embedded" => embedded(Path::new(&settings.folder), clock, ids).await,
        "redis" => Ok(Arc::new(
            redis::open(redis_options(settings, realm)?, ids).await?,
        )),
        other => bail!("store.kind is {other:?}: write embedded or redis"),
    }
}

/// Opening reads the queues back: it blocks, so it has a thread of its own.
pub async fn embedded(
    folder: &Path,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
) -> anyhow::Result<Arc<dyn Store>> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let folder = folder.to_owned();
    let options = hostler_store_embedded::Options::default();
    let open = move || hostler_store_embedded::open(&folder, options, clock, ids);
    Ok(Arc::new(tokio::task::spawn_blocking(open).await??))
}

/// # Errors
/// When no address is configured or its file cannot be read.
pub fn redis_options(settings: &Settings, realm: &str) -> anyhow::Result<redis::Options> {
    let has_sentinels = !settings.redis_sentinels.is_empty();
    let url = match (
        settings.redis_url_file.as_str(),
        settings.redis_url.as_str(),
    ) {
        ("", "") if has_sentinels => ANYWHERE.to_owned(),
        ("", "") => bail!("store.kind is redis: set store.redis_url_file or store.redis_url"),
        ("", url) => url.to_owned(),
        (file, _) => std::fs::read_to_string(file)
            .with_context(|| file.to_owned())?
            .trim()
            .to_owned(),
    };
    let endpoint = if has_sentinels {
        redis::Endpoint::Sentinel {
            sentinels: settings.redis_sentinels.clone(),
            name: settings.redis_primary.clone(),
            template: url,
        }
    } else {
        redis::Endpoint::Server(url)
    };
    let durability = match settings.redis_replicas {
        0 => redis::Durability::Answer,
        replicas => redis::Durability::Replicas(replicas),
    };
    Ok(redis::Options {
        durability,
        ..redis::Options::new(endpoint, realm)
    })
}
