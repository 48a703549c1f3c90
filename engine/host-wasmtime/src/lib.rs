//! Runs plugins: WebAssembly components in a sandbox without anything ambient, whose every way out is a
//! connection that one call was granted.
//!
//! Not here: what an action means, when it is called, whether it may be repeated.
//! The crate has one `unsafe`: loading machine code that this installation itself compiled and sealed.
#![deny(unsafe_code)]

pub mod check;
mod guest;
mod host;
pub mod limits;
mod plugin;
mod reach;
mod sandbox;
pub mod template;

pub use host::{HostConfig, LoadError, WasmHost};
pub use plugin::{CacheError, LockError, LockedPlugin, PluginsLock};
pub use reach::{Resolver, SystemResolver};
