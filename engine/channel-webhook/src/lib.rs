//! Notices by webhook: a chat room (Slack, Teams) or a program that takes JSON.
//!
//! A hook stands for one address of the estate. `policy` says where it may go, `body` what is sent, `signature` who
//! says so. Not here: who is told what, and repeating (the outbox does that).
#![forbid(unsafe_code)]

mod body;
mod hook;
mod policy;
mod signature;

pub use body::Form;
pub use hook::{Hook, WebhookChannel, WebhookFault};
pub use policy::Network;
