//! One HTTP exchange over a connection: credentials added, redirects checked, sizes and times bounded,
//! authentication stripped from both directions.

use super::endpoint::{Endpoint, Refusal};
use super::headers::{HIDDEN, guest_headers, hidden_header, secret_header};
use super::{failed, lost, path};
use crate::guest::{Failure, FailureKind, HttpRequest, HttpResponse};
use crate::limits::{HEADERS_MAX, REDIRECTS_MAX, REQUEST_MAX_BYTES};
use hostler_ports::connection::{Auth, SessionLogin, TokenFrom};
use hostler_ports::plugin::{CallWatch, Grant};
use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use std::time::Duration;
use url::Url;

/// Sends a request and follows what a read may follow.
pub async fn send(
    endpoint: &Endpoint,
    grant: &Grant,
    watch: &dyn CallWatch,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let base = endpoint.base(grant)?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(failed(
            FailureKind::Refused,
            format!("connection {} is not for HTTP", endpoint.config.name),
        ));
    }
    if request.body.len() > REQUEST_MAX_BYTES {
        return Err(failed(
            FailureKind::Refused,
            format!(
                "a body of {} bytes: at most {REQUEST_MAX_BYTES} are sent",
                request.body.len()
            ),
        ));
    }
    let limit_ms = endpoint.config.limits.timeout_ms;
    let wait_ms = request
        .timeout_ms
        .map_or(limit_ms, |asked| u64::from(asked).min(limit_ms));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| {
        failed(
            FailureKind::Refused,
            format!("{:?} is no method", request.method),
        )
    })?;
    let headers = guest_headers(endpoint, &request)?;
    let first = path::resolve(&endpoint.config, &base, &request.path)?;
    let host = first.host_str().unwrap_or_default().to_owned();
    let exchange = Exchange {
        endpoint,
        base,
        method,
        headers,
        body: request.body,
    };
    let work = async {
        let _place = endpoint.place(&host, watch).await?;
        exchange.run(first).await
    };
    match tokio::time::timeout(Duration::from_millis(wait_ms), work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(lost(
            FailureKind::Timeout,
            format!("{host} did not answer in {wait_ms} ms"),
        )),
    }
}

struct Exchange<'a> {
    endpoint: &'a Endpoint,
    base: Url,
    method: Method,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Exchange<'_> {
    async fn run(&self, first: Url) -> Result<HttpResponse, Failure> {
        let follows = self.method == Method::GET || self.method == Method::HEAD;
        let mut url = first;
        for _ in 0..=REDIRECTS_MAX {
            let response = self.authenticated(&url).await?;
            let target = response
                .headers()
                .get(LOCATION)
                .filter(|_| follows && response.status().is_redirection());
            let Some(target) = target else {
                return self.read(response).await;
            };
            url = self.follow(&url, target)?;
        }
        Err(failed(
            FailureKind::Refused,
            format!("more than {REDIRECTS_MAX} redirects from {}", self.base),
        ))
    }

    /// A redirect is taken like a link that the guest gave: same origin, listed path, checked address.
    fn follow(&self, from: &Url, target: &HeaderValue) -> Result<Url, Failure> {
        let text = target.to_str().map_err(|_| {
            failed(
                FailureKind::Refused,
                "a redirect to something that is no text",
            )
        })?;
        let link = from
            .join(text)
            .map_err(|_| failed(FailureKind::Refused, format!("a redirect to {text:?}")))?;
        path::resolve(&self.endpoint.config, &self.base, link.as_str()).map_err(|mut failure| {
            failure.detail = format!("a redirect: {}", failure.detail);
            failure
        })
    }

    async fn authenticated(&self, url: &Url) -> Result<Response, Failure> {
        match &self.endpoint.config.auth {
            Auth::None | Auth::MutualTls { .. } => self.once(url, HeaderMap::new()).await,
            Auth::Basic { user, password } => {
                use base64::Engine as _;
                let pair = base64::engine::general_purpose::STANDARD
                    .encode(format!("{user}:{}", password.expose()));
                self.once(
                    url,
                    secret_header("authorization", &format!("Basic {pair}"))?,
                )
                .await
            }
            Auth::Header { name, value } => {
                self.once(url, secret_header(name, value.expose())?).await
            }
            Auth::Session(login) => self.with_session(url, login).await,
        }
    }

    async fn with_session(&self, url: &Url, login: &SessionLogin) -> Result<Response, Failure> {
        let token = self.token(login, None).await?;
        let response = self
            .once(url, secret_header(&login.send_as, &token)?)
            .await?;
        if response.status() != reqwest::StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        // The session has ended. A request that was refused did nothing: it may be sent again.
        let token = self.token(login, Some(&token)).await?;
        self.once(url, secret_header(&login.send_as, &token)?).await
    }

    /// The session's token; a fresh login if there is none or it is the stale one.
    async fn token(&self, login: &SessionLogin, stale: Option<&str>) -> Result<String, Failure> {
        let host = self.base.origin().ascii_serialization();
        let mut tokens = self.endpoint.tokens.lock().await;
        if let Some(known) = tokens
            .get(&host)
            .filter(|known| Some(known.as_str()) != stale)
        {
            return Ok(known.clone());
        }
        tokens.remove(&host);
        let mut url = self.base.clone();
        url.set_path(&login.path);
        let mut headers = HeaderMap::new();
        for (name, value) in &login.headers {
            headers.extend(secret_header(name, value.expose())?);
        }
        let mut request = self.endpoint.client()?.post(url.clone()).headers(headers);
        if let Some(body) = &login.body {
            request = request
                .header("content-type", "application/json")
                .body(body.expose().to_owned());
        }
        self.endpoint.check_literal(&url)?;
        let response = request
            .send()
            .await
            .map_err(|error| not_sent(translate(&self.endpoint.redactor, error)))?;
        let token = self.read_token(response, login).await?;
        tokens.insert(host, token.clone());
        Ok(token)
    }

    async fn read_token(
        &self,
        response: Response,
        login: &SessionLogin,
    ) -> Result<String, Failure> {
        let refuse = |why: String| {
            let name = &self.endpoint.config.name;
            failed(
                FailureKind::Unauthenticated,
                format!("connection {name}: the login at {} {why}", login.path),
            )
        };
        if !response.status().is_success() {
            return Err(refuse(format!(
                "was answered with {}: check its credential",
                response.status()
            )));
        }
        match &login.token {
            TokenFrom::Header(name) => response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
                .ok_or_else(|| refuse(format!("gave no header {name}"))),
            TokenFrom::Body(pointer) => {
                let body = self.bytes(response).await.map_err(not_sent)?;
                let json: serde_json::Value =
                    serde_json::from_slice(&body).map_err(|_| refuse("gave no JSON".into()))?;
                let token = json.pointer(pointer).and_then(serde_json::Value::as_str);
                token
                    .map(str::to_owned)
                    .ok_or_else(|| refuse(format!("gave no text at {pointer:?}")))
            }
        }
    }

    async fn once(&self, url: &Url, secret: HeaderMap) -> Result<Response, Failure> {
        self.endpoint.check_literal(url)?;
        let mut headers = self.headers.clone();
        headers.extend(secret);
        let request = self
            .endpoint
            .client()?
            .request(self.method.clone(), url.clone())
            .headers(headers);
        let request = if self.body.is_empty() {
            request
        } else {
            request.body(self.body.clone())
        };
        request
            .send()
            .await
            .map_err(|error| translate(&self.endpoint.redactor, error))
    }

    async fn read(&self, response: Response) -> Result<HttpResponse, Failure> {
        let status = response.status().as_u16();
        let hidden = hidden_header(&self.endpoint.config.auth);
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| {
                !HIDDEN.contains(&name.as_str()) && Some(name.as_str()) != hidden.as_deref()
            })
            .take(HEADERS_MAX)
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), self.clean(text))
            })
            .collect();
        let body = self.bytes(response).await?;
        let token = self.session_token().await;
        let mut body = self.endpoint.redactor.bytes(body);
        if let Some(token) = token {
            body = super::Redactor::new([token.as_str()]).bytes(body);
        }
        Ok(HttpResponse {
            status,
            headers,
            body,
        })
    }

    fn clean(&self, text: String) -> String {
        self.endpoint.redactor.text(text)
    }

    async fn session_token(&self) -> Option<String> {
        matches!(self.endpoint.config.auth, Auth::Session(_)).then_some(())?;
        self.endpoint
            .tokens
            .lock()
            .await
            .get(&self.base.origin().ascii_serialization())
            .cloned()
    }

    async fn bytes(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let most = self.endpoint.config.limits.answer_bytes_max;
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|error| translate(&self.endpoint.redactor, error))?
        {
            if body.len() + part.len() > most {
                return Err(lost(
                    FailureKind::TooLarge,
                    format!(
                        "the answer is larger than {most} bytes: ask for less, or raise the connection's limit"
                    ),
                ));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

/// A login is not the request: that was not sent yet.
fn not_sent(mut failure: Failure) -> Failure {
    failure.maybe_sent = false;
    failure
}

pub(super) fn translate(redactor: &super::Redactor, error: reqwest::Error) -> Failure {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(&error);
    let mut cause = String::new();
    while let Some(inner) = source {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refusal.0.clone();
        }
        cause = inner.to_string();
        source = inner.source();
    }
    let before = error.is_connect() || error.is_builder();
    let separator = if cause.is_empty() { "" } else { ": " };
    let detail = redactor.text(format!("{}{separator}{cause}", error.without_url()));
    if before {
        failed(FailureKind::Unreachable, detail)
    } else {
        lost(FailureKind::Broken, detail)
    }
}
