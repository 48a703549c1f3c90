//! The practice platform's protocol, one connection a request, and what a call goes through on its way.
//!
//! Not here: what tests see of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Book, Boundary, CONNECTIONS_MAX, Call, REQUEST_BYTES, SILENT_MAX, STANDS_MAX, Shared, Tells,
    Trap, lock,
};

pub(super) fn accept(listener: &TcpListener, door: usize, shared: &Arc<Shared>) {
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
