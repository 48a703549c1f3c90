//! What one stage tells one customer, or a report tells staff, with everybody who is told: a message each.
//!
//! Not here: the words (templates), and how a message is sent.

use super::{CalendarEntry, MailSpec, Question};
use crate::event::Stage;
use crate::gate::{Told, told_document};
use crate::id::{Digest, LaneId, RunId, derive};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub person: String,
    pub name: String,
    pub address: String,
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

    fn mail(&self, to: &Recipient) -> MailSpec {
        let lane = self.lane_of(self.stage, to);
        let first = self.lane_of(Stage::Scheduled, to);
        let has_earlier = self.stage != Stage::Scheduled && self.customer.is_some();
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
        }
    }

    /// The same thread, stage and recipient are one message, however often a step of the lane is tried.
    fn lane_of(&self, stage: Stage, to: &Recipient) -> LaneId {
        let thread = self.customer.as_deref().unwrap_or("staff");
        LaneId(derive(&[
            b"mail",
            self.run.0.as_bytes(),
            self.lane.0.as_bytes(),
            thread.as_bytes(),
            self.template.as_bytes(),
            stage.name().as_bytes(),
            to.person.as_bytes(),
        ]))
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
            to: vec![recipient("ann"), recipient("bob")],
            question: None,
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
}
