//! Patching that goes well.

use crate::rig::{KEY_A, KEY_B, Rig};
use crate::{PLAIN, SECURE, SLOW, apt, set_of};
use serde_json::json;

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

#[test]
fn hundreds_of_packages_fit_a_step_s_output_and_thousands_are_refused() {
    let rig = apt(&[PLAIN]);
    // An apt that has as many updates as a file says; everything else is the real one's.
    rig.exec(
        r#"cat >/usr/local/sbin/apt-get <<'APT'
#!/bin/sh
case " $* " in
*" upgrade "*) awk -v n="$(cat /run/updates)" 'BEGIN { for (i = 1; i <= n; i++) print sprintf("Inst package-with-a-name-%04d [1.0-1] (1.0-1+deb12u1 Debian:12/stable [all])", i) }' ;;
*) exec /usr/bin/apt-get "$@" ;;
esac
APT
chmod +x /usr/local/sbin/apt-get; echo 220 >/run/updates"#,
    );
    let scan = rig.done("guest-patch.scan", json!({ "security_only": false }));
    assert_eq!(scan["count"], 220);
    assert_eq!(set_of(&scan).split(' ').count(), 220);
    let (whole, shown) = (
        scan.to_string().len(),
        scan["packages"].as_array().unwrap().len(),
    );
    assert!(
        whole <= 16 * 1024 && shown > 20,
        "{whole} bytes, {shown} shown"
    );
    rig.exec("echo 2000 >/run/updates");
    let refused = rig.rejected("guest-patch.scan", json!({ "security_only": false }));
    assert!(
        refused["reason"]
            .as_str()
            .unwrap()
            .contains("bring the server up to date by hand once"),
        "{refused}"
    );
}
