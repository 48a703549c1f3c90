//! Brings packages back to the versions before a set: all of them, or none and a word about it.

use super::{Changed, WORK_TIMEOUT_MS};
use crate::job::{self, Checkpoint, Finished, Phase};
use crate::said::{self, Said};
use crate::scripts;
use hostler_sdk::{Action, Context, Done, Meta, Observation, Observed, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoInput {
    /// The set that was applied; without it the last one that this lane applied there.
    #[serde(default)]
    set: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct UndoOutput {
    changed: Vec<Changed>,
}

pub struct Undo;

impl Action for Undo {
    type Input = UndoInput;
    type Output = UndoOutput;
    const META: Meta = Meta::once(
        "guest-patch.undo",
        "Brings packages back to the versions before the set.",
    )
    .outage()
    .timeout_ms(WORK_TIMEOUT_MS);

    fn perform(ctx: &mut Context<'_>, input: UndoInput) -> Outcome<UndoOutput> {
        let said = job::start(ctx, "undo", input.set.as_deref())?;
        end(said, Checkpoint::at(Phase::Packages))
    }

    fn resume(ctx: &mut Context<'_>, input: UndoInput, checkpoint: Value) -> Outcome<UndoOutput> {
        let checkpoint = Checkpoint::read(checkpoint)?;
        go_on(ctx, &input).map_err(|stop| checkpoint.missed(stop))
    }

    fn observe(
        ctx: &mut Context<'_>,
        _input: UndoInput,
        _checkpoint: Option<Value>,
    ) -> Observation<UndoOutput> {
        observe(ctx).or_else(job::observed_stop)
    }

    fn cancel(
        ctx: &mut Context<'_>,
        _input: UndoInput,
        _checkpoint: Option<Value>,
    ) -> Outcome<UndoOutput> {
        end(job::cancel(ctx)?, Checkpoint::at(Phase::Packages))
    }
}

fn go_on(ctx: &mut Context<'_>, input: &UndoInput) -> Outcome<UndoOutput> {
    let mut said = job::status(ctx)?;
    if matches!(said, Said::Absent { .. } | Said::Dead { .. }) {
        said = job::start(ctx, "undo", input.set.as_deref())?;
    }
    end(said, Checkpoint::at(Phase::Packages))
}

fn end(said: Said, checkpoint: Checkpoint) -> Outcome<UndoOutput> {
    let finished = job::settle(said, checkpoint)?;
    let evidence = if finished.reboot_needed {
        vec!["a reboot is due".to_owned()]
    } else {
        Vec::new()
    };
    Ok(Done {
        output: UndoOutput {
            changed: finished.changed,
        },
        evidence,
    })
}

fn observe(ctx: &mut Context<'_>) -> Result<Observed<UndoOutput>, Stop> {
    match job::status(ctx)? {
        Said::Done { output, .. } => {
            let finished: Finished = said::shaped(&scripts::STATUS, output)?;
            Ok(Observed::Done {
                output: UndoOutput {
                    changed: finished.changed,
                },
            })
        }
        Said::Pending { .. } => Err(Checkpoint::at(Phase::Packages).pending()),
        // The work goes to exact versions, so a new start under the same key does no harm.
        Said::Absent { .. } | Said::Dead { .. } | Said::Retry { .. } | Said::Reject { .. } => {
            Ok(Observed::NotDone)
        }
    }
}
