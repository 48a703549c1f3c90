//! Calendars, windows and freezes.

use super::{Builder, Seen};
use crate::at::At;
use crate::fault::Bad;
use crate::file::{RawCalendar, RawFreeze, RawWindow};
use crate::model::{Calendar, Freeze, Window};
use crate::{text, when};
use hostler_calendar::business::BusinessDays;
use hostler_calendar::holiday::Holidays;
use hostler_calendar::when::{self as calendar_when, Rule};
use hostler_calendar::window::{Length, WindowFault};
use hostler_calendar::zone::Zone;
use std::sync::Arc;

/// A window longer than this is no window.
const WINDOW_MAX_MS: u64 = 7 * 86_400_000;

/// The path of a file that another one names, in the same folder or below; none when it leads out.
pub(crate) fn beside(file: &str, named: &str) -> Option<String> {
    let leads_out = named.starts_with('/') || named.split('/').any(|segment| segment == "..");
    match file.rsplit_once('/') {
        _ if leads_out => None,
        Some((folder, _)) => Some(format!("{folder}/{named}")),
        None => Some(named.to_owned()),
    }
}

impl Builder<'_> {
    pub(super) fn calendars(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.calendars.iter() {
                self.id(file, id, "calendar", &mut seen);
                self.format(
                    file,
                    &raw.business_days,
                    "business_days",
                    when::business_days,
                );
                self.format(file, &raw.hours, "hours", when::hours);
                for day in &raw.holidays {
                    self.format(file, day, "holiday", when::date);
                }
                let holidays = self.holidays(file, raw);
                if let Ok(days) = BusinessDays::new(&raw.business_days.value, holidays) {
                    self.business.insert(id.value.clone(), Arc::new(days));
                }
                let calendar = Calendar {
                    file: raw.file.as_ref().map(|at| at.value.clone()),
                    business_days: raw.business_days.value.clone(),
                    hours: raw.hours.value.clone(),
                    holidays: raw.holidays.iter().map(|at| at.value.clone()).collect(),
                };
                self.estate.calendars.insert(id.value.clone(), calendar);
            }
        }
    }

    /// Single days, and those of a file.
    fn holidays(&mut self, file: usize, raw: &RawCalendar) -> Holidays {
        let single = raw.holidays.iter().filter_map(|day| day.value.parse().ok());
        let single = Holidays::of(single.map(|date| (date, "holiday".to_owned())));
        single.and(self.calendar_file(file, raw))
    }

    /// The named iCalendar file lies beside the estate file that names it.
    fn calendar_file(&mut self, file: usize, raw: &RawCalendar) -> Holidays {
        let Some(at) = &raw.file else {
            return Holidays::default();
        };
        let estate_file = self.out.files.get(file).map_or("", String::as_str);
        let path = beside(estate_file, &at.value);
        let read = match path.map(|path| (self.read)(&path)) {
            None => Err("leads out of the estate's folder".to_owned()),
            Some(Ok(text)) => Holidays::import(&text).map_err(|fault| {
                let line = text[..fault.offset].matches('\n').count() + 1;
                format!("is not read, line {line}: {fault}")
            }),
            Some(Err(why)) => Err(format!("cannot be read: {why}")),
        };
        read.unwrap_or_else(|why| {
            let why = Bad::new(why, "put the .ics file beside the estate file");
            self.out.bad(file, at, "calendar file", why);
            Holidays::default()
        })
    }

    pub(super) fn windows(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.windows.iter() {
                self.id(file, id, "window", &mut seen);
                self.format(file, &raw.when, "when", when::rule);
                self.format(file, &raw.at, "at", when::time_of_day);
                let zone = self.own_zone(file, raw.zone.as_ref());
                let lasts_ms = match text::duration_ms(&raw.lasts.value) {
                    Ok(lasts_ms) if lasts_ms <= WINDOW_MAX_MS => lasts_ms,
                    Ok(_) => {
                        self.out.bad(
                            file,
                            &raw.lasts,
                            "lasts",
                            Bad::new("is longer than 7 days", "make it shorter"),
                        );
                        0
                    }
                    Err(why) => {
                        self.out.bad(file, &raw.lasts, "lasts", why);
                        0
                    }
                };
                let window = Window {
                    when: raw.when.value.clone(),
                    at: raw.at.value.clone(),
                    lasts_ms,
                    zone,
                };
                self.recurring(file, id, raw, &window);
                self.estate.windows.insert(id.value.clone(), window);
            }
        }
    }

    /// The window as the calendar has it; what does not parse has its fault already.
    fn recurring(&mut self, file: usize, id: &At<String>, raw: &RawWindow, window: &Window) {
        let business = raw.calendar.as_ref().and_then(|at| {
            let found = self.business.get(&at.value).cloned();
            if found.is_none() {
                let known = self.business.keys().map(String::as_str);
                self.out.unknown(file, at, "calendar", "calendars", known);
            }
            found
        });
        let (Ok(Rule::Days(rule)), Ok(at), Ok(zone)) = (
            calendar_when::parse(&window.when),
            calendar_when::time(&window.at),
            Zone::parse(&window.zone),
        ) else {
            return;
        };
        let length = Length::Elapsed(window.lasts_ms);
        match hostler_calendar::window::Window::new(&id.value, rule, at, length, zone, business) {
            Ok(window) => self.estate.times.add_window(window),
            Err(WindowFault::NoCalendar) if raw.calendar.is_none() => {
                let why = Bad::new("counts business days", "add `calendar` with the id of one");
                self.out.bad(file, &raw.when, "when", why);
            }
            // Its length or its calendar has a fault already.
            Err(_) => {}
        }
    }

    /// The zone written here, else the realm's.
    fn own_zone(&mut self, file: usize, at: Option<&At<String>>) -> String {
        self.format_if(file, at, "zone", when::zone);
        at.map_or_else(|| self.estate.zone.clone(), |at| at.value.clone())
    }

    pub(super) fn freezes(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for raw in &parsed.freezes {
                self.id(file, &raw.id, "freeze", &mut seen);
                self.freeze_times(file, raw);
                let zone = self.own_zone(file, raw.zone.as_ref());
                for class in &raw.lets_through {
                    self.format(file, class, "class", text::id);
                }
                let freeze = Freeze {
                    from: raw.from.value.clone(),
                    to: raw.to.value.clone(),
                    zone,
                    lets_through: raw.lets_through.iter().map(|at| at.value.clone()).collect(),
                    applies: raw.applies.value.clone(),
                };
                self.once(raw, &freeze);
                self.estate.freezes.insert(raw.id.value.clone(), freeze);
            }
        }
    }

    /// The freeze as the calendar has it; what does not parse has its fault already.
    fn once(&mut self, raw: &RawFreeze, freeze: &Freeze) {
        let (Ok(from), Ok(to), Ok(zone)) = (
            when::moment(&freeze.from),
            when::moment(&freeze.to),
            Zone::parse(&freeze.zone),
        ) else {
            return;
        };
        let id = &raw.id.value;
        let reason = format!("{id} holds");
        if let Ok(mut once) = hostler_calendar::freeze::Freeze::once(id, &reason, zone, from, to) {
            once.lets_through.clone_from(&freeze.lets_through);
            let frozen = (freeze.applies.clone(), once);
            self.estate.times.freezes.push(frozen);
        }
    }

    fn freeze_times(&mut self, file: usize, raw: &RawFreeze) {
        match (when::moment(&raw.from.value), when::moment(&raw.to.value)) {
            (Ok(from), Ok(to)) if from >= to => {
                self.out.bad(
                    file,
                    &raw.to,
                    "to",
                    Bad::new("is not after `from`", "exchange them or mend the date"),
                );
            }
            (from, to) => {
                for (at, what, moment) in [(&raw.from, "from", from), (&raw.to, "to", to)] {
                    if let Err(why) = moment {
                        self.out.bad(file, at, what, why);
                    }
                }
            }
        }
    }
}
