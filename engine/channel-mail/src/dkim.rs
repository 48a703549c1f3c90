//! DKIM signatures (RFC 6376, RFC 8463): who answers for a message, in a header that mail servers check.
//!
//! Headers and body are taken in their relaxed form. Headers that decide what a reader sees are signed once more than they
//! are there, so that nobody can add one. Not here: keys in DNS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use std::fmt;
use thiserror::Error;

/// Headers that are signed where they are there.
const SIGNED: [&str; 14] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "auto-submitted",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
];
/// Of those, what nobody may add another of.
const ONCE: [&str; 8] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
];
/// Characters of the signature in one line of the header.
const LINE_CHARACTERS: usize = 70;

/// Why no signature can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DkimFault {
    #[error(
        "the key is no PEM of an Ed25519 key or of an RSA key of 2048 bits or more: make one with `openssl genpkey \
         -algorithm RSA -pkeyopt rsa_keygen_bits:2048`"
    )]
    Key,
    #[error("{0:?} is no name of a selector or domain: write letters, digits, dots and hyphens")]
    Name(String),
    #[error("the message cannot be signed")]
    Unsigned,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A key with the place where its public half lies: `<selector>._domainkey.<domain>`.
pub struct Dkim {
    domain: String,
    selector: String,
    key: Key,
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dkim {{ {}._domainkey.{} }}", self.selector, self.domain)
    }
}

impl Dkim {
    /// # Errors
    /// For a key that cannot sign, or a name that cannot stand in DNS.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, DkimFault> {
        for name in [domain, selector] {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
            if name.is_empty() || name.len() > 200 || !name.bytes().all(plain) {
                return Err(DkimFault::Name(name.to_owned()));
            }
        }
        Ok(Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            key: key(pem).ok_or(DkimFault::Key)?,
        })
    }

    /// The header that goes before a message, with its line end.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn header(&self, message: &[u8], now_ms: i64) -> Result<String, DkimFault> {
        let (head, body) = parted(message);
        let headers = headers(head);
        let names = names(&headers);
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let unsigned = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={}; s={}; t={};\r\n\th={};\r\n\tbh={};\r\n\tb=",
            self.domain,
            self.selector,
            now_ms / 1_000,
            names.join(":\r\n\t "),
            STANDARD.encode(digest(&SHA256, &relaxed_body(body))),
        );
        let signature = self.sign(&input(&headers, &names, &unsigned))?;
        let lines: Vec<_> = signature.as_bytes().chunks(LINE_CHARACTERS).collect();
        let lines: Vec<_> = lines.into_iter().map(String::from_utf8_lossy).collect();
        Ok(format!("{unsigned}{}\r\n", lines.join("\r\n\t ")))
    }

    fn sign(&self, input: &[u8]) -> Result<String, DkimFault> {
        Ok(match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let signed = key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    input,
                    &mut signature,
                );
                signed.map_err(|_| DkimFault::Unsigned)?;
                STANDARD.encode(signature)
            }
            // RFC 8463 signs the digest.
            Key::Ed25519(key) => STANDARD.encode(key.sign(digest(&SHA256, input).as_ref())),
        })
    }
}

fn key(pem: &str) -> Option<Key> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (kind, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    if kind == "RSA PRIVATE KEY" {
        return Some(Key::Rsa(Box::new(RsaKeyPair::from_der(&der).ok()?)));
    }
    let ed25519 = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok();
    let ed25519 = ed25519.map(|key| Key::Ed25519(Box::new(key)));
    ed25519.or_else(|| Some(Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).ok()?))))
}

/// Headers and body.
fn parted(message: &[u8]) -> (&[u8], &[u8]) {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    match end {
        Some(end) => (&message[..end + 2], &message[end + 4..]),
        None => (message, &[]),
    }
}

/// Name in lower case and value, as they follow one another; lines that were folded are one again.
fn headers(head: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(head).split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        }
    }
    headers
}

/// What `h=` names: each header as often as it is there, and once more where nobody may add one.
fn names(headers: &[(String, String)]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in SIGNED {
        let count = headers.iter().filter(|(header, _)| header == name).count();
        // A list that passes a message on may name its own way out where there is none.
        let is_way_out = count > 0 && name.starts_with("list-unsubscribe");
        let once_more = usize::from(is_way_out || ONCE.contains(&name));
        names.extend(std::iter::repeat_n(name, count + once_more));
    }
    names
}

/// What is signed: the named headers, of those with the same name the last first, and the signature's own without its
/// value.
fn input(headers: &[(String, String)], names: &[&str], unsigned: &str) -> Vec<u8> {
    let mut left: Vec<&(String, String)> = headers.iter().collect();
    let mut input = String::new();
    for name in names {
        if let Some(place) = left.iter().rposition(|(header, _)| header == name) {
            let (_, value) = left.remove(place);
            input.push_str(&format!("{name}:{}\r\n", relaxed(value)));
        }
    }
    let own = unsigned.replace("\r\n", "");
    let (_, value) = own.split_once(':').unwrap_or_default();
    input.push_str(&format!("dkim-signature:{}", relaxed(value)));
    input.into_bytes()
}

/// Blanks between words are one space, none stand at either end.
fn relaxed(value: &str) -> String {
    let words = value.split([' ', '\t', '\r', '\n']);
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Blanks in a line are one space, none stand at its end, and no empty line stands at the end of all.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut relaxed: Vec<u8> = Vec::new();
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let blank = |byte: u8| byte == b' ' || byte == b'\t';
        let begin = relaxed.len();
        let mut was_blank = false;
        for byte in line {
            if blank(*byte) {
                was_blank = true;
                continue;
            }
            if was_blank {
                relaxed.push(b' ');
            }
            was_blank = false;
            relaxed.push(*byte);
        }
        debug_assert!(relaxed.len() >= begin);
        relaxed.extend_from_slice(b"\r\n");
    }
    while relaxed.ends_with(b"\r\n\r\n") {
        relaxed.truncate(relaxed.len() - 2);
    }
    if relaxed == b"\r\n" {
        relaxed.clear();
    }
    relaxed
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ED25519, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    /// The example of RFC 8463, appendix A.
    const HEAD: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
        To: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\n\
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
    const BODY: &str = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    const UNSIGNED: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\
        \x20d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n\
        \x20subject : date : message-id : from : subject : date;\r\n\
        \x20bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
    const SIGNATURE: &str =
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
    const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    /// Known to everybody, so it protects nothing.
    const RSA: &str = include_str!("../tests/mail/known-to-everybody.pem");

    fn decoded(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap()
    }

    #[test]
    fn the_signature_of_the_standards_example_fits_what_we_would_sign() {
        assert_eq!(
            STANDARD.encode(digest(&SHA256, &relaxed_body(BODY.as_bytes()))),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
        );
        let names = [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "from",
            "subject",
            "date",
        ];
        let input = input(&headers(HEAD.as_bytes()), &names, UNSIGNED);
        let public = UnparsedPublicKey::new(&ED25519, decoded(PUBLIC));
        let signed = digest(&SHA256, &input);
        public.verify(signed.as_ref(), &decoded(SIGNATURE)).unwrap();
    }

    #[test]
    fn bodies_and_headers_relax_as_the_standard_shows() {
        // RFC 6376, 3.4.5.
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"no end"), b"no end\r\n");
        let headers = headers(b"A: X\r\nB : Y\t\r\n\tZ  \r\n");
        let relaxed: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}", relaxed(value)))
            .collect();
        assert_eq!(relaxed, ["a:X", "b:Y Z"]);
    }

    /// A verifier of its own: what `h=` names, in the form of the standard, under the key's public half.
    fn verifies(dkim: &Dkim, header: &str, message: &str) -> bool {
        let unfolded = header.replace("\r\n", "");
        let tag = |name: &str| {
            let found = unfolded.split(';').find_map(|tag| {
                let tag = tag.trim().trim_start_matches("DKIM-Signature: ");
                tag.strip_prefix(name)?.strip_prefix('=')
            });
            found.unwrap().split_ascii_whitespace().collect::<String>()
        };
        let (head, body) = parted(message.as_bytes());
        if tag("bh") != STANDARD.encode(digest(&SHA256, &relaxed_body(body))) {
            return false;
        }
        let of = tag("h");
        let names: Vec<&str> = of.split(':').collect();
        let end = header.rfind("b=").unwrap() + 2;
        let input = input(&headers(head), &names, &header[..end]);
        let signature = decoded(&tag("b"));
        match &dkim.key {
            Key::Rsa(key) => {
                let public = key.public_key().as_ref();
                let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
                public.verify(&input, &signature).is_ok()
            }
            Key::Ed25519(key) => {
                let public = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref());
                let signed = digest(&SHA256, &input);
                public.verify(signed.as_ref(), &signature).is_ok()
            }
        }
    }

    #[test]
    fn what_a_reader_sees_cannot_be_changed_or_added_under_a_signature() {
        let seed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let ed25519 = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(seed.as_ref())
        );
        for pem in [RSA, &ed25519] {
            let dkim = Dkim::new("football.example.com", "brisbane", pem).unwrap();
            let message = format!("{HEAD}\r\n{BODY}");
            let header = dkim.header(message.as_bytes(), 1_528_637_909_000).unwrap();
            assert!(header.lines().all(|line| line.len() < 100), "{header}");
            assert!(verifies(&dkim, &header, &message));
            for (what, changed) in [
                ("body", message.replace("lost", "won")),
                ("subject", message.replace("dinner", "supper")),
                ("a second subject", format!("Subject: Other\r\n{message}")),
                (
                    "a reply-to",
                    format!("Reply-To: eve@x.example\r\n{message}"),
                ),
            ] {
                assert!(!verifies(&dkim, &header, &changed), "{what}");
            }
            let spaced = message.replace("the game.  Are", "the  game. Are");
            assert!(verifies(&dkim, &header, &spaced), "relaxed");
        }
    }

    #[test]
    fn a_way_out_cannot_be_changed_removed_or_added_to_under_a_signature() {
        let dkim = Dkim::new("football.example.com", "brisbane", RSA).unwrap();
        let out = "List-Unsubscribe: <https://a.example/x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
        let message = format!("{out}{HEAD}\r\n{BODY}");
        let header = dkim.header(message.as_bytes(), 1).unwrap();
        assert!(verifies(&dkim, &header, &message));
        let other = message.replace("a.example", "b.example");
        let added = format!("{out}{message}");
        for changed in [other, message.replacen(out, "", 1), added] {
            assert!(!verifies(&dkim, &header, &changed), "{changed}");
        }
    }

    #[test]
    fn what_is_no_key_or_no_name_is_refused() {
        for pem in [
            "",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert_eq!(Dkim::new("x.example", "s", pem).err(), Some(DkimFault::Key));
        }
        for selector in ["", "a b", "a;b=c"] {
            let fault = Dkim::new("x.example", selector, RSA).err();
            assert_eq!(fault, Some(DkimFault::Name(selector.to_owned())));
        }
    }
}
