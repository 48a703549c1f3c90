//! What people and programs can ask of Hostler: services as plain functions, and HTTP on top.
//!
//! A service takes a `Subject` and refuses by `authorize`; a transport only finds out who asks.
//! Not here: decisions about lanes (core), storage and plugins (behind ports), files.
#![forbid(unsafe_code)]

pub mod authorize;
pub mod catalogue;
pub mod durable;
pub mod filter;
pub mod http;
pub mod ledger;
pub mod problem;
pub mod read;
pub mod services;
pub mod step_up;
pub mod suggest;
pub mod tokens;

pub use authorize::{Decision, Resource, Subject, authorize};
pub use problem::{Code, Problem};

use catalogue::Runbooks;
use hostler_calendar::Scheduled;
use hostler_core::directory::Directory;
use hostler_ports::archive::Archive;
use hostler_ports::channel::Compose;
use hostler_ports::clock::Ids;
use hostler_ports::plugin::PluginHost;
use hostler_ports::sealed::SealedLedger;
use hostler_ports::store::Store;
use std::sync::{Arc, RwLock};
use step_up::Enrolled;

/// What the services work with. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Store>,
    pub directory: Arc<dyn Directory>,
    pub plugins: Arc<dyn PluginHost>,
    pub runbooks: Arc<dyn Runbooks>,
    pub compose: Arc<dyn Compose>,
    pub ids: Arc<dyn Ids>,
    /// Where finished runs lie; none when runs stay in the store.
    pub archive: Option<Arc<dyn Archive>>,
    /// Where entries of the ledger lie that have left the store; none where nothing is sealed.
    pub sealed: Option<Arc<dyn SealedLedger>>,
    /// What starts by itself.
    pub schedules: Arc<[Scheduled]>,
    /// Who can prove a yes by a code. Read again while the program runs.
    pub step_up: Arc<RwLock<Enrolled>>,
}
