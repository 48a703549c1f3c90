//! Announcements and the messages that become of them.
//!
//! Not here: what an announcement says.

use super::*;
use uuid::Uuid;

fn recipient(person: &str) -> Recipient {
    Recipient {
        person: person.to_owned(),
        name: person.to_uppercase(),
        address: format!("{person}@chem.example"),
        way: Way::Mail,
        alternate: false,
    }
}

fn announced(stage: Stage, customer: Option<&str>) -> Announcement {
    Announcement {
        run: RunId(Uuid::from_u128(1)),
        lane: LaneId(Uuid::from_u128(2)),
        realm: "main".to_owned(),
        customer: customer.map(str::to_owned),
        stage,
        template: "maintenance".to_owned(),
        definition: Digest::of(b"definition"),
        context: json!({ "count": 2 }),
        calendar: None,
        revision: 0,
        announced: None,
        until_ms: None,
        to: vec![recipient("ann"), recipient("bob")],
        question: None,
        optional: false,
        defers: false,
        agrees: false,
        alternates: Alternates::None,
    }
}

#[test]
fn everybody_gets_a_message_of_their_own_and_later_stages_answer_the_first() {
    let [ann, bob] = &announced(Stage::Scheduled, Some("chem")).mails()[..] else {
        panic!("one each")
    };
    assert_ne!(ann.lane, bob.lane);
    assert_eq!(ann.context["recipient"]["id"], "ann");
    assert_eq!((ann.references.len(), &*ann.stage), (0, "scheduled"));
    let completed = announced(Stage::Completed, Some("chem")).mails();
    assert_eq!(completed[0].references.concat(), ann.message_id);
    assert_eq!(completed[1].references.concat(), bob.message_id);
}

#[test]
fn each_way_to_a_person_is_a_message_of_its_own_in_a_thread_of_its_own() {
    let hook = Recipient {
        address: "room@chem.example".to_owned(),
        way: Way::Webhook,
        ..recipient("ann")
    };
    let both = |stage| {
        let to = vec![recipient("ann"), hook.clone()];
        let announced = announced(stage, Some("chem"));
        Announcement { to, ..announced }.mails()
    };
    let first = both(Stage::Scheduled);
    assert_ne!(first[0].lane, first[1].lane);
    assert_eq!(first[0].person(), first[1].person());
    for (changed, first) in both(Stage::Changed).iter().zip(&first) {
        assert_eq!(changed.follows, Some(first.lane));
        assert_eq!(changed.to_address, first.to_address);
    }
    let alone = announced(Stage::Scheduled, Some("chem")).mails();
    assert_eq!(
        first[0].lane, alone[0].lane,
        "a letter has the id that it always had"
    );
}

#[test]
fn an_alternate_contact_hears_of_nothing_whose_announcement_it_never_had() {
    let instead = Recipient {
        alternate: true,
        ..recipient("cleo")
    };
    let both = |stage, alternates| {
        let to = vec![recipient("ann"), instead.clone()];
        let announced = announced(stage, Some("chem"));
        let announced = Announcement {
            to,
            alternates,
            ..announced
        };
        announced.mails()
    };
    let first = both(Stage::Scheduled, Alternates::Told);
    assert_eq!(follows(&first), [None, None], "it follows nothing");
    let started = both(Stage::Started, Alternates::None);
    assert_eq!(follows(&started), [None, Some(first[1].lane)]);
    let kept = both(Stage::Scheduled, Alternates::Kept);
    let unreached = |mails: &[MailSpec]| mails[0].unreached.clone();
    let document = unreached_document(LaneId(Uuid::from_u128(2)), "maintenance");
    assert_eq!(unreached(&kept), Some(document));
    // Behind alternate contacts nobody else is told.
    assert_eq!((unreached(&first), unreached(&started)), (None, None));
    assert_eq!(kept[1].lane, first[1].lane, "nobody is told twice");
}

fn follows(mails: &[MailSpec]) -> Vec<Option<LaneId>> {
    mails.iter().map(|spec| spec.follows).collect()
}

#[test]
fn what_another_lane_announces_is_another_message() {
    let one = announced(Stage::Report, None);
    let other = Announcement {
        lane: LaneId(Uuid::from_u128(3)),
        ..one.clone()
    };
    assert_ne!(one.mails()[0].lane, other.mails()[0].lane);
}

#[test]
fn only_the_first_stage_to_a_customer_is_waited_for() {
    let (document, told) = announced(Stage::Scheduled, Some("chem")).told().unwrap();
    assert!(document.ends_with(":maintenance:chem"));
    assert_eq!((told.sent, told.refused, told.reached), (2, 0, None));
    assert!(!told.spare);
    let kept = Announcement {
        alternates: Alternates::Kept,
        ..announced(Stage::Scheduled, Some("chem"))
    };
    assert!(kept.told().unwrap().1.spare);
    assert_eq!(announced(Stage::Started, Some("chem")).told(), None);
    assert_eq!(announced(Stage::Report, None).told(), None);
}

#[test]
fn each_revision_of_a_change_is_a_message_of_its_own_in_the_same_thread() {
    let first = announced(Stage::Scheduled, Some("chem")).mails();
    let revision = |revision| Announcement {
        revision,
        ..announced(Stage::Changed, Some("chem"))
    };
    let [one, again, two] = [1, 1, 2].map(|number| revision(number).mails().remove(0));
    assert_eq!(one.lane, again.lane, "nobody is told twice");
    assert_ne!(one.lane, two.lane);
    assert_eq!(two.references.concat(), first[0].message_id);
    assert_eq!(two.follows, Some(first[0].lane));
    assert_eq!((first[0].follows, first[1].follows), (None, None));
}

#[test]
fn only_what_a_customer_may_do_without_has_a_document_that_spares_it() {
    let may = |optional, stage, customer| {
        let spec = Announcement {
            optional,
            ..announced(stage, customer)
        };
        mail(spec.mails().remove(0)).muted_by()
    };
    let spares = may(true, Stage::Started, Some("chem"));
    assert_eq!(spares.as_deref(), Some("muted:chem:ann"));
    assert_eq!(may(false, Stage::Started, Some("chem")), None);
    assert_eq!(may(true, Stage::Report, None), None, "staff are told");
    // What an earlier engine has queued reaches whom it was for.
    let queued = announced(Stage::Started, Some("chem")).mails().remove(0);
    let kept = json!(queued);
    assert_eq!(kept.get("optional"), None);
    let read: MailSpec = serde_json::from_value(kept).unwrap();
    assert!(!read.optional);
}

fn mail(spec: MailSpec) -> crate::mail::Mail {
    let spec = Box::new(spec);
    crate::mail::Mail::fold(&[crate::mail::MailEvent::MailQueued { spec, at_ms: 1 }]).unwrap()
}

#[test]
fn nobody_hears_of_a_cancellation_who_never_had_the_announcement() {
    use crate::mail::{HandOver, MailEvent};
    let mut first = mail(announced(Stage::Scheduled, Some("chem")).mails().remove(0));
    let cancelled = mail(announced(Stage::Cancelled, Some("chem")).mails().remove(0));
    let waits = cancelled.stands_back(Some(&first), None, 5);
    assert!(
        matches!(waits, Some(MailEvent::MailWaits { .. })),
        "{waits:?}"
    );
    let refused = HandOver::Refused {
        answer: "550".to_owned(),
    };
    first.apply(&first.decide(refused, 6));
    for first in [Some(&first), None] {
        let never = cancelled.stands_back(first, None, 7);
        assert!(
            matches!(never, Some(MailEvent::MailWithdrawn { .. })),
            "{never:?}"
        );
    }
    let mut first = mail(announced(Stage::Scheduled, Some("chem")).mails().remove(0));
    let (answer, sha256) = ("250".to_owned(), String::new());
    first.apply(&first.decide(HandOver::Accepted { answer, sha256 }, 6));
    assert_eq!(cancelled.stands_back(Some(&first), None, 7), None);
}

#[test]
fn a_message_that_left_under_tags_comes_back_under_one_of_them_and_no_other() {
    use crate::mail::{MailEvent, ReturnTag};
    let mut message = mail(announced(Stage::Scheduled, Some("chem")).mails().remove(0));
    let tag = |number| ReturnTag::new([number, 0].map(Uuid::from_u128));
    assert!(message.comes_back_under(None) && message.comes_back_under(Some(&tag(1))));
    for number in [1, 2] {
        let sha256 = tag(number).sha256();
        message.apply(&MailEvent::ReturnMade { sha256, at_ms: 5 });
    }
    let under = [1, 2, 3].map(|number| message.comes_back_under(Some(&tag(number))));
    assert_eq!(
        (under, message.comes_back_under(None)),
        ([true, true, false], false)
    );
    assert_eq!((message.attempts, message.settled), (0, false));
}

#[test]
fn what_is_cancelled_or_has_begun_is_not_announced_any_more() {
    let first = mail(announced(Stage::Scheduled, Some("chem")).mails().remove(0));
    let over = Announced {
        cancelled: true,
        ..Announced::default()
    };
    assert!(first.stands_back(None, Some(&over), 5).is_some());
    assert_eq!(
        first.stands_back(None, Some(&Announced::default()), 5),
        None
    );
    let reminder = Announcement {
        until_ms: Some(9),
        ..announced(Stage::Scheduled, Some("chem"))
    };
    let reminder = mail(reminder.mails().remove(0));
    assert_eq!(reminder.stands_back(None, None, 8), None);
    assert!(reminder.stands_back(None, None, 9).is_some());
}
