//! The archive in a real folder.

use hostler_archive::ObjectArchive;
use hostler_core::id::Digest;
use hostler_ports::archive::{Archive, ArchiveError, conformance};
use std::path::{Path, PathBuf};

fn only_file(folder: &Path) -> PathBuf {
    let mut folder = folder.to_owned();
    loop {
        let inner = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
        folder = inner.path();
        if folder.is_file() {
            return folder;
        }
    }
}

#[tokio::test]
async fn the_archive_in_a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let make = || {
        number.set(number.get() + 1);
        ObjectArchive::open(&folder.path().join(number.get().to_string())).unwrap()
    };
    let facts = conformance::all(make).await;
    println!("{facts} facts hold of the archive in a folder");
}

#[tokio::test]
async fn damage_in_the_folder_is_found_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let archive = ObjectArchive::open(folder.path()).unwrap();
    let digest = archive.put(&b"one run ".repeat(100)).await.unwrap();
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    println!(
        "{} bytes lie in {}",
        whole.len(),
        file.file_name().unwrap().display()
    );
    let other = zstd::encode_all(&b"another run"[..], 3).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bytes in [&whole[..whole.len() / 2], &other, &flipped[..], b""] {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(
            archive.get(digest).await,
            Err(ArchiveError::Damaged(digest))
        );
    }
    std::fs::write(&file, whole).unwrap();
    assert!(archive.get(digest).await.unwrap().is_some());
    assert_eq!(archive.get(Digest::of(b"none")).await, Ok(None));
}
