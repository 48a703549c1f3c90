//! Formats of addresses: mail, hosts, networks, URLs.
//!
//! Not here: resolving or reaching any of them.

use crate::fault::Bad;
use std::net::IpAddr;

type Checked = Result<(), Bad>;

/// `local@domain` in ASCII. Quoted local parts and address literals are refused: no customer has
/// one, and they are where injections hide.
pub fn mail(text: &str) -> Checked {
    let local_fits =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let fits = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && local.bytes().all(local_fits)
                && !local.starts_with('.')
                && !local.ends_with('.')
                && !local.contains("..")
                && domain.contains('.')
                && host_name(domain)
        });
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no mail address",
            "write `name@domain.example` in ASCII",
        ))
    }
}

/// A DNS name of ASCII labels.
pub fn host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// An IP address or a host name. Names that look like numbers are refused, since resolvers read
/// `127.1` or `0x7f000001` as addresses.
pub fn address(text: &str) -> Checked {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let numeric = text.rsplit('.').next().is_none_or(|last| {
        last.starts_with(|character: char| character.is_ascii_digit()) || last.starts_with("0x")
    });
    if host_name(text) && !numeric {
        return Ok(());
    }
    Err(Bad::new(
        "is no address",
        "write an IPv4 or IPv6 address, or a host name",
    ))
}

/// One address or a network in CIDR form without host bits.
pub fn network(text: &str) -> Checked {
    let bad = || {
        Bad::new(
            "is no address or network",
            "write `192.0.2.7` or `192.0.2.0/24`",
        )
    };
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let Some(length) = length else { return Ok(()) };
    let length: u32 = length.parse().map_err(|_| bad())?;
    let (bits, width) = match address {
        IpAddr::V4(four) => (u128::from(four.to_bits()), 32),
        IpAddr::V6(six) => (six.to_bits(), 128),
    };
    if length > width {
        return Err(bad());
    }
    let host_bits = width - length;
    if host_bits > 0 && bits.trailing_zeros() < host_bits && bits != 0 {
        return Err(Bad::new(
            "has bits beyond its prefix",
            "write the first address of the network",
        ));
    }
    Ok(())
}

/// `http(s)://host[:port]/path` without user, query and fragment.
pub fn url(text: &str) -> Checked {
    let bad = |why: &str| Bad::new(why, "write `https://host[:port]/path`");
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or_else(|| bad("is no http or https address"))?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic())
        || text.contains(['\\', '?', '#', '"', '<', '>'])
    {
        return Err(bad(
            "has a query, a fragment or characters that do not belong there",
        ));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Bad::new(
            "names a user",
            "give user and password under `auth`, by `file:` references",
        ));
    }
    let (host, port) = split_port(authority).ok_or_else(|| bad("has no readable host"))?;
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(bad("has no readable port"));
    }
    address(host)
}

/// Host and port of `host`, `host:port`, `[v6]`, `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return if after.is_empty() {
            Some((host, None))
        } else {
            after.strip_prefix(':').map(|port| (host, Some(port)))
        };
    }
    Some(
        authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port))),
    )
}

/// A path prefix of a connection.
pub fn url_path(text: &str) -> Checked {
    let fits = text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['?', '#', '\\', '%'])
        && !text
            .split('/')
            .any(|segment| segment == ".." || segment == ".");
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no path prefix",
            "start with `/`, without `..`, `%`, query and fragment",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a format with what it must take and what it must refuse.
    fn check(format: fn(&str) -> Checked, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(format(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(format(text).is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn mail_addresses_hold_no_second_header_or_recipient() {
        let bad = [
            "",
            "ada",
            "ada@",
            "@chem.example",
            "a b@chem.example",
            "a@chem",
            "a@b.example,c@d.example",
            "a@b.example\r\nBcc: x@y.example",
            "\"a\"@b.example",
            "a@[192.0.2.1]",
            "a..b@c.example",
            "ä@b.example",
        ];
        check(mail, &["ada@chem.example", "a.b+c@sub.chem.example"], &bad);
    }

    #[test]
    fn addresses_are_what_they_look_like() {
        check(
            address,
            &["192.0.2.17", "2001:db8::1", "web1.chem.example", "web1"],
            &[
                "127.1",
                "0x7f000001",
                "2130706433",
                "a_b",
                "",
                "a..b",
                "192.0.2.300",
            ],
        );
    }

    #[test]
    fn networks_have_no_host_bits() {
        check(
            network,
            &[
                "10.9.1.0/24",
                "10.0.0.1",
                "0.0.0.0/0",
                "2001:db8::/32",
                "::1/128",
            ],
            &["10.9.1.7/24", "10.0.0.0/33", "10.0.0", "x/8", "::1/64"],
        );
    }

    #[test]
    fn urls_have_no_user_query_or_odd_host() {
        check(
            url,
            &[
                "https://vc.example/",
                "http://127.0.0.1:8080",
                "https://[::1]:9/a",
            ],
            &[
                "ftp://a.example",
                "https://u:p@a.example",
                "https://a.example/?q",
                "https://a.example:x",
                "https://127.1/",
                "https:///",
                "https://a b",
            ],
        );
    }
}
