//! Patching on the hosts of the lab is real: what apt, dpkg and dnf do there.

use hostler_tests::lab::{Family, Lab};

use super::ok;

#[test]
fn a_debian_host_patches_for_real_and_tells_security_updates_apart() {
    let lab = Lab::start().unwrap();
    let names = [
        "hostler-lab-plain",
        "hostler-lab-secure",
        "hostler-lab-kernel",
    ];
    let host = lab.linux_host(1).installed(&names).start().unwrap();
    assert_eq!(ok(&host, "hostname"), "lab-1");

    ok(&host, "apt-get -qq update");
    let plan = ok(&host, "apt-get -s dist-upgrade | grep ^Inst");
    let lines: Vec<&str> = plan.lines().collect();
    assert_eq!(lines.len(), 3, "{plan}");
    for line in lines {
        let security = line.contains("Debian-Security:");
        assert_eq!(security, !line.contains("hostler-lab-plain"), "{line}");
    }

    assert_eq!(host.exec("test -e /run/reboot-required").unwrap().code, 1);
    let said = host
        .ssh(
            "DEBIAN_FRONTEND=noninteractive apt-get -qq -y dist-upgrade",
            b"",
        )
        .unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        ok(&host, "cat /run/reboot-required.pkgs"),
        "hostler-lab-kernel"
    );
    assert_eq!(
        ok(&host, "dpkg-query -W -f '${Version}' hostler-lab-secure"),
        "1.1"
    );
    ok(
        &host,
        "apt-get -qq -y --allow-downgrades install hostler-lab-secure=1.0",
    );
    assert_eq!(
        ok(&host, "dpkg-query -W -f '${Version}' hostler-lab-secure"),
        "1.0"
    );
}

#[test]
fn an_rpm_host_patches_for_real_and_tells_security_updates_apart() {
    let lab = Lab::start().unwrap();
    let names = [
        "hostler-lab-plain",
        "hostler-lab-secure",
        "hostler-lab-kernel",
    ];
    let host = lab
        .linux_host(1)
        .family(Family::Rpm)
        .installed(&names)
        .start()
        .unwrap();
    assert_eq!(host.exec("command -v apt-get dpkg").unwrap().out, "");

    let all = host.exec("dnf -q check-update").unwrap();
    assert_eq!(
        (all.code, all.out.matches("hostler-lab-").count()),
        (100, 3),
        "{all:?}"
    );
    let security = host.exec("dnf -q --security check-update").unwrap();
    assert_eq!(
        (security.code, security.out.matches("hostler-lab-").count()),
        (100, 2),
        "{security:?}"
    );
    assert!(!security.out.contains("hostler-lab-plain"));

    let said = host
        .ssh("dnf -q -y upgrade hostler-lab-secure-1.1-1", b"")
        .unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(ok(&host, "rpm -q hostler-lab-secure hostler-lab-plain"), {
        "hostler-lab-secure-1.1-1.noarch\nhostler-lab-plain-1.0-1.noarch"
    });
    ok(&host, "dnf -q -y downgrade hostler-lab-secure");
    assert_eq!(
        ok(&host, "rpm -q hostler-lab-secure"),
        "hostler-lab-secure-1.0-1.noarch"
    );
}

#[test]
fn a_broken_package_leaves_dpkg_half_configured() {
    let lab = Lab::start().unwrap();
    let host = lab
        .linux_host(1)
        .installed(&["hostler-lab-broken"])
        .start()
        .unwrap();
    ok(&host, "apt-get -qq update");
    let said = host
        .exec("apt-get -qq -y install hostler-lab-broken=1.1")
        .unwrap();
    assert_eq!(said.code, 100, "{said:?}");
    assert!(ok(&host, "dpkg --audit").contains("hostler-lab-broken"));
}

#[test]
fn a_small_disk_is_too_small_for_the_big_package() {
    let lab = Lab::start().unwrap();
    let plan = lab
        .linux_host(1)
        .tmpfs_mib(40)
        .installed(&["hostler-lab-big"]);
    let host = plan.start().unwrap();
    ok(&host, "apt-get -qq update");
    let said = host
        .exec("apt-get -qq -y install hostler-lab-big=1.1 2>&1")
        .unwrap();
    assert_eq!(said.code, 100, "{said:?}");
    assert_eq!(
        ok(&host, "dpkg-query -W -f '${Version}' hostler-lab-big"),
        "1.0",
        "{said:?}"
    );
}

#[test]
fn a_changed_configuration_file_is_kept_when_dpkg_is_told_so() {
    let lab = Lab::start().unwrap();
    let host = lab
        .linux_host(1)
        .installed(&["hostler-lab-conf"])
        .start()
        .unwrap();
    ok(
        &host,
        "apt-get -qq update; echo 'mine = yes' > /etc/hostler-lab.conf",
    );
    let options = "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold";
    ok(
        &host,
        &format!("DEBIAN_FRONTEND=noninteractive apt-get -qq -y {options} dist-upgrade"),
    );
    assert_eq!(ok(&host, "cat /etc/hostler-lab.conf"), "mine = yes");
}

#[test]
fn a_slow_package_installs_for_as_long_as_the_test_holds_it() {
    let lab = Lab::start().unwrap();
    let host = lab
        .linux_host(1)
        .installed(&["hostler-lab-slow"])
        .start()
        .unwrap();
    ok(&host, "apt-get -qq update; : > /run/hostler-lab-hold");
    ok(
        &host,
        "setsid apt-get -qq -y install hostler-lab-slow=1.1 > /run/apt.log 2>&1 < /dev/null &",
    );
    let limit = std::time::Duration::from_secs(60);
    let look = |script: &str| host.exec(script).ok().filter(|said| said.code == 0);
    assert!(
        hostler_tests::lab::until(limit, || look("test -e /run/hostler-lab-holding")).is_some()
    );
    let second = host
        .exec("apt-get -qq -y install hostler-lab-plain")
        .unwrap();
    assert!(
        second.err.contains("lock"),
        "a second apt must meet the lock: {second:?}"
    );
    ok(&host, "rm /run/hostler-lab-hold");
    let done =
        "dpkg-query -W -f '${db:Status-Abbrev}${Version}' hostler-lab-slow | grep -qx 'ii 1.1'";
    assert!(hostler_tests::lab::until(limit, || look(done)).is_some());
}

#[test]
fn a_host_reaches_no_network_through_its_package_sources() {
    let lab = Lab::start().unwrap();
    let host = lab.linux_host(1).start().unwrap();
    let sources = ok(
        &host,
        "cat /etc/apt/sources.list; ls /etc/apt/sources.list.d",
    );
    assert!(
        sources
            .lines()
            .all(|line| line.contains("file:/srv/lab/deb")),
        "{sources}"
    );
    assert_ne!(
        host.exec("touch /srv/lab/deb/x").unwrap().code,
        0,
        "the repository must be read-only"
    );
}
