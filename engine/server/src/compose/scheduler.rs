//! Schedules as configured, and the housekeeping that follows them.
//!
//! Not here: what is due, and what is done about it.

use super::library;
use crate::config::Schedules as Config;
use anyhow::anyhow;
use hostler_api::Api;
use hostler_api::services::scheduler::Scheduler;
use hostler_calendar::Scheduled;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Looks are not closer to each other than this, nor further apart than that: people pause and resume.
const LOOK_MIN: Duration = Duration::from_millis(100);
const LOOK_MAX: Duration = Duration::from_secs(5);

/// What the configured file says; nothing without one.
///
/// # Errors
/// All faults of the file.
pub fn open(config: &Config) -> anyhow::Result<Arc<[Scheduled]>> {
    if config.file.is_empty() {
        return Ok(Arc::default());
    }
    let read = |path: &str| library::read(Path::new(path));
    let read = hostler_estate::schedules::load(&config.file, &read);
    let schedules = read.map_err(|faults| anyhow!("{faults}"))?;
    Ok(schedules.schedules.into())
}

/// Follows them until `shutdown`; returns at once without any.
pub fn keep(api: &Api, shutdown: CancellationToken) -> impl Future<Output = ()> + use<> {
    let mut scheduler = (!api.schedules.is_empty()).then(|| Scheduler::new(api.clone()));
    async move {
        let Some(scheduler) = scheduler.as_mut() else {
            return;
        };
        let mut away = false;
        while !shutdown.is_cancelled() {
            let pause = match scheduler.pass().await {
                Ok(passed) => {
                    away = false;
                    Duration::from_millis(passed.sleep_ms.unsigned_abs())
                }
                // Once is enough: it is tried again and again.
                Err(fault) if !away => {
                    away = true;
                    warn!(%fault, "schedules are not followed for now");
                    LOOK_MAX
                }
                Err(_) => LOOK_MAX,
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause.clamp(LOOK_MIN, LOOK_MAX)) => {}
            }
        }
    }
}
