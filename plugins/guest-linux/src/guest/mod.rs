//! guest@1, as far as a running Linux server can answer it.
//!
//! Not here: provisioning and disks.

mod fingerprint;
mod hook;
mod reboot;
mod resources;

pub use fingerprint::Fingerprint;
pub use hook::Hook;
pub use reboot::Reboot;
pub use resources::Resources;
