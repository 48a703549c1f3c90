//! What the engine is measured beside, in the same run: a plain queue, a plain script, the disk.
//!
//! Not here: anything of the engine.

pub mod apalis;
pub mod disk;
pub mod redis_server;
