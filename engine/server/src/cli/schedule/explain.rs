//! `hostler schedule explain`: what a file of schedules will do. Works on files; needs no running engine.
//!
//! Not here: when something falls, which is the calendar's answer.

use crate::cli::Context;
use crate::clock::SystemClock;
use crate::compose::library;
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::Args;
use hostler_calendar::window::{HORIZON_DAYS, Opening, Window};
use hostler_calendar::zone::Zone;
use hostler_calendar::{Change, Occurrence, Scheduled, occurrences};
use hostler_estate::schedules::{Schedules, load};
use hostler_ports::clock::Clock as _;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Most firings of one schedule that are listed.
const COUNT_MAX: u16 = 1_000;

#[derive(Args)]
#[command(after_help = HELP)]
pub struct ExplainArgs {
    /// A file of schedules
    file: PathBuf,
    /// One schedule or window; without it, all of them
    name: Option<String>,
    /// From this instant on, such as 2026-03-01T00:00:00Z; default: now
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// How many of each
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=i64::from(COUNT_MAX)))]
    count: u16,
}

const HELP: &str = "A time that the clock jumps over is shown as shifted, one that comes twice as first or \
second of two.\nLengths of windows are elapsed time: a night of 00:00-06:00 has 5 hours in spring and 7 in autumn.";

pub fn run(context: &Context, args: &ExplainArgs) -> Result<(), Failure> {
    let read = |path: &str| library::read(Path::new(path));
    let path = args.file.to_string_lossy();
    let schedules = load(&path, &read).map_err(|faults| Failure::Invalid(faults.to_string()))?;
    let from = args.from.map_or_else(now, Ok)?;
    let count = usize::from(args.count);
    explain(context, &schedules, args.name.as_deref(), from, count)
}

fn now() -> Result<Timestamp, Failure> {
    let now_ms = SystemClock::new().now_ms();
    Timestamp::from_millisecond(now_ms).map_err(|fault| Failure::Internal(fault.into()))
}

/// One line, and one value for machines.
#[derive(Serialize)]
struct Line {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<String>,
    /// RFC 3339 with the offset, in the zone of the schedule.
    local: String,
    utc: String,
    zone: String,
    /// What the change of the clock did: `shifted`, `first of two`, `second of two`.
    #[serde(skip_serializing_if = "str::is_empty")]
    change: &'static str,
    /// The local time that the rule asks for, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<String>,
    /// Of a window, in its zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<u64>,
    #[serde(skip)]
    row: Vec<String>,
}

fn explain(
    context: &Context,
    all: &Schedules,
    name: Option<&str>,
    from: Timestamp,
    count: usize,
) -> Result<(), Failure> {
    let wanted = |id: &str| name.is_none_or(|name| name == id);
    let schedules = all.schedules.iter().filter(|one| wanted(one.schedule.id()));
    let windows = all.windows.iter().filter(|window| wanted(window.id()));
    let firings = schedules.map(|one| (one.schedule.id(), firings(one, from, count)));
    let openings = windows.map(|window| (window.id(), openings(window, from, count)));
    let found: Vec<(&str, Vec<Line>)> = firings.chain(openings).collect();
    if let Some(name) = name.filter(|_| found.is_empty()) {
        return Err(unknown(all, name));
    }
    for (id, _) in found.iter().filter(|(_, lines)| lines.is_empty()) {
        let horizon = format!("30 years (windows: {HORIZON_DAYS} days)");
        context
            .out
            .note(&format!("{id}: nothing in the next {horizon}"));
    }
    let mut lines: Vec<Line> = found.into_iter().flat_map(|(_, lines)| lines).collect();
    let mut rows = Rows::new(&["kind", "name", "local", "utc", "closes", "lasts", "note"]);
    for line in &mut lines {
        rows.add(std::mem::take(&mut line.row));
    }
    context.out.list(&rows, &lines)
}

fn unknown(all: &Schedules, name: &str) -> Failure {
    let schedules = all.schedules.iter().map(|one| one.schedule.id());
    let known: Vec<&str> = schedules
        .chain(all.windows.iter().map(Window::id))
        .collect();
    let remedy = hostler_api::suggest::remedy(name, &known);
    Failure::Usage(format!(
        "the file has no schedule or window {name}: {remedy}"
    ))
}

fn firings(one: &Scheduled, from: Timestamp, count: usize) -> Vec<Line> {
    let found = occurrences(&one.schedule, from, Timestamp::MAX, count);
    let zone = one.schedule.zone();
    let line = |firing: &Occurrence| {
        let mut line = Line::of("firing", one.schedule.id(), firing, zone);
        line.runbook = Some(one.runbook.clone());
        line.row = row(&line, firing, "", "", &note(firing));
        line
    };
    found.list.iter().map(line).collect()
}

fn openings(window: &Window, from: Timestamp, count: usize) -> Vec<Line> {
    let horizon = SignedDuration::from_hours(24 * HORIZON_DAYS);
    let to = from.checked_add(horizon).unwrap_or(Timestamp::MAX);
    let line = |opening: &Opening| {
        let elapsed_ms = opening.interval.elapsed_ms();
        let (closes, offset) = opening.closes;
        let mut line = Line::of("window", window.id(), &opening.opens, window.zone());
        line.closes = Some(rfc(closes, offset));
        line.elapsed_ms = Some(elapsed_ms);
        let mut notes = note(&opening.opens);
        if offset != opening.opens.offset {
            notes = [notes.as_str(), "the clock changes inside"]
                .join(" ")
                .trim()
                .to_owned();
        }
        let lasts = times::length(i64::try_from(elapsed_ms).unwrap_or(i64::MAX));
        line.row = row(
            &line,
            &opening.opens,
            &people(closes, offset),
            &lasts,
            &notes,
        );
        line
    };
    window.openings(from, to, count).iter().map(line).collect()
}

impl Line {
    fn of(kind: &'static str, name: &str, at: &Occurrence, zone: &Zone) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            runbook: None,
            local: rfc(at.wall, at.offset),
            utc: at.instant.to_string(),
            zone: zone.name().to_owned(),
            change: at.change.name(),
            wanted: (at.wanted != at.wall).then(|| at.wanted.to_string()),
            closes: None,
            elapsed_ms: None,
            row: Vec::new(),
        }
    }
}

fn row(line: &Line, at: &Occurrence, closes: &str, lasts: &str, note: &str) -> Vec<String> {
    let utc = at.instant.strftime("%Y-%m-%d %H:%M").to_string();
    [
        line.kind,
        &line.name,
        &people(at.wall, at.offset),
        &utc,
        closes,
        lasts,
        note,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn note(at: &Occurrence) -> String {
    match at.change {
        Change::Shifted => format!("shifted from {}", at.wanted.strftime("%H:%M")),
        other => other.name().to_owned(),
    }
}

/// `Sun 2026-03-08 03:30 -05:00`.
fn people(local: jiff::civil::DateTime, offset: Offset) -> String {
    format!("{} {}", local.strftime("%a %Y-%m-%d %H:%M"), clock(offset))
}

fn rfc(local: jiff::civil::DateTime, offset: Offset) -> String {
    format!("{local}{}", clock(offset))
}

/// `-05:00`; seconds, which only zones of the nineteenth century have, are left out.
fn clock(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
