//! Reports of mail servers about messages that did not arrive (RFC 3464), as they are found in the wild: which message,
//! which recipient, why.
//!
//! Every byte is a stranger's. Parts are taken apart one level deep and never further, so that no nesting can exhaust
//! the stack. Not here: whether a report is believed, and what follows from it.

use hostler_ports::returned::{
    DIAGNOSTIC_MAX_CHARACTERS, NotReached, RECIPIENTS_MAX, REPORT_MAX_BYTES, ReadReport, Returned,
};
use mailparse::{MailHeader, MailHeaderMap as _, parse_content_type, parse_headers};

/// Most parts of a report that are looked at; it has three.
const PARTS_MAX: usize = 10;
/// Longest status and address that are read, in bytes.
const FIELD_MAX_BYTES: usize = 320;

/// Reads reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reports;

impl ReadReport for Reports {
    fn read(&self, bytes: &[u8]) -> Result<Returned, String> {
        read(bytes)
    }
}

/// One part: what kind it is, and its bytes behind the headers.
struct Part<'a> {
    kind: String,
    body: &'a [u8],
}

/// # Errors
/// When the bytes are no `multipart/report` about deliveries, or it does not name its message.
pub fn read(bytes: &[u8]) -> Result<Returned, String> {
    if bytes.len() > REPORT_MAX_BYTES {
        return Err(format!("it has more than {REPORT_MAX_BYTES} bytes"));
    }
    let (headers, body) = split(bytes).ok_or("its headers cannot be read")?;
    let kind = headers.get_first_value("Content-Type").unwrap_or_default();
    let kind = parse_content_type(&kind);
    let of = kind.params.get("report-type").map(String::as_str);
    let deliveries = of.is_some_and(|of| of.eq_ignore_ascii_case("delivery-status"));
    if kind.mimetype != "multipart/report" || !deliveries {
        return Err("it is no multipart/report with report-type=delivery-status".to_owned());
    }
    let boundary = kind.params.get("boundary").ok_or("it has no boundary")?;
    let parts = parts(body, boundary);
    let status = parts.iter().find(|part| {
        let kinds = ["message/delivery-status", "message/global-delivery-status"];
        kinds.contains(&part.kind.as_str())
    });
    let status = status.ok_or("it has no part message/delivery-status")?;
    let recipients = recipients(status.body);
    if recipients.is_empty() {
        return Err("it names no recipient".to_owned());
    }
    let original = parts.iter().find(|part| {
        let kinds = [
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "message/global-headers",
        ];
        kinds.contains(&part.kind.as_str())
    });
    let original = original.ok_or("the message that it is about is not part of it")?;
    let (headers, _) = split(original.body).ok_or("the returned message cannot be read")?;
    let id = headers.get_first_value("Message-ID");
    let id = id.ok_or("the returned message has no Message-ID")?;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    Ok(Returned {
        message_id: field(id).ok_or("its Message-ID is too long")?,
        recipients,
    })
}

/// Headers, and what stands behind them. Bytes that end within the headers have no body.
fn split(bytes: &[u8]) -> Option<(Vec<MailHeader<'_>>, &[u8])> {
    let (headers, end) = parse_headers(bytes).ok()?;
    Some((headers, bytes.get(end..).unwrap_or_default()))
}

/// The parts between boundary lines.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<Part<'a>> {
    let (open, close) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut parts = Vec::new();
    let (mut at, mut begun) = (0, None);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        if text == open.as_bytes() || text == close.as_bytes() {
            let inside = begun.map(|begun| &body[begun..at]);
            parts.extend(inside.and_then(part));
            begun = (text == open.as_bytes()).then_some(at + line.len());
            if begun.is_none() || parts.len() >= PARTS_MAX {
                return parts;
            }
        }
        at += line.len();
    }
    // A report that was cut off within its last part still says what stands before.
    let inside = begun.map(|begun| &body[begun..]);
    parts.extend(inside.and_then(part));
    parts
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let (headers, body) = split(bytes)?;
    let kind = headers.get_first_value("Content-Type").unwrap_or_default();
    Some(Part {
        kind: parse_content_type(&kind).mimetype,
        body,
    })
}

/// The groups behind the first, which is about the message as a whole.
fn recipients(status: &[u8]) -> Vec<NotReached> {
    let text = String::from_utf8_lossy(status).replace("\r\n", "\n");
    let groups = text.split("\n\n").map(str::trim_start);
    let groups = groups.filter(|group| !group.is_empty());
    let recipients = groups.filter_map(|group| {
        let (fields, _) = parse_headers(group.as_bytes()).ok()?;
        recipient(&fields)
    });
    recipients.take(RECIPIENTS_MAX).collect()
}

/// None for a group that names no recipient, or says nothing of it.
fn recipient(fields: &[MailHeader<'_>]) -> Option<NotReached> {
    let address = |name: &str| {
        let value = fields.get_first_value(name)?;
        let address = value.split_once(';').map_or(&*value, |(_, rest)| rest);
        field(address.trim().trim_matches(['<', '>']))
    };
    let addresses = ["Original-Recipient", "Final-Recipient"];
    let addresses: Vec<String> = addresses.into_iter().filter_map(address).collect();
    let action = fields.get_first_value("Action")?;
    let status = fields.get_first_value("Status")?;
    // `5.1.1 (bad address)`: a comment is allowed behind it.
    let status = status.split_ascii_whitespace().next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if addresses.is_empty() || !status.bytes().all(plain) {
        return None;
    }
    let diagnostic = fields
        .get_first_value("Diagnostic-Code")
        .unwrap_or_default();
    Some(NotReached {
        addresses,
        failed: action.trim().eq_ignore_ascii_case("failed"),
        status: field(status)?,
        diagnostic: line(&diagnostic),
    })
}

fn field(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= FIELD_MAX_BYTES;
    (fits && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// In one line, without control characters, and not longer than what is kept.
fn line(text: &str) -> String {
    let plain = |letter: char| match letter.is_control() {
        true => ' ',
        false => letter,
    };
    let letters = text.trim().chars().map(plain);
    letters.take(DIAGNOSTIC_MAX_CHARACTERS).collect()
}
