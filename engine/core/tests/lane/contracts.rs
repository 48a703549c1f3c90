//! Deferrals under a number that is the customer's own, by its contract: all classes count together.
//!
//! Not here: which number binds whom (estate), and all other bounds (`deferrals`).

use crate::deferrals::{LATER_MS, agreed, ask, known, put_off_at, why, with};
use crate::support::build::BEGIN_MS;
use crate::waves::fixed;
use hostler_core::deferral::{Agreed, Counts, Deferral, Known, NotPutOff};
use hostler_core::id::RunId;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What is counted for a deferral of these classes.
fn counted(counts: Counts, classes: &[&str]) -> Counts {
    let deferral = Deferral {
        customer: "a".to_owned(),
        turns: Vec::new(),
        until_ms: LATER_MS,
        by: "ada".to_owned(),
        word_of: None,
        via: None,
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
    };
    counts.with(RunId(Uuid::from_u128(7)), &deferral, BEGIN_MS)
}

#[test]
fn a_contracts_number_counts_deferrals_of_all_classes_together_and_one_of_a_class_its_own() {
    let other = counted(Counts::default(), &["request"]);
    let both = counted(other.clone(), &["planned", "request"]);
    let of_class = agreed();
    let (once, twice) = (
        Agreed {
            times: 1,
            of_contract: true,
            ..agreed()
        },
        Agreed {
            times: 2,
            of_contract: true,
            ..agreed()
        },
    );
    let used_up = |times, spent| Some(NotPutOff::ContractUsedUp { times, spent });
    for (name, agreed, counts, refused) in [
        ("a class counts its own", of_class, other.clone(), None),
        (
            "one of another class uses the contract's one up",
            once,
            other.clone(),
            used_up(1, 1),
        ),
        ("of two one is left", twice, other, None),
        ("one of two classes is one", twice, both, used_up(2, 2)),
    ] {
        let mut drive = put_off_at(fixed(1), &[]);
        let known = Known {
            agreed: BTreeMap::from([("planned".to_owned(), agreed)]),
            counts,
            ..known()
        };
        let input = with(ask(&["i0"], LATER_MS), known);
        match refused {
            Some(refused) => assert_eq!(why(&mut drive, input), refused, "{name}"),
            None => {
                drive.ok(input);
            }
        }
    }
    let last = NotPutOff::ContractUsedUp { times: 1, spent: 1 }.to_string();
    assert!(
        last.starts_with("1 of 1 deferrals of your contract are used up"),
        "{last}"
    );
}
