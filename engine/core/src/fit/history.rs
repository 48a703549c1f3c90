//! How long the calls of an action took, and how long the next one is taken to last.
//!
//! Not here: measuring and keeping (worker, store), and what follows from it.

use crate::duration::write_ms;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Calls that one history remembers. What has become slower or faster since is soon all of it.
pub const LASTED_MAX: usize = 64;
/// Most histories; what comes later is not remembered.
pub const HISTORIES_MAX: usize = 400;
/// The document that names them all.
pub const HISTORIES: &str = "lasted";
/// Without a policy: so many calls are a history, and so many percent of them took no longer than what is expected.
const AT_LEAST: u32 = 10;
const PERCENT: u32 = 95;

/// The document with the history of an action on one kind of asset.
#[must_use]
pub fn history_document(action: &str, kind: &str) -> String {
    format!("{HISTORIES}:{action}:{kind}")
}

/// Assets on which an action takes about as long: those that the same plugin works on, of the same `kind`
/// (`guest-linux/virtual`). The kind is read from the asset's record, which may have none.
#[must_use]
pub fn kind(plugin: &str, record: Option<&Value>) -> String {
    match record.and_then(|record| record.get("kind")?.as_str()) {
        Some(kind) => format!("{plugin}/{kind}"),
        None => plugin.to_owned(),
    }
}

/// How long the last calls took that have succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Milliseconds, the oldest first; at most [`LASTED_MAX`].
    pub lasted_ms: Vec<u64>,
}

impl History {
    /// One more; beyond [`LASTED_MAX`] the oldest is forgotten.
    pub fn add(&mut self, ms: u64) {
        self.lasted_ms.push(ms);
        let over = self.lasted_ms.len().saturating_sub(LASTED_MAX);
        self.lasted_ms.drain(..over);
    }

    #[must_use]
    pub fn runs(&self) -> u32 {
        u32::try_from(self.lasted_ms.len()).unwrap_or(u32::MAX)
    }

    /// The shortest time (milliseconds) within which at least so many percent of the calls ended: one of those that
    /// were measured, nothing in between. None: nothing was measured.
    #[must_use]
    pub fn quantile_ms(&self, percent: u32) -> Option<u64> {
        let mut sorted = self.lasted_ms.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() as u64 * u64::from(percent.clamp(1, 100))).div_ceil(100);
        let place = usize::try_from(rank.checked_sub(1)?).ok()?;
        sorted.get(place).copied()
    }

    #[must_use]
    pub fn longest_ms(&self) -> Option<u64> {
        self.lasted_ms.iter().max().copied()
    }
}

/// What the policies say about one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// So many calls are a history.
    pub at_least: u32,
    /// So many percent of them must have taken no longer.
    pub percent: u32,
    /// Without a history. None: nobody says, so it may take all of its timeout.
    pub assumed_ms: Option<u64>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            at_least: AT_LEAST,
            percent: PERCENT,
            assumed_ms: None,
        }
    }
}

/// Where a length comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Basis {
    /// So many percent of the last calls took no longer.
    Measured { percent: u32, runs: u32 },
    /// The policies say so.
    Assumed,
    /// It is cut off then.
    Timeout,
    /// The runbook waits for so long.
    Wait,
}

/// How long something is taken to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Estimate {
    pub ms: u64,
    #[serde(flatten)]
    pub basis: Basis,
}

impl Estimate {
    /// A call that is cut off after `timeout_ms`; nothing lasts longer than that.
    #[must_use]
    pub fn of(history: Option<&History>, terms: Terms, timeout_ms: u64) -> Self {
        let known = history.filter(|history| history.runs() >= terms.at_least.max(1));
        let measured = known.and_then(|history| {
            let basis = Basis::Measured {
                percent: terms.percent,
                runs: history.runs(),
            };
            Some((history.quantile_ms(terms.percent)?, basis))
        });
        let assumed = || Some((terms.assumed_ms?, Basis::Assumed));
        let said = measured.or_else(assumed);
        let (ms, basis) = said.unwrap_or((timeout_ms, Basis::Timeout));
        Self {
            ms: ms.min(timeout_ms),
            basis,
        }
    }

    /// `20m, p95 of 12 runs`.
    #[must_use]
    pub fn says(&self) -> String {
        let lasts = rounded(self.ms);
        match self.basis {
            Basis::Measured { percent, runs } => format!("{lasts}, p{percent} of {runs} runs"),
            Basis::Assumed => format!("{lasts}, assumed"),
            Basis::Timeout => format!("{lasts}, its timeout"),
            Basis::Wait => format!("{lasts}, a wait"),
        }
    }
}

/// Whole seconds, from a minute on: nobody plans in milliseconds.
#[must_use]
pub fn rounded(ms: u64) -> String {
    match ms {
        0..60_000 => write_ms(ms),
        more => write_ms(more.div_ceil(1_000).saturating_mul(1_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(lasted_ms: &[u64]) -> History {
        let mut history = History::default();
        lasted_ms.iter().for_each(|ms| history.add(*ms));
        history
    }

    proptest! {
        /// The definition, by counting: no rank and no order.
        #[test]
        fn a_quantile_is_the_exact_one_of_the_last_calls(
            lasted in prop::collection::vec(prop_oneof![0_u64..20, any::<u64>()], 0..200),
            percent in 1_u32..=100,
        ) {
            let last = &lasted[lasted.len().saturating_sub(LASTED_MAX)..];
            let within = |bound: u64| last.iter().filter(|ms| **ms <= bound).count() as u64;
            let enough = |bound: u64| within(bound) * 100 >= u64::from(percent) * last.len() as u64;
            let exact = last.iter().copied().filter(|ms| enough(*ms)).min();
            let history = history(&lasted);
            prop_assert_eq!(history.quantile_ms(percent), exact);
            prop_assert_eq!(history.lasted_ms.as_slice(), last);
            prop_assert_eq!(history.longest_ms(), last.iter().copied().max());
        }
    }

    #[test]
    fn what_was_measured_often_enough_counts_then_what_is_assumed_then_the_timeout() {
        let terms = |assumed_ms| Terms {
            assumed_ms,
            ..Terms::default()
        };
        let twelve = history(&[20; 12]);
        let says = |history: &History, assumed_ms, timeout_ms| {
            let found = Estimate::of(Some(history), terms(assumed_ms), timeout_ms);
            (found.ms, found.says())
        };
        assert_eq!(
            says(&twelve, Some(45), 90),
            (20, "20ms, p95 of 12 runs".to_owned())
        );
        let nine = history(&[20; 9]);
        assert_eq!(says(&nine, Some(45), 90), (45, "45ms, assumed".to_owned()));
        assert_eq!(says(&nine, None, 90), (90, "90ms, its timeout".to_owned()));
        assert_eq!(
            says(&nine, Some(45), 30).0,
            30,
            "nothing outlasts its timeout"
        );
        assert_eq!(says(&twelve, None, 10).0, 10);
        assert_eq!(
            Estimate::of(None, Terms::default(), 90).basis,
            Basis::Timeout
        );
        let never = Terms {
            at_least: 0,
            ..Terms::default()
        };
        let none = Estimate::of(Some(&History::default()), never, 90);
        assert_eq!(
            none.basis,
            Basis::Timeout,
            "no call at all is never a history"
        );
    }

    #[test]
    fn a_history_of_long_calls_forgets_the_short_ones_before_them() {
        let mut lasted = vec![20; 500];
        lasted.extend([80; LASTED_MAX]);
        assert_eq!(history(&lasted).quantile_ms(50), Some(80));
        assert_eq!(rounded(3_723_417), "1h2m4s");
    }
}
