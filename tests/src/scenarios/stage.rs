//! The practice estate and the runbooks of this repository as a stage for rehearsals.

use hostler_api::catalogue::{RunbookRow, Runbooks};
use hostler_channel_mail::calendar;
use hostler_channel_mail::render::Templates;
use hostler_core::contract::Contract;
use hostler_core::definition::Definition;
use hostler_estate::{Estate, Known, policies};
use hostler_ports::channel::{Compose, Composed, Draft};
use hostler_rehearsal::Stage;
use hostler_runbook::{Environment, Evaluator, SourceFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is ahead of any server here fits into two hours: nothing was measured yet, and timeouts are long.
pub const QUICK: &str = "fit: { default: 20m }\n";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

pub fn contracts() -> Vec<Contract> {
    let folder = std::fs::read_dir(root().join("sdk/contracts")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let contracts = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    contracts
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

/// Runbooks by name and version.
pub struct Shelf(BTreeMap<(String, u32), Arc<Definition>>);

impl Runbooks for Shelf {
    fn list(&self) -> Vec<RunbookRow> {
        let row = |((name, version), definition): (&(String, u32), &Arc<Definition>)| RunbookRow {
            name: name.clone(),
            version: *version,
            title: definition.title.clone(),
            owner: definition.owner.clone(),
            released: false,
            source: Some(definition.source),
            faults: Vec::new(),
        };
        self.0.iter().map(row).collect()
    }

    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>> {
        self.0.get(&(name.to_owned(), version)).cloned()
    }
}

fn templates(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder.join("notices")) else {
        return BTreeMap::new();
    };
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

/// Every version of every runbook.
fn sources() -> Vec<SourceFile> {
    let folders = std::fs::read_dir(root().join("workflows")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let versions = |folder: PathBuf| {
        let files = std::fs::read_dir(&folder).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let versions = files.filter(|file| file.extension().is_some_and(|end| end == "yaml"));
        versions
            .map(|file| source(&folder, &file))
            .collect::<Vec<_>>()
    };
    folders
        .filter(|path| path.is_dir())
        .flat_map(versions)
        .collect()
}

fn source(folder: &Path, file: &Path) -> SourceFile {
    SourceFile {
        name: file.strip_prefix(root()).unwrap().display().to_string(),
        text: std::fs::read_to_string(file).unwrap(),
        templates: templates(folder),
    }
}

/// The stage with one more runbook.
pub fn with_runbook(stage: Stage, source: SourceFile) -> Stage {
    let mut sources = sources();
    sources.push(source);
    Stage {
        runbooks: Arc::new(shelf(&stage.contracts, &sources)),
        ..stage
    }
}

fn shelf(contracts: &[Contract], sources: &[SourceFile]) -> Shelf {
    let environment = Environment::default()
        .with_contracts(contracts.to_vec())
        .with_runbooks(sources);
    let mut shelf = BTreeMap::new();
    for source in sources {
        let checked = hostler_runbook::check(source, &environment);
        let definition = checked
            .definition
            .unwrap_or_else(|| panic!("{}: {:?}", source.name, checked.faults));
        shelf.insert(
            (definition.runbook.clone(), definition.version),
            Arc::new(definition),
        );
    }
    Shelf(shelf)
}

/// Keeps what it has compiled: reading templates anew for each message is most of a rehearsal's time.
#[derive(Default)]
struct Renderer(Mutex<BTreeMap<BTreeMap<String, String>, Arc<Templates>>>);

impl Renderer {
    fn templates(&self, sources: &BTreeMap<String, String>) -> Result<Arc<Templates>, String> {
        let mut known = self.0.lock().unwrap();
        if let Some(templates) = known.get(sources) {
            return Ok(Arc::clone(templates));
        }
        let templates = Templates::compile(sources).map_err(|fault| fault.to_string())?;
        let templates = Arc::new(templates);
        known.insert(sources.clone(), Arc::clone(&templates));
        Ok(templates)
    }
}

impl Compose for Renderer {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        let templates = self.templates(&draft.templates)?;
        let rendered = templates.render_value(&draft.template, &draft.context);
        let rendered = rendered.map_err(|fault| fault.to_string())?;
        let calendar = draft.calendar.as_ref().map(calendar::file).transpose();
        let calendar = calendar.map_err(|fault| fault.to_string())?;
        Ok(Composed {
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            calendar,
        })
    }
}

pub fn practice() -> Stage {
    practice_with(|text| text)
}

/// The practice estate with a changed file.
pub fn practice_with(change: impl Fn(String) -> String) -> Stage {
    over(estate(change))
}

/// The same, with classes of change that promise what this file says.
pub fn promising(classes: &'static str, change: impl Fn(String) -> String) -> Stage {
    ruled(&[("classes.yaml", classes)], change)
}

/// The same, under these files of policies.
pub fn ruled(files: &[(&str, &str)], change: impl Fn(String) -> String) -> Stage {
    over(estate_under(files, change))
}

/// The same, with runbooks whose items wait however many windows pass.
pub fn patient(files: &[(&str, &str)], change: impl Fn(String) -> String) -> Stage {
    with_runbooks(estate_under(files, change), |source| {
        source.text = source.text.replace(OVERFLOW, "");
    })
}

const OVERFLOW: &str = "      overflow: { to: next-window, at_most: 2, then: held }\n";

fn estate_under(files: &[(&str, &str)], change: impl Fn(String) -> String) -> Estate {
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        Ok(file.unwrap().1.to_owned())
    };
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let read = policies::load(&names, &read, &policies::Known::default());
    estate(change).under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

fn estate(change: impl Fn(String) -> String) -> Estate {
    let contracts = contracts();
    let names = contracts.iter().map(|contract| contract.name.clone());
    let known = Known {
        contracts: Some(names.collect()),
        plugins: None,
    };
    let files = hostler_estate::practice::files(1).map(|(name, text)| (name, change(text)));
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        Ok(file.unwrap().1.clone())
    };
    let names = files.each_ref().map(|(name, _)| *name);
    let estate = hostler_estate::load(&names, &read, &known);
    estate.unwrap_or_else(|faults| panic!("{faults}"))
}

fn over(estate: Estate) -> Stage {
    with_runbooks(estate, |_| {})
}

/// The practice estate, and runbooks with a changed file or template.
pub fn rewritten(change: impl Fn(&mut SourceFile)) -> Stage {
    with_runbooks(estate(|text| text), change)
}

fn with_runbooks(estate: Estate, change: impl Fn(&mut SourceFile)) -> Stage {
    let contracts = contracts();
    let mut sources = sources();
    sources.iter_mut().for_each(change);
    Stage {
        directory: Arc::new(estate),
        evaluate: Arc::new(Evaluator::new(jiff::tz::TimeZone::UTC)),
        runbooks: Arc::new(shelf(&contracts, &sources)),
        compose: Arc::new(Renderer::default()),
        contracts: Arc::new(contracts),
    }
}
