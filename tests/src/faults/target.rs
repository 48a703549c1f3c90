//! A target that counts: it speaks the practice platform's protocol, takes every call of a `once` action at its
//! word, however often it comes, and writes down what happened to it.
//!
//! Not here: what is expected of the engine. Several doors (addresses) tell the workers apart.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hostler_tests::lab::Lab;
use serde_json::{Value, json};

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
    /// Listens at as many addresses as there are workers to be told apart.
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
        let listen = |door| {
            let listener = TcpListener::bind(lab.service_address()).unwrap();
            let address = listener.local_addr().unwrap();
            let shared = Arc::clone(&shared);
            let thread = std::thread::spawn(move || accept(&listener, door, &shared));
            (address, thread)
        };
        let (doors, threads) = (0..doors).map(listen).unzip();
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

fn accept(listener: &TcpListener, door: usize, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { return };
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        if shared.connections.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
            shared.connections.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A client that was killed breaks its connection: the next one counts.
            let _ = exchange(&stream, door, &shared);
            shared.connections.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn exchange(stream: &TcpStream, door: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SILENT_MAX))?;
    let mut reader = BufReader::new(stream.take(REQUEST_BYTES));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut key, mut length) = (String::new(), 0_u64);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end();
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => key = value.to_owned(),
            "content-length" => length = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let words: Vec<&str> = line.split(' ').collect();
    let path: Vec<&str> = words
        .get(1)
        .copied()
        .unwrap_or_default()
        .split('/')
        .collect();
    match (words.first().copied().unwrap_or_default(), &path[..]) {
        ("POST", ["", "assets", asset, contract, action]) => {
            let call = Call {
                at: shared.now(),
                door,
                asset: (*asset).to_owned(),
                action: format!("{contract}.{action}"),
                key,
            };
            perform(stream, &call, shared)
        }
        ("GET", ["", "assets", asset, "attempts", key]) => observe(stream, asset, key, shared),
        _ => say(stream, 404, &json!({ "reason": "no such route" })),
    }
}

fn perform(stream: &TcpStream, call: &Call, shared: &Shared) -> std::io::Result<()> {
    note(shared, |book| {
        book.calls.push(call.clone());
        *book.going.entry(call.key.clone()).or_default() += 1;
    });
    let course = (shared.behave)(call);
    if stand_at(Boundary::Arrived, call, shared) {
        note(shared, |book| {
            book.going.remove(&call.key);
        });
        return Ok(());
    }
    pause(course.effect_after);
    note(shared, |book| {
        book.going.remove(&call.key);
        let first = || (call.clone(), 0);
        book.effects.entry(call.key.clone()).or_insert_with(first).1 += 1;
    });
    stand_at(Boundary::Effective, call, shared);
    pause(course.answer_after);
    if course.gated {
        stand_at_gate(shared);
    }
    let said = say(stream, 200, &json!({ "output": output(call) }));
    stand_at(Boundary::Answered, call, shared);
    said
}

fn observe(stream: &TcpStream, asset: &str, key: &str, shared: &Shared) -> std::io::Result<()> {
    let found = {
        let book = lock(&shared.book);
        let done = book.effects.get(key).map(|(call, _)| call.clone());
        (done, book.going.contains_key(key))
    };
    let asked = Call {
        at: Duration::ZERO,
        door: 0,
        asset: asset.to_owned(),
        action: String::new(),
        key: key.to_owned(),
    };
    if (shared.behave)(&asked).tells == Tells::Nothing {
        return say(stream, 500, &json!({ "reason": "nobody can say" }));
    }
    match found {
        (Some(call), _) => say(stream, 200, &json!({ "output": output(&call) })),
        (None, true) => say(stream, 202, &json!({ "after_ms": 200 })),
        (None, false) => say(stream, 404, &json!({ "reason": "it never began" })),
    }
}

fn output(call: &Call) -> Value {
    match call.action.as_str() {
        "guest.resources" => json!({ "root_free_percent": 41 }),
        "compute.snapshot" => json!({ "id": format!("snap-{}", call.asset) }),
        "guest.reboot" => json!({ "boot_id": format!("boot-{}", call.asset) }),
        _ => json!({}),
    }
}

fn note(shared: &Shared, change: impl FnOnce(&mut Book)) {
    change(&mut lock(&shared.book));
    shared.changed.notify_all();
}

/// Whether the call is lost.
fn stand_at(boundary: Boundary, call: &Call, shared: &Shared) -> bool {
    let trap = {
        let mut trap = lock(&shared.trap);
        let armed = trap.as_ref().is_some_and(|trap| {
            let is_wanted = trap.asset.as_ref().is_none_or(|asset| *asset == call.asset);
            trap.boundary == boundary && is_wanted
        });
        if armed { trap.take() } else { None }
    };
    let Some(Trap { told, stands, .. }) = trap else {
        return false;
    };
    // The catcher lets go by dropping its end, and loses the call by a word.
    told.send(call.clone()).is_ok() && stands.recv_timeout(STANDS_MAX).is_ok()
}

fn stand_at_gate(shared: &Shared) {
    note(shared, |book| book.standing += 1);
    let book = lock(&shared.book);
    let opened = shared
        .changed
        .wait_timeout_while(book, STANDS_MAX, |book| !book.open);
    drop(opened);
    note(shared, |book| book.standing -= 1);
}

#[expect(
    clippy::disallowed_methods,
    reason = "figures are read off a real clock"
)]
fn begin() -> Instant {
    Instant::now()
}

/// How long things take at a target is part of what it is.
#[expect(
    clippy::disallowed_methods,
    reason = "the target's own work lasts; no test waits by it"
)]
fn pause(length: Duration) {
    if !length.is_zero() {
        std::thread::sleep(length);
    }
}

fn say(mut stream: &TcpStream, status: u16, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
