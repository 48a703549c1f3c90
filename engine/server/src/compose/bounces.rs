//! Messages that come back, as configured: who reads reports, where they are brought; and mail of people who want no
//! more of what they need not have.
//!
//! Not here: what follows from a report.

use super::mail;
use crate::config::Bounces as Config;
use anyhow::{Context, bail};
use async_trait::async_trait;
use hostler_api::Api;
use hostler_api::problem::Code;
use hostler_api::services::bounces::Bounces;
use hostler_api::services::mutes;
use hostler_channel_mail::intake::{Address, Intake};
use hostler_channel_mail::report::Reports;
use hostler_ports::clock::Clock;
use hostler_ports::leave::TakeLeave;
use hostler_ports::returned::TakeReport;
use hostler_worker::Returns;
use std::sync::Arc;

/// What takes reports; it ends when dropped.
pub struct Taking {
    pub door: Arc<Bounces>,
    _intake: Option<Intake>,
}

/// Has people told less, by the link in the subject of their mail.
struct Leaving {
    api: Api,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TakeLeave for Leaving {
    async fn take(&self, link: &str) -> Result<bool, String> {
        let now_ms = self.clock.now_ms();
        match mutes::by_link(&self.api, now_ms, link, true, "mail").await {
            Ok(_) => Ok(true),
            Err(problem) if problem.code == Code::NotFound => Ok(false),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

/// None where nothing is configured.
///
/// # Errors
/// When the address cannot be listened on, or the key cannot be used.
pub async fn open(
    config: &Config,
    api: &Api,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Taking>> {
    if config.listen.is_empty() && config.key_file.is_empty() {
        return Ok(None);
    }
    let take: Arc<dyn TakeReport> = Arc::new(Returns::new(
        Arc::clone(&api.store),
        Arc::clone(&api.directory),
        Arc::new(Reports),
    ));
    let intake = match config.listen.as_str() {
        "" => None,
        listen => {
            let (api, clock) = (api.clone(), Arc::clone(clock));
            let leave = Arc::new(Leaving { api, clock });
            Some(intake(listen, config, Arc::clone(&take), leave).await?)
        }
    };
    let key = match config.key_file.as_str() {
        "" => None,
        path => Some(mail::file(path).context("bounces.key_file")?),
    };
    let door = Bounces::new(take, key.as_deref().map(|key| key.trim().as_bytes()));
    let door = door.map_err(|fault| anyhow::anyhow!("bounces.key_file: {fault}"))?;
    Ok(Some(Taking {
        door: Arc::new(door),
        _intake: intake,
    }))
}

async fn intake(
    listen: &str,
    config: &Config,
    take: Arc<dyn TakeReport>,
    leave: Arc<dyn TakeLeave>,
) -> anyhow::Result<Intake> {
    if config.recipient.is_empty() {
        bail!("bounces.listen takes mail for bounces.recipient: name that address");
    }
    let address = Address {
        listen: listen.parse().with_context(|| {
            format!("bounces.listen is {listen:?}: write address:port, e.g. 127.0.0.1:2526")
        })?,
        recipient: config.recipient.clone(),
        beyond_loopback: config.beyond_loopback,
    };
    let intake = Intake::start(&address, take, leave).await;
    let intake = intake.with_context(|| format!("bounces.listen {listen}"))?;
    tracing::info!(address = %intake.address(), "reports of mail servers are taken");
    Ok(intake)
}
