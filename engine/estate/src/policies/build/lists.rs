//! Plain lists: amounts, what is kept how long, assumed durations, texts.

use super::values::TEXT_MAX_BYTES;
use super::{Builder, ENTRIES_MAX};
use crate::at::{At, Entries};
use crate::fault::Bad;
use crate::policies::file::{FitFile, RetentionFile, SpendFile, TextsFile};
use crate::policies::model::{KEPT, Keep, VERBS};
use crate::policies::source::Source;
use hostler_core::fit::LASTED_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Ten milliards of the currency: more is a typing error.
const CENTS_MAX: u64 = 1_000_000_000_000;
/// Names of amounts end so, since amounts are whole cents.
const CENTS: &str = "_cents";
const YEARS_MAX: u32 = 100;
const YEAR_DAYS: u32 = 366;
/// Less than half of the calls is no expectation.
const PERCENT: RangeInclusive<u32> = 50..=100;

impl Builder<'_> {
    pub(super) fn spend(&mut self, source: &Source<SpendFile>) {
        self.file = source.file;
        let Some(raw) = &source.value.spend else {
            return;
        };
        let currency = &raw.currency.value;
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let why = Bad::new("is no currency", "write three capitals such as `USD`");
            self.bad(&raw.currency, "currency", why);
        }
        self.policies.spend.currency = Some(currency.clone());
        let mut seen = BTreeSet::new();
        for (id, at) in raw.limits.iter() {
            self.id(id, "limit", &mut seen);
            if !id.value.ends_with(CENTS) {
                let why = Bad::new("does not say its unit", "write a name such as `dean_cents`");
                self.bad(id, "limit", why);
            }
            if !(1..=CENTS_MAX).contains(&at.value) {
                let remedy = format!("write 1 to {CENTS_MAX}, in cents");
                self.bad(at, "limit", Bad::new("is out of bounds", remedy));
            }
            let limits = &mut self.policies.spend.limits;
            limits.insert(id.value.clone(), at.value);
        }
    }

    pub(super) fn retention(&mut self, source: &Source<RetentionFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        let mut ledger = None;
        for (id, at) in source.value.retention.iter() {
            self.id(id, "record", &mut seen);
            let (kind, keep) = (self.among(id, "record", &KEPT), self.keep(at));
            let (Some(kind), Some(keep)) = (kind, keep) else {
                continue;
            };
            if kind == "ledger" {
                ledger = Some((at, keep));
            }
            self.policies.retention.insert(kind, keep);
        }
        // The ledger proves what the others say, so it outlives those that have an end.
        let mut others = self.policies.retention.iter();
        let longer = |(kind, keep): &(&String, &Keep)| {
            let listed = seen.contains(kind.as_str());
            listed && ledger.is_some_and(|(_, ledger)| **keep > ledger)
        };
        let longest = others.find(longer).map(|(kind, _)| kind.clone());
        if let (Some(kind), Some((at, _))) = (longest, ledger) {
            let message = format!("the ledger is dropped before the `{kind}` that it proves");
            let remedy = "write `forever`, or at least as long";
            self.fault(at, "HP112", message, remedy);
        }
    }

    /// `90d`, `7y` or `forever`.
    fn keep(&mut self, at: &At<String>) -> Option<Keep> {
        let number = |unit: char, days: u32| {
            let digits = at.value.strip_suffix(unit)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse::<u32>().ok().filter(|_| plain)?;
            let days = number.checked_mul(days)?;
            let bounds = 1..=YEARS_MAX * YEAR_DAYS;
            bounds.contains(&days).then_some(Keep::Days(days))
        };
        let forever = (at.value == "forever").then_some(Keep::Forever);
        let keep = forever.or_else(|| number('d', 1).or_else(|| number('y', YEAR_DAYS)));
        if keep.is_none() {
            let why = Bad::new("is no time", "write `90d`, `7y` or `forever`");
            self.bad(at, "record", why);
        }
        keep
    }

    pub(super) fn fit(&mut self, source: &Source<FitFile>) {
        self.file = source.file;
        let raw = &source.value.fit;
        if let Some(at) = &raw.at_least {
            let most = u32::try_from(LASTED_MAX).unwrap_or(u32::MAX);
            self.policies.fit.at_least = self.number(at, "at_least", 1..=most);
        }
        if let Some(at) = &raw.percent {
            self.policies.fit.percent = self.number(at, "percent", PERCENT);
        }
        if let Some(at) = &raw.default {
            self.policies.fit.default_ms = self.elapsed_ms(at, "default");
        }
        self.policies.fit.actions = self.durations(&raw.actions, "action", None);
        self.policies.fit.verbs = self.durations(&raw.verbs, "verb", Some(&VERBS));
    }

    /// A number of a range; what lies outside is a fault, and is read as its beginning.
    fn number(&mut self, at: &At<u32>, what: &str, range: RangeInclusive<u32>) -> u32 {
        if range.contains(&at.value) {
            return at.value;
        }
        let remedy = format!("write {} to {}", range.start(), range.end());
        self.bad(at, what, Bad::new("is out of bounds", remedy));
        *range.start()
    }

    fn durations(
        &mut self,
        entries: &Entries<At<String>>,
        what: &str,
        words: Option<&[&str]>,
    ) -> BTreeMap<String, u64> {
        let mut durations = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (id, at) in entries.iter() {
            self.id(id, what, &mut seen);
            if let Some(words) = words {
                self.among(id, what, words);
            }
            let ms = self.elapsed_ms(at, "duration");
            durations.extend(ms.map(|ms| (id.value.clone(), ms)));
        }
        durations
    }

    pub(super) fn texts(&mut self, source: &Source<TextsFile>) {
        self.file = source.file;
        let mut seen = BTreeSet::new();
        for (id, at) in source.value.texts.iter().take(ENTRIES_MAX + 1) {
            self.id(id, "text", &mut seen);
            self.long_text(id, at);
            let text = at.value.clone();
            self.policies.texts.insert(id.value.clone(), text);
        }
    }

    /// People agree to what they read: some words, no control characters, bounded.
    fn long_text(&mut self, id: &At<String>, at: &At<String>) {
        let control = |character: char| character.is_control() && character != '\n';
        let (code, why, remedy) = if at.value.trim().is_empty() {
            ("HE040", "is empty", "write what people agree to")
        } else if at.value.len() > TEXT_MAX_BYTES {
            ("HE050", "is longer than 16 KiB", "shorten it, or divide it")
        } else if at.value.chars().any(control) {
            ("HE030", "has control characters", "write plain lines")
        } else {
            return;
        };
        let message = format!("the text `{}` {why}", id.value);
        self.fault(id, code, message, remedy);
    }
}
