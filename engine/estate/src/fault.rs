//! What is wrong with an estate, where, and how to mend it.
//!
//! Not here: the checks themselves.

use crate::at::{At, Position};
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// More than these are not collected: whoever has a hundred mends those first.
pub const FAULTS_MAX: usize = 100;

/// One fault of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable: `HE001` syntax, `HE002` unknown key, `HE003` wrong shape, `HE010` bad id, `HE011`
    /// duplicate, `HE020` unknown reference, `HE030` bad value, `HE040` something is missing,
    /// `HE050` over a limit, `HE060` an unreadable file.
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            message,
            remedy,
            file,
            line,
            column,
        } = self;
        write!(f, "{file}:{line}:{column}: {code} {message}; {remedy}")
    }
}

/// All faults found, in the order of finding; at most [`FAULTS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Collects faults while an estate is read.
#[derive(Debug, Default)]
pub struct Collector {
    pub files: Vec<String>,
    pub faults: Vec<Fault>,
}

impl Collector {
    pub fn add(
        &mut self,
        file: usize,
        position: Position,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.faults.len() >= FAULTS_MAX {
            return;
        }
        self.faults.push(Fault {
            code,
            message: message.into(),
            remedy: remedy.into(),
            file: self.files.get(file).cloned().unwrap_or_default(),
            line: position.line,
            column: position.column,
        });
    }

    /// A bad value, said by the check of its format.
    pub fn bad<T: fmt::Display>(&mut self, file: usize, at: &At<T>, what: &str, why: Bad) {
        self.add(
            file,
            at.position,
            "HE030",
            format!("{what} `{}` {}", at.value, why.why),
            why.remedy,
        );
    }

    /// A reference to something that is not there.
    pub fn unknown<'a>(
        &mut self,
        file: usize,
        at: &At<String>,
        what: &str,
        section: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let remedy = match nearest(&at.value, known) {
            Some(near) => format!("did you mean `{near}`? Else add it under `{section}`"),
            None => format!("add it under `{section}`"),
        };
        self.add(
            file,
            at.position,
            "HE020",
            format!("there is no {what} `{}`", at.value),
            remedy,
        );
    }
}

/// Why a text does not have its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    pub why: String,
    pub remedy: String,
}

impl Bad {
    pub fn new(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            remedy: remedy.into(),
        }
    }
}

/// The known word that is nearest to a mistyped one, if any is near enough.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let reach = (word.chars().count() / 3).clamp(1, 3);
    known
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 4)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= reach)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, changes and exchanged neighbours between two words, cut off at 64
/// characters each.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for line in 1..=left.len() {
        let mut row = vec![line];
        for column in 1..=right.len() {
            let same = left[line - 1] == right[column - 1];
            let mut least = (last[column - 1] + usize::from(!same))
                .min(last[column] + 1)
                .min(row[column - 1] + 1);
            if line > 1
                && column > 1
                && left[line - 1] == right[column - 2]
                && left[line - 2] == right[column - 1]
            {
                least = least.min(before[column - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let known = || ["customer", "window", "ring"].into_iter();
        assert_eq!(nearest("custmer", known()), Some("customer"));
        assert_eq!(nearest("rign", known()), Some("ring"));
        assert_eq!(
            nearest("rack", known()),
            None,
            "two changes in four letters are another word"
        );
        assert_eq!(nearest("windwo", known()), Some("window"));
        assert_eq!(nearest("hypervisor", known()), None);
    }
}
