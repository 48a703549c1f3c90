//! Which headers pass between a guest and a server.
//!
//! Not here: their values' secrets (the redactor takes those out).

use super::endpoint::Endpoint;
use super::failed;
use crate::guest::{Failure, FailureKind, HttpRequest};
use hostler_ports::connection::Auth;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers that are the host's own: a guest that sets one is refused.
const HOSTS_OWN: [&str; 17] = [
    "authorization",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "proxy-authenticate",
    "set-cookie",
    "forwarded",
    "x-forwarded-for",
];
/// Headers of a response that a guest does not see.
pub const HIDDEN: [&str; 5] = [
    "set-cookie",
    "www-authenticate",
    "proxy-authenticate",
    "authorization",
    "authentication-info",
];

/// The header that carries the connection's credential.
pub fn hidden_header(auth: &Auth) -> Option<String> {
    match auth {
        Auth::Header { name, .. } => Some(name.to_ascii_lowercase()),
        Auth::Session(login) => Some(login.send_as.to_ascii_lowercase()),
        _ => None,
    }
}

/// What a guest may send.
pub fn guest_headers(endpoint: &Endpoint, request: &HttpRequest) -> Result<HeaderMap, Failure> {
    let own = hidden_header(&endpoint.config.auth);
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let lower = name.to_ascii_lowercase();
        if HOSTS_OWN.contains(&lower.as_str()) || Some(&lower) == own.as_ref() {
            return Err(failed(
                FailureKind::Refused,
                format!("the header {lower} is the host's own: leave it out"),
            ));
        }
        let name = HeaderName::from_bytes(lower.as_bytes());
        let value = HeaderValue::from_str(value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(failed(
                FailureKind::Refused,
                format!("the header {lower:?} has characters that no header may have"),
            ));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

/// One header with a credential; it is never shown.
pub fn secret_header(name: &str, value: &str) -> Result<HeaderMap, Failure> {
    let bad = || {
        failed(
            FailureKind::Refused,
            format!(
                "the credential's header {name:?} cannot be sent: it has characters that no header may have"
            ),
        )
    };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}
