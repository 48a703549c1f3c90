//! Ends silences that this run opened for the asset, and no others.

use crate::reply;
use crate::silences::{self, Known};
use crate::subject::Subject;
use hostler_sdk::{Action, Context, Done, HttpRequest, Meta, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsilenceInput {
    /// Only this one; without it all that this run opened for the asset.
    #[serde(default)]
    silence: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsilenceOutput {}

pub struct Unsilence;

impl Action for Unsilence {
    type Input = UnsilenceInput;
    type Output = UnsilenceOutput;
    const META: Meta = Meta::repeatable(
        "monitor.unsilence",
        "Ends the silences of the asset that this run opened.",
    );

    fn perform(ctx: &mut Context<'_>, input: UnsilenceInput) -> Outcome<UnsilenceOutput> {
        let subject = Subject::of(ctx.call)?;
        let doomed = match &input.silence {
            Some(id) => one(ctx, &subject, silences::id(id)?)?.into_iter().collect(),
            None => {
                let run = format!("run={}", ctx.call.run);
                silences::living(ctx, &subject, &run)?
            }
        };
        for known in &doomed {
            let path = format!("/api/v2/silence/{}", silences::id(&known.id)?);
            let response = ctx.send("target", &HttpRequest::delete(path))?;
            // Somebody else may have ended it meanwhile.
            if response.status != 404 {
                reply::good("the Alertmanager", &response)?;
            }
        }
        Ok(Done {
            output: UnsilenceOutput {},
            evidence: vec![format!("{} silences ended", doomed.len())],
        })
    }
}

/// A silence by its id, if it still stands and is ours.
fn one(ctx: &mut Context<'_>, subject: &Subject, id: &str) -> Result<Option<Known>, Stop> {
    let response = ctx.send("target", &HttpRequest::get(format!("/api/v2/silence/{id}")))?;
    if response.status == 404 {
        return Ok(None);
    }
    let known: Known = reply::body("the Alertmanager", &response)?;
    if !known.says(&format!("asset={}", subject.asset)) {
        return Err(Stop::reject(format!(
            "silence {id} was not opened by us for {}: end it by hand",
            subject.asset
        )));
    }
    Ok(Some(known).filter(|known| !known.is_over()))
}
