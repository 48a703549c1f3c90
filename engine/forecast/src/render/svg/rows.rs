//! A row for each wave, and below it one for each of its windows with a bar for each opening.
//!
//! Not here: notices, approval and freezes.

use super::pen::{Area, At, Pen, short};
use super::scale::Scale;
use super::{CHART_LEFT, CHART_WIDTH, ROW_HEIGHT, ROWS_TOP, WIDTH, counted};
use crate::forecast::{Forecast, WaveRow};
use crate::moment::Moment;
use crate::render::places::Place;
use std::collections::BTreeMap;

/// Windows of one wave that have a row; the rest is counted.
const WINDOWS_MAX: usize = 12;
/// Openings of one window that are drawn.
const BARS_MAX: usize = 70;
const BAR_MIN_WIDTH: i64 = 60;
/// Characters of a label beside the chart.
const LABEL_MAX: usize = 38;

pub enum Row<'a> {
    Wave(&'a WaveRow),
    Window {
        label: String,
        places: Vec<&'a Place<'a>>,
    },
    /// Windows that have no row.
    More(String),
}

/// In the order in which they are drawn.
pub fn rows<'a>(forecast: &'a Forecast, places: &'a [Place<'a>]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for wave in &forecast.waves {
        rows.push(Row::Wave(wave));
        let mut windows: BTreeMap<&str, Vec<&Place<'_>>> = BTreeMap::new();
        for place in places.iter().filter(|place| place.wave == wave.name) {
            windows.entry(&place.slot.window).or_default().push(place);
        }
        // The earliest first.
        let mut windows: Vec<_> = windows.into_iter().collect();
        windows.sort_by_key(|(name, places)| (places.first().map(|place| place.slot.opens), *name));
        let left = windows.len().saturating_sub(WINDOWS_MAX);
        for (name, places) in windows.into_iter().take(WINDOWS_MAX) {
            let servers: usize = places.iter().map(|place| place.assets).sum();
            let servers = counted(servers, "server");
            let label = format!("{}: {servers}", short(name, LABEL_MAX - 14));
            rows.push(Row::Window { label, places });
        }
        if left > 0 {
            rows.push(Row::More(format!("… and {left} more windows")));
        }
    }
    rows
}

/// Lines between rows, and a ground for the names of waves.
pub fn bands(pen: &mut Pen, rows: &[Row<'_>], before: usize) {
    for number in 0..=before + rows.len() {
        let y = ROWS_TOP + i64::try_from(number).unwrap_or_default() * ROW_HEIGHT;
        let wave = number.checked_sub(before).and_then(|row| rows.get(row));
        if let Some(Row::Wave(_)) = wave {
            let area = Area {
                x: 100,
                y,
                width: CHART_LEFT - 100,
                height: ROW_HEIGHT,
            };
            pen.rect("band", area, "");
        }
        pen.line("row", (100, y), (WIDTH - 200, y));
    }
}

impl Row<'_> {
    /// `y` is its upper border.
    pub fn draw(&self, pen: &mut Pen, scale: &Scale, y: i64) {
        let label = |pen: &mut Pen, class, x, text: &str| {
            pen.text(class, (x, y + 185), At::Start, &short(text, LABEL_MAX));
        };
        match self {
            Self::Wave(wave) => {
                label(pen, "wave", 200, &wave_label(wave));
                draw_wave(pen, scale, wave, y);
            }
            Self::Window {
                label: text,
                places,
            } => {
                label(pen, "", 360, text);
                for place in places.iter().take(BARS_MAX) {
                    draw_place(pen, scale, place, y);
                }
            }
            Self::More(text) => label(pen, "soft", 360, text),
        }
    }
}

fn wave_label(wave: &WaveRow) -> String {
    let name = if wave.name.is_empty() {
        "all servers"
    } else {
        &wave.name
    };
    let held = if wave.held > 0 {
        format!(", {} held", wave.held)
    } else {
        String::new()
    };
    format!("{}: {} planned{held}", short(name, 16), wave.planned)
}

/// From here on; `y` is its middle.
pub fn bracket(pen: &mut Pen, x: i64, y: i64) {
    let (top, bottom) = (y - 100, y + 100);
    pen.line("open", (x, top), (x, bottom));
    pen.line("open", (x, top), (x + 50, top));
    pen.line("open", (x, bottom), (x + 50, bottom));
}

/// From when it is open, from first start to last end, and how long it is watched.
fn draw_wave(pen: &mut Pen, scale: &Scale, wave: &WaveRow, y: i64) {
    if scale.shows(wave.opens) {
        bracket(pen, scale.x(wave.opens), y + ROW_HEIGHT / 2);
    }
    let (Some(begins), Some(ends)) = (wave.begins, wave.ends) else {
        return;
    };
    let said = |moment: Moment| moment.people(&scale.zone);
    let (left, right) = (scale.x(begins), scale.x(ends));
    let span = Area {
        x: left,
        y: y + 110,
        width: (right - left).max(BAR_MIN_WIDTH),
        height: 60,
    };
    let title = format!("{}: {} to {}", wave.name, said(begins), said(ends));
    pen.rect("span", span, &title);
    let soaked = ends.plus(wave.soak_ms);
    let from = span.x + span.width;
    let soak = Area {
        x: from,
        y: y + 90,
        width: scale.x(soaked) - from,
        height: 100,
    };
    if wave.soak_ms > 0 && soak.width > 0 {
        let title = format!("{} is watched until {}", wave.name, said(soaked));
        pen.rect("soak", soak, &title);
    }
}

/// The opening pale, the work in it dark, the number of servers above it.
fn draw_place(pen: &mut Pen, scale: &Scale, place: &Place<'_>, y: i64) {
    let said = |moment: Moment| moment.people(&scale.zone);
    let title = format!(
        "{}, {}: {} of {}, {} to {}, last end {}",
        place.slot.window,
        place.wave,
        counted(place.assets, "server"),
        counted(place.customers.len(), "customer"),
        said(place.slot.opens),
        said(place.slot.closes),
        said(place.ends)
    );
    let bar = |from: Moment, to: Moment, top, height| {
        let (x, end) = (scale.x(from), scale.x(to));
        let width = (end - x).max(BAR_MIN_WIDTH);
        // The last opening must not leave the chart.
        let x = x.min(CHART_LEFT + CHART_WIDTH - width);
        Area {
            x,
            y: y + top,
            width,
            height,
        }
    };
    let slot = bar(place.slot.opens, place.slot.closes, 135, 120);
    pen.rect("slot", slot, &title);
    let work = bar(place.begins, place.ends, 175, 40);
    pen.rect("work", work, &title);
    let middle = (work.x + work.width / 2, y + 115);
    pen.text("count", middle, At::Middle, &place.assets.to_string());
}
