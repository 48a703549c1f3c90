//! The actions against real package managers: hosts of the lab over SSH, with the very scripts of the
//! package. Root and the lab's roots are needed.
//!
//! Not here: recorded answers (exchanges/), the engine.
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{KEY_A, KEY_B, Rig};
use serde_json::{Value, json};

const PLAIN: &str = "hostler-lab-plain";
const SECURE: &str = "hostler-lab-secure";
const SLOW: &str = "hostler-lab-slow";

fn apt(packages: &[&str]) -> Rig {
    Rig::start("apt", packages)
}

fn set_of(output: &Value) -> String {
    output["set"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_is_scanned_patched_verified_and_brought_back() {
    for family in ["apt", "dnf"] {
        let rig = Rig::start(family, &[PLAIN, SECURE]);
        let scan = rig.done("guest-patch.scan", json!({}));
        assert_eq!(scan["count"], 1, "{family}: {scan}");
        assert_eq!(scan["security"], 1);
        assert!(set_of(&scan).starts_with(SECURE), "{scan}");

        let all = rig.done("guest-patch.scan", json!({ "security_only": false }));
        assert_eq!(
            (&all["count"], &all["security"]),
            (&json!(2), &json!(1)),
            "{family}: {all}"
        );
        let set = set_of(&all);
        assert_eq!(
            rig.done("guest-patch.preflight", json!({ "set": set }))["ok"],
            true
        );
        assert_eq!(
            rig.rejected("guest-patch.verify", json!({ "set": set }))["output"]["missing"]
                .as_array()
                .unwrap()
                .len(),
            2
        );

        let applied = rig.settled(
            "guest-patch.apply",
            KEY_A,
            json!({ "set": set, "reboot": "never" }),
        );
        assert_eq!(
            applied["output"]["changed"].as_array().unwrap().len(),
            2,
            "{family}: {applied}"
        );
        assert_eq!(
            rig.done("guest-patch.verify", json!({ "set": set }))["ok"],
            true
        );
        assert_eq!(
            rig.done("guest-patch.scan", json!({ "security_only": false }))["count"],
            0
        );

        let undone = rig.settled("guest-patch.undo", KEY_B, json!({}));
        assert_eq!(
            undone["output"]["changed"][0]["to"].as_str().unwrap()[..3],
            *"1.0",
            "{family}: {undone}"
        );
        assert_eq!(
            rig.done("guest-patch.scan", json!({ "security_only": false }))["count"],
            2
        );
    }
}

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
fn a_held_package_is_reported_and_never_changed() {
    let rig = apt(&[PLAIN, SECURE]);
    rig.exec(&format!("apt-mark hold {SECURE}"));
    let scan = rig.done("guest-patch.scan", json!({ "security_only": false }));
    assert_eq!(
        (&scan["held"], &scan["count"]),
        (&json!([SECURE]), &json!(1)),
        "{scan}"
    );
    let set = format!("{PLAIN}=1.0>1.1 {SECURE}=1.0>1.1");
    let refused = rig.rejected("guest-patch.preflight", json!({ "set": set }));
    assert!(
        refused["reason"].as_str().unwrap().contains(SECURE),
        "{refused}"
    );
    let applied = rig.settled(
        "guest-patch.apply",
        KEY_A,
        json!({ "set": set, "reboot": "never" }),
    );
    assert_eq!(applied["answer"], "reject", "{applied}");
    assert_eq!(rig.version(SECURE), "1.0");
    assert_eq!(rig.version(PLAIN), "1.0");
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
fn an_edited_configuration_file_is_kept_and_nobody_is_asked() {
    let rig = apt(&["hostler-lab-conf"]);
    rig.exec("echo 'mine = yes' >/etc/hostler-lab.conf");
    rig.settled(
        "guest-patch.apply",
        KEY_A,
        json!({ "set": "hostler-lab-conf=1.0>1.1", "reboot": "never" }),
    );
    assert_eq!(rig.version("hostler-lab-conf"), "1.1");
    assert_eq!(rig.exec("cat /etc/hostler-lab.conf"), "mine = yes");
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

#[test]
fn the_second_scan_knows_how_long_an_update_has_waited() {
    let rig = apt(&[SECURE]);
    assert_eq!(rig.done("guest-patch.scan", json!({}))["past_deadline"], 0);
    rig.exec("sed -i 's/ [0-9]*$/ 1700000000/' /var/lib/hostler/first-seen");
    assert_eq!(rig.done("guest-patch.scan", json!({}))["past_deadline"], 1);
    assert_eq!(
        rig.done("guest-patch.scan", json!({ "deadline_days": 3650 }))["past_deadline"],
        0
    );
}

#[test]
fn a_cve_narrows_the_set_where_the_sources_name_it() {
    let rig = Rig::start("dnf", &[PLAIN, SECURE, SLOW]);
    let scan = rig.done("guest-patch.scan", json!({ "cve": ["CVE-2024-0001"] }));
    assert_eq!(scan["cve"], json!(["CVE-2024-0001"]), "{scan}");
    assert_eq!(set_of(&scan), format!("{SECURE}.noarch=1.0-1>1.1-1"));
}
