//! The port's verbs over the Functions.
//!
//! Not here: connections, retries, the form of arguments and answers.

use crate::answer::upkept;
use crate::blobs::Ahead;
use crate::commit_args::{priority_number, queue_letter};
use crate::decode::{self, Parts, array, corrupt, optional, parsed, text};
use crate::pack::Effort;
use crate::pages;
use crate::realm::{HEADERS_A_CALL, RedisStore};
use crate::wake;
use async_trait::async_trait;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_ports::store::generation::{Begun, NewGeneration, StoreState};
use hostler_ports::store::position::{parse_count, parse_entry};
use hostler_ports::store::verbs::not_purgeable;
use hostler_ports::store::{
    Batch, Child, Claim, ClaimAsk, CommitError, Committed, Confirmed, Counts, Cursor, Document,
    FeedEntry, Fence, Header, IndexEntry, LedgerEntry, Loaded, Own, Page, Priority, READ_MAX,
    ResourceView, RunRecord, Sent, Seq, Start, StartError, Started, Store, StoreError, StoreResult,
    Ticked, Upkeep, View, bounds,
};
use redis::{Value, cmd};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How often a reader of the feed looks again. One reader a process serves all pages.
const FEED_LOOK_MS: u64 = 200;
/// Most deletions of one call: a larger one would hold Redis for milliseconds.
const PURGE_MAX: usize = 2_000;
/// Pause of a waiting claim while the server cannot be asked to wake it.
const WAKE_PAUSE_MS: u64 = 200;

#[async_trait]
impl Store for RedisStore {
    async fn claim(&self, ask: &ClaimAsk) -> StoreResult<Vec<Claim>> {
        bounds::lease(ask.lease_ms)?;
        if ask.max == 0 {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let deadline = begun + Duration::from_millis(ask.wait_ms);
        let least = priority_number(ask.at_least.unwrap_or(Priority::Housekeeping));
        let list = self
            .link
            .key(&format!("wake:{}:{least}", queue_letter(ask.queue)));
        loop {
            let claims = self.claim_once(ask, begun).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            if !claims.is_empty() || left_ms == 0 {
                return Ok(claims);
            }
            let rung = async {
                let Ok(mut turn) = tokio::time::timeout(left, self.wakes.turn(&list)).await else {
                    return false;
                };
                if !wake::wait(&self.link, &mut turn, &list, left_ms).await {
                    tokio::time::sleep(Duration::from_millis(WAKE_PAUSE_MS.min(left_ms))).await;
                }
                true
            };
            // A read that is given up may take a token with it; who waits for it claims again by itself.
            let goes_on = tokio::select! {
                goes_on = rung => goes_on,
                () = ask.given_up() => false,
            };
            if !goes_on {
                return Ok(Vec::new());
            }
        }
    }

    async fn load(&self, lane: LaneId, from_version: u64) -> StoreResult<Option<Loaded>> {
        let mut call = self.read_function("h1_load");
        let form = self.link.form;
        call.arg(form.id(lane.0)).arg(from_version);
        optional(self.ask(call).await?, |value| {
            decode::loaded(form, lane, value)
        })
    }

    async fn commit(
        &self,
        lane: LaneId,
        fence: &Fence,
        expected_version: u64,
        batch: Batch,
    ) -> Result<Committed, CommitError> {
        bounds::batch(lane, &batch)?;
        self.commit_once(lane, fence, expected_version, &batch)
            .await
    }

    async fn start(&self, start: Start) -> Result<Started, StartError> {
        bounds::start(&start)?;
        let mark = self.mark();
        let build = |ahead: &Ahead| {
            let mut command = self.function("h1_start");
            self.args(&mut command, Some(Effort::Small))
                .start(&start, ahead, &mark);
            command
        };
        let before = self.link.past.before();
        let (value, again) = self.call_with(&start.blobs, true, build).await?;
        let mut parts = Parts::of(value, "a start")?;
        match parts.text()?.as_str() {
            "N" => {
                let seq = parts.parsed()?;
                let seq = self.judge_seq(before, seq, again).await?;
                Ok(Started::New(seq))
            }
            "S" => Ok(Started::Same),
            "C" => Err(StartError::Conflict),
            _ => Err(corrupt("a start").into()),
        }
    }

    async fn send(&self, lane: LaneId, command_id: Uuid, body: String) -> StoreResult<Sent> {
        let mut call = self.function("h1_send");
        let form = self.link.form;
        call.arg(form.id(lane.0)).arg(form.id(command_id)).arg(body);
        match text(self.ask(call).await?, "a command")?.as_str() {
            "A" => Ok(Sent::Accepted),
            "K" => Ok(Sent::Known),
            "G" => Ok(Sent::Gone),
            "M" => Err(StoreError::Full(format!(
                "the lane has {} unread commands",
                bounds::INBOX_MAX
            ))),
            _ => Err(corrupt("a command")),
        }
    }

    async fn renew(&self, held: &[(LaneId, Fence)], lease_ms: i64) -> StoreResult<Vec<LaneId>> {
        bounds::lease(lease_ms)?;
        bounds::read("leases to renew", held.len())?;
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = self.function("h1_renew");
        call.arg(lease_ms);
        for (lane, fence) in held {
            call.arg(self.link.form.id(lane.0)).arg(&fence.0);
        }
        let lost = array(self.ask(call).await?, "a renewal")?;
        let lane = |value| {
            let position: usize = parsed(value, "a renewal")?;
            held.get(position)
                .map(|(lane, _)| *lane)
                .ok_or_else(|| corrupt("a renewal"))
        };
        lost.into_iter().map(lane).collect()
    }

    async fn calm(&self, held: &[(LaneId, Fence)]) -> StoreResult<()> {
        bounds::read("lanes to calm", held.len())?;
        if held.is_empty() {
            return Ok(());
        }
        let mut call = self.function("h1_calm");
        for (lane, fence) in held {
            call.arg(self.link.form.id(lane.0)).arg(&fence.0);
        }
        self.ask(call).await.map(drop)
    }

    async fn tick(&self, max: usize, lease_ms: i64) -> StoreResult<Ticked> {
        bounds::lease(lease_ms)?;
        let generation = self.link.past.generation();
        let build = |attempt: &crate::link::Attempt| {
            let mut call = self.function("h1_tick");
            call.arg(max.clamp(1, READ_MAX))
                .arg(lease_ms)
                .arg(&*attempt.run_id);
            call
        };
        let mut parts = Parts::of(self.link.call(build).await?.0, "a tick")?;
        let now_ms = parts.parsed()?;
        let (timers_fired, leases_expired) = (parts.parsed()?, parts.parsed()?);
        let held_until_ms = Some(parts.parsed::<i64>()?).filter(|until| *until > 0);
        let more = parts.parsed::<u8>()? == 1;
        if let Some(declared) = decode::regression(&parts.text()?)? {
            self.link.past.told(generation, declared);
        }
        Ok(Ticked {
            now_ms,
            timers_fired,
            leases_expired,
            held_until_ms,
            more,
        })
    }

    async fn confirm(&self, seq: Seq) -> StoreResult<Confirmed> {
        self.durable.confirm(seq).await
    }

    async fn upkeep(&self, change: Upkeep) -> Result<Seq, CommitError> {
        bounds::upkeep(&change)?;
        let mut command = self.function("h1_upkeep");
        self.args(&mut command, Some(Effort::Small))
            .upkeep(&change, &self.mark());
        let before = self.link.past.before();
        let (value, again) = self.link.call(|_| command.clone()).await?;
        let seq = upkept(value, &change)?;
        Ok(self.judge_seq(before, seq, again).await?)
    }

    async fn state(&self) -> StoreResult<StoreState> {
        self.tell_state().await
    }

    async fn begin_generation(&self, new: NewGeneration) -> StoreResult<Begun> {
        self.write_generation(&new).await
    }

    /// Redis copies itself (`BGSAVE`): keys read one after the other would not be one state.
    async fn view(&self) -> StoreResult<Option<View>> {
        Ok(None)
    }

    async fn purge(&self, lane: LaneId, archive: Digest, max: usize) -> StoreResult<bool> {
        let mut call = self.function("h1_purge");
        let form = self.link.form;
        call.arg(form.id(lane.0))
            .arg(form.digest(archive))
            .arg(max.clamp(1, PURGE_MAX));
        match text(self.ask(call).await?, "a purge")?.as_str() {
            "D" => Ok(true),
            "M" => Ok(false),
            _ => Err(not_purgeable()),
        }
    }

    async fn drop_own(&self, run: RunId, archive: Digest, own: &Own) -> StoreResult<()> {
        self.remove_own(run, archive, own).await
    }

    async fn now_ms(&self) -> StoreResult<i64> {
        Ok(decode::counts(self.ask(self.read_function("h1_counts")).await?)?.1)
    }

    async fn blob(&self, digest: Digest) -> StoreResult<Option<Vec<u8>>> {
        self.read_blob(digest).await
    }

    async fn headers(&self, lanes: &[LaneId]) -> StoreResult<Vec<Option<Header>>> {
        bounds::read("headers", lanes.len())?;
        let parts = lanes
            .chunks(HEADERS_A_CALL)
            .map(|part| self.some_headers(part));
        let parts = futures::future::try_join_all(parts).await?;
        Ok(parts.into_iter().flatten().collect())
    }

    async fn documents(&self, keys: &[String]) -> StoreResult<Vec<Option<Document>>> {
        bounds::read("documents", keys.len())?;
        let read = keys.iter().map(|key| {
            let mut get = cmd("HMGET");
            get.arg(self.link.key(&format!("d:{key}")))
                .arg("v")
                .arg("b");
            self.ask(get)
        });
        let mut documents = Vec::with_capacity(keys.len());
        for value in futures::future::try_join_all(read).await? {
            let mut parts = Parts::of(value, "a document")?;
            let version = optional(parts.value()?, |value| parsed(value, "a document"))?;
            let body = optional(parts.value()?, |value| text(value, "a document"))?;
            documents.push(version.map(|version| Document { version, body }));
        }
        Ok(documents)
    }

    async fn child_records(
        &self,
        lane: LaneId,
        keys: &[String],
    ) -> StoreResult<Vec<Option<Child>>> {
        bounds::read("children", keys.len())?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = cmd("HMGET");
        let form = self.link.form;
        get.arg(self.link.name("c", &form.id(lane.0))).arg(keys);
        let values = array(self.ask(get).await?, "children")?;
        let child = |(key, value): (&String, Value)| {
            optional(value, |value| pages::child(form, key.clone(), value))
        };
        keys.iter().zip(values).map(child).collect()
    }

    async fn children(&self, lane: LaneId, after: Cursor) -> StoreResult<Page<Child>> {
        let from = parse_count(&after)?;
        let mut call = self.read_function("h1_children");
        call.arg(self.link.form.id(lane.0)).arg(from);
        pages::children(self.link.form, from, self.ask(call).await?)
    }

    async fn query(
        &self,
        index: &str,
        newest_first: bool,
        after: Cursor,
    ) -> StoreResult<Page<IndexEntry>> {
        bounds::name("index", index)?;
        let form = self.link.form;
        let place = match &after.0 {
            Some(place) => parse_entry(place).map(|(score, member)| form.place(score, member))?,
            None => Vec::new(),
        };
        let mut call = self.read_function("h1_query");
        call.arg(form.index(index))
            .arg(u8::from(newest_first))
            .arg(place);
        pages::entries(form, self.ask(call).await?)
    }

    async fn log(&self, lane: LaneId, from: u64) -> StoreResult<Vec<String>> {
        let to = from.saturating_add(READ_MAX as u64 - 1);
        let mut range = cmd("LRANGE");
        range.arg(self.link.name("g", &self.link.form.id(lane.0)));
        range.arg(from).arg(to);
        let events = array(self.ask(range).await?, "a log")?;
        events
            .into_iter()
            .map(|event| decode::packed_text(event, Some(lane.0), "an event"))
            .collect()
    }

    async fn lanes(&self, after: Cursor) -> StoreResult<Page<Header>> {
        self.scan_lanes(after).await
    }

    async fn run_record(&self, run: RunId) -> StoreResult<Option<RunRecord>> {
        let form = self.link.form;
        let mut call = self.read_function("h1_run");
        call.arg(form.id(run.0));
        optional(self.ask(call).await?, |value| {
            decode::run_record(form, run, value)
        })
    }

    async fn run_summary(&self, run: RunId) -> StoreResult<Option<String>> {
        Ok(self.run_record(run).await?.map(|record| record.summary))
    }

    async fn trim_ledger(&self, below: u64, max: usize) -> StoreResult<bool> {
        self.trim_lines(below, max).await
    }

    async fn ledger(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        self.ledger_lines(from).await
    }

    async fn feed(&self, after: Seq, wait_ms: u64) -> StoreResult<Vec<FeedEntry>> {
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        loop {
            let mut call = self.read_function("h1_feed");
            call.arg(after.0);
            let entries = pages::feed(self.link.form, self.ask(call).await?)?;
            if !entries.is_empty() || Instant::now() >= deadline {
                return Ok(entries);
            }
            tokio::time::sleep(Duration::from_millis(FEED_LOOK_MS.min(wait_ms))).await;
        }
    }

    async fn resource(&self, key: &str) -> StoreResult<ResourceView> {
        self.view_resource(key).await
    }

    async fn counts(&self) -> StoreResult<Counts> {
        let (counts, _) = decode::counts(self.ask(self.read_function("h1_counts")).await?)?;
        self.link.past.heard_of(counts.seq);
        Ok(counts)
    }
}
