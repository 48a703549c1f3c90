//! How long it takes to seal and to verify a ledger of a million entries in a folder of this disk.
//!
//! Run: `cargo run --release -p hostler-ledger --example million -- [entries] [bytes of a body]`
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![allow(clippy::unwrap_used, reason = "a measurement has nobody to answer to")]

use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::entry::{Body, Entry};
use hostler_ledger::folder::{Folder, FolderError};
use hostler_ledger::growth::Growth;
use hostler_ledger::key::SigningKey;
use hostler_ledger::proof::Head;
use hostler_ledger::tile::CHECKPOINT;
use hostler_ledger::verify::verify;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

struct Disk<'a>(&'a Path);

impl Folder for Disk<'_> {
    fn read(&self, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FolderError> {
        let Ok(file) = std::fs::File::open(self.0.join(path)) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(max_bytes as u64).read_to_end(&mut bytes).unwrap();
        Ok(Some(bytes))
    }
}

fn entry(number: u64, length: usize) -> Entry {
    Entry {
        number,
        lane: Some(format!("{number:08}-0000-7000-8000-000000000000")),
        version: 7,
        at_ms: 1_790_000_000_000,
        mac: Some([number.to_be_bytes()[7]; 32]),
        body: Body::Here("x".repeat(length)),
    }
}

fn write(folder: &Path, growth: &mut Growth) {
    for file in growth.files() {
        let path = folder.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| args.next().map_or(default, |text| text.parse().unwrap());
    let (count, length) = (number(1_000_000), number(400));
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::from_seed("main", [7; 32]).unwrap();
    let begun = Instant::now();
    let mut growth = Growth::default();
    for number in 0..count {
        let entry = entry(number, usize::try_from(length).unwrap());
        growth.append(&entry.to_bytes()).unwrap();
        if number % 5_000 == 0 {
            write(folder.path(), &mut growth);
        }
    }
    write(folder.path(), &mut growth);
    let head = Head {
        size: growth.size(),
        root: growth.root(),
    };
    let text = Checkpoint::sign(&key, head).text().to_owned();
    std::fs::write(folder.path().join(CHECKPOINT), text).unwrap();
    println!(
        "{count} entries grown in {:.2} s",
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let report = verify(&Disk(folder.path()), key.verifier(), &[]).unwrap();
    assert_eq!((report.fault, report.head.size), (None, count));
    println!(
        "{count} entries verified in {:.2} s",
        begun.elapsed().as_secs_f64()
    );
}
