//! A run over servers on which calls have taken so long before: whether it begins in a window, watched minute by minute.
//!
//! Not here: what fits, and where windows lie.

use crate::people::People;
use crate::play::{Ended, Outcome, begin, read, run_row};
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_ports::store::histories::{self, Kept};

const MINUTE_MS: i64 = 60_000;
const MINUTES: u32 = 60;

/// Calls of an action on one kind of asset that are over.
#[derive(Clone, Copy, Debug)]
pub struct Lasted<'a> {
    pub action: &'a str,
    pub kind: &'a str,
    pub ms: u64,
    pub times: u32,
}

/// What came of it.
pub struct Fitted {
    /// As it stood at the end of the watch.
    pub outcome: Outcome,
    /// What was known then of how long calls take.
    pub kept: Vec<Kept>,
}

/// Plays a scenario for so many hours with what was measured before, and behind the first half of them with `later`, too.
///
/// # Errors
/// As `play`.
pub async fn watched(
    stage: &Stage,
    scenario: &Scenario,
    (before, later): (&[Lasted<'_>], &[Lasted<'_>]),
    hours: u32,
) -> Result<Fitted, Trouble> {
    let world = World::new(stage, scenario);
    noted(&world, before).await?;
    let mut people = People::of(scenario);
    let run = begin(&world, scenario, "fitted").await?;
    let minutes = hours * MINUTES;
    for minute in 0..minutes {
        if minute == minutes / 2 {
            noted(&world, later).await?;
        }
        while world.step().await? || people.act(&world).await? {}
        world.pass(MINUTE_MS).await?;
    }
    let row = run_row(&world, run).await?;
    let ended = Ended {
        state: row.state,
        note: row.note,
    };
    Ok(Fitted {
        outcome: read(&world, run, ended).await?,
        kept: histories::all(&*world.store).await?,
    })
}

async fn noted(world: &World, all: &[Lasted<'_>]) -> Result<(), Trouble> {
    for one in all {
        for _ in 0..one.times {
            histories::note(&*world.store, one.action, one.kind, one.ms).await?;
        }
    }
    Ok(())
}
