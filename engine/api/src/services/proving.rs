//! Whether a code is the person's, counts now, and was not used before: the proof that a yes may need.
//!
//! What was used lies in one document for each person, written under the version that was read: of two doors at which
//! the same code is shown at the same moment, one finds another version. A code is judged only once the count of wrong
//! ones is written, so nobody guesses faster by asking at many doors. Not here: whether a question needs a proof (core),
//! secrets and how codes come of them (`step_up`).

use super::document;
use crate::durable::kept;
use crate::problem::{Code, Problem};
use crate::step_up::{Passcode, Secret, step};
use crate::{Api, Subject};
use hostler_ports::store::CommitError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::PoisonError;
use uuid::Uuid;

/// Steps before and behind the present one whose codes count: clocks of phones differ.
const SKEW: u64 = 1;
/// Wrong codes of a person in a time, in milliseconds; then none is looked at.
const WRONG_MAX: usize = 5;
const WRONG_WITHIN_MS: i64 = 15 * 60_000;
/// Attempts against others who write at the same moment.
const TRIES_MAX: u32 = 5;

/// What is kept of a person's codes; never a code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    /// Of the newest code that counted; neither it nor an older one counts again. None: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    /// The command for which it counted: that one may be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Uuid>,
    /// When wrong codes came lately, at most `WRONG_MAX` of them, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wrong_ms: Vec<i64>,
}

/// What a code is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It counts, from now on for nothing else.
    Counts,
    /// It counted for this very command before.
    Again,
    Used,
    /// So many wrong ones lately, with this one.
    Wrong(usize),
    /// None is looked at before this instant.
    Locked(i64),
}

#[must_use]
fn key(person: &str) -> String {
    format!("step-up:{person}")
}

fn secret(api: &Api, person: &str) -> Option<Secret> {
    let enrolled = api.step_up.read().unwrap_or_else(PoisonError::into_inner);
    enrolled.secret(person).cloned()
}

pub(super) fn is_enrolled(api: &Api, person: &str) -> bool {
    secret(api, person).is_some()
}

/// The refusal of a yes that is not proved, for whoever cannot prove it yet.
pub(super) fn explained(api: &Api, person: &str, problem: Problem) -> Problem {
    match problem.code {
        Code::StepUpNeeded if !is_enrolled(api, person) => not_enrolled(person),
        _ => problem,
    }
}

fn not_enrolled(person: &str) -> Problem {
    let detail = format!("a yes needs a code, and {person} has no authenticator app here");
    Problem::new(Code::NotEnrolled, detail).remedy(format!(
        "whoever runs Hostler enrols you: hostler token step-up {person}; somebody else who is asked may decide, and a no needs no code"
    ))
}

/// Uses a code up for one command. The answer is durable.
///
/// # Errors
/// `not-enrolled`, `code-wrong`, `code-used`, `too-many-codes`; `changed` when others use codes of this person all the
/// time; the store's.
pub(super) async fn prove(
    api: &Api,
    subject: &Subject,
    code: Passcode,
    command: Uuid,
) -> Result<(), Problem> {
    let person = &subject.person;
    let secret = secret(api, person).ok_or_else(|| not_enrolled(person))?;
    for _ in 0..TRIES_MAX {
        let known = document::read::<Used>(api, &key(person)).await?;
        let fault = |why| Problem::new(Code::Internal, format!("used codes of {person}: {why}"));
        let used = known.value.map_err(fault)?.unwrap_or_default();
        let now_ms = api.store.now_ms().await?;
        let (used, verdict) = judged(used, &secret, code, command, now_ms);
        let entry = match verdict {
            Verdict::Counts => None,
            Verdict::Wrong(count) => (count == WRONG_MAX).then(|| {
                json!({
                    "event": "step_up_locked", "person": person, "via": subject.via,
                    "at_ms": now_ms, "until_ms": until_ms(&used),
                })
            }),
            Verdict::Again | Verdict::Used | Verdict::Locked(_) => {
                kept(api, None).await?;
                return answer(person, verdict);
            }
        };
        match document::write(api, &key(person), known.version, &used, entry).await {
            Ok(seq) => {
                kept(api, Some(seq)).await?;
                return answer(person, verdict);
            }
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    let detail = format!("codes of {person} come all the time");
    Err(Problem::new(Code::Changed, detail).remedy("try again with the next code"))
}

/// Judges a code, and what is kept of it. Pure.
fn judged(
    mut used: Used,
    secret: &Secret,
    code: Passcode,
    command: Uuid,
    now_ms: i64,
) -> (Used, Verdict) {
    used.wrong_ms
        .retain(|at_ms| now_ms.saturating_sub(*at_ms) < WRONG_WITHIN_MS);
    if used.wrong_ms.len() >= WRONG_MAX {
        let until_ms = until_ms(&used);
        return (used, Verdict::Locked(until_ms));
    }
    let now = step(now_ms);
    let near = now.saturating_sub(SKEW)..=now.saturating_add(SKEW);
    let fits: Vec<u64> = near.filter(|step| secret.code(*step) == code).collect();
    let verdict = match fits.last() {
        Some(step) if used.step.is_none_or(|newest| newest < *step) => {
            used.step = Some(*step);
            used.command = Some(command);
            Verdict::Counts
        }
        Some(step) if used.step == Some(*step) && used.command == Some(command) => Verdict::Again,
        Some(_) => Verdict::Used,
        None => {
            used.wrong_ms.push(now_ms);
            Verdict::Wrong(used.wrong_ms.len())
        }
    };
    (used, verdict)
}

/// When a wrong code is forgotten, so that one is looked at again.
fn until_ms(used: &Used) -> i64 {
    let first = used.wrong_ms.first().copied().unwrap_or_default();
    first.saturating_add(WRONG_WITHIN_MS)
}

fn answer(person: &str, verdict: Verdict) -> Result<(), Problem> {
    let minutes = WRONG_WITHIN_MS / 60_000;
    Err(match verdict {
        Verdict::Counts | Verdict::Again => return Ok(()),
        Verdict::Used => Problem::new(
            Code::CodeUsed,
            "this code, or a newer one, was used already",
        )
        .remedy("each counts once: wait for the next one that the app shows"),
        Verdict::Wrong(count) => {
            let detail = format!(
                "the code is not {person}'s, or is too old ({count} of {WRONG_MAX} wrong ones in {minutes} minutes)"
            );
            Problem::new(Code::CodeWrong, detail).remedy(
                "type what the app shows now; if that never fits, the clock of its device is wrong",
            )
        }
        Verdict::Locked(until_ms) => {
            let detail = format!("{WRONG_MAX} codes of {person} in {minutes} minutes were wrong");
            let until = jiff::Timestamp::from_millisecond(until_ms);
            let until = until.map_or_else(|_| until_ms.to_string(), |until| until.to_string());
            Problem::new(Code::TooManyCodes, detail).remedy(format!(
                "none is looked at before {until}: somebody else who is asked may decide, and a no needs no code; if it was not you, have your tokens taken away: hostler token revoke {person}"
            ))
        }
    })
}

#[cfg(test)]
mod tests;
