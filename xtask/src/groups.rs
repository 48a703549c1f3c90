//! The table of what `cargo xtask test` does, in order. A new group is a new row.
//!
//! All groups share one target folder and, from `build` on, one selection of packages and features, so that
//! nothing is compiled twice.

use std::process::Command;

use crate::plugins;
use crate::setup::Machine;
use crate::shell::{Outcome, cargo, command, run, target};

/// Modules of the integration binary that start real servers and therefore need root.
const NEED_LAB: [&str; 3] = ["lab_itself::", "real::", "faults::"];

/// Beside the address of `cargo xtask dev`, which may be running.
const TOUR_ADDRESS: &str = "127.0.0.1:7701";

/// One row.
pub struct Group {
    pub name: &'static str,
    /// What it shows, for the list.
    pub shows: &'static str,
    /// The group without which this one is pointless.
    pub after: Option<&'static str>,
    /// Why this machine cannot run it.
    pub hindered: fn(&Machine) -> Option<String>,
    pub run: fn(&Machine) -> Outcome<()>,
}

pub const GROUPS: [Group; 9] = [
    Group {
        name: "format",
        shows: "the source is formatted",
        after: None,
        hindered: never,
        run: |_| run(cargo(&["fmt", "--all", "--check"])),
    },
    Group {
        name: "lints",
        shows: "clippy has nothing to say",
        after: None,
        hindered: never,
        run: |_| {
            run(cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]))
        },
    },
    Group {
        name: "plugins",
        shows: "the plugins build as components",
        after: None,
        hindered: never,
        run: |_| plugins::build().and_then(|_| plugins::fixtures()),
    },
    Group {
        name: "build",
        shows: "programs and tests build",
        after: None,
        hindered: never,
        run: |_| {
            run(cargo(&[
                "build",
                "--workspace",
                "--bins",
                "--tests",
                "--locked",
            ]))
        },
    },
    Group {
        name: "units",
        shows: "each crate does what its tests say",
        after: Some("build"),
        hindered: never,
        run: |machine| run(units(machine)),
    },
    Group {
        name: "integration",
        shows: "the crates work together",
        after: Some("build"),
        hindered: never,
        run: |machine| run(integration(machine, false)),
    },
    Group {
        name: "tour",
        shows: "a newcomer's whole cycle plays by itself",
        after: Some("build"),
        hindered: never,
        run: |_| run(tour()),
    },
    Group {
        name: "lab",
        shows: "the roots of the lab's hosts are built",
        after: Some("build"),
        hindered: without_lab,
        run: |_| {
            run(command(
                &target().join("debug/lab").to_string_lossy(),
                &["setup"],
            ))
        },
    },
    Group {
        name: "servers",
        shows: "it holds against real servers",
        after: Some("lab"),
        hindered: without_lab,
        run: |machine| run(integration(machine, true)),
    },
];

fn never(_: &Machine) -> Option<String> {
    None
}

fn without_lab(machine: &Machine) -> Option<String> {
    if !machine.root {
        return Some("real servers need root: run it as root".to_owned());
    }
    let missing = machine.missing.join(", ");
    (!missing.is_empty()).then(|| format!("not installed: {missing}"))
}

/// The practice estate from start to evidence, through the doors that people use.
fn tour() -> Command {
    let program = target().join("debug/hostler");
    let state = target().join("tour");
    let mut hostler = command(&program.to_string_lossy(), &["dev", "--tour", "--fresh"]);
    hostler.args(["--listen", TOUR_ADDRESS, "--state-folder"]);
    hostler
        .arg(state)
        .arg("--plugins")
        .arg(target().join("plugins"));
    hostler
}

/// The tests of every package but the integration binary.
fn units(machine: &Machine) -> Command {
    match machine.nextest {
        true => nextest("not package(hostler-tests)"),
        false => cargo(&[
            "test",
            "--workspace",
            "--exclude",
            "hostler-tests",
            "--locked",
            "--no-fail-fast",
        ]),
    }
}

/// The integration binary: the modules that need the lab, or all others. Together they are everything.
fn integration(machine: &Machine, lab: bool) -> Command {
    if machine.nextest {
        let prefixes = NEED_LAB
            .map(|prefix| format!("test(/^{prefix}/)"))
            .join(" | ");
        let not = if lab { "" } else { "not " };
        return nextest(&format!("package(hostler-tests) & {not}({prefixes})"));
    }
    let mut command = cargo(&["test", "--workspace", "--test", "all", "--locked", "--"]);
    for prefix in NEED_LAB {
        match lab {
            true => command.arg(prefix),
            false => command.args(["--skip", prefix]),
        };
    }
    command
}

fn nextest(filter: &str) -> Command {
    let mut command = cargo(&[
        "nextest",
        "run",
        "--workspace",
        "--locked",
        "--no-fail-fast",
    ]);
    // An empty group is no failure while a module has no tests yet.
    command.args(["--no-tests", "pass", "-E", filter]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_waits_only_for_an_earlier_one() {
        for (place, group) in GROUPS.iter().enumerate() {
            let needed = group.after.into_iter();
            let later = needed.filter(|name| !GROUPS[..place].iter().any(|one| one.name == *name));
            assert_eq!(
                later.collect::<Vec<_>>(),
                Vec::<&str>::new(),
                "{}",
                group.name
            );
        }
    }

    #[test]
    fn every_integration_test_is_in_one_of_the_two_halves() {
        for nextest in [true, false] {
            let machine = Machine {
                ci: false,
                root: true,
                nextest,
                missing: Vec::new(),
            };
            let words = |lab| -> Vec<String> {
                let command = integration(&machine, lab);
                command
                    .get_args()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect()
            };
            let (with, without) = (words(true).join(" "), words(false).join(" "));
            for prefix in NEED_LAB {
                assert!(
                    with.contains(prefix) && without.contains(prefix),
                    "{prefix}"
                );
            }
            assert_eq!(without.replace("not ", "").replace("--skip ", ""), with);
        }
    }

    #[test]
    fn without_root_or_programs_the_real_servers_say_why_they_do_not_run() {
        let machine = |root, missing: &[&str]| Machine {
            ci: false,
            root,
            nextest: true,
            missing: missing.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(without_lab(&machine(true, &[])), None);
        assert!(without_lab(&machine(false, &[])).is_some_and(|reason| reason.contains("root")));
        assert!(
            without_lab(&machine(true, &["prometheus"]))
                .is_some_and(|reason| reason.contains("prometheus"))
        );
    }
}
