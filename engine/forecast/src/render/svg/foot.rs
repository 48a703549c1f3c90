//! Under the chart: the legend, and the first conflicts in words.

use super::marks::{DIAMOND, RING, SQUARE, TRIANGLE, cross};
use super::pen::{Area, At, Pen, short};
use super::rows::bracket;
use crate::code::Code;
use crate::forecast::{Conflict, Forecast};
use std::collections::BTreeMap;

/// Codes that are written; the rest is counted.
const CONFLICTS_SHOWN: usize = 12;
const LINE_HEIGHT: i64 = 220;
const LEGEND_HEIGHT: i64 = 420;
/// Characters of a line.
const LINE_MAX: usize = 165;

/// A code, and the words after it.
pub type Line = (String, String);

/// The first of each code, and how many more are like it.
pub fn lines(forecast: &Forecast) -> Vec<Line> {
    let mut kinds: BTreeMap<Code, (&Conflict, usize)> = BTreeMap::new();
    for one in &forecast.conflicts {
        kinds.entry(one.code).or_insert((one, 0)).1 += 1;
    }
    let shown = kinds.values().take(CONFLICTS_SHOWN);
    let mut lines: Vec<Line> = shown.map(|(one, count)| line(one, *count)).collect();
    let shown: usize = kinds
        .values()
        .take(CONFLICTS_SHOWN)
        .map(|kind| kind.1)
        .sum();
    let more = forecast.conflicts.len() - shown + forecast.conflicts_left_off;
    if more > 0 {
        lines.push((String::new(), format!("… and {more} more")));
    }
    if lines.is_empty() {
        lines.push((String::new(), "Nothing stands in the way.".to_owned()));
    }
    lines
}

fn line(one: &Conflict, count: usize) -> Line {
    let like = match count {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let text = format!("{}{like}: {}, {}", one.subject, one.code.title(), one.what);
    (one.code.to_string(), short(&text, LINE_MAX))
}

/// With a second line of the legend where customers are asked.
pub fn height(lines: &[Line], asks: bool) -> i64 {
    let lines = lines.len() + usize::from(asks);
    LEGEND_HEIGHT + 200 + i64::try_from(lines).unwrap_or_default() * LINE_HEIGHT
}

/// `top` is the lower border of the chart.
pub fn draw(pen: &mut Pen, lines: &[Line], asks: bool, top: i64) {
    legend(pen, top + 260);
    let mut y = top + LEGEND_HEIGHT + 160;
    if asks {
        consent(pen, top + 260 + LINE_HEIGHT);
        y += LINE_HEIGHT;
    }
    for (code, text) in lines {
        pen.text("code", (200, y), At::Start, code);
        let x = if code.is_empty() { 200 } else { 760 };
        pen.text("", (x, y), At::Start, text);
        y += LINE_HEIGHT;
    }
}

fn legend(pen: &mut Pen, y: i64) {
    let area = |x, height| Area {
        x,
        y: y - height / 2,
        width: 220,
        height,
    };
    let word = |pen: &mut Pen, x, text: &str| pen.text("soft", (x, y + 40), At::Start, text);
    bracket(pen, 220, y);
    word(pen, 320, "wave opens");
    pen.rect("slot", area(1_200, 120), "");
    pen.rect("work", area(1_200, 40), "");
    word(pen, 1_500, "window, with work and servers");
    pen.rect("span", area(3_500, 60), "");
    word(pen, 3_800, "first start to last end");
    pen.rect("soak", area(5_280, 100), "");
    word(pen, 5_580, "watched");
    pen.rect("freeze", area(6_180, 160), "");
    word(pen, 6_480, "freeze");
    pen.figure("asked", (7_130, y), &DIAMOND, "");
    pen.figure("approval", (7_320, y), &DIAMOND, "");
    word(pen, 7_430, "approval asked, due");
    pen.figure("notice", (8_800, y), &TRIANGLE, "");
    word(pen, 8_920, "notice leaves by");
    cross(pen, 10_100, y);
    word(pen, 10_200, "too late");
    pen.circle("reminder", (10_950, y), RING, "");
    word(pen, 11_050, "reminder");
}

/// The legend's second line.
fn consent(pen: &mut Pen, y: i64) {
    let word = |pen: &mut Pen, x, text: &str| pen.text("soft", (x, y + 40), At::Start, text);
    pen.figure("silent", (260, y), &SQUARE, "");
    word(pen, 380, "silence of a customer agrees");
    pen.figure("yes", (2_860, y), &SQUARE, "");
    word(pen, 2_980, "a customer's yes is needed by");
}
