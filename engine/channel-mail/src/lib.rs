//! Notices by mail: rendering, calendar files, the message, its delivery over SMTP, what comes back, and a catcher
//! for practice and tests.
//!
//! `render` and `calendar` are pure: previews and checks call them without a server. Not here: who is
//! told what and when, and repeating (the outbox does that).
#![forbid(unsafe_code)]

pub mod calendar;
mod catch;
pub mod compose;
mod dkim;
pub mod intake;
pub mod render;
pub mod report;
pub mod sink;
mod smtp;
mod unsubscribe;

pub use catch::{Caught, Part};
pub use compose::Sender;
pub use dkim::{Dkim, DkimFault};
pub use smtp::{Login, MailChannel, Security, SmtpConfig, SmtpFault};
