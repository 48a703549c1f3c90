//! `hostler token step-up`: second factors made, listed and taken away, without a running engine.

use super::{hostler, text, top};
use std::path::Path;

/// The practice estate in this folder.
pub fn estate(folder: &Path) {
    for name in ["estate.yaml", "people.yaml"] {
        let from = top().join("engine/estate/practice").join(name);
        let text = std::fs::read_to_string(from).unwrap();
        std::fs::write(folder.join(name), text.replace(":PORT/", ":9/")).unwrap();
    }
}

fn listed(folder: &Path) -> serde_json::Value {
    let ended = hostler(folder, &["token", "list", "-o", "json"]);
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn a_second_factor_is_shown_once_listed_by_a_word_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    estate(folder.path());
    let step_up = |words: &[&str]| hostler(folder.path(), &[&["token", "step-up"], words].concat());
    let made = step_up(&["olga"]);
    let shown = text(&made.stdout);
    let lines: Vec<&str> = shown.lines().collect();
    let [uri, secret] = lines[..] else {
        panic!("{shown} {}", text(&made.stderr))
    };
    assert!(uri.starts_with("otpauth://totp/Hostler%20"), "{uri}");
    assert!(uri.contains(&format!(":olga?secret={secret}&")), "{uri}");
    assert_eq!(secret.len(), 32, "160 bits of base32");
    let told = text(&made.stderr);
    assert!(
        told.contains("not shown again") && !told.contains(secret),
        "{told}"
    );
    let again = step_up(&["olga"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("step-up olga --remove"));
    let unknown = step_up(&["olgaa"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean olga?"));
    // Whoever decides by links has no token.
    let all = listed(folder.path());
    assert_eq!(
        all,
        serde_json::json!([{ "person": "olga", "step_up": true }])
    );
    assert!(
        hostler(folder.path(), &["token", "new", "carla"])
            .status
            .success()
    );
    let all = listed(folder.path());
    assert_eq!(
        (&all[0]["person"], &all[0]["step_up"]),
        (&"carla".into(), &false.into())
    );
    assert!(!all.to_string().contains(secret));
    assert!(step_up(&["olga", "--remove"]).status.success());
    assert_eq!(listed(folder.path()).as_array().unwrap().len(), 1);
    let anew = text(&step_up(&["olga"]).stdout);
    assert!(!anew.is_empty() && !anew.contains(secret));
}

#[test]
fn the_doctor_says_who_could_approve_nothing_and_whose_secrets_others_read() {
    let folder = tempfile::tempdir().unwrap();
    estate(folder.path());
    let policies = folder.path().join("policies");
    std::fs::create_dir(&policies).unwrap();
    let classes = "classes:\n  emergency: { step_up: totp }\n";
    std::fs::write(policies.join("classes.yaml"), classes).unwrap();
    let settings = "[policies]\nfolder = 'policies'\n";
    std::fs::write(folder.path().join("hostler.toml"), settings).unwrap();
    let finding = || {
        let ended = hostler(folder.path(), &["doctor", "-o", "json"]);
        let all: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        let all = all.as_array().unwrap().clone();
        let mut found = all.into_iter().filter(|one| one["part"] == "step-up");
        let one = found.next().unwrap();
        (
            one["state"].clone(),
            one["text"].as_str().unwrap().to_owned(),
        )
    };
    let (state, said) = finding();
    assert_eq!(state, "warn");
    assert!(
        said.contains("emergency: hostler token step-up PERSON"),
        "{said}"
    );
    assert!(
        hostler(folder.path(), &["token", "step-up", "olga"])
            .status
            .success()
    );
    let (state, said) = finding();
    assert_eq!(state, "good");
    assert!(said.contains("1 people are enrolled"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("step-up.toml");
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
        let (state, said) = finding();
        assert_eq!(state, "bad");
        assert!(said.contains("chmod 600"), "{said}");
    }
}
