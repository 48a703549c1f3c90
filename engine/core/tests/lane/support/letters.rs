//! What plugins answer and people write, in a word each.
//!
//! Not here: any state; the same call gives the same letter.

use hostler_core::answer::Answer;
use hostler_core::command::{Actor, Choice, Command, Input};
use hostler_core::event::ChildEnd;
use hostler_core::id::Digest;
use hostler_core::lane::Live;
use hostler_core::result::LaneResult;
use serde_json::{Value, json};

pub fn actor(person: &str, role: &str) -> Actor {
    Actor {
        person: person.to_owned(),
        qualifies: vec![format!("role:{role}"), format!("person:{person}")],
        ..Actor::default()
    }
}

pub fn done() -> Answer {
    Answer::Done {
        output: Value::Null,
        evidence: Vec::new(),
    }
}

pub fn pending() -> Answer {
    Answer::Pending {
        checkpoint: json!("unit"),
        resume_after_ms: 600,
    }
}

pub fn reject() -> Answer {
    Answer::Reject {
        reason: "it does not fit".to_owned(),
        output: Value::Null,
    }
}

pub fn again() -> Answer {
    Answer::Retry {
        reason: "busy".to_owned(),
        after_ms: None,
    }
}

pub fn needs_human() -> Answer {
    Answer::NeedsHuman {
        title: "Which one?".to_owned(),
        form: json!({ "type": "object" }),
    }
}

pub fn cut() -> Input {
    let reason = "deadline".to_owned();
    Input::Unsettled { reason }
}

pub fn cancel() -> Command {
    Command::Cancel {
        by: "ada".to_owned(),
        reason: None,
    }
}

pub fn vote(person: &str, role: &str, yes: bool) -> Command {
    vote_of(actor(person, role), yes)
}

pub fn vote_of(actor: Actor, yes: bool) -> Command {
    Command::Decide {
        actor,
        yes,
        signs: Digest::of(b"shown"),
        comment: None,
        typed: None,
        waive: Vec::new(),
    }
}

pub fn choose(choice: Choice) -> Command {
    Command::Choose {
        actor: actor("olga", "operator"),
        choice,
        comment: None,
        signs: None,
        output: Value::Null,
    }
}

pub fn end_of(key: &str, live: &Live, result: LaneResult, open_undo: bool) -> ChildEnd {
    ChildEnd {
        key: key.to_owned(),
        lane: live.lane,
        iteration: live.iteration,
        result,
        open_undo,
    }
}
