//! The CLI's way to a running engine: HTTP, a token, JSON.

use crate::failure::Failure;
use futures::StreamExt;
use hostler_api::Problem;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

/// Longest wait for a connection, and for the answer of what is no stream.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(60);
/// Longest line of a stream.
const LINE_MAX_BYTES: usize = 1024 * 1024;

#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// A path segment with everything but letters, digits and `-._~` written as its bytes.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Client {
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, Failure> {
        // No proxy: the token goes to the engine and nowhere else.
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .no_proxy()
            .build();
        let http = http.map_err(|fault| Failure::Internal(fault.into()))?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token,
            http,
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-hostler-via", "cli");
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let response = self
            .send(self.request(Method::GET, path).timeout(ANSWER))
            .await?;
        read(response).await
    }

    /// With the same `key`, a repeat does nothing twice.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let mut request = self.request(Method::POST, path).timeout(ANSWER).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        read(self.send(request).await?).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request
            .send()
            .await
            .map_err(|fault| self.unreachable(&fault))
    }

    fn unreachable(&self, fault: &reqwest::Error) -> Failure {
        let why = if fault.is_connect() {
            "nobody listens there"
        } else {
            "no answer"
        };
        Failure::Unreachable(format!(
            "{}: {why}\n  start `hostler dev` or `hostler serve`, or name another address with --server",
            self.base
        ))
    }

    /// The whole answer into a file. Half of it is a failure.
    pub async fn download(&self, path: &str, file: &mut File) -> Result<(), Failure> {
        let response = self.send(self.request(Method::GET, path)).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let mut bytes = response.bytes_stream();
        while let Some(chunk) = bytes.next().await {
            let cut =
                |fault| Failure::Internal(anyhow::Error::new(fault).context("the copy broke off"));
            file.write_all(&chunk.map_err(cut)?)?;
        }
        Ok(())
    }

    /// JSON lines, one call of `each` a line, until it says enough or the stream ends.
    pub async fn lines<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T) -> bool,
    ) -> Result<(), Failure> {
        let response = self.send(self.request(Method::GET, path)).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let mut bytes = response.bytes_stream();
        let mut line: Vec<u8> = Vec::new();
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|fault| self.unreachable(&fault))?;
            for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(part);
                if line.len() > LINE_MAX_BYTES {
                    return Err(Failure::Internal(anyhow::anyhow!(
                        "a line of the stream is too long"
                    )));
                }
                if line.ends_with(b"\n") {
                    let value = serde_json::from_slice(&line)?;
                    line.clear();
                    if !each(value) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    response
        .json()
        .await
        .map_err(|fault| Failure::Internal(fault.into()))
}

async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    match Problem::from_json(&body) {
        Some(problem) => problem.into(),
        None => Failure::Internal(anyhow::anyhow!(
            "the server answered {status} without a reason"
        )),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_never_becomes_a_path() {
        assert_eq!(super::segment("asset:web1/../x"), "asset%3Aweb1%2F..%2Fx");
    }
}
