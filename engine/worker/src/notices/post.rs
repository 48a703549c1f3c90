//! Announcements become messages: lanes of the mail queue.
//!
//! A few go with the commit that makes them due. Many are packed into lanes that each become some of them, so
//! that no commit grows with the number of customers. Not here: what they say.

use super::alternate;
use crate::Trouble;
use crate::outbox::queued;
use hostler_core::gate::Told;
use hostler_core::id::{LaneId, RunId, derive};
use hostler_core::mail::{Alternates, Announcement, MailEvent, MailSpec};
use hostler_core::view::index;
use hostler_ports::store::{
    Batch, Document, DocumentWrite, Expect, IndexChange, Priority, Queue, SPAWN_MAX, Spawn, Store,
};
use serde_json::json;
use std::collections::BTreeMap;

/// Messages, with the children that the same commit spawns, up to which they are made at once.
const TOGETHER_MAX: usize = SPAWN_MAX / 2;
/// Most messages that one packed lane becomes, and most bytes of them: one commit makes them.
const PACKET_MAX: usize = SPAWN_MAX / 2;
const PACKET_BYTES_MAX: usize = 2 << 20;

/// Puts announcements on their way with a commit of `lane` upon `version`.
///
/// # Errors
/// The store's.
pub async fn put(
    store: &dyn Store,
    (lane, version): (LaneId, u64),
    at_ms: i64,
    announcements: Vec<Announcement>,
    batch: &mut Batch,
) -> Result<(), Trouble> {
    let messages: usize = announcements.iter().map(|it| it.to.len()).sum();
    if batch.spawn.len() + messages <= TOGETHER_MAX {
        return spread(store, at_ms, &announcements, batch).await;
    }
    for (number, packet) in (0_u32..).zip(packets(announcements)) {
        let parts = [
            b"packet".as_slice(),
            lane.0.as_bytes(),
            &version.to_be_bytes(),
            &number.to_be_bytes(),
        ];
        batch
            .spawn
            .extend(packed(LaneId(derive(&parts)), packet, at_ms));
    }
    Ok(())
}

/// The messages of announcements, each with its lane and its row; from now on it is waited for that one of each
/// customer's people has the notice.
///
/// # Errors
/// The store's.
pub async fn spread(
    store: &dyn Store,
    at_ms: i64,
    announcements: &[Announcement],
    batch: &mut Batch,
) -> Result<(), Trouble> {
    for spec in announcements.iter().flat_map(Announcement::mails) {
        queue(spec, at_ms, batch);
    }
    for announcement in announcements {
        let documents = announcement
            .document()
            .zip(announcement.announced.as_deref());
        if let Some((key, announced)) = documents {
            let body = serde_json::to_string(announced).ok();
            batch.documents.push(DocumentWrite { key, body });
        }
    }
    wait(store, announcements, batch).await
}

/// What is known of those who were told, from now on.
async fn wait(
    store: &dyn Store,
    announcements: &[Announcement],
    batch: &mut Batch,
) -> Result<(), Trouble> {
    let first = |of| Some((of, Announcement::told(of)?));
    let waited: Vec<_> = announcements.iter().filter_map(first).collect();
    let keys: Vec<String> = waited.iter().map(|(_, (key, _))| key.clone()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut unreached: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((of, (key, told)), known) in waited.into_iter().zip(store.documents(&keys).await?) {
        let version = known.as_ref().map_or(0, |known| known.version);
        let told = match (of.alternates, known) {
            (Alternates::Told, known) => stands_in(&key, told, known)?,
            (_, None) => told,
            // A step that is entered anew announces the same messages again.
            (_, Some(_)) => continue,
        };
        // Nobody could even be sent to.
        let noted = of.unreached().filter(|_| told.falls_back());
        if let Some(document) = noted {
            let customers = unreached.entry(document).or_default();
            customers.extend(of.customer.clone());
        }
        let (document, body) = (key.clone(), Some(json!(told).to_string()));
        batch.expect.push(Expect { document, version });
        batch.documents.push(DocumentWrite { key, body });
    }
    for (document, customers) in unreached {
        let (expect, noted) = alternate::note(store, &document, customers).await?.unzip();
        batch.expect.extend(expect);
        batch.documents.extend(noted);
    }
    Ok(())
}

/// Behind those who were told before and are not reached: `told` is of the messages to alternate contacts.
fn stands_in(key: &str, told: Told, known: Option<Document>) -> Result<Told, Trouble> {
    let body = known.and_then(|known| known.body);
    let before = body.map(|body| serde_json::from_str::<Told>(&body));
    let before = before.transpose();
    let before = before.map_err(|fault| Trouble::Unreadable(format!("{key}: {fault}")))?;
    let mut all = before.unwrap_or_default();
    all.fell_back(told.sent);
    Ok(all)
}

/// Announcements in their order, as many together as one commit can spread.
fn packets(announcements: Vec<Announcement>) -> Vec<Vec<Announcement>> {
    let mut packets: Vec<Vec<Announcement>> = Vec::new();
    let (mut messages, mut bytes) = (0, 0);
    for announcement in announcements {
        let more = announcement.to.len();
        let size = more * announcement.context.to_string().len();
        let fits = messages + more <= PACKET_MAX && bytes + size <= PACKET_BYTES_MAX;
        match packets.last_mut() {
            Some(packet) if fits && packet.len() < PACKET_MAX => {
                packet.push(announcement);
                (messages, bytes) = (messages + more, bytes + size);
            }
            _ => {
                packets.push(vec![announcement]);
                (messages, bytes) = (more, size);
            }
        }
    }
    packets
}

fn packed(lane: LaneId, announcements: Vec<Announcement>, at_ms: i64) -> Option<Spawn> {
    let run = announcements.first()?.run;
    let summary = json!({ "lane": lane, "phase": "packed" }).to_string();
    let event = MailEvent::MailsPacked {
        announcements,
        at_ms,
    };
    Some(mail_lane(lane, run, &event, summary))
}

fn queue(spec: MailSpec, at_ms: i64, batch: &mut Batch) {
    let row = queued(&spec, at_ms);
    let summary = serde_json::to_string(&row).unwrap_or_default();
    batch.index.push(IndexChange::Put {
        index: index::notices(spec.run),
        member: spec.lane.to_string(),
        score: at_ms,
        body: summary.clone(),
    });
    let (lane, run) = (spec.lane, spec.run);
    let spec = Box::new(spec);
    let event = MailEvent::MailQueued { spec, at_ms };
    batch.spawn.push(mail_lane(lane, run, &event, summary));
}

fn mail_lane(lane: LaneId, run: RunId, event: &MailEvent, summary: String) -> Spawn {
    Spawn {
        lane,
        run,
        parent: None,
        key: None,
        queue: Queue::Mail,
        priority: Priority::Operator,
        events: vec![json!(event).to_string()],
        summary,
    }
}
