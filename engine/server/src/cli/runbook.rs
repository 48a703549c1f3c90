//! `hostler runbook`: check, look at, release. Works on files; needs no running engine.

use super::plugin::write_new;
use super::{Context, inputs};
use crate::compose::library::{self, Entry, LOCK, Library, Texts};
use crate::compose::mail::Renderer;
use crate::compose::{contracts, engine};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Format, Rows, print};
use crate::scaffold;
use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use hostler_api::catalogue::Runbooks;
use hostler_core::definition::Definition;
use hostler_core::directory::Directory;
use hostler_rehearsal::{Scenario, Stage, play};
use hostler_runbook::release::Releases;
use hostler_runbook::{Severity, graph, render, schema};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Subcommand)]
pub enum RunbookCommand {
    /// Read runbooks and say what is wrong, with line and column
    Check {
        /// Files v<version>.yaml; without any, all of runbooks.folder
        files: Vec<PathBuf>,
        /// How faults are printed
        #[arg(long, value_enum, default_value_t)]
        faults: FaultFormat,
        /// Do not look at the estate
        #[arg(long)]
        no_estate: bool,
    },
    /// All runbooks with their versions
    List,
    /// Inputs and steps of one
    Show { runbook: String },
    /// The steps as a tree, or as DOT for Graphviz
    Graph {
        runbook: String,
        #[arg(long)]
        dot: bool,
    },
    /// JSON Schema of runbook files, for editors
    Schema,
    /// Freeze a version: its bytes never change afterwards
    Release { runbook: String },
    /// Play the scenarios of a runbook in simulated time on the practice estate
    Test { runbook: String },
    /// Begin a new one
    New { name: String },
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum FaultFormat {
    /// The place in the file, for people
    #[default]
    Frame,
    Json,
    /// Annotations for GitHub
    Github,
}

pub async fn run(context: &Context, command: RunbookCommand) -> Result<(), Failure> {
    let config = context.config()?;
    match command {
        RunbookCommand::Check {
            files,
            faults,
            no_estate,
        } => check(context, &config, &files, faults, no_estate),
        RunbookCommand::List => list(context, &open(&config)?),
        RunbookCommand::Show { runbook } => {
            let definition = definition(&open(&config)?, &runbook)?;
            // Without a readable estate the lists are only named.
            let directory = estate(&config, false).unwrap_or_default();
            let takes = inputs::listed(&definition, directory.as_deref());
            let text = format!("{}\n{takes}{}", definition.title, graph::tree(&definition));
            context.out.one(text.trim_end(), &*definition)
        }
        RunbookCommand::Graph {
            runbook,
            dot: false,
        } => {
            let definition = definition(&open(&config)?, &runbook)?;
            let text = format!("{}\n{}", definition.title, graph::tree(&definition));
            context.out.one(text.trim_end(), &*definition)
        }
        RunbookCommand::Graph { runbook, dot: true } => {
            print(graph::dot(&*definition(&open(&config)?, &runbook)?).trim_end())
        }
        RunbookCommand::Schema => {
            let environment = library::environment(None).map_err(|fault| anyhow!(fault))?;
            print(&serde_json::to_string_pretty(&schema::editor(
                &environment,
            ))?)
        }
        RunbookCommand::Release { runbook } => release(context, &config, &runbook),
        RunbookCommand::Test { runbook } => test(context, &config, &runbook).await,
        RunbookCommand::New { name } => {
            let files = scaffold::runbook(&name).map_err(Failure::Usage)?;
            let folder = folder(&config).join(&name);
            write_new(&folder, &files)?;
            context.out.note(&format!(
                "written: {}; next: hostler runbook check {}/v1.yaml",
                folder.display(),
                folder.display()
            ));
            Ok(())
        }
    }
}

fn folder(config: &Config) -> PathBuf {
    PathBuf::from(if config.runbooks.folder.is_empty() {
        "workflows"
    } else {
        &config.runbooks.folder
    })
}

/// The folder's runbooks, or those that came with the program when it is not there.
fn texts(config: &Config) -> Result<(String, Texts), Failure> {
    let folder = folder(config);
    if config.runbooks.folder.is_empty() || !folder.exists() {
        return Ok((String::new(), library::delivered()));
    }
    let texts = library::folder(&folder).map_err(Failure::Invalid)?;
    Ok((format!("{}/", folder.display()), texts))
}

pub(super) fn open(config: &Config) -> Result<Library, Failure> {
    let (prefix, texts) = texts(config)?;
    let environment = library::environment(None).map_err(|fault| anyhow!(fault))?;
    Ok(Library::new(&prefix, &texts, environment))
}

/// The estate, where there is one: roles and people are then checked as well.
fn estate(config: &Config, no_estate: bool) -> Result<Option<Arc<dyn Directory>>, Failure> {
    let is_there = config
        .estate
        .files
        .iter()
        .all(|file| Path::new(file).exists());
    if no_estate || !is_there {
        return Ok(None);
    }
    let estate = engine::estate(config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    Ok(Some(Arc::new(estate)))
}

fn check(
    context: &Context,
    config: &Config,
    files: &[PathBuf],
    format: FaultFormat,
    no_estate: bool,
) -> Result<(), Failure> {
    let (prefix, mut all) = match files.first() {
        None => texts(config)?,
        Some(file) => (prefix_of(file), Texts::new()),
    };
    let mut wanted = Vec::new();
    for file in files {
        wanted.push(add_file(&mut all, file)?);
    }
    let directory = estate(config, no_estate)?;
    let environment = library::environment(directory.as_deref()).map_err(|fault| anyhow!(fault))?;
    let library = Library::new(&prefix, &all, environment);
    let is_wanted =
        |entry: &&Entry| wanted.is_empty() || wanted.contains(&(entry.name.clone(), entry.version));
    let mut errors = 0;
    let mut checked = 0;
    for entry in library.entries().filter(is_wanted) {
        checked += 1;
        errors += entry
            .faults
            .iter()
            .filter(|fault| fault.severity == Severity::Error)
            .count();
        errors += usize::from(entry.refused.is_some());
        report(entry, format)?;
    }
    match (checked, errors) {
        (0, _) => Err(Failure::Usage(
            "there is no runbook: files are called <runbook>/v<version>.yaml".to_owned(),
        )),
        (_, 0) => {
            context
                .out
                .note(&format!("{checked} runbook versions are good"));
            Ok(())
        }
        (_, errors) => Err(Failure::Invalid(format!("{errors} faults"))),
    }
}

fn report(entry: &Entry, format: FaultFormat) -> Result<(), Failure> {
    let text = match format {
        FaultFormat::Frame => render::frame(&entry.source, &entry.faults),
        FaultFormat::Json => render::json(&entry.faults).to_string(),
        FaultFormat::Github => render::github(&entry.faults),
    };
    if !entry.faults.is_empty() {
        print(text.trim_end())?;
    }
    match &entry.refused {
        Some(refused) => print(refused),
        None => Ok(()),
    }
}

/// What stands before `<runbook>/v<version>.yaml` in the path that was given, so that places can be
/// clicked on.
fn prefix_of(file: &Path) -> String {
    let root = file
        .parent()
        .and_then(Path::parent)
        .filter(|root| !root.as_os_str().is_empty());
    root.map(|root| format!("{}/", root.display()))
        .unwrap_or_default()
}

/// One file with the templates beside it; the folder's name is the runbook's.
fn add_file(all: &mut Texts, file: &Path) -> Result<(String, u32), Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "{}: files are called <runbook>/v<version>.yaml",
            file.display()
        ))
    };
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(wrong)?;
    let version = name
        .strip_prefix('v')
        .and_then(|rest| rest.strip_suffix(".yaml")?.parse().ok())
        .ok_or_else(wrong)?;
    let path = file
        .canonicalize()
        .map_err(|fault| Failure::Usage(format!("{}: {fault}", file.display())))?;
    let folder = path.parent().ok_or_else(wrong)?;
    let runbook = folder
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(wrong)?
        .to_owned();
    let root = folder.parent().ok_or_else(wrong)?;
    let found = library::folder(root).map_err(Failure::Invalid)?;
    // The others too: it may call them.
    all.extend(found);
    if !all.contains_key(&format!("{runbook}/{name}")) {
        return Err(wrong());
    }
    Ok((runbook, version))
}

fn list(context: &Context, library: &Library) -> Result<(), Failure> {
    let listed = library.list();
    let mut rows = Rows::new(&["runbook", "version", "title", "owner", "state"]);
    for row in &listed {
        let state = match (row.faults.len(), row.released) {
            (0, true) => "released".to_owned(),
            (0, false) => "draft".to_owned(),
            (faults, _) => format!("{faults} faults"),
        };
        rows.add(vec![
            row.name.clone(),
            row.version.to_string(),
            row.title.clone(),
            row.owner.clone(),
            state,
        ]);
    }
    context.out.list(&rows, &listed)
}

/// `name` or `name@version`.
fn named(text: &str) -> Result<(&str, Option<u32>), Failure> {
    match text.split_once('@') {
        None => Ok((text, None)),
        Some((name, version)) => {
            let version = version.trim_start_matches('v').parse();
            Ok((
                name,
                Some(version.map_err(|_| Failure::Usage(format!("{text}: write NAME@2")))?),
            ))
        }
    }
}

pub(super) fn definition(library: &Library, text: &str) -> Result<Arc<Definition>, Failure> {
    let (name, version) = named(text)?;
    Ok(hostler_api::catalogue::find(library, name, version)?)
}

fn release(context: &Context, config: &Config, text: &str) -> Result<(), Failure> {
    let (name, version) = named(text)?;
    let path = folder(config).join(LOCK);
    let library = open(config)?;
    let entry = library.entry(name, version).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no {text} in {}",
            folder(config).display()
        ))
    })?;
    let mut releases = match std::fs::read_to_string(&path) {
        Ok(text) => Releases::parse(&text).map_err(|fault| Failure::Invalid(fault.to_string()))?,
        Err(_) => Releases::default(),
    };
    let environment = library::environment(None).map_err(|fault| anyhow!(fault))?;
    let environment = environment.with_runbooks(library.entries().map(|entry| &entry.source));
    let digest = releases
        .release(&entry.source, &environment)
        .map_err(|fault| {
            let frame = render::frame(&entry.source, &entry.faults);
            Failure::Invalid(format!("{fault}\n{frame}"))
        })?;
    // Whole or not at all: a half-written lock would refuse every runbook.
    let new = path.with_extension("lock.new");
    std::fs::write(&new, releases.write())?;
    std::fs::rename(&new, &path)?;
    context.out.note(&format!(
        "{}@{} is frozen: sha256 {digest}",
        entry.name, entry.version
    ));
    Ok(())
}

async fn test(context: &Context, config: &Config, runbook: &str) -> Result<(), Failure> {
    let scenarios = folder(config).join(runbook).join("scenarios");
    let entries = std::fs::read_dir(&scenarios)
        .map_err(|fault| Failure::Usage(format!("{}: {fault}", scenarios.display())))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    let stage = stage(config)?;
    let mut complaints = Vec::new();
    for file in &files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = library::read(file).map_err(Failure::Invalid)?;
        let scenario =
            Scenario::read(&text).map_err(|fault| Failure::Invalid(format!("{name}: {fault}")))?;
        let found = match play(&stage, &scenario).await {
            Ok(outcome) => outcome.complaints,
            Err(trouble) => vec![trouble.to_string()],
        };
        let state = if found.is_empty() { "good" } else { "BAD" };
        if context.out.format == Format::Table {
            print(&format!("{state:<5} {name}"))?;
        }
        complaints.extend(
            found
                .into_iter()
                .map(|complaint| format!("{name}: {complaint}")),
        );
    }
    match (files.len(), complaints.is_empty()) {
        (0, _) => Err(Failure::Usage(format!(
            "{}: no scenario",
            scenarios.display()
        ))),
        (_, true) => Ok(()),
        (_, false) => Err(Failure::Invalid(complaints.join("\n"))),
    }
}

/// Scenarios are about the practice estate: everybody has the same one.
fn stage(config: &Config) -> Result<Stage, Failure> {
    let known = engine::known()?;
    // Nothing listens at this port, and nothing is asked: answers come from the scenario.
    let estate = hostler_estate::practice::estate(1, &known)
        .map_err(|faults| Failure::Invalid(faults.to_string()))?;
    Ok(Stage {
        directory: Arc::new(estate),
        evaluate: Arc::new(hostler_runbook::Evaluator::new(jiff::tz::TimeZone::UTC)),
        runbooks: Arc::new(open(config)?),
        compose: Arc::new(Renderer::default()),
        contracts: Arc::new(contracts::all().map_err(|fault| anyhow!(fault))?),
    })
}
