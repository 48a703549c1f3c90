//! Builds every folder of `plugins/` as a component and pins its bytes.
//!
//! Cargo decides what is stale. Nothing is signed here: a release does that.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::shell::{Outcome, cargo, run, target, top};

const TRIPLE: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

/// Builds the plugins; gives the folder that holds them and `plugins.lock`.
pub fn build() -> Outcome<PathBuf> {
    let names = folders("plugins")?;
    let packages: Vec<String> = names
        .iter()
        .map(|name| format!("hostler-plugin-{name}"))
        .collect();
    components(&packages)?;
    // Not below CARGO_TARGET_DIR: tests and `hostler dev` look for it in one place.
    let out = top().join("target/plugins");
    fs::create_dir_all(&out).map_err(|error| said(&out, &error))?;
    let mut lock =
        String::from("# Written by `cargo xtask plugins`. Bytes that differ are refused.\n");
    for (name, package) in names.iter().zip(&packages) {
        let built = target()
            .join(TRIPLE)
            .join(PROFILE)
            .join(package.replace('-', "_"));
        let bytes = read(&built.with_extension("wasm")).map_err(|reason| {
            format!(
                "{package} gave no component ({reason}): set crate-type = [\"cdylib\", \"rlib\"]"
            )
        })?;
        let file = format!("{name}.wasm");
        put(&out.join(&file), &bytes)?;
        let digest = hex::encode(Sha256::digest(&bytes));
        lock.push_str(&format!(
            "\n[plugins.{name}]\nfile = \"{file}\"\nsha256 = \"{digest}\"\n"
        ));
    }
    put(&out.join("plugins.lock"), lock.as_bytes())?;
    println!("{} plugins in {}", names.len(), out.display());
    Ok(out)
}

/// Builds the guests that misbehave on purpose, so that no test has to wait for a compiler.
pub fn fixtures() -> Outcome<()> {
    let names = folders("engine/host-wasmtime/fixtures")?;
    components(
        &names
            .iter()
            .map(|name| format!("hostler-fixture-{name}"))
            .collect::<Vec<_>>(),
    )
}

fn components(packages: &[String]) -> Outcome<()> {
    let mut words = vec!["build", "--lib", "--profile", PROFILE, "--target", TRIPLE];
    packages
        .iter()
        .for_each(|package| words.extend(["--package", package.as_str()]));
    let mut build = cargo(&words);
    // Flags meant for this machine would replace those that .cargo/config.toml has for components.
    build
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(build)
}

/// The folders below `parent` that are packages, sorted.
fn folders(parent: &str) -> Outcome<Vec<String>> {
    let parent = top().join(parent);
    let entries = fs::read_dir(&parent).map_err(|error| said(&parent, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// Reads a file, or says which one could not be read.
pub fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| said(path, &error))
}

/// Writes a file in one step: a reader sees the old bytes or the new ones.
pub fn put(path: &Path, bytes: &[u8]) -> Outcome<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let part = path.with_extension("part");
    fs::write(&part, bytes).map_err(|error| said(&part, &error))?;
    fs::rename(&part, path).map_err(|error| said(path, &error))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
