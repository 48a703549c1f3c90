//! A forecast on a terminal: conflicts first, then waves, windows, customers, who is asked, and who is held.
//!
//! Not here: colours, and the width of the terminal.

use super::places::places;
use crate::forecast::{Approval, Forecast, LengthRow, Outcome};
use crate::moment::Moment;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle, presets};
use hostler_calendar::zone::Zone;
use hostler_core::duration::write_ms;

/// A line under the head, none between rows.
const STYLE: TableStyle = presets::NOTHING.header_separator(LineStyle::new('─', '─', '─', '─'));
/// Most rows of one part; the rest is counted.
const ROWS_MAX: usize = 60;

/// The text, in the realm's zone, with a line break at the end. At most some hundred lines, whatever the
/// number of servers.
#[must_use]
pub fn table(forecast: &Forecast) -> String {
    let zone = Zone::parse(&forecast.zone).unwrap_or_else(|_| Zone::utc());
    let parts = [
        head(forecast, &zone),
        conflicts(forecast, &zone),
        waves(forecast, &zone),
        windows(forecast, &zone),
        customers(forecast, &zone),
        consents(forecast, &zone),
        held(forecast),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn head(forecast: &Forecast, zone: &Zone) -> String {
    let planned: usize = forecast.waves.iter().map(|wave| wave.planned).sum();
    let held = forecast.assets.len() - planned;
    let mut lines = vec![
        format!(
            "{} in {}: {planned} planned, {held} held (class {}, times in {})",
            forecast.runbook, forecast.month, forecast.class, forecast.zone
        ),
        format!(
            "cycle      {} to {}",
            forecast.anchor.people(zone),
            forecast.ends.people(zone)
        ),
    ];
    if let Some(approval) = &forecast.approval {
        lines.extend(asked(approval, zone));
    }
    for freeze in &forecast.freezes {
        lines.push(format!(
            "freeze     {} {} to {}",
            freeze.id,
            freeze.from.people(zone),
            freeze.to.people(zone)
        ));
    }
    lines.extend(forecast.lengths.iter().take(ROWS_MAX).map(lasts));
    lines.join("\n")
}

/// How long a call is taken to last, and where that comes from.
fn lasts(row: &LengthRow) -> String {
    let LengthRow { takes_back, part } = row;
    let name = if *takes_back { "undo" } else { "step" };
    let on = match part.kind.is_empty() {
        true => String::new(),
        false => format!(" on {}", part.kind),
    };
    let says = part.estimate.says();
    format!("{name:<11}{}{on}: {says}", part.action)
}

/// When it is asked for and due, and who could give it.
fn asked(approval: &Approval, zone: &Zone) -> [String; 2] {
    let due = approval.due_by;
    let due = due.map_or_else(|| "-".to_owned(), |due| due.people(zone));
    let asked = format!(
        "approval   {} of {}: asked {}, due {due}, expires {}",
        approval.quorum,
        approval.who,
        approval.asked.people(zone),
        approval.expires.people(zone)
    );
    [asked, format!("           {}", givers(approval, zone))]
}

fn givers(approval: &Approval, zone: &Zone) -> String {
    let said = approval.people.iter().map(|giver| {
        let stands = giver.instead_of.as_ref();
        let stands = stands.map_or_else(String::new, |other| format!(" for {other}"));
        let there = match giver.from {
            None => " (away)".to_owned(),
            Some(from) if from > approval.asked => format!(" (from {})", from.people(zone)),
            Some(_) => String::new(),
        };
        format!("{}{stands}{there}", giver.person)
    });
    let said: Vec<String> = said.take(ROWS_MAX).collect();
    if said.is_empty() {
        "nobody".to_owned()
    } else {
        said.join(", ")
    }
}

fn conflicts(forecast: &Forecast, zone: &Zone) -> String {
    if forecast.conflicts.is_empty() {
        return "conflicts  none".to_owned();
    }
    let mut lines = vec!["CONFLICTS".to_owned()];
    for conflict in forecast.conflicts.iter().take(ROWS_MAX) {
        let servers = match conflict.assets_total {
            0 => String::new(),
            1 => format!(" [{}]", conflict.assets.join(", ")),
            count => format!(" [{count} servers]"),
        };
        let when = conflict
            .when
            .map_or_else(String::new, |when| format!(", {}", when.people(zone)));
        lines.push(format!(
            "{} {}: {}{when}{servers}\n      {}\n      → {}",
            conflict.code,
            conflict.code.title(),
            conflict.subject,
            conflict.what,
            conflict.remedy
        ));
    }
    let left = forecast.conflicts.len().saturating_sub(ROWS_MAX) + forecast.conflicts_left_off;
    lines.extend((left > 0).then(|| format!("… and {left} more")));
    lines.join("\n")
}

fn waves(forecast: &Forecast, zone: &Zone) -> String {
    let said = |moment: Option<Moment>| moment.map_or_else(|| "-".to_owned(), |at| at.people(zone));
    let row = |wave: &crate::forecast::WaveRow| {
        vec![
            wave.name.clone(),
            wave.opens.people(zone),
            said(wave.begins),
            said(wave.ends),
            write_ms(wave.soak_ms),
            wave.planned.to_string(),
            wave.held.to_string(),
        ]
    };
    let head = [
        "WAVE",
        "opens",
        "first start",
        "last end",
        "soak",
        "planned",
        "held",
    ];
    rows(&head, forecast.waves.iter().map(row))
}

fn windows(forecast: &Forecast, zone: &Zone) -> String {
    let all = places(forecast, None);
    let row = |place: &super::places::Place<'_>| {
        vec![
            place.slot.window.clone(),
            place.wave.to_owned(),
            place.slot.opens.people(zone),
            place.slot.closes.people(zone),
            write_ms(place.slot.elapsed_ms()),
            place.ends.people(zone),
            place.assets.to_string(),
            place.customers.len().to_string(),
        ]
    };
    let head = [
        "WINDOW",
        "wave",
        "usable from",
        "closes",
        "lasts",
        "last end",
        "servers",
        "customers",
    ];
    rows(&head, all.iter().map(row))
}

fn customers(forecast: &Forecast, zone: &Zone) -> String {
    let said = |moment: Option<Moment>| moment.map_or_else(|| "-".to_owned(), |at| at.people(zone));
    let row = |customer: &crate::forecast::CustomerRow| {
        let disruptions = customer.disruptions.iter().map(|month| {
            let most = month
                .at_most
                .map_or_else(String::new, |most| format!(" of {most}"));
            format!("{}: {}{most}", month.month, month.count)
        });
        let disruptions: Vec<String> = disruptions.collect();
        vec![
            customer.id.clone(),
            said(customer.notice_by),
            said(customer.reminders.first().copied()),
            said(customer.first),
            said(customer.deadline_notice_by),
            customer.planned.to_string(),
            customer.held.to_string(),
            disruptions.join(", "),
        ]
    };
    let head = [
        "CUSTOMER",
        "notice by",
        "reminder",
        "first start",
        "deadline notice",
        "planned",
        "held",
        "disruptions",
    ];
    rows(&head, forecast.customers.iter().map(row))
}

/// Of whom something is asked before their servers are disturbed.
fn consents(forecast: &Forecast, zone: &Zone) -> String {
    let said = |moment: Option<Moment>| moment.map_or_else(|| "-".to_owned(), |at| at.people(zone));
    let row = |customer: &crate::forecast::CustomerRow| {
        let consent = customer.consent.as_ref()?;
        Some(vec![
            customer.id.clone(),
            consent.rule.clone(),
            said(consent.silence_agrees),
            said(consent.yes_by),
        ])
    };
    let head = ["CONSENT", "asked", "silence agrees", "needs a yes by"];
    rows(&head, forecast.customers.iter().filter_map(row))
}

fn held(forecast: &Forecast) -> String {
    let row = |asset: &crate::forecast::AssetRow| match &asset.outcome {
        Outcome::Held { code, .. } => Some(vec![
            asset.id.clone(),
            asset.customer.clone(),
            code.to_string(),
            code.title().to_owned(),
        ]),
        Outcome::Planned { .. } => None,
    };
    rows(
        &["HELD", "customer", "code", "why"],
        forecast.assets.iter().filter_map(row),
    )
}

/// A table, and how many of its rows are left off. Empty without rows.
fn rows(head: &[&str], all: impl Iterator<Item = Vec<String>>) -> String {
    let mut all: Vec<Vec<String>> = all.collect();
    let left = all.len().saturating_sub(ROWS_MAX);
    all.truncate(ROWS_MAX);
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.to_vec());
    table.add_rows(all);
    // No blanks at the ends of lines.
    let text = table.to_string();
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.extend((left > 0).then(|| format!(" … and {left} more")));
    lines.join("\n")
}
