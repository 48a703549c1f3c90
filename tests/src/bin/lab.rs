//! The lab by hand: `lab setup` builds what the tests need, `lab host [debian|rpm]` starts one host with
//! every package in version 1.0, says how to reach it, and stops it at the end of standard input.
//!
//! Not here: anything that the library does not offer to tests as well.
#![forbid(unsafe_code)]

use std::io::Read;
use std::process::ExitCode;

use hostler_tests::lab::{self, Family, Lab};

const PACKAGES: [&str; 7] = [
    "hostler-lab-plain",
    "hostler-lab-secure",
    "hostler-lab-kernel",
    "hostler-lab-broken",
    "hostler-lab-slow",
    "hostler-lab-conf",
    "hostler-lab-big",
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["setup"] => lab::ensure().map(drop),
        ["host"] | ["host", "debian"] => host(Family::Debian),
        ["host", "rpm"] => host(Family::Rpm),
        _ => {
            eprintln!("usage: lab setup | lab host [debian|rpm]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn host(family: Family) -> lab::Result<()> {
    let lab = Lab::start()?;
    let host = lab
        .linux_host(1)
        .family(family)
        .installed(&PACKAGES)
        .start()?;
    println!(
        "ssh -i {} root@{}",
        lab.client_key().display(),
        host.address().ip()
    );
    println!("host key {} {}", host.host_key(), host.fingerprint()?);
    let mut rest = Vec::new();
    // The end of standard input is the signal to stop; what is typed does not matter.
    let _ = std::io::stdin().read_to_end(&mut rest);
    Ok(())
}
