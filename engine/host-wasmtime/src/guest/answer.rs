//! From a guest's answer to the engine's, with every size checked and every secret taken out.

use super::bindings::hostler::platform::types as wit;
use super::state::{Active, seed, shortened};
use crate::limits::{EVIDENCE_LINES_MAX, EVIDENCE_MAX_BYTES, TEXT_MAX_BYTES};
use hostler_core::answer::{Answer, CHECKPOINT_MAX_BYTES, OUTPUT_MAX_BYTES};
use hostler_ports::plugin::{Call, HostError, Observed};
use serde_json::Value;

/// The circumstances of a call, as a guest sees them.
#[must_use]
pub fn wit_call(call: &Call) -> wit::Call {
    let grant = |grant: &hostler_ports::plugin::Grant| wit::Grant {
        handle: grant.handle.clone(),
        connection: grant.connection.clone(),
        address: grant.address.clone(),
        reference: grant.reference.clone(),
    };
    wit::Call {
        action: call.action.clone(),
        asset: call.asset.to_string(),
        grants: call.grants.iter().map(grant).collect(),
        run: call.run.to_string(),
        lane: call.lane.to_string(),
        step: call.step.clone(),
        attempt: call.attempt,
        idempotency_key: call.idempotency_key.to_string(),
        now_ms: call.now_ms,
        deadline_ms: call.now_ms.saturating_add_unsigned(call.timeout_ms),
        dry_run: call.dry_run,
        seed: seed(call.idempotency_key),
    }
}

/// # Errors
/// The `output` limit, when a part of the answer is too long or is no JSON.
pub fn answer(active: &Active, given: wit::Answer) -> Result<Answer, HostError> {
    Ok(match given {
        wit::Answer::Done(done) => Answer::Done {
            output: json(active, "the output", done.output, OUTPUT_MAX_BYTES)?,
            evidence: evidence(active, done.evidence)?,
        },
        wit::Answer::Pending(pending) => Answer::Pending {
            checkpoint: json(
                active,
                "the checkpoint",
                pending.checkpoint,
                CHECKPOINT_MAX_BYTES,
            )?,
            resume_after_ms: pending.resume_after_ms,
        },
        wit::Answer::Retry(retry) => Answer::Retry {
            reason: text(active, &retry.reason),
            after_ms: retry.after_ms,
        },
        wit::Answer::NeedsHuman(question) => Answer::NeedsHuman {
            title: text(active, &question.title),
            form: json(active, "the form", question.form, OUTPUT_MAX_BYTES)?,
        },
        wit::Answer::Reject(rejection) => Answer::Reject {
            reason: text(active, &rejection.reason),
            output: json(active, "the output", rejection.output, OUTPUT_MAX_BYTES)?,
        },
    })
}

/// # Errors
/// As `answer`.
pub fn observed(active: &Active, given: wit::Observed) -> Result<Observed, HostError> {
    Ok(match given {
        wit::Observed::Done(output) => Observed::Done {
            output: json(active, "the output", output, OUTPUT_MAX_BYTES)?,
        },
        wit::Observed::NotDone => Observed::NotDone,
        wit::Observed::Going(ask_after_ms) => Observed::Going { ask_after_ms },
        wit::Observed::Unknown(why) => Observed::Unknown {
            why: text(active, &why),
        },
    })
}

/// # Errors
/// As `answer`.
pub fn plan(
    active: &Active,
    given: Result<String, String>,
) -> Result<Result<Value, String>, HostError> {
    match given {
        Ok(difference) => json(active, "the plan", difference, OUTPUT_MAX_BYTES).map(Ok),
        Err(why) => Ok(Err(text(active, &why))),
    }
}

fn json(active: &Active, what: &str, given: String, most: usize) -> Result<Value, HostError> {
    let limit = |detail: String| HostError::Limit {
        limit: "output",
        detail,
    };
    if given.len() > most {
        return Err(limit(format!(
            "{what} has {} bytes, at most {most} are taken: put the rest into a blob",
            given.len()
        )));
    }
    let value = serde_json::from_str(&given)
        .map_err(|error| limit(format!("{what} is no JSON: {error}")))?;
    Ok(if active.untouched() {
        value
    } else {
        active.redact_json(value)
    })
}

fn evidence(active: &Active, lines: Vec<String>) -> Result<Vec<String>, HostError> {
    let bytes: usize = lines.iter().map(String::len).sum();
    if lines.len() > EVIDENCE_LINES_MAX || bytes > EVIDENCE_MAX_BYTES {
        let detail = format!(
            "{} lines of evidence with {bytes} bytes, at most {EVIDENCE_LINES_MAX} and {EVIDENCE_MAX_BYTES} are taken",
            lines.len()
        );
        return Err(HostError::Limit {
            limit: "output",
            detail,
        });
    }
    Ok(lines.into_iter().map(|line| active.redact(line)).collect())
}

fn text(active: &Active, given: &str) -> String {
    active.redact(shortened(given, TEXT_MAX_BYTES))
}
