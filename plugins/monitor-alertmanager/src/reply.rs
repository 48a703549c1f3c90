//! How the status of a reply becomes an outcome: what may be tried again, and what not.

use hostler_sdk::{HttpResponse, Stop};
use serde::de::DeserializeOwned;

/// An overloaded or restarting server is asked again after this.
const RETRY_MS: u64 = 15_000;

/// The body of a good reply.
///
/// # Errors
/// 429 and 5xx may be tried again; every other status and a strange body may not.
pub fn body<T: DeserializeOwned>(who: &str, response: &HttpResponse) -> Result<T, Stop> {
    good(who, response)?;
    response
        .json()
        .map_err(|error| Stop::reject(format!("{who} answered in a strange shape: {error}")))
}

/// # Errors
/// As `body`.
pub fn good(who: &str, response: &HttpResponse) -> Result<(), Stop> {
    let said = || format!("{who} said {}: {}", response.status, response.excerpt());
    match response.status {
        200..=299 => Ok(()),
        429 | 500..=599 => Err(Stop::Retry {
            reason: said(),
            after_ms: Some(RETRY_MS),
        }),
        401 | 403 => Err(Stop::reject(format!(
            "{}. Check the credentials of the connection",
            said()
        ))),
        _ => Err(Stop::reject(said())),
    }
}

/// A query value in a path.
pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
