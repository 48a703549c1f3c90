//! The way out of a message: its headers (RFC 2369, RFC 8058), and mail of those who take it by mail.
//!
//! Not here: which messages have one, and what follows from it.

use crate::compose::{ComposeFault, plain};
use hostler_ports::channel::Unsubscribe;
use hostler_ports::leave::UNSUBSCRIBE;
use lettre::message::header::{HeaderName, HeaderValue};
use mailparse::{MailHeaderMap as _, parse_headers};

/// Longest address of a page, and of a mailbox, in bytes: no line of a header may have more than 998.
const LINK_MAX_BYTES: usize = 600;
const ADDRESS_MAX_BYTES: usize = 254;
/// Longest text behind the word in a subject, in bytes.
const TEXT_MAX_BYTES: usize = 200;

/// None for what the recipient must have. One click only where it is signed and nobody can listen.
pub(crate) fn headers(
    way: Option<&Unsubscribe>,
    signed: bool,
) -> Result<Vec<HeaderValue>, ComposeFault> {
    let Some(way) = way else {
        return Ok(Vec::new());
    };
    if way.link.len() > LINK_MAX_BYTES || !is_plain(&way.link) {
        return Err(ComposeFault::WayOut);
    }
    let mail = way.mail.as_ref();
    let mail = mail.map(|(address, subject)| mailto(address, subject));
    let mail = mail.transpose()?;
    let mut uris = format!("<{}>", way.link);
    if let Some(mail) = mail {
        uris = format!("{uris},\r\n <{mail}>");
    }
    let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
    // As it is: an address that is folded in its middle is none. Both parts are looked at above.
    let list = HeaderValue::dangerous_new_pre_encoded(name, uris.clone(), uris);
    let one_click = signed && way.link.starts_with("https://");
    let post = one_click.then(|| plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    Ok([list].into_iter().chain(post).collect())
}

/// Nothing that ends a line or the brackets around it.
fn is_plain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn mailto(address: &str, subject: &str) -> Result<String, ComposeFault> {
    let fits = address.len() <= ADDRESS_MAX_BYTES && address.contains('@');
    if !fits || !is_plain(address) || subject.len() > TEXT_MAX_BYTES {
        return Err(ComposeFault::WayOut);
    }
    Ok(format!(
        "mailto:{}?subject={}",
        escaped(address),
        escaped(subject)
    ))
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte);
    let bytes = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// What stands behind `unsubscribe` in the subject of a mail; none for all other mail.
pub(crate) fn asked(mail: &[u8]) -> Option<String> {
    let (headers, _) = parse_headers(mail).ok()?;
    let subject = headers.get_first_value("Subject")?;
    let mut words = subject.split_ascii_whitespace();
    let is_asked = words.next()?.eq_ignore_ascii_case(UNSUBSCRIBE);
    let text = words.next().filter(|_| is_asked)?;
    let fits = text.len() <= TEXT_MAX_BYTES && words.next().is_none();
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_asks_by_its_subject_alone() {
        let asks =
            |subject: &str| asked(format!("From: a@b\r\nSubject: {subject}\r\n\r\nx").as_bytes());
        assert_eq!(asks("unsubscribe abc.def").as_deref(), Some("abc.def"));
        assert_eq!(
            asks("Unsubscribe\r\n abc").as_deref(),
            Some("abc"),
            "folded"
        );
        for other in ["Re: unsubscribe abc", "unsubscribe", "unsubscribe a b", ""] {
            assert_eq!(asks(other), None, "{other}");
        }
        assert_eq!(asks(&format!("unsubscribe {}", "a".repeat(201))), None);
        assert_eq!(asked(b"\xff\x00"), None);
        assert_eq!(asked(b"To: x\r\n\r\nSubject: unsubscribe abc"), None);
    }

    #[test]
    fn what_an_address_may_not_have_is_written_as_its_bytes() {
        let uri = mailto("a+b?c%@x.example", "unsubscribe 12.ab").unwrap();
        assert_eq!(
            uri,
            "mailto:a+b%3Fc%25@x.example?subject=unsubscribe%2012.ab"
        );
    }
}
