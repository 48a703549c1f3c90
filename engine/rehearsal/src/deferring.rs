//! A run whose customers put turns off once they are announced, played to its end.
//!
//! Not here: what was agreed, and links of messages.

use crate::doors::until;
use crate::people::People;
use crate::play::{Outcome, begin, read, run_out};
use crate::scenario::Scenario;
use crate::world::{Stage, Trouble, World};
use hostler_api::Subject;
use hostler_api::services::deferrals::{DeferWish, defer};
use hostler_core::id::RunId;
use hostler_ports::store::Store;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Somebody wants a turn to be put off.
pub struct Wish<'a> {
    pub by: &'a str,
    pub asset: &'a str,
    /// Behind the announcement.
    pub until_days: i64,
    /// How long after the announcement it comes, in hours; the wishes come in their order.
    pub after_hours: i64,
}

/// What came of it.
pub struct Deferring {
    /// When the turns were announced.
    pub announced_ms: i64,
    /// Why each wish was refused; none: it was granted.
    pub refused: Vec<Option<String>>,
    pub outcome: Outcome,
}

/// Plays the scenario until its first announcement, lets the wishes come, and plays it to its end.
///
/// # Errors
/// As `play`; also when nothing is announced.
pub async fn put_off(
    stage: &Stage,
    scenario: &Scenario,
    wishes: &[Wish<'_>],
) -> Result<Deferring, Trouble> {
    let world = World::new(stage, scenario);
    let mut people = People::of(scenario);
    let run = begin(&world, scenario, "first").await?;
    until(&world, &mut people, "an announcement", async |world| {
        let ledger = world.store.ledger(0).await?;
        Ok(ledger.iter().any(|line| line.body.contains("notice_due")))
    })
    .await?;
    let announced_ms = world.store.now_ms().await?;
    let mut refused = Vec::new();
    let mut waited_hours = 0;
    for wish in wishes {
        for _ in waited_hours..wish.after_hours {
            world.pass(HOUR_MS).await?;
            while world.step().await? || people.act(&world).await? {}
        }
        waited_hours = waited_hours.max(wish.after_hours);
        refused.push(wished(&world, run, wish, announced_ms).await?);
        world.settle().await?;
    }
    let ended = run_out(&world, run, &mut people).await?;
    Ok(Deferring {
        announced_ms,
        refused,
        outcome: read(&world, run, ended).await?,
    })
}

fn instant(at_ms: i64) -> Result<String, Trouble> {
    let at = jiff::Timestamp::from_millisecond(at_ms);
    let at = at.map_err(|fault| Trouble::Stuck(fault.to_string()))?;
    Ok(at.to_string())
}

async fn wished(
    world: &World,
    run: RunId,
    wish: &Wish<'_>,
    announced_ms: i64,
) -> Result<Option<String>, Trouble> {
    let subject = Subject::of(&*world.api.directory, wish.by, "rehearsal")
        .ok_or_else(|| Trouble::Stuck(format!("{} is nobody", wish.by)))?;
    let until = instant(announced_ms + wish.until_days * DAY_MS)?;
    let ask = DeferWish {
        assets: [wish.asset.to_owned()].into(),
        until,
        ..DeferWish::default()
    };
    let work = async {
        loop {
            if world.step().await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::select! {
        done = defer(&world.api, &subject, run, ask, None) => done,
        () = work => return Err(Trouble::Stuck("work has no end".to_owned())),
    };
    Ok(done.err().map(|problem| problem.to_string()))
}
