//! monitor.healthy: does the platform see the asset healthy?

use hostler_sdk::{Action, Context, HttpRequest, Meta, Outcome, done, reject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Serialize, JsonSchema)]
pub struct Health {
    healthy: bool,
    detail: String,
}

pub struct Healthy;

impl Action for Healthy {
    type Input = Nothing;
    type Output = Health;
    const META: Meta = Meta::read(
        "monitor.healthy",
        "Does the platform see the asset healthy?",
    );

    fn perform(ctx: &mut Context<'_>, _input: Nothing) -> Outcome<Health> {
        let response = ctx.send("target", &HttpRequest::get("/health"))?;
        if !response.succeeded() {
            return reject(format!(
                "the platform said {}: {}",
                response.status,
                response.excerpt()
            ));
        }
        done(Health {
            healthy: true,
            detail: response.excerpt(),
        })
    }
}
