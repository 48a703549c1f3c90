//! What is asked of a guest, and its reboot.

use crate::rig::{KEY_A, KEY_B, Rig};
use crate::{apt, set_of};
use serde_json::json;

#[test]
fn a_due_reboot_happens_once_and_the_server_is_waited_for() {
    for family in ["apt", "dnf"] {
        let rig = Rig::start(family, &["hostler-lab-kernel"]);
        let set = set_of(&rig.done("guest-patch.scan", json!({})));
        let before = rig.exec("cat /proc/sys/kernel/random/boot_id");
        let input = json!({ "set": set, "reboot": "always" });
        let end = rig.settled("guest-patch.apply", KEY_A, input.clone());
        assert_eq!(end["output"]["rebooted"], true, "{family}: {end}");
        assert_eq!(end["output"]["reboot_needed"], false, "{family}: {end}");
        let after = rig.exec("cat /proc/sys/kernel/random/boot_id");
        assert_ne!(before, after);
        // The same key again: everything is there, and no second reboot.
        let again = rig.settled("guest-patch.apply", KEY_A, input);
        assert_eq!(again["output"]["rebooted"], true);
        assert_eq!(rig.exec("cat /proc/sys/kernel/random/boot_id"), after);

        let reboot = rig.settled("guest.reboot", KEY_B, json!({}));
        assert_ne!(
            reboot["output"]["boot_id"],
            json!(after),
            "{family}: {reboot}"
        );
    }
}

#[test]
fn a_fingerprint_tells_what_stopped_and_what_began_to_listen() {
    let rig = apt(&[]);
    let before = rig.done("guest.fingerprint", json!({}));
    assert_eq!(
        before["listening"],
        json!([format!("tcp {}:22", rig.address())]),
        "{before}"
    );
    let same = rig.done("guest.fingerprint", json!({ "compare": before["digest"] }));
    assert_eq!(same["digest"], before["digest"]);
    let other = before["digest"].as_str().unwrap().replace(":22", ":23");
    let differs = rig.rejected("guest.fingerprint", json!({ "compare": other }));
    let reason = differs["reason"].as_str().unwrap();
    assert!(
        reason.contains(":23 no longer listens") && reason.contains(":22 listens now"),
        "{reason}"
    );
}

#[test]
fn a_hook_runs_only_if_it_is_root_s_own() {
    let rig = apt(&[]);
    let input = json!({ "hook": "stop" });
    assert!(
        rig.rejected("guest.hook", input.clone())["reason"]
            .as_str()
            .unwrap()
            .contains("is not there")
    );
    rig.exec("mkdir -p /etc/hostler; printf '#!/bin/sh\\ntouch /run/stopped\\n' >/etc/hostler/stop; chmod 0777 /etc/hostler/stop");
    assert!(
        rig.rejected("guest.hook", input.clone())["reason"]
            .as_str()
            .unwrap()
            .contains("chmod 0755")
    );
    rig.exec("test ! -e /run/stopped && chmod 0755 /etc/hostler/stop");
    for path in [
        "/usr/sbin/reboot",
        "/etc/hostler/../../bin/true",
        "/etc/hostler/$(id)",
        "/etc/hostler/-x",
        "relative",
    ] {
        let refused = rig.hook_at(path);
        assert!(
            refused["reason"]
                .as_str()
                .unwrap()
                .contains("below /etc/hostler/"),
            "{path}: {refused}"
        );
    }
    rig.done("guest.hook", input.clone());
    rig.exec(
        "test -e /run/stopped && printf '#!/bin/sh\\necho no good; exit 3\\n' >/etc/hostler/stop",
    );
    let reason = rig.rejected("guest.hook", input)["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reason.contains("ended with 3: no good"), "{reason}");
}

#[test]
fn resources_are_those_of_the_server() {
    let rig = Rig::small("apt", &[], 64);
    let seen = rig.done("guest.resources", json!({}));
    assert!(
        seen["root_free_percent"].as_u64().unwrap() > 50 && seen["cpus"].as_u64().unwrap() > 0,
        "{seen}"
    );
    rig.exec("head -c 60000000 /dev/zero >/var/fill");
    assert!(
        rig.done("guest.resources", json!({}))["root_free_percent"]
            .as_u64()
            .unwrap()
            < 15
    );
}
