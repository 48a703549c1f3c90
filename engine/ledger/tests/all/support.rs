//! A small sealed ledger in memory, and somebody who rewrites it.

use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::entry::{Body, Entry};
use hostler_ledger::growth::Growth;
use hostler_ledger::key::{SigningKey, VerifierKey};
use hostler_ledger::proof::Head;
use hostler_ledger::tile::CHECKPOINT;
use hostler_ledger::verify::{Fault, Report, verify};
use std::collections::BTreeMap;

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn key() -> SigningKey {
    SigningKey::from_seed("main", [7; 32]).unwrap()
}

pub fn public() -> VerifierKey {
    key().verifier().clone()
}

pub fn entry(number: u64) -> Entry {
    Entry {
        number,
        lane: Some(format!("lane-{}", number % 5)),
        version: number / 5,
        at_ms: 1_790_000_000_000 + number.cast_signed(),
        mac: None,
        body: Body::Here(format!("{{\"event\":\"vote_cast\",\"number\":{number}}}")),
    }
}

pub fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| entry(number).to_bytes()).collect()
}

/// The whole folder of these entries but for the checkpoint, and its head.
pub fn grown(entries: &[Vec<u8>]) -> (Files, Head) {
    let mut growth = Growth::default();
    for entry in entries {
        growth.append(entry).unwrap();
    }
    let files = growth.files().into_iter();
    let head = Head {
        size: growth.size(),
        root: growth.root(),
    };
    (files.map(|file| (file.path, file.bytes)).collect(), head)
}

pub fn checkpoint(entries: &[Vec<u8>]) -> Checkpoint {
    Checkpoint::sign(&key(), grown(entries).1)
}

/// A sealed folder, with its checkpoint.
pub fn sealed(entries: &[Vec<u8>]) -> Files {
    let (mut files, head) = grown(entries);
    let checkpoint = Checkpoint::sign(&key(), head);
    files.insert(CHECKPOINT.to_owned(), checkpoint.text().as_bytes().to_vec());
    files
}

/// Replaces the entries, and with `hashes` the tiles too, but nothing that needs the key.
pub fn rewritten(folder: &Files, entries: &[Vec<u8>], hashes: bool) -> Files {
    let is_entry = |path: &String| path.starts_with("tile/entries/");
    let is_tile = |path: &String| path.starts_with("tile/");
    let (new, _) = grown(entries);
    let mut files = folder.clone();
    if hashes {
        files.retain(|path, _| !is_tile(path));
        files.extend(new);
        return files;
    }
    files.retain(|path, _| !is_entry(path));
    files.extend(new.into_iter().filter(|(path, _)| is_entry(path)));
    files
}

pub fn report(folder: &Files, exported: &[Checkpoint]) -> Report {
    verify(folder, &public(), exported).unwrap()
}

/// What is found; there must be something.
pub fn fault(folder: &Files, exported: &[Checkpoint]) -> Fault {
    report(folder, exported).fault.unwrap()
}
