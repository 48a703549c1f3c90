//! Starting and packing the programs of the workspace.
//!
//! Every build here selects the whole workspace and picks a program from it: dependencies then have the same
//! features for every program, and are compiled once a profile.

use std::fs;

use sha2::{Digest, Sha256};

use crate::plugins;
use crate::shell::{self, Outcome, cargo, command, run, run_open_ended, target};

/// `hostler dev`: the practice estate on this machine, until the user ends it.
pub fn dev(arguments: &[String]) -> Outcome<()> {
    plugins::build()?;
    run(cargo(&["build", "--workspace", "--bin", "hostler"]))?;
    let program = target().join("debug/hostler");
    let mut hostler = command(&program.to_string_lossy(), &["dev"]);
    hostler.args(arguments);
    run_open_ended(hostler)
}

/// The measurements, optimised. Names and flags are the program's own.
pub fn bench(arguments: &[String]) -> Outcome<()> {
    plugins::build()?;
    run(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--bin",
        "hostler",
        "--bin",
        "hostler-bench",
    ]))?;
    let program = target().join("release/hostler-bench");
    let mut bench = command(&program.to_string_lossy(), &[]);
    bench.args(arguments);
    run(bench)
}

/// A folder and an archive with the optimised program, the plugins and their lock, with checksums.
pub fn release() -> Outcome<()> {
    let plugins = plugins::build()?;
    run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--workspace",
        "--bin",
        "hostler",
    ]))?;
    let name = format!("hostler-{}", env!("CARGO_PKG_VERSION"));
    let dist = shell::top().join("target/dist");
    let out = dist.join(&name);
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(out.join("plugins"))
        .map_err(|error| format!("{}: {error}", out.display()))?;
    let copy = |from: &std::path::Path, to: &str| {
        let bytes =
            fs::copy(from, out.join(to)).map_err(|error| format!("{}: {error}", from.display()));
        bytes.map(drop)
    };
    copy(&target().join("release/hostler"), "hostler")?;
    for file in ["LICENSE", "README.md", "CHANGELOG.md"] {
        copy(&shell::top().join(file), file)?;
    }
    let built =
        fs::read_dir(&plugins).map_err(|error| format!("{}: {error}", plugins.display()))?;
    for entry in built.filter_map(Result::ok) {
        copy(
            &entry.path(),
            &format!("plugins/{}", entry.file_name().to_string_lossy()),
        )?;
    }
    pack(&dist, &name)
}

/// Packs `dist/name` so that the same files give the same archive.
fn pack(dist: &std::path::Path, name: &str) -> Outcome<()> {
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = command(
        "tar",
        &["--sort=name", "--owner=0", "--group=0", "--numeric-owner"],
    );
    tar.arg("--mtime=@0")
        .arg("-C")
        .arg(dist)
        .arg("-czf")
        .arg(&archive)
        .arg(name);
    run(tar)?;
    let digest = hex::encode(Sha256::digest(plugins::read(&archive)?));
    plugins::put(
        &dist.join("SHA256SUMS"),
        format!("{digest}  {name}.tar.gz\n").as_bytes(),
    )?;
    println!("{} {digest}", archive.display());
    Ok(())
}
