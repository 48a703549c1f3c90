//! Whether the other side answers, without credentials.

use super::endpoint::Endpoint;
use super::stream::{connect, cuttable};
use super::{failed, tls};
use crate::guest::{Failure, FailureKind};
use crate::limits::BANNER_MAX_BYTES;
use hostler_ports::connection::{Auth, ConnectionConfig};
use hostler_ports::plugin::{CallWatch, Grant};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tcp,
    Tls,
    Http,
    Banner,
}

/// Whether it is up, and what shows it.
pub async fn check(
    endpoint: &Endpoint,
    grant: &Grant,
    watch: &dyn CallWatch,
    kind: Kind,
) -> Result<(bool, String), Failure> {
    let wait = Duration::from_millis(endpoint.config.limits.timeout_ms);
    let (host, port) = target(endpoint, grant)?;
    let work = async {
        let _place = endpoint.place(&host, watch).await?;
        if kind == Kind::Http {
            return http(endpoint, grant).await;
        }
        let stream = connect(&endpoint.config, endpoint.resolver.as_ref(), &host, port).await?;
        let (stream, _cut) = cuttable(stream)?;
        match kind {
            Kind::Tls => handshake(&endpoint.config, &host, stream).await,
            Kind::Banner => banner(stream).await,
            Kind::Tcp | Kind::Http => Ok(format!("{host}:{port} accepts connections")),
        }
    };
    match tokio::time::timeout(wait, work).await {
        Ok(Ok(detail)) => Ok((true, endpoint.redactor.text(detail))),
        Ok(Err(failure))
            if failure.kind == FailureKind::Unreachable || failure.kind == FailureKind::Broken =>
        {
            Ok((false, failure.detail))
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Ok((
            false,
            format!("{host} did not answer in {} ms", wait.as_millis()),
        )),
    }
}

fn target(endpoint: &Endpoint, grant: &Grant) -> Result<(String, u16), Failure> {
    let refuse = |why: &str| {
        failed(
            FailureKind::Refused,
            format!("connection {}: {why}", endpoint.config.name),
        )
    };
    if endpoint.config.url.is_some() {
        let url = endpoint.base(grant)?;
        let port = url
            .port_or_known_default()
            .ok_or_else(|| refuse("its `url` has no port"))?;
        return Ok((url.host_str().unwrap_or_default().to_owned(), port));
    }
    let ssh = endpoint
        .config
        .ssh
        .as_ref()
        .ok_or_else(|| refuse("it has neither `url` nor an SSH login"))?;
    let host = grant
        .address
        .clone()
        .ok_or_else(|| refuse("the asset has no `address`"))?;
    Ok((host, ssh.port))
}

async fn http(endpoint: &Endpoint, grant: &Grant) -> Result<String, Failure> {
    let url = endpoint.base(grant)?;
    endpoint.check_literal(&url)?;
    let response = endpoint
        .client()?
        .get(url)
        .send()
        .await
        .map_err(|error| super::http::translate(&endpoint.redactor, error))?;
    Ok(format!("HTTP {}", response.status().as_u16()))
}

async fn handshake(
    config: &ConnectionConfig,
    host: &str,
    stream: TcpStream,
) -> Result<String, Failure> {
    let down = |error: String| {
        failed(
            FailureKind::Unreachable,
            format!("TLS with {host}: {error}"),
        )
    };
    // A probe shows no client certificate.
    let bare = ConnectionConfig {
        auth: Auth::None,
        ..config.clone()
    };
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls::settings(&bare)?));
    let bare_host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(bare_host).map_err(|error| down(error.to_string()))?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| down(error.to_string()))?;
    let version = stream.get_ref().1.protocol_version();
    Ok(format!("a trusted certificate, {version:?}"))
}

async fn banner(mut stream: TcpStream) -> Result<String, Failure> {
    let mut line = Vec::new();
    let mut byte = [0; 1];
    while line.len() < BANNER_MAX_BYTES {
        let read = stream.read(&mut byte).await;
        match read {
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
            Err(error) => {
                return Err(failed(
                    FailureKind::Unreachable,
                    format!("no banner: {error}"),
                ));
            }
        }
    }
    if line.is_empty() {
        return Err(failed(
            FailureKind::Unreachable,
            "the other side closed without a banner",
        ));
    }
    let text = String::from_utf8_lossy(&line).into_owned();
    Ok(text
        .chars()
        .filter(|character| !character.is_control())
        .collect())
}
