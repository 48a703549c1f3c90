//! The practice server's protocol (README.md has its routes): how each status becomes an answer.
//!
//! Not here: what any action means.

use hostler_sdk::{
    Context, Effect, HttpRequest, HttpResponse, Meta, Observation, Observed, Outcome, Stop, done,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Polls of pending work come no closer than this, whatever the server asks for.
const RESUME_MS_MIN: u64 = 100;
/// And no further apart than this.
const RESUME_MS_MAX: u64 = 60_000;

#[derive(Deserialize)]
struct Finished<T> {
    output: T,
}

#[derive(Deserialize)]
struct Going {
    checkpoint: Value,
    after_ms: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Trouble {
    reason: String,
    after_ms: Option<u64>,
    output: Value,
    title: String,
    form: Value,
}

/// `POST /assets/{id}/{contract}/{action}`.
pub fn perform<O: DeserializeOwned>(
    ctx: &mut Context<'_>,
    meta: &Meta,
    input: &impl Serialize,
) -> Outcome<O> {
    let path = format!("/assets/{}/{}", asset(ctx), meta.name.replacen('.', "/", 1));
    let mut request = HttpRequest::post(path)
        .json(input)
        .header("idempotency-key", &ctx.call.idempotency_key);
    if meta.effect == Effect::Read {
        request = request.reads_only();
    }
    let response = ctx.send("target", &request)?;
    answer(&response)
}

/// `GET /operations/{operation}`.
pub fn resume<O: DeserializeOwned>(ctx: &mut Context<'_>, checkpoint: &Value) -> Outcome<O> {
    let request = HttpRequest::get(format!("/operations/{}", operation(checkpoint)?));
    let response = ctx.send("target", &request)?;
    answer(&response)
}

/// `DELETE /operations/{operation}`.
pub fn cancel<O: DeserializeOwned>(
    ctx: &mut Context<'_>,
    checkpoint: Option<&Value>,
) -> Outcome<O> {
    let Some(checkpoint) = checkpoint else {
        return Err(Stop::reject(
            "nothing is pending: there is no checkpoint to cancel",
        ));
    };
    let response = ctx.send(
        "target",
        &HttpRequest::delete(format!("/operations/{}", operation(checkpoint)?)),
    )?;
    answer(&response)
}

/// `GET /assets/{id}/attempts/{idempotency key}`.
pub fn observe<O: DeserializeOwned>(ctx: &mut Context<'_>) -> Observation<O> {
    let path = format!(
        "/assets/{}/attempts/{}",
        asset(ctx),
        ctx.call.idempotency_key
    );
    let response = ctx.send("target", &HttpRequest::get(path))?;
    Ok(match response.status {
        200 => match response.json::<Finished<O>>() {
            Ok(finished) => Observed::Done {
                output: finished.output,
            },
            Err(error) => Observed::Unknown {
                why: format!("the attempt's output cannot be read: {error}"),
            },
        },
        202 => Observed::Going {
            ask_after_ms: trouble(&response).after_ms.unwrap_or(RESUME_MS_MIN),
        },
        404 => Observed::NotDone,
        status => Observed::Unknown {
            why: format!("the practice server said {status}: {}", response.excerpt()),
        },
    })
}

fn answer<O: DeserializeOwned>(response: &HttpResponse) -> Outcome<O> {
    match response.status {
        200 => match response.json::<Finished<O>>() {
            Ok(finished) => done(finished.output),
            Err(error) => Err(Stop::reject(format!(
                "the answer does not have the action's shape: {error}"
            ))),
        },
        202 => match response.json::<Going>() {
            Ok(going) => Err(Stop::pending(
                going.checkpoint,
                going.after_ms.clamp(RESUME_MS_MIN, RESUME_MS_MAX),
            )),
            Err(error) => Err(Stop::reject(format!(
                "202 without checkpoint and after_ms: {error}"
            ))),
        },
        409 | 429 | 503 => {
            let trouble = trouble(response);
            Err(Stop::Retry {
                reason: told(trouble.reason, response),
                after_ms: trouble.after_ms,
            })
        }
        428 => {
            let trouble = trouble(response);
            Err(Stop::NeedsHuman {
                title: told(trouble.title, response),
                form: trouble.form,
            })
        }
        422 => {
            let trouble = trouble(response);
            Err(Stop::Reject {
                reason: told(trouble.reason, response),
                output: trouble.output,
            })
        }
        status => Err(Stop::Reject {
            reason: format!("the practice server said {status}: {}", response.excerpt()),
            output: json!({ "status": status }),
        }),
    }
}

fn trouble(response: &HttpResponse) -> Trouble {
    response.json().unwrap_or_default()
}

fn told(reason: String, response: &HttpResponse) -> String {
    if reason.is_empty() {
        format!("the practice server said {}", response.status)
    } else {
        reason
    }
}

/// What the asset is called on the practice server; `-` for an action without one.
fn asset(ctx: &Context<'_>) -> String {
    let reference = ctx
        .call
        .grant("target")
        .and_then(|grant| grant.reference.clone());
    segment(
        &reference
            .or_else(|| ctx.call.asset_text("id"))
            .unwrap_or_else(|| "-".to_owned()),
    )
}

fn operation(checkpoint: &Value) -> Result<String, Stop> {
    let operation = checkpoint.get("operation").and_then(Value::as_str);
    operation
        .map(segment)
        .ok_or_else(|| Stop::reject("the checkpoint has no `operation`"))
}

/// One path segment: what is no unreserved character is written as its bytes in hex.
fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            b'.' if text != "." && text != ".." => ".".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// An action that only forwards: its types and what it says about itself are all there is to it.
macro_rules! forwarded {
    ($(#[$doc:meta])* $name:ident: $input:ty => $output:ty, $meta:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl hostler_sdk::Action for $name {
            type Input = $input;
            type Output = $output;
            const META: hostler_sdk::Meta = $meta;

            fn perform(ctx: &mut hostler_sdk::Context<'_>, input: $input) -> hostler_sdk::Outcome<$output> {
                crate::remote::perform(ctx, &Self::META, &input)
            }

            fn resume(
                ctx: &mut hostler_sdk::Context<'_>,
                _input: $input,
                checkpoint: serde_json::Value,
            ) -> hostler_sdk::Outcome<$output> {
                crate::remote::resume(ctx, &checkpoint)
            }

            fn observe(
                ctx: &mut hostler_sdk::Context<'_>,
                _input: $input,
                _checkpoint: Option<serde_json::Value>,
            ) -> hostler_sdk::Observation<$output> {
                crate::remote::observe(ctx)
            }

            fn cancel(
                ctx: &mut hostler_sdk::Context<'_>,
                _input: $input,
                checkpoint: Option<serde_json::Value>,
            ) -> hostler_sdk::Outcome<$output> {
                crate::remote::cancel(ctx, checkpoint.as_ref())
            }
        }
    };
}
pub(crate) use forwarded;

/// An object without fields.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
