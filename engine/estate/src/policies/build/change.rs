//! Classes: what each asks of its steps. What a file leaves out is as the defaults say.

use super::Builder;
use crate::at::At;
use crate::fault::Bad;
use crate::policies::defaults;
use crate::policies::file::{ClassesFile, RawClass};
use crate::policies::model::{Class, Freeze, Impact, RingNotice, StepUp, Unproven, Windows};
use crate::policies::source::Source;
use crate::policies::span::{DAY_MS, Span, written};
use crate::schedules::choice::OneOrMany;
use hostler_core::mail::{EMERGENCY, STAGES};
use std::collections::{BTreeMap, BTreeSet};

/// More signatures than these nobody collects in time.
const QUORUM_MAX: u32 = 10;
/// The word that starts the customer's time.
const FIRST_STAGE: &str = "scheduled";
/// More reminders are ignored by everybody.
const REMIND_MAX: usize = 10;

impl Builder<'_> {
    pub(super) fn classes(&mut self, source: &Source<ClassesFile>) {
        self.file = source.file;
        if let Some(at) = &source.value.must_have {
            self.policies.must_have = self.must_have(at);
        }
        let mut seen = BTreeSet::new();
        for (id, raw) in source.value.classes.iter() {
            self.id(id, "class", &mut seen);
            if let Some(name) = self.class(id) {
                let class = self.read_class(&name, raw);
                self.policies.classes.insert(name, class);
            }
        }
    }

    /// Nobody can be without the word that their time counts from.
    fn must_have(&mut self, at: &At<OneOrMany>) -> BTreeSet<String> {
        let words: Vec<&str> = STAGES.into_iter().chain([EMERGENCY]).collect();
        let read = self.set(Some(&at.value), "must_have", &words);
        if !read.contains(FIRST_STAGE) && read.len() == at.value.0.len() {
            let message = format!(
                "`must_have` leaves out `{FIRST_STAGE}`, from which the customer's time counts"
            );
            let remedy = format!("add `{FIRST_STAGE}`");
            self.fault(at, "HE040", message, remedy);
        }
        read
    }

    fn read_class(&mut self, name: &str, raw: &RawClass) -> Class {
        let mut class = defaults::class(name);
        let lead = match &raw.lead {
            Some(at) => self.span(at, "lead"),
            None => Some(class.lead),
        };
        class.lead = lead.unwrap_or(class.lead);
        // The reminders of the default belong to the lead of the default.
        class.remind.retain(|one| one.shorter_than(class.lead));
        self.floor(&mut class, raw, lead);
        class.confirmed_ms = raw
            .confirmed
            .as_ref()
            .and_then(|at| self.confirmed(name, at));
        if let Some(at) = &raw.expires {
            class.expires = self.some_span(at, "expires").unwrap_or(class.expires);
        }
        self.rules(&mut class, raw);
        if let Some(remind) = &raw.remind {
            class.remind = self.reminders(remind, lead);
        }
        class.rings = self.rings(raw);
        class.ladder = self.ladder(raw.ladder.as_ref());
        if let Some(at) = &raw.ladder {
            self.climbed_in_time(at, class.expires);
        }
        class
    }

    /// Everybody on the ladder must be asked before the approval expires, holidays apart.
    fn climbed_in_time(&mut self, at: &At<String>, expires: Span) {
        let climb = self.policies.rungs(&at.value, 0);
        let climb_ms = climb.map_or(0, |climb| climb.denies_ms.unsigned_abs());
        if climb_ms > expires.most_ms() {
            let message = format!(
                "the ladder `{}` takes {}, but the class waits for `{expires}` only",
                at.value,
                written(climb_ms)
            );
            let remedy = "shorten its rungs, name another ladder, or lengthen `expires`";
            self.fault(at, "HP113", message, remedy);
        }
    }

    /// Never longer than the lead, where there is one; without `lead` it could not be read.
    fn floor(&mut self, class: &mut Class, raw: &RawClass, lead: Option<Span>) {
        let lead_ms = lead.filter(|lead| !lead.is_none()).map(Span::least_ms);
        let Some(at) = &raw.floor else {
            class.floor_ms = class.floor_ms.min(lead_ms.unwrap_or(u64::MAX));
            return;
        };
        match self.span(at, "floor") {
            Some(Span::Elapsed(ms)) => class.floor_ms = ms,
            Some(Span::BusinessDays(_)) => {
                let remedy = "write elapsed time such as `60m`: it holds at night too";
                self.bad(at, "floor", Bad::new("counts business days", remedy));
                return;
            }
            None => return,
        }
        if let Some(lead_ms) = lead_ms.filter(|lead_ms| class.floor_ms > *lead_ms) {
            let message = format!("the floor `{}` is longer than the lead", at.value);
            let remedy = format!("write at most `{}`", written(lead_ms));
            self.fault(at, "HP101", message, remedy);
        }
    }

    /// Whole days, as they stand in the estate's files; what cannot wait does not wait for it.
    fn confirmed(&mut self, class: &str, at: &At<String>) -> Option<u64> {
        if class == EMERGENCY {
            let message = "an emergency would wait until a contact is confirmed";
            self.fault(
                at,
                "HP110",
                message.to_owned(),
                "leave `confirmed` out here",
            );
            return None;
        }
        match self.some_span(at, "confirmed")? {
            Span::Elapsed(ms) if ms >= DAY_MS => Some(ms),
            _ => {
                let remedy = "write days that have passed, such as `90d`";
                self.bad(at, "confirmed", Bad::new("is no number of days", remedy));
                None
            }
        }
    }

    fn rules(&mut self, class: &mut Class, raw: &RawClass) {
        let unproven = [("hold", Unproven::Hold), ("debt", Unproven::Debt)];
        let freeze = [("holds", Freeze::Holds), ("passes", Freeze::Passes)];
        let windows = [("bind", Windows::Bind), ("free", Windows::Free)];
        let found = raw.unproven.as_ref();
        let found = found.and_then(|at| self.choice(at, "unproven", &unproven));
        class.unproven = found.unwrap_or(class.unproven);
        let found = raw.freeze.as_ref();
        let found = found.and_then(|at| self.choice(at, "freeze", &freeze));
        class.freeze = found.unwrap_or(class.freeze);
        let found = raw.windows.as_ref();
        let found = found.and_then(|at| self.choice(at, "windows", &windows));
        class.windows = found.unwrap_or(class.windows);
        let step_up = [("none", StepUp::None), ("totp", StepUp::Totp)];
        let found = raw.step_up.as_ref();
        let found = found.and_then(|at| self.choice(at, "step_up", &step_up));
        class.step_up = found.unwrap_or(class.step_up);
        if let Some(at) = &raw.quorum {
            class.quorum = at.value;
            if !(1..=QUORUM_MAX).contains(&at.value) {
                let remedy = format!("write 1 to {QUORUM_MAX}");
                self.bad(at, "quorum", Bad::new("is out of bounds", remedy));
            }
        }
        if let Some(at) = &raw.binds {
            class.binds = self.binds(at);
        }
    }

    fn binds(&mut self, at: &At<OneOrMany>) -> BTreeSet<Impact> {
        let words = [("change", Impact::Change), ("outage", Impact::Outage)];
        let mut binds = BTreeSet::new();
        let mut all_read = true;
        for word in &at.value.0 {
            match self.choice(word, "binds", &words) {
                Some(impact) => self.once(word, &mut binds, impact),
                None => all_read = false,
            }
        }
        if all_read && !binds.contains(&Impact::Outage) {
            let message = "`binds` leaves out what disturbs most";
            let remedy = "write `[outage]` or `[change, outage]`";
            self.fault(at, "HE040", message, remedy);
        }
        binds
    }

    /// Each must be shorter than the lead, holidays apart; the longest first. Without `lead` it could
    /// not be read.
    fn reminders(&mut self, list: &OneOrMany, lead: Option<Span>) -> Vec<Span> {
        let mut read: Vec<Span> = Vec::new();
        for at in &list.0 {
            let Some(remind) = self.some_span(at, "remind") else {
                continue;
            };
            if let Some(lead) = lead.filter(|lead| !remind.shorter_than(*lead)) {
                self.late_reminder(at, lead);
            }
            if read.contains(&remind) {
                let message = format!("the reminder `{}` stands there twice", at.value);
                self.fault(at, "HE011", message, "remove one of them");
            }
            read.push(remind);
        }
        if let Some(at) = list.0.get(REMIND_MAX) {
            let message = format!("more than {REMIND_MAX} reminders");
            self.fault(at, "HE050", message, "remove some");
        }
        read.sort_by_key(|remind| std::cmp::Reverse(remind.least_ms()));
        read
    }

    fn late_reminder(&mut self, at: &At<String>, lead: Span) {
        let message = format!("the reminder `{}` is not after the notice", at.value);
        let remedy = if lead.is_none() {
            "remove it: this class has no lead".to_owned()
        } else {
            format!("write less than the lead of `{lead}`")
        };
        self.fault(at, "HP101", message, remedy);
    }

    fn rings(&mut self, raw: &RawClass) -> BTreeMap<String, RingNotice> {
        let mut rings = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (ring, at) in raw.rings.iter() {
            self.id(ring, "ring", &mut seen);
            let notice = if at.value == "calendar" {
                Some(RingNotice::Calendar)
            } else {
                self.ring_lead(at)
            };
            rings.extend(notice.map(|notice| (ring.value.clone(), notice)));
        }
        rings
    }

    fn ring_lead(&mut self, at: &At<String>) -> Option<RingNotice> {
        let read = crate::policies::span::parse(&at.value).map(RingNotice::Lead);
        let remedy = "write `calendar`, or a lead such as `48h`";
        read.map_err(|why| self.bad(at, "notice of a ring", Bad::new(why.why, remedy)))
            .ok()
    }
}
