//! `hostler simulate`: what a runbook's cycle would do in a month. Works on files; a running engine tells what was
//! measured, and need not be there.
//!
//! Not here: how it is found out, and how it looks.

mod options;

use self::options::PREPARED_MS;
use super::{Context, runbook};
use crate::compose::{engine, scheduler};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Format, print};
use clap::Args;
use hostler_api::services::durations::{DurationRow, by_document};
use hostler_calendar::schedule::When;
use hostler_calendar::when::{self, Rule};
use hostler_calendar::zone::Zone;
use hostler_core::definition::Definition;
use hostler_core::fit::Histories;
use hostler_estate::Estate;
use hostler_forecast::{Anchor, Forecast, ForecastFault, Month, forecast, from_estate, render};
use std::path::PathBuf;
use std::sync::Arc;

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

pub async fn run(context: &Context, args: &SimulateArgs) -> Result<(), Failure> {
    let config = context.config()?;
    let estate = engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    let library = runbook::open(&config)?;
    let definition = runbook::definition(&library, &args.runbook)?;
    let anchor = anchor(&config, &estate, &definition)?;
    let histories = measured(context).await?;
    let options = options::options(args, anchor, &definition, &estate, histories)?;
    context.out.note(options::assumed(&estate));
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

/// What the running engine has measured; nothing where none answers.
async fn measured(context: &Context) -> Result<Histories, Failure> {
    let rows: Result<Vec<DurationRow>, Failure> = context.client()?.get("/api/v1/durations").await;
    let said = match rows {
        Ok(rows) => return Ok(by_document(rows)),
        Err(Failure::Unreachable(_)) => "no engine answers".to_owned(),
        // Whoever may not see it is told so, and gets the rest.
        Err(fault) => format!("the engine does not say: {fault}"),
    };
    context
        .out
        .note(&format!("nothing is taken as measured: {said}"));
    Ok(Histories::new())
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
        let options = options::options(args, anchor, &definition, &estate, Histories::new())?;
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
            (Format::Table, "monthly-patch@2 in 2026-11"),
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
            (&["--severity", "hihg"], "critical, high, standard"),
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
