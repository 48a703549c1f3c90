//! Sending a command and waiting (a little) for what becomes of it.
//!
//! A command is tried out with `decide` first, so that a refusal has a name. That trial promises
//! nothing: the worker decides again, by the same rules, on the lane as it then is.

use crate::durable::kept;
use crate::problem::{Code, Problem};
use crate::read::{self, Reading};
use crate::{Api, Subject};
use hostler_core::command::{Command, Input};
use hostler_core::decide::{Context, decide};
use hostler_core::event::Event;
use hostler_core::id::{LaneId, derive};
use hostler_ports::store::{Sent, Seq};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How long a caller is kept waiting for the lane's answer.
const WAIT_MS: u64 = 2_000;
/// One look at what has changed.
const LOOK_MS: u64 = 200;
/// Looks in that time, with room for those that a busy feed ends early.
const LOOKS_MAX: u32 = 200;
/// Only a trial: how long a lost call may still land changes nothing that is looked at.
const SETTLE_MS: i64 = 0;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// The lane has taken it.
    Done,
    /// It is durable and waits; the lane has not looked yet.
    Accepted,
}

/// The id of a command: derived from the caller's key, so that a repeat is known, else fresh.
#[must_use]
pub fn command_id(api: &Api, subject: &Subject, lane: LaneId, key: Option<&str>) -> Uuid {
    match key {
        Some(key) => derive(&[
            lane.0.as_bytes(),
            b"api",
            subject.person.as_bytes(),
            key.as_bytes(),
        ]),
        None => api.ids.fresh(),
    }
}

/// Tries a command out on the lane as it is.
///
/// # Errors
/// The named refusal.
pub async fn try_out(api: &Api, reading: &Reading, command: &Command) -> Result<(), Problem> {
    let definition = read::definition(api, reading.lane.opening.definition).await?;
    let items = read::items(api, &reading.lane).await?;
    let context = Context {
        definition: &definition,
        items: &items,
        settle_ms: SETTLE_MS,
    };
    decide(
        context,
        &reading.lane,
        Input::Command(command.clone()),
        reading.now_ms,
    )?;
    Ok(())
}

/// Sends a command and waits up to two seconds for its outcome.
///
/// # Errors
/// `ended` when the lane takes nothing any more, `refused` when it was overtaken by another.
pub async fn send(
    api: &Api,
    lane: LaneId,
    id: Uuid,
    command: &Command,
    before: &Reading,
) -> Result<Settled, Problem> {
    match deliver(api, lane, id, command).await? {
        Some(seq) => wait(api, lane, id, command, before, seq).await,
        None => Ok(Settled::Accepted),
    }
}

/// The same where a repeat is nothing that anybody may do.
///
/// # Errors
/// As `send`, and `decided-already` for a command that was sent before.
pub async fn send_once(
    api: &Api,
    lane: LaneId,
    id: Uuid,
    command: &Command,
    before: &Reading,
) -> Result<Settled, Problem> {
    match deliver(api, lane, id, command).await? {
        Some(seq) => wait(api, lane, id, command, before, seq).await,
        None => Err(
            Problem::new(Code::DecidedAlready, "this link was used already")
                .remedy("look at the notice that followed; for another change, call"),
        ),
    }
}

/// Into the lane's inbox; none: it lay there before. Gives the place in the feed before it.
async fn deliver(
    api: &Api,
    lane: LaneId,
    id: Uuid,
    command: &Command,
) -> Result<Option<Seq>, Problem> {
    let seq = Seq(api.store.counts().await?.seq);
    let body = serde_json::to_string(command)
        .map_err(|fault| Problem::new(Code::Internal, fault.to_string()))?;
    match api.store.send(lane, id, body).await? {
        Sent::Gone => Err(Problem::new(
            Code::Ended,
            "it has ended and takes no more commands",
        )),
        Sent::Known => {
            kept(api, None).await?;
            Ok(None)
        }
        Sent::Accepted => {
            kept(api, None).await?;
            Ok(Some(seq))
        }
    }
}

async fn wait(
    api: &Api,
    lane: LaneId,
    id: Uuid,
    command: &Command,
    before: &Reading,
    seq: Seq,
) -> Result<Settled, Problem> {
    let wait = settled(api, lane, id, command, before.lane.version, seq);
    match tokio::time::timeout(Duration::from_millis(WAIT_MS), wait).await {
        Ok(outcome) => outcome,
        Err(_) => Ok(Settled::Accepted),
    }
}

async fn settled(
    api: &Api,
    lane: LaneId,
    id: Uuid,
    command: &Command,
    from_version: u64,
    mut seq: Seq,
) -> Result<Settled, Problem> {
    for _ in 0..LOOKS_MAX {
        let reading = read::lane(api, lane).await?;
        let first = reading
            .lane
            .version
            .saturating_sub(reading.events.len() as u64);
        let skip = usize::try_from(from_version.saturating_sub(first)).unwrap_or(usize::MAX);
        if reading
            .events
            .iter()
            .skip(skip)
            .any(|recorded| follows(command, &recorded.event))
        {
            return Ok(Settled::Done);
        }
        if !reading.waiting.contains(&id) && reading.waiting.len() < hostler_ports::store::READ_MAX
        {
            // A snapshot may hide the event: only a lane that shows all its events has refused.
            let hidden = first > from_version;
            return if hidden {
                Ok(Settled::Accepted)
            } else {
                Err(overtaken())
            };
        }
        let news = api.store.feed(seq, LOOK_MS).await?;
        seq = news.last().map_or(seq, |entry| entry.seq);
    }
    Ok(Settled::Accepted)
}

fn overtaken() -> Problem {
    Problem::new(Code::Refused, "something else was decided first").remedy("look at the run again")
}

/// Whether an event is what the command asks for.
fn follows(command: &Command, event: &Event) -> bool {
    match (command, event) {
        (Command::Decide { actor, yes, .. }, Event::VoteCast { vote }) => {
            vote.person == actor.person && vote.yes == *yes
        }
        (Command::Answer { actor, .. }, Event::PersonSettled { by, choice, .. }) => {
            by.as_ref() == Some(&actor.person) && choice == "answered"
        }
        (
            Command::Choose { actor, choice, .. },
            Event::PersonSettled {
                by, choice: chosen, ..
            },
        ) => by.as_ref() == Some(&actor.person) && chosen == choice.name(),
        (Command::Cancel { by, .. }, Event::StopRequested { by: who, .. })
        | (Command::Pause { by }, Event::Paused { by: who })
        | (Command::Resume { by }, Event::Resumed { by: who })
        | (Command::RetryItems { by, .. }, Event::ItemsReopened { by: who, .. })
        | (Command::Release { by, .. }, Event::LeaseReleased { by: who, .. })
        | (Command::Extend { by, .. }, Event::LeaseExtended { by: who, .. }) => by == who,
        (Command::Defer { ask }, Event::TurnsPutOff { deferral }) => {
            deferral.by == ask.actor.person && deferral.until_ms == ask.until_ms
        }
        (Command::Consent { ask }, Event::ConsentDecided { consent }) => {
            consent.by == ask.actor.person
                && (consent.agrees, &consent.customer) == (ask.agrees, &ask.customer)
        }
        _ => false,
    }
}
