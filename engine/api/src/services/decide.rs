//! People decide: yes or no, a form, a way out.

use super::changed;
use super::outcome::{self, Settled};
use super::proving;
use super::rules;
use super::waiting;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use crate::step_up::Passcode;
use hostler_core::command::{Actor, Choice, Command};
use hostler_core::id::{Digest, LaneId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest comment in bytes.
const COMMENT_MAX_BYTES: usize = 4_000;
/// Longest answer in bytes of JSON: it is kept in the lane's state.
const ANSWER_MAX_BYTES: usize = hostler_core::answer::OUTPUT_MAX_BYTES;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteAsk {
    pub yes: bool,
    /// Digest of what was looked at (`signs` of the question).
    pub signs: Digest,
    #[serde(default)]
    pub comment: Option<String>,
    /// The name that a yes must type back (`typed` of what is shown), letter for letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
    /// What a yes waives, of what may be (`may_waive` of what is shown).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waive: Vec<String>,
    /// The code that the person's authenticator app shows now, for a yes to a question with `step_up`. One that comes
    /// with a yes is always looked at; with a no, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Passcode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormAsk {
    pub signs: Digest,
    pub answer: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceAsk {
    pub signs: Digest,
    pub choice: Choice,
    #[serde(default)]
    pub comment: Option<String>,
    /// With `done`: what the action would have given.
    #[serde(default)]
    pub output: Value,
}

/// # Errors
/// `not-asked`, `four-eyes`, `decided-already`, `not-typed`, `not-waivable`, `changed`, `expired`, `step-up-needed`,
/// `not-enrolled`, `code-wrong`, `code-used`, `too-many-codes`, `nobody-asked`, `refused`.
pub async fn vote(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    ask: VoteAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    comment_fits(ask.comment.as_deref())?;
    let VoteAsk {
        yes,
        signs,
        comment,
        typed,
        waive,
        code,
    } = ask;
    let code = code.filter(|_| yes);
    let actor = Actor {
        // Tried out as if it were right: a code is used up only where nothing else is in the way.
        stepped_up: code.is_some(),
        ..actor(subject)
    };
    let command = Command::Decide {
        actor,
        yes,
        signs,
        comment,
        typed,
        waive,
    };
    command_lane(api, subject, lane, command, (key, code)).await
}

/// # Errors
/// As `vote`, and `answer-invalid` when the answer does not fit the form, or breaks the rule of a field.
pub async fn answer(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    ask: FormAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    let (_, reading) = waiting::find(api, subject, lane).await?;
    if ask.answer.to_string().len() > ANSWER_MAX_BYTES {
        return Err(Problem::new(
            Code::TooLarge,
            format!("an answer has at most {ANSWER_MAX_BYTES} bytes"),
        ));
    }
    rules::answer(api, &reading, &ask.answer).await?;
    let command = Command::Answer {
        actor: actor(subject),
        signs: ask.signs,
        answer: ask.answer,
    };
    command_lane(api, subject, lane, command, (key, None)).await
}

/// # Errors
/// As `vote`.
pub async fn choose(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    ask: ChoiceAsk,
    key: Option<&str>,
) -> Result<Settled, Problem> {
    comment_fits(ask.comment.as_deref())?;
    let ChoiceAsk {
        signs,
        choice,
        comment,
        output,
    } = ask;
    let command = Command::Choose {
        actor: actor(subject),
        signs: Some(signs),
        choice,
        comment,
        output,
    };
    command_lane(api, subject, lane, command, (key, None)).await
}

pub(super) fn actor(subject: &Subject) -> Actor {
    Actor {
        person: subject.person.clone(),
        qualifies: subject.qualifies.iter().cloned().collect(),
        via: Some(subject.via.clone()),
        stepped_up: false,
        stands_in: subject.stands_in.clone(),
    }
}

fn comment_fits(comment: Option<&str>) -> Result<(), Problem> {
    if comment.is_some_and(|comment| comment.len() > COMMENT_MAX_BYTES) {
        return Err(Problem::new(
            Code::TooLarge,
            format!("a comment has at most {COMMENT_MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

async fn command_lane(
    api: &Api,
    subject: &Subject,
    lane: LaneId,
    command: Command,
    (key, code): (Option<&str>, Option<Passcode>),
) -> Result<Settled, Problem> {
    let (row, reading) = waiting::find(api, subject, lane).await?;
    // The trial comes first: it names who is asked and why a vote does not count.
    if let Err(problem) = outcome::try_out(api, &reading, &command).await {
        let problem = proving::explained(api, &subject.person, problem);
        return Err(changed::explained(api, subject, &reading, &command, problem).await);
    }
    authorize(subject, Action::Decide, Resource::Question(&row.clauses)).check(subject)?;
    let id = outcome::command_id(api, subject, lane, key);
    if let Some(code) = code {
        proving::prove(api, subject, code, id).await?;
    }
    outcome::send(api, lane, id, &command, &reading).await
}
