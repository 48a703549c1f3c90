//! `hostler policy`: whether the policies are sound, and what holds. Works on files; needs no running engine.
//!
//! Not here: what a policy means, which is the estate crate's answer.

use super::Context;
use crate::compose::policies::{self, Read};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Rows;
use clap::{Args, Subcommand};
use hostler_core::mail::{EMERGENCY, STAGES, spared};
use hostler_estate::policies::{CLASSES, Class, FILES, Known, Policies, RingNotice, written};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Read all policy files, and say everything that is wrong
    Check(CheckArgs),
    /// What holds, the defaults of missing files included
    Show(ShowArgs),
}

#[derive(Args)]
pub struct CheckArgs {
    /// Folder of the policy files; default: policies.folder of the settings
    folder: Option<PathBuf>,
    /// Do not look whether people and roles are in the estate
    #[arg(long)]
    no_estate: bool,
}

#[derive(Args)]
pub struct ShowArgs {
    /// One policy, such as classes; without it, all of them in a line each
    policy: Option<String>,
    /// Folder of the policy files; default: policies.folder of the settings, else the defaults
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub fn run(context: &Context, command: &PolicyCommand) -> Result<(), Failure> {
    let config = context.config()?;
    match command {
        PolicyCommand::Check(args) => check(context, &config, args),
        PolicyCommand::Show(args) => show(context, &config, args),
    }
}

/// The folder that was named, else the configured one.
fn folder(named: Option<&PathBuf>, config: &Config) -> Option<PathBuf> {
    let configured = &config.policies.folder;
    let configured = (!configured.is_empty()).then(|| PathBuf::from(configured));
    named.cloned().or(configured)
}

fn invalid(fault: &anyhow::Error) -> Failure {
    Failure::Invalid(format!("{fault:#}"))
}

/// The outcome of a check, for machines.
#[derive(Serialize)]
struct Checked {
    files: Vec<String>,
    /// Defaults hold in place of these.
    missing: Vec<&'static str>,
    digest: String,
    /// Whether people and roles were compared with the estate.
    with_estate: bool,
}

fn check(context: &Context, config: &Config, args: &CheckArgs) -> Result<(), Failure> {
    let Some(folder) = folder(args.folder.as_ref(), config) else {
        let remedy = "hostler policy check FOLDER, or set policies.folder";
        return Err(Failure::Usage(format!("no folder is named: {remedy}")));
    };
    let known = match args.no_estate {
        true => Known::default(),
        false => policies::known(config).map_err(|fault| invalid(&fault))?,
    };
    let Read { policies, files } =
        policies::read(&folder, &known).map_err(|fault| invalid(&fault))?;
    let is_there = |name: &&str| files.iter().any(|file| file == name);
    let checked = Checked {
        missing: FILES.into_iter().filter(|name| !is_there(name)).collect(),
        digest: policies.digest().to_string(),
        with_estate: known.people.is_some(),
        files,
    };
    let text = format!(
        "{}: the policies are good ({} files, digest {})",
        folder.display(),
        checked.files.len(),
        policies.digest().short()
    );
    context.out.one(&text, &checked)?;
    if !checked.missing.is_empty() {
        let missing = checked.missing.join(", ");
        context.out.note(&format!("defaults hold for: {missing}"));
    }
    if !checked.with_estate {
        context
            .out
            .note("people and roles were not compared with an estate");
    }
    Ok(())
}

fn show(context: &Context, config: &Config, args: &ShowArgs) -> Result<(), Failure> {
    // People are compared when the policies are checked; here it only matters what holds.
    let read = match folder(args.folder.as_ref(), config) {
        Some(folder) => policies::read(&folder, &Known::default()),
        None => Ok(Read {
            policies: Policies::default(),
            files: Vec::new(),
        }),
    };
    let read = read.map_err(|fault| invalid(&fault))?;
    let all = Parts::of(&read.policies)?;
    let Some(name) = &args.policy else {
        return overview(context, &all, &read.files);
    };
    let part = all.part(name)?;
    if name == "classes" {
        return classes(context, &read.policies);
    }
    let text = match part {
        Value::Null => "none".to_owned(),
        part => serde_saphyr::to_string(part)
            .map_err(|fault| Failure::Internal(anyhow::anyhow!("{fault}")))?,
    };
    context.out.one(text.trim_end(), part)
}

/// Each policy as a value, under the name of its file.
struct Parts(Vec<(&'static str, Value)>);

impl Parts {
    fn of(policies: &Policies) -> Result<Self, Failure> {
        let mut all = serde_json::to_value(policies)?;
        let names = FILES.map(|file| file.trim_end_matches(".yaml"));
        let mut part = |name: &'static str| {
            let value = match name {
                "roles" => serde_json::json!({
                    "roles": all["roles"].take(),
                    "delegates": all["delegations"].take(),
                    "absences": all["absences"].take(),
                }),
                name => all[name].take(),
            };
            (name, value)
        };
        Ok(Self(names.into_iter().map(&mut part).collect()))
    }

    fn part(&self, wanted: &str) -> Result<&Value, Failure> {
        let found = self.0.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
            let remedy = hostler_api::suggest::remedy(wanted, &names);
            Failure::Usage(format!("there is no policy {wanted}: {remedy}"))
        })
    }
}

/// A line of the overview.
#[derive(Serialize)]
struct Line<'a> {
    policy: &'static str,
    /// Where it comes from: a file, or `defaults`.
    from: &'static str,
    says: &'a Value,
}

fn overview(context: &Context, all: &Parts, files: &[String]) -> Result<(), Failure> {
    let mut rows = Rows::new(&["policy", "from", "entries"]);
    let mut lines = Vec::new();
    for ((policy, says), file) in all.0.iter().zip(FILES) {
        let is_there = files.iter().any(|name| name == file);
        let from = if is_there { file } else { "defaults" };
        rows.add(vec![
            (*policy).to_owned(),
            from.to_owned(),
            entries(policy, says).to_string(),
        ]);
        lines.push(Line { policy, from, says });
    }
    context.out.list(&rows, &lines)
}

/// How many things a policy says; of those with several lists, all of them together.
fn entries(policy: &str, says: &Value) -> usize {
    let size = |value: &Value| match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    };
    match (policy, says) {
        ("roles" | "spend" | "fit", Value::Object(parts)) => parts.values().map(size).sum(),
        (_, says) => size(says),
    }
}

/// A class with its name.
#[derive(Serialize)]
struct Named<'a> {
    class: &'static str,
    #[serde(flatten)]
    says: &'a Class,
    /// Stages of its messages that reach everybody, whatever they have asked.
    must_have: Vec<&'static str>,
}

/// Stages that nobody is spared where work of this class is told.
fn demanded(policies: &Policies, class: &str) -> Vec<&'static str> {
    let all = class == EMERGENCY && policies.must_have.contains(EMERGENCY);
    let spared = spared(&policies.must_have);
    let stages = STAGES.into_iter();
    stages
        .filter(|stage| all || !spared.contains(stage))
        .collect()
}

fn classes(context: &Context, policies: &Policies) -> Result<(), Failure> {
    let mut rows = Rows::new(&[
        "class",
        "lead",
        "rings",
        "remind",
        "floor",
        "quorum",
        "step-up",
        "unproven",
        "freeze",
        "windows",
        "expires",
        "ladder",
        "confirmed",
    ]);
    let mut lines = Vec::new();
    for class in CLASSES {
        if let Some(says) = policies.class(class) {
            rows.add(row(class, says)?);
            lines.push(Named {
                class,
                says,
                must_have: demanded(policies, class),
            });
        }
    }
    context.out.list(&rows, &lines)?;
    let must_have: Vec<&str> = policies.must_have.iter().map(String::as_str).collect();
    let must_have = must_have.join(", ");
    context.out.note(&format!(
        "whatever they have asked, everybody is told: {must_have}"
    ));
    Ok(())
}

fn row(name: &str, class: &Class) -> Result<Vec<String>, Failure> {
    let ring = |(ring, notice): (&String, &RingNotice)| match notice {
        RingNotice::Calendar => format!("{ring}: calendar"),
        RingNotice::Lead(lead) => format!("{ring}: {lead}"),
    };
    let rings: Vec<String> = class.rings.iter().map(ring).collect();
    let remind: Vec<String> = class.remind.iter().map(ToString::to_string).collect();
    Ok(vec![
        name.to_owned(),
        class.lead.to_string(),
        rings.join(", "),
        remind.join(", "),
        written(class.floor_ms),
        class.quorum.to_string(),
        word(&class.step_up)?,
        word(&class.unproven)?,
        word(&class.freeze)?,
        word(&class.windows)?,
        class.expires.to_string(),
        class.ladder.clone().unwrap_or_else(|| "-".to_owned()),
        class.confirmed_ms.map_or_else(|| "-".to_owned(), written),
    ])
}

/// A choice as files write it.
fn word(choice: &impl Serialize) -> Result<String, Failure> {
    let value = serde_json::to_value(choice)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
