//! Two builds at one Redis: libraries of Functions side by side, and one library in two texts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use hostler_tests::lab::until;
use serde_json::Value;

use super::LIMIT;
use super::audit;
use super::bed::{Bed, Size};
use super::target::{Call, Course};

const LANES: usize = 8;
const SIZE: Size = Size {
    assets: LANES,
    doors: 2,
    lease_ms: 6_000,
    permits: 32,
    per_host: 400,
    timeout: "30s",
};
/// What a later release will bring beside ours.
const LATER: &str =
    "#!lua name=hostler_2\nredis.register_function('h2_nothing', function() return 1 end)\n";

fn behave(call: &Call) -> Course {
    Course {
        gated: call.action == "compute.snapshot",
        ..Course::default()
    }
}

/// Runs redis-cli with `input` on its standard input.
fn cli(bed: &Bed, words: &[&str], input: &str) -> String {
    let address = bed.redis.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let mut command = Command::new("redis-cli");
    command.args(["-h", &host, "-p", &port]).args(words);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn load(bed: &Bed, text: &str) {
    let said = cli(bed, &["-x", "FUNCTION", "LOAD", "REPLACE"], text);
    assert!(said.starts_with("hostler_"), "{said}");
}

/// Names and texts of all libraries.
fn libraries(bed: &Bed) -> Vec<(String, String)> {
    let said = cli(bed, &["--json", "FUNCTION", "LIST", "WITHCODE"], "");
    let list: Value = serde_json::from_str(&said).unwrap();
    let text = |library: &Value, field: &str| library[field].as_str().unwrap().to_owned();
    let mut found: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|library| (text(library, "library_name"), text(library, "library_code")))
        .collect();
    found.sort();
    found
}

#[test]
fn two_builds_at_one_redis_keep_each_others_functions_and_lose_nothing() {
    let bed = Bed::start(SIZE, behave);
    let first = bed.worker(0);
    let run = bed.run_all();
    bed.target
        .wait("all stand in a call", LIMIT, |book| book.standing == LANES);
    let before = libraries(&bed);
    let [(name, ours)] = &before[..] else {
        panic!("one library: {before:?}");
    };
    assert_eq!(name, "hostler_1");
    load(&bed, LATER);
    // The same names in another text: what a build of between two releases brings.
    load(&bed, &format!("{ours}\n-- another build\n"));
    // Whoever connects brings its own text; the first worker goes on with what is there.
    let second = bed.worker(1);
    let is_ours = || (libraries(&bed)[0].1 == *ours).then_some(());
    assert!(
        until(LIMIT, is_ours).is_some(),
        "the second worker's own text is not loaded"
    );
    bed.target.open();
    audit::all(&bed, &[run], "two texts of one library");
    for mut worker in [first, second] {
        assert!(worker.runs(), "a worker has ended");
    }
    let names: Vec<_> = libraries(&bed).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["hostler_1", "hostler_2"], "the old one is kept");
    assert_eq!(bed.redis_says("FCALL h2_nothing 0"), "1");
    println!("libraries side by side: {names:?}");
}
