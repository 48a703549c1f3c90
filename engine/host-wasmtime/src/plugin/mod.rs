//! Components: which may be used, how they are compiled and kept, what they say about themselves.
//!
//! Not here: calling them.

mod cache;
mod description;
mod lock;

pub use cache::{CacheError, CompileCache};
pub use description::{Described, describe};
pub use lock::{LockError, LockedPlugin, PluginsLock};
