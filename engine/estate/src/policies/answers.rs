//! What others ask of the policies. Each answer is a lookup: no clock, no estate, never blocks.
//!
//! Not here: people by date.

use super::duty::{Attributes, Owed};
use super::model::{Class, Consent, Impact, Policies, RingNotice, StepUp};
use super::span::Span;
use hostler_core::directory::Trigger;
use hostler_core::fit::Terms;
use hostler_core::id::Digest;
use hostler_core::lane;
use serde::Serialize;

/// What counts as notice of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The published yearly calendar is enough.
    Calendar,
    /// A message so long before; [`Span::NONE`]: at once, but not below the floor of the class.
    Lead(Span),
}

/// A ladder that was opened: who is asked when, and when nobody can say yes any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Climb<'a> {
    pub rungs: Vec<Reached<'a>>,
    /// Denied at this instant, in milliseconds since 1970.
    pub denies_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached<'a> {
    /// Asked from this instant on, in milliseconds since 1970; whoever was asked before still is.
    pub from_ms: i64,
    pub who: &'a [String],
    pub channels: &'a [String],
}

impl Policies {
    /// Of the files' names and bytes; a changed byte gives another one.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// None for what is no class.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.get(name)
    }

    /// What counts as notice of a step of this class on an asset of this ring. None: no such class.
    #[must_use]
    pub fn lead(&self, class: &str, ring: Option<&str>) -> Option<Notice> {
        let class = self.class(class)?;
        Some(match ring.and_then(|ring| class.rings.get(ring)) {
            Some(RingNotice::Calendar) => Notice::Calendar,
            Some(RingNotice::Lead(lead)) => Notice::Lead(*lead),
            None => Notice::Lead(class.lead),
        })
    }

    /// Whether the lead, the windows and the freezes of a class bind a step that disturbs so much.
    #[must_use]
    pub fn binds(&self, class: &str, impact: Impact) -> bool {
        self.class(class)
            .is_some_and(|class| class.binds.contains(&impact))
    }

    /// How a customer agrees to a step of this class. None: the class asks nothing, and its contract alone binds.
    #[must_use]
    pub fn consent(&self, class: &str) -> Option<Consent> {
        self.consent.get(class).copied()
    }

    /// What a yes to an approval of this class must be proved by. None: nothing; so also for what is no class.
    #[must_use]
    pub fn step_up(&self, class: &str) -> Option<lane::StepUp> {
        match self.class(class)?.step_up {
            StepUp::None => None,
            StepUp::Totp => Some(lane::StepUp::Totp),
        }
    }

    /// Who owes a step: the first row that fits. `subject` is `contract.action`, or a word.
    #[must_use]
    pub fn duty(&self, subject: &str, asked: &Attributes) -> Owed<'_> {
        let mut rows = self.responsibilities.iter().enumerate();
        let found = rows.find(|(_, row)| row.fits(subject, asked));
        match found {
            Some((number, row)) => Owed {
                duty: row.owes,
                reason: &row.reason,
                row: number,
            },
            // Reading makes sure of a last row; without one, nobody is allowed.
            None => Owed {
                duty: super::Duty::Refuse,
                reason: "no policy says who owes it",
                row: self.responsibilities.len(),
            },
        }
    }

    /// Who is asked when, on a ladder that was opened at this instant (milliseconds since 1970).
    /// None: no such ladder.
    #[must_use]
    pub fn rungs(&self, ladder: &str, opened_ms: i64) -> Option<Climb<'_>> {
        let ladder = self.ladders.get(ladder)?;
        let mut at_ms = opened_ms;
        let mut rungs = Vec::with_capacity(ladder.rungs.len());
        for rung in &ladder.rungs {
            rungs.push(Reached {
                from_ms: at_ms,
                who: &rung.who,
                channels: &rung.channels,
            });
            at_ms = at_ms.saturating_add_unsigned(rung.every_ms);
        }
        Some(Climb {
            rungs,
            denies_ms: at_ms,
        })
    }

    /// How the length of an action (`guest-patch.apply`) is told. What is assumed without a history: its own entry, its
    /// contract's, the default.
    #[must_use]
    pub fn fit(&self, action: &str) -> Terms {
        let contract = action.split('.').next().unwrap_or_default();
        let fit = &self.fit;
        let own = fit.actions.get(action);
        let own = own.or_else(|| fit.actions.get(contract)).copied();
        Terms {
            at_least: fit.at_least,
            percent: fit.percent,
            assumed_ms: own.or(fit.default_ms),
        }
    }

    /// The reasons for work of this class that were agreed upon, by id.
    #[must_use]
    pub fn reasons(&self, class: &str) -> Vec<Trigger> {
        let of_class = self.triggers.iter().filter(|(_, one)| one.class == class);
        let reasons = of_class.map(|(id, one)| Trigger {
            id: id.clone(),
            says: one.says.clone(),
            exposure: one.exposure.clone(),
        });
        reasons.collect()
    }

    /// How long a verb (`approve`) is assumed to last, in milliseconds. None: no file says.
    #[must_use]
    pub fn verb_ms(&self, verb: &str) -> Option<u64> {
        self.fit.verbs.get(verb).copied()
    }

    /// A text that people agree to.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }
}
