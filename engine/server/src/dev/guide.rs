//! What a person sees who starts `hostler dev`: where things are, and at every question the exact next
//! command.

use super::start::Practice;
use crate::cli::Context;
use crate::cli::{asked, show};
use crate::client::Client;
use crate::failure::Failure;
use hostler_api::services::runs::RunList;
use hostler_api::services::start::{StartAnswer, StartAsk};
use hostler_api::services::waiting::WaitingView;
use hostler_core::id::LaneId;
use hostler_core::view::WaitingRow;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often the guide looks for new questions. A person reads slower than this.
const LOOK: Duration = Duration::from_millis(500);
/// The runbook that practice begins with.
pub const RUNBOOK: &str = "monthly-patch";

/// What the first run of the practice estate is asked for: the waits of days are seconds.
pub fn first_run() -> StartAsk {
    StartAsk {
        runbook: RUNBOOK.to_owned(),
        version: None,
        inputs: json!({
            "canaries": "0d", "early": "0d", "others": "0d", "soak": "2s", "soak_early": "2s",
        }),
        reason: Some("practice".to_owned()),
    }
}

pub async fn guide(context: &Context, practice: &Practice) -> Result<(), Failure> {
    let client = practice.client(&practice.state.operator)?;
    welcome(context, practice);
    let runs: RunList = client.get("/api/v1/runs?limit=1").await?;
    if runs.runs.is_empty() {
        let started: StartAnswer = client
            .post("/api/v1/runs", &first_run(), Some("first"))
            .await?;
        context.out.note(&format!(
            "\nstarted for you by {}:\n{}",
            practice.state.operator,
            show::plan(&started.plan)
        ));
    }
    let mut told: BTreeSet<LaneId> = BTreeSet::new();
    let mut mails = practice.sink.count();
    while !practice.shutdown.is_cancelled() {
        tell(context, practice, &client, &mut told).await?;
        tokio::select! {
            () = practice.shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        if mails.has_changed().unwrap_or(false) {
            let count = *mails.borrow_and_update();
            context.out.note(&format!(
                "mail caught: {count} messages so far (hostler notice list RUN)"
            ));
        }
    }
    Ok(())
}

fn welcome(context: &Context, practice: &Practice) {
    let staff: Vec<String> = practice
        .directory
        .people()
        .into_iter()
        .filter(|person| !person.roles.is_empty())
        .map(|person| format!("{} ({})", person.id, person.roles.join(", ")))
        .collect();
    context.out.note(&format!(
        "Hostler practices at {}\n  40 servers of 6 customers that do not exist; mail is caught at {}\n  people: {}\n  \
         act as one of them with --as, e.g. hostler run list --as vera\n  Ctrl-C ends it; --fresh forgets it",
        practice.state.address,
        practice.sink.address(),
        staff.join(", "),
    ));
}

/// Tells each question once, with the command and a person who may give it.
async fn tell(
    context: &Context,
    practice: &Practice,
    client: &Client,
    told: &mut BTreeSet<LaneId>,
) -> Result<(), Failure> {
    let waiting: Vec<WaitingRow> = client.get("/api/v1/waiting").await?;
    let open: BTreeSet<LaneId> = waiting.iter().map(|row| row.lane).collect();
    told.retain(|lane| open.contains(lane));
    for row in waiting {
        if !told.insert(row.lane) {
            continue;
        }
        let view: WaitingView = match client.get(&format!("/api/v1/waiting/{}", row.lane)).await {
            Ok(view) => view,
            // Settled between the two looks.
            Err(Failure::Refused(_)) => continue,
            Err(fault) => return Err(fault),
        };
        let person = view
            .people
            .iter()
            .find(|person| **person != practice.state.operator)
            .or(view.people.first());
        let person = person.map_or_else(String::new, |person| format!(" --as {person}"));
        context.out.note(&format!(
            "\nwaiting: {}\n  for {}\n  look   hostler {} show {}\n  settle {}{person}\n  watch  hostler run follow {}",
            row.title,
            asked::wanted(&row),
            if row.kind.is_form() { "ask" } else { "approve" },
            show::short(row.lane),
            asked::next_command(&row),
            show::short(row.run),
        ));
    }
    Ok(())
}
