//! Every way of tampering is found, and the first bad entry is named. The attacker has the folder, and
//! rewrites as much of it as he likes; he has no key, unless a test says so.

use crate::support::{
    Files, checkpoint, entries, entry, fault, grown, key, public, report, rewritten, sealed,
};
use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::entry::{BODY_INLINE_MAX_BYTES, Body, Entry};
use hostler_ledger::tile::CHECKPOINT;
use hostler_ledger::verify::{Fault, Kind, VerifyError, verify};
use proptest::prelude::*;

/// A ledger of 700 entries that was sealed at 300, 500 and 700.
fn world() -> (Vec<Vec<u8>>, Files, Vec<Checkpoint>) {
    let all = entries(700);
    let exported = [300, 500, 700].map(|size| checkpoint(&all[..size]));
    let folder = sealed(&all);
    (all, folder, exported.to_vec())
}

fn edited(number: u64) -> Vec<u8> {
    let body = Body::Here("{\"event\":\"nothing happened\"}".into());
    Entry {
        body,
        ..entry(number)
    }
    .to_bytes()
}

fn exact(kind: Kind, index: u64) -> Fault {
    Fault {
        kind,
        index,
        sure_to: index,
    }
}

#[test]
fn a_sound_folder_is_found_sound() {
    let (_, folder, exported) = world();
    let found = report(&folder, &exported);
    assert_eq!((found.fault, found.checkpoints), (None, 4));
    assert_eq!(found.head, exported[2].head());
    assert_eq!(report(&folder, &[]).fault, None);
    let empty = sealed(&[]);
    assert_eq!(report(&empty, &[checkpoint(&[])]).fault, None);
}

#[test]
fn an_edited_entry_is_named() {
    let (all, folder, exported) = world();
    for index in [0, 255, 256, 511, 620, 699] {
        let mut bad = all.clone();
        bad[usize::try_from(index).unwrap()] = edited(index);
        let found = fault(&rewritten(&folder, &bad, false), &exported);
        assert_eq!(found, exact(Kind::Edited, index));
        // The folder's own checkpoint is enough, while it is there.
        let found = fault(&rewritten(&folder, &bad, false), &[]);
        assert_eq!(found, exact(Kind::Edited, index));
    }
}

#[test]
fn a_deleted_entry_is_named() {
    let (all, folder, exported) = world();
    for index in [0usize, 256, 620] {
        let mut bad = all.clone();
        bad.remove(index);
        let found = fault(&rewritten(&folder, &bad, false), &exported);
        let kind = Kind::Misplaced {
            found: index as u64 + 1,
        };
        assert_eq!(found, exact(kind, index as u64));
    }
}

#[test]
fn two_entries_that_changed_places_are_named() {
    let (all, folder, exported) = world();
    let mut bad = all;
    bad.swap(310, 640);
    let found = fault(&rewritten(&folder, &bad, false), &exported);
    assert_eq!(found, exact(Kind::Misplaced { found: 640 }, 310));
}

#[test]
fn a_tail_that_was_cut_off_is_named() {
    let (all, folder, exported) = world();
    for length in [699usize, 512, 511, 3] {
        let found = fault(&rewritten(&folder, &all[..length], false), &exported);
        assert!(matches!(found.kind, Kind::Missing { .. }), "{found:?}");
        assert_eq!((found.index, found.exact()), (length as u64, true));
        // With the hashes gone as well, only the older checkpoints vouch for what is left.
        let found = fault(&rewritten(&folder, &all[..length], true), &exported);
        let sure_to = [0, 300, 500]
            .into_iter()
            .filter(|size| *size <= length as u64)
            .max();
        assert_eq!((found.index, Some(found.sure_to)), (length as u64, sure_to));
    }
}

#[test]
fn a_restored_old_backup_is_named() {
    let (all, _, exported) = world();
    let backup = sealed(&all[..640]);
    let found = fault(&backup, &exported);
    assert_eq!(found, exact(Kind::Behind { size: 700 }, 640));
    assert_eq!(report(&backup, &exported).head, grown(&all[..640]).1);
}

#[test]
fn a_restored_backup_that_went_on_is_a_fork() {
    let (all, _, exported) = world();
    // Restored at 400, and then other things happened, under the same key.
    let mut other = all[..400].to_vec();
    other.extend((400..800).map(edited));
    let found = fault(&sealed(&other), &exported);
    assert_eq!(found.kind, Kind::Fork { size: 500 });
    assert_eq!((found.index, found.sure_to), (300, 300));
}

#[test]
fn a_ledger_that_was_told_in_two_ways_is_a_fork() {
    let (all, folder, mut exported) = world();
    let mut other = all;
    other[450] = edited(450);
    exported.push(checkpoint(&other[..500]));
    let found = fault(&folder, &exported);
    assert_eq!(found.kind, Kind::Fork { size: 500 });
    assert_eq!((found.index, found.sure_to), (300, 300));
}

#[test]
fn a_rewritten_folder_is_narrowed_to_what_lies_between_two_checkpoints() {
    let (all, folder, exported) = world();
    let mut bad = all;
    bad[450] = edited(450);
    let found = fault(&rewritten(&folder, &bad, true), &exported);
    assert_eq!(found.kind, Kind::Rewritten { size: 500 });
    assert_eq!((found.index, found.sure_to), (300, 300));
    let text = found.to_string();
    assert!(
        text.contains("entry 300") && text.contains("entry 500"),
        "{text}"
    );
}

#[test]
fn a_careless_edit_before_a_careful_one_is_not_hidden() {
    let (all, folder, exported) = world();
    let mut careful = all.clone();
    careful[310] = edited(310);
    let mut bad = rewritten(&folder, &careful, true);
    careful[400] = edited(400);
    bad = rewritten(&bad, &careful, false);
    let found = fault(&bad, &exported);
    assert_eq!((found.index, found.sure_to), (400, 300));
    assert!(found.to_string().contains("from 300 on"), "{found}");
}

#[test]
fn a_checkpoint_that_was_changed_or_removed_does_not_hide_anything() {
    let (all, folder, exported) = world();
    let mut bad = folder.clone();
    bad.insert(
        CHECKPOINT.into(),
        checkpoint(&all[..300]).text().replace("300", "301").into(),
    );
    let found = fault(&bad, &exported[..2]);
    assert!(matches!(found.kind, Kind::Checkpoint { .. }), "{found:?}");
    assert_eq!((found.index, found.sure_to), (500, 500));
    bad.remove(CHECKPOINT);
    let alone = verify(&bad, &public(), &[]);
    assert!(
        matches!(alone, Err(VerifyError::NothingSigned(_))),
        "{alone:?}"
    );
    // An older one of ours, over entries that are all there.
    bad.insert(CHECKPOINT.into(), checkpoint(&all[..300]).text().into());
    let found = fault(&bad, &exported).to_string();
    assert!(
        found.contains("counts 300 entries, an exported one 700"),
        "{found}"
    );
}

#[test]
fn a_long_body_that_was_changed_is_named() {
    let (body, file) = Body::of("z".repeat(BODY_INLINE_MAX_BYTES + 1)).unwrap();
    let hostler_ledger::folder::File { path, bytes } = file.unwrap();
    let mut all = entries(3);
    all[1] = Entry { body, ..entry(1) }.to_bytes();
    let mut folder = sealed(&all);
    assert_eq!(
        fault(&folder, &[]),
        exact(Kind::Body { path: path.clone() }, 1)
    );
    folder.insert(path.clone(), bytes);
    assert_eq!(report(&folder, &[]).fault, None);
    folder.get_mut(&path).unwrap()[7] = b'!';
    assert_eq!(fault(&folder, &[]), exact(Kind::Body { path }, 1));
}

#[test]
fn tiles_above_the_leaves_are_compared_too() {
    let (_, folder, exported) = world();
    for (path, place, index) in [("tile/1/000.p/2", 40, 256), ("tile/0/001", 0, 256)] {
        let mut bad = folder.clone();
        bad.get_mut(path).unwrap()[place] ^= 1;
        let found = fault(&bad, &exported);
        assert!(matches!(found.kind, Kind::Tile { .. }), "{found:?}");
        assert_eq!((found.index, found.exact()), (index, true), "{path}");
        bad.remove(path);
        let found = fault(&bad, &exported);
        assert!(matches!(found.kind, Kind::Tile { .. }), "{found:?}");
    }
}

/// What an attacker does at one place.
#[derive(Clone, Copy, Debug)]
enum Attack {
    Edit,
    Delete,
    Swap,
    Repeat,
    Truncate,
}

/// The entries after an attack, and the first that is bad; with `careful`, each has its number again.
fn attacked(all: &[Vec<u8>], attack: Attack, at: usize, careful: bool) -> (Vec<Vec<u8>>, u64) {
    let mut bad = all.to_vec();
    match attack {
        Attack::Edit => bad[at] = edited(at as u64),
        Attack::Delete => drop(bad.remove(at)),
        Attack::Swap if at + 1 < bad.len() => bad.swap(at, at + 1),
        Attack::Swap => drop(bad.remove(at)),
        Attack::Repeat => bad.insert(at, bad[at].clone()),
        Attack::Truncate => bad.truncate(at),
    }
    // A copy stands behind its entry.
    let first = at as u64 + u64::from(matches!(attack, Attack::Repeat));
    if careful {
        for (number, bytes) in (0u64..).zip(&mut bad) {
            let entry = Entry::parse(bytes).unwrap();
            *bytes = Entry { number, ..entry }.to_bytes();
        }
    }
    (bad, first)
}

fn attack() -> impl Strategy<Value = Attack> {
    prop::sample::select(vec![
        Attack::Edit,
        Attack::Delete,
        Attack::Swap,
        Attack::Repeat,
        Attack::Truncate,
    ])
}

/// Checkpoints that somebody else has kept, the newest last.
fn exported(all: &[Vec<u8>], marks: &[usize]) -> Vec<Checkpoint> {
    let kept = marks.iter().map(|mark| mark % (all.len() + 1));
    kept.chain([all.len()])
        .map(|size| checkpoint(&all[..size]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whoever_changes_entries_is_found_and_the_first_bad_one_is_named(
        count in 1usize..700, at in any::<usize>(), attack in attack(), careful in any::<bool>(), marks in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let all = entries(count as u64);
        let exported = exported(&all, &marks);
        let (bad, first) = attacked(&all, attack, at % count, careful);
        // A copy at the very end is not sealed by anybody.
        prop_assume!(first < count as u64);
        let found = fault(&rewritten(&sealed(&all), &bad, false), &exported);
        prop_assert_eq!((found.index, found.exact()), (first, true), "{}", found);
    }

    #[test]
    fn whoever_rewrites_the_hashes_too_is_found_between_two_checkpoints(
        count in 1usize..700, at in any::<usize>(), attack in attack(), careful in any::<bool>(), marks in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let all = entries(count as u64);
        let exported = exported(&all, &marks);
        let (bad, first) = attacked(&all, attack, at % count, careful);
        // A copy at the very end is not sealed by anybody.
        prop_assume!(first < count as u64);
        let found = fault(&rewritten(&sealed(&all), &bad, true), &exported);
        let sizes = exported.iter().map(|checkpoint| checkpoint.head().size);
        let vouched = sizes.clone().filter(|size| *size <= first).max().unwrap_or(0);
        let next = sizes.filter(|size| *size > first).min().unwrap();
        prop_assert_eq!(found.sure_to, vouched);
        prop_assert!(found.index < next, "{}", found);
        match found.kind {
            Kind::Rewritten { size } => prop_assert_eq!(size, next),
            _ if found.exact() => prop_assert_eq!(found.index, first),
            _ => prop_assert!(found.index >= first, "{}", found),
        }
    }

    #[test]
    fn whoever_has_the_key_and_tells_it_anew_is_found_by_one_exported_checkpoint(
        count in 1usize..600, at in any::<usize>(), attack in attack(), mark in any::<usize>(),
    ) {
        let all = entries(count as u64);
        let at = at % count;
        let (bad, first) = attacked(&all, attack, at, true);
        let kept = usize::try_from(first).unwrap() + 1;
        prop_assume!(kept <= count);
        let size = kept + mark % (count - kept + 1);
        let found = fault(&sealed(&bad), &[checkpoint(&all[..size])]);
        prop_assert!(matches!(found.kind, Kind::Fork { .. } | Kind::Behind { .. }), "{}", found);
        prop_assert!(found.sure_to <= first.max(bad.len() as u64));
    }

    #[test]
    fn any_changed_bit_of_any_file_is_found(count in 1u64..700, file in any::<usize>(), at in any::<usize>(), bit in 0u8..8, lose in any::<bool>()) {
        let all = entries(count);
        let mut folder = sealed(&all);
        let path = folder.keys().nth(file % folder.len()).unwrap().clone();
        if lose {
            folder.remove(&path);
        } else if let Some(bytes) = folder.get_mut(&path) {
            let place = at % bytes.len();
            bytes[place] ^= 1 << bit;
        }
        let found = fault(&folder, &[checkpoint(&all)]);
        prop_assert!(found.index <= count);
        prop_assert!(found.exact(), "{}", found);
    }
}

#[test]
fn a_checkpoint_of_another_realm_does_not_pass() {
    use hostler_ledger::key::SigningKey;
    let other = SigningKey::from_seed("other", [7; 32]).unwrap();
    assert_ne!(other.verifier().id(), key().verifier().id());
    let head = grown(&entries(3)).1;
    let text = Checkpoint::sign(&other, head);
    assert!(Checkpoint::open(text.text().as_bytes(), &public()).is_err());
}
