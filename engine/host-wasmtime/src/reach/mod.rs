//! Reaching a granted connection: which address, which path, which credentials, how much, how long.
//!
//! Not here: the guest's side. Nothing here takes a host, a port or a credential from a guest.

mod address;
mod endpoint;
mod headers;
mod host_keys;
mod http;
mod path;
mod probe;
mod redact;
mod ssh;
mod stream;
mod tls;

pub use address::{Resolver, SystemResolver};
pub use endpoint::{Endpoint, Reach};
pub use http::send;
pub use probe::{Kind as ProbeKind, check};
pub use redact::Redactor;
pub use ssh::{Run, run};

use crate::guest::{Failure, FailureKind};

/// A failure before anything was sent.
pub(crate) fn failed(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure {
        kind,
        detail: detail.into(),
        maybe_sent: false,
    }
}

/// A failure after something may have been sent.
pub(crate) fn lost(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure {
        kind,
        detail: detail.into(),
        maybe_sent: true,
    }
}
