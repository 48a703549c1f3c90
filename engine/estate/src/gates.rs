//! What the windows and freezes of the files say about one asset at one instant.
//!
//! Not here: freezes that people declare while the engine runs, and when windows open (calendar).

use crate::model::Estate;
use crate::policies::{Freeze as Frozen, Windows as Windowed};
use hostler_calendar::business::BusinessDays;
use hostler_calendar::freeze::{Blocked, Freeze, blocked};
use hostler_calendar::interval::Interval;
use hostler_calendar::window::{Fit, Window, Windows};
use hostler_core::budget::OPENING_MAX_MS;
use hostler_core::directory::Directory;
use hostler_core::fit::rounded;
use hostler_core::gate::{Closed, GateKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Without policies, work of this class does not wait for a window: what it answers to does not either.
const EMERGENCY: &str = "emergency";

/// Whether work of this class waits for no window.
fn is_free(estate: &Estate, class: &str) -> bool {
    match &estate.policies {
        Some(policies) => policies
            .class(class)
            .is_some_and(|class| class.windows == Windowed::Free),
        None => class == EMERGENCY,
    }
}

/// Whether work of this class goes on in a freeze that does not let it through by name.
pub fn passes_freezes(estate: &Estate, class: &str) -> bool {
    let policies = estate.policies.as_ref();
    policies
        .and_then(|policies| policies.class(class))
        .is_some_and(|class| class.freeze == Frozen::Passes)
}

/// Windows and freezes as the calendar has them.
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub(crate) windows: BTreeMap<String, Windows>,
    /// With the selector of the assets to which each applies.
    pub(crate) freezes: Vec<(String, Freeze)>,
    /// Business days by the id of their calendar, holidays of its file included.
    pub(crate) business: BTreeMap<String, Arc<BusinessDays>>,
}

impl Times {
    pub(crate) fn add_window(&mut self, window: Window) {
        self.windows
            .insert(window.id().to_owned(), Windows::One(window));
    }
}

impl Estate {
    /// When the windows of this name are open. None: there is no such window.
    #[must_use]
    pub fn openings(&self, window: &str) -> Option<&Windows> {
        self.times.windows.get(window)
    }

    /// The freezes of the files, each with the selector of the assets to which it applies.
    pub fn frozen_times(&self) -> impl Iterator<Item = (&str, &Freeze)> {
        let all = self.times.freezes.iter();
        all.map(|(applies, freeze)| (applies.as_str(), freeze))
    }

    /// The business days of a calendar. None: there is no such calendar.
    #[must_use]
    pub fn business_days(&self, calendar: &str) -> Option<&Arc<BusinessDays>> {
        self.times.business.get(calendar)
    }
}

/// The gate that holds a call of so many milliseconds which disturbs this asset.
pub fn closed(
    estate: &Estate,
    asset: &str,
    class: &str,
    needed_ms: u64,
    now_ms: i64,
) -> Option<Closed> {
    closed_within(estate, asset, class, &[], needed_ms, now_ms)
}

/// The same, while all of these windows must be open, too.
pub fn closed_within(
    estate: &Estate,
    asset: &str,
    class: &str,
    windows: &[String],
    needed_ms: u64,
    now_ms: i64,
) -> Option<Closed> {
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    frozen(estate, asset, class, now)
        .or_else(|| outside(estate, asset, class, windows, needed_ms, now))
}

/// When the windows of an asset, and all of these, close that are open at this instant.
pub fn closes_ms(estate: &Estate, asset: &str, windows: &[String], at_ms: i64) -> Option<i64> {
    let at = Timestamp::from_millisecond(at_ms).ok()?;
    let (_, windows) = binding(estate, asset, windows)?;
    Some(at_ms.saturating_add_unsigned(windows.left_ms(at)?))
}

/// The opening of an asset's window in which an instant lies, with the window's name; a longer one than counts as a whole
/// is cut on both sides.
pub fn present(estate: &Estate, asset: &str, at: Timestamp) -> Option<(String, Interval)> {
    let (name, windows) = binding(estate, asset, &[])?;
    let reach = SignedDuration::from_millis(OPENING_MAX_MS.cast_signed() + 1);
    let (from, to) = (at.checked_sub(reach).ok()?, at.checked_add(reach).ok()?);
    let mut open = windows.intervals(from, to).into_iter();
    Some((name, open.find(|interval| interval.contains(at))?))
}

/// The windows that must all be open, with their names. None: there are none. One that the estate does not have
/// never opens.
fn binding(estate: &Estate, asset: &str, further: &[String]) -> Option<(String, Windows)> {
    let own = estate.assets.get(asset)?.window.iter();
    let others = further
        .iter()
        .filter(|name| !own.clone().any(|own| own == *name));
    let names: Vec<&String> = own.clone().chain(others).collect();
    let windows = names.iter().map(|name| {
        let known = estate.times.windows.get(*name).cloned();
        known.unwrap_or(Windows::AnyOf(Vec::new()))
    });
    let mut windows: Vec<Windows> = windows.collect();
    let windows = match windows.len() {
        0 => return None,
        1 => windows.remove(0),
        _ => Windows::AllOf(windows),
    };
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    Some((names.join("+"), windows))
}

fn frozen(estate: &Estate, asset: &str, class: &str, now: Timestamp) -> Option<Closed> {
    if passes_freezes(estate, class) {
        return None;
    }
    // A selector that was checked with the estate can be read.
    let applies = |selector: &str| estate.matches(asset, selector).unwrap_or(true);
    let all = estate.times.freezes.iter();
    let holding = all.filter_map(|(selector, freeze)| {
        let found = blocked(std::slice::from_ref(freeze), class, now)?;
        applies(selector).then_some(found)
    });
    let Blocked { freeze, until } = holding.max_by_key(|found| found.until)?;
    Some(Closed {
        gate: GateKind::Freeze,
        rule: freeze.id.clone(),
        why: format!("{} until {until}", freeze.reason),
        remedy: "wait for its end, or change `freezes` in the estate's files".to_owned(),
        until_ms: Some(until.as_millisecond()),
        document: None,
        never: false,
    })
}

fn outside(
    estate: &Estate,
    asset: &str,
    class: &str,
    further: &[String],
    needed_ms: u64,
    now: Timestamp,
) -> Option<Closed> {
    if is_free(estate, class) {
        return None;
    }
    let (name, windows) = binding(estate, asset, further)?;
    if windows
        .left_ms(now)
        .is_some_and(|left_ms| left_ms >= needed_ms)
    {
        return None;
    }
    let (why, until_ms, opens) = match windows.fit(now, needed_ms) {
        Fit::Now { .. } => return None,
        Fit::Later(interval) => (
            format!("the next opening in which it fits is at {}", interval.from),
            Some(interval.from.as_millisecond()),
            true,
        ),
        Fit::Never { longest_ms: 0 } => ("it does not open any more".to_owned(), None, false),
        // Whoever does not fit into the whole of any opening is not begun in a part of one.
        Fit::Never { longest_ms } => (
            format!("no opening is longer than {}", rounded(longest_ms)),
            None,
            true,
        ),
    };
    let remedy = match until_ms.is_none() && opens {
        true => format!(
            "give {asset} a longer `window` in the estate's files, or say in fit.yaml of the policies how long it \
             really takes (`hostler duration list`)"
        ),
        false => format!("wait for it, or give {asset} another `window` in the estate's files"),
    };
    Some(Closed {
        gate: GateKind::Window,
        rule: name,
        why,
        remedy,
        until_ms,
        document: None,
        // Of one window alone the files may say something else tomorrow; what the runbook asks for is signed.
        never: !opens && !further.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Known, load, policies};

    const ESTATE: &str = r#"
realm: main
zone: America/Chicago
freezes:
  - { id: finals, from: 2026-12-11, to: 2026-12-23T17:00, lets_through: [emergency], applies: "id=web1" }
windows:
  night: { when: daily, at: "02:00", lasts: 2h }
  late: { when: daily, at: "03:00", lasts: 4h }
  noon: { when: daily, at: "12:00", lasts: 1h }
customers:
  chem: { name: Chem, people: [{ id: ada, mail: ada@chem.example, roles: [owner, notices] }] }
connections:
  one: { plugin: practice, url: "https://one.example/" }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, window: night, via: { guest: one } }
  web2: { customer: chem, kind: virtual, os: debian-13, window: night, via: { guest: one } }
  lab: { customer: chem, kind: virtual, os: debian-13, via: { guest: one } }
"#;
    const HOUR: u64 = 3_600_000;

    fn estate() -> Estate {
        let read = |_: &str| Ok(ESTATE.to_owned());
        let estate = load(&["estate.yaml"], &read, &Known::default());
        estate.unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn under(classes: &str) -> Estate {
        let read = |_: &str| Ok(classes.to_owned());
        let policies = policies::load(&["classes.yaml"], &read, &policies::Known::default());
        estate().under(policies.unwrap_or_else(|faults| panic!("{faults}")))
    }

    fn at(asset: &str, class: &str, needed_ms: u64, now: &str) -> Option<(String, Option<String>)> {
        let estate = estate();
        let now: Timestamp = now.parse().unwrap();
        let closed = estate.closed(asset, class, needed_ms, now.as_millisecond())?;
        let until = closed
            .until_ms
            .map(|ms| Timestamp::from_millisecond(ms).unwrap().to_string());
        Some((closed.name(), until))
    }

    #[test]
    fn work_begins_inside_its_window_while_the_rest_of_it_is_long_enough() {
        let held = |until: &str| Some(("window:night".to_owned(), Some(until.to_owned())));
        let planned = |needed, now| at("web2", "planned", needed, now);
        assert_eq!(planned(HOUR, "2026-11-20T08:00:00Z"), None);
        assert_eq!(planned(HOUR, "2026-11-20T09:00:00Z"), None);
        assert_eq!(
            planned(HOUR, "2026-11-20T09:00:01Z"),
            held("2026-11-21T08:00:00Z")
        );
        assert_eq!(
            planned(HOUR, "2026-11-20T07:59:59Z"),
            held("2026-11-20T08:00:00Z")
        );
        // Longer than every opening: in none of them, also where one begins.
        let never = Some(("window:night".to_owned(), None));
        assert_eq!(planned(2 * HOUR, "2026-11-20T08:00:00Z"), None);
        assert_eq!(planned(2 * HOUR + 1, "2026-11-20T08:00:00Z"), never);
        assert_eq!(planned(9 * HOUR, "2026-11-20T09:00:00Z"), never);
        assert_eq!(at("web2", "emergency", HOUR, "2026-11-20T20:00:00Z"), None);
        assert_eq!(at("lab", "planned", HOUR, "2026-11-20T20:00:00Z"), None);
    }

    #[test]
    fn further_windows_must_be_open_together_with_the_assets_own() {
        let estate = estate();
        let at = |asset: &str, class: &str, further: &str, now: &str| {
            let (now, further): (Timestamp, _) = (now.parse().unwrap(), [further.to_owned()]);
            let now_ms = now.as_millisecond();
            let closed = estate.closed_within(asset, class, &further, HOUR / 2, now_ms)?;
            let instant = |ms| Timestamp::from_millisecond(ms).unwrap().to_string();
            Some((closed.rule, closed.until_ms.map(instant), closed.never))
        };
        let until =
            |rule: &str, until: &str| Some((rule.to_owned(), Some(until.to_owned()), false));
        let never = |rule: &str| Some((rule.to_owned(), None, true));
        let planned = |asset, further, now| at(asset, "planned", further, now);
        let (two, three) = ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z");
        assert_eq!(planned("web2", "late", two), until("night+late", three));
        assert_eq!(planned("web2", "late", three), None);
        assert_eq!(
            planned("web2", "night", two),
            None,
            "the asset's own adds nothing"
        );
        assert_eq!(planned("lab", "late", two), until("late", three));
        assert_eq!(planned("web2", "noon", two), never("night+noon"));
        assert_eq!(planned("web2", "nowhere", two), never("night+nowhere"));
        assert_eq!(at("web2", "emergency", "noon", two), None);
        let closes = |further: &str, now: &str| {
            let now: Timestamp = now.parse().unwrap();
            let closes_ms = estate.closes_ms("web2", &[further.to_owned()], now.as_millisecond());
            closes_ms.map(|ms| Timestamp::from_millisecond(ms).unwrap().to_string())
        };
        assert_eq!(
            closes("late", three),
            Some("2026-11-20T10:00:00Z".to_owned())
        );
        assert_eq!(closes("late", two), None);
    }

    #[test]
    fn a_freeze_holds_what_it_applies_to_until_its_end() {
        let held = Some((
            "freeze:finals".to_owned(),
            Some("2026-12-23T23:00:00Z".to_owned()),
        ));
        assert_eq!(at("web1", "planned", HOUR, "2026-12-11T08:30:00Z"), held);
        assert_eq!(at("web1", "emergency", HOUR, "2026-12-11T08:30:00Z"), None);
        assert_eq!(at("web2", "planned", HOUR, "2026-12-11T08:30:00Z"), None);
        assert_eq!(at("web1", "planned", HOUR, "2026-12-24T08:30:00Z"), None);
    }

    #[test]
    fn policies_say_which_classes_wait_for_windows_and_freezes() {
        let name = |estate: &Estate, asset: &str, class: &str, now: &str| {
            let now: Timestamp = now.parse().unwrap();
            let closed = estate.closed(asset, class, HOUR, now.as_millisecond());
            closed.map(|closed| closed.name())
        };
        let (noon, frozen) = ("2026-11-20T20:00:00Z", "2026-12-15T08:30:00Z");
        let window = Some("window:night".to_owned());
        let freeze = Some("freeze:finals".to_owned());
        let free =
            under("classes:\n  standard-patch: { windows: free }\n  planned: { freeze: passes }\n");
        assert_eq!(name(&free, "web2", "standard-patch", noon), None);
        assert_eq!(name(&free, "web1", "standard-patch", frozen), freeze);
        assert_eq!(name(&free, "web2", "planned", noon), window);
        assert_eq!(name(&free, "web1", "planned", frozen), None);
        assert_eq!(name(&free, "web2", "emergency", noon), None);
        // What a file says of the emergency holds, too; what the freeze itself says lets it through.
        let bound = under("classes:\n  emergency: { windows: bind, freeze: holds }\n");
        assert_eq!(name(&bound, "web2", "emergency", noon), window);
        assert_eq!(name(&bound, "web1", "emergency", frozen), None);
        assert_eq!(name(&bound, "web1", "planned", frozen), freeze);
        assert!(free.passes_freezes("planned") && !bound.passes_freezes("emergency"));
        assert!(!estate().passes_freezes("emergency"));
    }
}
