//! What alternate contacts of a customer hear, where nobody else of it is reached.
//!
//! Not here: who was reached (`gate::Told`), and who is an alternate contact (the worker asks the estate).

use crate::notices::{SLOT, noticing, share, told};
use crate::support::build::*;
use crate::support::drive::*;
use hostler_core::command::{Input, StandIns};
use hostler_core::effect::Effect;
use hostler_core::event::{Event, Stage};
use hostler_core::lane::{FellBack, Slot};
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult::*;

const DAY_MS: i64 = 86_400_000;
const LATER: Slot = Slot {
    starts_ms: SLOT.starts_ms + DAY_MS,
    ends_ms: SLOT.ends_ms + DAY_MS,
};

fn standing_in() -> Drive {
    told(|step| {
        let mut step = step.noticed();
        step.notices.as_mut().unwrap().alternates = true;
        step
    })
}

fn unreached(people: &[&str]) -> Input {
    Input::Unreached(vec![StandIns {
        customer: "a".to_owned(),
        slot: Some(LATER),
        people: people.iter().map(ToString::to_string).collect(),
    }])
}

#[test]
fn alternate_contacts_are_told_once_and_of_when_it_is_now() {
    let mut drive = standing_in();
    drive.ok(unreached(&["bob"]));
    let [
        Event::NoticeDue {
            stage: Stage::Scheduled,
            customer,
            revision: 0,
            slot: Some(LATER),
            instead: Some(instead),
            ..
        },
        ..,
    ] = &drive.events[..]
    else {
        panic!("{:?}", drive.events)
    };
    assert_eq!(
        (customer.as_str(), &instead[..]),
        ("a", &["bob".to_owned()][..])
    );
    let tells = |effect: &Effect| {
        matches!(
            effect,
            Effect::Notice {
                instead: Some(_),
                ..
            }
        )
    };
    assert!(drive.effects.iter().any(tells) && drive.effects.contains(&Effect::Ledger));
    let share_of_a = share(&drive, "a");
    assert_eq!((share_of_a.slot, share_of_a.fell_back), (Some(LATER), true));
    assert_eq!(share_of_a.remind_ms, Some(LATER.starts_ms - 20 * 60_000));
    assert!(!share(&drive, "b").fell_back);
    let fell_back = FellBack {
        customer: "a".to_owned(),
        to: vec!["bob".to_owned()],
        at_ms: drive.now_ms,
    };
    assert_eq!(drive.lane.fell_back, [fell_back]);
    drive.ok(unreached(&["cleo"]));
    assert_eq!(drive.events, [], "nobody else is told after them");
}

#[test]
fn where_no_alternate_contact_is_reached_either_that_is_known_and_nobody_is_asked_again() {
    let mut drive = standing_in();
    drive.ok(unreached(&[]));
    assert_eq!(drive.lane.fell_back[0].to, [] as [String; 0]);
    drive.ok(unreached(&["bob"]));
    assert_eq!(drive.events, []);
}

#[test]
fn nobody_stands_in_for_what_is_over_or_where_the_runbook_does_not_say_so() {
    let mut drive = standing_in();
    drive.ends("i0", Succeeded).ends("i1", Succeeded);
    drive.ok(unreached(&["bob"]));
    assert_eq!(drive.events, []);
    let refused = noticing().refused(unreached(&["bob"]));
    assert!(matches!(refused, Refusal::Unexpected { .. }), "{refused:?}");
}
