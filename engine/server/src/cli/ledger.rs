//! `hostler ledger`: verify a sealed ledger or a receipt without the engine, export it, make keys, begin anew.

use super::{Context, receipt};
use crate::compose::ledger::{begin, new_key, public_file};
use crate::failure::Failure;
use crate::output::{Rows, print};
use crate::times;
use clap::{Subcommand, ValueEnum};
use hostler_ledger::checkpoint::{CHECKPOINT_MAX_BYTES, Checkpoint};
use hostler_ledger::folder::{Folder, FolderError};
use hostler_ledger::key::VerifierKey;
use hostler_ledger::receipt::{RECEIPT_MAX_BYTES, Receipt};
use hostler_ledger::verify::{Report, verify};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Pages of one export: more than any ledger has.
const PAGES_MAX: usize = 10_000_000;
/// Longest file that holds a key, in bytes.
const KEY_MAX_BYTES: usize = 4_096;

#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Compare a sealed folder, or a receipt, with its signed checkpoints; needs no engine
    Verify {
        /// Folder of the sealed ledger, or file of a receipt
        path: PathBuf,
        /// File with the public key: the line that `key new` prints
        #[arg(long)]
        key: PathBuf,
        /// Checkpoint that was kept elsewhere, or a folder of them (ledger.export_folders); may be given many times
        #[arg(long)]
        checkpoint: Vec<PathBuf>,
    },
    /// A proof of some entries for whom they concern. With --customer, what that customer was told and its people
    /// decided, and nothing else; with --entry, all that these entries say: look whose they are
    Receipt {
        /// Folder of the sealed ledger
        folder: PathBuf,
        /// File with the public key
        #[arg(long)]
        key: PathBuf,
        /// Number of an entry; may be given many times
        #[arg(
            long = "entry",
            required_unless_present = "customer",
            conflicts_with = "customer"
        )]
        entries: Vec<u64>,
        /// Customer of the estate: the newest entries that concern them
        #[arg(long, value_name = "CUSTOMER")]
        customer: Option<String>,
    },
    /// All entries of the running engine, sealed or not
    Export {
        #[arg(long, value_enum, default_value_t)]
        format: ExportFormat,
        /// Begin with this number
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Begin a new folder with the entries of an older one: when the store went back behind what was sealed
    Begin {
        /// Folder that was put aside
        old: PathBuf,
        /// Folder to go on with: name it in ledger.folder
        new: PathBuf,
        /// Entries that the store and the older folder have alike: as many as the store had after it went back
        #[arg(long)]
        below: u64,
        /// File with the private key
        #[arg(long)]
        key: PathBuf,
    },
    /// Keys that sign the ledger
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    #[default]
    Ndjson,
    Csv,
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key pair: the private key into FILE, the public one into FILE.pub and on the screen
    New {
        file: PathBuf,
        /// Realm whose ledger it signs
        #[arg(long, default_value = "main")]
        realm: String,
    },
}

pub async fn run(context: &Context, command: LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Verify {
            path,
            key,
            checkpoint,
        } => aside(move || looked_at(&path, &key, &checkpoint))
            .await?
            .told(context),
        LedgerCommand::Receipt {
            folder,
            key,
            entries,
            customer,
        } => {
            let key = read_key(&key)?;
            let concern = customer.map(|customer| receipt::concern(context, &customer));
            let concern = concern.transpose()?;
            let made = aside(move || {
                let folder = Disk(folder);
                let entries = match concern {
                    Some(concern) => receipt::entries(&folder, &key, &concern)?,
                    None => entries,
                };
                Receipt::make(&folder, &key, &entries)
                    .map_err(|fault| Failure::Invalid(fault.to_string()))
            });
            print(&made.await?.to_text())
        }
        LedgerCommand::Export { format, from } => export(context, format, from).await,
        LedgerCommand::Begin {
            old,
            new,
            below,
            key,
        } => {
            let begun = begin(&old, &new, below, &key).await;
            let size = begun.map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
            let (old, new) = (old.display(), new.display());
            let text = format!("{new} has {size} entries: set ledger.folder to it, and keep {old}");
            context.out.one(&text, &json!({ "entries": size }))
        }
        LedgerCommand::Key(KeyCommand::New { file, realm }) => {
            let key =
                new_key(&file, &realm).map_err(|fault| Failure::Usage(format!("{fault:#}")))?;
            context.out.note(&format!(
                "{} signs: keep it secret, and keep a copy. {} verifies: give it to whoever asks.\n\
                 set ledger.key_file to the first one",
                file.display(),
                public_file(&file).display()
            ));
            print(&key.to_string())
        }
    }
}

/// Reading a large folder is work for a thread that may be busy for a while.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|fault| Failure::Internal(fault.into()))?
}

/// What a verification says, for people and for scripts.
struct Verdict {
    text: String,
    value: Value,
    bad: Option<String>,
}

impl Verdict {
    /// Exit code 3 when something is bad.
    fn told(self, context: &Context) -> Result<(), Failure> {
        if let Some(bad) = self.bad {
            if context.out.format != crate::output::Format::Table {
                context.out.one(&self.text, &self.value)?;
            }
            return Err(Failure::Invalid(bad));
        }
        context.out.one(&self.text, &self.value)
    }
}

fn looked_at(path: &Path, key: &Path, checkpoints: &[PathBuf]) -> Result<Verdict, Failure> {
    let key = read_key(key)?;
    if path.is_file() {
        return proven(path, &key);
    }
    if !path.is_dir() {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "{path} is not there: name the folder of the sealed ledger (ledger.folder)"
        )));
    }
    let open = |file: &PathBuf| {
        let text = read_file(file, CHECKPOINT_MAX_BYTES)?;
        let named = |fault| Failure::Invalid(format!("{}: {fault}", file.display()));
        Checkpoint::open(&text, &key).map_err(named)
    };
    let files = exported_files(checkpoints)?;
    let exported = files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let report = verify(&Disk(path.to_owned()), &key, &exported);
    Ok(folder(
        report.map_err(|fault| Failure::Invalid(fault.to_string()))?,
    ))
}

/// The files that are meant: of a folder, all checkpoints in it.
fn exported_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |fault: std::io::Error| Failure::Usage(format!("{}: {fault}", path.display()));
        let before = files.len();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            files.extend(
                file.extension()
                    .is_some_and(|ext| ext == "checkpoint")
                    .then_some(file),
            );
        }
        if files.len() == before {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path} has no file *.checkpoint: name the folder to which checkpoints were exported"
            )));
        }
    }
    files.sort();
    Ok(files)
}

fn folder(report: Report) -> Verdict {
    let (size, root, compared) = (report.head.size, report.head.root, report.checkpoints);
    let value = json!({
        "entries": size, "root": root.to_string(), "checkpoints": compared,
        "good": report.fault.is_none(),
        "first_bad": report.fault.as_ref().map(|fault| fault.index),
        "vouched_below": report.fault.as_ref().map(|fault| fault.sure_to),
        "fault": report.fault.as_ref().map(ToString::to_string),
    });
    Verdict {
        text: format!(
            "{size} entries, all as they were sealed\nroot {root}\ncheckpoints {compared}"
        ),
        value,
        bad: report.fault.map(|fault| fault.to_string()),
    }
}

fn proven(path: &Path, key: &VerifierKey) -> Result<Verdict, Failure> {
    let named = |why: String| Failure::Invalid(format!("{}: {why}", path.display()));
    let text = String::from_utf8(read_file(path, RECEIPT_MAX_BYTES)?)
        .map_err(|fault| named(fault.to_string()))?;
    let receipt = Receipt::parse(&text).map_err(|fault| named(fault.to_string()))?;
    let told = receipt
        .verify(key)
        .map_err(|fault| named(fault.to_string()))?;
    let line = |told: &hostler_ledger::receipt::Told| {
        let (number, at) = (told.entry.number, times::local(told.entry.at_ms));
        format!("entry {number}, {at}\n{}", told.body)
    };
    let value = |told: &hostler_ledger::receipt::Told| json!({ "number": told.entry.number, "at_ms": told.entry.at_ms, "body": told.body });
    Ok(Verdict {
        text: told.iter().map(line).collect::<Vec<_>>().join("\n\n"),
        value: told.iter().map(value).collect(),
        bad: None,
    })
}

fn read_key(file: &Path) -> Result<VerifierKey, Failure> {
    let text = read_file(file, KEY_MAX_BYTES)?;
    VerifierKey::parse(&String::from_utf8_lossy(&text))
        .map_err(|fault| Failure::Invalid(format!("{}: {fault}", file.display())))
}

fn read_file(file: &Path, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let name = file.display().to_string();
    match read(file, &name, max_bytes) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Failure::Usage(format!("{name} is not there"))),
        Err(fault) => Err(Failure::Invalid(fault.to_string())),
    }
}

/// The files below a folder of this machine.
struct Disk(PathBuf);

impl Folder for Disk {
    fn read(&self, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError> {
        read(&self.0.join(path), path, max_bytes)
    }
}

fn read(file: &Path, name: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError> {
    let failed = |why: String| FolderError {
        path: name.to_owned(),
        why,
    };
    let opened = match std::fs::File::open(file) {
        Err(fault) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&fault.kind()) => {
            return Ok(None);
        }
        opened => opened.map_err(|fault| failed(fault.to_string()))?,
    };
    let mut bytes = Vec::new();
    let limit = max_bytes as u64 + 1;
    let read = opened.take(limit).read_to_end(&mut bytes);
    read.map_err(|fault| failed(fault.to_string()))?;
    if bytes.len() > max_bytes {
        return Err(failed(format!("it is longer than {max_bytes} bytes")));
    }
    Ok(Some(bytes))
}

async fn export(context: &Context, format: ExportFormat, from: u64) -> Result<(), Failure> {
    let client = context.client()?;
    let mut next = from;
    for number in 0..PAGES_MAX {
        let page: Vec<Value> = client.get(&format!("/api/v1/ledger?from={next}")).await?;
        match format {
            ExportFormat::Ndjson => {
                for entry in &page {
                    print(&serde_json::to_string(entry)?)?;
                }
            }
            ExportFormat::Csv => csv(&page, number == 0)?,
        }
        match page.last().and_then(|entry| entry["number"].as_u64()) {
            Some(last) if last >= next => next = last + 1,
            _ => break,
        }
    }
    Ok(())
}

fn csv(page: &[Value], with_head: bool) -> Result<(), Failure> {
    let mut rows = Rows::new(&["number", "at", "lane", "version", "body"]);
    for entry in page {
        let text = |name: &str| match &entry[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let at = entry["at_ms"].as_i64().map(times::utc).unwrap_or_default();
        rows.add(vec![
            text("number"),
            at,
            text("lane"),
            text("version"),
            text("body"),
        ]);
    }
    let text = rows.csv();
    let text = if with_head {
        text.as_str()
    } else {
        text.split_once("\r\n").map_or("", |(_, rows)| rows)
    };
    match text.trim_end() {
        "" => Ok(()),
        text => print(text),
    }
}
