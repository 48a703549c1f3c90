//! Who owes what: rows of conditions, the first that fits decides.
//!
//! Not here: reading rows, and what becomes of a step that somebody else owes.

use crate::Asset;
use serde::Serialize;
use std::collections::BTreeSet;

/// Who owes a step, or that nobody here does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    Platform,
    Customer,
    Network,
    Security,
    Finance,
    /// It is not done, and the reason is told.
    Refuse,
}

/// The duties by name; the first five are what a step may say of itself.
pub const DUTIES: [(&str, Duty); 6] = [
    ("platform", Duty::Platform),
    ("customer", Duty::Customer),
    ("network", Duty::Network),
    ("security", Duty::Security),
    ("finance", Duty::Finance),
    ("refuse", Duty::Refuse),
];

/// Words for several families of systems, beside the families and names that an estate knows.
pub const OS_GROUPS: [(&str, &[&str]); 3] = [
    ("linux", &["debian", "redhat", "suse"]),
    ("bsd", &BSDS),
    (
        "unix",
        &[
            "linux", "debian", "redhat", "suse", "bsd", BSDS[0], BSDS[1], BSDS[2],
        ],
    ),
];
const BSDS: [&str; 3] = ["freebsd", "openbsd", "netbsd"];

/// What decides about a step beside its subject. None fits only rows that do not ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// What the step says of itself (`duty: customer`).
    pub duty: Option<String>,
    /// The contract of the asset's customer, or of the asset: `co-managed`.
    pub service: Option<String>,
    /// `virtual`, `physical`, `cloud`, …
    pub kind: Option<String>,
    /// `debian-13`.
    pub os: Option<String>,
    pub os_family: Option<String>,
    /// 1 (public) to 4.
    pub data_level: Option<u8>,
}

impl Attributes {
    /// Of an asset, for a step with this `duty`.
    #[must_use]
    pub fn of(asset: &Asset, duty: Option<&str>) -> Self {
        Self {
            duty: duty.map(str::to_owned),
            service: asset.service.clone(),
            kind: Some(asset.kind.clone()),
            os: asset.os.clone(),
            os_family: asset.os_family().map(str::to_owned),
            data_level: asset.data_level,
        }
    }
}

/// One row. Conditions that are empty fit everything; several values of one: either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `guest-patch.apply`, `guest-patch` for all its actions, or a word such as `database`.
    pub subject: BTreeSet<String>,
    pub duty: BTreeSet<String>,
    pub service: BTreeSet<String>,
    pub kind: BTreeSet<String>,
    /// A name (`debian`, `debian-13`), a family or one of [`OS_GROUPS`].
    pub os: BTreeSet<String>,
    pub data_level: BTreeSet<u8>,
    pub owes: Duty,
    /// For whoever is refused or asked.
    pub reason: String,
}

/// What the rows say of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed<'a> {
    pub duty: Duty,
    pub reason: &'a str,
    /// Number of the row that decided, from 0.
    pub row: usize,
}

impl Row {
    /// Without a file: the platform does everything, as if there were nobody else.
    pub(super) fn everything() -> Self {
        Self {
            subject: BTreeSet::new(),
            duty: BTreeSet::new(),
            service: BTreeSet::new(),
            kind: BTreeSet::new(),
            os: BTreeSet::new(),
            data_level: BTreeSet::new(),
            owes: Duty::Platform,
            reason: "no policy says that somebody else owes it".to_owned(),
        }
    }

    /// Whether it fits whatever is asked.
    #[must_use]
    pub fn is_last(&self) -> bool {
        let words = [
            &self.subject,
            &self.duty,
            &self.service,
            &self.kind,
            &self.os,
        ];
        words.iter().all(|words| words.is_empty()) && self.data_level.is_empty()
    }

    pub(super) fn fits(&self, subject: &str, asked: &Attributes) -> bool {
        let any = |words: &BTreeSet<String>, asked: &Option<String>| {
            words.is_empty() || asked.as_ref().is_some_and(|asked| words.contains(asked))
        };
        let os = [asked.os.as_deref(), asked.os_family.as_deref()];
        let os_fits = |word: &String| os.iter().flatten().any(|os| names_os(word, os));
        let subject_fits = |word: &String| names_subject(word, subject);
        (self.subject.is_empty() || self.subject.iter().any(subject_fits))
            && (self.os.is_empty() || self.os.iter().any(os_fits))
            && any(&self.duty, &asked.duty)
            && any(&self.service, &asked.service)
            && any(&self.kind, &asked.kind)
            && (self.data_level.is_empty()
                || asked
                    .data_level
                    .is_some_and(|level| self.data_level.contains(&level)))
    }

    /// Whether this one fits wherever the other does, so that the other never matches behind it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        covers(&self.subject, &other.subject, names_subject)
            && covers(&self.os, &other.os, names_os)
            && covers(&self.duty, &other.duty, same)
            && covers(&self.service, &other.service, same)
            && covers(&self.kind, &other.kind, same)
            && (self.data_level.is_empty()
                || !other.data_level.is_empty() && other.data_level.is_subset(&self.data_level))
    }
}

fn covers(
    mine: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
    names: fn(&str, &str) -> bool,
) -> bool {
    let covered = |word: &String| mine.iter().any(|wider| names(wider, word));
    mine.is_empty() || !theirs.is_empty() && theirs.iter().all(covered)
}

fn same(one: &str, other: &str) -> bool {
    one == other
}

/// `guest-patch` names `guest-patch.apply`, and itself.
fn names_subject(word: &str, subject: &str) -> bool {
    subject
        .strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `linux` names `debian`; `debian` names `debian-13`; each names itself.
fn names_os(word: &str, os: &str) -> bool {
    let of_group = || {
        let group = OS_GROUPS.iter().find(|(name, _)| *name == word);
        group.is_some_and(|(_, members)| members.iter().any(|member| versions(member, os)))
    };
    versions(word, os) || of_group()
}

fn versions(word: &str, os: &str) -> bool {
    os.strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_subjects_and_systems_are_whole_words() {
        assert!(names_subject("guest-patch", "guest-patch.apply"));
        assert!(!names_subject("guest", "guest-patch.apply"));
        assert!(!names_subject("guest-patch.apply", "guest-patch"));
        assert!(names_os("linux", "debian-13") && names_os("unix", "linux"));
        assert!(!names_os("linux", "windows-2025") && !names_os("debian-1", "debian-13"));
    }

    #[test]
    fn a_row_is_covered_only_where_every_condition_is() {
        let row = |subject: &[&str], os: &[&str], levels: &[u8]| Row {
            subject: subject.iter().map(|word| (*word).to_owned()).collect(),
            os: os.iter().map(|word| (*word).to_owned()).collect(),
            data_level: levels.iter().copied().collect(),
            ..Row::everything()
        };
        let wide = row(&["guest"], &["linux"], &[]);
        assert!(wide.covers(&row(&["guest.reboot"], &["debian", "suse"], &[1])));
        assert!(!wide.covers(&row(&["guest.reboot"], &["debian", "windows"], &[])));
        assert!(
            !wide.covers(&row(&["guest.reboot"], &[], &[])),
            "without a system it fits all"
        );
        assert!(!row(&[], &[], &[3, 4]).covers(&row(&[], &[], &[])));
        assert!(row(&[], &[], &[3, 4]).covers(&row(&[], &[], &[4])));
        assert!(row(&[], &[], &[]).is_last() && !wide.is_last());
    }
}
