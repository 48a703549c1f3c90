//! The tour: a whole patch cycle played through the API, with every promise checked on the way. It
//! ends with exit code 0 only when all of it was as expected.

mod proof;

use super::guide::first_run;
use super::start::Practice;
use crate::cli::Context;
use crate::cli::show;
use crate::client::Client;
use crate::failure::Failure;
use hostler_api::Code;
use hostler_api::services::decide::{FormAsk, VoteAsk};
use hostler_api::services::retry::{Retried, RetryAsk};
use hostler_api::services::runs::{LaneView, RunView};
use hostler_api::services::start::StartAnswer;
use hostler_api::services::waiting::WaitingView;
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::PersonKind;
use hostler_core::result::LaneResult;
use hostler_core::view::WaitingRow;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for one thing, and for all of it.
const STEP_MAX: Duration = Duration::from_secs(60);
const TOUR_MAX: Duration = Duration::from_secs(170);
const LOOK: Duration = Duration::from_millis(100);
/// The server that fails its first verification.
const CANARY: &str = "chem-lab1";

/// Plays all of it.
///
/// # Errors
/// With the first thing that was not as expected.
pub async fn play(context: &Context, practice: &Practice) -> Result<(), Failure> {
    match tokio::time::timeout(TOUR_MAX, cycle(context, practice)).await {
        Ok(ended) => ended,
        Err(_) => Err(unexpected(format!(
            "the tour took longer than {} s",
            TOUR_MAX.as_secs()
        ))),
    }
}

fn unexpected(what: String) -> Failure {
    Failure::RunFailed(format!("the tour failed: {what}"))
}

fn expect(holds: bool, what: impl Into<String>) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(unexpected(what.into()))
    }
}

async fn cycle(context: &Context, practice: &Practice) -> Result<(), Failure> {
    let say = |text: &str| context.out.note(text);
    let olga = practice.client("olga")?;
    say("1  olga starts the monthly patching");
    let started: StartAnswer = olga.post("/api/v1/runs", &first_run(), None).await?;
    let run = started.run;
    say(&show::plan(&started.plan));
    expect(started.plan.waves.len() == 3, "there are three waves")?;

    say("\n2  every server is scanned; pat looks through what was found");
    triage(practice, run).await?;

    say("3  the change board approves: not olga, who started it; carla");
    approve(practice, run).await?;

    say("4  the canaries are patched; one fails on purpose and is taken back");
    let gate = question(&olga, run, PersonKind::WaveGate).await?;
    failed_canary(&olga, run).await?;
    say(&format!("   waiting: {}", gate.title));

    say("5  olga runs the failed one again, from the gate");
    again(&olga, run).await?;

    say("6  the early servers, then the rest");
    let view = end(practice, &olga, run).await?;
    say(&show::run(&context.out, &view, false));

    say("\n7  what the customers were told");
    let mails = proof::mails(context, practice, &olga, run).await?;

    say("\n8  the evidence");
    proof::evidence(context, practice, run, mails).await?;
    say("\nthe tour is over: all of it was as expected");
    Ok(())
}

/// Waits until something is there.
async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Failure>>,
{
    let found = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(STEP_MAX, found).await {
        Ok(found) => found,
        Err(_) => Err(unexpected(format!(
            "{what}: not within {} s",
            STEP_MAX.as_secs()
        ))),
    }
}

async fn show_run(client: &Client, run: RunId) -> Result<RunView, Failure> {
    client.get(&format!("/api/v1/runs/{run}")).await
}

/// The open question of a kind; a run that has ended instead is told with its note.
async fn question(client: &Client, run: RunId, kind: PersonKind) -> Result<WaitingRow, Failure> {
    until(&format!("a question ({kind:?})"), || async {
        let view = show_run(client, run).await?;
        let ended = view.run.ended_ms.is_some();
        expect(
            !ended,
            format!(
                "the run ended as {} {}",
                view.run.state,
                view.run.note.clone().unwrap_or_default()
            ),
        )?;
        Ok(view.waiting.into_iter().find(|row| row.kind == kind))
    })
    .await
}

async fn triage(practice: &Practice, run: RunId) -> Result<(), Failure> {
    let pat = practice.client("pat")?;
    let row = question(&pat, run, PersonKind::Ask).await?;
    let path = format!("/api/v1/waiting/{}/answer", row.lane);
    let wrong = FormAsk {
        signs: row.signs,
        answer: json!({ "exclude": 5 }),
    };
    refused(
        pat.post::<Value>(&path, &wrong, None).await,
        Code::AnswerInvalid,
    )?;
    let answer = json!({ "exclude": ["samba"], "leave_out": [], "reason": "known bad" });
    let _: Value = pat
        .post(
            &path,
            &FormAsk {
                signs: row.signs,
                answer,
            },
            None,
        )
        .await?;
    Ok(())
}

fn refused<T>(answer: Result<T, Failure>, code: Code) -> Result<(), Failure> {
    match answer {
        Err(Failure::Refused(problem)) if problem.code == code => Ok(()),
        Err(other) => Err(unexpected(format!(
            "expected {}, got: {other}",
            code.name()
        ))),
        Ok(_) => Err(unexpected(format!(
            "it was accepted instead of refused as {}",
            code.name()
        ))),
    }
}

async fn approve(practice: &Practice, run: RunId) -> Result<(), Failure> {
    let (olga, carla) = (practice.client("olga")?, practice.client("carla")?);
    let row = question(&carla, run, PersonKind::Approve).await?;
    let view: WaitingView = carla.get(&format!("/api/v1/waiting/{}", row.lane)).await?;
    let targets = view
        .shown
        .pointer("/plan/targets")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    expect(targets > 0, "the approval shows the plan with its targets")?;
    let path = format!("/api/v1/waiting/{}/decision", row.lane);
    let yes = |signs| VoteAsk {
        yes: true,
        signs,
        comment: Some("as discussed".to_owned()),
        typed: None,
        waive: Vec::new(),
        code: None,
    };
    refused(
        olga.post::<Value>(&path, &yes(row.signs), None).await,
        Code::NotAsked,
    )?;
    refused(
        carla
            .post::<Value>(&path, &yes(Digest::of(b"something else")), None)
            .await,
        Code::Changed,
    )?;
    let _: Value = carla.post(&path, &yes(row.signs), None).await?;
    Ok(())
}

/// The canary failed its verification, and its packages came back.
async fn failed_canary(client: &Client, run: RunId) -> Result<(), Failure> {
    let view = show_run(client, run).await?;
    let lane = view
        .lanes
        .iter()
        .find(|lane| lane.key.as_deref() == Some(CANARY) && lane.wave.is_some());
    let lane = lane.ok_or_else(|| unexpected(format!("{CANARY} is not among the canaries")))?;
    expect(
        lane.result == Some(LaneResult::RolledBack),
        format!("{CANARY} ended as {:?}", lane.result),
    )?;
    let lane: LaneView = client
        .get(&format!("/api/v1/runs/{run}/lanes/{}", lane.lane))
        .await?;
    let undone = lane
        .steps
        .iter()
        .find(|(step, _)| step.starts_with("undo:") && !step.contains("unsilence"));
    let undone = undone.ok_or_else(|| unexpected("no undo step left a result".to_owned()))?;
    let all: Vec<String> = lane
        .steps
        .iter()
        .map(|(step, result)| format!("{step} {}", result.state.name()))
        .collect();
    expect(
        undone.1.reason.is_none(),
        format!("the undo failed: {}", all.join(", ")),
    )
}

/// The failed item runs again; nobody needs to approve the gate then.
async fn again(client: &Client, run: RunId) -> Result<(), Failure> {
    let retried: Retried = client
        .post(
            &format!("/api/v1/runs/{run}/retry"),
            &RetryAsk::default(),
            None,
        )
        .await?;
    match retried {
        Retried::Items { items, .. } if items == [CANARY] => Ok(()),
        other => Err(unexpected(format!(
            "{CANARY} should run again, not {other:?}"
        ))),
    }
}

/// Until the run ends. Gates that still ask are approved by the patch lead.
async fn end(practice: &Practice, client: &Client, run: RunId) -> Result<RunView, Failure> {
    let lee = practice.client("lee")?;
    let view = until("the end of the run", || async {
        let view = show_run(client, run).await?;
        if view.run.ended_ms.is_some() {
            return Ok(Some(view));
        }
        if let Some(gate) = view
            .waiting
            .iter()
            .find(|row| row.kind == PersonKind::WaveGate)
        {
            let ask = VoteAsk {
                yes: true,
                signs: gate.signs,
                comment: Some("go on".to_owned()),
                typed: None,
                waive: Vec::new(),
                code: None,
            };
            let settled = lee
                .post::<Value>(
                    &format!("/api/v1/waiting/{}/decision", gate.lane),
                    &ask,
                    None,
                )
                .await;
            settled.or_else(|fault| match fault {
                // Settled between the look and the vote.
                Failure::Refused(_) => Ok(Value::Null),
                fault => Err(fault),
            })?;
        }
        Ok(None)
    })
    .await?;
    let state = &view.run.state;
    let good = LaneResult::named(state).is_some_and(LaneResult::is_done);
    let note = view.run.note.clone().unwrap_or_default();
    expect(good, format!("the run ended as {state}: {note}"))?;
    let patched = view.lanes.iter().filter(|lane| lane.wave.is_some()).count();
    let bad = view
        .lanes
        .iter()
        .filter(|lane| lane.wave.is_some() && lane.result.is_none_or(LaneResult::is_failure));
    let bad: Vec<_> = bad.filter_map(|lane| lane.key.clone()).collect();
    expect(
        patched >= 30 && bad.is_empty(),
        format!("{patched} servers were patched, badly: {bad:?}"),
    )?;
    Ok(view)
}
