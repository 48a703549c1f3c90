//! Small commits of many lanes in one call: as many as come while others are on their way.
//!
//! A group is tried once. Whatever goes wrong with it, each of its commits is made again by itself, and
//! recognises its own earlier success. Not here: what a small commit writes (`functions/6_group.lua`).

use crate::answer;
use crate::decode::text;
use crate::link::Link;
use hostler_core::id::LaneId;
use hostler_ports::store::{Batch, CommitError, Fence, Then};
use redis::{Cmd, cmd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};

/// Commits under way up to which each goes by itself: one that waits for others only loses time.
const ALONE_MAX: usize = 4;
/// Groups on their way at the same time: while one is carried out, the next one fills.
const GROUPS: usize = 2;
/// Most commits of a group: a call of a millisecond holds nobody up.
const GROUP_MAX: usize = 32;
/// Most bytes of events of a commit that is small.
const BYTES_MAX: usize = 16 << 10;
/// Most commits that wait for a group.
const QUEUE_MAX: usize = 4_096;

/// The answer to a commit: seq, version, dirty, now.
pub type Answer = Result<(u64, u64, bool, i64), CommitError>;

/// What became of a commit that may go with others.
pub enum Carried {
    /// It was not sent: it goes by itself.
    Alone,
    Answered(Answer),
    /// It was sent, and perhaps carried out.
    Unknown,
}

/// A commit as its group needs it.
struct Small {
    lane: LaneId,
    fence: String,
    version: u64,
    mark: Vec<u8>,
    known: Option<usize>,
    in_call: Option<bool>,
    line: String,
    events: Vec<String>,
    answer: oneshot::Sender<Answer>,
}

type Queue = Arc<Mutex<mpsc::Receiver<Small>>>;

pub struct Groups {
    link: Arc<Link>,
    under_way: AtomicUsize,
    queue: Mutex<Option<mpsc::Sender<Small>>>,
}

/// Counts a commit as long as it is under way, also one that is given up.
pub struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Groups {
    pub fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            under_way: AtomicUsize::new(0),
            queue: Mutex::default(),
        }
    }

    pub fn enter(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// Sends a commit with others, if it is small and others are under way.
    pub async fn carry(
        &self,
        lane: LaneId,
        fence: &Fence,
        version: u64,
        mark: &[u8],
        batch: &Batch,
    ) -> Carried {
        let is_busy = self.under_way.load(Ordering::Relaxed) > ALONE_MAX;
        let Some(line) = line_of_small(batch).filter(|_| is_busy) else {
            return Carried::Alone;
        };
        let (sender, answer) = oneshot::channel();
        let small = Small {
            lane,
            fence: fence.0.clone(),
            version,
            mark: mark.to_vec(),
            known: batch.letters_known,
            in_call: batch.in_call,
            line: line.to_owned(),
            events: batch.events.clone(),
            answer: sender,
        };
        if self.queue().await.send(small).await.is_err() {
            return Carried::Alone;
        }
        answer.await.map_or(Carried::Unknown, Carried::Answered)
    }

    /// The tasks behind it are started when first needed and end with this.
    async fn queue(&self) -> mpsc::Sender<Small> {
        let mut queue = self.queue.lock().await;
        match &*queue {
            Some(sender) if !sender.is_closed() => sender.clone(),
            _ => {
                let (sender, receiver) = mpsc::channel(QUEUE_MAX);
                let receiver: Queue = Arc::new(Mutex::new(receiver));
                for _ in 0..GROUPS {
                    tokio::spawn(groups(Arc::clone(&self.link), Arc::clone(&receiver)));
                }
                *queue = Some(sender.clone());
                sender
            }
        }
    }
}

/// The line of the ledger, or '', of a commit that writes nothing but that and events; none for others.
fn line_of_small(batch: &Batch) -> Option<&str> {
    // Named one by one: a new part of a commit is nothing that this knows.
    let Batch {
        events,
        summary: None,
        snapshot: None,
        inbox_used: 0,
        letters_known: _,
        expect,
        documents,
        spawn,
        send,
        timers,
        take: None,
        release,
        withdraw: false,
        collect: None,
        blobs,
        ledger,
        index,
        run_summary: None,
        in_call: _,
        forgive: false,
        then: Then::Keep,
    } = batch
    else {
        return None;
    };
    let more = [
        expect.len(),
        documents.len(),
        spawn.len(),
        send.len(),
        timers.len(),
        release.len(),
        blobs.len(),
        index.len(),
    ];
    let bytes: usize = events.iter().map(String::len).sum();
    if more.into_iter().any(|count| count > 0) || bytes > BYTES_MAX {
        return None;
    }
    match &ledger[..] {
        [] => Some(""),
        [line] if !line.body.is_empty() => Some(&line.body),
        _ => None,
    }
}

/// Carries one group after the other until nobody can send any more.
async fn groups(link: Arc<Link>, queue: Queue) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    loop {
        let count = queue.lock().await.recv_many(&mut group, GROUP_MAX).await;
        if count == 0 {
            return;
        }
        let answers = sent(&link, &group).await.unwrap_or_default();
        let mut answers = answers.into_iter();
        for small in group.drain(..) {
            // Whoever hears nothing makes the commit again; whoever has gone does not care.
            if let Some(answer) = answers.next().flatten() {
                let _ = small.answer.send(answer);
            }
        }
    }
}

/// One answer for each that was understood; none when the call had no answer.
async fn sent(link: &Link, group: &[Small]) -> Option<Vec<Option<Answer>>> {
    let value = link.try_call(&command(link, group)).await?;
    let text = text(value, "a group of commits").ok()?;
    let (answers, now_ms) = text.rsplit_once(';')?;
    let now_ms = now_ms.parse().ok()?;
    let answers = answers.split(';');
    Some(
        answers
            .map(|answer| answer::of_group(answer, now_ms))
            .collect(),
    )
}

fn command(link: &Link, group: &[Small]) -> Cmd {
    let form = link.form;
    let mut call = cmd("FCALL");
    call.arg("h1_commits")
        .arg(1)
        .arg(&link.meta)
        .arg(group.len());
    for small in group {
        call.arg(form.id(small.lane.0))
            .arg(&small.fence)
            .arg(small.version)
            .arg(&small.mark);
        match small.known {
            Some(known) => call.arg(known),
            None => call.arg(""),
        };
        call.arg(
            small
                .in_call
                .map_or("", |in_call| if in_call { "1" } else { "0" }),
        );
        call.arg(&small.line).arg(small.events.len());
        for event in &small.events {
            call.arg(event);
        }
    }
    call
}
