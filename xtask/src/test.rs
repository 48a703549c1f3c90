//! Runs the groups one after the other, shows how long each took, and ends with one plain line.
//!
//! Not here: what a group does (`groups.rs`).

use std::time::Instant;

use crate::groups::{GROUPS, Group};
use crate::setup::{self, Machine};
use crate::shell::Outcome;

/// How a group ended.
enum Ended {
    Passed,
    Failed(String),
    Skipped(String),
}

struct Line {
    name: &'static str,
    ended: Ended,
    seconds: u64,
}

/// Runs the named groups, or all.
pub fn run(names: &[String]) -> Outcome<()> {
    let known = |name: &&String| GROUPS.iter().any(|group| group.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(format!(
            "there is no group {unknown}; there are:\n{}",
            list()
        ));
    }
    let begin = now();
    let machine = setup::prepare()?;
    let mut lines: Vec<Line> = Vec::new();
    for group in GROUPS
        .iter()
        .filter(|group| names.is_empty() || names.iter().any(|one| one == group.name))
    {
        println!("\n== {}: {}", group.name, group.shows);
        let start = now();
        let ended = one(group, &machine, &lines);
        let seconds = start.elapsed().as_secs();
        println!("== {} {} after {seconds} s", group.name, word(&ended));
        lines.push(Line {
            name: group.name,
            ended,
            seconds,
        });
    }
    report(&lines, machine.ci, begin.elapsed().as_secs())
}

fn one(group: &Group, machine: &Machine, before: &[Line]) -> Ended {
    let broken = |name: &str| {
        before
            .iter()
            .any(|line| line.name == name && !matches!(line.ended, Ended::Passed))
    };
    if let Some(needed) = group.after.filter(|name| broken(name)) {
        return Ended::Skipped(format!("{needed} did not pass"));
    }
    if let Some(reason) = (group.hindered)(machine) {
        return Ended::Skipped(reason);
    }
    match (group.run)(machine) {
        Ok(()) => Ended::Passed,
        Err(reason) => Ended::Failed(reason),
    }
}

/// Prints the table and the last line; fails when a group failed or, in CI, was skipped.
fn report(lines: &[Line], ci: bool, seconds: u64) -> Outcome<()> {
    println!();
    for line in lines {
        let reason = match &line.ended {
            Ended::Passed => "",
            Ended::Failed(reason) | Ended::Skipped(reason) => reason,
        };
        println!(
            "{:<12} {:<8} {:>5} s  {reason}",
            line.name,
            word(&line.ended),
            line.seconds
        );
    }
    let count = |wanted: &str| {
        lines
            .iter()
            .filter(|line| word(&line.ended) == wanted)
            .count()
    };
    let (passed, failed, skipped) = (count("ok"), count("failed"), count("skipped"));
    let sum = format!("{passed} ok, {failed} failed, {skipped} skipped, {seconds} s");
    match failed > 0 || (ci && skipped > 0) {
        true => Err(format!("cargo xtask test: FAILED ({sum})")),
        false => {
            println!("cargo xtask test: ok ({sum})");
            Ok(())
        }
    }
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Passed => "ok",
        Ended::Failed(_) => "failed",
        Ended::Skipped(_) => "skipped",
    }
}

fn list() -> String {
    let lines: Vec<String> = GROUPS
        .iter()
        .map(|group| format!("  {:<12} {}", group.name, group.shows))
        .collect();
    lines.join("\n")
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a group took is for people, nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_group_fails_in_ci_only_and_a_failed_one_everywhere() {
        let line = |ended| Line {
            name: "a",
            ended,
            seconds: 0,
        };
        let (failed, skipped) = (
            || Ended::Failed("x".to_owned()),
            || Ended::Skipped("y".to_owned()),
        );
        assert!(report(&[line(Ended::Passed)], true, 0).is_ok());
        assert!(report(&[line(skipped())], false, 0).is_ok());
        assert!(report(&[line(Ended::Passed), line(skipped())], true, 0).is_err());
        assert!(report(&[line(failed()), line(Ended::Passed)], false, 0).is_err());
    }

    #[test]
    fn an_unknown_group_is_refused_with_the_list() {
        let refused = run(&["nonsense".to_owned()]).unwrap_err();
        assert!(
            GROUPS.iter().all(|group| refused.contains(group.name)),
            "{refused}"
        );
    }
}
