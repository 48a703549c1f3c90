//! How a command ends: a message for people, a code for scripts.

use hostler_api::{Code, Problem};
use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// A runbook, an estate or inputs have faults.
    Invalid(String),
    /// The engine refused.
    Refused(Box<Problem>),
    /// The run that was waited for did not end well.
    RunFailed(String),
    /// It was waited long enough.
    StillWaiting(String),
    /// Nobody answers at the address.
    Unreachable(String),
    Internal(anyhow::Error),
}

impl Failure {
    /// 1 internal, 2 usage, 3 invalid, 4 run failed, 5 still waiting, 6 forbidden, 7 not found or
    /// conflict, 8 unreachable.
    pub fn code(&self) -> u8 {
        match self {
            Self::Internal(_) => 1,
            Self::Usage(_) => 2,
            Self::Invalid(_) => 3,
            Self::RunFailed(_) => 4,
            Self::StillWaiting(_) => 5,
            Self::Unreachable(_) => 8,
            Self::Refused(problem) => of_problem(problem.code),
        }
    }

    pub fn exit(&self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

fn of_problem(code: Code) -> u8 {
    match code {
        Code::Malformed => 2,
        Code::Internal => 1,
        Code::StoreUnavailable | Code::StoreFull | Code::StoreRegressed => 8,
        code => match code.status() {
            401 | 403 | 429 => 6,
            404 | 409 => 7,
            _ => 3,
        },
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text)
            | Self::Invalid(text)
            | Self::RunFailed(text)
            | Self::StillWaiting(text)
            | Self::Unreachable(text) => f.write_str(text),
            Self::Refused(problem) => {
                write!(f, "{problem}")?;
                let faults = problem
                    .more
                    .get("faults")
                    .and_then(serde_json::Value::as_array);
                for fault in faults
                    .into_iter()
                    .flatten()
                    .filter_map(|fault| fault.as_str())
                {
                    write!(f, "\n  - {fault}")?;
                }
                Ok(())
            }
            Self::Internal(fault) => write!(f, "{fault:#}"),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(fault: anyhow::Error) -> Self {
        Self::Internal(fault)
    }
}

impl From<std::io::Error> for Failure {
    fn from(fault: std::io::Error) -> Self {
        Self::Internal(fault.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(fault: serde_json::Error) -> Self {
        Self::Internal(fault.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_api_has_an_exit_code() {
        let cases = [
            (Code::Unauthenticated, 6),
            (Code::NotAsked, 6),
            (Code::NotFound, 7),
            (Code::Changed, 7),
            (Code::InputInvalid, 3),
            (Code::StoreUnavailable, 8),
            (Code::Internal, 1),
        ];
        for (code, exit) in cases {
            assert_eq!(
                Failure::from(Problem::new(code, "")).code(),
                exit,
                "{}",
                code.name()
            );
        }
        assert!(
            Code::ALL
                .iter()
                .all(|code| (1..=8).contains(&of_problem(*code)))
        );
    }
}
