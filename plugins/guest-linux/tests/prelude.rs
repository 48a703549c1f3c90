//! The shell prelude under every awk and shell that is here: hostile arguments in, one JSON answer out;
//! and the readers of what the package managers print.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const LIB: &str = include_str!("../scripts/lib.sh");
const APT: &str = include_str!("../scripts/apt.sh");
const DNF: &str = include_str!("../scripts/dnf.sh");
const ZYPPER: &str = include_str!("../scripts/zypper.sh");

/// Shells and awks of the targets: dash and mawk (Debian), bash and gawk (the RPM families), busybox.
const SHELLS: &[&[&str]] = &[&["dash"], &["bash", "--posix"], &["busybox", "sh"]];
const AWKS: &[&str] = &["mawk", "gawk", "original-awk", "busybox awk"];

fn there(program: &str) -> bool {
    Command::new("which")
        .arg(program)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn sh(shell: &[&str], script: &str, input: &[u8]) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", script]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that refuses early closes its input: that is not this test's matter.
    let _ = child.stdin.take().unwrap().write_all(input);
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The prelude with `awk` being one of those that are here.
fn variants() -> Vec<(Vec<&'static str>, String)> {
    let mut all = Vec::new();
    for shell in SHELLS.iter().filter(|shell| there(shell[0])) {
        for awk in AWKS
            .iter()
            .filter(|awk| there(awk.split(' ').next().unwrap()))
        {
            all.push((
                shell.to_vec(),
                format!("{LIB}\nawk() {{ {awk} \"$@\"; }}\n"),
            ));
        }
    }
    assert!(
        !all.is_empty(),
        "neither dash nor bash with any awk is here"
    );
    all
}

#[test]
fn arguments_are_read_as_data_whatever_they_hold() {
    let read = "read_args\nprintf '%s\\n' \"$ARGS\"\nprintf 'arg:%s\\n' \"$(arg set)\"\n";
    for (given, lines) in [
        (
            r#"{"set":"a=1>2","n":-1.5e3,"yes":true}"#,
            "set=a=1>2\nn=-1.5e3\nyes=true\narg:a=1>2\n",
        ),
        (
            r#"{"set":"$(id) `id` ${HOME} ; & | > < * ? ~ !"}"#,
            "set=$(id) `id` ${HOME} ; & | > < * ? ~ !\narg:$(id) `id` ${HOME} ; & | > < * ? ~ !\n",
        ),
        (
            r#"{"set":"-rf --x \\ \" ' / \/"}"#,
            "set=-rf --x \\ \" ' / /\narg:-rf --x \\ \" ' / /\n",
        ),
        (
            r#"{"set":"%s %d \\n \\0"}"#,
            "set=%s %d \\n \\0\narg:%s %d \\n \\0\n",
        ),
        (
            r#"{"set":"\u00e9\u20ac\ud83d\ude00 é€😀"}"#,
            "set=é€😀 é€😀\narg:é€😀 é€😀\n",
        ),
        (
            r#"{"set":"","list":["a","b"],"deep":{"x":"y"}}"#,
            "set=\nlist.0=a\nlist.1=b\ndeep.x=y\narg:\n",
        ),
        (
            "{ \"set\" :\t\"a\" , \"set_\":\"b\" }",
            "set=a\nset_=b\narg:a\n",
        ),
        ("{}", "\narg:\n"),
    ] {
        for (shell, prelude) in variants() {
            let said = sh(
                &shell,
                &format!("{prelude}{read}"),
                format!("{given}\n").as_bytes(),
            );
            assert_eq!(said, lines, "{shell:?} {given}");
        }
    }
}

#[test]
fn what_is_not_plain_json_is_refused() {
    let long = format!(r#"{{"set":"{}"}}"#, "x".repeat(70_000));
    let deep = r#"{"a":{"b":{"c":{"d":{"e":1}}}}}"#;
    for given in [
        "",
        "[]",
        "null",
        "{",
        "{\"a\":1} {}",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "{\"A\":1}",
        "{\"a.b\":1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":tru}",
        "{\"a\":trueish}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":\"x\\ny\"}",
        "{\"a\":\"x\\u000ay\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud83dx\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\u007f\"}",
        "{\"a\":\"\tx\"}",
        "{\"a\":\"x",
        "{\"a\":[1,]}",
        "{\"a\"}",
        deep,
        &long,
    ] {
        for (shell, prelude) in variants() {
            let said = sh(
                &shell,
                &format!("{prelude}read_args\necho '{{\"say\":\"accepted\"}}'\n"),
                format!("{given}\n").as_bytes(),
            );
            let answer: Value =
                serde_json::from_str(said.lines().last().unwrap_or("null")).unwrap();
            assert_eq!(answer["say"], "reject", "{shell:?} {given:.80}: {said}");
        }
    }
}

#[test]
fn a_set_is_names_and_versions_and_nothing_else() {
    let read = "read_args\nset_lines \"$(arg set)\"\n";
    let prelude = &variants()[0];
    let run = |set: &str| {
        sh(
            &prelude.0,
            &format!("{}{read}", prelude.1),
            format!("{}\n", json!({ "set": set })).as_bytes(),
        )
    };
    assert_eq!(
        run("g++=4:12.2.0-3>4:12.2.0-4 libc6:i386=1>2~rc1+b1"),
        "g++ 4:12.2.0-3 4:12.2.0-4\nlibc6:i386 1 2~rc1+b1\n"
    );
    assert_eq!(
        run("NetworkManager.x86_64=>1:1.40-1.el9 "),
        "NetworkManager.x86_64 - 1:1.40-1.el9\n"
    );
    assert_eq!(run(""), "");
    for bad in [
        "a",
        "a=1",
        "a>1",
        "a=1>",
        "=1>2",
        "-a=1>2",
        "--x=1>2",
        "a=-1>2",
        "a=1>-2",
        "a=1>2-",
        "a=1>2+",
        "a=1>2 a=1>3",
        "a*=1>2",
        "a=1>2;id",
        "a=$(id)>2",
        "a/b=1>2",
        "a=1>2>3",
        "a=b=1>2",
        "\u{e9}=1>2",
        ".a=1>2",
    ] {
        assert!(
            run(bad).contains("\"say\":\"reject\""),
            "{bad}: {}",
            run(bad)
        );
    }
    let long: String = (0..1000).map(|n| format!("package-{n}=1.0>1.1 ")).collect();
    assert!(run(&long).contains("longer than 12288 bytes"));
}

#[test]
fn what_the_package_managers_print_is_read_exactly() {
    let apt = (APT, "apt_parse", include_str!("recorded/apt-upgrade.txt"));
    let dnf = (DNF, "dnf_parse", include_str!("recorded/dnf-upgrade.txt"));
    let zypper = (
        ZYPPER,
        "zypper_parse",
        include_str!("recorded/zypper-update.xml"),
    );
    for ((tools, function, printed), expected) in [
        (
            apt,
            "libc6 2.36-9+deb12u8 2.36-9+deb12u9 1\nlibc6:i386 2.36-9+deb12u8 2.36-9+deb12u9 0\ng++ 4:12.2.0-3 4:12.2.0-4 1\n\
              linux-image-6.1.0-30-amd64 - 6.1.124-1 1\n!old-thing\n",
        ),
        (
            dnf,
            "hello-a.noarch 1.1-1\n!hello-old.noarch\nhello-c.noarch 2.0-1\n\
              hello-c-very-long-package-name-for-wrapping-of-columns-in-the-table-and-then-some.noarch 1:2.0-1\n\
              hello-new.noarch 3.0-1\n!hello-gone.noarch\n",
        ),
        (
            zypper,
            "hello-a.noarch 1.1-1\nhello-c.x86_64 1:2.0-1\n!hello-old.noarch\nhello-new.noarch 3.0-1\n",
        ),
    ] {
        for (shell, prelude) in variants() {
            let said = sh(
                &shell,
                &format!("{prelude}{tools}\n{function}\n"),
                printed.as_bytes(),
            );
            let sorted = |text: &str| {
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&said), sorted(expected), "{function} with {shell:?}");
        }
    }
}

#[test]
fn what_is_quoted_for_json_is_json_again() {
    for (shell, prelude) in variants() {
        for text in [
            "plain",
            "say \"hi\" \\ there",
            "tab\there",
            "back\\\\slash",
            "é",
            "line\nbreak",
            "",
        ] {
            let said = sh(
                &shell,
                &format!("{prelude}quoted \"$(cat)\"\n"),
                text.as_bytes(),
            );
            let back: String = serde_json::from_str(&said)
                .unwrap_or_else(|error| panic!("{text:?} -> {said}: {error}"));
            let ascii = |c: char| {
                if c.is_ascii_graphic() || c == ' ' {
                    c
                } else {
                    '?'
                }
            };
            let expected: String = text.replace('\n', " ").chars().map(ascii).collect();
            assert_eq!(back.replace("??", "?"), expected, "{shell:?}");
        }
    }
}

#[test]
fn no_script_needs_more_than_the_host_lets_through() {
    // The platform package says 96 KiB; the shell's own limit for one argument is 128 KiB.
    for script in hostler_plugin_guest_linux::PLUGIN.scripts {
        assert!(
            script.text.len() < 72 * 1024,
            "{} has {} bytes",
            script.name,
            script.text.len()
        );
        let checked = sh(&["dash"], "dash -n && echo fine", script.text.as_bytes());
        assert_eq!(checked, "fine\n", "{} is no shell", script.name);
    }
}
