//! The ledger from the command line: keys, and verification without engine or settings.

use super::{hostler, text};
use hostler_core::consent::Consent;
use hostler_core::event::{Event, FORMAT, Recorded};
use hostler_core::id::RunId;
use std::path::Path;

/// A folder of 300 sealed entries, under a key that the program has made.
fn sealed_ledger(folder: &Path) {
    sealed(folder, (0..300).map(|number| format!("told {number}")));
}

/// The same of these.
fn sealed(folder: &Path, bodies: impl Iterator<Item = String>) {
    use hostler_ledger::entry::{Body, Entry};
    use hostler_ledger::{checkpoint::Checkpoint, growth::Growth, key::SigningKey, proof::Head};
    let text = std::fs::read_to_string(folder.join("ledger.key")).unwrap();
    let key = SigningKey::parse(&text).unwrap();
    let mut growth = Growth::default();
    for (number, body) in (0..).zip(bodies) {
        let entry = Entry {
            number,
            lane: None,
            version: 0,
            at_ms: 1_790_000_000_000,
            mac: None,
            body: Body::Here(body),
        };
        growth.append(&entry.to_bytes()).unwrap();
    }
    for file in growth.files() {
        let path = folder.join("ledger").join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    let (size, root) = (growth.size(), growth.root());
    let checkpoint = Checkpoint::sign(&key, Head { size, root });
    for name in ["ledger/checkpoint", "kept"] {
        std::fs::write(folder.join(name), checkpoint.text()).unwrap();
    }
}

#[test]
fn a_key_of_the_ledger_is_secret_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["ledger", "key", "new", "ledger.key", "--realm", "prod"];
    let made = hostler(folder.path(), &words);
    let line = text(&made.stdout);
    assert!(line.starts_with("prod+"), "{line}{}", text(&made.stderr));
    let public = std::fs::read_to_string(folder.path().join("ledger.key.pub")).unwrap();
    assert_eq!(line.trim(), public.trim());
    let path = folder.path().join("ledger.key");
    let private = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = hostler(folder.path(), &words);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), private);
    let other = hostler(
        folder.path(),
        &["ledger", "key", "new", "x", "--realm", "a b"],
    );
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stderr));
}

#[test]
fn a_ledger_is_verified_without_engine_or_settings() {
    let folder = tempfile::tempdir().unwrap();
    let words = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let ended = hostler(folder.path(), &words);
        let told = text(&ended.stdout) + &text(&ended.stderr);
        (ended.status.code(), told)
    };
    // A setting that is none: nothing here reads any.
    std::fs::write(folder.path().join("hostler.toml"), "[none]\n").unwrap();
    assert_eq!(words("ledger key new ledger.key").0, Some(0));
    sealed_ledger(folder.path());
    let verify = "ledger verify ledger --key ledger.key.pub --checkpoint kept";
    let (code, told) = words(verify);
    assert!(code == Some(0) && told.starts_with("300 entries"), "{told}");
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let (code, told) = words(&verify.replace("kept", "elsewhere"));
    assert!(code == Some(2) && told.contains("*.checkpoint"), "{told}");
    let exported = folder.path().join("elsewhere/300.checkpoint");
    std::fs::copy(folder.path().join("kept"), exported).unwrap();
    let (code, told) = words(&verify.replace("kept", "elsewhere"));
    assert!(code == Some(0) && told.contains("checkpoints 2"), "{told}");
    let (code, told) = words("ledger receipt ledger --key ledger.key.pub --entry 7 --entry 270");
    assert_eq!(code, Some(0), "{told}");
    std::fs::write(folder.path().join("receipt.json"), &told).unwrap();
    let (code, told) = words("ledger verify receipt.json --key ledger.key.pub");
    assert!(code == Some(0) && told.contains("told 270"), "{told}");
    let bundle = folder.path().join("ledger/tile/entries/000");
    let bytes = text(&std::fs::read(&bundle).unwrap());
    std::fs::write(&bundle, bytes.replace("told 123", "sold 123")).unwrap();
    let (code, told) = words(verify);
    assert!(
        code == Some(3) && told.contains("entry 123 was changed"),
        "{told}"
    );
    let (code, told) = words(&format!("{verify} -o json"));
    assert!(
        code == Some(3) && told.contains("\"first_bad\": 123"),
        "{told}"
    );
    for (wrong, part) in [
        ("ledger verify nowhere --key ledger.key.pub", "nowhere"),
        ("ledger verify ledger --key ledger.key", "no public key"),
        ("ledger verify ledger --key missing", "missing"),
        ("ledger verify receipt.json --key kept", "no public key"),
    ] {
        let (code, told) = words(wrong);
        assert!(code != Some(0) && told.contains(part), "{wrong}: {told}");
    }
}

/// A customer has agreed or objected, as the ledger has it.
fn consent(customer: &str, by: &str, word_of: Option<&str>, agrees: bool) -> String {
    let consent = Consent {
        customer: customer.to_owned(),
        agrees,
        by: by.to_owned(),
        word_of: word_of.map(str::to_owned),
        via: None,
        reason: (!agrees).then(|| "the term ends".to_owned()),
    };
    let recorded = Recorded {
        format: FORMAT,
        at_ms: 1_790_000_000_000,
        event: Event::ConsentDecided {
            consent: Box::new(consent),
        },
    };
    let run = RunId(Default::default());
    serde_json::json!({ "entry": recorded, "lane": run.root(), "run": run }).to_string()
}

#[test]
fn a_receipt_proves_what_a_customers_people_said_of_a_run_and_nothing_of_another_customer() {
    let folder = tempfile::tempdir().unwrap();
    super::step_up::estate(folder.path());
    let words = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let ended = hostler(folder.path(), &words);
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        text(&ended.stdout)
    };
    words("ledger key new ledger.key");
    let bodies = [
        consent("chemistry", "chloe", None, false),
        consent("physics", "petra", None, true),
        consent("chemistry", "olga", Some("carlos"), true),
    ];
    sealed(folder.path(), bodies.into_iter());
    let receipt = words("ledger receipt ledger --key ledger.key.pub --customer chemistry");
    std::fs::write(folder.path().join("receipt.json"), receipt).unwrap();
    let told = words("ledger verify receipt.json --key ledger.key.pub");
    let parts = [
        "entry 0, ",
        r#""agrees":false"#,
        r#""by":"chloe""#,
        r#""reason":"the term ends""#,
        "entry 2, ",
        r#""agrees":true"#,
        r#""by":"olga""#,
        r#""word_of":"carlos""#,
    ];
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(
        !told.contains("petra") && !told.contains("entry 1, "),
        "{told}"
    );
}

#[test]
fn a_new_folder_of_the_ledger_begins_with_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let words = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let ended = hostler(folder.path(), &words);
        let told = text(&ended.stdout) + &text(&ended.stderr);
        (ended.status.code(), told)
    };
    assert_eq!(words("ledger key new ledger.key").0, Some(0));
    sealed_ledger(folder.path());
    let (code, told) = words("ledger begin ledger new --below 270 --key ledger.key");
    assert!(code == Some(0) && told.contains("270 entries"), "{told}");
    let (code, told) = words("ledger verify new --key ledger.key.pub");
    assert!(code == Some(0) && told.starts_with("270 entries"), "{told}");
    let (code, told) = words("ledger begin ledger other --below 301 --key ledger.key");
    assert!(
        code != Some(0) && told.contains("ends before entry 300"),
        "{told}"
    );
}
