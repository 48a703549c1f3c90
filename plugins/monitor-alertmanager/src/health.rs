//! The health gate: every target of the asset is up, and no alert fires that nobody silenced.

use crate::subject::Subject;
use crate::{prometheus, reply};
use hostler_sdk::{Action, Context, Done, HttpRequest, Meta, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Alerts that people are shown by name.
const SHOWN: usize = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Serialize, JsonSchema)]
pub struct HealthyOutput {
    healthy: bool,
    detail: String,
}

#[derive(Deserialize)]
struct Alert {
    labels: BTreeMap<String, String>,
}

pub struct Healthy;

impl Action for Healthy {
    type Input = Nothing;
    type Output = HealthyOutput;
    const META: Meta = Meta::read(
        "monitor.healthy",
        "Rejects when the monitoring does not say that the asset is well.",
    );

    fn perform(ctx: &mut Context<'_>, _input: Nothing) -> Outcome<HealthyOutput> {
        let subject = Subject::of(ctx.call)?;
        let targets = prometheus::query(ctx, &format!("up{{{}}}", subject.selector()))?;
        if targets.is_empty() {
            return ill(format!(
                "Prometheus has no target with {}: nobody watches it",
                subject.selector()
            ));
        }
        let down: Vec<String> = targets
            .iter()
            .filter(|target| !target.is_one())
            .map(|target| target.name(&subject.label))
            .collect();
        if !down.is_empty() {
            return ill(format!("down: {}", down.join(", ")));
        }
        let firing = firing(ctx, &subject)?;
        if !firing.is_empty() {
            return ill(format!(
                "alerts: {}",
                firing
                    .into_iter()
                    .take(SHOWN)
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        let detail = format!("{} targets are up, no alert fires", targets.len());
        Ok(Done {
            output: HealthyOutput {
                healthy: true,
                detail,
            },
            evidence: Vec::new(),
        })
    }
}

fn ill(detail: String) -> Outcome<HealthyOutput> {
    Err(Stop::Reject {
        reason: detail.clone(),
        output: json!({ "healthy": false, "detail": detail }),
    })
}

/// Names of the alerts that fire for the asset, neither silenced nor inhibited.
fn firing(ctx: &mut Context<'_>, subject: &Subject) -> Result<BTreeSet<String>, Stop> {
    let filter = reply::percent(&subject.selector());
    let path = format!("/api/v2/alerts?active=true&silenced=false&inhibited=false&filter={filter}");
    let response = ctx.send("target", &HttpRequest::get(path))?;
    let alerts: Vec<Alert> = reply::body("the Alertmanager", &response)?;
    Ok(alerts
        .into_iter()
        .map(|mut alert| alert.labels.remove("alertname").unwrap_or_default())
        .collect())
}
