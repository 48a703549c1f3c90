//! The estate under policies.
//!
//! Not here: what policies mean (the estate's tests).

use super::*;

const POLICIES: [(&str, &str); 3] = [
    (
        "ladders.yaml",
        "ladders:
  outage:
    rungs:
      - { who: [person:carla], every: 15m, channels: [mail] }
      - { who: [role:duty], every: 15m, channels: [mail] }
      - { who: [role:lead], every: 30m, channels: [mail] }
      - deny
",
    ),
    (
        "texts.yaml",
        "texts:\n  duty-matrix: The platform owes the disk, you owe the files.\n",
    ),
    (
        "responsibilities.yaml",
        "responsibilities:
  - { data_level: [4], owes: refuse, reason: Level 4 is not available }
  - { subject: guest.fs-grow, os: linux, owes: customer, reason: Filesystems are the customer's }
  - { subject: guest.fs-grow, os: windows, owes: network, reason: Nobody is in this role }
  - { owes: platform, reason: Part of the service }
",
    ),
];

/// Under files of policies: their names and texts.
pub fn under(files: &[(&str, &str)]) -> Estate {
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        Ok(file.unwrap().1.to_owned())
    };
    let read = policies::load(&names, &read, &policies::Known::default());
    estate().under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

pub fn promising() -> Estate {
    under(&POLICIES)
}
