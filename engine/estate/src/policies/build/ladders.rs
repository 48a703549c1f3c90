//! Ladders: who is asked one after the other. The last rung is always `deny`.

use super::Builder;
use crate::at::At;
use crate::policies::file::{LaddersFile, RawLadder, RawRung};
use crate::policies::model::{CHANNELS, Ladder, Rung};
use crate::policies::source::Source;
use crate::schedules::choice::{OneOrMany, WordOr};
use std::collections::BTreeSet;

/// More rungs are climbed by nobody who is in a hurry.
const RUNGS_MAX: usize = 20;
const DENY: &str = "deny";

/// What a ladder says for those of its rungs that say nothing.
struct Usual {
    every_ms: Option<u64>,
    channels: Vec<String>,
}

impl Builder<'_> {
    pub(super) fn ladders(&mut self, source: &Source<LaddersFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.ladders.iter() {
            self.id(id, "ladder", &mut seen);
            let rungs = self.rungs(id, raw);
            let ladder = Ladder { rungs };
            self.policies.ladders.insert(id.value.clone(), ladder);
        }
    }

    fn rungs(&mut self, id: &At<String>, raw: &RawLadder) -> Vec<Rung> {
        if let Some(over) = raw.rungs.get(RUNGS_MAX) {
            let message = format!("more than {RUNGS_MAX} rungs");
            self.fault(over, "HE050", message, "ask several at once");
        }
        let usual = Usual {
            every_ms: raw.every.as_ref().map(|at| self.every_ms(at)),
            channels: self.channels(raw.channels.as_ref()),
        };
        let mut rungs = Vec::new();
        for (number, at) in raw.rungs.iter().enumerate().take(RUNGS_MAX) {
            match &at.value {
                WordOr::Long(rung) => rungs.push(self.rung(at, &usual, rung)),
                WordOr::Word(word) => self.end(at, word, number + 1 == raw.rungs.len()),
            }
        }
        let ends = raw.rungs.last();
        if ends.is_none_or(|at| matches!(at.value, WordOr::Long(_))) {
            let message = format!("the ladder `{}` has no end", id.value);
            let remedy = "add `- deny` as its last rung: what nobody answers is denied";
            self.fault(id, "HP102", message, remedy);
        } else if rungs.is_empty() && raw.rungs.len() == 1 {
            let message = format!("the ladder `{}` asks nobody", id.value);
            let remedy = "add `- { who: role:<role>, every: 15m }` before `deny`";
            self.fault(id, "HE040", message, remedy);
        }
        rungs
    }

    fn end(&mut self, at: &At<WordOr<RawRung>>, word: &str, is_last: bool) {
        if word != DENY {
            let message = format!("the rung `{word}` is none");
            let remedy = "write `{ who: role:<role>, every: 15m }`, and `deny` as the last one";
            self.fault(at, "HE030", message, remedy);
        } else if !is_last {
            let remedy = "remove what stands behind it, or move it to the end";
            self.fault(at, "HP102", "`deny` ends a ladder in its middle", remedy);
        }
    }

    fn rung(&mut self, at: &At<WordOr<RawRung>>, usual: &Usual, raw: &RawRung) -> Rung {
        if raw.who.0.is_empty() {
            let remedy = "write `who: role:<role>`";
            self.fault(at, "HE040", "the rung asks nobody", remedy);
        }
        let every_ms = raw.every.as_ref().map(|at| self.every_ms(at));
        let every_ms = every_ms.or(usual.every_ms);
        if every_ms.is_none() {
            let message = "nothing says how long this rung has";
            let remedy = "add `every: 15m` here or to the ladder";
            self.fault(at, "HE040", message, remedy);
        }
        Rung {
            who: self.asked(&raw.who),
            every_ms: every_ms.unwrap_or_default(),
            channels: match &raw.channels {
                Some(_) => self.channels(raw.channels.as_ref()),
                None => usual.channels.clone(),
            },
        }
    }

    /// 0 for what is a fault.
    fn every_ms(&mut self, at: &At<String>) -> u64 {
        self.elapsed_ms(at, "every").unwrap_or_default()
    }

    /// Mail, where nothing else is said; and nothing else is sent, so nobody waits for a call that does not come.
    fn channels(&mut self, list: Option<&OneOrMany>) -> Vec<String> {
        let channels = self.set(list, "channel", &CHANNELS);
        let known = |at: &&At<String>| CHANNELS.contains(&at.value.as_str());
        let others = list.iter().flat_map(|list| &list.0).filter(known);
        for at in others.filter(|at| at.value != CHANNELS[0]) {
            let message = format!("nothing here tells people by `{}`", at.value);
            let remedy = "leave it out: whoever is asked gets a letter, or, where their address stands for a hook, a message in its \
                          room; who must be called is called by people";
            self.fault(at, "HP114", message, remedy);
        }
        if channels.is_empty() {
            return vec![CHANNELS[0].to_owned()];
        }
        channels.into_iter().collect()
    }
}
