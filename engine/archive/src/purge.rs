//! Takes an archived run out of the store, a bounded number of deletions at a time, and goes on where
//! it stopped.
//!
//! Not here: archiving. What is purged is read from the verified object, never from the store.

use crate::fault::KeeperError;
use crate::keeper::Keeper;
use hostler_core::consent::consent_document;
use hostler_core::deferral::turn_document;
use hostler_core::event::{Event, Recorded};
use hostler_core::gate::told_document;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::mail::{announced_document, bounced_document, unreached_document};
use hostler_ports::archive::ArchivedRun;
use hostler_ports::store::{IndexChange, IndexEntry, Own, READ_MAX, Upkeep, bounds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Index of runs that are archived and not yet purged: run by the instant of its archiving.
pub const PURGING: &str = "archive:purging";

/// How far a purge has come: the body of its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub digest: Digest,
    /// Lanes of the object, in its order, that are gone already.
    #[serde(default)]
    pub lanes: usize,
}

pub fn purging(run: RunId, at_ms: i64, progress: &Progress) -> IndexChange {
    IndexChange::Put {
        index: PURGING.to_owned(),
        member: run.to_string(),
        score: at_ms,
        body: serde_json::to_string(progress).unwrap_or_default(),
    }
}

fn removal(index: &str, member: &str) -> IndexChange {
    IndexChange::Remove {
        index: index.to_owned(),
        member: member.to_owned(),
    }
}

/// What customers were told of this run is kept in documents of its own, also for those whom nobody could be sent to;
/// so is what came back of its messages.
fn documents(run: RunId, archived: &ArchivedRun) -> BTreeSet<String> {
    let events = archived.lanes.iter().flat_map(|(id, lane)| {
        let due = lane
            .events
            .iter()
            .filter(|text| text.contains("\"notice_due\""));
        due.map(|text| (*id, text))
    });
    let documents = |(lane, text): (LaneId, &String)| match Recorded::read(text).ok()?.event {
        Event::NoticeDue {
            customer, template, ..
        } => Some([
            told_document(run, &template, &customer),
            announced_document(lane, &template, &customer),
            unreached_document(lane, &template),
        ]),
        _ => None,
    };
    let accepted = |events: &[String]| {
        let mut events = events.iter();
        events.any(|event| event.contains("\"mail_accepted\""))
    };
    let messages = archived.lanes.iter();
    let messages = messages.filter(|(_, lane)| accepted(&lane.events));
    let back = messages.map(|(id, _)| bounced_document(*id));
    let told: BTreeSet<String> = events.filter_map(documents).flatten().chain(back).collect();
    let told = told.into_iter().chain(turns(run, archived));
    told.chain(consents(run, archived)).collect()
}

/// What customers have said of the run.
fn consents(run: RunId, archived: &ArchivedRun) -> BTreeSet<String> {
    let texts = archived.lanes.values().flat_map(|lane| &lane.events);
    let said = texts.filter(|text| text.contains("\"consent_decided\""));
    let document = |text: &String| match Recorded::read(text).ok()?.event {
        Event::ConsentDecided { consent } => Some(consent_document(run, &consent.customer)),
        _ => None,
    };
    said.filter_map(document).collect()
}

/// Turns that could be put off: each that has begun or was put off has left a document.
fn turns(run: RunId, archived: &ArchivedRun) -> BTreeSet<String> {
    let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("\"defer_until_ms\"");
    if !archived.blobs.values().any(|bytes| says(bytes)) {
        return BTreeSet::new();
    }
    let (mut templates, mut assets) = (BTreeSet::new(), BTreeSet::new());
    let of_turns = ["\"notice_due\"", "\"step_started\"", "\"turns_put_off\""];
    let texts = archived.lanes.values().flat_map(|lane| &lane.events);
    for text in texts.filter(|text| of_turns.iter().any(|name| text.contains(name))) {
        match Recorded::read(text).map(|recorded| recorded.event) {
            Ok(Event::NoticeDue { template, .. }) => {
                templates.insert(template);
            }
            Ok(Event::StepStarted { call, .. }) => assets.extend(call.asset.clone()),
            Ok(Event::TurnsPutOff { deferral }) => {
                assets.extend(deferral.turns.into_iter().map(|turn| turn.asset));
            }
            _ => {}
        }
    }
    let of = |template: &String| {
        let of_asset = |asset: &String| turn_document(run, template, asset);
        assets.iter().map(of_asset).collect::<Vec<_>>()
    };
    templates.iter().flat_map(of).collect()
}

impl Keeper {
    /// Goes on with one purge; true when the run is gone.
    pub(crate) async fn purge(
        &self,
        entry: &IndexEntry,
        calls_left: &AtomicUsize,
    ) -> Result<bool, KeeperError> {
        let unreadable = |why: String| KeeperError::Entry(entry.member.clone(), why);
        let run: RunId = entry
            .member
            .parse()
            .map_err(|_| unreadable("it is not the id of a run".to_owned()))?;
        let mut progress: Progress =
            serde_json::from_str(&entry.body).map_err(|fault| unreadable(fault.to_string()))?;
        let archived = self.read(progress.digest).await?;
        if progress.lanes == 0 {
            self.drop_own(run, progress.digest, &archived).await?;
        }
        let root = archived.record.root;
        let others = archived.lanes.keys().filter(|lane| **lane != root);
        // The root is last: its tombstone says that nothing else is left.
        let order: Vec<_> = others.copied().chain([root]).collect();
        while let Some(lane) = order.get(progress.lanes) {
            let take = |left: usize| left.checked_sub(1);
            if calls_left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_err()
            {
                let index = vec![purging(run, entry.score, &progress)];
                self.write(index).await?;
                return Ok(false);
            }
            let max = self.settings.deletions_a_call;
            if self.store.purge(*lane, progress.digest, max).await? {
                progress.lanes += 1;
            }
        }
        self.drop_indexes(&archived).await?;
        self.write(vec![removal(PURGING, &entry.member)]).await?;
        Ok(true)
    }

    /// A blob that tells of this very run belongs to no other; others may be shared by their digest.
    async fn drop_own(
        &self,
        run: RunId,
        digest: Digest,
        archived: &ArchivedRun,
    ) -> Result<(), KeeperError> {
        let name = run.to_string();
        let is_own = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&name);
        let own = archived.blobs.iter().filter(|(_, bytes)| is_own(bytes));
        let blobs: Vec<Digest> = own.map(|(digest, _)| *digest).collect();
        let documents: Vec<String> = documents(run, archived).into_iter().collect();
        for some in blobs.chunks(READ_MAX) {
            let blobs = some.to_vec();
            let own = Own {
                blobs,
                ..Own::default()
            };
            self.store.drop_own(run, digest, &own).await?;
        }
        for some in documents.chunks(READ_MAX) {
            let documents = some.to_vec();
            let own = Own {
                documents,
                ..Own::default()
            };
            self.store.drop_own(run, digest, &own).await?;
        }
        Ok(())
    }

    async fn drop_indexes(&self, archived: &ArchivedRun) -> Result<(), KeeperError> {
        for (name, entries) in &archived.indexes {
            for entries in entries.chunks(bounds::LIST_MAX) {
                let changes = entries.iter().map(|entry| removal(name, &entry.member));
                self.write(changes.collect()).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, index: Vec<IndexChange>) -> Result<(), KeeperError> {
        let change = Upkeep {
            index,
            ..Upkeep::default()
        };
        self.store.upkeep(change).await?;
        Ok(())
    }
}
