//! `hostler policy`: checking and showing files, without a running engine.

use super::{hostler, text, top};
use std::path::Path;

fn examples() -> String {
    let folder = top().join("engine/estate/examples/policies");
    folder.to_string_lossy().into_owned()
}

fn put(folder: &Path, name: &str, text: &str) {
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies).unwrap();
    std::fs::write(policies.join(name), text).unwrap();
}

#[test]
fn the_delivered_policies_are_good_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let ended = hostler(
        folder.path(),
        &["policy", "check", &examples(), "-o", "json"],
    );
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    let checked: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(checked["files"].as_array().unwrap().len(), 14);
    assert_eq!(checked["missing"], serde_json::json!([]));
    assert_eq!(checked["with_estate"], false);
    let show = |words: &[&str]| {
        let folder_of = examples();
        let words = [&["policy", "show", "--folder", &folder_of], words].concat();
        text(&hostler(folder.path(), &words).stdout)
    };
    let all = show(&[]);
    let line = all.lines().find(|line| line.contains("ladders")).unwrap();
    assert!(line.contains("ladders.yaml") && line.contains('5'), "{all}");
    let classes = show(&["classes"]);
    let line = classes.lines().find(|line| line.contains("standard-patch"));
    assert!(line.unwrap().contains("7d"), "{classes}");
    assert!(line.unwrap().contains("canary: calendar"), "{classes}");
    let classes: serde_json::Value =
        serde_json::from_str(&show(&["classes", "-o", "json"])).unwrap();
    assert_eq!(classes[5]["class"], "emergency");
    assert_eq!(classes[5]["quorum"], 2);
    let must_have = |class: usize| classes[class]["must_have"].as_array().unwrap().len();
    let told = &classes[1]["must_have"];
    assert_eq!(
        told,
        &serde_json::json!(["scheduled", "changed", "cancelled"])
    );
    assert_eq!((must_have(1), must_have(5)), (3, 7), "all of an emergency");
    assert!(show(&["ladders"]).contains("role:ciso-deputy"));
    assert!(
        show(&["roles"]).contains("until: \"2027-01-03\""),
        "{}",
        show(&["roles"])
    );
}

#[test]
fn without_a_folder_the_defaults_are_shown_and_nothing_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let shown = text(&hostler(folder.path(), &["policy", "show"]).stdout);
    assert_eq!(shown.matches("defaults").count(), 14, "{shown}");
    let ended = hostler(folder.path(), &["policy", "check"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(text(&ended.stderr).contains("policies.folder"));
}

#[test]
fn faults_of_policies_are_told_with_their_place_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("hostler.toml"),
        "[policies]\nfolder = 'policies'\n",
    )
    .unwrap();
    let check = |words: &[&str]| hostler(folder.path(), &[&["policy", "check"], words].concat());
    let gone = check(&[]);
    assert_eq!(gone.status.code(), Some(3));
    assert!(text(&gone.stderr).contains("the folder of policies policies"));
    put(folder.path(), "README.md", "not a policy");
    put(folder.path(), "fit.yaml", "fit: { default: 20m }\n");
    let good = check(&[]);
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    assert!(text(&good.stderr).contains("defaults hold for: budgets.yaml, classes.yaml"));
    put(folder.path(), "fit.yaml", "fit: { default: soon }\n");
    put(folder.path(), "clases.yml", "classes: {}\n");
    let bad = check(&[]);
    let told = text(&bad.stderr);
    assert_eq!(bad.status.code(), Some(3));
    assert!(
        told.contains("fit.yaml:1:17: HP030 default `soon`"),
        "{told}"
    );
    assert!(told.contains("did you mean `classes.yaml`?"), "{told}");
}

#[test]
fn people_are_compared_with_the_estate_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let people = "people:\n  ada: { name: Ada, mail: ada@platform.example }\n";
    std::fs::write(
        folder.path().join("estate.yaml"),
        "realm: main\nzone: UTC\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("people.yaml"), people).unwrap();
    put(folder.path(), "roles.yaml", "roles:\n  ciso: eda\n");
    let check = |words: &[&str]| {
        let words = [&["policy", "check", "policies"], words].concat();
        let ended = hostler(folder.path(), &words);
        (ended.status.code(), text(&ended.stderr))
    };
    let (code, told) = check(&[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains("HP020 there is no person `eda`; did you mean `ada`?"),
        "{told}"
    );
    assert_eq!(check(&["--no-estate"]).0, Some(0));
}

#[test]
fn a_policy_that_is_none_is_answered_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let ended = hostler(folder.path(), &["policy", "show", "clases"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(text(&ended.stderr).contains("did you mean classes?"));
}
