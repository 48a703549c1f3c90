//! The actions against real package managers: hosts of the lab over SSH, with the very scripts of the
//! package. Root and the lab's roots are needed.
//!
//! Not here: recorded answers (exchanges/), the engine.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod guest;
mod patching;
mod rig;
mod trouble;

use rig::Rig;
use serde_json::Value;

const PLAIN: &str = "hostler-lab-plain";
const SECURE: &str = "hostler-lab-secure";
const SLOW: &str = "hostler-lab-slow";

fn apt(packages: &[&str]) -> Rig {
    Rig::start("apt", packages)
}

fn set_of(output: &Value) -> String {
    output["set"].as_str().unwrap().to_owned()
}
