//! One message → the bytes that are sent. The same message and date give the same bytes.
//!
//! No field can begin a header or name a second recipient: what could is refused, not repaired. Not
//! here: sending.

use crate::dkim::Dkim;
use crate::unsubscribe;
use hostler_core::id::Digest;
use hostler_ports::channel::Message;
use lettre::Address;
use lettre::message::header::{ContentDisposition, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// Largest message; attachments are calendar files of a few kB.
const MESSAGE_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Longest subject in characters; mail programs show a third of it.
const SUBJECT_MAX_CHARACTERS: usize = 250;
/// The first and the newest ids of a thread suffice for mail programs.
const REFERENCES_MAX: usize = 20;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub name: String,
    pub address: String,
    /// Where answers go, if not to `address`.
    pub reply_to: Option<String>,
    /// `notices.platform.example`.
    pub list_id: String,
    /// Where reports of mail servers go; none: to `address`.
    pub return_path: Option<String>,
    /// Each message is signed behind this: only then may a mail program unsubscribe with one click (RFC 8058).
    pub signs: bool,
}

/// Why a message cannot be written down safely. It will never be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ComposeFault {
    #[error(
        "{field} contains a line break, a control character or is too long; mend the template or the estate"
    )]
    Line { field: &'static str },
    #[error("`{address}` is no plain mail address; mend it in the estate")]
    Address { address: String },
    #[error("the message id `{id}` is not `<letters, digits, . _ + ->@<host>`")]
    MessageId { id: String },
    #[error("the {part} is empty; no empty message is sent")]
    Empty { part: &'static str },
    #[error("the message has {bytes} bytes, at most {MESSAGE_MAX_BYTES} are sent; list less")]
    TooLong { bytes: usize },
    #[error(
        "the calendar file is none: it must begin with BEGIN:VCALENDAR and name METHOD:PUBLISH or METHOD:CANCEL"
    )]
    Calendar,
    #[error(
        "the way out is no link and no plain address; write server.public_url and bounces.recipient without blanks"
    )]
    WayOut,
    #[error("the return path is too long for a tag: shorten bounces.recipient before its @")]
    ReturnPath,
    #[error("the message cannot be built: {0}")]
    Build(String),
}

/// What goes over the wire.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The envelope's sender: reports come back to it.
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
    pub sha256: Digest,
}

impl Composed {
    /// The same with its signature before it.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn signed(self, dkim: &Dkim, date_ms: i64) -> Result<Self, ComposeFault> {
        let header = dkim.header(&self.bytes, date_ms);
        let header = header.map_err(|fault| ComposeFault::Build(fault.to_string()))?;
        let bytes = [header.as_bytes(), &self.bytes].concat();
        Ok(Self {
            sha256: Digest::of(&bytes),
            bytes,
            ..self
        })
    }
}

/// Writes a message down. `date_ms` is the time it is handed over.
///
/// # Errors
/// When a field could change what the message is, or the message is empty or too long.
pub fn compose(sender: &Sender, message: &Message, date_ms: i64) -> Result<Composed, ComposeFault> {
    let from = mailbox("the sender's name", &sender.name, &sender.address)?;
    let to = mailbox(
        "the recipient's name",
        &message.to_name,
        &message.to_address,
    )?;
    line("the subject", &message.subject, SUBJECT_MAX_CHARACTERS)?;
    line("the list id", &sender.list_id, 200)?;
    for (part, content) in [("subject", &message.subject), ("text", &message.text)] {
        if content.trim().is_empty() {
            return Err(ComposeFault::Empty { part });
        }
    }
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(date_ms).unwrap_or(0));
    let mut builder = lettre::Message::builder()
        .from(from.clone())
        .to(to.clone())
        .subject(&message.subject)
        .date(date)
        .message_id(Some(bracketed(&message.message_id)?))
        .raw_header(plain("Auto-Submitted", "auto-generated"))
        .raw_header(plain("List-Id", &format!("<{}>", sender.list_id)));
    if let Some(reply_to) = &sender.reply_to {
        builder = builder.reply_to(mailbox("the sender's name", &sender.name, reply_to)?);
    }
    for header in unsubscribe::headers(message.unsubscribe.as_ref(), sender.signs)? {
        builder = builder.raw_header(header);
    }
    if let Some(last) = message.references.last() {
        builder = builder
            .in_reply_to(bracketed(last)?)
            .references(references(&message.references)?);
    }
    let built = builder
        .multipart(body(message)?)
        .map_err(|error| ComposeFault::Build(error.to_string()))?;
    let mut bytes = built.formatted();
    // What is digested is what a server keeps: every line has its end.
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(ComposeFault::TooLong { bytes: bytes.len() });
    }
    let back = sender.return_path.as_deref();
    let back = back.map(|back| match &message.return_tag {
        Some(tag) => tag.beside(back).ok_or(ComposeFault::ReturnPath),
        None => Ok(back.to_owned()),
    });
    let back = back.transpose()?;
    let back = back.map(|back| mailbox("the return path", "", &back));
    Ok(Composed {
        from: back.transpose()?.unwrap_or(from).email,
        to: to.email,
        sha256: Digest::of(&bytes),
        bytes,
    })
}

/// The first and the newest ids, oldest first.
fn references(ids: &[String]) -> Result<String, ComposeFault> {
    let newest = ids
        .iter()
        .skip(1.max(ids.len().saturating_sub(REFERENCES_MAX - 1)));
    let kept: Result<Vec<String>, ComposeFault> = ids
        .iter()
        .take(1)
        .chain(newest)
        .map(|id| bracketed(id))
        .collect();
    Ok(kept?.join(" "))
}

fn body(message: &Message) -> Result<MultiPart, ComposeFault> {
    let boundary = |name: &str| {
        let seed = format!(
            "{name}\n{}\n{}\n{}",
            message.message_id, message.text, message.html
        );
        Digest::of(seed.as_bytes()).to_string()
    };
    let mut alternative = MultiPart::alternative()
        .boundary(boundary("alternative"))
        .singlepart(SinglePart::plain(message.text.clone()));
    if !message.html.is_empty() {
        alternative = alternative.singlepart(SinglePart::html(message.html.clone()));
    }
    let mixed = MultiPart::mixed()
        .boundary(boundary("mixed"))
        .multipart(alternative);
    Ok(match &message.calendar {
        Some(calendar) => mixed.singlepart(attachment(calendar)?),
        None => mixed,
    })
}

fn attachment(calendar: &str) -> Result<SinglePart, ComposeFault> {
    let method = ["PUBLISH", "CANCEL"]
        .into_iter()
        .find(|method| calendar.contains(&format!("\r\nMETHOD:{method}\r\n")));
    let method = method
        .filter(|_| calendar.starts_with("BEGIN:VCALENDAR\r\n"))
        .ok_or(ComposeFault::Calendar)?;
    let kind = ContentType::parse(&format!("text/calendar; charset=utf-8; method={method}"))
        .map_err(|error| ComposeFault::Build(error.to_string()))?;
    Ok(SinglePart::builder()
        .header(kind)
        .header(ContentDisposition::attachment("maintenance.ics"))
        .body(calendar.to_owned()))
}

fn mailbox(field: &'static str, name: &str, address: &str) -> Result<Mailbox, ComposeFault> {
    line(field, name, 200)?;
    let bad = || ComposeFault::Address {
        address: address
            .chars()
            .filter(|character| !character.is_control())
            .take(254)
            .collect(),
    };
    let odd =
        |character: char| !character.is_ascii_graphic() || "<>()[],;:\\\"".contains(character);
    if address.len() > 254 || address.contains(odd) {
        return Err(bad());
    }
    let email: Address = address.parse().map_err(|_| bad())?;
    Ok(Mailbox::new(
        Some(name.to_owned()).filter(|name| !name.is_empty()),
        email,
    ))
}

/// One line of a header: neither ASCII nor Unicode line breaks, nor other control characters.
fn line(field: &'static str, text: &str, characters_max: usize) -> Result<(), ComposeFault> {
    let breaks =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    if text.contains(breaks) || text.chars().count() > characters_max {
        return Err(ComposeFault::Line { field });
    }
    Ok(())
}

fn bracketed(id: &str) -> Result<String, ComposeFault> {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
    };
    match id.split_once('@') {
        Some((local, domain)) if plain(local) && plain(domain) && id.len() <= 200 => {
            Ok(format!("<{id}>"))
        }
        _ => Err(ComposeFault::MessageId {
            id: id
                .chars()
                .filter(|character| !character.is_control())
                .take(200)
                .collect(),
        }),
    }
}

/// A header whose value this crate has checked or written itself.
pub(crate) fn plain(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
