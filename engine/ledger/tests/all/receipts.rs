//! Receipts: what a customer keeps and checks with the public key alone.

use crate::support::{Files, entries, entry, public, sealed};
use hostler_ledger::checkpoint::CheckpointError;
use hostler_ledger::entry::{BODY_INLINE_MAX_BYTES, Body, Entry};
use hostler_ledger::key::SigningKey;
use hostler_ledger::receipt::{ENTRIES_MAX, Receipt, ReceiptError};
use proptest::prelude::*;

fn receipt(count: u64, indexes: &[u64]) -> Receipt {
    let all = entries(count);
    Receipt::make(&sealed(&all), &public(), indexes).unwrap()
}

#[test]
fn told_at_one_instant_and_agreed_at_another() {
    let text = receipt(700, &[12, 699]).to_text();
    let told = Receipt::parse(&text).unwrap().verify(&public()).unwrap();
    let found: Vec<(u64, i64)> = told
        .iter()
        .map(|told| (told.entry.number, told.entry.at_ms))
        .collect();
    assert_eq!(found, [(12, 1_790_000_000_012), (699, 1_790_000_000_699)]);
    assert_eq!(Body::Here(told[1].body.clone()), entry(699).body);
}

#[test]
fn there_is_no_receipt_before_an_entry_is_sealed() {
    let folder = sealed(&entries(300));
    let early = Receipt::make(&folder, &public(), &[299, 300]);
    let not_sealed = ReceiptError::NotSealed {
        index: 300,
        size: 300,
    };
    assert_eq!(early, Err(not_sealed));
    let nowhere = Receipt::make(&Files::new(), &public(), &[0]);
    assert!(matches!(nowhere, Err(ReceiptError::Node(_))), "{nowhere:?}");
}

#[test]
fn no_receipt_is_made_of_a_folder_that_was_changed() {
    let all = entries(300);
    let mut folder: Files = sealed(&all);
    let bundle = folder.get_mut("tile/entries/000").unwrap();
    let place = bundle.len() / 2;
    bundle[place] = b'!';
    let made = (0..256).map(|index| Receipt::make(&folder, &public(), &[index]));
    let refused = made.filter(Result::is_err).count();
    assert_eq!(refused, 1);
}

#[test]
fn a_receipt_of_another_key_or_of_nothing_is_refused() {
    let mut other = receipt(3, &[1]);
    let key = SigningKey::from_seed("main", [9; 32]).unwrap();
    let verified = other.verify(key.verifier());
    assert!(matches!(
        verified,
        Err(ReceiptError::Checkpoint(CheckpointError::Unsigned(_)))
    ));
    other.entries.clear();
    assert_eq!(other.verify(&public()), Err(ReceiptError::Count(0)));
    let all = entries(3);
    let many = vec![0; ENTRIES_MAX + 1];
    let made = Receipt::make(&sealed(&all), &public(), &many);
    assert_eq!(made, Err(ReceiptError::Count(ENTRIES_MAX + 1)));
    for text in [
        "",
        "{}",
        "[]",
        "{\"format\":\"hostler-receipt/2\",\"entries\":[],\"checkpoint\":\"\"}",
    ] {
        assert!(
            matches!(Receipt::parse(text), Err(ReceiptError::Malformed(_))),
            "{text}"
        );
    }
}

#[test]
fn a_long_body_travels_with_its_receipt() {
    let long = "y".repeat(BODY_INLINE_MAX_BYTES + 1);
    let (body, file) = Body::of(long.clone()).unwrap();
    let all = vec![entry(0).to_bytes(), Entry { body, ..entry(1) }.to_bytes()];
    let mut folder = sealed(&all);
    let hostler_ledger::folder::File { path, bytes } = file.unwrap();
    let made = Receipt::make(&folder, &public(), &[1]);
    assert_eq!(made, Err(ReceiptError::Body(1)));
    folder.insert(path, bytes);
    let mut receipt = Receipt::make(&folder, &public(), &[1]).unwrap();
    assert_eq!(receipt.verify(&public()).unwrap()[0].body, long);
    receipt.entries[0].body = Some(long.replace("yyy", "yny"));
    assert_eq!(receipt.verify(&public()), Err(ReceiptError::Body(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_receipt_with_any_changed_letter_proves_nothing_else(count in 1u64..300, at in any::<u64>(), place in any::<usize>(), with in "[ -~]") {
        let receipt = receipt(count, &[at % count]);
        let before = receipt.verify(&public()).unwrap();
        let text = receipt.to_text();
        let places: Vec<usize> = text.char_indices().filter(|(_, c)| c.is_ascii()).map(|(at, _)| at).collect();
        let place = places[place % places.len()];
        let changed = format!("{}{with}{}", &text[..place], &text[place + 1..]);
        // White space of the file may change; what it proves may not.
        if let Ok(receipt) = Receipt::parse(&changed)
            && let Ok(after) = receipt.verify(&public())
        {
            prop_assert_eq!(before, after);
        }
    }
}
