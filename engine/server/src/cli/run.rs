//! `hostler run`: start, watch, steer.

use super::{Context, agree, ask, defer, follow, show};
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::output::Rows;
use crate::times;
use clap::{Args, Subcommand};
use hostler_api::services::evidence::Evidence;
use hostler_api::services::retry::{Retried, RetryAsk};
use hostler_api::services::runbooks::RunbookView;
use hostler_api::services::runs::{RunList, RunView};
use hostler_api::services::start::{PlanView, StartAnswer, StartAsk};
use hostler_core::duration::parse_ms;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum RunCommand {
    /// Start a run, or only show what it would do
    Start(StartArgs),
    /// Runs, newest first
    List {
        /// Terms that must all hold: state:failed runbook:monthly-* since:7d starter:olga
        #[arg(long, default_value = "")]
        filter: String,
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One run with its lanes
    Show {
        run: String,
        /// All lanes, also of steps that are over
        #[arg(long)]
        all: bool,
    },
    /// Watch a run until it ends
    Follow {
        run: String,
        /// Stop watching after this time
        #[arg(long, value_name = "DURATION")]
        timeout: Option<String>,
    },
    /// Settle what runs, take back what is declared, end
    Cancel {
        run: String,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let nothing new start
    Pause { run: String },
    /// Go on after a pause
    Resume { run: String },
    /// Run again what has failed; of an ended run, start it anew
    Retry {
        run: String,
        /// Only these items
        #[arg(long = "item", value_name = "ASSET")]
        items: Vec<String>,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Put the turn of a customer's servers off, as one of its contacts or on the word of one
    Defer(defer::DeferArgs),
    /// Agree to the work on a customer's servers or object, as one of its contacts or on the word of one
    Agree(agree::AgreeArgs),
    /// What an auditor needs: plan, decisions, messages, changes, ledger
    Evidence { run: String },
}

#[derive(Args)]
pub struct StartArgs {
    /// Name of the runbook, with @VERSION for a certain one
    runbook: String,
    /// An input: name=value
    #[arg(short = 'i', long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// Inputs as a JSON file; -i wins
    #[arg(long = "inputs", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show the plan and start nothing
    #[arg(long)]
    plan: bool,
    /// Watch until it ends
    #[arg(long)]
    wait: bool,
    /// Stop watching after this time
    #[arg(long, value_name = "DURATION", requires = "wait")]
    timeout: Option<String>,
    #[arg(long)]
    reason: Option<String>,
    /// The same key starts the same run only once
    #[arg(long)]
    key: Option<String>,
}

pub async fn run(context: &Context, command: RunCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        RunCommand::Start(args) => start(context, &client, args).await,
        RunCommand::List { filter, limit } => {
            let found: RunList = client
                .get(&format!(
                    "/api/v1/runs?filter={}&limit={limit}",
                    segment(&filter)
                ))
                .await?;
            context
                .out
                .list(&show::run_rows(&context.out, &found.runs), &found.runs)?;
            if found.next.is_some() {
                context
                    .out
                    .note("there are more: narrow the filter or raise --limit");
            }
            Ok(())
        }
        RunCommand::Show { run, all } => {
            let view: RunView = client.get(&path(&run, "")).await?;
            context.out.one(&show::run(&context.out, &view, all), &view)
        }
        RunCommand::Follow { run, timeout } => {
            let timeout_ms = timeout.as_deref().map(duration).transpose()?;
            follow::follow(context, &client, &run, timeout_ms).await
        }
        RunCommand::Cancel { run, reason } => steer(context, &client, &run, "cancel", reason).await,
        RunCommand::Pause { run } => steer(context, &client, &run, "pause", None).await,
        RunCommand::Resume { run } => steer(context, &client, &run, "resume", None).await,
        RunCommand::Retry { run, items, reason } => {
            let retried: Retried = client
                .post(&path(&run, "/retry"), &RetryAsk { items, reason }, None)
                .await?;
            context.out.one(&retried_text(&retried), &retried)
        }
        RunCommand::Defer(args) => defer::defer(context, &client, args).await,
        RunCommand::Agree(args) => agree::agree(context, &client, args).await,
        RunCommand::Evidence { run } => {
            let evidence: Evidence = client.get(&path(&run, "/evidence")).await?;
            context.out.one(&evidence_text(&evidence), &evidence)
        }
    }
}

pub fn path(run: &str, rest: &str) -> String {
    format!("/api/v1/runs/{}{rest}", segment(run))
}

pub fn duration(text: &str) -> Result<u64, Failure> {
    parse_ms(text)
        .ok_or_else(|| Failure::Usage(format!("{text} is no duration: write 90s, 15m or 2h")))
}

async fn start(context: &Context, client: &Client, args: StartArgs) -> Result<(), Failure> {
    let timeout_ms = args.timeout.as_deref().map(duration).transpose()?;
    let (runbook, version) = match args.runbook.split_once('@') {
        Some((name, version)) => {
            let wrong = |_| Failure::Usage(format!("{version} is no version: write NAME@2"));
            (
                name.to_owned(),
                Some(version.trim_start_matches('v').parse().map_err(wrong)?),
            )
        }
        None => (args.runbook.clone(), None),
    };
    let inputs = inputs(client, &runbook, version, &args).await?;
    let ask = StartAsk {
        runbook,
        version,
        inputs,
        reason: args.reason,
    };
    if args.plan {
        let plan: PlanView = client.post("/api/v1/plans", &ask, None).await?;
        return context.out.one(&show::plan(&plan), &plan);
    }
    let started: StartAnswer = client
        .post("/api/v1/runs", &ask, args.key.as_deref())
        .await?;
    let again = if started.known {
        " (started before, with the same key)"
    } else {
        ""
    };
    context.out.note(&show::plan(&started.plan));
    context
        .out
        .one(&format!("{}{again}", started.run), &started)?;
    if !args.wait {
        context.out.note(&format!(
            "watch it: hostler run follow {}",
            show::short(started.run)
        ));
        return Ok(());
    }
    follow::follow(context, client, &started.run.to_string(), timeout_ms).await
}

/// Texts become what the runbook's schemas want.
async fn inputs(
    client: &Client,
    runbook: &str,
    version: Option<u32>,
    args: &StartArgs,
) -> Result<Value, Failure> {
    let mut values = match &args.file {
        Some(path) => serde_json::from_str::<Map<String, Value>>(&std::fs::read_to_string(path)?)
            .map_err(|fault| Failure::Invalid(format!("{}: {fault}", path.display())))?,
        None => Map::new(),
    };
    if args.inputs.is_empty() {
        return Ok(Value::Object(values));
    }
    let query = version
        .map(|version| format!("?version={version}"))
        .unwrap_or_default();
    let view: RunbookView = client
        .get(&format!("/api/v1/runbooks/{}{query}", segment(runbook)))
        .await?;
    for input in &args.inputs {
        let (name, text) = input
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("{input} is not name=value")))?;
        let schema = view
            .inputs
            .get(name)
            .map_or(Value::Null, |input| input.schema.clone());
        values.insert(name.to_owned(), ask::typed(&schema, text));
    }
    Ok(Value::Object(values))
}

async fn steer(
    context: &Context,
    client: &Client,
    run: &str,
    wish: &str,
    reason: Option<String>,
) -> Result<(), Failure> {
    let body = if wish == "cancel" {
        json!({ "reason": reason })
    } else {
        json!({})
    };
    let answer: Value = client
        .post(&path(run, &format!("/{wish}")), &body, None)
        .await?;
    context.out.one(&super::approve::settled(&answer), &answer)
}

fn retried_text(retried: &Retried) -> String {
    match retried {
        Retried::Items { items, .. } => format!("again: {}", items.join(", ")),
        Retried::Step { .. } => "the step is entered anew".to_owned(),
        Retried::Run { run, changed } => {
            let mut text = run.to_string();
            for difference in changed {
                let _ = write!(text, "\n  changed: {difference}");
            }
            text
        }
    }
}

/// The bundle as people read it; `-o json` is the bundle itself.
pub fn evidence_text(evidence: &Evidence) -> String {
    let run = &evidence.run;
    let mut text = format!(
        "{} {}@{}: {}\nrun {}\nplan {}\nstarted {} by {}, ended {}\n",
        run.title,
        run.runbook,
        run.version,
        run.state,
        run.run,
        evidence.plan_digest,
        times::utc(run.started_ms),
        run.starter,
        run.ended_ms
            .map_or_else(|| "not yet".to_owned(), times::utc),
    );
    let mut decisions = Rows::new(&["number", "when", "event", "who", "what"]);
    for row in &evidence.ledger {
        let event = row.body.get("entry").unwrap_or(&row.body);
        let name = event
            .get("event")
            .or_else(|| event.get("mail"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let to = row.body.pointer("/mail/to").and_then(Value::as_str);
        let what = to.map_or_else(|| what(event), str::to_owned);
        decisions.add(vec![
            row.number.to_string(),
            times::utc(row.at_ms),
            name.to_owned(),
            who(event),
            what,
        ]);
    }
    let _ = writeln!(text, "\nledger\n{}", decisions.text());
    let mut changes = Rows::new(&["asset", "step", "package", "before", "after"]);
    for change in &evidence.changes {
        let shown = |version: &Option<String>| version.clone().unwrap_or_default();
        changes.add(vec![
            change.asset.clone(),
            change.step.clone(),
            change.name.clone(),
            shown(&change.from),
            shown(&change.to),
        ]);
    }
    let _ = writeln!(text, "\nchanges\n{}", changes.text());
    let mut mails = Rows::new(&[
        "customer",
        "stage",
        "to",
        "state",
        "settled",
        "sha256 of the bytes",
    ]);
    for mail in &evidence.notices {
        let settled = mail.settled_ms.map(times::utc).unwrap_or_default();
        let customer = mail.customer.clone().unwrap_or_default();
        let sha256 = mail.sha256.clone().unwrap_or_default();
        mails.add(vec![
            customer,
            mail.stage.clone(),
            mail.to.clone(),
            mail.state.clone(),
            settled,
            sha256,
        ]);
    }
    let _ = write!(text, "\nnotices\n{}", mails.text());
    for limit in &evidence.limits {
        let _ = write!(text, "\nnot complete: {limit}");
    }
    text
}

fn who(event: &Value) -> String {
    let by = event.get("by").and_then(Value::as_str);
    let voter = || event.get("vote")?.get("person")?.as_str();
    by.or_else(voter).unwrap_or_default().to_owned()
}

fn what(event: &Value) -> String {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let vote = event.get("vote").map(|vote| {
        let said = if vote.get("yes") == Some(&Value::Bool(true)) {
            "yes"
        } else {
            "no"
        };
        text(vote, "comment")
            .map_or_else(|| said.to_owned(), |comment| format!("{said}: {comment}"))
    });
    let call = event.get("call").map(|call| {
        let asset = text(call, "asset").unwrap_or_default();
        format!("{} {asset}", text(call, "action").unwrap_or_default())
    });
    let asked = event.get("person").and_then(|person| text(person, "title"));
    let rest = ["choice", "runbook", "customer", "step", "reason"]
        .iter()
        .find_map(|key| text(event, key));
    vote.or(call).or(asked).or(rest).unwrap_or_default()
}
