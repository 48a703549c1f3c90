//! One entry is written in one way.

use crate::support::entry;
use hostler_ledger::bundle::ENTRY_MAX_BYTES;
use hostler_ledger::entry::{
    BODY_INLINE_MAX_BYTES, BODY_MAX_BYTES, Body, Entry, EntryError, MacKey,
};
use proptest::prelude::*;

#[test]
fn an_entry_is_text_that_people_can_read() {
    let text = String::from_utf8(entry(12).to_bytes()).unwrap();
    assert_eq!(
        text,
        "hostler-ledger-entry/1\nnumber 12\nlane lane-2\nversion 2\nat_ms 1790000000012\nmac -\n\
         body 33\n\n{\"event\":\"vote_cast\",\"number\":12}"
    );
}

#[test]
fn other_ways_of_writing_an_entry_are_refused() {
    let good = String::from_utf8(entry(12).to_bytes()).unwrap();
    assert_eq!(Entry::parse(good.as_bytes()), Ok(entry(12)));
    let bad = [
        good.replace("entry/1", "entry/2"),
        good.replace("number 12\nlane", "number 012\nlane"),
        good.replace("number 12\nlane", "number -12\nlane"),
        good.replace("at_ms 1", "at_ms +1"),
        good.replace("lane lane-2", "lane "),
        good.replace("lane lane-2", "lane a b"),
        good.replace("lane lane-2\n", ""),
        good.replace("mac -", "mac AAAA"),
        good.replace("body 33", "body 34"),
        good.replace("body 33", "body 33\nmore"),
        good.replace("body 33", "body-sha256 00 33"),
        format!("{good} "),
        good.replace("\n\n", "\n"),
        good.replacen('\n', "\r\n", 1),
        String::new(),
    ];
    for text in bad {
        assert!(Entry::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(Entry::parse(&[0xff, 0xfe]).is_err());
}

#[test]
fn a_long_body_lies_beside_its_entry() {
    let (short, file) = Body::of("x".repeat(BODY_INLINE_MAX_BYTES)).unwrap();
    assert!(matches!(short, Body::Here(_)) && file.is_none());
    let (long, file) = Body::of("x".repeat(BODY_INLINE_MAX_BYTES + 1)).unwrap();
    let hostler_ledger::folder::File { path, bytes } = file.unwrap();
    assert!(path.starts_with("body/") && bytes.len() == BODY_INLINE_MAX_BYTES + 1);
    for body in [short, long] {
        let entry = Entry { body, ..entry(3) };
        let bytes = entry.to_bytes();
        assert!(bytes.len() <= ENTRY_MAX_BYTES);
        assert_eq!(Entry::parse(&bytes), Ok(entry));
    }
    let too_long = Body::of("x".repeat(BODY_MAX_BYTES + 1));
    assert_eq!(too_long, Err(EntryError::BodyTooLong(BODY_MAX_BYTES + 1)));
}

#[test]
fn the_mac_is_over_lane_version_and_body() {
    let key = MacKey::new(&[1; 32]);
    let mut signed = entry(12);
    assert!(!signed.mac_holds(&key), "none is none that holds");
    let mac = Entry::mac_of(&key, signed.lane.as_deref(), signed.version, &signed.body);
    signed.mac = Some(mac);
    let parsed = Entry::parse(&signed.to_bytes()).unwrap();
    assert!(parsed.mac_holds(&key));
    // The store gives number and instant after the writer is done.
    assert!(
        Entry {
            number: 13,
            at_ms: 0,
            ..signed.clone()
        }
        .mac_holds(&key)
    );
    assert!(!parsed.mac_holds(&MacKey::new(&[2; 32])));
    let changed = [
        Entry {
            lane: None,
            ..signed.clone()
        },
        Entry {
            version: 3,
            ..signed.clone()
        },
        Entry {
            body: Body::Here("{}".into()),
            ..signed.clone()
        },
    ];
    assert!(changed.iter().all(|entry| !entry.mac_holds(&key)));
}

proptest! {
    #[test]
    fn every_entry_is_read_as_it_was_written(
        number in any::<u64>(), lane in prop::option::of("[0-9a-f]{8}-[0-9a-f]{4}"), version in any::<u64>(),
        at_ms in any::<i64>(), mac in prop::option::of(any::<[u8; 32]>()), body in "\\PC*|(\n|a)*",
    ) {
        let (body, _) = Body::of(body).unwrap();
        let entry = Entry { number, lane, version, at_ms, mac, body };
        prop_assert_eq!(Entry::parse(&entry.to_bytes()), Ok(entry));
    }

    #[test]
    fn what_is_read_is_what_lies_there(bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<usize>()) {
        prop_assert!(Entry::parse(&bytes).is_err());
        // Changed in one place: refused, or another entry. Never the same one.
        let mut text = entry(12).to_bytes();
        let place = at % text.len();
        text[place] = text[place].wrapping_add(1);
        if let Ok(other) = Entry::parse(&text) {
            prop_assert_eq!(other.to_bytes(), text);
            prop_assert_ne!(other, entry(12));
        }
    }
}
