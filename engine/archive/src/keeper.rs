//! The housekeeping of finished runs, in bounded passes: purge what is archived, look again at what was
//! not ready, go on through the list of runs.
//!
//! All it knows lies in the store, so any worker may do the next pass, and two at once do no harm. A run takes a few
//! dozen calls one after the other, so several are taken at the same time: an installation must not finish runs
//! faster than they leave.

use crate::fault::KeeperError;
use crate::gather::{Gathered, entries, gather};
use crate::purge::{PURGING, Progress, purging};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use hostler_core::id::{Digest, RunId};
use hostler_core::view::{RunRow, index};
use hostler_ports::archive::{Archive, ArchivedRun};
use hostler_ports::store::position::entry_text;
use hostler_ports::store::{
    CommitError, Cursor, DocumentWrite, Expect, IndexChange, IndexEntry, READ_MAX, Store, Upkeep,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Document: the place in the list of runs up to which all were looked at.
const PLACE: &str = "archive:place";
/// Index of runs behind the place that were not ready: run by the instant of the next look.
const LATER: &str = "archive:later";
/// The place stays this far behind the present: a start that was planned now may be accepted later.
const GRACE_MS: i64 = 60_000;
/// When a run that lives is looked at again.
const AGAIN_MS: i64 = 600_000;
/// Runs that one pass reads, writes and purges at the same time; each may be held in memory whole.
const AT_ONCE: usize = 4;

#[derive(Clone, Debug)]
pub struct Settings {
    /// A run stays at least so long after its end.
    pub after_ms: i64,
    /// Most runs that one pass archives, and most that it looks at for nothing.
    pub runs_a_pass: usize,
    /// Most purge calls of one pass.
    pub calls_a_pass: usize,
    /// Most deletions of one purge call.
    pub deletions_a_call: usize,
    /// With which entry of a page it begins, counted round: workers that begin apart seldom do the same.
    pub begins_with: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            after_ms: 7 * 24 * 3_600_000,
            runs_a_pass: 100,
            calls_a_pass: 2_000,
            deletions_a_call: 500,
            begins_with: 0,
        }
    }
}

/// What one pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    pub archived: usize,
    pub purged: usize,
    /// Runs that could not be archived or purged, with the reason; they are tried again.
    pub failed: Vec<(String, String)>,
    /// A limit was reached: there is more.
    pub more: bool,
}

/// What waits for housekeeping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Ended long enough ago and not archived yet, as far as one page shows.
    pub due: usize,
    /// Archived and not purged yet, as far as one page shows.
    pub purging: usize,
}

pub struct Keeper {
    pub(crate) store: Arc<dyn Store>,
    archive: Arc<dyn Archive>,
    pub(crate) settings: Settings,
}

/// What a look at a run found.
enum Look {
    Archived,
    /// It is not there, or its archive has it.
    Done,
    At(i64),
}

/// The same, with what went wrong with this run alone.
struct Looked {
    look: Look,
    failed: Option<(String, String)>,
}

impl Looked {
    fn count(self, pass: &mut Pass) -> Look {
        pass.archived += usize::from(matches!(self.look, Look::Archived));
        pass.failed.extend(self.failed);
        self.look
    }
}

impl Keeper {
    #[must_use]
    pub fn new(store: Arc<dyn Store>, archive: Arc<dyn Archive>, settings: Settings) -> Self {
        Self {
            store,
            archive,
            settings,
        }
    }

    /// # Errors
    /// When the store or the archive does not answer. What one run alone prevents is in the answer.
    pub async fn pass(&self) -> Result<Pass, KeeperError> {
        let mut pass = Pass::default();
        self.purge_all(&mut pass).await?;
        self.look_again(&mut pass).await?;
        self.look_on(&mut pass).await?;
        self.purge_all(&mut pass).await?;
        Ok(pass)
    }

    async fn purge_all(&self, pass: &mut Pass) -> Result<(), KeeperError> {
        let calls_left = &AtomicUsize::new(self.settings.calls_a_pass.max(1));
        let page = self.store.query(PURGING, false, Cursor::default()).await?;
        let purge = |entry| {
            let purged = async move {
                match calls_left.load(Ordering::Relaxed) {
                    0 => Ok(false),
                    _ => self.purge(entry, calls_left).await,
                }
            };
            purged.boxed()
        };
        let purged = self.each(&page.entries, purge).await;
        for (entry, purged) in page.entries.iter().zip(purged) {
            match purged {
                Ok(true) => pass.purged += 1,
                Ok(false) => pass.more = true,
                Err(fault) => note(pass, &entry.member, fault)?,
            }
        }
        Ok(())
    }

    /// Does something with each entry, a few at the same time; the answers in the order of the entries.
    async fn each<'a, T: Send + 'a>(
        &self,
        entries: &'a [IndexEntry],
        work: impl Fn(&'a IndexEntry) -> BoxFuture<'a, T>,
    ) -> Vec<T> {
        let first = self.settings.begins_with.checked_rem(entries.len());
        let (before, from) = entries.split_at(first.unwrap_or(0));
        let round = from.iter().chain(before);
        // Begun when it is polled: none of them runs ahead of the others.
        let work: Vec<BoxFuture<'a, T>> = round.map(work).collect();
        let mut done: Vec<T> = stream::iter(work).buffered(AT_ONCE).collect().await;
        done.rotate_right(before.len());
        done
    }

    async fn look_again(&self, pass: &mut Pass) -> Result<(), KeeperError> {
        let now_ms = self.store.now_ms().await?;
        let page = self.store.query(LATER, false, Cursor::default()).await?;
        let due = page
            .entries
            .iter()
            .take_while(|entry| entry.score <= now_ms);
        let due = due.take(self.settings.runs_a_pass).count();
        let due = &page.entries[..due];
        let looks = self.each(due, |entry| self.look_later(entry, now_ms).boxed());
        for looked in looks.await {
            looked?.count(pass);
        }
        Ok(())
    }

    async fn look_later(&self, entry: &IndexEntry, now_ms: i64) -> Result<Looked, KeeperError> {
        let looked = self.look(&entry.member, now_ms).await?;
        let at_ms = match looked.look {
            Look::Archived | Look::Done => None,
            Look::At(at_ms) => Some(at_ms),
        };
        let change = Upkeep {
            index: vec![later(&entry.member, at_ms)],
            ..Upkeep::default()
        };
        self.store.upkeep(change).await?;
        Ok(looked)
    }

    /// Goes on through the list of runs, oldest first.
    async fn look_on(&self, pass: &mut Pass) -> Result<(), KeeperError> {
        let now_ms = self.store.now_ms().await?;
        let (version, place) = self.place().await?;
        let page = self.store.query(index::RUNS, false, Cursor(place)).await?;
        let most = self.settings.runs_a_pass.min(page.entries.len());
        let some = &page.entries[..most];
        let looks = self.each(some, |entry| self.look(&entry.member, now_ms).boxed());
        let mut index = Vec::new();
        let mut last = None;
        let mut young = false;
        for (entry, looked) in some.iter().zip(looks.await) {
            young |= entry.score > now_ms - GRACE_MS;
            let look = looked?.count(pass);
            if young {
                continue;
            }
            last = Some(entry_text(entry.score, &entry.member));
            if let Look::At(at_ms) = look {
                index.push(later(&entry.member, Some(at_ms)));
            }
        }
        pass.more |= !young && (page.next.is_some() || page.entries.len() > most);
        match last {
            Some(last) => self.go_on(version, last, index).await,
            None => Ok(()),
        }
    }

    /// Moves the place, unless another worker has moved it: then that one's pass counts.
    async fn go_on(
        &self,
        version: u64,
        place: String,
        index: Vec<IndexChange>,
    ) -> Result<(), KeeperError> {
        let change = Upkeep {
            expect: vec![Expect {
                document: PLACE.to_owned(),
                version,
            }],
            documents: vec![DocumentWrite {
                key: PLACE.to_owned(),
                body: Some(place),
            }],
            index,
            ..Upkeep::default()
        };
        match self.store.upkeep(change).await {
            Err(CommitError::Expect { .. }) => Ok(()),
            done => done.map(|_| ()).map_err(Into::into),
        }
    }

    async fn place(&self) -> Result<(u64, Option<String>), KeeperError> {
        let found = self.store.documents(&[PLACE.to_owned()]).await?;
        let found = found.into_iter().next().flatten();
        Ok(found.map_or((0, None), |found| (found.version, found.body)))
    }

    async fn look(&self, run: &str, now_ms: i64) -> Result<Looked, KeeperError> {
        let good = |look| Looked { look, failed: None };
        let Ok(id) = run.parse::<RunId>() else {
            return Ok(good(Look::Done));
        };
        match self.try_archive(id, now_ms).await {
            Ok(look) => Ok(good(look)),
            Err(fault) if fault.is_away() => Err(fault),
            Err(fault) => Ok(Looked {
                look: Look::At(now_ms + AGAIN_MS),
                failed: Some((run.to_owned(), fault.to_string())),
            }),
        }
    }

    async fn try_archive(&self, run: RunId, now_ms: i64) -> Result<Look, KeeperError> {
        let Some(record) = self.store.run_record(run).await? else {
            return Ok(Look::Done);
        };
        if record.archive.is_some() {
            return Ok(Look::Done);
        }
        let row: Option<RunRow> = serde_json::from_str(&record.summary).ok();
        match row.and_then(|row| row.ended_ms) {
            None => return Ok(Look::At(now_ms + AGAIN_MS)),
            Some(ended_ms) if ended_ms.saturating_add(self.settings.after_ms) > now_ms => {
                return Ok(Look::At(ended_ms.saturating_add(self.settings.after_ms)));
            }
            Some(_) => {}
        }
        match gather(&*self.store, run).await? {
            Gathered::Gone => Ok(Look::Done),
            Gathered::Lives(_) => Ok(Look::At(now_ms + AGAIN_MS)),
            Gathered::Run(archived) => {
                self.archive(&archived, now_ms).await?;
                Ok(Look::Archived)
            }
        }
    }

    /// Put, read back, and only then say so in the store.
    async fn archive(&self, archived: &ArchivedRun, now_ms: i64) -> Result<(), KeeperError> {
        let digest = self.archive.put(&archived.to_bytes()?).await?;
        if self.read(digest).await? != *archived {
            return Err(KeeperError::Unverified(digest));
        }
        let progress = Progress { digest, lanes: 0 };
        let change = Upkeep {
            archived: vec![(archived.run, digest)],
            index: vec![purging(archived.run, now_ms, &progress)],
            ..Upkeep::default()
        };
        self.store.upkeep(change).await?;
        Ok(())
    }

    pub(crate) async fn read(&self, digest: Digest) -> Result<ArchivedRun, KeeperError> {
        let found = self.archive.get(digest).await?;
        let bytes = found.ok_or(KeeperError::Unverified(digest))?;
        Ok(ArchivedRun::from_bytes(&bytes)?)
    }

    /// # Errors
    /// The store's.
    pub async fn backlog(store: &dyn Store, after_ms: i64) -> Result<Backlog, KeeperError> {
        let now_ms = store.now_ms().await?;
        let found = store.documents(&[PLACE.to_owned()]).await?;
        let place = found
            .into_iter()
            .next()
            .flatten()
            .and_then(|found| found.body);
        let unseen = store.query(index::RUNS, false, Cursor(place)).await?;
        let is_due = |entry: &&IndexEntry| {
            let row: Option<RunRow> = serde_json::from_str(&entry.body).ok();
            let ended_ms = row.and_then(|row| row.ended_ms);
            ended_ms.is_some_and(|ended_ms| ended_ms.saturating_add(after_ms) <= now_ms)
        };
        let later = entries(store, LATER).await?;
        let later = later
            .iter()
            .filter(|entry| entry.score <= now_ms)
            .take(READ_MAX);
        let purging = store.query(PURGING, false, Cursor::default()).await?;
        Ok(Backlog {
            due: unseen.entries.iter().filter(is_due).count() + later.count(),
            purging: purging.entries.len(),
        })
    }
}

/// None takes it from the list.
fn later(run: &str, at_ms: Option<i64>) -> IndexChange {
    let (index, member) = (LATER.to_owned(), run.to_owned());
    match at_ms {
        None => IndexChange::Remove { index, member },
        Some(score) => IndexChange::Put {
            index,
            member,
            score,
            body: String::new(),
        },
    }
}

/// A fault of one run is noted; one of the store or the archive ends the pass.
fn note(pass: &mut Pass, run: &str, fault: KeeperError) -> Result<(), KeeperError> {
    if fault.is_away() {
        return Err(fault);
    }
    pass.failed.push((run.to_owned(), fault.to_string()));
    Ok(())
}
