//! A TCP stream to a checked address that is really closed when its call ends, whoever still holds the
//! other end of it.

use super::address::{Resolver, reachable};
use super::failed;
use crate::guest::{Failure, FailureKind};
use crate::limits::CONNECT_TIMEOUT_MS;
use hostler_ports::connection::ConnectionConfig;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// Shuts the socket down on drop: a session task in the background then ends by itself.
pub struct Cut(std::net::TcpStream);

impl Drop for Cut {
    fn drop(&mut self) {
        // Already closed by the other side: nothing to cut.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Connects to the first of the host's permitted addresses that answers.
pub async fn connect(
    config: &ConnectionConfig,
    resolver: &dyn Resolver,
    host: &str,
    port: u16,
) -> Result<TcpStream, Failure> {
    let addresses = reachable(config, resolver, host).await?;
    let mut last = failed(FailureKind::Unreachable, format!("{host} has no address"));
    for address in addresses {
        let target = SocketAddr::new(address, port);
        let wait = Duration::from_millis(CONNECT_TIMEOUT_MS);
        last = match tokio::time::timeout(wait, TcpStream::connect(target)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed(
                FailureKind::Unreachable,
                format!("{target} cannot be reached: {error}"),
            ),
            Err(_) => failed(
                FailureKind::Unreachable,
                format!(
                    "{target} did not accept a connection in {} s",
                    CONNECT_TIMEOUT_MS / 1000
                ),
            ),
        };
    }
    Err(last)
}

/// A stream with a handle that cuts it.
pub fn cuttable(stream: TcpStream) -> Result<(TcpStream, Cut), Failure> {
    let broken =
        |error: std::io::Error| failed(FailureKind::Unreachable, format!("the socket: {error}"));
    let plain = stream.into_std().map_err(broken)?;
    let cut = Cut(plain.try_clone().map_err(broken)?);
    Ok((TcpStream::from_std(plain).map_err(broken)?, cut))
}
