//! A sealed ledger of a million entries in a folder, verified with the public key alone. Beside it, what
//! SHA-256 takes for the same bytes: less is not possible, for every entry is hashed.

use crate::Figure;
use crate::clock::now;
use crate::peer::disk;
use anyhow::{Context, bail};
use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::entry::{Body, Entry};
use hostler_ledger::folder::{Folder, FolderError};
use hostler_ledger::growth::Growth;
use hostler_ledger::key::SigningKey;
use hostler_ledger::proof::Head;
use hostler_ledger::tile::CHECKPOINT;
use hostler_ledger::verify::verify;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

const ENTRIES: u64 = 1_000_000;
/// Bytes of a body: about those of an approval.
const BODY: usize = 400;
/// Entries between two writes of the folder.
const WRITE_EVERY: u64 = 5_000;

struct Disk<'a>(&'a Path);

impl Folder for Disk<'_> {
    fn read(&self, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError> {
        let file = match std::fs::File::open(self.0.join(path)) {
            Ok(file) => file,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(unread(path, &fault)),
        };
        let mut bytes = Vec::new();
        let mut file = file.take(max_bytes as u64 + 1);
        let read = file.read_to_end(&mut bytes);
        read.map_err(|fault| unread(path, &fault))?;
        Ok(Some(bytes))
    }
}

fn unread(path: &str, fault: &std::io::Error) -> FolderError {
    FolderError {
        path: path.to_owned(),
        why: fault.to_string(),
    }
}

pub fn measure(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let folder = folder.join("ledger");
    let key = SigningKey::from_seed("main", [7; 32]).context("a key")?;
    let began = now();
    let bytes = grow(&folder, &key)?;
    let grown = began.elapsed().as_secs_f64();
    let began = now();
    let report = verify(&Disk(&folder), key.verifier(), &[])?;
    let verified = began.elapsed().as_secs_f64();
    if let Some(fault) = report.fault {
        bail!("the ledger that was just grown is not sound: {fault:?}");
    }
    if report.head.size != ENTRIES {
        bail!("{} of {ENTRIES} entries were verified", report.head.size);
    }
    let hashed = hashed_s();
    Ok(vec![Figure {
        bench: "ledger",
        store: "folder".to_owned(),
        value: ENTRIES as f64 / verified,
        unit: "entries/s",
        beside: "SHA-256 of the same entries",
        ratio: hashed / verified,
        note: format!(
            "{ENTRIES} entries, {} MiB, verified in {verified:.2} s, hashed in {hashed:.2} s, grown in {grown:.1} s; load {}",
            bytes >> 20,
            disk::load()
        ),
    }])
}

fn entry(number: u64) -> Vec<u8> {
    let entry = Entry {
        number,
        lane: Some(format!("{number:08}-0000-7000-8000-000000000000")),
        version: 7,
        at_ms: 1_790_000_000_000,
        mac: Some([number.to_be_bytes()[7]; 32]),
        body: Body::Here("x".repeat(BODY)),
    };
    entry.to_bytes()
}

/// Bytes of all entries.
fn grow(folder: &Path, key: &SigningKey) -> anyhow::Result<u64> {
    let mut growth = Growth::default();
    let mut bytes = 0;
    for number in 0..ENTRIES {
        let entry = entry(number);
        bytes += entry.len() as u64;
        growth.append(&entry)?;
        if number % WRITE_EVERY == 0 {
            write(folder, &mut growth)?;
        }
    }
    write(folder, &mut growth)?;
    let head = Head {
        size: growth.size(),
        root: growth.root(),
    };
    let checkpoint = Checkpoint::sign(key, head);
    std::fs::write(folder.join(CHECKPOINT), checkpoint.text())?;
    Ok(bytes)
}

fn write(folder: &Path, growth: &mut Growth) -> anyhow::Result<()> {
    for file in growth.files() {
        let path = folder.join(&file.path);
        let above = path
            .parent()
            .context("a file of the ledger lies in a folder")?;
        std::fs::create_dir_all(above)?;
        std::fs::write(path, file.bytes)?;
    }
    Ok(())
}

/// Seconds for one hash of each entry; making the entries is not counted.
fn hashed_s() -> f64 {
    let mut spent = 0.0;
    for first in (0..ENTRIES).step_by(5_000) {
        let entries: Vec<_> = (first..first + 5_000).map(entry).collect();
        let began = now();
        for entry in &entries {
            std::hint::black_box(Sha256::digest(entry));
        }
        spent += began.elapsed().as_secs_f64();
    }
    spent
}
