//! Approval, notices, reminders, consent and freezes.
//!
//! Notices of one day are one mark with their number. Not here: who gets them.

use super::pen::{Area, At, Pen, short};
use super::scale::Scale;
use super::{CHART_LEFT, CHART_WIDTH, ROW_HEIGHT, ROWS_TOP, counted};
use crate::code::Code;
use crate::forecast::Forecast;
use crate::moment::Moment;
use jiff::civil::Date;
use std::collections::BTreeMap;

pub const DIAMOND: [(i64, i64); 4] = [(0, -70), (70, 0), (0, 70), (-70, 0)];
pub const TRIANGLE: [(i64, i64); 3] = [(-70, -60), (70, -60), (0, 70)];
pub const SQUARE: [(i64, i64); 4] = [(-55, -55), (55, -55), (55, 55), (-55, 55)];
pub const RING: i64 = 50;
/// Half the size of a cross.
const CROSS: i64 = 50;
/// Marks that have their number above them.
const MARK_MIDDLE: i64 = 190;
/// About what a character of a name takes.
const CHARACTER_WIDTH: i64 = 76;
/// Shorter names say nothing; the table has them whole.
const NAME_MIN: usize = 4;

/// Rows above the waves.
pub fn count(forecast: &Forecast) -> usize {
    let further = [
        forecast.approval.is_some(),
        !forecast.freezes.is_empty(),
        asks(forecast),
    ];
    2 + further.into_iter().filter(|has| *has).count()
}

/// Whether anything is asked of a customer.
pub fn asks(forecast: &Forecast) -> bool {
    let mut all = forecast.customers.iter();
    all.any(|row| row.consent.is_some())
}

pub fn draw(pen: &mut Pen, forecast: &Forecast, scale: &Scale) {
    let mut y = ROWS_TOP;
    if !forecast.freezes.is_empty() {
        names(pen, forecast, scale, y);
        y += ROW_HEIGHT;
    }
    if forecast.approval.is_some() {
        approval(pen, forecast, scale, y);
        y += ROW_HEIGHT;
    }
    notices(pen, forecast, scale, y);
    reminders(pen, forecast, scale, y + ROW_HEIGHT);
    if asks(forecast) {
        consents(pen, forecast, scale, y + 2 * ROW_HEIGHT);
    }
}

fn label(pen: &mut Pen, y: i64, text: &str) {
    pen.text("", (200, y + 185), At::Start, text);
}

fn approval(pen: &mut Pen, forecast: &Forecast, scale: &Scale, y: i64) {
    let Some(approval) = &forecast.approval else {
        return;
    };
    let said = |moment: Moment| moment.people(&scale.zone);
    label(pen, y, &format!("Approval ({} needed)", approval.quorum));
    let middle = y + ROW_HEIGHT / 2;
    let (from, to) = (scale.x(approval.asked), scale.x(approval.expires));
    let term = Area {
        x: from,
        y: middle - 30,
        width: (to - from).max(10),
        height: 60,
    };
    let title = format!(
        "asked {}, expires {}",
        said(approval.asked),
        said(approval.expires)
    );
    pen.rect("term", term, &title);
    let asked = format!("asked {}", said(approval.asked));
    pen.figure("asked", (from, middle), &DIAMOND, &asked);
    if let Some(due) = approval.due_by.filter(|due| scale.shows(*due)) {
        let title = format!("due {}", said(due));
        pen.figure("approval", (scale.x(due), middle), &DIAMOND, &title);
    }
}

fn notices(pen: &mut Pen, forecast: &Forecast, scale: &Scale, y: i64) {
    label(pen, y, "Notices leave by");
    let middle = y + MARK_MIDDLE;
    let by = forecast.customers.iter().filter_map(|row| row.notice_by);
    for (at, count, text) in days(scale, by) {
        let title = format!("{}, the first by {text}", counted(count, "customer"));
        pen.figure("notice", (at, middle), &TRIANGLE, &title);
        pen.text("count", (at, y + 115), At::Middle, &count.to_string());
    }
    let late = forecast.conflicts.iter();
    let too_late = |code| matches!(code, Code::Lead | Code::ApprovalLate | Code::Silence);
    let late = late.filter(|one| too_late(one.code));
    for (at, ..) in days(scale, late.filter_map(|one| one.when)) {
        cross(pen, at, middle);
    }
}

/// A notice that had to leave then.
pub fn cross(pen: &mut Pen, x: i64, y: i64) {
    for dy in [CROSS, -CROSS] {
        pen.line("missed", (x - CROSS, y - dy), (x + CROSS, y + dy));
    }
}

fn reminders(pen: &mut Pen, forecast: &Forecast, scale: &Scale, y: i64) {
    label(pen, y, "Reminders");
    let middle = y + MARK_MIDDLE;
    let all = forecast
        .customers
        .iter()
        .flat_map(|row| row.reminders.iter().copied());
    for (at, count, text) in days(scale, all) {
        let title = format!("{}, the first {text}", counted(count, "reminder"));
        pen.circle("reminder", (at, middle), RING, &title);
        pen.text("count", (at, y + 115), At::Middle, &count.to_string());
    }
}

/// When silence agrees, and until when others must have said yes.
fn consents(pen: &mut Pen, forecast: &Forecast, scale: &Scale, y: i64) {
    label(pen, y, "Consent");
    let middle = y + MARK_MIDDLE;
    let rows = || {
        forecast
            .customers
            .iter()
            .filter_map(|row| row.consent.as_ref())
    };
    let silent = rows().filter_map(|row| row.silence_agrees);
    let needed = rows().filter_map(|row| row.yes_by);
    let kinds = [
        (
            "silent",
            "the silence of",
            "agrees, the first",
            days(scale, silent),
        ),
        (
            "yes",
            "a yes of",
            "is needed, the first by",
            days(scale, needed),
        ),
    ];
    for (class, of, what, marks) in kinds {
        for (at, count, text) in marks {
            let title = format!("{of} {} {what} {text}", counted(count, "customer"));
            pen.figure(class, (at, middle), &SQUARE, &title);
            pen.text("count", (at, y + 115), At::Middle, &count.to_string());
        }
    }
}

/// One mark for each day: where, how many, and the first of them for people.
fn days(scale: &Scale, all: impl Iterator<Item = Moment>) -> Vec<(i64, usize, String)> {
    let mut found: BTreeMap<Date, (Moment, usize)> = BTreeMap::new();
    for moment in all.filter(|moment| scale.shows(*moment)) {
        let day = scale.zone.wall(moment.0).0.date();
        let entry = found.entry(day).or_insert((moment, 0));
        *entry = (entry.0.min(moment), entry.1 + 1);
    }
    let mark = |(first, count): (Moment, usize)| (scale.x(first), count, first.people(&scale.zone));
    found.into_values().map(mark).collect()
}

/// Over all rows, behind what is planned.
pub fn freezes(pen: &mut Pen, forecast: &Forecast, scale: &Scale, bottom: i64) {
    for freeze in &forecast.freezes {
        let (left, right) = (scale.x(freeze.from), scale.x(freeze.to));
        let area = Area {
            x: left,
            y: ROWS_TOP,
            width: (right - left).max(20),
            height: bottom - ROWS_TOP,
        };
        let said = |moment: Moment| moment.people(&scale.zone);
        let title = format!(
            "freeze {}: {} to {}",
            freeze.id,
            said(freeze.from),
            said(freeze.to)
        );
        pen.rect("freeze", area, &title);
    }
}

/// A name on a ground of its own, for those that are wide enough.
fn names(pen: &mut Pen, forecast: &Forecast, scale: &Scale, y: i64) {
    label(pen, y, "Freezes");
    // Where the name before ends.
    let mut taken = 0;
    for (number, freeze) in forecast.freezes.iter().enumerate() {
        // A short freeze lends its name to the time after it, up to the next one.
        let next = forecast.freezes.get(number + 1);
        let right = next.map_or(CHART_LEFT + CHART_WIDTH, |next| scale.x(next.from));
        let left = scale.x(freeze.from);
        let room = right.max(scale.x(freeze.to)) - left.max(taken) - 80;
        let most = usize::try_from(room / CHARACTER_WIDTH).unwrap_or_default();
        if most < NAME_MIN {
            continue;
        }
        let name = short(&freeze.id, most);
        let width = i64::try_from(name.chars().count()).unwrap_or_default() * CHARACTER_WIDTH;
        let x = left.max(taken) + 40;
        let ground = Area {
            x,
            y: y + 60,
            width,
            height: 170,
        };
        pen.rect("paper", ground, "");
        pen.text("cold", (x + width / 2, y + 185), At::Middle, &name);
        taken = x + width;
    }
}
