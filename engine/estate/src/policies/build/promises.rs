//! What was promised to customers and agreed with them: deadlines, consent, deferrals.

use super::Builder;
use crate::at::At;
use crate::fault::Bad;
use crate::policies::file::{ConsentFile, DeadlinesFile, DeferralsFile, RawDeadline, RawDeferral};
use crate::policies::model::{Class, Consent, Deadline, Deferral};
use crate::policies::source::Source;
use crate::policies::span::{Span, written};
use crate::schedules::choice::WordOr;
use hostler_core::budget::length;
use hostler_core::deferral::{LONGEST_MAX_MS, TIMES_MAX};
use std::collections::BTreeSet;

/// The class that keeps a deadline where none is named: the recurring one.
const USUAL_CLASS: &str = "standard-patch";
const EMERGENCY: &str = "emergency";

impl Builder<'_> {
    pub(super) fn deadlines(&mut self, source: &Source<DeadlinesFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, at) in source.value.deadlines.iter() {
            self.id(id, "severity", &mut seen);
            let raw = match &at.value {
                WordOr::Long(raw) => raw.clone(),
                WordOr::Word(within) => RawDeadline {
                    within: At {
                        value: within.clone(),
                        position: at.position,
                    },
                    class: None,
                },
            };
            let deadline = self.deadline(&raw);
            let deadline = deadline.map(|deadline| (id.value.clone(), deadline));
            self.policies.deadlines.extend(deadline);
        }
    }

    fn deadline(&mut self, raw: &RawDeadline) -> Option<Deadline> {
        let within_ms = self.elapsed_ms(&raw.within, "deadline")?;
        let class = match &raw.class {
            Some(at) => self.class(at)?,
            None => USUAL_CLASS.to_owned(),
        };
        let needs_ms = self.policies.class(&class).map_or(0, told_ms);
        if self.all_read && needs_ms >= within_ms {
            let message = format!(
                "the lead of `{class}` takes up to {}: this deadline is over before the work may begin",
                written(needs_ms)
            );
            let remedy = "promise more time, or name a `class` with a shorter lead";
            self.fault(&raw.within, "HP106", message, remedy);
        }
        Some(Deadline { within_ms, class })
    }

    pub(super) fn consent(&mut self, source: &Source<ConsentFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, at) in source.value.consent.iter() {
            self.id(id, "class", &mut seen);
            let (class, consent) = (self.class(id), self.consent_kind(at));
            let (Some(class), Some(consent)) = (class, consent) else {
                continue;
            };
            self.silence_in_time(at, &class, consent);
            self.policies.consent.insert(class, consent);
        }
    }

    fn consent_kind(&mut self, at: &At<String>) -> Option<Consent> {
        let silence = at.value.strip_prefix("tacit-");
        let silence = silence.and_then(|text| crate::policies::span::parse(text).ok());
        match (at.value.as_str(), silence) {
            ("explicit", _) => Some(Consent::Explicit),
            ("notify-only", _) => Some(Consent::NotifyOnly),
            (_, Some(Span::BusinessDays(business_days))) => Some(Consent::Tacit { business_days }),
            _ => {
                let remedy = "write `explicit`, `tacit-5bd` or `notify-only`";
                self.bad(at, "consent", Bad::new("is no kind of consent", remedy));
                None
            }
        }
    }

    /// Silence must have agreed before the start that the lead allows.
    fn silence_in_time(&mut self, at: &At<String>, class: &str, consent: Consent) {
        let lead = self.policies.class(class).map(|class| class.lead);
        let (Consent::Tacit { business_days }, Some(lead)) = (consent, lead) else {
            return;
        };
        if self.all_read && !Span::BusinessDays(business_days).fits_into(lead) {
            let message = format!(
                "silence agrees after {business_days}bd, but `{class}` may start `{lead}` after the notice"
            );
            let remedy = "shorten it, lengthen the lead, or write `explicit`";
            self.fault(at, "HP109", message, remedy);
        }
    }

    pub(super) fn deferrals(&mut self, source: &Source<DeferralsFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.deferrals.iter() {
            self.id(id, "class", &mut seen);
            let (class, deferral) = (self.class(id), self.deferral(raw));
            if class.as_deref() == Some(EMERGENCY) {
                let remedy = "remove it: an emergency waits for nobody";
                self.fault(id, "HP110", "an emergency is never deferred", remedy);
            }
            self.policies.deferrals.extend(class.zip(deferral));
        }
    }

    fn deferral(&mut self, raw: &RawDeferral) -> Option<Deferral> {
        let times = &raw.times;
        if !(1..=TIMES_MAX).contains(&times.value) {
            let remedy = format!(
                "write 1 to {TIMES_MAX}; a class that nobody may put off is left out of the file"
            );
            self.bad(times, "times", Bad::new("is out of bounds", remedy));
        }
        let until_ms = self.elapsed_ms(&raw.until, "until");
        let longest_ms = self.elapsed_ms(&raw.longest, "longest");
        if longest_ms.is_some_and(|longest_ms| longest_ms > LONGEST_MAX_MS) {
            let remedy = format!(
                "write at most {}; what waits longer is left out of the cycle",
                length(LONGEST_MAX_MS)
            );
            self.bad(&raw.longest, "longest", Bad::new("is too long", remedy));
        }
        Some(Deferral {
            times: times.value,
            until_ms: until_ms?,
            longest_ms: longest_ms?,
        })
    }
}

/// From telling to starting, at most, in milliseconds.
fn told_ms(class: &Class) -> u64 {
    class.lead.most_ms().max(class.floor_ms)
}
