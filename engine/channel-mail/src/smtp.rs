//! Delivery to the next hop over SMTP. One connection a message: it is slow work for few readers, and
//! each answer belongs to one step of the conversation.
//!
//! Only what the next hop says about the recipient or the message refuses it for good; what is wrong
//! with the hop, the login or the sender is tried again later. Not here: repeating.

use crate::compose::{Composed, Sender, compose};
use crate::dkim::Dkim;
use async_trait::async_trait;
use hostler_ports::channel::{Channel, Delivery, Message};
use hostler_ports::clock::Clock;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long good manners may take once the message is handed over.
const QUIT_MAX: Duration = Duration::from_secs(2);
/// Longest answer of a server that is kept as evidence.
const ANSWER_MAX_CHARACTERS: usize = 400;

/// How the conversation is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (port 465).
    Tls,
    /// After STARTTLS, which must be offered (port 587 or 25).
    StartTls,
    /// Not at all: only to a loopback address, unless `plain_beyond_loopback`.
    Plain,
}

/// Name and password at the next hop.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login {{ user: {:?} }}", self.user)
    }
}

/// The next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Says that the way to the host is protected by other means.
    pub plain_beyond_loopback: bool,
    pub login: Option<Login>,
    /// PEM of the authority that signs the server's certificate, if not a public one.
    pub authority_pem: Option<String>,
    /// What we call ourselves: a host name.
    pub hello_name: String,
    /// Longest time of one delivery in milliseconds.
    pub timeout_ms: u64,
    /// Deliveries at the same time.
    pub at_once: usize,
}

/// Why a channel cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SmtpFault {
    #[error(
        "mail would leave this machine unprotected: set `security` to starttls or tls, or `plain_beyond_loopback`"
    )]
    Unprotected,
    #[error(
        "the certificate authority or the host name cannot be used: {0}; give a PEM file and the name in the certificate"
    )]
    Tls(String),
    #[error("{0} must be more than nothing")]
    Zero(&'static str),
}

/// Mail as a channel.
pub struct MailChannel {
    config: SmtpConfig,
    sender: Sender,
    clock: Arc<dyn Clock>,
    tls: Option<TlsParameters>,
    dkim: Option<Dkim>,
    permits: Semaphore,
}

impl MailChannel {
    /// # Errors
    /// When the configuration is unsafe or cannot be used. Nothing is connected yet.
    pub fn new(
        config: SmtpConfig,
        sender: Sender,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SmtpFault> {
        for (what, amount) in [
            ("timeout_ms", config.timeout_ms),
            ("at_once", config.at_once as u64),
        ] {
            if amount == 0 {
                return Err(SmtpFault::Zero(what));
            }
        }
        let tls = match config.security {
            Security::Plain if !config.plain_beyond_loopback && !is_loopback(&config.host) => {
                return Err(SmtpFault::Unprotected);
            }
            Security::Plain => None,
            Security::Tls | Security::StartTls => Some(tls(&config)?),
        };
        let permits = Semaphore::new(config.at_once.min(Semaphore::MAX_PERMITS));
        Ok(Self {
            config,
            sender,
            clock,
            tls,
            dkim: None,
            permits,
        })
    }

    /// Each message bears a signature from now on.
    #[must_use]
    pub fn signing(mut self, dkim: Dkim) -> Self {
        self.sender.signs = true;
        self.dkim = Some(dkim);
        self
    }

    /// Connects, protects and logs in.
    async fn open(&self) -> Result<AsyncSmtpConnection, String> {
        let name = ClientId::Domain(self.config.hello_name.clone());
        let at_start = self
            .tls
            .clone()
            .filter(|_| self.config.security == Security::Tls);
        let target = (self.config.host.as_str(), self.config.port);
        let limit = Some(Duration::from_millis(self.config.timeout_ms));
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(target, limit, &name, at_start, None)
                .await
                .map_err(|error| said(&error))?;
        if let (Security::StartTls, Some(tls)) = (self.config.security, &self.tls) {
            if !connection.can_starttls() {
                return Err("the server does not offer STARTTLS; nothing was sent to it".to_owned());
            }
            connection
                .starttls(tls.clone(), &name)
                .await
                .map_err(|error| said(&error))?;
        }
        if let Some(login) = &self.config.login {
            let credentials = Credentials::new(login.user.clone(), login.password.clone());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(|error| said(&error))?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, composed: &Composed) -> (Delivery, Option<AsyncSmtpConnection>) {
        let mut connection = match self.open().await {
            Ok(connection) => connection,
            Err(answer) => return (Delivery::Deferred { answer }, None),
        };
        // What the server holds against the sender is our own fault, never the recipient's.
        if let Err(error) = connection
            .command(Mail::new(Some(composed.from.clone()), vec![]))
            .await
        {
            return (
                Delivery::Deferred {
                    answer: said(&error),
                },
                Some(connection),
            );
        }
        let delivery = match transfer(&mut connection, composed).await {
            Ok(response) => Delivery::Accepted {
                answer: answer(&response),
                sha256: composed.sha256.to_string(),
            },
            Err(error) if error.is_permanent() => Delivery::Refused {
                answer: said(&error),
            },
            Err(error) => Delivery::Deferred {
                answer: said(&error),
            },
        };
        (delivery, Some(connection))
    }
}

/// Recipient and message: here an answer of 5xx is about them.
async fn transfer(
    connection: &mut AsyncSmtpConnection,
    composed: &Composed,
) -> Result<Response, Error> {
    connection
        .command(Rcpt::new(composed.to.clone(), vec![]))
        .await?;
    connection.command(Data).await?;
    // The last line end is the one that the transport adds before its closing dot.
    let bytes = composed
        .bytes
        .strip_suffix(b"\r\n")
        .unwrap_or(&composed.bytes);
    connection.message(bytes).await
}

#[async_trait]
impl Channel for MailChannel {
    async fn deliver(&self, message: &Message) -> Delivery {
        let now_ms = self.clock.now_ms();
        let composed = compose(&self.sender, message, now_ms);
        let composed = composed.and_then(|composed| match &self.dkim {
            Some(dkim) => composed.signed(dkim, now_ms),
            None => Ok(composed),
        });
        let composed = match composed {
            Ok(composed) => composed,
            Err(fault) => {
                return Delivery::Refused {
                    answer: fault.to_string(),
                };
            }
        };
        let Ok(_permit) = self.permits.acquire().await else {
            return Delivery::Deferred {
                answer: "the channel is closing".to_owned(),
            };
        };
        let limit = Duration::from_millis(self.config.timeout_ms);
        let Ok((delivery, connection)) = timeout(limit, self.hand_over(&composed)).await else {
            let answer = format!("no answer within {} ms", self.config.timeout_ms);
            return Delivery::Deferred { answer };
        };
        if let Some(mut connection) = connection {
            // The delivery is settled; what happens to the farewell changes nothing.
            let _ = timeout(QUIT_MAX.min(limit), connection.quit()).await;
        }
        tracing::debug!(message = %message.message_id, ?delivery, "mail handed over");
        delivery
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn tls(config: &SmtpConfig) -> Result<TlsParameters, SmtpFault> {
    let fault = |error: Error| SmtpFault::Tls(error.to_string());
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authority_pem {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(SmtpFault::Tls(
                "there is no certificate in the PEM".to_owned(),
            ));
        }
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(fault)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(fault)
}

fn answer(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    bounded(&format!("{} {}", response.code(), lines.join(" ")))
}

fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source.take().filter(|_| text.len() < ANSWER_MAX_CHARACTERS) {
        if !text.contains(&cause.to_string()) {
            text = format!("{text}: {cause}");
        }
        source = cause.source();
    }
    bounded(&text)
}

fn bounded(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(ANSWER_MAX_CHARACTERS)
        .collect()
}
