//! What the Linux hosts of the lab can do.

use hostler_tests::lab::{Family, Lab, LinuxHost};

/// Runs a script that must succeed; its standard output without the last line break.
fn ok(host: &LinuxHost, script: &str) -> String {
    let said = host.exec(script).unwrap();
    assert_eq!(said.code, 0, "{script}: {}{}", said.out, said.err);
    said.out.trim_end().to_owned()
}

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
fn a_restart_kills_every_process_and_keeps_the_disk() {
    let lab = Lab::start().unwrap();
    let mut host = lab.linux_host(1).start().unwrap();
    let boot = ok(&host, "cat /proc/sys/kernel/random/boot_id");
    ok(
        &host,
        "echo kept > /root/kept; touch /run/reboot-required; setsid sleep 1000 > /dev/null 2>&1 &",
    );
    // The connection may be cut before the answer arrives: what it says does not matter.
    host.ssh("reboot", b"").unwrap();
    let limit = std::time::Duration::from_secs(60);
    let again = hostler_tests::lab::until(limit, || {
        let now = host.exec("cat /proc/sys/kernel/random/boot_id").ok()?;
        (now.code == 0 && now.out.trim_end() != boot).then_some(())
    });
    assert!(again.is_some(), "the boot id must change");
    host.wait_up().unwrap();
    assert_eq!(
        ok(
            &host,
            "cat /root/kept; ls /run/reboot-required 2> /dev/null; true"
        ),
        "kept"
    );
    assert_eq!(ok(&host, "grep -l sleep /proc/[0-9]*/comm; true"), "");
}

#[test]
fn hosts_have_keys_of_their_own_and_a_wrong_one_is_noticed() {
    let lab = Lab::start().unwrap();
    let (one, two) = (
        lab.linux_host(1).start().unwrap(),
        lab.linux_host(2).start().unwrap(),
    );
    assert_ne!(one.host_key(), two.host_key());
    assert!(
        one.host_key().starts_with("ssh-ed25519 AAAA"),
        "{}",
        one.host_key()
    );
    assert!(one.fingerprint().unwrap().starts_with("SHA256:"));
    let said = one.ssh("cat; exit 3", b"over standard input").unwrap();
    assert_eq!(
        (said.code, said.out.as_str()),
        (3, "over standard input"),
        "{said:?}"
    );
    let address = one.address();
    drop(one);
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "a dropped host must not listen"
    );
    let again = lab.linux_host(1).start().unwrap();
    assert_ne!(again.fingerprint().unwrap(), two.fingerprint().unwrap());
}

#[test]
fn a_hung_host_accepts_and_stays_silent_until_it_goes_on() {
    let lab = Lab::start().unwrap();
    let mut host = lab.linux_host(1).start().unwrap();
    host.hang().unwrap();
    // The kernel completes the handshake; nobody reads.
    let silent = std::net::TcpStream::connect(host.address()).unwrap();
    silent
        .set_read_timeout(Some(std::time::Duration::from_millis(300)))
        .unwrap();
    assert!(std::io::Read::read(&mut &silent, &mut [0; 4]).is_err());
    host.go_on().unwrap();
    host.wait_up().unwrap();
    host.power_off().unwrap();
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
