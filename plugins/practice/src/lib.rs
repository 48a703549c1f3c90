//! The practice estate's platform: every contract action that the delivered runbooks use, spoken as
//! plain JSON to the practice server of `hostler dev`.
//!
//! Not here: any state or behaviour of the estate; the practice server has it.
#![forbid(unsafe_code)]

mod backup;
mod compute;
mod guest;
mod guest_patch;
mod monitor;
mod noop;
mod remote;
mod vulnerability;

hostler_sdk::plugin! {
    name: "practice",
    actions: [
        noop::Noop,
        guest_patch::Scan,
        guest_patch::Preflight,
        guest_patch::AutoUpdateOff,
        guest_patch::Freeze,
        guest_patch::Apply,
        guest_patch::Undo,
        guest_patch::Verify,
        guest::Fingerprint,
        guest::Hook,
        guest::Reboot,
        guest::Resources,
        compute::Snapshot,
        compute::SnapshotDelete,
        compute::Revert,
        compute::DiskInfo,
        backup::Recent,
        monitor::Silence,
        monitor::Unsilence,
        monitor::Healthy,
        monitor::Probe,
        monitor::Sweep,
        vulnerability::Probe,
    ],
}

#[cfg(test)]
mod tests {
    use super::PLUGIN;

    #[test]
    fn every_recorded_exchange_gives_the_expected_answer() {
        hostler_testkit::check_folder(&PLUGIN, concat!(env!("CARGO_MANIFEST_DIR"), "/exchanges"));
    }
}
