//! Two runs over one server, beside or behind each other: what a lease of the first one keeps off holds the second one,
//! until the lease ends.
//!
//! Not here: what a lease keeps off, and when it ends.

use crate::between::{Between, Raced, written_before_each_commit};
use crate::doors::{Watched, until, watched_while_held};
use crate::people::People;
use crate::play::{Disturbance, Outcome, begin, read, run_out};
use crate::scaffold::disturb_commits;
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_api::services::leases::{self as services, LeaseAsk};
use hostler_api::services::outcome::Settled;
use hostler_api::{Problem, Subject};
use hostler_core::id::{LaneId, RunId};
use hostler_core::lease::{Leases, leases_document};
use hostler_core::view::LeaseRow;
use hostler_ports::store::{DocumentWrite, Store};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What came of it.
pub struct Behind {
    /// The second run as it ended, with the calls, messages and entries of both.
    pub outcome: Outcome,
    /// From when the second run was first held, hours long.
    pub calls: Watched,
    /// What still kept something off the server at the end.
    pub left: Leases,
    /// Commits until the lease of the first run was open, and what the store said of it then.
    pub commits: u64,
    pub opened: Leases,
}

/// The second run, held.
struct Held {
    world: World,
    run: RunId,
    people: People,
    calls: Watched,
    commits: u64,
    opened: Leases,
}

/// Starts `first`, and `second` as soon as something is kept off `asset`; watches `second` for so many hours from when
/// a lease first holds it, and plays it to its end. `crash`: the answer of this commit is lost with its worker.
///
/// # Errors
/// As `play`; also when nothing is ever kept off, or no lease holds the second run.
pub async fn behind_a_lease(
    stage: &Stage,
    (first, second): (&Scenario, &Scenario),
    asset: &str,
    crash: Option<u64>,
    hours: u32,
) -> Result<Behind, Trouble> {
    let held = held_behind(stage, (first, second), asset, crash, hours).await?;
    ended(held, asset).await
}

/// What people say of a lease: by how much it lives longer, such as `24h`; none: it ends now.
#[derive(Clone, Debug)]
pub struct Steer {
    pub by: String,
    pub longer: Option<String>,
}

/// What came of what they said.
pub struct Steered {
    pub behind: Behind,
    /// What the list of leases said before each of them, and behind the last one.
    pub listed: Vec<Vec<LeaseRow>>,
    pub said: Vec<Result<Settled, Problem>>,
}

/// As `behind_a_lease`; when the second run was held for so many hours, people steer the lease, one behind the other.
///
/// # Errors
/// As `behind_a_lease`.
pub async fn behind_a_steered_lease(
    stage: &Stage,
    runs: (&Scenario, &Scenario),
    asset: &str,
    hours: u32,
    steers: &[Steer],
) -> Result<Steered, Trouble> {
    let held = held_behind(stage, runs, asset, None, hours).await?;
    let (mut listed, mut said) = (Vec::new(), Vec::new());
    for steer in steers {
        let rows = rows(&held.world, asset, &steer.by).await?;
        let lane = rows.first().map(|row| row.lane);
        let lane = lane.ok_or_else(|| Trouble::Stuck("no lease is listed".to_owned()))?;
        said.push(steered(&held.world, lane, steer).await?);
        held.world.settle().await?;
        listed.push(rows);
    }
    if let Some(last) = steers.last() {
        listed.push(rows(&held.world, asset, &last.by).await?);
    }
    Ok(Steered {
        behind: ended(held, asset).await?,
        listed,
        said,
    })
}

fn subject(world: &World, person: &str) -> Result<Subject, Trouble> {
    Subject::of(&*world.api.directory, person, "rehearsal")
        .ok_or_else(|| Trouble::Stuck(format!("{person} is nobody")))
}

async fn rows(world: &World, asset: &str, by: &str) -> Result<Vec<LeaseRow>, Trouble> {
    let page = services::list(&world.api, &subject(world, by)?, Some(asset), None).await;
    let page = page.map_err(|problem| Trouble::Stuck(problem.to_string()))?;
    Ok(page.leases)
}

async fn steered(
    world: &World,
    lane: LaneId,
    steer: &Steer,
) -> Result<Result<Settled, Problem>, Trouble> {
    let subject = subject(world, &steer.by)?;
    let ask = LeaseAsk {
        longer: steer.longer.clone(),
        reason: "it is tried out".to_owned(),
    };
    Ok(match ask.longer {
        None => services::release(&world.api, &subject, lane, ask, None).await,
        Some(_) => services::extend(&world.api, &subject, lane, ask, None).await,
    })
}

async fn held_behind(
    stage: &Stage,
    (first, second): (&Scenario, &Scenario),
    asset: &str,
    crash: Option<u64>,
    hours: u32,
) -> Result<Held, Trouble> {
    let mut both = first.clone();
    both.answers.extend(second.answers.clone());
    let world = World::new(stage, &both);
    begin(&world, first, "first").await?;
    let disturbed = disturb_commits(
        &world,
        Disturbance {
            crash_after_commit: crash,
            ..Disturbance::default()
        },
    );
    let mut people = People::of(first);
    until(&world, &mut people, "a lease", async |world| {
        Ok(!leases(world, asset).await?.leases.is_empty())
    })
    .await?;
    let commits = disturbed.commits.load(Ordering::SeqCst);
    let opened = leases(&world, asset).await?;
    let run = begin(&world, second, "second").await?;
    let mut people = People::of(second);
    let calls = watched_while_held(&world, &mut people, "lease", hours).await?;
    Ok(Held {
        world,
        run,
        people,
        calls,
        commits,
        opened,
    })
}

async fn ended(mut held: Held, asset: &str) -> Result<Behind, Trouble> {
    let ended = run_out(&held.world, held.run, &mut held.people).await?;
    let mut outcome = read(&held.world, held.run, ended).await?;
    outcome.complaints.append(&mut held.people.complaints);
    Ok(Behind {
        outcome,
        left: leases(&held.world, asset).await?,
        calls: held.calls,
        commits: held.commits,
        opened: held.opened,
    })
}

async fn leases(world: &World, asset: &str) -> Result<Leases, Trouble> {
    let found = world.store.documents(&[leases_document(asset)]).await?;
    let body = found.into_iter().flatten().next().and_then(|it| it.body);
    Ok(match body {
        Some(body) => serde_json::from_str(&body)?,
        None => Leases::default(),
    })
}

/// Leases appear before each commit, between a worker's look at the gates and its write, and end later.
///
/// # Errors
/// As `play`.
pub async fn leased_before_each_commit(
    stage: &Stage,
    scenario: &Scenario,
    leases: &BTreeMap<String, Leases>,
) -> Result<Vec<Raced>, Trouble> {
    let put = leases.iter().map(|(asset, leases)| DocumentWrite {
        key: leases_document(asset),
        body: serde_json::to_string(leases).ok(),
    });
    let between = Between {
        gate: "lease",
        assets: leases.keys().cloned().collect(),
        put: put.collect(),
    };
    written_before_each_commit(stage, scenario, &between).await
}
