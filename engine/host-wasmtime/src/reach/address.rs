//! Which addresses a connection may reach. Names are resolved here, every address of the answer is
//! checked, and the connection goes to a checked address: there is no second look-up.

use super::failed;
use crate::guest::{Failure, FailureKind};
use async_trait::async_trait;
use hostler_ports::connection::ConnectionConfig;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Looks names up.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// Addresses of a name; may block on the network up to the system's own time-out.
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0))
            .await?
            .map(|address| address.ip())
            .collect())
    }
}

/// The addresses of a host that the connection may reach, at least one.
pub async fn reachable(
    config: &ConnectionConfig,
    resolver: &dyn Resolver,
    host: &str,
) -> Result<Vec<IpAddr>, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(literal) = bare.parse::<IpAddr>() {
        return Ok(vec![permitted(config, literal, true)?]);
    }
    let found = resolver.resolve(host).await.map_err(|error| {
        failed(
            FailureKind::Unreachable,
            format!("{host} cannot be resolved: {error}"),
        )
    })?;
    let mut refused = None;
    let mut allowed = Vec::new();
    for address in found {
        match permitted(config, address, false) {
            Ok(address) => allowed.push(address),
            Err(failure) => refused = Some(failure),
        }
    }
    match (allowed.is_empty(), refused) {
        (false, _) => Ok(allowed),
        (true, Some(failure)) => Err(failure),
        (true, None) => Err(failed(
            FailureKind::Unreachable,
            format!("{host} has no address"),
        )),
    }
}

/// The address in its plain form, if the connection may reach it. `literal`: the configuration itself
/// writes it as an address.
pub fn permitted(
    config: &ConnectionConfig,
    address: IpAddr,
    literal: bool,
) -> Result<IpAddr, Failure> {
    let address = plain(address);
    let refuse = |what: &str, remedy: String| {
        let name = &config.name;
        Err(failed(
            FailureKind::Refused,
            format!("connection {name} may not reach {address} ({what}): {remedy}"),
        ))
    };
    if never(address) {
        return refuse(
            "no host's address",
            "give the connection the address of a host".into(),
        );
    }
    let inner = embedded(address);
    let exact = config
        .addresses
        .iter()
        .any(|range| range.names_exactly(address));
    if !exact && (special(address) || inner.is_some_and(special)) {
        return refuse(
            "loopback, link-local or metadata",
            format!(
                "if it is meant, add exactly `{address}/{}` to its `addresses`",
                bits(address)
            ),
        );
    }
    if config.addresses.is_empty() {
        if literal || !(private(address) || inner.is_some_and(private)) {
            return Ok(address);
        }
        return refuse(
            "a private address behind a name",
            "add its range to the connection's `addresses`".into(),
        );
    }
    if config.addresses.iter().any(|range| range.contains(address)) {
        return Ok(address);
    }
    refuse("outside of its `addresses`", "add its range there".into())
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `::ffff:10.0.0.1` is 10.0.0.1.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The IPv4 address inside of a translated (64:ff9b::/96), 6to4 or compatible IPv6 address.
fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return None };
    let parts = v6.segments();
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
    };
    match parts {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => join(high, low),
        [0x2002, high, low, ..] => join(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if v6 != Ipv6Addr::LOCALHOST => join(high, low),
        _ => None,
    }
}

fn never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.is_multicast() || v4.octets()[0] >= 240,
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
    }
}

/// What is on this machine or on its wire, and where clouds keep credentials.
fn special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.octets()[0] == 0
                || v4 == Ipv4Addr::new(100, 100, 100, 200)
                || v4 == Ipv4Addr::new(168, 63, 129, 16)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.segments()[0] & 0xffc0 == 0xfe80
                || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    }
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(v6) => v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_ports::connection::AddressRange;

    fn config(addresses: &[&str]) -> ConnectionConfig {
        let mut config = ConnectionConfig::new("c", "p");
        config.addresses = addresses
            .iter()
            .map(|text| AddressRange::parse(text).unwrap())
            .collect();
        config
    }

    #[test]
    fn an_address_is_reached_only_when_the_connection_says_so() {
        // addresses of the connection, address, written as an address, allowed
        let cases: &[(&[&str], &str, bool, bool)] = &[
            (&[], "198.51.100.7", false, true),
            (&[], "10.1.2.3", true, true),
            (&[], "10.1.2.3", false, false),
            (&[], "100.64.1.1", false, false),
            (&[], "fd12::1", false, false),
            (&[], "127.0.0.1", true, false),
            (&[], "::1", true, false),
            (&[], "::ffff:127.0.0.1", true, false),
            (&[], "::127.0.0.1", true, false),
            (&[], "64:ff9b::7f00:1", true, false),
            (&[], "64:ff9b::a00:1", false, false),
            (&[], "2002:7f00:1::1", true, false),
            (&[], "::ffff:10.0.0.1", false, false),
            (&[], "169.254.169.254", true, false),
            (&[], "fe80::1", true, false),
            (&[], "fd00:ec2::254", true, false),
            (&[], "100.100.100.200", true, false),
            (&[], "0.0.0.0", true, false),
            (&["0.0.0.0/0"], "0.0.0.0", true, false),
            (&["0.0.0.0/0"], "255.255.255.255", true, false),
            (&["0.0.0.0/0"], "224.0.0.1", true, false),
            (&["0.0.0.0/0"], "127.0.0.1", true, false),
            (&["127.0.0.0/8"], "127.0.0.1", true, false),
            (&["127.0.0.1/32"], "127.0.0.1", true, true),
            (&["127.0.0.1/32"], "127.0.0.2", true, false),
            (&["127.0.0.1/32"], "::ffff:127.0.0.1", true, true),
            (&["127.0.0.1"], "198.51.100.7", true, false),
            (&["10.9.0.0/16"], "10.9.1.1", false, true),
            (&["10.9.0.0/16"], "::ffff:10.9.1.1", false, true),
            (&["10.9.0.0/16"], "10.8.1.1", true, false),
            (&["169.254.169.254/32"], "169.254.169.254", true, true),
        ];
        for (addresses, address, literal, allowed) in cases {
            let verdict = permitted(&config(addresses), address.parse().unwrap(), *literal);
            assert_eq!(
                verdict.is_ok(),
                *allowed,
                "{address} under {addresses:?}: {verdict:?}"
            );
            if let Err(failure) = verdict {
                assert!(
                    failure.detail.contains("addresses")
                        || failure.detail.contains("give the connection"),
                    "{failure:?}"
                );
            }
        }
    }
}
