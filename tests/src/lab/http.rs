//! The smallest HTTP client that the lab needs: one request, one answer, one connection.
//!
//! Not here: TLS, redirects, streaming. Tests of the product's own HTTP use the product's client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Result;
use super::error::{Attempt, LabError};

/// A server on loopback that is silent for longer is taken for hung.
const TIMEOUT: Duration = Duration::from_secs(10);
/// An answer longer than this is cut: the lab reads lists of a few entries.
const BODY_BYTES: u64 = 4 << 20;

/// Status and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).map_err(|error| LabError::Answer {
            what: format!("not JSON ({error}), status {}", self.status),
            answer: self.body.clone(),
        })
    }
}

/// Sends one request. `body`, when not empty, is JSON.
pub fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<Answer> {
    request_with(address, method, path, "", body)
}

/// The same with further header lines, each ended by CR LF.
pub fn request_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<Answer> {
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let length = body.len();
        // HTTP/1.0: the answer ends where the connection does.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             {headers}Content-Length: {length}\r\n\r\n{body}"
        )?;
        let mut bytes = Vec::new();
        stream.take(BODY_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = exchange().attempt(|| format!("{method} http://{address}{path}"))?;
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            body: body.to_owned(),
        })
    });
    parsed.ok_or_else(|| LabError::Answer {
        what: format!("{method} {path}"),
        answer: text,
    })
}
