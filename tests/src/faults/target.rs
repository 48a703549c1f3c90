//! A target that counts: it speaks the practice platform's protocol, takes every call of a `once` action at its
//! word, however often it comes, and writes down what happened to it.
//!
//! Not here: what is expected of the engine. Several doors (addresses) tell the workers apart.

mod wire;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hostler_tests::lab::Lab;

/// Connections at once: more than all permits of all workers.
const CONNECTIONS_MAX: usize = 1_000;
/// Longest that a call stands at a boundary or at the gate.
const STANDS_MAX: Duration = Duration::from_secs(120);
/// Longest request that is read.
const REQUEST_BYTES: u64 = 64 << 10;
/// A client that is silent for longer has gone.
const SILENT_MAX: Duration = Duration::from_secs(60);

/// Where a call can be caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The request has arrived; nothing has happened yet.
    Arrived,
    /// It has taken effect; the answer is not sent.
    Effective,
    /// The answer is sent.
    Answered,
}

/// How the target treats one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    /// Time between request and effect.
    pub effect_after: Duration,
    /// Time between effect and answer.
    pub answer_after: Duration,
    /// The answer waits until [`Target::open`].
    pub gated: bool,
    /// What it says of an attempt that has not taken effect yet.
    pub tells: Tells,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tells {
    /// "Still going", or "it never began".
    #[default]
    Truth,
    /// An error: nobody can say, before and after.
    Nothing,
}

/// One request that performs an action.
#[derive(Clone, Debug)]
pub struct Call {
    /// Since the target's start.
    pub at: Duration,
    pub door: usize,
    pub asset: String,
    /// `guest.reboot`.
    pub action: String,
    pub key: String,
}

/// What has happened at the target.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// In order of arrival.
    pub calls: Vec<Call>,
    /// How often each key took effect.
    pub effects: BTreeMap<String, (Call, u32)>,
    /// Keys of calls that have arrived and have yet to take effect.
    going: BTreeMap<String, u32>,
    /// Calls that stand at the gate.
    pub standing: usize,
    open: bool,
}

impl Book {
    /// Effects of one action by asset.
    pub fn effects_of(&self, action: &str) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for (call, count) in self.effects.values() {
            if call.action == action {
                *counts.entry(call.asset.clone()).or_default() += count;
            }
        }
        counts
    }

    /// Calls of one action, however they ended.
    pub fn calls_of(&self, action: &str) -> usize {
        let of = |call: &&Call| call.action == action;
        self.calls.iter().filter(of).count()
    }
}

type Behave = Box<dyn Fn(&Call) -> Course + Send + Sync>;

/// An armed boundary: who is told, and who says that the call may go on.
struct Trap {
    boundary: Boundary,
    /// Only calls for this asset, if there is one.
    asset: Option<String>,
    told: Sender<Call>,
    stands: Receiver<()>,
}

struct Shared {
    book: Mutex<Book>,
    changed: Condvar,
    behave: Behave,
    trap: Mutex<Option<Trap>>,
    connections: AtomicUsize,
    closed: AtomicBool,
    begun: Instant,
}

impl Shared {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// The running target; it closes its doors when dropped.
pub struct Target {
    pub doors: Vec<SocketAddr>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for (door, thread) in self.doors.iter().zip(self.threads.drain(..)) {
            // Wakes the one who listens; the address is free for the next test then.
            let _ = TcpStream::connect(door);
            let _ = thread.join();
        }
        self.open();
    }
}

/// A caught call; it goes on when this is dropped.
pub struct Caught {
    on: Sender<()>,
}

impl Caught {
    /// What has not taken effect yet never will: the request was lost on its way.
    pub fn lose(self) {
        // The call may have been let go by its own limit.
        let _ = self.on.send(());
    }
}

impl Target {
    /// Listens at as many addresses as there are workers to be told apart; all have one port.
    pub fn start(
        lab: &Lab,
        doors: usize,
        behave: impl Fn(&Call) -> Course + Send + Sync + 'static,
    ) -> Target {
        let shared = Arc::new(Shared {
            book: Mutex::default(),
            changed: Condvar::new(),
            behave: Box::new(behave),
            trap: Mutex::default(),
            connections: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            begun: begin(),
        });
        let doors = lab.service_addresses(doors);
        let listen = |(door, address): (usize, &SocketAddr)| {
            let listener = TcpListener::bind(address).unwrap();
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || wire::accept(&listener, door, &shared))
        };
        let threads = doors.iter().enumerate().map(listen).collect();
        Target {
            doors,
            shared,
            threads,
        }
    }

    /// Everything so far.
    pub fn book(&self) -> Book {
        lock(&self.shared.book).clone()
    }

    /// Waits until the book has what is asked for.
    pub fn wait(&self, what: &str, limit: Duration, holds: impl Fn(&Book) -> bool) -> Book {
        let book = lock(&self.shared.book);
        let (book, out) = self
            .shared
            .changed
            .wait_timeout_while(book, limit, |book| !holds(book))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!out.timed_out(), "{what}: not within {limit:?}");
        book.clone()
    }

    /// Lets everybody through the gate, now and later.
    pub fn open(&self) {
        lock(&self.shared.book).open = true;
        self.shared.changed.notify_all();
    }

    /// Time since its start, on the clock of [`Call::at`].
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// The same clock for others.
    pub fn clock(&self) -> impl Fn() -> Duration + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.now()
    }

    /// Catches the next call that comes to a boundary; none when there is none within `limit`.
    pub fn catch(&self, boundary: Boundary, limit: Duration) -> Option<Caught> {
        self.catch_for(boundary, None, limit)
    }

    /// The same for the calls of one asset.
    pub fn catch_for(
        &self,
        boundary: Boundary,
        asset: Option<&str>,
        limit: Duration,
    ) -> Option<Caught> {
        let (told, hear) = channel();
        let (on, stands) = channel();
        *lock(&self.shared.trap) = Some(Trap {
            boundary,
            asset: asset.map(str::to_owned),
            told,
            stands,
        });
        let call = hear.recv_timeout(limit).ok();
        if call.is_none() {
            lock(&self.shared.trap).take();
        }
        // A call that came in at the very last moment is told here.
        let call = call.or_else(|| hear.try_recv().ok());
        call.map(|_| Caught { on })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "figures are read off a real clock"
)]
fn begin() -> Instant {
    Instant::now()
}
