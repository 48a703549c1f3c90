//! Which paths of a connection a guest may ask for. What a guest gives is a path, or a link that the
//! other side gave; either way only its path is used, and only after it is plain.

use super::failed;
use crate::guest::{Failure, FailureKind};
use hostler_ports::connection::ConnectionConfig;
use url::Url;

/// Path and query of one request.
const PATH_MAX_BYTES: usize = 8 * 1024;

/// The full address of a request: the connection's base, with the guest's path.
pub fn resolve(config: &ConnectionConfig, base: &Url, given: &str) -> Result<Url, Failure> {
    let refuse = |why: &str| {
        let shown: String = given.chars().take(200).collect();
        Err(failed(
            FailureKind::Refused,
            format!("the path {shown:?} is refused: {why}"),
        ))
    };
    if given.len() > PATH_MAX_BYTES {
        return refuse("it is longer than 8 KiB");
    }
    if given
        .bytes()
        .any(|byte| !(0x21..0x7f).contains(&byte) || byte == b'\\' || byte == b'#')
    {
        return refuse(
            "it has blanks, control characters, `\\`, `#` or characters outside of ASCII: percent-encode them",
        );
    }
    let full = if given.starts_with('/') {
        if given.starts_with("//") {
            return refuse("it begins with `//`");
        }
        format!("{}{given}", base.path().trim_end_matches('/'))
    } else {
        link(config, base, given)?
    };
    let path = full.split('?').next().unwrap_or_default();
    if let Some(why) = tricky(path) {
        return refuse(why);
    }
    if !config.paths.is_empty() && !config.paths.iter().any(|prefix| under(path, prefix)) {
        let name = &config.name;
        return refuse(&format!(
            "connection {name} does not list it: add its prefix to the connection's `paths`"
        ));
    }
    let mut url = base.clone();
    let query = full.split_once('?').map(|(_, query)| query);
    url.set_path(path);
    url.set_query(query);
    // The parser must not have understood anything else than what was checked.
    if url.path() != path || url.origin() != base.origin() || !url.username().is_empty() {
        return refuse("it does not mean what it says");
    }
    Ok(url)
}

/// Path and query of an absolute link to the connection's own origin.
fn link(config: &ConnectionConfig, base: &Url, given: &str) -> Result<String, Failure> {
    let outside = |host: &str| {
        let name = &config.name;
        failed(
            FailureKind::Refused,
            format!(
                "{host} is not allowed: connection {name} reaches {} only; add another connection for it",
                base.origin().ascii_serialization()
            ),
        )
    };
    let url = Url::parse(given).map_err(|_| {
        failed(
            FailureKind::Refused,
            format!("{given:?} is refused: give a path that begins with `/`, or a link"),
        )
    })?;
    let same = url.origin() == base.origin()
        && url.origin().is_tuple()
        && url.username().is_empty()
        && url.password().is_none()
        && !given.contains('@');
    if !same {
        return Err(outside(
            &url.host_str()
                .map_or_else(|| given.to_owned(), str::to_owned),
        ));
    }
    Ok(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

/// What servers and proxies read differently.
fn tricky(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    if ["%2f", "%5c", "%00", "%25", "%2e"]
        .iter()
        .any(|code| lower.contains(code))
    {
        return Some("it has an encoded `/`, `\\`, `.`, `%` or NUL");
    }
    if path
        .split('/')
        .any(|segment| segment == "." || segment == ".." || segment.starts_with("..;"))
    {
        return Some("it has a `.` or `..` segment");
    }
    path.contains("//").then_some("it has an empty segment")
}

fn under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(base: &str, paths: &[&str], given: &str) -> Result<String, String> {
        let mut config = ConnectionConfig::new("c", "p");
        config.paths = paths.iter().map(|path| (*path).to_owned()).collect();
        resolve(&config, &Url::parse(base).unwrap(), given)
            .map(String::from)
            .map_err(|failure| failure.detail)
    }

    #[test]
    fn a_plain_path_and_a_link_to_the_same_origin_are_taken() {
        let cases = [
            ("https://h/", "/a/b?x=1&y=/..", "https://h/a/b?x=1&y=/.."),
            ("https://h/api/", "/a", "https://h/api/a"),
            ("https://h/", "https://h/a?b", "https://h/a?b"),
            ("https://h/", "https://h:443/a", "https://h/a"),
            ("https://h/", "/a%20b", "https://h/a%20b"),
        ];
        for (base, given, expected) in cases {
            assert_eq!(ask(base, &[], given).as_deref(), Ok(expected), "{given}");
        }
        assert!(ask("https://h/", &["/api/v2"], "/api/v2/x").is_ok());
        assert!(ask("https://h/", &["/api/v2/"], "/api/v2").is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        for given in [
            "",
            "a",
            "//evil/",
            "/\\evil",
            "/a/../b",
            "/a/./b",
            "/..",
            "/a/%2e%2e/b",
            "/a%2fb",
            "/a%5cb",
            "/a%00",
            "/a%252e",
            "/a b",
            "/a\nb",
            "/a#b",
            "/ä",
            "/a//b",
            "/..;/x",
            "http://h/a",
            "https://h:8443/a",
            "https://evil/a",
            "https://h@evil/a",
            "https://evil@h/a",
            "https://h.evil/a",
            "ftp://h/a",
            "file:///etc/passwd",
            "https:/\\evil",
            "https://h/a/../b%2f",
            "javascript:1",
            "https://169.254.169.254/",
            "https://[::1]/",
            "https://0x7f000001/",
        ] {
            let verdict = ask("https://h/", &[], given);
            assert!(verdict.is_err(), "{given} became {verdict:?}");
        }
        for given in ["/api/v2x", "/api", "/", "/api/v1/v2"] {
            let verdict = ask("https://h/", &["/api/v2"], given);
            assert!(
                verdict.as_ref().is_err_and(|why| why.contains("`paths`")),
                "{given} became {verdict:?}"
            );
        }
    }
}
