//! The services and their routes over the store's twin in memory, without a worker.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod deciding;
mod freezing;
mod planning;
mod routes;
mod scheduling;
mod starting;
mod storing;
mod support;
