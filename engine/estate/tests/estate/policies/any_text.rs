//! Whatever is in the files: an answer or faults, never a panic, and nobody absent decides.

use super::{EXAMPLES, read};
use hostler_estate::Faults;
use hostler_estate::policies::{Attributes, FILES, Known};
use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;
use std::fmt::Write as _;

/// What people type, and what breaks readers, separated by commas; a space is added.
const PIECES: &str = ",:,- ,{,},[,],\",',#,none,deny,5bd,0,-1,é,\u{85},\t,\n,~,!,&a,*a,|,99999999999999999999,calendar";

/// A delivered file, changed at a place.
fn typed() -> impl Strategy<Value = (usize, String)> {
    let pieces: Vec<&str> = PIECES.split(',').chain([" "]).collect();
    let pieces = prop::sample::select(pieces);
    let place = any::<prop::sample::Index>();
    (0..EXAMPLES.len(), place, 0..12_usize, pieces).prop_map(|(number, at, gone, piece)| {
        let letters: Vec<char> = EXAMPLES[number].1.chars().collect();
        let at = at.index(letters.len());
        let start: String = letters[..at].iter().collect();
        let rest: String = letters.iter().skip(at + gone).collect();
        (number, start + piece + &rest)
    })
}

/// Asks everything of whatever was read; the places of faults lie in the file.
fn examine(files: &[(&str, &str)]) {
    match read("etc", files, &Known::default()) {
        Ok(policies) => {
            let owed = policies.duty("guest.reboot", &Attributes::default());
            assert!(
                owed.row < policies.responsibilities.len(),
                "there is a last row"
            );
            for ladder in policies.ladders.keys() {
                let climb = policies.rungs(ladder, 0).unwrap();
                assert!(!climb.rungs.is_empty() && climb.denies_ms > 0);
            }
            let terms = policies.fit("guest.reboot");
            assert!(terms.at_least > 0 && (50..=100).contains(&terms.percent));
            assert_ne!(terms.assumed_ms, Some(0));
            serde_json::to_string(&policies).unwrap();
        }
        Err(Faults(faults)) => {
            assert!(!faults.is_empty() && faults.len() <= 100);
            for fault in faults {
                assert!(fault.code.starts_with("HP"), "{fault}");
                assert!(
                    !fault.remedy.is_empty() && !fault.file.is_empty(),
                    "{fault}"
                );
            }
        }
    }
}

fn days(from: i8, lasts: i8) -> String {
    let from = date(2026, 12, 1) + i64::from(from).days();
    format!(", from: {from}, until: {}", from + i64::from(lasts).days())
}

fn row() -> impl Strategy<Value = Row> {
    (0..4_u8, 0..4_u8, prop::option::of((0..6_i8, 0..6_i8)))
}

/// A person, a delegate, perhaps dates: days after the first of December, and how long.
type Row = (u8, u8, Option<(i8, i8)>);

fn roles_file(rows: &[Row], away: &[(u8, i8, i8)]) -> String {
    let mut absences = String::new();
    for (person, from, lasts) in away {
        let dates = days(*from, *lasts);
        writeln!(absences, "  - {{ person: p{person}{dates} }}").unwrap();
    }
    let mut delegates = String::new();
    for (person, delegate, dates) in rows {
        let dates = dates.map_or_else(String::new, |(from, lasts)| days(from, lasts));
        let more =
            format!("{delegates}  - {{ person: p{person}, delegate: p{delegate}{dates} }}\n");
        // What closes a circle is refused; the others go on without it.
        let text = format!("delegates:\n{more}");
        if read("etc", &[("roles.yaml", &text)], &Known::default()).is_ok() {
            delegates = more;
        }
    }
    let section = |name: &str, rows: String| match rows.as_str() {
        "" => String::new(),
        rows => format!("{name}:\n{rows}"),
    };
    section("delegates", delegates) + &section("absences", absences)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(number in 0..FILES.len(), text in "(?s).{0,200}") {
        examine(&[(FILES[number], &text)]);
    }

    #[test]
    fn no_typing_error_makes_the_reader_panic((number, text) in typed()) {
        let mut files = EXAMPLES;
        files[number].1 = &text;
        examine(&files);
    }

    /// Delegations among four people, each refused or taken by itself; absences of each.
    #[test]
    fn nobody_who_is_absent_decides(
        rows in prop::collection::vec(row(), 0..8),
        away in prop::collection::vec((0..4_u8, 0..6_i8, 0..4_i8), 0..6),
        asked in 0..4_u8,
        day in 1..12_i8,
    ) {
        let text = roles_file(&rows, &away);
        let policies = read("etc", &[("roles.yaml", &text)], &Known::default()).unwrap();
        let (person, day) = (format!("p{asked}"), date(2026, 12, day));
        match policies.standing_in_for(&person, day) {
            Some(found) => prop_assert!(!policies.is_absent(found, day), "{found}\n{text}"),
            None => prop_assert!(policies.is_absent(&person, day), "somebody who is there decides\n{text}"),
        }
    }
}
