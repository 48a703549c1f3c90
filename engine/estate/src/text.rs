//! Formats of single values: ids, keys, references to secrets, durations.
//!
//! Not here: anything that must know another value.

pub use crate::address::{address, mail, network, url, url_path};
use crate::fault::Bad;

type Checked = Result<(), Bad>;

/// Ids of assets may be host names, the others are words.
pub const ID_MAX_BYTES: usize = 128;

/// `[a-z0-9][a-z0-9._-]*`: what is safe in a file name, a web address, a selector and a log line.
pub fn id(text: &str) -> Checked {
    let inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = text.len() <= ID_MAX_BYTES
        && text.bytes().all(inner)
        && text.as_bytes().first().is_some_and(first);
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no id",
            "use a-z, 0-9, `.`, `_`, `-`, at most 128, a letter or digit first",
        ))
    }
}

/// Text that people read: one line, not empty, no control characters.
pub fn line(text: &str) -> Checked {
    if text.trim().is_empty() {
        return Err(Bad::new("is empty", "write a name"));
    }
    if text.len() > 256
        || text
            .chars()
            .any(|character| character.is_control() || is_line_break(character))
    {
        return Err(Bad::new(
            "is not one line of at most 256 bytes",
            "write it on one line",
        ));
    }
    Ok(())
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `file:` and a path below the secrets folder.
pub fn secret(text: &str) -> Checked {
    let remedy = "write `file:<name>`: a file below the secrets folder; never the secret itself";
    let Some(path) = text.strip_prefix("file:") else {
        return Err(Bad::new("is no reference to a secret", remedy));
    };
    let clean = !path.is_empty()
        && path.len() <= 1024
        && !path.contains(['\\', '\0', '\n', '\r'])
        && !path.split('/').any(|segment| segment == "..");
    if clean {
        Ok(())
    } else {
        Err(Bad::new(
            "leads out of the secrets folder or is empty",
            remedy,
        ))
    }
}

/// An absolute path of a program on a server.
pub fn program(text: &str) -> Checked {
    let fits = text.starts_with('/')
        && text.len() <= 1024
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte))
        && !text.split('/').any(|segment| segment == "..");
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no absolute path of a program",
            "write `/etc/hostler/stop`, without arguments",
        ))
    }
}

/// An OpenSSH public key line (`ssh-ed25519 AAAA… [comment]`) or `SHA256:<43 characters>`.
pub fn host_key(text: &str) -> Checked {
    let base64 = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    };
    let fits = match text.strip_prefix("SHA256:") {
        Some(print) => print.len() == 43 && base64(print),
        None => {
            let mut words = text.split(' ');
            let kind = words.next().unwrap_or_default();
            let known = [
                "ssh-ed25519",
                "ssh-rsa",
                "ecdsa-sha2-nistp256",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
            ];
            let key = words.next().unwrap_or_default();
            known.contains(&kind)
                && key.len() >= 68
                && key.starts_with("AAAA")
                && base64(key.trim_end_matches('='))
        }
    };
    if fits {
        return Ok(());
    }
    Err(Bad::new(
        "is no SSH host key",
        "write the line of /etc/ssh/ssh_host_ed25519_key.pub or its SHA256: fingerprint",
    ))
}

/// A phone number in international form.
pub fn phone(text: &str) -> Checked {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits {
        Ok(())
    } else {
        Err(Bad::new(
            "is no phone number",
            "write `+15551230001`, in quotes",
        ))
    }
}

/// `90m`, `4h`, `2h30m`, `7d` in milliseconds; more than nothing, at most 366 days.
pub fn duration_ms(text: &str) -> Result<u64, Bad> {
    let bad = || {
        Bad::new(
            "is no duration",
            "write for instance `90m`, `4h`, `2h30m` or `7d`",
        )
    };
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = Some(
                number
                    .unwrap_or(0)
                    .saturating_mul(10)
                    .saturating_add(u64::from(digit)),
            );
            continue;
        }
        let unit_ms = match character {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return Err(bad()),
        };
        total = total.saturating_add(number.take().ok_or_else(bad)?.saturating_mul(unit_ms));
    }
    let sensible = number.is_none() && (1..=366 * 86_400_000).contains(&total);
    if sensible { Ok(total) } else { Err(bad()) }
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
    fn ids_are_safe_everywhere() {
        check(
            id,
            &["web1", "a.b-c_d", "0x"],
            &["", "Web", "-a", "a b", "a/b", "a\n", "é"],
        );
    }

    #[test]
    fn secrets_stay_below_their_folder() {
        check(
            secret,
            &["file:vc.json", "file:a/b"],
            &[
                "hunter2",
                "file:",
                "file:../x",
                "file:a/../../b",
                "file:a\nb",
            ],
        );
    }

    #[test]
    fn host_keys_are_keys_or_fingerprints() {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExamplePublicKeyOfAServerThatDoesNotExist00 host";
        let print = "SHA256:jnzzJ3gTvVVPjvDkJKiYmXMM6QPgNQ0Y0m4tEXAMPLE";
        check(
            host_key,
            &[key, print],
            &[
                "",
                "SHA256:short",
                "ssh-dss AAAA",
                "ssh-ed25519 BBBB",
                "-----BEGIN OPENSSH PRIVATE KEY-----",
            ],
        );
    }

    #[test]
    fn paths_and_programs_have_no_way_up_and_no_arguments() {
        check(
            url_path,
            &["/api/v2/"],
            &["api", "/a/../b", "/a?b", "/%2e%2e/"],
        );
        check(
            program,
            &["/etc/hostler/stop"],
            &["stop", "/a/../b", "/bin/sh -c x", "/a;b", "/$(x)"],
        );
        check(phone, &["+15551230001"], &["5551230001", "+1 555", "+x"]);
    }

    #[test]
    fn durations_add_up_and_bare_numbers_are_refused() {
        assert_eq!(duration_ms("2h30m"), Ok(9_000_000));
        for text in ["", "4", "h", "0h", "4 h", "-4h", "99999999999999999999d"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
