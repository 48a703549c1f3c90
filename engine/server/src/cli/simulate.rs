//! `hostler simulate`: what a runbook's cycle would do in a month. Works on files; needs no running engine.
//!
//! Not here: how it is found out, and how it looks.

use super::{Context, runbook};
use crate::compose::{engine, scheduler};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Format, print};
use clap::Args;
use hostler_calendar::deadline::Lead;
use hostler_calendar::schedule::When;
use hostler_calendar::when::{self, Rule};
use hostler_calendar::zone::Zone;
use hostler_core::definition::Definition;
use hostler_estate::Estate;
use hostler_forecast::{
    Anchor, Duration, Durations, Forecast, ForecastFault, Month, Options, Overflow, Terms,
    forecast, from_estate, render,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// A wave that opens later is another cycle's.
const OPENS_MAX_DAYS: u16 = 366;
/// Ends the names of events; the feed is the forecast's own, so no real host is named.
const DOMAIN: &str = "forecast.hostler.invalid";

#[derive(Args)]
#[command(after_help = HELP)]
pub struct SimulateArgs {
    /// NAME or NAME@VERSION
    runbook: String,
    /// The month in which the cycle begins
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    month: Month,
    /// Only what concerns this customer; a calendar (-o ics) is always one customer's
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// Other servers than the runbook's own
    #[arg(long, value_name = "SELECTOR")]
    targets: Option<String>,
    /// When a wave opens, in days after the cycle's first; may be given many times
    #[arg(long, value_name = "WAVE=DAYS", value_parser = opening)]
    opens: Vec<(String, u16)>,
    /// Hold all servers to the deadline of this severity: critical, high or standard
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const HELP: &str = "The cycle begins when the runbook's schedule fires, without one on the second Tuesday at \
18:00.\n-o table, json, svg or ics.";

pub fn run(context: &Context, args: &SimulateArgs) -> Result<(), Failure> {
    let config = context.config()?;
    let estate = engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    let library = runbook::open(&config)?;
    let definition = runbook::definition(&library, &args.runbook)?;
    let anchor = anchor(&config, &estate, &definition)?;
    let options = options(args, anchor, &definition.policy.class)?;
    context.out.note(ASSUMED);
    let found = from_estate(&estate, &definition, &options).and_then(|input| forecast(&input));
    let text = text(found.map_err(refused)?, args, context.out.format)?;
    match &args.out {
        None => print(text.trim_end()),
        Some(path) => {
            std::fs::write(path, text)?;
            context.out.note(&format!("written: {}", path.display()));
            Ok(())
        }
    }
}

fn refused(fault: ForecastFault) -> Failure {
    match fault {
        ForecastFault::NoWave(..) | ForecastFault::NoAnchor { .. } => {
            Failure::Usage(fault.to_string())
        }
        fault => Failure::Invalid(fault.to_string()),
    }
}

/// `canary=2`.
fn opening(text: &str) -> Result<(String, u16), String> {
    let (wave, days) = text
        .split_once('=')
        .ok_or("write WAVE=DAYS, such as canary=2")?;
    let days = days.parse().ok().filter(|days| *days <= OPENS_MAX_DAYS);
    let days = days.ok_or_else(|| format!("days are a number from 0 to {OPENS_MAX_DAYS}"))?;
    Ok((wave.to_owned(), days))
}

/// The rule by which the runbook's schedule begins its cycles.
fn anchor(config: &Config, estate: &Estate, definition: &Definition) -> Result<Anchor, Failure> {
    let schedules = scheduler::open(&config.schedules);
    let schedules = schedules.map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    let mut own = schedules
        .iter()
        .filter(|one| one.runbook == definition.runbook);
    let days = own.find_map(|one| match one.schedule.when() {
        When::Days { rule, at } => Some((&one.schedule, *rule, *at.first()?)),
        When::Cron(_) | When::Every(_) => None,
    });
    if let Some((schedule, rule, at)) = days {
        return Ok(Anchor {
            rule,
            at,
            zone: schedule.zone().clone(),
            business: schedule.business().cloned().map(Arc::new),
            prepared_ms: PREPARED_MS,
        });
    }
    let invalid = |fault: hostler_calendar::TextFault| Failure::Invalid(fault.to_string());
    let Rule::Days(rule) = when::parse("second tuesday").map_err(invalid)? else {
        return Err(Failure::Usage("the cycle's rule names no days".to_owned()));
    };
    Ok(Anchor {
        rule,
        at: when::time("18:00").map_err(invalid)?,
        zone: Zone::parse(&estate.zone).map_err(invalid)?,
        business: None,
        prepared_ms: PREPARED_MS,
    })
}

/// From the start of a cycle until its approval is asked for.
const PREPARED_MS: u64 = DAY_MS;
/// What [`options`] takes for true, told to whoever reads the answer.
const ASSUMED: &str = "assumed: approval asked 1d after the start and open for 5d, nobody absent; 1h for a server \
and 30m to undo it; contacts confirmed within 90 days; at most 2 further windows";

/// Terms of the class, absences and lengths, until they are read from files of policies.
fn options(args: &SimulateArgs, anchor: Anchor, class: &str) -> Result<Options, Failure> {
    let (lead, reminders_ms) = match class {
        "request" => (Lead::Elapsed(0), vec![]),
        "planned" => (Lead::BusinessDays(5), vec![2 * DAY_MS]),
        "planned-high" => (Lead::BusinessDays(10), vec![5 * DAY_MS, DAY_MS]),
        "expedited" => (Lead::Elapsed(DAY_MS), vec![]),
        "emergency" => (Lead::Elapsed(HOUR_MS), vec![]),
        _ => (Lead::Elapsed(7 * DAY_MS), vec![2 * DAY_MS]),
    };
    let deadlines = [("critical", 7), ("high", 14), ("standard", 30)];
    let known: BTreeMap<String, u16> = deadlines.map(|(name, days)| (name.to_owned(), days)).into();
    let severity = args.severity.clone();
    if let Some(severity) = severity.as_ref().filter(|name| !known.contains_key(*name)) {
        let why = format!("there is no severity {severity}; write critical, high or standard");
        return Err(Failure::Usage(why));
    }
    Ok(Options {
        month: args.month,
        anchor,
        targets: args.targets.clone(),
        opens_days: args.opens.iter().cloned().collect(),
        overflow: Overflow { at_most: 2 },
        terms: Terms {
            class: class.to_owned(),
            lead,
            reminders_ms,
            published_rings: BTreeSet::new(),
            contact_fresh_days: 90,
            deadlines_days: known,
        },
        severity,
        durations: Durations {
            assumed: Duration {
                steps_ms: HOUR_MS,
                rollback_ms: 30 * MINUTE_MS,
            },
            measured: BTreeMap::new(),
        },
        absences: BTreeMap::new(),
        stand_ins: BTreeMap::new(),
        approval_expires_ms: 5 * DAY_MS,
    })
}

fn text(found: Forecast, args: &SimulateArgs, format: Format) -> Result<String, Failure> {
    if format == Format::Ics {
        let customer = args.customer.as_deref();
        let customer = customer.ok_or_else(|| {
            Failure::Usage("a calendar is one customer's; add --customer".to_owned())
        })?;
        return render::ics::ics(&found, customer, DOMAIN).map_err(refused);
    }
    let found = match &args.customer {
        None => found,
        Some(customer) => found.of_customer(customer).ok_or_else(|| {
            Failure::Usage(format!(
                "no server of the customer {customer} is in this cycle"
            ))
        })?,
    };
    match format {
        Format::Table => Ok(render::table(&found)),
        Format::Json => render::json(&found).map_err(refused),
        Format::Svg => Ok(render::svg(&found)),
        _ => Err(Failure::Usage(
            "a simulation is written as -o table, json, svg or ics".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn args(more: &[&str]) -> Result<SimulateArgs, clap::Error> {
        let line = ["simulate", "monthly-patch", "--month", "2026-11"];
        Line::try_parse_from(line.iter().chain(more)).map(|line| line.args)
    }

    /// The practice estate and the runbook that came with the program.
    fn found(args: &SimulateArgs) -> Result<Forecast, Failure> {
        let known = engine::known()?;
        let estate = hostler_estate::practice::estate(1, &known).unwrap();
        let library = runbook::open(&Config::default())?;
        let definition = runbook::definition(&library, &args.runbook)?;
        let anchor = anchor(&Config::default(), &estate, &definition)?;
        let options = options(args, anchor, &definition.policy.class)?;
        let input = from_estate(&estate, &definition, &options).map_err(refused)?;
        forecast(&input).map_err(refused)
    }

    #[test]
    fn the_practice_estate_is_simulated_in_every_form() {
        let args = args(&["--customer", "library"]).unwrap();
        let found = found(&args).unwrap();
        assert_eq!(found.assets.len(), 40);
        assert!(
            found.waves.iter().any(|wave| wave.planned > 0),
            "{:?}",
            found.conflicts
        );
        let begins = [
            (Format::Table, "monthly-patch@1 in 2026-11"),
            (Format::Json, "{\n  \"form\": 1"),
            (Format::Svg, "<svg "),
            (Format::Ics, "BEGIN:VCALENDAR"),
        ];
        for (format, begin) in begins {
            let text = text(found.clone(), &args, format).unwrap();
            assert!(text.starts_with(begin), "{format:?}: {text}");
            assert!(
                !text.contains("chem-"),
                "{format:?} tells of another customer"
            );
        }
        assert!(text(found, &args, Format::Csv).is_err());
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_a_remedy() {
        for (more, remedy) in [
            (&["--opens", "canary"][..], "WAVE=DAYS"),
            (&["--opens", "canary=400"], "0 to 366"),
            (&["--month", "2026-13"], "2026-12"),
        ] {
            let line = ["simulate", "monthly-patch"];
            let fault = Line::try_parse_from(line.iter().chain(more)).err().unwrap();
            assert!(fault.to_string().contains(remedy), "{fault}");
        }
        for (more, remedy) in [
            (&["--opens", "canry=2"][..], "known: canary"),
            (&["--severity", "hihg"], "critical, high or standard"),
            (&["--targets", "custmer=x"], "customer"),
        ] {
            let fault = found(&args(more).unwrap()).unwrap_err();
            assert!(fault.to_string().contains(remedy), "{fault}");
        }
        let args = args(&[]).unwrap();
        let fault = text(found(&args).unwrap(), &args, Format::Ics).unwrap_err();
        assert!(fault.to_string().contains("--customer"), "{fault}");
    }
}
