//! Brings packages to the versions of a set, and reboots if that is wanted.
//!
//! Not here: the work itself. It runs detached on the server; this starts it, asks about it, and reboots
//! once for the key.

use super::{Changed, WORK_TIMEOUT_MS};
use crate::job::{self, Checkpoint, Finished, Phase};
use crate::said::{self, Said};
use crate::scripts;
use hostler_sdk::{Action, Context, Done, Meta, Observation, Observed, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reboot {
    IfNeeded,
    Always,
    Never,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyInput {
    set: String,
    reboot: Reboot,
}

#[derive(Serialize, JsonSchema)]
pub struct ApplyOutput {
    changed: Vec<Changed>,
    rebooted: bool,
    /// A reboot is due and was not done.
    reboot_needed: bool,
}

pub struct Apply;

impl Action for Apply {
    type Input = ApplyInput;
    type Output = ApplyOutput;
    const META: Meta = Meta::repeatable(
        "guest-patch.apply",
        "Brings the packages of the set to exactly the versions named in it.",
    )
    .outage()
    .inverse("guest-patch.undo")
    .timeout_ms(WORK_TIMEOUT_MS);

    fn perform(ctx: &mut Context<'_>, input: ApplyInput) -> Outcome<ApplyOutput> {
        let said = job::start(ctx, "apply", Some(&input.set))?;
        let finished = job::settle(said, Checkpoint::at(Phase::Packages))?;
        reboot(ctx, &input, finished)
    }

    fn resume(ctx: &mut Context<'_>, input: ApplyInput, checkpoint: Value) -> Outcome<ApplyOutput> {
        let checkpoint = Checkpoint::read(checkpoint)?;
        go_on(ctx, &input, checkpoint).map_err(|stop| checkpoint.missed(stop))
    }

    fn observe(
        ctx: &mut Context<'_>,
        input: ApplyInput,
        _checkpoint: Option<Value>,
    ) -> Observation<ApplyOutput> {
        observe(ctx, &input).or_else(job::observed_stop)
    }

    fn cancel(
        ctx: &mut Context<'_>,
        _input: ApplyInput,
        _checkpoint: Option<Value>,
    ) -> Outcome<ApplyOutput> {
        let finished = job::settle(job::cancel(ctx)?, Checkpoint::at(Phase::Packages))?;
        let output = ApplyOutput {
            changed: finished.changed,
            rebooted: false,
            reboot_needed: finished.reboot_needed,
        };
        Ok(Done {
            output,
            evidence: vec!["it was too late to stop: the packages are in place".to_owned()],
        })
    }

    fn plan(ctx: &mut Context<'_>, input: ApplyInput) -> Result<Value, Stop> {
        match said::run(ctx, &scripts::VERIFY, &json!({ "set": input.set }))? {
            Said::Done { .. } => Ok(json!({ "would_change": [] })),
            Said::Reject { output, .. } if output.get("missing").is_some() => {
                Ok(json!({ "would_change": output["missing"] }))
            }
            other => Err(other.stop()),
        }
    }
}

fn go_on(
    ctx: &mut Context<'_>,
    input: &ApplyInput,
    checkpoint: Checkpoint,
) -> Outcome<ApplyOutput> {
    if checkpoint.phase == Phase::Reboot
        && let Said::Pending { reason } = said::run(ctx, &scripts::BOOTED, &job::key(ctx))?
    {
        ctx.progress(90, &reason);
        return Err(Checkpoint::at(Phase::Reboot).pending());
    }
    let mut said = job::status(ctx)?;
    if matches!(said, Said::Absent { .. } | Said::Dead { .. }) {
        // The server went down under the work, or the start was cut off: the key makes this safe.
        said = job::start(ctx, "apply", Some(&input.set))?;
    }
    if let Said::Pending { reason } = &said {
        ctx.progress(if reason == "install" { 50 } else { 10 }, reason);
    }
    let finished = job::settle(said, Checkpoint::at(Phase::Packages))?;
    reboot(ctx, input, finished)
}

/// The packages are in place: reboot if that is wanted and has not been done for this key.
fn reboot(ctx: &mut Context<'_>, input: &ApplyInput, finished: Finished) -> Outcome<ApplyOutput> {
    let mut output = ApplyOutput {
        changed: finished.changed,
        rebooted: false,
        reboot_needed: finished.reboot_needed,
    };
    if input.reboot == Reboot::Never {
        return Ok(Done {
            output,
            evidence: Vec::new(),
        });
    }
    match said::run(ctx, &scripts::BOOTED, &job::key(ctx))? {
        Said::Done { .. } => {
            output.rebooted = true;
            return Ok(Done {
                output,
                evidence: vec!["the boot identity is a new one".to_owned()],
            });
        }
        Said::Pending { .. } => return Err(Checkpoint::at(Phase::Reboot).pending()),
        Said::Absent { .. } => {}
        other => return Err(other.stop()),
    }
    if input.reboot == Reboot::IfNeeded && !output.reboot_needed {
        return Ok(Done {
            output,
            evidence: Vec::new(),
        });
    }
    match said::run(ctx, &scripts::REBOOT, &job::key(ctx))? {
        // Whether it is really up again is asked on the next poll.
        Said::Pending { .. } | Said::Done { .. } => Err(Checkpoint::at(Phase::Reboot).pending()),
        Said::Reject { reason, .. } if input.reboot == Reboot::IfNeeded => Ok(Done {
            output,
            evidence: vec![format!("not rebooted: {reason}")],
        }),
        Said::Reject { reason, .. } => Err(Stop::Reject {
            reason: format!("the packages are in place, but {reason}"),
            output: json!(output),
        }),
        other => Err(other.stop()),
    }
}

fn observe(ctx: &mut Context<'_>, input: &ApplyInput) -> Result<Observed<ApplyOutput>, Stop> {
    let finished: Finished = match job::status(ctx)? {
        Said::Done { output, .. } => said::shaped(&scripts::STATUS, output)?,
        Said::Pending { .. } => return Err(Checkpoint::at(Phase::Packages).pending()),
        // Exact versions: what is not done may be done again under the same key.
        Said::Absent { .. } | Said::Dead { .. } | Said::Retry { .. } | Said::Reject { .. } => {
            return Ok(Observed::NotDone);
        }
    };
    let mut output = ApplyOutput {
        changed: finished.changed,
        rebooted: false,
        reboot_needed: finished.reboot_needed,
    };
    if input.reboot == Reboot::Never {
        return Ok(Observed::Done { output });
    }
    match said::run(ctx, &scripts::BOOTED, &job::key(ctx))? {
        Said::Done { .. } => output.rebooted = true,
        Said::Pending { .. } => return Err(Checkpoint::at(Phase::Reboot).pending()),
        _ if input.reboot == Reboot::Always || output.reboot_needed => {
            return Ok(Observed::NotDone);
        }
        _ => {}
    }
    Ok(Observed::Done { output })
}
