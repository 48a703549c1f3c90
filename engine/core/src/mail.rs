//! A message on its way: the small state machine of a lane in the mail queue.
//!
//! Not here: rendering and sending.

mod alternate;
mod announced;
mod announcement;
mod bounced;
mod link;
mod muted;
mod tag;
mod way;

pub use alternate::{ALTERNATE, Alternates, Unreached, unreached_document};
pub use announced::{Announced, AnnouncedAsset, Becomes, Difference, announced_document};
pub use announcement::{Announcement, Recipient};
pub use bounced::{DeadContact, bounced_document, dead_document, is_permanent};
pub use link::Link;
pub use muted::{
    EMERGENCY, MUST_HAVE, Muted, STAGES, is_demanded, must_have, muted_document, spared,
};
pub use tag::ReturnTag;
pub use way::Way;

use crate::event::Stage;
use crate::id::{Digest, LaneId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Beginning of the template's name of a reminder: what it says is not the runbook's. The rest names the
/// question and the number, so that each is a message of its own.
pub const REMINDER: &str = "reminder:";
/// Beginning of the template's name of the message that asks: what it says is not the runbook's either. The rest
/// names the question, so that one asked anew is a message of its own.
pub const ASKED: &str = "asked:";
/// Name of the template of the message that a lease ends soon: what it says is not the runbook's. Each lease has a
/// lane of its own, so each message is one of its own.
pub const LEASE_ENDS: &str = "lease-ends:";
/// How often a message is handed over before it counts as refused.
pub const ATTEMPT_MAX: u32 = 12;
/// First wait after a deferral; it doubles up to `RETRY_WAIT_MAX_MS`.
const RETRY_WAIT_MS: i64 = 30_000;
const RETRY_WAIT_MAX_MS: i64 = 2 * 3_600_000;

/// One entry of a customer's calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarEntry {
    /// Stable for run and customer.
    pub uid: String,
    /// Rises with every change of the same entry.
    pub sequence: u32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub cancelled: bool,
    pub summary: String,
    pub description: String,
    pub stamp_ms: i64,
}

/// A question that a message asks. A link of the message decides this one and no later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub lane: LaneId,
    /// When it was asked: what is asked anew is another question, even with the same content.
    pub asked_ms: i64,
    pub signs: Digest,
    /// It takes yes or no, so a link can decide it.
    pub by_link: bool,
}

/// One message to one recipient. The same thread, stage, revision and recipient give the same lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailSpec {
    pub lane: LaneId,
    pub run: RunId,
    /// None for messages to staff.
    pub customer: Option<String>,
    pub stage: String,
    pub template: String,
    /// Blob of the definition that holds the templates.
    pub definition: Digest,
    pub context: Value,
    pub to_name: String,
    pub to_address: String,
    pub message_id: String,
    pub references: Vec<String>,
    pub calendar: Option<CalendarEntry>,
    /// It speaks of an announcement: nobody gets it who has not had that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<LaneId>,
    /// Document of what was announced: a message that is still waiting when it is cancelled is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
    /// From then on it says nothing that is still to come or still so, and is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// What the recipient is asked; none for what only tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The policies let the recipient do without it: it has a way out, and who has taken that is spared it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The lane that announces: its turns can be put off by the message's link; none: they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defers: Option<LaneId>,
    /// Its recipient may agree to the run, or object, by the message's link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agrees: bool,
    /// Its recipient is an alternate contact.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alternate: bool,
    /// Document in which its customer is noted when nobody there has it; none: nobody else is told then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<String>,
}

impl MailSpec {
    /// Id of the recipient; none where a message does not say.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        self.context.pointer("/recipient/id")?.as_str()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mail")]
pub enum MailEvent {
    /// Instead of a message: announcements whose messages were too many for the commit that made them due. Their
    /// lane ends when the messages have lanes of their own.
    MailsPacked {
        announcements: Vec<Announcement>,
        at_ms: i64,
    },
    MailQueued {
        spec: Box<MailSpec>,
        at_ms: i64,
    },
    /// Before the message is handed over: whoever knows the text of this digest holds its link. The text is in
    /// the message and nowhere else, so a message that is handed over again has another one.
    LinkMade {
        sha256: Digest,
        at_ms: i64,
    },
    /// Before the message is handed over: it comes back under the tag of this digest.
    ReturnMade {
        sha256: Digest,
        at_ms: i64,
    },
    MailAccepted {
        answer: String,
        sha256: String,
        at_ms: i64,
    },
    MailDeferred {
        answer: String,
        retry_ms: i64,
        at_ms: i64,
    },
    MailRefused {
        answer: String,
        at_ms: i64,
    },
    /// It was never handed over, and will not be: there is nothing any more that it would tell this person.
    MailWithdrawn {
        why: String,
        at_ms: i64,
    },
    /// The next hop had taken it, and it came back: this person does not have it. Kept in a document beside the log.
    MailBounced {
        /// `5.1.1`, as the report says it.
        status: String,
        diagnostic: String,
        at_ms: i64,
    },
    /// Not handed over yet: whether this person has the announcement that it speaks of is not known.
    MailWaits {
        retry_ms: i64,
        at_ms: i64,
    },
}

/// What the next hop said, or why the message was not even rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    Accepted { answer: String, sha256: String },
    Deferred { answer: String },
    Refused { answer: String },
}

/// A message as its events tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    pub spec: MailSpec,
    pub queued_ms: i64,
    pub attempts: u32,
    pub retry_ms: Option<i64>,
    /// Accepted, refused or withdrawn: nothing more is done about it.
    pub settled: bool,
    /// Digests of its links, one for each time it was begun to be handed over.
    pub links: Vec<Digest>,
    /// The same of the tags of its envelopes; empty: they had none.
    pub returns: Vec<Digest>,
    /// The next hop has taken it over, and it did not come back.
    pub accepted: bool,
}

impl Mail {
    /// None for a log that does not begin with `MailQueued`.
    #[must_use]
    pub fn fold(events: &[MailEvent]) -> Option<Self> {
        let MailEvent::MailQueued { spec, at_ms } = events.first()? else {
            return None;
        };
        let mut mail = Self {
            spec: (**spec).clone(),
            queued_ms: *at_ms,
            attempts: 0,
            retry_ms: None,
            settled: false,
            links: Vec::new(),
            returns: Vec::new(),
            accepted: false,
        };
        events[1..].iter().for_each(|event| mail.apply(event));
        Some(mail)
    }

    pub fn apply(&mut self, event: &MailEvent) {
        match event {
            MailEvent::MailQueued { .. } | MailEvent::MailsPacked { .. } => return,
            MailEvent::LinkMade { sha256, .. } => {
                self.links.push(*sha256);
                return;
            }
            MailEvent::ReturnMade { sha256, .. } => {
                self.returns.push(*sha256);
                return;
            }
            MailEvent::MailWaits { retry_ms, .. } => {
                self.retry_ms = Some(*retry_ms);
                return;
            }
            MailEvent::MailWithdrawn { .. } => {
                (self.retry_ms, self.settled) = (None, true);
                return;
            }
            MailEvent::MailBounced { .. } => {
                (self.retry_ms, self.settled, self.accepted) = (None, true, false);
                return;
            }
            MailEvent::MailDeferred { retry_ms, .. } => self.retry_ms = Some(*retry_ms),
            MailEvent::MailAccepted { .. } | MailEvent::MailRefused { .. } => {
                self.retry_ms = None;
                self.settled = true;
                self.accepted = matches!(event, MailEvent::MailAccepted { .. });
            }
        }
        self.attempts += 1;
    }

    /// What stands against handing it over now; none: nothing does. `first` is the announcement to the same person
    /// (none: there was none), `announced` what is known of it now.
    #[must_use]
    pub fn stands_back(
        &self,
        first: Option<&Self>,
        announced: Option<&Announced>,
        at_ms: i64,
    ) -> Option<MailEvent> {
        let withdrawn = |why: &str| {
            let why = why.to_owned();
            Some(MailEvent::MailWithdrawn { why, at_ms })
        };
        if self.spec.until_ms.is_some_and(|until_ms| until_ms <= at_ms) {
            return withdrawn(match self.spec.stage == Stage::Progress.name() {
                true => "a newer message says how it goes",
                false => "what it announces has begun",
            });
        }
        // What did begin after all, because people had it tried again, is told.
        let announces = [Stage::Scheduled, Stage::Changed, Stage::Reminder];
        let announces = announces
            .iter()
            .any(|stage| stage.name() == self.spec.stage);
        if announces && announced.is_some_and(|announced| announced.cancelled) {
            return withdrawn("what it announces was cancelled before it was sent");
        }
        self.spec.follows?;
        match first {
            Some(first) if first.accepted => None,
            Some(first) if !first.settled => Some(MailEvent::MailWaits {
                retry_ms: at_ms + RETRY_WAIT_MS,
                at_ms,
            }),
            _ => withdrawn("this person never had the announcement that it speaks of"),
        }
    }

    /// The document of a recipient who has asked to be spared such messages; none: nobody can be spared this one.
    #[must_use]
    pub fn muted_by(&self) -> Option<String> {
        let spec = &self.spec;
        let customer = spec.customer.as_deref().filter(|_| spec.optional)?;
        Some(muted_document(customer, spec.person()?))
    }

    /// Its recipient has asked to be spared it.
    #[must_use]
    pub fn spared(at_ms: i64) -> MailEvent {
        let why = "this person has asked to be told only what they must have".to_owned();
        MailEvent::MailWithdrawn { why, at_ms }
    }

    /// Whether a report that came under this tag may be of this message: of one whose envelopes had none, any may.
    #[must_use]
    pub fn comes_back_under(&self, tag: Option<&ReturnTag>) -> bool {
        self.returns.is_empty() || tag.is_some_and(|tag| self.returns.contains(&tag.sha256()))
    }

    /// What a hand-over means.
    #[must_use]
    pub fn decide(&self, outcome: HandOver, at_ms: i64) -> MailEvent {
        match outcome {
            HandOver::Accepted { answer, sha256 } => MailEvent::MailAccepted {
                answer,
                sha256,
                at_ms,
            },
            HandOver::Refused { answer } => MailEvent::MailRefused { answer, at_ms },
            HandOver::Deferred { answer } if self.attempts + 1 >= ATTEMPT_MAX => {
                MailEvent::MailRefused {
                    answer: format!("given up: {answer}"),
                    at_ms,
                }
            }
            HandOver::Deferred { answer } => {
                let wait_ms = (RETRY_WAIT_MS << self.attempts.min(16)).min(RETRY_WAIT_MAX_MS);
                MailEvent::MailDeferred {
                    answer,
                    retry_ms: at_ms + wait_ms,
                    at_ms,
                }
            }
        }
    }
}
