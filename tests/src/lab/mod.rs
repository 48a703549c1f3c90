//! Real servers for tests, started and stopped by the test that needs them, on loopback addresses only.
//!
//! A [`Lab`] claims a network `127.10.n.0/24` for itself, machine-wide, so tests in several processes and
//! work trees never meet. Everything it starts is stopped by its process id when the value is dropped, and
//! dies with the test process at the latest. Readiness is always seen (a banner, an answer), never assumed.
//!
//! Not here: fakes. What stands in this folder is the real program, or a file it reads.

mod alertmanager;
mod blackbox;
mod error;
mod http;
mod linux_host;
mod network;
mod power_disk;
mod program;
mod prometheus;
mod proxy;
mod recipe;
mod redis;
mod sentinel;
mod small_disk;
mod smtp_sink;
mod supervise;
mod usage;
mod wait;

pub use alertmanager::Alertmanager;
pub use blackbox::Blackbox;
pub use error::LabError;
pub use http::{Answer, request, request_with};
pub use linux_host::{Family, HostPlan, LinuxHost, Said};
pub use network::Lab;
pub use power_disk::PowerDisk;
pub use program::Program;
pub use prometheus::{Probe, Prometheus, Target};
pub use proxy::{Proxy, Weather};
pub use recipe::{Roots, ensure};
pub use redis::{RedisPlan, RedisServer};
pub use sentinel::Sentinel;
pub use small_disk::SmallDisk;
pub use smtp_sink::{Mail, SmtpSink};
pub use supervise::Signal;
pub use usage::Usage;
pub use wait::until;

/// What a call of the lab gives.
pub type Result<T> = std::result::Result<T, LabError>;
