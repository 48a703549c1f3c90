//! Reboots a server once for a key, and waits until it is up again.

use crate::job::{self, Checkpoint, Phase};
use crate::said::{self, Said};
use crate::scripts;
use hostler_sdk::{Action, Context, Done, Meta, Observation, Observed, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebootInput {
    /// Size that some disk must have afterwards.
    #[serde(default)]
    expect_gib: Option<u64>,
}

#[derive(Deserialize)]
struct Up {
    boot_id: String,
    disks_gib: Vec<u64>,
}

#[derive(Serialize, JsonSchema)]
pub struct RebootOutput {
    boot_id: String,
}

pub struct Reboot;

impl Action for Reboot {
    type Input = RebootInput;
    type Output = RebootOutput;
    const META: Meta = Meta::once("guest.reboot", "Reboots and waits until it is back.")
        .outage()
        .timeout_ms(30 * 60_000);

    fn perform(ctx: &mut Context<'_>, _input: RebootInput) -> Outcome<RebootOutput> {
        match said::run(ctx, &scripts::REBOOT, &job::key(ctx))? {
            // Whether it is really up again is asked on the next poll.
            Said::Pending { .. } | Said::Done { .. } => {
                Err(Checkpoint::at(Phase::Reboot).pending())
            }
            other => Err(other.stop()),
        }
    }

    fn resume(
        ctx: &mut Context<'_>,
        input: RebootInput,
        checkpoint: Value,
    ) -> Outcome<RebootOutput> {
        let checkpoint = Checkpoint::read(checkpoint)?;
        match said::run(ctx, &scripts::BOOTED, &job::key(ctx))
            .map_err(|stop| checkpoint.missed(stop))?
        {
            Said::Done { output, evidence } => {
                let output = up(&input, output)?;
                Ok(Done { output, evidence })
            }
            Said::Pending { .. } => Err(Checkpoint::at(Phase::Reboot).pending()),
            other => Err(other.stop()),
        }
    }

    fn observe(
        ctx: &mut Context<'_>,
        input: RebootInput,
        _checkpoint: Option<Value>,
    ) -> Observation<RebootOutput> {
        let seen = said::run(ctx, &scripts::BOOTED, &job::key(ctx)).and_then(|said| match said {
            Said::Done { output, .. } => Ok(Observed::Done {
                output: up(&input, output)?,
            }),
            Said::Pending { .. } => Err(Checkpoint::at(Phase::Reboot).pending()),
            Said::Absent { .. } => Ok(Observed::NotDone),
            other => Err(other.stop()),
        });
        seen.or_else(job::observed_stop)
    }
}

fn up(input: &RebootInput, output: Value) -> Result<RebootOutput, Stop> {
    let up: Up = said::shaped(&scripts::BOOTED, output)?;
    match input.expect_gib {
        Some(gib) if !up.disks_gib.contains(&gib) => Err(Stop::reject(format!(
            "it is up again, but no disk has {gib} GiB; there are {:?}",
            up.disks_gib
        ))),
        _ => Ok(RebootOutput {
            boot_id: up.boot_id,
        }),
    }
}
