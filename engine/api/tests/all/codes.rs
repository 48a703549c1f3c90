//! Codes against the vectors of the RFCs; secrets and codes that nothing shows.
//!
//! Not here: whether a code still counts.

use hostler_api::step_up::{Enrolled, Passcode, Secret, step};
use hostler_ports::store::memory::CountedIds;
use serde_json::json;

/// RFC 6238, appendix B, SHA-1: seconds since 1970, and the code of eight digits.
const VECTORS: [(i64, &str); 6] = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
];
/// RFC 4226, appendix D: the codes of the first ten numbers.
const FIRST: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
    "520489",
];
/// `12345678901234567890`, the secret of both.
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn secret() -> Secret {
    let text = format!("[[person]]\nid = \"ada\"\nsecret = \"{SECRET}\"\n");
    let enrolled = Enrolled::parse(&text).unwrap();
    enrolled.secret("ada").unwrap().clone()
}

#[test]
fn codes_are_those_of_the_rfcs() {
    for (seconds, code) in VECTORS {
        // Six digits are the last six of eight.
        assert_eq!(json!(secret().code(step(seconds * 1_000))), code[2..]);
    }
    for (number, code) in (0..).zip(FIRST) {
        assert_eq!(json!(secret().code(number)), code);
    }
}

#[test]
fn a_code_is_six_digits_and_nothing_shows_it() {
    assert_eq!(json!(Passcode::parse("007 081")), "007081");
    for other in ["", "12345", "1234567", "12345a", "+12345", "１２３４５６"] {
        assert_eq!(Passcode::parse(other), None, "{other}");
    }
    let code: Passcode = serde_json::from_str("\"007081\"").unwrap();
    assert_eq!(format!("{code:?}"), "Passcode(…)");
    for wrong in ["7081", "\"70813x\"", "{\"a\":\"708131\"}", "[708131]"] {
        let fault = serde_json::from_str::<Passcode>(wrong).unwrap_err();
        let fault = fault.to_string();
        assert!(
            fault.contains("six digits") && !fault.contains("708"),
            "{fault}"
        );
    }
}

#[test]
fn the_file_keeps_each_secret_once_and_no_error_shows_one() {
    let (mut enrolled, ids) = (Enrolled::default(), CountedIds::default());
    let (olga, pat) = (enrolled.enrol(&ids, "olga"), enrolled.enrol(&ids, "pat"));
    assert_ne!(olga, pat);
    assert_eq!(format!("{olga:?} {enrolled:?}").matches('…').count(), 3);
    let text = enrolled.to_text().unwrap();
    let mut read = Enrolled::parse(&text).unwrap();
    assert_eq!(read, enrolled);
    assert_eq!(read.secret("olga"), Some(&olga));
    assert!(read.remove("olga") && !read.remove("olga") && !read.has("olga"));
    assert_eq!(read.people().collect::<Vec<_>>(), ["pat"]);
    let secret = olga.text();
    let entry = format!("[[person]]\nid = \"olga\"\nsecret = \"{secret}\"\n");
    for (broken, why) in [
        (entry.replace("secret =", "secrets ="), "line"),
        (entry.replace(&format!("{secret}\""), &secret), "line"),
        (entry.replace(&secret, &secret[1..]), "the secret of olga"),
        (format!("{entry}{entry}"), "olga stands there twice"),
    ] {
        let fault = Enrolled::parse(&broken).unwrap_err().to_string();
        assert!(fault.contains(why), "{fault}");
        assert!(!fault.contains(&secret[1..8]), "{fault}");
    }
}

#[test]
fn apps_read_whose_secret_it_is_and_what_it_makes() {
    assert_eq!(
        secret().uri("main", "ada b"),
        format!(
            "otpauth://totp/Hostler%20main:ada%20b?secret={SECRET}&issuer=Hostler%20main&algorithm=SHA1&digits=6&period=30"
        )
    );
    assert_eq!(secret().text(), SECRET);
}
