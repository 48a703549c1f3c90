//! Plays recorded exchanges to a plugin's actions, on the host, without WASM and without a network.
//!
//! A case is a JSON file; `check_folder` runs all of them. An exchange that the action asks for and the
//! file does not have, or that the file has and the action does not ask for, fails the case.
//!
//! Not here: any tolerance. What a platform really sends belongs into the file.
#![forbid(unsafe_code)]

mod case;
mod replay;

pub use case::{Case, check_case, check_folder};
pub use replay::{Exchange, Replay};

use hostler_sdk::{Call, Grant};

/// A call with everything filled in: asset `web1`, one grant `target`, attempt 1, key of zeros.
#[must_use]
pub fn call(action: &str) -> Call {
    Call {
        action: action.to_owned(),
        asset: r#"{"id":"web1","name":"web1","address":"192.0.2.17"}"#.to_owned(),
        grants: vec![Grant {
            handle: "target".into(),
            connection: "recorded".into(),
            address: Some("192.0.2.17".into()),
            reference: Some("web1".into()),
        }],
        run: "00000000-0000-0000-0000-000000000001".into(),
        lane: "00000000-0000-0000-0000-000000000002".into(),
        step: "step".into(),
        attempt: 1,
        idempotency_key: "00000000-0000-0000-0000-000000000000".into(),
        now_ms: 1_767_225_600_000,
        deadline_ms: 1_767_225_660_000,
        dry_run: false,
        seed: 7,
    }
}
