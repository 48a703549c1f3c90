//! What an error of the client means for the call that met it. Nobody else looks at error texts.
//!
//! Not here: what is done about it.

use redis::{ErrorKind, RedisError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Not carried out; the same connection may be asked again in a while.
    Wait(&'static str),
    /// The connection is of no use; whether the call was carried out is not known.
    Reconnect(&'static str),
    /// The server does not know our Functions.
    NoFunctions,
    /// The server refuses growth.
    Full,
    /// The server cannot write its log. It will pass, but only when somebody makes room.
    DiskFull,
    /// Asking again will not help.
    Refused(&'static str),
}

/// Codes of replies that say that nothing was carried out and that it will pass.
const PASSING: [(&str, &str); 7] = [
    ("LOADING", "it is loading its data"),
    ("BUSY", "a script keeps it busy"),
    ("NOREPLICAS", "too few replicas are attached"),
    ("TRYAGAIN", "the cluster moves slots"),
    ("CLUSTERDOWN", "the cluster is down"),
    ("MASTERDOWN", "the replica has lost its primary"),
    ("UNBLOCKED", "it was told to let go"),
];

#[must_use]
pub fn of(error: &RedisError) -> Trouble {
    if let Some(code) = error.code() {
        if let Some((_, text)) = PASSING.iter().find(|(known, _)| *known == code) {
            return Trouble::Wait(text);
        }
        match code {
            "OOM" => return Trouble::Full,
            "MISCONF" => return Trouble::DiskFull,
            // The primary has changed: find it anew.
            "READONLY" | "MOVED" | "ASK" => return Trouble::Reconnect("it is no primary"),
            "NOAUTH" | "WRONGPASS" => return Trouble::Refused("it refuses the user or password"),
            "NOPERM" => {
                return Trouble::Refused("the user lacks a permission: see the ACL in the manual");
            }
            "ERR"
                if error
                    .detail()
                    .is_some_and(|detail| detail.contains("Function not found")) =>
            {
                return Trouble::NoFunctions;
            }
            _ => {}
        }
    }
    match error.kind() {
        ErrorKind::Io => Trouble::Reconnect("the connection broke"),
        ErrorKind::AuthenticationFailed => Trouble::Refused("it refuses the user or password"),
        _ if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() => {
            Trouble::Reconnect("the connection broke")
        }
        _ => Trouble::Refused("it answered with an error: see its log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::make_extension_error;

    #[test]
    fn replies_are_understood_by_their_code() {
        let cases = [
            ("OOM", Trouble::Full),
            ("LOADING", Trouble::Wait("it is loading its data")),
            ("MISCONF", Trouble::DiskFull),
            ("READONLY", Trouble::Reconnect("it is no primary")),
            (
                "WRONGTYPE",
                Trouble::Refused("it answered with an error: see its log"),
            ),
        ];
        for (code, expected) in cases {
            assert_eq!(
                of(&make_extension_error(code.into(), None)),
                expected,
                "{code}"
            );
        }
        let unknown = make_extension_error("ERR".into(), Some("Function not found".into()));
        assert_eq!(of(&unknown), Trouble::NoFunctions);
    }
}
