//! One hook as a channel: a checked address, one request, a bounded answer.
//!
//! Only what the other side says about the message or the hook refuses it for good; what is wrong with the way there or
//! with our key is tried again later. Not here: repeating.

use crate::body::{Form, body};
use crate::policy::{Network, refusal};
use crate::signature::sign;
use async_trait::async_trait;
use hostler_core::id::Digest;
use hostler_ports::channel::{Channel, Delivery, Message};
use hostler_ports::clock::Clock;
use reqwest::{Client, Response, StatusCode, redirect};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

/// Most of an answer that is read, and most of it that is kept as evidence.
const ANSWER_MAX_BYTES: usize = 4_096;
const ANSWER_MAX_CHARACTERS: usize = 400;
/// Requests at the same time to one hook.
const AT_ONCE: usize = 4;
/// Most addresses of a name that are looked at.
const ADDRESSES_MAX: usize = 32;

/// One hook as it is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// It may hold a secret, so it is never shown.
    pub url: String,
    pub form: Form,
    /// Signs each request; none: the address alone is the secret.
    pub key: Option<Vec<u8>>,
    /// Loopback, private and link-local addresses that it may reach all the same.
    pub networks: Vec<Network>,
    /// `http:` is meant: the way there is protected by other means.
    pub plain: bool,
    /// Longest time of one delivery in milliseconds.
    pub timeout_ms: u64,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook {{ form: {:?} }}", self.form)
    }
}

/// Why a hook cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebhookFault {
    #[error("the address is no URL: write https://host/path")]
    Url,
    #[error(
        "the address is not https: use https, or set `plain` if the way there is protected by other means"
    )]
    Plain,
    #[error("the address holds a user or a password: put a key into `key_file` instead")]
    User,
    #[error("timeout_ms must be more than nothing")]
    Zero,
}

/// A hook as a channel.
pub struct WebhookChannel {
    hook: Hook,
    url: Url,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
}

impl WebhookChannel {
    /// # Errors
    /// When the hook is unsafe or cannot be used. Nothing is connected yet.
    pub fn new(hook: Hook, clock: Arc<dyn Clock>) -> Result<Self, WebhookFault> {
        let url: Url = hook.url.trim().parse().map_err(|_| WebhookFault::Url)?;
        match url.scheme() {
            "https" => {}
            "http" if hook.plain => {}
            "http" => return Err(WebhookFault::Plain),
            _ => return Err(WebhookFault::Url),
        }
        if url.host().is_none() {
            return Err(WebhookFault::Url);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookFault::User);
        }
        if hook.timeout_ms == 0 {
            return Err(WebhookFault::Zero);
        }
        let permits = Semaphore::new(AT_ONCE);
        Ok(Self {
            hook,
            url,
            clock,
            permits,
        })
    }

    /// The one address that is connected to. One that leads inwards, even beside others, refuses the name.
    async fn checked(&self) -> Result<SocketAddr, Delivery> {
        let port = self.url.port_or_known_default().unwrap_or(443);
        let found: Vec<IpAddr> = match self.url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let found = tokio::net::lookup_host((name, port)).await;
                let found = found.map_err(|_| deferred("the name cannot be looked up"))?;
                found.take(ADDRESSES_MAX).map(|found| found.ip()).collect()
            }
            None => Vec::new(),
        };
        for address in &found {
            if let Some(why) = refusal(*address, &self.hook.networks) {
                return Err(deferred(&format!(
                    "{address} is {why}: if it is meant, list it in the hook's `networks`"
                )));
            }
        }
        let first = found.first();
        let first = first.ok_or_else(|| deferred("the name has no address"))?;
        Ok(SocketAddr::new(*first, port))
    }

    async fn hand_over(&self, message: &Message) -> Result<Delivery, Delivery> {
        let bytes = body(self.hook.form, message);
        let bytes = bytes.map_err(|answer| Delivery::Refused { answer })?;
        let address = self.checked().await?;
        let client = self.client(address)?;
        let sha256 = Digest::of(&bytes).to_string();
        let mut request = client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("user-agent", "hostler");
        if let Some(key) = &self.hook.key {
            let signed = sign(key, &message.message_id, self.clock.now_ms(), &bytes);
            request = request
                .header("x-hostler-timestamp", signed.timestamp)
                .header("x-hostler-nonce", signed.nonce)
                .header("x-hostler-signature", signed.signature);
        }
        let response = request.body(bytes).send().await;
        let response = response.map_err(|error| deferred(&said(error)))?;
        let status = response.status();
        let answer = answer(response).await;
        Ok(judged(status, answer, sha256))
    }

    /// A client that knows one address for the name, and follows nothing.
    fn client(&self, address: SocketAddr) -> Result<Client, Delivery> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .https_only(!self.hook.plain)
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_millis(self.hook.timeout_ms));
        if let Some(Host::Domain(name)) = self.url.host() {
            builder = builder.resolve(name, address);
        }
        builder.build().map_err(|error| deferred(&said(error)))
    }
}

#[async_trait]
impl Channel for WebhookChannel {
    async fn deliver(&self, message: &Message) -> Delivery {
        let Ok(_permit) = self.permits.acquire().await else {
            return deferred("the channel is closing");
        };
        let limit = Duration::from_millis(self.hook.timeout_ms);
        let delivery = match timeout(limit, self.hand_over(message)).await {
            Ok(delivery) => delivery.unwrap_or_else(|delivery| delivery),
            Err(_) => deferred(&format!("no answer within {} ms", self.hook.timeout_ms)),
        };
        tracing::debug!(message = %message.message_id, ?delivery, "handed to a webhook");
        delivery
    }

    /// Everybody in the room reads it.
    fn is_private(&self, _to_address: &str) -> bool {
        false
    }
}

fn judged(status: StatusCode, answer: String, sha256: String) -> Delivery {
    let later = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    let answer = format!("{} {answer}", status.as_u16())
        .trim_end()
        .to_owned();
    if status.is_success() {
        return Delivery::Accepted { answer, sha256 };
    }
    if status.is_redirection() {
        let answer = format!("{answer}: redirects are not followed");
        return Delivery::Refused { answer };
    }
    match status.is_server_error() || later.contains(&status) {
        true => Delivery::Deferred { answer },
        false => Delivery::Refused { answer },
    }
}

/// The beginning of the answer, in one line.
async fn answer(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_MAX_BYTES - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() >= ANSWER_MAX_BYTES {
            break;
        }
    }
    line(&String::from_utf8_lossy(&bytes))
}

/// Without the address, which may be a secret.
fn said(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source.filter(|_| text.len() < ANSWER_MAX_CHARACTERS) {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    line(&text)
}

fn line(text: &str) -> String {
    let plain = |letter: char| match letter.is_control() {
        true => ' ',
        false => letter,
    };
    let letters = text.trim().chars().map(plain);
    letters.take(ANSWER_MAX_CHARACTERS).collect()
}

fn deferred(answer: &str) -> Delivery {
    let answer = answer.to_owned();
    Delivery::Deferred { answer }
}
