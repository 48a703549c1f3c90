//! Keys and checkpoints: the published example of signed notes, and texts that are refused.

use crate::support::{checkpoint, entries, key, public};
use hostler_ledger::checkpoint::{CHECKPOINT_MAX_BYTES, Checkpoint, CheckpointError};
use hostler_ledger::key::{KeyError, SigningKey, VerifierKey};
use proptest::prelude::*;

const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_PRIVATE: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const NEUMANN_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                            then you don't know what your problem is.\n";
const NEUMANN_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

#[test]
fn the_published_note_is_signed_by_the_published_key() {
    use base64::Engine as _;
    let key = SigningKey::parse(NEUMANN_PRIVATE).unwrap();
    assert_eq!(key.verifier().to_string(), NEUMANN);
    assert_eq!(key.to_private_text(), format!("{NEUMANN_PRIVATE}\n"));
    let mut signature = key.verifier().id().to_vec();
    signature.extend(key.sign(NEUMANN_TEXT.as_bytes()));
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    assert_eq!(signature, NEUMANN_SIGNATURE);
}

#[test]
fn texts_that_are_no_keys_are_refused() {
    let (public, private) = (NEUMANN.to_owned(), NEUMANN_PRIVATE);
    assert_eq!(VerifierKey::parse(&public).unwrap().name(), "PeterNeumann");
    for text in [
        "",
        "main",
        "main+00000000",
        private,
        &public[..public.len() - 1],
    ] {
        assert_eq!(VerifierKey::parse(text), Err(KeyError::Public), "{text}");
    }
    let other = public.replace("c74f20a3", "c74f20a4");
    assert_eq!(
        VerifierKey::parse(&other),
        Err(KeyError::Id("PeterNeumann".into()))
    );
    let renamed = public.replace("Peter", "Paul");
    assert!(matches!(VerifierKey::parse(&renamed), Err(KeyError::Id(_))));
    assert!(SigningKey::parse(&public).is_err());
    for name in [
        "",
        "two words",
        "a+b",
        "line\n",
        "\u{2003}",
        &"x".repeat(256),
    ] {
        assert!(
            matches!(SigningKey::from_seed(name, [1; 32]), Err(KeyError::Name(_))),
            "{name}"
        );
    }
}

#[test]
fn a_checkpoint_is_three_lines_and_a_signature() {
    let signed = checkpoint(&entries(3));
    let lines: Vec<&str> = signed.text().lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("main", "3", ""));
    assert!(lines[4].starts_with("\u{2014} main "));
    assert_eq!(lines.len(), 5);
    let opened = Checkpoint::open(signed.text().as_bytes(), &public()).unwrap();
    assert_eq!(opened, signed);
    assert_eq!(opened.origin(), "main");
}

#[test]
fn signatures_of_others_are_passed_over_and_one_of_ours_must_hold() {
    let signed = checkpoint(&entries(3));
    let witness = format!("\u{2014} witness.example {}\n", "AAAAAAAA");
    let both = format!("{}{witness}", signed.text());
    assert_eq!(
        Checkpoint::open(both.as_bytes(), &public()).unwrap().head(),
        signed.head()
    );
    let body = signed.text().split_once("\n\n").unwrap().0;
    let theirs = format!("{body}\n\n{witness}");
    let opened = Checkpoint::open(theirs.as_bytes(), &public());
    assert!(
        matches!(opened, Err(CheckpointError::Unsigned(_))),
        "{opened:?}"
    );
    let forged = signed.text().replace("\n3\n", "\n4\n");
    let opened = Checkpoint::open(forged.as_bytes(), &public());
    assert!(
        matches!(opened, Err(CheckpointError::Forged(_))),
        "{opened:?}"
    );
}

#[test]
fn a_key_of_another_realm_or_of_another_year_does_not_count() {
    let signed = checkpoint(&entries(3));
    for (name, seed) in [("main", 8), ("other", 7)] {
        let other = SigningKey::from_seed(name, [seed; 32]).unwrap();
        let opened = Checkpoint::open(signed.text().as_bytes(), other.verifier());
        assert!(
            matches!(opened, Err(CheckpointError::Unsigned(_))),
            "{name}"
        );
    }
    // The right key under a checkpoint that names another realm.
    let text = signed.text().replacen("main", "prod", 1);
    let body = &text[..text.find("\n\n").unwrap() + 1];
    let mut signature = public().id().to_vec();
    signature.extend(key().sign(body.as_bytes()));
    use base64::Engine as _;
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    let text = format!("{body}\n\u{2014} main {signature}\n");
    let opened = Checkpoint::open(text.as_bytes(), &public());
    assert!(
        matches!(opened, Err(CheckpointError::Origin { .. })),
        "{opened:?}"
    );
}

#[test]
fn other_ways_of_writing_a_checkpoint_are_refused() {
    let good = checkpoint(&entries(3)).text().to_owned();
    let bad = [
        good.replace("\n3\n", "\n03\n"),
        good.replace("\n3\n", "\n+3\n"),
        good.replace("\n3\n", "\n\n"),
        good.replace('\n', "\r\n"),
        good.replacen("\n\n", "\nan extension\n\n", 1),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("\n{good}"),
        good.replace("\u{2014}", "-"),
        good.replacen("main", "", 1),
        good.replace("=\n\n", "\n\n"),
        good.split_once("\n\n").unwrap().0.to_owned() + "\n\n",
        String::new(),
    ];
    for text in bad {
        let opened = Checkpoint::open(text.as_bytes(), &public());
        assert!(
            matches!(opened, Err(CheckpointError::Malformed { .. })),
            "{text:?}: {opened:?}"
        );
    }
    let long = vec![b'x'; CHECKPOINT_MAX_BYTES + 1];
    let opened = Checkpoint::open(&long, &public());
    assert_eq!(
        opened,
        Err(CheckpointError::TooLong(CHECKPOINT_MAX_BYTES + 1))
    );
}

proptest! {
    #[test]
    fn a_checkpoint_with_any_changed_bit_is_refused(count in 0u64..50, at in any::<usize>(), bit in 0u8..8) {
        let mut text = checkpoint(&entries(count)).text().as_bytes().to_vec();
        let place = at % text.len();
        text[place] ^= 1 << bit;
        prop_assert!(Checkpoint::open(&text, &public()).is_err());
    }

    #[test]
    fn reading_any_text_as_a_checkpoint_ends(text in "\\PC*") {
        prop_assert!(Checkpoint::open(text.as_bytes(), &public()).is_err());
        prop_assert!(VerifierKey::parse(&text).is_err());
        prop_assert!(SigningKey::parse(&text).is_err());
    }
}

#[test]
fn what_a_checkpoint_says_is_read_without_the_key_but_only_for_its_realm() {
    let made = checkpoint(&entries(3));
    let text = made.text().as_bytes();
    let realm = public().name().to_owned();
    assert_eq!(Checkpoint::said(text, &realm), Ok(made.head()));
    let other = Checkpoint::said(text, "another");
    assert!(matches!(other, Err(CheckpointError::Origin { .. })));
    let cut = Checkpoint::said(&text[..20], &realm);
    assert!(matches!(cut, Err(CheckpointError::Malformed { .. })));
}
