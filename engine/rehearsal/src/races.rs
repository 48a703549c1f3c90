//! What closes a gate between a worker's look and the commit that begins a call: for each changing call of a run, one
//! run in which exactly that happens.
//!
//! Not here: what a gate says, and which calls pass it.

use crate::host::Seen;
use crate::people::People;
use crate::play::{Outcome, begin, read, run_out};
use crate::scaffold::freeze;
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, Worker, World};
use futures::FutureExt;
use hostler_core::directory::Directory;
use hostler_ports::channel::Message;
use hostler_ports::returned::{NotReached, Returned, Vouched};
use hostler_ports::store::memory::{Fault, MemoryStore};
use hostler_worker::come_back;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Calls that are raced in one run; longer ones are refused rather than sampled.
const CALLS_MAX: usize = 200;

/// What happens in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// People declare a freeze of everything.
    Freeze,
    /// The worker dies; the one that comes after it has read other files of the estate.
    Exchange,
    /// The notices that had arrived come back, and no other arrives any more.
    Bounce,
}

/// A call of an undisturbed run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    pub action: String,
    pub asset: String,
    /// Number of the commit that begins it, from 1.
    commit: u64,
}

/// A run in which it happened.
pub struct Raced {
    pub step: Step,
    /// Calls on the same asset that began behind it and before its end, if it has one. One that had begun before, and is
    /// made again under its key because its worker died, is not among them, nor is what takes back.
    pub began: Vec<Seen>,
    pub outcome: Outcome,
}

/// The calls of these actions on assets, each with the commit that begins it. Everybody who is asked says yes.
///
/// # Errors
/// When the run neither ends nor waits, or makes too many calls.
pub async fn steps(
    stage: &Stage,
    scenario: &Scenario,
    actions: &BTreeSet<String>,
) -> Result<Vec<Step>, Trouble> {
    let world = World::new(stage, scenario);
    let run = begin(&world, scenario, "raced").await?;
    let (host, seen) = (Arc::clone(&world.host), Arc::new(Mutex::new(Vec::new())));
    let counted = Arc::clone(&seen);
    world.store.set_faults(Box::new(move |verb, _| {
        if verb == "commit" {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.push(host.seen().len());
        }
        None
    }));
    run_out(&world, run, &mut People::of(scenario).settling()).await?;
    world.store.clear_faults();
    let before = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let calls = world.host.seen().into_iter().enumerate();
    let calls = calls.filter(|(_, seen)| seen.entry == "perform" && actions.contains(&seen.action));
    let step = |(place, seen): (usize, Seen)| {
        // The last commit before a call is the one that begins it: there is one worker, and it does one thing at a time.
        let commit = before.partition_point(|calls| *calls <= place) as u64;
        let (action, asset) = (seen.action, seen.asset?);
        Some(Step {
            action,
            asset,
            commit,
        })
    };
    let steps: Vec<Step> = calls.filter_map(step).collect();
    match steps.len() {
        0..=CALLS_MAX => Ok(steps),
        many => Err(Trouble::Stuck(format!("{many} calls are too many to race"))),
    }
}

/// Plays the scenario with a race against one step. `then` is what a successor reads.
///
/// # Errors
/// As [`steps`].
pub async fn raced(
    stage: &Stage,
    then: &Stage,
    scenario: &Scenario,
    race: Race,
    step: &Step,
    actions: &BTreeSet<String>,
) -> Result<Raced, Trouble> {
    let world = World::new(stage, scenario);
    let run = begin(&world, scenario, "raced").await?;
    let happened = arm(&world, then, race, step.commit);
    let mut people = People::of(scenario).settling();
    let ended = run_out(&world, run, &mut people).await?;
    let outcome = read(&world, run, ended).await?;
    let happened = *happened.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((before, over_ms)) = happened else {
        return Err(Trouble::Stuck(format!("{step:?}: nothing has happened")));
    };
    let (earlier, behind) = outcome.seen.split_at(before);
    let again = |seen: &Seen| earlier.iter().any(|earlier| earlier.key == seen.key);
    let began = behind.iter().filter(|seen| {
        seen.entry == "perform"
            && !again(seen)
            && !seen.step.starts_with("undo:")
            && seen.asset.as_ref() == Some(&step.asset)
            && actions.contains(&seen.action)
            && seen.at_ms < over_ms
    });
    let (began, step) = (began.cloned().collect(), step.clone());
    Ok(Raced {
        step,
        began,
        outcome,
    })
}

/// Calls that had been made when it happened, and the instant of its end.
type Happened = Arc<Mutex<Option<(usize, i64)>>>;

fn arm(world: &World, then: &Stage, race: Race, commit: u64) -> Happened {
    let happened = Happened::default();
    let (told, host) = (Arc::clone(&happened), Arc::clone(&world.host));
    let (worker, heir): (Worker, Worker) = (world.worker.clone(), world.successor(then));
    let (store, next_hop) = (Arc::downgrade(&world.store), Arc::clone(&world.next_hop));
    let directory = Arc::clone(&world.api.directory);
    let commits = AtomicU64::new(0);
    world.store.set_faults(Box::new(move |verb, _| {
        if verb != "commit" || commits.fetch_add(1, Ordering::SeqCst) + 1 != commit {
            return None;
        }
        let store = store.upgrade()?;
        let calls = host.seen().len();
        let over_ms = match race {
            Race::Freeze => freeze(&store),
            Race::Exchange => {
                worker.is_succeeded_by(&heir);
                i64::MAX
            }
            Race::Bounce => {
                next_hop.refuse_all();
                bounce(&store, &*directory, &next_hop.taken());
                i64::MAX
            }
        };
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some((calls, over_ms));
        (race == Race::Exchange).then_some(Fault::Unreached)
    }));
    happened
}

/// Everything that was taken comes back, as mail servers report it.
fn bounce(store: &MemoryStore, directory: &dyn Directory, taken: &[Message]) {
    for message in taken {
        let returned = Returned {
            message_id: message.message_id.clone(),
            recipients: vec![NotReached {
                addresses: vec![message.to_address.clone()],
                failed: true,
                status: "5.1.1".to_owned(),
                diagnostic: "550 nobody of that name".to_owned(),
            }],
        };
        // The twin in memory never waits.
        let _ = come_back(store, directory, &returned, &Vouched::Signed).now_or_never();
    }
}
