//! A bad network between two programs: a TCP proxy that delays, swallows one direction, freezes or cuts.
//!
//! Not here: chance. Who wants a storm changes the weather.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::error::Attempt;
use super::{Lab, Result, until};

/// Bytes that are passed on at once.
const BLOCK: usize = 16 << 10;
/// How often an idle direction looks whether it is over.
const LOOK: Duration = Duration::from_millis(200);
/// Longest that frozen bytes are kept for a connection that goes on.
const FROZEN_MAX: Duration = Duration::from_secs(120);
/// Connections at once.
const CONNECTIONS_MAX: usize = 500;

/// What happens to bytes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// They pass.
    #[default]
    Fair,
    /// They pass this much later.
    Slow(Duration),
    /// Nothing passes from the client on; what comes back does. Bytes wait.
    Mute,
    /// Answers do not come back; requests arrive. Bytes wait.
    Deaf,
    /// Nothing passes either way, and new connections are accepted but lead nowhere.
    Frozen,
    /// New connections are closed at once.
    Shut,
}

#[derive(Debug)]
struct State {
    weather: Mutex<Weather>,
    to: SocketAddr,
    /// Raised by every cut; a connection from before it ends.
    cut: AtomicUsize,
    open: AtomicUsize,
    over: AtomicBool,
}

/// A running proxy; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    listens: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Passes connections on to `to`.
    pub fn start(lab: &Lab, to: SocketAddr) -> Result<Proxy> {
        let address = lab.service_address();
        let listener = TcpListener::bind(address).attempt(|| format!("listen on {address}"))?;
        let state = Arc::new(State {
            weather: Mutex::default(),
            to,
            cut: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        let listens = std::thread::spawn(move || accept(&listener, &shared));
        Ok(Proxy {
            address,
            state,
            listens: Some(listens),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to bytes from now on, also on open connections.
    pub fn weather(&self, weather: Weather) {
        *self
            .state
            .weather
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// Breaks every open connection.
    pub fn cut(&self) {
        self.state.cut.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the one who listens.
        let _ = TcpStream::connect(self.address);
        if let Some(listens) = self.listens.take() {
            let _ = listens.join();
        }
    }
}

impl State {
    fn now(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cut(&self, since: usize) -> bool {
        self.cut.load(Ordering::SeqCst) != since
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for client in listener.incoming() {
        if state.over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let is_full = state.open.load(Ordering::SeqCst) >= CONNECTIONS_MAX;
        if state.now() == Weather::Shut || is_full {
            continue;
        }
        let state = Arc::clone(state);
        state.open.fetch_add(1, Ordering::SeqCst);
        std::thread::spawn(move || {
            // What breaks here is what the two ends are to live with.
            let _ = join(&client, &state);
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Both directions of one connection, until either is over or it is cut.
fn join(client: &TcpStream, state: &State) -> std::io::Result<()> {
    let server = TcpStream::connect(state.to)?;
    let since = state.cut.load(Ordering::SeqCst);
    for stream in [client, &server] {
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_nodelay(true)?;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| pass(client, &server, Weather::Mute, state, since));
        pass(&server, client, Weather::Deaf, state, since);
    });
    Ok(())
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, against: Weather, state: &State, since: usize) {
    let mut block = vec![0; BLOCK];
    while !state.is_cut(since) {
        let read = match from.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if is_idle(&error) => continue,
            Err(_) => break,
        };
        if !weathered(against, state, since) || to.write_all(&block[..read]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn is_idle(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Waits until bytes may pass; false when they never will.
fn weathered(against: Weather, state: &State, since: usize) -> bool {
    if let Weather::Slow(delay) = state.now() {
        let _: Option<()> = until(delay, || None);
    }
    let passes = until(FROZEN_MAX, || {
        let now = state.now();
        let is_over = state.is_cut(since);
        (is_over || (now != against && now != Weather::Frozen)).then_some(!is_over)
    });
    passes == Some(true)
}
