//! The platform package is frozen: plugins that are out there were compiled against it.

use sha2::{Digest as _, Sha256};
use std::path::Path;

/// SHA-256 over name and bytes of each file, in order of names.
const FROZEN: &str = "22446ba9f7531cd9ab4105c5205ed062a9b89b22089f42befbd7e008cd5b66e9";

#[test]
fn the_platform_package_never_changes_after_release() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/platform@1.0.0");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let bytes = std::fs::read(file).unwrap();
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    assert_eq!(
        hex::encode(hash.finalize()),
        FROZEN,
        "platform@1.0.0 is released: put the wish into sdk/wit/PENDING.md and make a new version of the package"
    );
}
