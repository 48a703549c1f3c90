//! The lab tests itself: each server is real, behaves as its documentation says, and goes when it is dropped.
//!
//! Not here: anything of Hostler.

mod hosts;
mod packages;
mod services;

use hostler_tests::lab::LinuxHost;

/// Runs a script that must succeed; its standard output without the last line break.
fn ok(host: &LinuxHost, script: &str) -> String {
    let said = host.exec(script).unwrap();
    assert_eq!(said.code, 0, "{script}: {}{}", said.out, said.err);
    said.out.trim_end().to_owned()
}
