//! Linux servers over SSH: patching with apt, dnf or zypper, and a few questions about the guest.
//!
//! Not here: any command line built from data. What runs on a server is a script of `scripts/`; data
//! reaches it as JSON on standard input.
#![forbid(unsafe_code)]

mod guest;
mod job;
mod patch;
mod said;
mod scripts;

hostler_sdk::plugin! {
    name: "guest-linux",
    actions: [
        patch::Scan,
        patch::Preflight,
        patch::AutoUpdateOff,
        patch::Freeze,
        patch::Apply,
        patch::Undo,
        patch::Verify,
        guest::Fingerprint,
        guest::Hook,
        guest::Reboot,
        guest::Resources,
    ],
    scripts: [
        scripts::SCAN,
        scripts::PREFLIGHT,
        scripts::AUTO_UPDATE,
        scripts::VERIFY,
        scripts::START,
        scripts::STATUS,
        scripts::CANCEL,
        scripts::REBOOT,
        scripts::BOOTED,
        scripts::FINGERPRINT,
        scripts::HOOK,
        scripts::RESOURCES,
    ],
}

#[cfg(test)]
mod tests;
