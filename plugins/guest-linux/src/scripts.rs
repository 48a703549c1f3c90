//! The scripts of the package: each is the prelude, what it shares with others, and its own text.
//!
//! Not here: any text that is put together at run time.

use hostler_sdk::Script;

/// The prelude and the package managers.
macro_rules! tools {
    () => {
        concat!(
            include_str!("../scripts/lib.sh"),
            include_str!("../scripts/apt.sh"),
            include_str!("../scripts/dnf.sh"),
            include_str!("../scripts/zypper.sh"),
        )
    };
}

/// The tools and the state of detached work.
macro_rules! job {
    () => {
        concat!(tools!(), include_str!("../scripts/job.sh"))
    };
}

/// The prelude and the state of detached work, for what needs no package manager.
macro_rules! light {
    () => {
        concat!(
            include_str!("../scripts/lib.sh"),
            include_str!("../scripts/job.sh")
        )
    };
}

pub const SCAN: Script = Script::reads(
    "scan.sh",
    concat!(tools!(), include_str!("../scripts/scan.sh")),
);
pub const PREFLIGHT: Script = Script::reads(
    "preflight.sh",
    concat!(tools!(), include_str!("../scripts/preflight.sh")),
);
pub const AUTO_UPDATE: Script = Script::reads(
    "auto-update.sh",
    concat!(tools!(), include_str!("../scripts/auto-update.sh")),
);
pub const VERIFY: Script = Script::reads(
    "verify.sh",
    concat!(tools!(), include_str!("../scripts/verify.sh")),
);
pub const START: Script = Script::mutates(
    "start.sh",
    concat!(
        include_str!("../scripts/tools-open.sh"),
        job!(),
        include_str!("../scripts/tools-close.sh"),
        include_str!("../scripts/worker-open.sh"),
        include_str!("../scripts/work.sh"),
        include_str!("../scripts/worker-close.sh"),
        include_str!("../scripts/start.sh"),
    ),
);
pub const STATUS: Script = Script::reads(
    "status.sh",
    concat!(job!(), include_str!("../scripts/status.sh")),
);
pub const CANCEL: Script = Script::mutates(
    "cancel.sh",
    concat!(job!(), include_str!("../scripts/cancel.sh")),
);
pub const REBOOT: Script = Script::mutates(
    "reboot.sh",
    concat!(light!(), include_str!("../scripts/reboot.sh")),
);
pub const BOOTED: Script = Script::reads(
    "booted.sh",
    concat!(light!(), include_str!("../scripts/booted.sh")),
);
pub const FINGERPRINT: Script = Script::reads(
    "fingerprint.sh",
    concat!(
        include_str!("../scripts/lib.sh"),
        include_str!("../scripts/fingerprint.sh")
    ),
);
pub const HOOK: Script = Script::mutates(
    "hook.sh",
    concat!(
        include_str!("../scripts/lib.sh"),
        include_str!("../scripts/hook.sh")
    ),
);
pub const RESOURCES: Script = Script::reads(
    "resources.sh",
    concat!(
        include_str!("../scripts/lib.sh"),
        include_str!("../scripts/resources.sh")
    ),
);
