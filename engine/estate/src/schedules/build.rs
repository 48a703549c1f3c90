//! Shapes → checked schedules. All faults are collected before anything is refused.

use super::file::{File, RawSchedule, RawWindow};
use super::{SCHEDULES_MAX, Schedules};
use crate::at::{At, Position};
use crate::build::{ReadFile, beside};
use crate::fault::{Bad, Collector, nearest};
use crate::file::RawCalendar;
use crate::{text, when as formats};
use hostler_calendar::business::BusinessDays;
use hostler_calendar::due::WhileRunning;
use hostler_calendar::holiday::Holidays;
use hostler_calendar::schedule::When;
use hostler_calendar::when::{self, DayRule, Rule};
use hostler_calendar::window::{Length, Window};
use hostler_calendar::zone::Zone;
use hostler_calendar::{Schedule, Scheduled, TextFault};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reads `calendars`, `windows` and `schedules` of the one file.
pub struct Builder<'a> {
    text: &'a str,
    read: ReadFile<'a>,
    pub(super) out: &'a mut Collector,
    calendars: BTreeMap<String, Arc<BusinessDays>>,
}

impl<'a> Builder<'a> {
    pub fn new(text: &'a str, read: ReadFile<'a>, out: &'a mut Collector) -> Self {
        Self {
            text,
            read,
            out,
            calendars: BTreeMap::new(),
        }
    }

    pub fn build(mut self, file: &File) -> Schedules {
        for (id, raw) in file.calendars.iter() {
            let calendar = self.calendar(raw);
            self.calendars.insert(id.value.clone(), Arc::new(calendar));
        }
        let mut seen = BTreeSet::new();
        let windows = file.windows.iter();
        let windows = windows.filter_map(|(id, raw)| {
            self.id(id, "window", &mut BTreeSet::new());
            self.window(id, raw)
        });
        let windows = windows.collect();
        if let Some(over) = file.schedules.get(SCHEDULES_MAX) {
            let message = format!("more than {SCHEDULES_MAX} schedules");
            self.out.add(
                0,
                over.runbook.position,
                "HE050",
                message,
                "divide the file",
            );
        }
        let mut schedules = Vec::new();
        for raw in file.schedules.iter().take(SCHEDULES_MAX) {
            self.id(
                raw.id.as_ref().unwrap_or(&raw.runbook),
                "schedule",
                &mut seen,
            );
            schedules.extend(self.schedule(raw));
        }
        Schedules { schedules, windows }
    }

    fn calendar(&mut self, raw: &RawCalendar) -> BusinessDays {
        self.format(&raw.hours, "hours", formats::hours);
        let mut single = Vec::new();
        for day in &raw.holidays {
            if self.format(day, "holiday", formats::date)
                && let Ok(date) = day.value.parse()
            {
                single.push((date, "holiday".to_owned()));
            }
        }
        let mut holidays = Holidays::of(single);
        if let Some(at) = &raw.file {
            holidays = holidays.and(self.calendar_file(at));
        }
        let days = BusinessDays::new(&raw.business_days.value, holidays);
        self.placed(&raw.business_days, days).unwrap_or_default()
    }

    fn calendar_file(&mut self, at: &At<String>) -> Holidays {
        let path = beside(self.out.files.first().map_or("", String::as_str), &at.value);
        let text = path.ok_or_else(|| "leads out of the folder".to_owned());
        let remedy = "put the .ics file beside this file";
        match text.and_then(|path| (self.read)(&path)) {
            Err(why) => self.out.bad(
                0,
                at,
                "calendar file",
                Bad::new(format!("cannot be read: {why}"), remedy),
            ),
            Ok(text) => match Holidays::import(&text) {
                Ok(holidays) => return holidays,
                Err(fault) => {
                    let line = text[..fault.offset].matches('\n').count() + 1;
                    let why = format!("line {line}: {}", fault.message);
                    self.out
                        .bad(0, at, "calendar file", Bad::new(why, fault.remedy));
                }
            },
        }
        Holidays::default()
    }

    fn window(&mut self, id: &At<String>, raw: &RawWindow) -> Option<Window> {
        let rule = self.days(&raw.when);
        let at = self.placed(&raw.at, when::time(&raw.at.value));
        let zone = self.placed(&raw.zone, Zone::parse(&raw.zone.value));
        let length = self.length(id, raw);
        let business = self.business(raw.calendar.as_ref());
        let window = Window::new(&id.value, rule?, at?, length?, zone?, business);
        self.whole(id.position, window)
    }

    fn length(&mut self, id: &At<String>, raw: &RawWindow) -> Option<Length> {
        match (&raw.lasts, &raw.until) {
            (Some(lasts), None) => match text::duration_ms(&lasts.value) {
                Ok(ms) => Some(Length::Elapsed(ms)),
                Err(why) => {
                    self.out.bad(0, lasts, "lasts", why);
                    None
                }
            },
            (None, Some(until)) => self
                .placed(until, when::time(&until.value))
                .map(Length::Until),
            _ => {
                let message = "a window needs `lasts` or `until`, one of them";
                let remedy = "write `lasts: 4h` (elapsed time) or `until: \"06:00\"` (local time)";
                self.out.add(0, id.position, "HE040", message, remedy);
                None
            }
        }
    }

    fn days(&mut self, at: &At<String>) -> Option<DayRule> {
        match self.placed(at, when::parse(&at.value))? {
            Rule::Days(rule) => Some(rule),
            Rule::Cron(_) => {
                let why = Bad::new(
                    "is no rule for days",
                    "write `second sunday`, and the time in `at`",
                );
                self.out.bad(0, at, "when", why);
                None
            }
        }
    }

    fn schedule(&mut self, raw: &RawSchedule) -> Option<Scheduled> {
        let id = raw.id.as_ref().unwrap_or(&raw.runbook);
        self.format(&raw.runbook, "runbook", text::id);
        let when = self.when(raw);
        let zone = self.zone(raw);
        let business = self.business(raw.calendar.as_ref());
        let dst = self.dst(raw.dst.as_ref());
        let missed = self.missed(raw);
        let words = [("skip", WhileRunning::Skip), ("queue", WhileRunning::Queue)];
        let while_running = self.word(raw.while_running.as_ref(), "while_running", &words);
        let schedule = Schedule::new(&id.value, when?, zone?, business);
        let schedule = self.whole(id.position, schedule)?.with_dst(dst);
        let schedule = schedule.with_policy(missed, while_running.unwrap_or_default());
        Some(Scheduled {
            runbook: raw.runbook.value.clone(),
            version: raw.version,
            inputs: Value::Object(raw.inputs.clone()),
            schedule: self.whole(id.position, schedule)?,
        })
    }

    fn when(&mut self, raw: &RawSchedule) -> Option<When> {
        match (&raw.when, &raw.every) {
            (Some(at), None) => {
                let times = raw.at.iter().flat_map(|times| &times.0);
                let times: Vec<_> = times
                    .map(|at| self.placed(at, when::time(&at.value)))
                    .collect();
                let rule = self.placed(at, when::parse(&at.value))?;
                let times: Option<Vec<_>> = times.into_iter().collect();
                self.whole(at.position, When::of(rule, times?))
            }
            (None, Some(every)) => {
                if let Some(at) = raw.at.as_ref().and_then(|times| times.0.first()) {
                    let why = Bad::new(
                        "does not go with `every`, which counts in UTC",
                        "remove it, or write `when: daily`",
                    );
                    self.out.bad(0, at, "at", why);
                }
                self.placed(every, when::every(&every.value))
                    .map(When::Every)
            }
            _ => {
                let message = "a schedule needs `when` or `every`, one of them";
                let remedy = "write `when: second tuesday` with `at`, or `every: 15m`";
                self.out
                    .add(0, raw.runbook.position, "HE040", message, remedy);
                None
            }
        }
    }

    /// A period counts in UTC; everything else has a zone of its own.
    fn zone(&mut self, raw: &RawSchedule) -> Option<Zone> {
        match &raw.zone {
            Some(at) => self.placed(at, Zone::parse(&at.value)),
            None if raw.every.is_some() => Some(Zone::utc()),
            None => {
                let remedy =
                    "add `zone: <IANA name>`, such as `America/Chicago`: there is no default";
                self.out.add(
                    0,
                    raw.runbook.position,
                    "HE040",
                    "`zone` is missing",
                    remedy,
                );
                None
            }
        }
    }

    fn business(&mut self, at: Option<&At<String>>) -> Option<Arc<BusinessDays>> {
        let at = at?;
        let found = self.calendars.get(&at.value).cloned();
        if found.is_none() {
            let known: Vec<String> = self.calendars.keys().cloned().collect();
            self.out.unknown(
                0,
                at,
                "calendar",
                "calendars",
                known.iter().map(String::as_str),
            );
        }
        found
    }

    fn id(&mut self, at: &At<String>, what: &str, seen: &mut BTreeSet<String>) {
        self.format(at, what, text::id);
        if !seen.insert(at.value.clone()) {
            let message = format!("{what} `{}` stands there twice", at.value);
            self.out.add(
                0,
                at.position,
                "HE011",
                message,
                "give one of them another `id`",
            );
        }
    }

    fn format(&mut self, at: &At<String>, what: &str, check: fn(&str) -> Result<(), Bad>) -> bool {
        check(&at.value)
            .map_err(|why| self.out.bad(0, at, what, why))
            .is_ok()
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        at: Option<&At<String>>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let at = at?;
        let found = words.iter().find(|(word, _)| *word == at.value);
        if found.is_none() {
            let names = || words.iter().map(|(word, _)| *word);
            let remedy = match nearest(&at.value, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of: {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.out
                .bad(0, at, what, Bad::new("is none of the choices", remedy));
        }
        found.map(|(_, value)| *value)
    }

    /// A fault of a text, at its place in the file.
    fn placed<T>(&mut self, at: &At<String>, read: Result<T, TextFault>) -> Option<T> {
        read.map_err(|fault| {
            let position = inside(self.text, at, fault.offset);
            self.out
                .add(0, position, "HE030", fault.message, fault.remedy);
        })
        .ok()
    }

    /// A fault of several values together; its text ends with the remedy.
    fn whole<T>(&mut self, position: Position, made: Result<T, impl ToString>) -> Option<T> {
        made.map_err(|fault| {
            let text = fault.to_string();
            let (message, remedy) = text.split_once("; ").unwrap_or((&text, "mend it"));
            self.out.add(0, position, "HE040", message, remedy);
        })
        .ok()
    }
}

/// Where a byte of a value stands, when the value is written on one line as it is read; otherwise
/// where the value begins.
fn inside(text: &str, at: &At<String>, offset: usize) -> Position {
    let small = |number: u32| usize::try_from(number).unwrap_or_default();
    let line = text
        .lines()
        .nth(small(at.position.line).saturating_sub(1))
        .unwrap_or_default();
    let written: String = line
        .chars()
        .skip(small(at.position.column).saturating_sub(1))
        .collect();
    let quote = usize::from(written.starts_with(['"', '\'']));
    if !written[quote..].starts_with(at.value.as_str()) {
        return at.position;
    }
    let before = at
        .value
        .get(..offset)
        .map_or(0, |before| before.chars().count());
    Position {
        line: at.position.line,
        column: at.position.column + u32::try_from(before + quote).unwrap_or_default(),
    }
}
