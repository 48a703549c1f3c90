//! Opens a silence that ends by itself, whatever becomes of us.

use crate::silences::{self, CREATED_BY, Known};
use crate::subject::{Matcher, Subject};
use crate::{reply, time};
use hostler_sdk::{Action, Context, Done, HttpRequest, Meta, Observation, Observed, Outcome, Stop};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Maintenance that takes longer is planned anew; a forgotten silence hides a dead server.
const LENGTH_MAX_MS: i64 = 7 * 86_400_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceInput {
    /// How long at most: `90m`.
    #[serde(rename = "for")]
    lasts: String,
}

#[derive(Serialize, JsonSchema)]
pub struct SilenceOutput {
    /// Its id at the Alertmanager.
    silence: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    matchers: Vec<Matcher>,
    starts_at: String,
    ends_at: String,
    created_by: &'static str,
    comment: String,
}

#[derive(Deserialize)]
struct Posted {
    #[serde(rename = "silenceID")]
    silence_id: String,
}

pub struct Silence;

impl Action for Silence {
    type Input = SilenceInput;
    type Output = SilenceOutput;
    const META: Meta = Meta::repeatable(
        "monitor.silence",
        "Silences the alerts of the asset; it always ends by itself.",
    )
    .inverse("monitor.unsilence");

    fn perform(ctx: &mut Context<'_>, input: SilenceInput) -> Outcome<SilenceOutput> {
        let ends_at =
            time::instant(ctx.call.now_ms + time::length_ms(&input.lasts, LENGTH_MAX_MS)?);
        let subject = Subject::of(ctx.call)?;
        let standing = standing(ctx, &subject)?;
        if let Some(known) = standing
            .as_ref()
            .filter(|known| !time::before(&known.ends_at, &ends_at))
        {
            let evidence = vec![format!("it stood already and ends at {}", known.ends_at)];
            return Ok(Done {
                output: SilenceOutput {
                    silence: known.id.clone(),
                },
                evidence,
            });
        }
        let starts_at = standing.as_ref().map_or_else(
            || time::instant(ctx.call.now_ms),
            |known| known.starts_at.clone(),
        );
        let wanted = Wanted {
            id: standing.map(|known| known.id),
            matchers: vec![subject.matcher()],
            starts_at,
            ends_at: ends_at.clone(),
            created_by: CREATED_BY,
            comment: silences::comment(ctx.call, &subject),
        };
        let response = ctx.send(
            "target",
            &HttpRequest::post("/api/v2/silences").json(&wanted),
        )?;
        let posted: Posted = reply::body("the Alertmanager", &response)?;
        let evidence = vec![format!("{} is silent until {ends_at}", subject.selector())];
        Ok(Done {
            output: SilenceOutput {
                silence: posted.silence_id,
            },
            evidence,
        })
    }

    fn observe(
        ctx: &mut Context<'_>,
        _input: SilenceInput,
        _checkpoint: Option<Value>,
    ) -> Observation<SilenceOutput> {
        let seen = Subject::of(ctx.call).and_then(|subject| standing(ctx, &subject));
        match seen {
            Ok(Some(known)) => Ok(Observed::Done {
                output: SilenceOutput { silence: known.id },
            }),
            Ok(None) => Ok(Observed::NotDone),
            Err(Stop::Lost(failure)) => Err(failure),
            Err(stop) => Ok(Observed::Unknown {
                why: format!("{stop:?}"),
            }),
        }
    }
}

/// The silence that an earlier attempt of this step opened.
fn standing(ctx: &mut Context<'_>, subject: &Subject) -> Result<Option<Known>, Stop> {
    let key = format!("key={}", ctx.call.idempotency_key);
    Ok(silences::living(ctx, subject, &key)?.into_iter().next())
}
