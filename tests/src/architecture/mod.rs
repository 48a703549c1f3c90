//! The shape of the workspace, compared with what ARCHITECTURE.md promises: who imports whom, who may name
//! which technology, and what no source file may contain.
//!
//! Not here: rules about behaviour. A rule belongs here when reading files is enough to check it.

mod imports;
mod rules;
mod sources;
mod workspace;
