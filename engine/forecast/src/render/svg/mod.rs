//! The cycle as a picture: one row for each wave and window with counts, freezes, notices, approval.
//!
//! Sizes are fixed, text is in the reader's own fonts, there is no script, and a reader of screens gets
//! title and description. Not here: single servers; a pointer that rests on a bar tells more.

mod foot;
mod marks;
mod pen;
mod rows;
mod scale;
mod style;

use super::places::places;
use crate::forecast::Forecast;
use crate::moment::Moment;
use pen::{Area, At, Pen, escaped};
use scale::Scale;

/// Tenths of a pixel, all of them.
const WIDTH: i64 = 12_400;
const CHART_LEFT: i64 = 2_700;
const CHART_WIDTH: i64 = WIDTH - CHART_LEFT - 200;
const ROW_HEIGHT: i64 = 280;
/// Under title, summary and axis.
const ROWS_TOP: i64 = 1_340;

/// The text of the file, with a line break at the end.
#[must_use]
pub fn svg(forecast: &Forecast) -> String {
    let scale = Scale::of(forecast);
    let places = places(forecast, None);
    let rows = rows::rows(forecast, &places);
    let marks = marks::count(forecast);
    let count = i64::try_from(rows.len() + marks).unwrap_or_default();
    let bottom = ROWS_TOP + count * ROW_HEIGHT;
    let foot = foot::lines(forecast);
    let asks = marks::asks(forecast);
    let height = bottom + foot::height(&foot, asks);
    let mut pen = Pen::default();
    begin(&mut pen, forecast, &scale, height);
    scale.ground(&mut pen, ROWS_TOP, bottom);
    scale.axis(&mut pen, ROWS_TOP);
    rows::bands(&mut pen, &rows, marks);
    marks::freezes(&mut pen, forecast, &scale, bottom);
    marks::draw(&mut pen, forecast, &scale);
    for (number, row) in rows.iter().enumerate() {
        let number = i64::try_from(number + marks).unwrap_or_default();
        row.draw(&mut pen, &scale, ROWS_TOP + number * ROW_HEIGHT);
    }
    foot::draw(&mut pen, &foot, asks, bottom);
    pen.raw("</svg>");
    pen.finish()
}

fn begin(pen: &mut Pen, forecast: &Forecast, scale: &Scale, height: i64) {
    let (width, height) = (WIDTH / 10, height / 10);
    pen.raw(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title description\">"
    ));
    let title = format!("Forecast of {} in {}", forecast.runbook, forecast.month);
    let summary = summary(forecast);
    pen.raw(&format!("<title id=\"title\">{}</title>", escaped(&title)));
    let description = escaped(&format!("{summary}. {}", cycle(forecast, scale)));
    pen.raw(&format!("<desc id=\"description\">{description}</desc>"));
    pen.raw(style::STYLE);
    let paper = Area {
        x: 0,
        y: 0,
        width: WIDTH,
        height: height * 10,
    };
    pen.rect("paper", paper, "");
    pen.text("title", (200, 330), At::Start, &title);
    pen.text("", (200, 560), At::Start, &summary);
    pen.text("soft", (200, 760), At::Start, &cycle(forecast, scale));
}

fn summary(forecast: &Forecast) -> String {
    let planned: usize = forecast.waves.iter().map(|wave| wave.planned).sum();
    let held = forecast.assets.len() - planned;
    let conflicts = counted(
        forecast.conflicts.len() + forecast.conflicts_left_off,
        "conflict",
    );
    let (servers, customers) = (
        counted(forecast.assets.len(), "server"),
        counted(forecast.customers.len(), "customer"),
    );
    format!("{planned} of {servers} of {customers} planned, {held} held, {conflicts}")
}

/// `1 server`, `2 servers`.
fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

fn cycle(forecast: &Forecast, scale: &Scale) -> String {
    let said = |moment: Moment| moment.people(&scale.zone);
    let (from, to) = (said(forecast.anchor), said(forecast.ends));
    let (class, zone) = (&forecast.class, &forecast.zone);
    format!("Class {class}, cycle {from} to {to}, days of {zone}")
}
