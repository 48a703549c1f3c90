//! Whether the service answers from outside, as the blackbox exporters that Prometheus asks have seen it.

use crate::prometheus;
use crate::subject::Subject;
use hostler_sdk::{Action, Context, Done, Meta, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeInput {
    /// From how many places at least.
    #[serde(default = "one")]
    vantages: usize,
}

fn one() -> usize {
    1
}

#[derive(Serialize, JsonSchema)]
pub struct ProbeOutput {
    up: bool,
}

pub struct Probe;

impl Action for Probe {
    type Input = ProbeInput;
    type Output = ProbeOutput;
    const META: Meta = Meta::read(
        "monitor.probe",
        "Asks the service of the asset from outside; rejects when it does not answer.",
    )
    .timeout_ms(120_000);

    fn perform(ctx: &mut Context<'_>, input: ProbeInput) -> Outcome<ProbeOutput> {
        let subject = Subject::of(ctx.call)?;
        let seen = prometheus::query(ctx, &format!("probe_success{{{}}}", subject.selector()))?;
        // A place is what asks: the label `vantage` where the scrape configuration sets it, else the job.
        let place = |sample: &prometheus::Sample| {
            let metric = &sample.metric;
            metric
                .get("vantage")
                .or_else(|| metric.get("job"))
                .cloned()
                .unwrap_or_default()
        };
        let bad: BTreeSet<String> = seen
            .iter()
            .filter(|sample| !sample.is_one())
            .map(place)
            .collect();
        let places: BTreeSet<String> = seen.iter().map(place).collect();
        if !bad.is_empty() {
            let from: Vec<String> = bad.into_iter().collect();
            return down(format!("it does not answer from {}", from.join(", ")));
        }
        if places.len() < input.vantages {
            return down(format!(
                "it was asked from {} places, {} are wanted",
                places.len(),
                input.vantages
            ));
        }
        Ok(Done {
            output: ProbeOutput { up: true },
            evidence: vec![format!("it answers from {} places", places.len())],
        })
    }
}

fn down(reason: String) -> Outcome<ProbeOutput> {
    Err(Stop::Reject {
        reason,
        output: json!({ "up": false }),
    })
}
