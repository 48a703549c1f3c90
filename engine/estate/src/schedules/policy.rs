//! What happens to firings that the clock moves, and to those that were missed.

use super::build::Builder;
use super::choice::WordOr;
use super::file::{RawDst, RawMissed, RawSchedule};
use crate::at::{At, Position};
use crate::fault::Bad;
use crate::text;
use hostler_calendar::due::{LATE_DEFAULT_MS, LATE_MAX_MS, Missed, RUN_ALL_MAX, Then};
use hostler_calendar::schedule::Dst;
use hostler_calendar::zone::{Fold, Gap};

impl Builder<'_> {
    pub(super) fn dst(&mut self, raw: Option<&RawDst>) -> Dst {
        let Some(raw) = raw else {
            return Dst::default();
        };
        let gaps = [("shift", Gap::Shift), ("skip", Gap::Skip)];
        let folds = [
            ("first", Fold::First),
            ("second", Fold::Second),
            ("both", Fold::Both),
        ];
        Dst {
            gap: self
                .word(raw.gap.as_ref(), "gap", &gaps)
                .unwrap_or_default(),
            fold: self.word(raw.fold.as_ref(), "fold", &folds),
        }
    }

    pub(super) fn missed(&mut self, raw: &RawSchedule) -> Missed {
        let Some(at) = &raw.missed else {
            return Missed::default();
        };
        let raw = long(at);
        let at_most = self.at_most(at.position, &raw);
        let words = [
            ("skip", Then::Skip),
            ("ask", Then::Ask),
            ("run_once", Then::RunOnce),
            ("run_all", Then::RunAll { at_most }),
        ];
        let then = self.word(raw.then.as_ref(), "then", &words);
        let late_ms = raw.late.as_ref().and_then(|late| self.late_ms(late));
        Missed {
            late_ms: late_ms.unwrap_or(LATE_DEFAULT_MS),
            then: then.unwrap_or_default(),
        }
    }

    fn late_ms(&mut self, late: &At<String>) -> Option<u64> {
        let why = match text::duration_ms(&late.value) {
            Ok(ms) if ms <= LATE_MAX_MS => return Some(ms),
            Ok(_) => Bad::new("is longer than 31 days", "make it shorter"),
            Err(why) => why,
        };
        self.out.bad(0, late, "late", why);
        None
    }

    /// The bound of `run_all`, which has no default, and belongs to nothing else.
    fn at_most(&mut self, position: Position, raw: &RawMissed) -> u32 {
        let all = raw
            .then
            .as_ref()
            .is_some_and(|then| then.value == "run_all");
        match &raw.at_most {
            Some(at) if !all => {
                self.out.bad(
                    0,
                    at,
                    "at_most",
                    Bad::new("belongs to `then: run_all`", "remove it"),
                );
            }
            Some(at) if !(1..=RUN_ALL_MAX).contains(&at.value) => {
                let remedy = format!("write 1 to {RUN_ALL_MAX}");
                self.out
                    .bad(0, at, "at_most", Bad::new("is out of bounds", remedy));
            }
            None if all => {
                let remedy = "add `at_most: 5`: the newest so many are run";
                self.out
                    .add(0, position, "HE040", "`run_all` needs a bound", remedy);
            }
            _ => {}
        }
        raw.at_most.as_ref().map_or(1, |at| at.value)
    }
}

/// `skip` is short for `{ then: skip }`.
fn long(at: &At<WordOr<RawMissed>>) -> RawMissed {
    match &at.value {
        WordOr::Long(raw) => raw.clone(),
        WordOr::Word(word) => RawMissed {
            then: Some(At {
                value: word.clone(),
                position: at.position,
            }),
            ..RawMissed::default()
        },
    }
}
