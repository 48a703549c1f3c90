//! Cancel, pause, resume.

use super::outcome::{self, Settled};
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::Problem;
use crate::read::{self, Reading};
use hostler_core::command::Command;
use hostler_core::id::RunId;
use serde::{Deserialize, Serialize};

/// What is wished of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Settle what runs, take back what is declared, end as cancelled.
    Cancel,
    /// Nothing new starts.
    Pause,
    Resume,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlAsk {
    #[serde(default)]
    pub reason: Option<String>,
}

/// # Errors
/// `forbidden`, `not-found`, `ended`, `refused`.
pub async fn control(
    api: &Api,
    subject: &Subject,
    run: RunId,
    wish: Wish,
    ask: ControlAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    let action = if wish == Wish::Cancel {
        Action::CancelRun
    } else {
        Action::ControlRun
    };
    let reading = allowed(api, subject, run, action).await?;
    let by = subject.person.clone();
    let command = match wish {
        Wish::Cancel => Command::Cancel {
            by,
            reason: ask.reason,
        },
        Wish::Pause => Command::Pause { by },
        Wish::Resume => Command::Resume { by },
    };
    outcome::try_out(api, &reading, &command).await?;
    let id = outcome::command_id(api, subject, run.root(), key);
    outcome::send(api, run.root(), id, &command, &reading).await
}

/// The run's first lane, if the subject may do this to the run.
pub(super) async fn allowed(
    api: &Api,
    subject: &Subject,
    run: RunId,
    action: Action,
) -> Result<Reading, Problem> {
    // Who may see no run at all does not learn which there are.
    authorize(subject, Action::ReadRuns, Resource::Realm)
        .check(subject)
        .or_else(|refused| {
            if subject
                .qualifies
                .iter()
                .any(|held| held.starts_with("customer:"))
            {
                Ok(())
            } else {
                Err(refused)
            }
        })?;
    let row = read::run(api, run).await?;
    let definition = read::definition(api, row.definition).await?;
    let resource = Resource::Run {
        starter: &row.starter,
        policy: &definition.policy,
    };
    authorize(subject, action, resource).check(subject)?;
    let api = &read::of_run(api, run).await?;
    read::lane(api, run.root()).await
}
