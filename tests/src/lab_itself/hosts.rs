//! Hosts of the lab start, restart, hang and go as machines do.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use hostler_tests::lab::{Lab, until};

use super::ok;

const LIMIT: Duration = Duration::from_secs(60);

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
    let again = until(LIMIT, || {
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
        TcpStream::connect(address).is_err(),
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
    let silent = TcpStream::connect(host.address()).unwrap();
    silent
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(std::io::Read::read(&mut &silent, &mut [0; 4]).is_err());
    host.go_on().unwrap();
    host.wait_up().unwrap();
    host.power_off().unwrap();
}

#[test]
fn a_host_dies_with_a_test_that_is_killed() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_lab"));
    let mut child = program
        .arg("host")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let (_, ip) = line.trim_end().rsplit_once('@').unwrap();
    let address = SocketAddr::new(ip.parse().unwrap(), 22);
    assert!(TcpStream::connect(address).is_ok(), "{address}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        until(LIMIT, || TcpStream::connect(address).is_err().then_some(())).is_some(),
        "{address}"
    );
}
