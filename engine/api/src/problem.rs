//! Why a request was not carried out: RFC 9457 problems with stable codes.
//!
//! A code is never renamed: programs look at it. The detail is for people and may change.

use hostler_core::refusal::Refusal;
use hostler_ports::store::{StartError, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use thiserror::Error;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// The closed list of reasons.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Code {
            $(#[serde(rename = $text)] $name,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    Unauthenticated = "unauthenticated", 401, "Nobody is signed in";
    Forbidden = "forbidden", 403, "Not allowed";
    NotFound = "not-found", 404, "There is no such thing";
    Malformed = "malformed", 400, "The request cannot be read";
    TooLarge = "too-large", 413, "The request is too large";
    InputInvalid = "input-invalid", 422, "The inputs do not fit the runbook";
    AnswerInvalid = "answer-invalid", 422, "The answer does not fit the form";
    RunbookInvalid = "runbook-invalid", 422, "The runbook has faults";
    NothingSelected = "nothing-selected", 422, "No asset is meant";
    NoRoute = "no-route", 422, "An asset cannot be reached";
    NoPlugin = "no-plugin", 422, "A plugin is missing";
    DutyRefused = "duty-refused", 422, "This is not the platform's to do";
    Conflict = "conflict", 409, "The same key was used for something else";
    TooEarly = "too-early", 425, "It is too early for this";
    Ended = "ended", 409, "It is over";
    Changed = "changed", 409, "What was shown has changed";
    NobodyAsked = "nobody-asked", 409, "Nobody is asked here";
    NotAsked = "not-asked", 403, "Others are asked";
    FourEyes = "four-eyes", 403, "Another person must decide";
    DecidedAlready = "decided-already", 409, "Decided already";
    NotTyped = "not-typed", 422, "The name was not typed back";
    StepUpNeeded = "step-up-needed", 403, "A yes needs a code";
    NotEnrolled = "not-enrolled", 403, "No second factor";
    CodeWrong = "code-wrong", 403, "The code does not count";
    CodeUsed = "code-used", 409, "The code was used";
    TooManyCodes = "too-many-codes", 429, "Too many wrong codes";
    NotWaivable = "not-waivable", 422, "This cannot be waived";
    Expired = "expired", 409, "The time is over";
    WrongKind = "wrong-kind", 409, "This is answered in another way";
    Refused = "refused", 409, "The run does not take this now";
    NothingToRetry = "nothing-to-retry", 409, "Nothing has failed";
    StoreUnavailable = "store-unavailable", 503, "The store does not answer";
    StoreFull = "store-full", 507, "The store is full";
    StoreRegressed = "store-regressed", 503, "The store has gone back in time";
    NothingRegressed = "nothing-regressed", 409, "The store has not gone back";
    Elsewhere = "elsewhere", 409, "Another tool does this";
    Internal = "internal", 500, "A fault of Hostler";
}

/// A refusal with its remedy.
#[derive(Clone, Debug, PartialEq, Error)]
pub struct Problem {
    pub code: Code,
    pub detail: String,
    pub remedy: Option<String>,
    /// Further members, e.g. `faults`.
    pub more: Map<String, Value>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code.name())?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            remedy: None,
            more: Map::new(),
        }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn not_found(what: &str, name: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} {name}"))
    }

    /// The RFC 9457 object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = self.more.clone();
        object.insert(
            "type".into(),
            format!("urn:hostler:problem:{}", self.code.name()).into(),
        );
        object.insert("title".into(), self.code.title().into());
        object.insert("status".into(), self.code.status().into());
        object.insert("detail".into(), self.detail.clone().into());
        object.insert("code".into(), self.code.name().into());
        if let Some(remedy) = &self.remedy {
            object.insert("remedy".into(), remedy.clone().into());
        }
        Value::Object(object)
    }

    /// Reads `to_json` back; none when it is something else.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let mut more = value.as_object()?.clone();
        let name = more.remove("code")?;
        let code = Code::ALL
            .iter()
            .find(|code| Some(code.name()) == name.as_str())?;
        let text = |more: &mut Map<String, Value>, key| match more.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let detail = text(&mut more, "detail")?;
        let remedy = text(&mut more, "remedy");
        for known in ["type", "title", "status"] {
            more.remove(known);
        }
        Some(Self {
            code: *code,
            detail,
            remedy,
            more,
        })
    }
}

impl From<StoreError> for Problem {
    fn from(fault: StoreError) -> Self {
        let (code, remedy) = match &fault {
            StoreError::Unavailable(_) => (
                Code::StoreUnavailable,
                "try again; `hostler doctor` tells what is wrong",
            ),
            StoreError::Full(_) => (
                Code::StoreFull,
                "give the store more room; running work goes on meanwhile",
            ),
            StoreError::Regressed { .. } => (
                Code::StoreRegressed,
                "put the lost commits back, or decide: hostler store accept-regression --reason TEXT",
            ),
            StoreError::Corrupt(_) | StoreError::Bounds(_) => {
                (Code::Internal, "tell whoever maintains Hostler")
            }
        };
        Self::new(code, fault.to_string()).remedy(remedy)
    }
}

impl From<StartError> for Problem {
    fn from(fault: StartError) -> Self {
        match fault {
            StartError::Store(fault) => fault.into(),
            StartError::Conflict => Self::new(Code::Conflict, fault.to_string())
                .remedy("use a new key, or ask for exactly the same as before"),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Ended => Code::Ended,
            Refusal::NobodyAsked { .. } => Code::NobodyAsked,
            Refusal::Changed { .. } => Code::Changed,
            Refusal::NotAsked { .. } => Code::NotAsked,
            Refusal::FourEyes { .. } => Code::FourEyes,
            Refusal::DecidedAlready { .. } => Code::DecidedAlready,
            Refusal::NotTyped => Code::NotTyped,
            Refusal::NotSteppedUp { .. } => Code::StepUpNeeded,
            Refusal::NotWaivable { .. } => Code::NotWaivable,
            Refusal::Expired => Code::Expired,
            Refusal::WrongKind { .. } => Code::WrongKind,
            Refusal::NothingToRetry => Code::NothingToRetry,
            _ => Code::Refused,
        };
        Self::new(code, refusal.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_different_and_read_back() {
        for code in Code::ALL {
            assert_eq!(
                Code::ALL
                    .iter()
                    .filter(|other| other.name() == code.name())
                    .count(),
                1
            );
            assert!((400..600).contains(&code.status()), "{}", code.name());
            let problem = Problem::new(*code, "d")
                .remedy("r")
                .with("faults", vec!["x"]);
            assert_eq!(Problem::from_json(&problem.to_json()), Some(problem));
        }
    }
}
