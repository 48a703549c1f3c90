//! What one stage tells one customer, or a report tells staff, with everybody who is told: a message each.
//!
//! Not here: the words (templates), and how a message is sent.

use super::{
    Alternates, Announced, CalendarEntry, MailSpec, Question, Way, announced_document,
    unreached_document,
};
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
    /// An alternate contact: told because nobody else was reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alternate: bool,
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
    /// Whether the customer's alternate contacts are told where nobody else is reached, or are told now.
    #[serde(default, skip_serializing_if = "Alternates::is_none")]
    pub alternates: Alternates,
}

impl Announcement {
    /// One message for each recipient.
    #[must_use]
    pub fn mails(&self) -> Vec<MailSpec> {
        self.to.iter().map(|to| self.mail(to)).collect()
    }

    /// The document from which the customer's gate reads that the work was announced, as it is before anybody has
    /// the notice; none for other stages and for staff. Messages to alternate contacts are added to what it says
    /// (`Told::fell_back`).
    #[must_use]
    pub fn told(&self) -> Option<(String, Told)> {
        let customer = self.customer.as_deref()?;
        let told = Told {
            sent: u32::try_from(self.to.len()).unwrap_or(u32::MAX),
            spare: self.alternates == Alternates::Kept,
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

    /// The document in which its customer is noted when none of its recipients has it; none: nobody else is told then.
    #[must_use]
    pub fn unreached(&self) -> Option<String> {
        let kept = self.stage == Stage::Scheduled && self.alternates == Alternates::Kept;
        kept.then(|| unreached_document(self.lane, &self.template))
    }

    fn mail(&self, to: &Recipient) -> MailSpec {
        let lane = self.lane_of(self.stage, to);
        let first = self.lane_of(Stage::Scheduled, to);
        let has_earlier = self.stage != Stage::Scheduled && self.customer.is_some();
        let speaks_of_it = matches!(
            self.stage,
            Stage::Changed | Stage::Reminder | Stage::Progress | Stage::Cancelled
        );
        // Who stands in for others hears nothing of what they never had.
        let speaks_of_it = speaks_of_it || (has_earlier && to.alternate);
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
            alternate: to.alternate,
            unreached: self.unreached(),
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
mod tests;
