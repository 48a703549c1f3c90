//! A caught message, as people and tests read it.
//!
//! Not here: receiving it.

use mailparse::{DispositionType, MailHeaderMap as _, ParsedMail, parse_mail};
use serde::Serialize;

/// Parts of one message that are looked at.
const PARTS_MAX: usize = 50;

/// One message as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Rises with every message, from 1.
    pub number: u64,
    pub from: String,
    pub to: Vec<String>,
    /// Without the dots that SMTP adds.
    pub bytes: Vec<u8>,
}

/// One part without parts of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `text/plain`, `text/html`, `text/calendar`.
    pub kind: String,
    /// Of a calendar file: `PUBLISH` or `CANCEL`.
    pub method: Option<String>,
    pub file_name: Option<String>,
    pub text: String,
}

impl Caught {
    /// A header, decoded. None when it is not there or the message cannot be read.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (headers, _) = mailparse::parse_headers(&self.bytes).ok()?;
        headers.get_first_value(name)
    }

    /// All headers as they stand there, decoded.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let headers = mailparse::parse_headers(&self.bytes)
            .map(|(headers, _)| headers)
            .unwrap_or_default();
        headers
            .iter()
            .map(|header| (header.get_key(), header.get_value()))
            .collect()
    }

    /// The parts, decoded; empty when the message cannot be read.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if let Ok(mail) = parse_mail(&self.bytes) {
            collect(&mail, &mut parts);
        }
        parts
    }

    /// The text of the first part of a kind.
    #[must_use]
    pub fn text(&self, kind: &str) -> Option<String> {
        self.parts()
            .into_iter()
            .find(|part| part.kind == kind)
            .map(|part| part.text)
    }
}

fn collect(mail: &ParsedMail<'_>, parts: &mut Vec<Part>) {
    if parts.len() >= PARTS_MAX {
        return;
    }
    if !mail.subparts.is_empty() {
        mail.subparts.iter().for_each(|part| collect(part, parts));
        return;
    }
    let disposition = mail.get_content_disposition();
    let file_name = (disposition.disposition == DispositionType::Attachment)
        .then(|| disposition.params.get("filename").cloned())
        .flatten();
    parts.push(Part {
        kind: mail.ctype.mimetype.clone(),
        method: mail.ctype.params.get("method").cloned(),
        file_name,
        text: mail.get_body().unwrap_or_default(),
    });
}
