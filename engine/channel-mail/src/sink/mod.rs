//! A mail catcher: an SMTP server that takes every message and passes none on. For `hostler dev` and
//! tests; it listens on loopback addresses only.
//!
//! Bounded in messages, bytes, sessions and time. Not here: relaying, and judging addresses.

mod session;

use crate::catch::Caught;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// A connection, protected or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes a connection a protected one, as a server.
pub type Upgrade = Arc<
    dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>
        + Send
        + Sync,
>;

/// Where in a conversation the sink is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    /// The argument of AUTH.
    Auth,
    /// The sender's address.
    Mail,
    /// The recipient's address.
    Rcpt,
    Data,
    /// After the last byte of the message.
    Message,
}

/// Says another answer than the friendly one: `Some("550 5.1.1 nobody here")`.
pub type Policy = Arc<dyn Fn(Stage, &str) -> Option<String> + Send + Sync>;

/// Takes a message to these recipients instead of the sink, and says the answer: `250 2.0.0 taken`.
pub(crate) type Taker =
    Arc<dyn Fn(Vec<String>, Vec<u8>) -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync>;

/// What a sink takes.
#[derive(Clone)]
pub struct Options {
    /// The oldest goes when there are more.
    pub messages_max: usize,
    pub message_bytes_max: usize,
    pub sessions_max: usize,
    /// A session that says nothing for so long ends.
    pub idle_ms: u64,
    /// Longest session in milliseconds, whatever is said in it.
    pub session_ms: u64,
    pub policy: Option<Policy>,
    /// Offers STARTTLS.
    pub upgrade: Option<Upgrade>,
    /// Protected from the first byte instead.
    pub tls_at_start: bool,
    /// Offers AUTH PLAIN; the policy judges it.
    pub auth: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            messages_max: 1_000,
            message_bytes_max: 2 * 1024 * 1024,
            sessions_max: 64,
            idle_ms: 60_000,
            session_ms: 3_600_000,
            policy: None,
            upgrade: None,
            tls_at_start: false,
            auth: false,
        }
    }
}

struct Shared {
    options: Options,
    /// None: messages are kept.
    taker: Option<Taker>,
    /// What the server calls itself.
    name: &'static str,
    messages: Mutex<VecDeque<Arc<Caught>>>,
    /// How many messages ever came.
    count: watch::Sender<u64>,
}

impl Shared {
    fn keep(&self, from: String, to: Vec<String>, bytes: Vec<u8>) -> u64 {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *self.count.borrow() + 1;
        while messages.len() >= self.options.messages_max.max(1) {
            messages.pop_front();
        }
        messages.push_back(Arc::new(Caught {
            number,
            from,
            to,
            bytes,
        }));
        self.count.send_replace(number);
        number
    }
}

/// A running catcher; it ends when dropped.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Sink {
    /// Listens. Port 0 takes any free one.
    ///
    /// # Errors
    /// When the address is not a loopback address or is taken.
    pub async fn start(address: SocketAddr, options: Options) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let why = "the mail catcher takes any mail: it listens on loopback addresses only, such as 127.0.0.1";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Self::listen(address, options, "practice", None).await
    }

    /// The same for whoever has judged the address: the intake of reports.
    pub(crate) async fn listen(
        address: SocketAddr,
        options: Options,
        name: &'static str,
        taker: Option<Taker>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            taker,
            name,
            messages: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is kept, oldest first.
    #[must_use]
    pub fn caught(&self) -> Vec<Arc<Caught>> {
        self.shared
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// One message by its number, if it is still kept.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Arc<Caught>> {
        self.caught()
            .into_iter()
            .find(|caught| caught.number == number)
    }

    /// How many messages ever came; changes wake whoever watches.
    #[must_use]
    pub fn count(&self) -> watch::Receiver<u64> {
        self.shared.count.subscribe()
    }

    pub fn clear(&self) {
        self.shared
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts until aborted; sessions end with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(
        shared.options.sessions_max.clamp(1, Semaphore::MAX_PERMITS),
    ));
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                sessions.spawn(async move {
                    let _permit = permit;
                    let longest = Duration::from_millis(shared.options.session_ms);
                    let session = timeout(longest, session::run(stream, &shared)).await;
                    if let Err(error) = session.unwrap_or(Err(io::ErrorKind::TimedOut.into())) {
                        tracing::debug!(%error, "a mail session ended early");
                    }
                });
            }
            // Out of file handles, for instance: other sessions must end first.
            Err(error) => {
                tracing::warn!(%error, "no mail can be accepted");
                tokio::task::yield_now().await;
            }
        }
    }
}
