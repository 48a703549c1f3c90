//! One connection in use: its HTTP client, its secrets' redactor, its free places. Made anew when the
//! connection's configuration changes.

use super::address::{Resolver, permitted};
use super::redact::Redactor;
use super::{failed, tls};
use crate::guest::{Failure, FailureKind};
use crate::limits::CONNECT_TIMEOUT_MS;
use hostler_ports::connection::{ConnectionConfig, Connections};
use hostler_ports::plugin::{CallWatch, Grant};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Hosts of one connection whose places are remembered; the idle ones are forgotten beyond it.
const HOSTS_MAX: usize = 4_096;
/// Idle sockets kept for one host.
const IDLE_PER_HOST: usize = 8;

/// All connections of the estate, as far as they were used.
pub struct Reach {
    connections: Arc<dyn Connections>,
    resolver: Arc<dyn Resolver>,
    endpoints: Mutex<HashMap<String, Arc<Endpoint>>>,
}

impl Reach {
    #[must_use]
    pub fn new(connections: Arc<dyn Connections>, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            connections,
            resolver,
            endpoints: Mutex::default(),
        }
    }

    /// The connection of a grant, for a plugin that may use it.
    ///
    /// # Errors
    /// When the estate has no such connection, or it is another plugin's.
    pub fn endpoint(&self, grant: &Grant, plugin: &str) -> Result<Arc<Endpoint>, Failure> {
        let name = &grant.connection;
        let config = self.connections.connection(name).ok_or_else(|| {
            failed(
                FailureKind::NotGranted,
                format!("the estate has no connection {name}: add it to `connections`"),
            )
        })?;
        if config.plugin != plugin {
            let detail = format!(
                "connection {name} belongs to plugin {}, not to {plugin}: change its `plugin`",
                config.plugin
            );
            return Err(failed(FailureKind::NotGranted, detail));
        }
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match endpoints.get(name) {
            Some(known) if Arc::ptr_eq(&known.config, &config) || known.config == config => {
                Ok(known.clone())
            }
            _ => {
                let fresh = Arc::new(Endpoint::new(config, self.resolver.clone()));
                endpoints.insert(name.clone(), fresh.clone());
                Ok(fresh)
            }
        }
    }
}

/// One connection.
pub struct Endpoint {
    pub config: Arc<ConnectionConfig>,
    pub redactor: Redactor,
    pub resolver: Arc<dyn Resolver>,
    client: Mutex<Option<reqwest::Client>>,
    /// Tokens of session logins, by host.
    pub tokens: tokio::sync::Mutex<HashMap<String, String>>,
    places: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place on a connection and on one of its hosts.
pub struct Place(#[allow(dead_code)] [OwnedSemaphorePermit; 2]);

impl Endpoint {
    fn new(config: Arc<ConnectionConfig>, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            redactor: Redactor::of_connection(&config),
            places: Arc::new(Semaphore::new(config.limits.at_once.max(1) as usize)),
            client: Mutex::new(None),
            tokens: tokio::sync::Mutex::default(),
            hosts: Mutex::default(),
            config,
            resolver,
        }
    }

    /// Waits for a free place; first come, first served.
    ///
    /// # Errors
    /// When the call may no longer begin.
    pub async fn place(&self, host: &str, watch: &dyn CallWatch) -> Result<Place, Failure> {
        let of_host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            if hosts.len() > HOSTS_MAX {
                hosts.retain(|_, places| Arc::strong_count(places) > 1);
            }
            let per_host = self.config.limits.per_host.max(1) as usize;
            hosts
                .entry(host.to_owned())
                .or_insert_with(|| Arc::new(Semaphore::new(per_host)))
                .clone()
        };
        // The host first: who waits for a slow host must not hold a place that others could use.
        let closed = |_| failed(FailureKind::Unreachable, "the connection is being closed");
        let one = of_host.acquire_owned().await.map_err(closed)?;
        let all = self.places.clone().acquire_owned().await.map_err(closed)?;
        // The wait, and the journal before it, may have outlasted what was asked when the call came in.
        if !watch.may_begin() {
            return Err(failed(FailureKind::Cut, "the call is being cut off"));
        }
        Ok(Place([one, all]))
    }

    /// The base address of requests, with the asset's address in place of `{address}`.
    ///
    /// # Errors
    /// When the connection has no URL, or the asset no usable address.
    pub fn base(&self, grant: &Grant) -> Result<Url, Failure> {
        let name = &self.config.name;
        let refuse =
            |why: String| failed(FailureKind::Refused, format!("connection {name}: {why}"));
        let Some(template) = &self.config.url else {
            return Err(refuse(
                "it has no `url`, so it cannot be used for this".into(),
            ));
        };
        let text = if template.contains("{address}") {
            let address = grant
                .address
                .as_deref()
                .ok_or_else(|| refuse("the asset has no `address`".into()))?;
            template.replace(
                "{address}",
                &host_text(address).ok_or_else(|| refuse(format!("{address:?} is no address")))?,
            )
        } else {
            template.clone()
        };
        let url =
            Url::parse(&text).map_err(|error| refuse(format!("its `url` {text:?}: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none() {
            return Err(refuse("its `url` must have a host and no user or password: write those into its credential".into()));
        }
        Ok(url)
    }

    /// The HTTP client: no proxy, no redirects of its own, and names resolved under the connection's rules.
    ///
    /// # Errors
    /// When the connection's certificates cannot be used.
    pub fn client(&self) -> Result<reqwest::Client, Failure> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = slot.as_ref() {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::settings(&self.config)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .dns_resolver(Checked {
                config: self.config.clone(),
                resolver: self.resolver.clone(),
            })
            .build()
            .map_err(|error| {
                failed(
                    FailureKind::Refused,
                    format!("connection {}: {error}", self.config.name),
                )
            })?;
        *slot = Some(client.clone());
        Ok(client)
    }

    /// Checks a URL whose host is written as an address: such a host is never resolved.
    ///
    /// # Errors
    /// When the connection may not reach it.
    pub fn check_literal(&self, url: &Url) -> Result<(), Failure> {
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => address.into(),
            Some(url::Host::Ipv6(address)) => address.into(),
            _ => return Ok(()),
        };
        permitted(&self.config, address, true).map(|_| ())
    }
}

/// A host as it may stand in a URL.
fn host_text(address: &str) -> Option<String> {
    if let Ok(v6) = address.parse::<std::net::Ipv6Addr>() {
        return Some(format!("[{v6}]"));
    }
    let plain = address
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    (plain && !address.is_empty() && address.len() <= 253).then(|| address.to_owned())
}

/// The client's resolver: what it gives is what the client connects to.
struct Checked {
    config: Arc<ConnectionConfig>,
    resolver: Arc<dyn Resolver>,
}

/// A refusal on its way through the HTTP client's errors.
#[derive(Debug)]
pub struct Refusal(pub Failure);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for Refusal {}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (config, resolver) = (self.config.clone(), self.resolver.clone());
        Box::pin(async move {
            let found = super::address::reachable(&config, resolver.as_ref(), name.as_str()).await;
            // Boxed once: the refusal is found again by its type.
            let addresses =
                found.map_err(|failure| -> Box<dyn std::error::Error + Send + Sync> {
                    Box::new(Refusal(failure))
                })?;
            let targets = addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(targets) as reqwest::dns::Addrs)
        })
    }
}
