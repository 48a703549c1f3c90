//! Files of policies: which there are, their texts, their shapes, and one digest over all of them.
//!
//! Not here: what they mean.

use super::defaults;
use super::file::{
    BudgetsFile, ClassesFile, ConsentFile, DeadlinesFile, DebtsFile, DeferralsFile, FitFile,
    LaddersFile, ResponsibilitiesFile, RetentionFile, RolesFile, SpendFile, TextsFile,
    TriggersFile,
};
use crate::at::Position;
use crate::build::ReadFile;
use crate::fault::{Collector, nearest};
use crate::read;
use hostler_core::id::Digest;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Names of the files, in ascending order.
pub const FILES: [&str; 14] = [
    "budgets.yaml",
    "classes.yaml",
    "consent.yaml",
    "deadlines.yaml",
    "debts.yaml",
    "deferrals.yaml",
    "fit.yaml",
    "ladders.yaml",
    "responsibilities.yaml",
    "retention.yaml",
    "roles.yaml",
    "spend.yaml",
    "texts.yaml",
    "triggers.yaml",
];
/// Largest file in bytes; people read every line of a policy.
const FILE_MAX_BYTES: usize = 256 * 1024;

/// A file's number among the paths, and its text.
type Numbered = (usize, String);

/// Texts by the name of the file.
pub type Texts = BTreeMap<String, Numbered>;

/// Reads what lies at the paths; what is no policy file, or one twice, is a fault.
pub fn texts(paths: &[&str], read: ReadFile<'_>, out: &mut Collector) -> Texts {
    let mut texts = Texts::new();
    // Each name once: more paths than names hold a fault already, and need not be read.
    for (number, path) in paths.iter().enumerate().take(FILES.len() + 1) {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        if !FILES.contains(&name) {
            let message = format!("there is no policy `{name}`");
            let remedy = match nearest(name, FILES.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("rename or remove it; there are: {}", FILES.join(", ")),
            };
            out.add(number, Position::default(), "HE020", message, remedy);
            continue;
        }
        if texts.contains_key(name) {
            let message = format!("`{name}` is given twice");
            let remedy = "keep each policy in one file";
            out.add(number, Position::default(), "HE011", message, remedy);
            continue;
        }
        if let Some(text) = text(number, path, read, out) {
            texts.insert(name.to_owned(), (number, text));
        }
    }
    texts
}

fn text(number: usize, path: &str, read: ReadFile<'_>, out: &mut Collector) -> Option<String> {
    let (code, message, remedy) = match read(path) {
        Ok(text) if text.len() <= FILE_MAX_BYTES => return Some(text),
        Ok(text) => (
            "HE050",
            format!(
                "the file has {} bytes, at most {FILE_MAX_BYTES} are read",
                text.len()
            ),
            "shorten it: people must be able to read it",
        ),
        Err(why) => (
            "HE060",
            format!("the file cannot be read: {why}"),
            "check path and permissions",
        ),
    };
    out.add(number, Position::default(), code, message, remedy);
    None
}

/// The same for the same names and bytes, whatever the folder and the order of the paths. Lengths stand
/// before names and bytes, so that no two sets of files give the same text to digest.
pub fn digest(texts: &Texts) -> Digest {
    let mut bytes = Vec::new();
    let mut put = |part: &[u8]| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    };
    put(defaults::VERSION.as_bytes());
    for (name, (_, text)) in texts {
        put(name.as_bytes());
        put(text.as_bytes());
    }
    Digest::of(&bytes)
}

/// A shape and the number of its file; of a missing file the empty one.
pub struct Source<T> {
    pub file: usize,
    pub value: T,
}

/// All shapes.
pub struct Sources {
    pub budgets: Source<BudgetsFile>,
    pub classes: Source<ClassesFile>,
    pub consent: Source<ConsentFile>,
    pub deadlines: Source<DeadlinesFile>,
    pub debts: Source<DebtsFile>,
    pub deferrals: Source<DeferralsFile>,
    pub fit: Source<FitFile>,
    pub ladders: Source<LaddersFile>,
    pub responsibilities: Source<Option<ResponsibilitiesFile>>,
    pub retention: Source<RetentionFile>,
    pub roles: Source<Option<RolesFile>>,
    pub spend: Source<SpendFile>,
    pub texts: Source<TextsFile>,
    pub triggers: Source<TriggersFile>,
}

impl Sources {
    pub fn read(texts: &Texts, out: &mut Collector) -> Self {
        Self {
            budgets: shape(texts, "budgets.yaml", out),
            classes: shape(texts, "classes.yaml", out),
            consent: shape(texts, "consent.yaml", out),
            deadlines: shape(texts, "deadlines.yaml", out),
            debts: shape(texts, "debts.yaml", out),
            deferrals: shape(texts, "deferrals.yaml", out),
            fit: shape(texts, "fit.yaml", out),
            ladders: shape(texts, "ladders.yaml", out),
            responsibilities: given(texts, "responsibilities.yaml", out),
            retention: shape(texts, "retention.yaml", out),
            roles: given(texts, "roles.yaml", out),
            spend: shape(texts, "spend.yaml", out),
            texts: shape(texts, "texts.yaml", out),
            triggers: shape(texts, "triggers.yaml", out),
        }
    }
}

fn shape<T: DeserializeOwned + Default>(
    texts: &Texts,
    name: &str,
    out: &mut Collector,
) -> Source<T> {
    let Source { file, value } = given::<T>(texts, name, out);
    Source {
        file,
        value: value.unwrap_or_default(),
    }
}

/// None where an empty file says something else than no file.
fn given<T: DeserializeOwned + Default>(
    texts: &Texts,
    name: &str,
    out: &mut Collector,
) -> Source<Option<T>> {
    let Some((file, text)) = texts.get(name) else {
        return Source {
            file: 0,
            value: None,
        };
    };
    let value = read::parse(*file, text, out, &format!("examples/policies/{name}"));
    Source { file: *file, value }
}
