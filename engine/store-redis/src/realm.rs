//! One realm: its connection, and how its calls are put together.
//!
//! Not here: the verbs.

use crate::answer::committed;
use crate::blobs::Ahead;
use crate::commit_args::{Args, Of, priority_number, queue_letter};
use crate::connect;
use crate::decode;
use crate::durable::Durable;
use crate::groups::{Carried, Groups};
use crate::link::{Link, unavailable};
use crate::pack::Effort;
use crate::past::Before;
use crate::wake::Wakes;
use crate::{OpenError, Options};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_ports::clock::Ids;
use hostler_ports::store::{
    Batch, Claim, ClaimAsk, CommitError, Committed, Cursor, Fence, Header, Own, Page, Priority,
    READ_MAX, Seq, Store, StoreError, StoreResult, Then, bounds, verbs::not_purgeable,
};
use redis::{Cmd, Value, cmd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// How many keys one step of a scan looks at: tens of microseconds.
const SCAN_COUNT: usize = 250;

/// Headers that one call reads, and lanes that one call hands out: a call holds everybody else up, and
/// a millisecond or two is enough of that.
pub const HEADERS_A_CALL: usize = 100;
const CLAIMS_A_CALL: usize = 50;

/// A text in which `MATCH` finds no wildcards.
fn escaped(text: &str) -> String {
    let special = |letter| matches!(letter, '*' | '?' | '[' | ']' | '\\');
    let escape = |letter| special(letter).then_some('\\').into_iter().chain([letter]);
    text.chars().flat_map(escape).collect()
}

const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// Half of an id: it stands in every lane's and every run's record, and no two processes of a realm share it.
fn process_name(id: uuid::Uuid) -> [u8; 8] {
    let (_, low) = id.as_u64_pair();
    low.to_be_bytes()
}

/// A number in digits of base 64, for it stands in every lane's and every run's record. None of them is the space that
/// ends a mark there.
fn digits(mut number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(number % 64) as usize]);
        number /= 64;
        if number == 0 {
            return digits;
        }
    }
}

/// One realm in Redis.
pub struct RedisStore {
    pub(crate) link: Arc<Link>,
    pub(crate) durable: Durable,
    groups: Groups,
    pub(crate) wakes: Wakes,
    /// Tells this process's calls from all others'.
    process: [u8; 8],
    calls: AtomicU64,
}

impl RedisStore {
    pub(crate) async fn connect(options: Options, ids: Arc<dyn Ids>) -> Result<Self, OpenError> {
        let process = process_name(ids.fresh());
        let form = connect::form_of(&options).await;
        let form = form.map_err(|_| unavailable("it does not say how its realm is written"))?;
        let link = Arc::new(Link::new(options, ids, form)?);
        let store = Self {
            durable: Durable::new(Arc::clone(&link)),
            groups: Groups::new(Arc::clone(&link)),
            link,
            wakes: Wakes::default(),
            process,
            calls: AtomicU64::new(0),
        };
        // Also a realm that has gone back is opened: the decision is made through it.
        store.tell_state().await?;
        Ok(store)
    }

    pub(crate) fn function(&self, name: &str) -> Cmd {
        let mut call = cmd("FCALL");
        call.arg(name).arg(1).arg(&self.link.meta);
        call
    }

    pub(crate) fn read_function(&self, name: &str) -> Cmd {
        let mut call = cmd("FCALL_RO");
        call.arg(name).arg(1).arg(&self.link.meta);
        call
    }

    /// A call that may be made again as it is.
    pub(crate) async fn ask(&self, command: Cmd) -> StoreResult<Value> {
        Ok(self.link.call(|_| command.clone()).await?.0)
    }

    /// Recognises a call when it comes twice: one of this process, and which of them.
    pub(crate) fn mark(&self) -> Vec<u8> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        [&self.process[..], &digits(number)].concat()
    }

    /// Nobody can guess it.
    fn nonce(&self) -> String {
        self.link.ids.fresh().simple().to_string()
    }

    pub(crate) async fn claim_once(
        &self,
        ask: &ClaimAsk,
        begun: Instant,
    ) -> StoreResult<Vec<Claim>> {
        // Never more than it was.
        let waited_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let nonce = self.nonce();
        let least = priority_number(ask.at_least.unwrap_or(Priority::Housekeeping));
        let (value, _) = self
            .link
            .call(|attempt| {
                let mut call = self.function("h1_claim");
                call.arg(queue_letter(ask.queue))
                    .arg(ask.max.min(CLAIMS_A_CALL))
                    .arg(least);
                call.arg(ask.lease_ms).arg(&nonce).arg(&ask.worker);
                call.arg(u8::from(ask.wait_ms > 0))
                    .arg(u8::from(attempt.again));
                call
            })
            .await?;
        decode::claims(self.link.form, value, waited_ms)
    }

    pub(crate) async fn remove_own(
        &self,
        run: RunId,
        archive: Digest,
        own: &Own,
    ) -> StoreResult<()> {
        bounds::read("blobs to remove", own.blobs.len())?;
        bounds::read("documents to remove", own.documents.len())?;
        let mut call = self.function("h1_drop_own");
        let form = self.link.form;
        call.arg(form.id(run.0)).arg(form.digest(archive));
        call.arg(own.blobs.len());
        for blob in &own.blobs {
            call.arg(form.digest(*blob));
        }
        for document in &own.documents {
            call.arg(document);
        }
        match decode::text(self.ask(call).await?, "a removal")?.as_str() {
            "D" => Ok(()),
            _ => Err(not_purgeable()),
        }
    }

    /// At most `HEADERS_A_CALL`.
    pub(crate) async fn some_headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
        let form = self.link.form;
        let mut call = self.read_function("h1_headers");
        for lane in lanes {
            call.arg(form.id(lane.0));
        }
        let found = decode::array(self.ask(call).await?, "headers")?;
        let pairs = lanes.iter().zip(found);
        pairs
            .map(|(lane, value)| {
                decode::optional(value, |value| decode::header(form, *lane, value))
            })
            .collect()
    }

    /// `SCAN` gives every header that is there from its beginning to its end, some of them twice.
    pub(crate) async fn scan_lanes(&self, after: Cursor) -> StoreResult<Page<Header>> {
        let place = after.0.unwrap_or_else(|| "0".to_owned());
        let position: u64 = place
            .parse()
            .map_err(|_| StoreError::Bounds("a cursor that this store did not give out".into()))?;
        let mut scan = cmd("SCAN");
        scan.arg(position)
            .arg("MATCH")
            .arg(format!("{}*", escaped(&self.link.key("l:"))))
            .arg("COUNT")
            .arg(SCAN_COUNT);
        let (next, lanes) = decode::scanned(self.link.form, self.ask(scan).await?)?;
        let mut entries = Vec::with_capacity(lanes.len());
        for some in lanes.chunks(READ_MAX) {
            entries.extend(self.headers(some).await?.into_iter().flatten());
        }
        let next = Some(next)
            .filter(|next| next != "0")
            .map(|next| Cursor(Some(next)));
        Ok(Page { entries, next })
    }

    /// A lane that is let go leaves its texts packed; one that goes on does not wait for that.
    fn commit_command(&self, of: &Of<'_>, batch: &Batch, ahead: &Ahead) -> Cmd {
        let mut call = cmd("FCALL");
        call.arg(if batch.spawn.is_empty() {
            "h1_commit"
        } else {
            "h1_commit_grow"
        });
        let lane = self.link.form.id(of.lane.0);
        call.arg(4).arg(&self.link.meta);
        call.arg(self.link.name("l", &lane))
            .arg(self.link.name("g", &lane));
        call.arg(self.link.key("led"));
        let packs = match batch.then {
            Then::Keep => None,
            Then::End => Some(Effort::Quick),
            Then::Park | Then::Requeue | Then::Shelve => Some(Effort::Small),
        };
        self.args(&mut call, packs).commit(of, batch, ahead);
        call
    }

    pub(crate) fn args<'a>(&self, cmd: &'a mut Cmd, packs: Option<Effort>) -> Args<'a> {
        let form = self.link.form;
        Args { cmd, form, packs }
    }

    pub(crate) async fn commit_once(
        &self,
        lane: LaneId,
        fence: &Fence,
        version: u64,
        batch: &Batch,
    ) -> Result<Committed, CommitError> {
        let mark = self.mark();
        let _under_way = self.groups.enter();
        let before = self.link.past.before();
        let carried = self.groups.carry(lane, fence, version, &mark, batch).await;
        let (answer, again) = match carried {
            Carried::Answered(answer) => (answer, false),
            Carried::Alone | Carried::Unknown => {
                let of = Of {
                    lane,
                    fence,
                    version,
                    mark: &mark,
                };
                let build = |ahead: &Ahead| self.commit_command(&of, batch, ahead);
                let (value, again) = self.call_with(&batch.blobs, false, build).await?;
                let was_sent = matches!(carried, Carried::Unknown);
                (committed(self.link.form, value, batch), again || was_sent)
            }
        };
        let (seq, version, dirty, now_ms) = answer?;
        Ok(Committed {
            seq: self.judge_seq(before, seq, again).await?,
            version,
            dirty,
            now_ms,
        })
    }

    /// What an answer's seq tells; a loss is declared at once.
    pub(crate) async fn judge_seq(
        &self,
        before: Before,
        seq: u64,
        again: bool,
    ) -> StoreResult<Seq> {
        let judged = self.link.past.saw(before, seq, again);
        if judged.is_err() {
            self.link.look().await;
        }
        judged.map(|()| Seq(seq))
    }
}

#[cfg(test)]
mod tests {
    use super::digits;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_of_calls_are_short_and_no_two_are_written_alike() {
        let numbers = (0..70_000).chain((0..64).map(|bit| u64::MAX >> bit));
        let numbers: BTreeSet<u64> = numbers.collect();
        let written: BTreeSet<Vec<u8>> = numbers.iter().map(|number| digits(*number)).collect();
        assert_eq!(written.len(), numbers.len());
        assert!(written.iter().all(|digits| !digits.contains(&b' ')));
        assert_eq!(digits(106_084).len(), 3);
    }
}
