//! Schedules from the command line: what a change of the clock does, and faults with their remedy.

use super::{hostler, text};

const SCHEDULES: &str = include_str!("../../../estate/examples/schedules.yaml");

#[test]
fn a_file_of_schedules_is_explained_with_its_change_over_days() {
    let folder = tempfile::tempdir().unwrap();
    let calendars = folder.path().join("calendars");
    std::fs::create_dir(&calendars).unwrap();
    let holidays = include_str!("../../../estate/examples/calendars/campus.ics");
    std::fs::write(calendars.join("campus.ics"), holidays).unwrap();
    let file = folder.path().join("schedules.yaml");
    let nightly = "  - { runbook: nightly, when: daily, at: \"01:30\", zone: America/Chicago, dst: { fold: both } }\n";
    let gap = "  - { id: gap, runbook: nightly, when: \"30 2 * * *\", zone: America/Chicago }\n";
    std::fs::write(&file, format!("{SCHEDULES}{nightly}{gap}")).unwrap();
    let explain = |words: &[&str]| {
        let all = [&["schedule", "explain", "schedules.yaml"], words].concat();
        let ended = hostler(folder.path(), &all);
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        text(&ended.stdout)
    };
    let spring = explain(&["gap", "--from", "2026-03-08T00:00:00Z", "--count", "2"]);
    assert!(spring.contains("Sun 2026-03-08 03:30 -05:00"), "{spring}");
    assert!(spring.contains("shifted from 02:30"), "{spring}");
    let autumn = explain(&[
        "nightly",
        "--from",
        "2026-11-01T00:00:00Z",
        "--count",
        "2",
        "-o",
        "csv",
    ]);
    let lines: Vec<&str> = autumn.lines().map(str::trim).collect();
    assert_eq!(
        lines[1],
        "firing,nightly,Sun 2026-11-01 01:30 -05:00,2026-11-01 06:30,,,first of two"
    );
    assert_eq!(
        lines[2],
        "firing,nightly,Sun 2026-11-01 01:30 -06:00,2026-11-01 07:30,,,second of two"
    );
    let night = explain(&[
        "sunday-night",
        "--from",
        "2026-03-02T00:00:00Z",
        "--count",
        "1",
        "-o",
        "json",
    ]);
    let values: serde_json::Value = serde_json::from_str(&night).unwrap();
    assert_eq!(values[0]["elapsed_ms"], 5 * 3_600_000, "{night}");
    assert_eq!(values[0]["closes"], "2026-03-08T06:00:00-05:00");
    let all = explain(&["-o", "json"]);
    let values: serde_json::Value = serde_json::from_str(&all).unwrap();
    let probes = values
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["name"] == "probe");
    assert_eq!(probes.count(), 24, "the next 24");
}

#[test]
fn a_fault_of_a_schedule_and_a_wrong_name_are_answered_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("s.yaml"), text).unwrap();
    write("schedules:\n  - { runbook: a, when: second tuseday, at: \"02:00\", zone: UTC }\n");
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["s.yaml"],
            3,
            "s.yaml:2:32: HE030 `tuseday` is no weekday; did you mean `tuesday`?",
        ),
        (&["gone.yaml"], 3, "gone.yaml:0:0: HE060"),
        (&["s.yaml", "--from", "tomorrow"], 2, "--from"),
        (&["s.yaml", "--count", "0"], 2, "--count"),
    ];
    let ended =
        |words: &[&str]| hostler(folder.path(), &[&["schedule", "explain"], words].concat());
    for (words, code, part) in cases {
        let ended = ended(words);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(*code), "{words:?}: {told}");
        assert!(told.contains(part), "{words:?}: {told}");
    }
    write("schedules:\n  - { runbook: nightly, every: 15m }\n");
    let wrong = ended(&["s.yaml", "nightli"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong.stderr).contains("nightly"),
        "{}",
        text(&wrong.stderr)
    );
}
