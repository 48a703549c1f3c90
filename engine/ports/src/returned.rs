//! Messages that come back: what a mail server reports of one that it had taken before.
//!
//! Whoever sends a report is a stranger: it says nothing but that one message of ours did not reach its recipient.
//! Not here: receiving it, and what follows from it.

use async_trait::async_trait;
use hostler_core::mail::ReturnTag;
use serde::{Deserialize, Serialize};

/// Longest report in bytes, however it comes.
pub const REPORT_MAX_BYTES: usize = 1024 * 1024;
/// Most recipients of one report that are looked at; our messages have one.
pub const RECIPIENTS_MAX: usize = 50;
/// Longest diagnostic that is kept, in characters.
pub const DIAGNOSTIC_MAX_CHARACTERS: usize = 400;

/// A report, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Of the message that it is about, without angle brackets.
    pub message_id: String,
    pub recipients: Vec<NotReached>,
}

/// What it says of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReached {
    /// The address as it was sent to and as it became on the way, where both are known.
    pub addresses: Vec<String>,
    /// It is given up; false: delayed, relayed, delivered.
    pub failed: bool,
    /// `5.1.1`.
    pub status: String,
    /// In one line, without control characters, at most `DIAGNOSTIC_MAX_CHARACTERS`.
    pub diagnostic: String,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// The message did not arrive; that is kept.
    Bounced,
    /// It was kept before.
    Known,
    /// It is about no message of ours, or one that is long gone.
    NotOurs,
    /// The message went to somebody else.
    OtherRecipient,
    /// Nothing is given up yet.
    NotFailed,
    /// It is no report that can be read.
    Unreadable,
    /// The message has not been handed over, as far as is known: the report is to come again.
    NotYet,
    /// It did not come to the address from which the message was sent.
    WrongAddress,
}

/// What speaks for whoever brings a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// A signature over it with a key that only one machine has.
    Signed,
    /// The address that it came to; none: the one without a tag.
    Address(Option<ReturnTag>),
}

/// How many reports each became, since this process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub bounced: u64,
    pub known: u64,
    pub not_ours: u64,
    pub other_recipient: u64,
    pub not_failed: u64,
    pub unreadable: u64,
    pub not_yet: u64,
    #[serde(default)]
    pub wrong_address: u64,
}

impl Counts {
    /// One more.
    pub fn count(&mut self, taken: Taken) {
        let field = match taken {
            Taken::Bounced => &mut self.bounced,
            Taken::Known => &mut self.known,
            Taken::NotOurs => &mut self.not_ours,
            Taken::OtherRecipient => &mut self.other_recipient,
            Taken::NotFailed => &mut self.not_failed,
            Taken::Unreadable => &mut self.unreadable,
            Taken::NotYet => &mut self.not_yet,
            Taken::WrongAddress => &mut self.wrong_address,
        };
        *field = field.saturating_add(1);
    }
}

/// Reads reports. Pure; never fails on any bytes but by saying why they are none.
pub trait ReadReport: Send + Sync + 'static {
    /// # Errors
    /// When the bytes are no report of a failed delivery that names its message.
    fn read(&self, bytes: &[u8]) -> Result<Returned, String>;
}

/// Takes reports in. Called for each that comes, by mail or by HTTP; may block on the store.
#[async_trait]
pub trait TakeReport: Send + Sync + 'static {
    /// What is answered `Bounced` is durable.
    ///
    /// # Errors
    /// When the store does not answer: the report is to come again.
    async fn take(&self, report: &[u8], vouched: &Vouched) -> Result<Taken, String>;

    fn counts(&self) -> Counts;
}
