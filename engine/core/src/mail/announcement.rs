//! What one stage tells one customer, or a report tells staff, with everybody who is told: a message each.
//!
//! Not here: the words (templates), and how a message is sent.

use super::{Announced, CalendarEntry, MailSpec, Question, Way, announced_document};
use crate::event::Stage;
use crate::gate::{Told, told_document};
use crate::id::{Digest, LaneId, RunId, derive};
use crate::lane::is_first;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub person: String,
    pub name: String,
    pub address: String,
    /// In which way; a person may be told in several.
    #[serde(default, skip_serializing_if = "Way::is_mail")]
    pub way: Way,
}

/// Messages with the same content to several people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    pub run: RunId,
    /// Who announces: each lane's messages are its own, the rounds' and the items' too.
    pub lane: LaneId,
    pub realm: String,
    /// None for reports.
    pub customer: Option<String>,
    pub stage: Stage,
    pub template: String,
    /// Blob of the definition that holds the templates.
    pub definition: Digest,
    /// What the template may name, beside the recipient.
    pub context: Value,
    pub calendar: Option<CalendarEntry>,
    pub to: Vec<Recipient>,
    /// What they are asked; none for what only tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Its recipients may put off what it announces, each by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub defers: bool,
    /// Its customer is asked for its consent: its recipients may give it, each by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agrees: bool,
    /// Of what it announces, from 0; of a message on how it goes its own number.
    #[serde(default, skip_serializing_if = "is_first")]
    pub revision: u32,
    /// What the customer is told with it, for those who speak of it later; none: nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Box<Announced>>,
    /// When it is too late to say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// The policies let people do without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Announcement {
    /// One message for each recipient.
    #[must_use]
    pub fn mails(&self) -> Vec<MailSpec> {
        self.to.iter().map(|to| self.mail(to)).collect()
    }

    /// The document from which the customer's gate reads that the work was announced, as it is before anybody has
    /// the notice; none for other stages and for staff.
    #[must_use]
    pub fn told(&self) -> Option<(String, Told)> {
        let customer = self.customer.as_deref()?;
        let told = Told {
            sent: u32::try_from(self.to.len()).unwrap_or(u32::MAX),
            ..Told::default()
        };
        let document = told_document(self.run, &self.template, customer);
        (self.stage == Stage::Scheduled).then_some((document, told))
    }

    /// The document in which it is kept what the customer was told; none for reports.
    #[must_use]
    pub fn document(&self) -> Option<String> {
        let customer = self.customer.as_deref()?;
        Some(announced_document(self.lane, &self.template, customer))
    }

    fn mail(&self, to: &Recipient) -> MailSpec {
        let lane = self.lane_of(self.stage, to);
        let first = self.lane_of(Stage::Scheduled, to);
        let has_earlier = self.stage != Stage::Scheduled && self.customer.is_some();
        let speaks_of_it = matches!(
            self.stage,
            Stage::Changed | Stage::Reminder | Stage::Progress | Stage::Cancelled
        );
        let references = has_earlier.then(|| self.message_id(first));
        let mut context = self.context.clone();
        if let Value::Object(context) = &mut context {
            context.insert(
                "recipient".to_owned(),
                json!({ "id": to.person, "name": to.name, "mail": to.address }),
            );
        }
        MailSpec {
            lane,
            run: self.run,
            customer: self.customer.clone(),
            stage: self.stage.name().to_owned(),
            template: self.template.clone(),
            definition: self.definition,
            context,
            to_name: to.name.clone(),
            to_address: to.address.clone(),
            message_id: self.message_id(lane),
            references: references.into_iter().collect(),
            calendar: self.calendar.clone(),
            question: self.question.clone(),
            follows: speaks_of_it.then_some(first),
            announced: self.document(),
            until_ms: self.until_ms,
            optional: self.optional && self.customer.is_some(),
            defers: self.defers.then_some(self.lane),
            agrees: self.agrees && self.customer.is_some(),
        }
    }

    /// The same thread, stage, revision, recipient and way are one message, however often a step of the lane is tried.
    fn lane_of(&self, stage: Stage, to: &Recipient) -> LaneId {
        let thread = self.customer.as_deref().unwrap_or("staff");
        let revision = match stage {
            Stage::Changed | Stage::Reminder | Stage::Progress => self.revision,
            _ => 0,
        };
        let revision = revision.to_be_bytes();
        let parts: [&[u8]; 7] = [
            b"mail",
            self.run.0.as_bytes(),
            self.lane.0.as_bytes(),
            thread.as_bytes(),
            self.template.as_bytes(),
            stage.name().as_bytes(),
            to.person.as_bytes(),
        ];
        // What was announced first has the id that it always had.
        let first = revision == [0; 4];
        let revision = (!first).then_some(&revision[..]);
        let way = (to.way != Way::Mail).then(|| to.way.name().as_bytes());
        let parts = parts.into_iter().chain(revision).chain(way);
        LaneId(derive(&parts.collect::<Vec<_>>()))
    }

    fn message_id(&self, lane: LaneId) -> String {
        format!("{lane}@{}.hostler", self.realm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn recipient(person: &str) -> Recipient {
        Recipient {
            person: person.to_owned(),
            name: person.to_uppercase(),
            address: format!("{person}@chem.example"),
            way: Way::Mail,
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

    fn mail(spec: MailSpec) -> super::super::Mail {
        let spec = Box::new(spec);
        super::super::Mail::fold(&[super::super::MailEvent::MailQueued { spec, at_ms: 1 }]).unwrap()
    }

    #[test]
    fn nobody_hears_of_a_cancellation_who_never_had_the_announcement() {
        use super::super::{HandOver, MailEvent};
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
        use super::super::{MailEvent, ReturnTag};
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
}
