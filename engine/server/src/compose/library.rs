//! Runbooks from files: read once, checked, compiled.
//!
//! Layout: `<runbook>/v<version>.yaml`, templates in `<runbook>/notices/*.hbs`.

use hostler_api::catalogue::{RunbookRow, Runbooks};
use hostler_core::definition::Definition;
use hostler_core::directory::Directory;
use hostler_runbook::release::Releases;
use hostler_runbook::{Environment, Fault, Severity, SourceFile};
use rust_embed::RustEmbed;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Versions that never change, beside the runbooks' folders.
pub const LOCK: &str = "releases.lock";
/// Longest file that is read; the language has its own, smaller bound.
const FILE_MAX_BYTES: u64 = 1024 * 1024;
/// Most files of one runbook folder.
const FILES_MAX: usize = 1_000;

#[derive(RustEmbed)]
#[folder = "../../workflows"]
#[include = "*/v*.yaml"]
#[include = "releases.lock"]
#[include = "*/notices/*.hbs"]
struct Delivered;

/// A checked version.
pub struct Entry {
    pub source: SourceFile,
    pub faults: Vec<Fault>,
    /// The lock of releases says no.
    pub refused: Option<String>,
    pub definition: Option<Arc<Definition>>,
    pub name: String,
    pub version: u32,
}

/// All runbooks of one folder.
pub struct Library {
    entries: BTreeMap<(String, u32), Entry>,
    released: Releases,
}

/// Path below the folder → text.
pub type Texts = BTreeMap<String, String>;

/// Runbooks that came with the program.
#[must_use]
pub fn delivered() -> Texts {
    let text = |name: &str| {
        let file = Delivered::get(name)?;
        String::from_utf8(file.data.into_owned()).ok()
    };
    Delivered::iter()
        .filter_map(|name| Some((name.to_string(), text(&name)?)))
        .collect()
}

/// All runbook files below a folder.
///
/// # Errors
/// Names the path that cannot be read.
pub fn folder(folder: &Path) -> Result<Texts, String> {
    let mut texts = Texts::new();
    for runbook in folders(folder)? {
        let name = runbook
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        gather(&runbook, &name, "yaml", &mut texts)?;
        gather(
            &runbook.join("notices"),
            &format!("{name}/notices"),
            "hbs",
            &mut texts,
        )?;
    }
    let releases = folder.join(LOCK);
    if releases.exists() {
        texts.insert(LOCK.to_owned(), read(&releases)?);
    }
    Ok(texts)
}

fn folders(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    Ok(found)
}

fn gather(folder: &Path, prefix: &str, end: &str, texts: &mut Texts) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let fits = path.extension().is_some_and(|found| found == end) && path.is_file();
        if !fits || (end == "yaml" && version_of(&name).is_none()) {
            continue;
        }
        if texts.len() >= FILES_MAX {
            return Err(format!("{}: more than {FILES_MAX} files", folder.display()));
        }
        texts.insert(format!("{prefix}/{name}"), read(&path)?);
    }
    Ok(())
}

/// # Errors
/// Names the path.
pub fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|fault| format!("{}: {fault}", path.display()))?
        .len();
    if size > FILE_MAX_BYTES {
        return Err(format!(
            "{}: {size} bytes; {FILE_MAX_BYTES} is the limit",
            path.display()
        ));
    }
    std::fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))
}

/// `v3.yaml` → 3.
fn version_of(name: &str) -> Option<u32> {
    name.strip_prefix('v')?.strip_suffix(".yaml")?.parse().ok()
}

/// What the runbooks are checked against: contracts, and the estate where there is one.
///
/// # Errors
/// For a contract file that is none.
pub fn environment(directory: Option<&dyn Directory>) -> Result<Environment, String> {
    let mut environment = Environment::default().with_contracts(super::contracts::all()?);
    environment.estate = directory.map(super::facts::of);
    Ok(environment)
}

impl Library {
    /// Checks everything. Faults stay with their version: the others can be used.
    #[must_use]
    pub fn new(prefix: &str, texts: &Texts, environment: Environment) -> Self {
        let sources = sources(prefix, texts);
        let environment = environment.with_runbooks(sources.values());
        let released = texts
            .get(LOCK)
            .map(|text| Releases::parse(text))
            .transpose();
        let broken = released.as_ref().err().map(ToString::to_string);
        let released = released.ok().flatten().unwrap_or_default();
        let entries = sources.into_iter().map(|((name, version), source)| {
            let checked = hostler_runbook::check(&source, &environment);
            let changed = checked
                .definition
                .as_ref()
                .and_then(|found| released.standing(found).err());
            let refused = broken
                .clone()
                .or_else(|| changed.map(|changed| changed.to_string()));
            // Bytes that differ from the released ones run nowhere.
            let definition = checked
                .definition
                .filter(|_| refused.is_none())
                .map(Arc::new);
            let entry = Entry {
                source,
                faults: checked.faults,
                refused,
                definition,
                name,
                version,
            };
            ((entry.name.clone(), version), entry)
        });
        Self {
            entries: entries.collect(),
            released,
        }
    }

    /// What is needed to look at one file again.
    #[must_use]
    pub fn entry(&self, name: &str, version: Option<u32>) -> Option<&Entry> {
        let mut of_name = self.entries.values().filter(|entry| entry.name == name);
        match version {
            Some(version) => of_name.find(|entry| entry.version == version),
            None => of_name.next_back(),
        }
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

fn sources(prefix: &str, texts: &Texts) -> BTreeMap<(String, u32), SourceFile> {
    let mut sources = BTreeMap::new();
    for (path, text) in texts {
        let Some((name, file)) = path.split_once('/') else {
            continue;
        };
        let Some(version) = version_of(file) else {
            continue;
        };
        let inside = format!("{name}/notices/");
        let templates = texts
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(&inside)?.to_owned(), text.clone())))
            .collect();
        let source = SourceFile {
            name: format!("{prefix}{path}"),
            text: text.clone(),
            templates,
        };
        sources.insert((name.to_owned(), version), source);
    }
    sources
}

impl Runbooks for Library {
    fn list(&self) -> Vec<RunbookRow> {
        let row = |entry: &Entry| {
            let definition = entry.definition.as_ref();
            let errors = entry
                .faults
                .iter()
                .filter(|fault| fault.severity == Severity::Error);
            let line = |fault: &Fault| {
                format!(
                    "{}:{}:{} {} {}; {}",
                    fault.file, fault.line, fault.column, fault.code, fault.message, fault.remedy
                )
            };
            RunbookRow {
                name: entry.name.clone(),
                version: entry.version,
                title: definition
                    .map(|definition| definition.title.clone())
                    .unwrap_or_default(),
                owner: definition
                    .map(|definition| definition.owner.clone())
                    .unwrap_or_default(),
                released: self.released.get(&entry.name, entry.version).is_some(),
                source: definition.map(|definition| definition.source),
                faults: errors.map(line).chain(entry.refused.clone()).collect(),
            }
        };
        self.entries.values().map(row).collect()
    }

    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>> {
        self.entries
            .get(&(name.to_owned(), version))?
            .definition
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delivered_runbooks_have_no_faults() {
        let library = Library::new("workflows/", &delivered(), environment(None).unwrap());
        let rows = library.list();
        assert!(
            rows.iter().any(|row| row.name == "monthly-patch"),
            "{rows:?}"
        );
        for row in rows {
            assert_eq!(
                row.faults,
                Vec::<String>::new(),
                "{}@{}",
                row.name,
                row.version
            );
            assert!(library.definition(&row.name, row.version).is_some());
            assert!(row.released, "{}@{} is a draft", row.name, row.version);
        }
    }

    #[test]
    fn a_released_version_with_other_bytes_runs_nowhere() {
        let mut texts = delivered();
        let lock = format!(
            "monthly-patch@1 sha256:{}\n",
            hostler_core::id::Digest::of(b"other")
        );
        texts.insert(LOCK.into(), lock);
        let library = Library::new("", &texts, environment(None).unwrap());
        assert!(library.definition("monthly-patch", 1).is_none());
        let row = library
            .list()
            .into_iter()
            .find(|row| row.name == "monthly-patch")
            .unwrap();
        assert!(
            row.released && row.faults[0].contains("other bytes"),
            "{row:?}"
        );
    }

    #[test]
    fn a_fault_stays_with_its_version() {
        let mut texts = delivered();
        texts.insert(
            "monthly-patch/v9.yaml".into(),
            "runbook: monthly-patch\nversion: 9\nstepps: []\n".into(),
        );
        let library = Library::new("", &texts, environment(None).unwrap());
        assert!(library.definition("monthly-patch", 9).is_none());
        assert!(library.definition("monthly-patch", 1).is_some());
        let rows = library.list();
        let broken = rows.iter().find(|row| row.version == 9).unwrap();
        assert!(!broken.faults.is_empty());
        let found = hostler_api::catalogue::find(&library, "monthly-patch", None).unwrap();
        assert_eq!(found.version, 2);
    }
}
