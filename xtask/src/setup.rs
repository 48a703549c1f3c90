//! Finds out what this machine offers, and installs what the tests need where that is possible.
//!
//! Not here: building the lab's roots; its own program does that.

use std::collections::BTreeSet;
use std::path::Path;

use crate::shell::{Outcome, ask, command, is_installed, run};

/// `program package` on each line, shared with the lab.
const PACKAGES: &str = include_str!("../../tests/src/lab/recipes/packages.txt");
/// Asked by Debian's packages before they start a daemon.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// What this machine offers.
#[derive(Debug)]
pub struct Machine {
    /// Where a skipped group is a failure.
    pub ci: bool,
    pub root: bool,
    /// `cargo nextest` is there; plain `cargo test` does otherwise.
    pub nextest: bool,
    /// Programs of the lab that are missing, after what could be installed was.
    pub missing: Vec<String>,
}

/// Installs what is missing and says what there is.
pub fn prepare() -> Outcome<Machine> {
    toolchain()?;
    let root = ask(command("id", &["-u"])).is_some_and(|id| id.trim() == "0");
    let mut missing = missing();
    if !missing.is_empty() && root && is_installed("apt-get") {
        // A closed network is no failure here: the groups that need the programs say so.
        if let Err(reason) = install() {
            println!("cannot install packages: {reason}");
        }
        missing = self::missing();
    }
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    Ok(Machine {
        ci,
        root,
        nextest: is_installed("cargo-nextest"),
        missing,
    })
}

/// The compiler's parts that a fresh toolchain lacks.
fn toolchain() -> Outcome<()> {
    if !is_installed("rustup") {
        return Ok(());
    }
    let targets = ask(command("rustup", &["target", "list", "--installed"])).unwrap_or_default();
    if !targets.contains("wasm32-wasip2") {
        run(command("rustup", &["target", "add", "wasm32-wasip2"]))?;
    }
    let components =
        ask(command("rustup", &["component", "list", "--installed"])).unwrap_or_default();
    for component in ["clippy", "rustfmt"] {
        if !components.contains(component) {
            run(command("rustup", &["component", "add", component]))?;
        }
    }
    Ok(())
}

fn wanted() -> impl Iterator<Item = (&'static str, &'static str)> {
    PACKAGES.lines().filter_map(|line| line.split_once(' '))
}

fn missing() -> Vec<String> {
    let missing = wanted().filter(|(program, _)| !is_installed(program));
    missing.map(|(program, _)| program.to_owned()).collect()
}

fn install() -> Outcome<()> {
    let missing = wanted().filter(|(program, _)| !is_installed(program));
    let packages: BTreeSet<&str> = missing.map(|(_, package)| package).collect();
    let policy = Policy::forbid_daemons()?;
    let apt = |words: &[&str]| {
        let mut apt = command("apt-get", words);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        run(apt)
    };
    apt(&["-qq", "update"])?;
    let mut words = vec!["-qq", "-y", "--no-install-recommends", "install"];
    words.extend(packages);
    let outcome = apt(&words);
    drop(policy);
    outcome
}

/// For as long as it lives, installing a package starts no daemon: the tests start their own, on loopback.
struct Policy {
    own: bool,
}

impl Policy {
    fn forbid_daemons() -> Outcome<Policy> {
        if Path::new(POLICY).exists() {
            return Ok(Policy { own: false });
        }
        let written = std::fs::write(POLICY, "#!/bin/sh\nexit 101\n");
        written.map_err(|error| format!("{POLICY}: {error}"))?;
        run(command("chmod", &["755", POLICY]))?;
        Ok(Policy { own: true })
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.own {
            let _ = std::fs::remove_file(POLICY);
        }
    }
}
