//! What the tests of the lane share: small programs, the inputs a lane may meet, the invariants.

pub mod build;
pub mod drive;
pub mod leases;
pub mod letters;
pub mod offers;
pub mod room;
pub mod walk;
pub mod watch;
