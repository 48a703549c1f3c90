//! The composition root: which adapter stands behind which port.

pub mod archive;
pub mod bounces;
pub mod connections;
pub mod contracts;
pub mod engine;
pub mod export;
pub mod facts;
pub mod folders;
pub mod ledger;
pub mod library;
pub mod mail;
pub mod policies;
pub mod scheduler;
pub mod step_up;
pub mod store;
pub mod webhooks;
