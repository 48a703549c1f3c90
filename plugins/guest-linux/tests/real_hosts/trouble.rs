//! Patching that does not go well, and is asked to stop.

use crate::rig::{KEY_A, KEY_B, Rig};
use crate::{PLAIN, SLOW, apt};
use serde_json::json;

#[test]
fn a_second_start_of_a_key_never_starts_a_second_package_manager() {
    let rig = apt(&[SLOW]);
    rig.exec("touch /run/hostler-lab-hold");
    let input = json!({ "set": format!("{SLOW}=1.0>1.1"), "reboot": "never" });
    assert_eq!(
        rig.perform("guest-patch.apply", KEY_A, 1, &input)["answer"],
        "pending"
    );
    rig.wait("test -e /run/hostler-lab-holding");
    for attempt in 1..4 {
        assert_eq!(
            rig.perform("guest-patch.apply", KEY_A, attempt, &input)["answer"],
            "pending"
        );
    }
    assert_eq!(
        rig.observe("guest-patch.apply", KEY_A, &input)["observed"],
        "going"
    );
    let managers = rig.exec(
        "ls -d /proc/[0-9]*/exe | while read -r x; do readlink $x; done | grep -c 'bin/apt-get$'",
    );
    assert_eq!(managers, "1");
    rig.exec("rm /run/hostler-lab-hold");
    let end = rig.settled("guest-patch.apply", KEY_A, input.clone());
    assert_eq!(
        end["output"]["changed"],
        json!([{ "name": SLOW, "from": "1.0", "to": "1.1" }])
    );
    assert_eq!(
        rig.exec(&format!(
            "grep -c '^Unpacking {SLOW}' /var/lib/hostler/{KEY_A}/log"
        )),
        "1"
    );
    assert_eq!(
        rig.observe("guest-patch.apply", KEY_A, &input)["observed"],
        "done"
    );
}

#[test]
fn a_stop_leaves_a_package_that_is_being_unpacked_to_finish() {
    let rig = apt(&[SLOW]);
    rig.exec("touch /run/hostler-lab-hold");
    let input = json!({ "set": format!("{SLOW}=1.0>1.1"), "reboot": "never" });
    rig.perform("guest-patch.apply", KEY_A, 1, &input);
    rig.wait("test -e /run/hostler-lab-holding");
    assert_eq!(
        rig.cancel("guest-patch.apply", KEY_A, &input)["answer"],
        "pending"
    );
    rig.exec("rm /run/hostler-lab-hold");
    rig.settled("guest-patch.apply", KEY_A, input.clone());
    assert_eq!(
        rig.cancel("guest-patch.apply", KEY_A, &input)["answer"],
        "done"
    );
    assert_eq!(rig.exec("dpkg --audit"), "");
}

#[test]
fn a_stop_before_the_first_package_changes_nothing() {
    let rig = apt(&[PLAIN]);
    // An apt whose downloads take as long as a file is there.
    rig.exec(
        "touch /run/hold; printf '#!/bin/sh\\ncase \" $* \" in *\" --download-only \"*) touch /run/downloading; while [ -e /run/hold ]; do sleep 0.1; done ;; esac\\nexec /usr/bin/apt-get \"$@\"\\n' >/usr/local/sbin/apt-get; chmod +x /usr/local/sbin/apt-get",
    );
    let input = json!({ "set": format!("{PLAIN}=1.0>1.1"), "reboot": "never" });
    rig.perform("guest-patch.apply", KEY_A, 1, &input);
    rig.wait("test -e /run/downloading");
    assert_eq!(
        rig.cancel("guest-patch.apply", KEY_A, &input)["answer"],
        "pending"
    );
    rig.exec("rm /run/hold");
    let end = rig.settled("guest-patch.apply", KEY_A, input);
    assert!(
        end["reason"]
            .as_str()
            .unwrap()
            .contains("stopped before anything was changed"),
        "{end}"
    );
    assert_eq!(rig.version(PLAIN), "1.0");
}

#[test]
fn a_held_lock_is_told_with_its_holder_and_a_later_attempt_goes_on() {
    let rig = apt(&[PLAIN]);
    rig.exec("mkfifo /run/gate; setsid -f perl -e 'use Fcntl; open F, \">>\", \"/var/lib/dpkg/lock-frontend\"; my $lock = pack(\"s s l! l! i\", F_WRLCK, 0, 0, 0, 0); fcntl F, F_SETLK, $lock or die; open G, \">\", \"/run/held\"; open H, \"<\", \"/run/gate\"; <H>' >/dev/null 2>&1");
    rig.wait("test -e /run/held");
    let input = json!({ "set": format!("{PLAIN}=1.0>1.1"), "reboot": "never" });
    let busy = rig.settled("guest-patch.apply", KEY_A, input.clone());
    assert_eq!(busy["answer"], "retry", "{busy}");
    assert!(
        busy["reason"]
            .as_str()
            .unwrap()
            .contains("(perl), running for"),
        "{busy}"
    );
    let preflight = rig.perform(
        "guest-patch.preflight",
        KEY_B,
        1,
        &json!({ "set": format!("{PLAIN}=1.0>1.1") }),
    );
    assert_eq!(preflight["answer"], "retry", "{preflight}");
    rig.exec("echo >/run/gate");
    let again = rig.settled_from("guest-patch.apply", KEY_A, 2, input);
    assert_eq!(again["answer"], "done", "{again}");
}

#[test]
fn a_failing_package_script_rejects_with_the_remedy_and_a_repair_lets_it_go_on() {
    let rig = apt(&["hostler-lab-broken"]);
    let input = json!({ "set": "hostler-lab-broken=1.0>1.1", "reboot": "never" });
    let failed = rig.settled("guest-patch.apply", KEY_A, input.clone());
    assert!(
        failed["reason"]
            .as_str()
            .unwrap()
            .contains("dpkg --configure -a"),
        "{failed}"
    );
    let broken = rig.rejected("guest-patch.preflight", json!({ "set": input["set"] }));
    assert_eq!(broken["output"]["broken"], true);
    // The same attempt finds the same word; a newer one, after the repair, goes on.
    assert_eq!(
        rig.perform("guest-patch.apply", KEY_A, 1, &input)["reason"],
        failed["reason"]
    );
    rig.exec("printf '#!/bin/sh\\n' >/var/lib/dpkg/info/hostler-lab-broken.postinst; dpkg --configure -a");
    let repaired = rig.settled_from("guest-patch.apply", KEY_A, 2, input);
    assert_eq!(repaired["answer"], "done", "{repaired}");
}

#[test]
fn an_undo_mends_the_package_that_broke_in_its_set() {
    let rig = apt(&["hostler-lab-broken", PLAIN]);
    let input = json!({ "set": "hostler-lab-broken=1.0>1.1", "reboot": "never" });
    rig.settled("guest-patch.apply", KEY_A, input.clone());
    let back = rig.settled("guest-patch.undo", KEY_B, json!({ "set": input["set"] }));
    assert_eq!(back["answer"], "done", "{back}");
    assert_eq!(rig.version("hostler-lab-broken"), "1.0");

    // Somebody else's damage is no business of an undo.
    let other = json!({ "set": format!("{PLAIN}=1.0>1.1"), "reboot": "never" });
    rig.settled_fresh("guest-patch.apply", other.clone());
    rig.exec("apt-get -qq -y install hostler-lab-broken=1.1 || true");
    let refused = rig.settled_fresh("guest-patch.undo", json!({ "set": other["set"] }));
    assert_eq!(refused["answer"], "reject", "{refused}");
    assert_eq!(rig.version(PLAIN), "1.1");
}

#[test]
fn a_full_disk_is_found_before_anything_is_changed() {
    let rig = Rig::small("apt", &["hostler-lab-big"], 110);
    let refused = rig.rejected(
        "guest-patch.preflight",
        json!({ "set": "hostler-lab-big=1.0>1.1" }),
    );
    assert!(
        refused["reason"]
            .as_str()
            .unwrap()
            .contains("not enough room"),
        "{refused}"
    );
    assert_eq!(rig.version("hostler-lab-big"), "1.0");
}

#[test]
fn a_set_that_is_not_what_would_happen_changes_nothing() {
    let rig = apt(&[PLAIN]);
    for (set, says) in [
        (format!("{PLAIN}=1.0>9.9"), "scan again"),
        (format!("{PLAIN}=0.9>1.1"), "changed since the scan"),
        ("no-such-package=1.0>1.1".to_owned(), "scan again"),
        (format!("{PLAIN}=1.0>1.1-"), "scan again"),
        ("--allow-remove-essential=1>2".to_owned(), "scan again"),
        ("$(touch${IFS}/run/pwned)=1>2".to_owned(), "scan again"),
    ] {
        let answer = rig.settled_fresh(
            "guest-patch.apply",
            json!({ "set": set, "reboot": "never" }),
        );
        assert_eq!(answer["answer"], "reject", "{set}: {answer}");
        assert!(
            answer["reason"].as_str().unwrap().contains(says),
            "{set}: {answer}"
        );
    }
    assert_eq!(rig.version(PLAIN), "1.0");
    assert_eq!(rig.exec("ls /run | grep -c pwned || true"), "0");
}

#[test]
fn a_power_cut_in_the_middle_is_repaired_by_the_next_poll() {
    let rig = apt(&[SLOW]);
    rig.exec("touch /run/hostler-lab-hold");
    let input = json!({ "set": format!("{SLOW}=1.0>1.1"), "reboot": "never" });
    rig.perform("guest-patch.apply", KEY_A, 1, &input);
    rig.wait("test -e /run/hostler-lab-holding");
    // Every process dies, as in a crash, and dpkg stays half-configured. /run is new afterwards.
    rig.crash();
    assert_eq!(
        rig.observe("guest-patch.apply", KEY_A, &input)["observed"],
        "not_done"
    );
    let end = rig.settled_from("guest-patch.apply", KEY_A, 1, input);
    assert_eq!(end["answer"], "done", "{end}");
    assert_eq!(
        end["output"]["changed"],
        json!([{ "name": SLOW, "from": "1.0", "to": "1.1" }])
    );
    assert_eq!(rig.exec("dpkg --audit"), "");
}

#[test]
fn a_package_manager_at_work_is_waited_for() {
    for (family, slow, plain) in [
        ("apt", format!("{SLOW}=1.0>1.1"), format!("{PLAIN}=1.0>1.1")),
        (
            "dnf",
            format!("{SLOW}.noarch=1.0-1>1.1-1"),
            format!("{PLAIN}.noarch=1.0-1>1.1-1"),
        ),
    ] {
        let rig = Rig::start(family, &[SLOW, PLAIN]);
        rig.exec("touch /run/hostler-lab-hold");
        rig.perform(
            "guest-patch.apply",
            KEY_A,
            1,
            &json!({ "set": slow, "reboot": "never" }),
        );
        rig.wait("test -e /run/hostler-lab-holding");
        let input = json!({ "set": plain, "reboot": "never" });
        let busy = rig.settled("guest-patch.apply", KEY_B, input.clone());
        assert_eq!(busy["answer"], "retry", "{family}: {busy}");
        assert!(
            busy["reason"].as_str().unwrap().contains("running for"),
            "{family}: {busy}"
        );
        let preflight = rig.perform("guest-patch.preflight", KEY_B, 1, &json!({ "set": plain }));
        assert_eq!(preflight["answer"], "retry", "{family}: {preflight}");
        rig.exec("rm /run/hostler-lab-hold");
        let first = rig.settled(
            "guest-patch.apply",
            KEY_A,
            json!({ "set": slow, "reboot": "never" }),
        );
        assert_eq!(first["answer"], "done", "{family}: {first}");
        let second = rig.settled_from("guest-patch.apply", KEY_B, 2, input);
        assert_eq!(second["answer"], "done", "{family}: {second}");
    }
}

#[test]
fn a_failing_scriptlet_is_no_success() {
    let rig = Rig::start("dnf", &["hostler-lab-broken"]);
    let input = json!({ "set": "hostler-lab-broken.noarch=1.0-1>1.1-1", "reboot": "never" });
    let failed = rig.settled("guest-patch.apply", KEY_A, input);
    assert_eq!(failed["answer"], "reject", "{failed}");
    assert!(
        failed["reason"]
            .as_str()
            .unwrap()
            .contains("own script failed"),
        "{failed}"
    );
}
