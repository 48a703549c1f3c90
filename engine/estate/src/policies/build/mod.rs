//! Shapes → checked policies. All faults are collected before anything is refused.
//!
//! One file here for policies that belong together. Not here: formats of single values.

mod budgets;
mod change;
mod debts;
mod delegates;
mod ladders;
mod lists;
mod promises;
mod rows;
mod values;

use super::Known;
use super::model::Policies;
use super::source::Sources;
use super::{defaults, model::CLASSES};
use crate::at::At;
use crate::fault::{Bad, Collector, nearest};
use crate::schedules::choice::OneOrMany;
use crate::text;
use std::collections::BTreeSet;

/// Entries of one section; people must be able to read all of them.
pub(super) const ENTRIES_MAX: usize = 500;

/// Reads one policy after the other, those first that others refer to.
pub struct Builder<'a> {
    out: &'a mut Collector,
    known: &'a Known,
    /// The file that is read.
    file: usize,
    /// Every file could be read: one that could not would give faults at those who name its entries.
    all_read: bool,
    /// Whether anybody has said which roles there are.
    roles_are_known: bool,
    policies: Policies,
}

impl<'a> Builder<'a> {
    pub fn new(known: &'a Known, out: &'a mut Collector) -> Self {
        Self {
            all_read: out.faults.is_empty(),
            out,
            known,
            file: 0,
            roles_are_known: false,
            policies: defaults::policies(),
        }
    }

    pub fn build(mut self, sources: &Sources) -> Policies {
        self.roles(&sources.roles);
        self.ladders(&sources.ladders);
        self.classes(&sources.classes);
        self.responsibilities(&sources.responsibilities);
        self.triggers(&sources.triggers);
        self.spend(&sources.spend);
        self.deadlines(&sources.deadlines);
        self.consent(&sources.consent);
        self.deferrals(&sources.deferrals);
        self.budgets(&sources.budgets);
        self.debts(&sources.debts);
        self.retention(&sources.retention);
        self.fit(&sources.fit);
        self.texts(&sources.texts);
        self.policies
    }

    fn fault(
        &mut self,
        at: &At<impl Sized>,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.out.add(self.file, at.position, code, message, remedy);
    }

    fn bad(&mut self, at: &At<impl std::fmt::Display>, what: &str, why: Bad) {
        self.out.bad(self.file, at, what, why);
    }

    /// The id of an entry, once in its section.
    fn id(&mut self, at: &At<String>, what: &str, seen: &mut BTreeSet<String>) {
        if let Err(why) = text::id(&at.value) {
            let message = format!("{what} `{}` {}", at.value, why.why);
            self.fault(at, "HE010", message, why.remedy);
        }
        if !seen.insert(at.value.clone()) {
            let message = format!("{what} `{}` stands there twice", at.value);
            self.fault(at, "HE011", message, "remove or rename one of them");
        }
        if seen.len() == ENTRIES_MAX + 1 {
            let message = format!("more than {ENTRIES_MAX} entries of one policy");
            self.fault(at, "HE050", message, "remove those that nobody needs");
        }
    }

    fn choice<T: Copy>(&mut self, at: &At<String>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == at.value);
        if found.is_none() {
            let names = || words.iter().map(|(word, _)| *word);
            let remedy = match nearest(&at.value, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of: {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.bad(at, what, Bad::new("is none of the choices", remedy));
        }
        found.map(|(_, value)| *value)
    }

    /// A word of a closed list.
    fn among(&mut self, at: &At<String>, what: &str, words: &[&str]) -> Option<String> {
        let words: Vec<(&str, ())> = words.iter().map(|word| (*word, ())).collect();
        self.choice(at, what, &words).map(|()| at.value.clone())
    }

    fn class(&mut self, at: &At<String>) -> Option<String> {
        self.among(at, "class", &CLASSES)
    }

    /// Words of a closed list, each once.
    fn set(&mut self, list: Option<&OneOrMany>, what: &str, words: &[&str]) -> BTreeSet<String> {
        let mut set = BTreeSet::new();
        for at in list.iter().flat_map(|list| &list.0) {
            if let Some(word) = self.among(at, what, words) {
                self.once(at, &mut set, word);
            }
        }
        set
    }

    /// Words of an open list, each once.
    fn ids(&mut self, list: Option<&OneOrMany>, what: &str) -> BTreeSet<String> {
        let mut set = BTreeSet::new();
        for at in list.iter().flat_map(|list| &list.0) {
            match text::id(&at.value) {
                Ok(()) => self.once(at, &mut set, at.value.clone()),
                Err(why) => self.bad(at, what, why),
            }
        }
        set
    }

    fn once<T: Ord>(&mut self, at: &At<impl std::fmt::Display>, set: &mut BTreeSet<T>, value: T) {
        if !set.insert(value) {
            let message = format!("`{}` stands there twice", at.value);
            self.fault(at, "HE011", message, "remove one of them");
        }
    }

    /// A ladder that somebody names.
    fn ladder(&mut self, at: Option<&At<String>>) -> Option<String> {
        let at = at?;
        let known = &self.policies.ladders;
        if self.all_read && !known.contains_key(&at.value) {
            let names: Vec<String> = known.keys().cloned().collect();
            let names = names.iter().map(String::as_str);
            self.out
                .unknown(self.file, at, "ladder", "ladders.yaml", names);
        }
        Some(at.value.clone())
    }
}
