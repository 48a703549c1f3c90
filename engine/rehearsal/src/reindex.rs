//! Everything that can be made anew from the logs: taken down, destroyed, made anew, compared.
//!
//! Not here: how it is made anew (`hostler_worker::Reindex`).

use crate::people::People;
use crate::play::begin;
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_core::id::RunId;
use hostler_core::view::index;
use hostler_ports::store::upkeep::stray_lanes;
use hostler_ports::store::{
    CommitError, Cursor, IndexChange, IndexEntry, Store, StoreError, StoreResult, Upkeep, bounds,
};
use hostler_worker::{Reindex, Reindexed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Moves between two comparisons, and comparisons of one scenario.
const EVERY: u32 = 9;
const COMPARISONS_MAX: u32 = 40;
/// A scenario in which nothing has moved for so many pauses is over.
const IDLE_MAX: u32 = 300;
const PAUSE_MS: i64 = 1_800_000;
/// Pages of one reading, and steps of one reindexing.
const STEPS_MAX: u32 = 100_000;

/// What a store says besides its logs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    pub indexes: BTreeMap<String, Vec<IndexEntry>>,
    /// Of lanes and of runs, by id.
    pub summaries: BTreeMap<String, String>,
}

impl Derived {
    /// # Errors
    /// The store's.
    pub async fn of(store: &dyn Store) -> StoreResult<Self> {
        let mut derived = Self::default();
        let mut runs: BTreeSet<RunId> = BTreeSet::new();
        let mut cursor = Cursor::default();
        for _ in 0..STEPS_MAX {
            let page = store.lanes(cursor).await?;
            for header in page.entries {
                runs.insert(header.run);
                derived
                    .summaries
                    .insert(header.lane.to_string(), header.summary);
            }
            match page.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        let mut names: Vec<String> = [index::RUNS, index::WAITING, index::LEASES]
            .map(str::to_owned)
            .into();
        for run in runs {
            let summary = store.run_summary(run).await?.unwrap_or_default();
            derived.summaries.insert(format!("run {run}"), summary);
            names.extend([
                index::notices(run),
                index::waiting_in(run),
                stray_lanes(run),
            ]);
        }
        for name in names {
            let entries = entries(store, &name).await?;
            derived.indexes.insert(name, entries);
        }
        Ok(derived)
    }

    /// Takes all of it out of the store, and leaves an entry in each list that stands for nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn destroy(&self, store: &dyn Store) -> Result<(), CommitError> {
        let mut index = Vec::new();
        for (name, entries) in &self.indexes {
            index.extend(entries.iter().map(|entry| IndexChange::Remove {
                index: name.clone(),
                member: entry.member.clone(),
            }));
        }
        for name in [index::RUNS, index::WAITING, index::LEASES] {
            index.push(IndexChange::Put {
                index: name.to_owned(),
                member: uuid::Uuid::nil().to_string(),
                score: 7,
                body: "{}".to_owned(),
            });
        }
        for changes in index.chunks(bounds::LIST_MAX) {
            let index = changes.to_vec();
            store
                .upkeep(Upkeep {
                    index,
                    ..Upkeep::default()
                })
                .await?;
        }
        for name in self.summaries.keys() {
            let mut change = Upkeep::default();
            match name.strip_prefix("run ") {
                Some(run) => change
                    .runs
                    .extend(run.parse().map(|run| (run, "{}".into()))),
                None => change
                    .summaries
                    .extend(name.parse().map(|lane| (lane, "{}".into()))),
            }
            store.upkeep(change).await?;
        }
        Ok(())
    }

    /// The first difference, if there is one.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Option<String> {
        for (name, entries) in &self.indexes {
            if other.indexes.get(name) != Some(entries) {
                let other = other.indexes.get(name);
                return Some(format!("{name}: {entries:?} became {other:?}"));
            }
        }
        for (name, summary) in &self.summaries {
            let other = other.summaries.get(name);
            if !other.is_some_and(|other| says_as_much(summary, other)) {
                return Some(format!("{name}: {summary} became {other:?}"));
            }
        }
        let sizes = |derived: &Self| (derived.indexes.len(), derived.summaries.len());
        (sizes(self) != sizes(other)).then(|| "there is more than before".to_owned())
    }
}

/// The same text; for a lane that was spawned and never held, all that its first summary says.
fn says_as_much(before: &str, after: &str) -> bool {
    let read = |text| serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(text).ok();
    let (Some(old), Some(new)) = (read(before), read(after)) else {
        return before == after;
    };
    let newborn = !old.contains_key("paused") && old.contains_key("phase");
    before == after || (newborn && old.iter().all(|(name, value)| new.get(name) == Some(value)))
}

async fn entries(store: &dyn Store, name: &str) -> StoreResult<Vec<IndexEntry>> {
    let (mut entries, mut cursor) = (Vec::new(), Cursor::default());
    for _ in 0..STEPS_MAX {
        let page = store.query(name, false, cursor).await?;
        entries.extend(page.entries);
        match page.next {
            Some(next) => cursor = next,
            None => return Ok(entries),
        }
    }
    Err(StoreError::Bounds(format!("{name} has no end")))
}

/// All steps of a reindexing, each by a new process.
///
/// # Errors
/// The store's, or what could not be read.
pub async fn reindex(store: &Arc<dyn Store>) -> Result<Reindexed, hostler_worker::Trouble> {
    let mut whole = Reindexed::default();
    for _ in 0..STEPS_MAX {
        let step = Reindex::new(Arc::clone(store)).step().await?;
        whole.lanes += step.lanes;
        whole.removed += step.removed;
        whole.failed.extend(step.failed);
        if step.done {
            break;
        }
    }
    Ok(whole)
}

/// Comparisons made while a scenario was played, and the kinds of entries that they met.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    pub times: u32,
    /// Most entries of an index, by its name without ids.
    pub met: BTreeMap<String, usize>,
    pub differences: Vec<String>,
}

/// Plays a scenario, and every few moves destroys and makes anew what its logs account for.
///
/// # Errors
/// As `play`.
pub async fn made_anew(stage: &Stage, scenario: &Scenario) -> Result<Compared, Trouble> {
    let world = World::new(stage, scenario);
    begin(&world, scenario, "rehearsal").await?;
    let mut people = People::of(scenario).settling();
    let mut compared = Compared::default();
    let (mut moves, mut idle) = (0, 0);
    while compared.times < COMPARISONS_MAX && compared.differences.is_empty() && idle < IDLE_MAX {
        if world.step().await? {
            moves += 1;
            idle = 0;
            if moves % EVERY == 0 {
                compare(&world, &mut compared).await?;
            }
            continue;
        }
        if idle == 0 {
            compare(&world, &mut compared).await?;
        }
        idle += 1;
        if !people.act(&world).await? {
            world.pass(PAUSE_MS).await?;
        }
    }
    Ok(compared)
}

async fn compare(world: &World, compared: &mut Compared) -> Result<(), Trouble> {
    let store: Arc<dyn Store> = Arc::clone(&world.store) as _;
    let before = Derived::of(&*store).await?;
    let stuck = |fault: String| Trouble::Stuck(fault);
    before
        .destroy(&*store)
        .await
        .map_err(|fault| stuck(fault.to_string()))?;
    let done = reindex(&store)
        .await
        .map_err(|fault| stuck(fault.to_string()))?;
    let after = Derived::of(&*store).await?;
    compared.times += 1;
    for (name, entries) in &before.indexes {
        let name = name.split(':').next().unwrap_or_default().to_owned();
        let met = compared.met.entry(name).or_default();
        *met = entries.len().max(*met);
    }
    compared.differences.extend(before.differs(&after));
    compared.differences.extend(
        done.failed
            .iter()
            .map(|(lane, why)| format!("{lane}: {why}")),
    );
    Ok(())
}
