//! Where a hook may go: names are looked up here, every address of the answer is checked, and the connection goes to a
//! checked one. There is no second look-up, so no name can change its mind in between.
//!
//! Not here: connecting.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// A range of addresses: `10.1.2.0/24`, `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no range of addresses: write 10.1.2.0/24 or one address");
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| bad())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| bad())?,
            None => most,
        };
        if bits > most {
            return Err(bad());
        }
        Ok(Self { base, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let (base, address, width) = match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => (
                u128::from(base.to_bits()),
                u128::from(address.to_bits()),
                32,
            ),
            (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
            _ => return false,
        };
        // A shift by the whole width is no shift that a machine knows.
        let cut = |bits: u128| bits.checked_shr(width - u32::from(self.bits)).unwrap_or(0);
        cut(base) == cut(address)
    }
}

/// Why an address is none for a hook; none: it may go there.
pub fn refusal(address: IpAddr, listed: &[Network]) -> Option<&'static str> {
    let address = address.to_canonical();
    if listed.iter().any(|network| network.contains(address)) {
        return None;
    }
    inward(address).or_else(|| inner(address).and_then(inward))
}

/// The IPv4 address within a translated (64:ff9b::/96), 6to4 or compatible one.
fn inner(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else {
        return None;
    };
    let (high, low) = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..]
        | [0, 0, 0, 0, 0, 0, high, low] => (high, low),
        _ => return None,
    };
    let bits = u32::from(high) << 16 | u32::from(low);
    Some(IpAddr::V4(Ipv4Addr::from_bits(bits)))
}

/// What leads inwards, or to no single host.
fn inward(address: IpAddr) -> Option<&'static str> {
    let loopback = address.is_loopback() || address.is_unspecified();
    let (private, link, other) = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && b & 0xc0 == 64;
            (
                v4.is_private() || shared,
                v4.is_link_local(),
                // 0/8 is "this network", 198.18/15 is for benchmarks, 192.0.0/24 for protocols; from 224 on there are no
                // hosts.
                a == 0 || a >= 224 || (a == 198 && b & 0xfe == 18) || [a, b, c] == [192, 0, 0],
            )
        }
        IpAddr::V6(v6) => (
            v6.is_unique_local() || v6.segments()[0] & 0xffc0 == 0xfec0,
            v6.is_unicast_link_local(),
            v6.is_multicast(),
        ),
    };
    match (loopback, link, private, other) {
        (true, ..) => Some("loopback"),
        (_, true, ..) => Some("link-local"),
        (_, _, true, _) => Some("private"),
        (.., true) => Some("no host's address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, listed: &[&str]) -> Option<&'static str> {
        let listed: Vec<Network> = listed.iter().map(|text| text.parse().unwrap()).collect();
        refusal(address.parse().unwrap(), &listed)
    }

    #[test]
    fn what_leads_inwards_is_refused_however_it_is_written() {
        for (address, why) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("0.0.0.0", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::127.0.0.1", "loopback"),
            ("10.1.2.3", "private"),
            ("172.31.0.1", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "private"),
            ("fd00::1", "private"),
            ("fec0::1", "private"),
            ("64:ff9b::10.1.2.3", "private"),
            ("2002:0a01:0203::1", "private"),
            ("169.254.169.254", "link-local"),
            ("fe80::1", "link-local"),
            ("224.0.0.1", "no host's address"),
            ("255.255.255.255", "no host's address"),
            ("ff02::1", "no host's address"),
        ] {
            assert_eq!(refused(address, &[]), Some(why), "{address}");
        }
        for address in [
            "93.184.216.34",
            "2606:2800:220:1::1",
            "172.32.0.1",
            "100.128.0.1",
        ] {
            assert_eq!(refused(address, &[]), None, "{address}");
        }
    }

    #[test]
    fn what_is_listed_may_be_reached_and_its_neighbours_not() {
        assert_eq!(refused("10.1.2.3", &["10.1.2.0/24"]), None);
        assert_eq!(refused("10.1.3.3", &["10.1.2.0/24"]), Some("private"));
        assert_eq!(refused("127.0.0.1", &["127.0.0.1"]), None);
        assert_eq!(refused("127.0.0.2", &["127.0.0.1"]), Some("loopback"));
        assert_eq!(refused("fd00::1", &["fd00::/8"]), None);
        assert_eq!(refused("10.1.2.3", &["0.0.0.0/0"]), None);
        for bad in ["10.1.2.0/33", "10.1.2", "fd00::/129", "x/8", "10.0.0.0/"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
