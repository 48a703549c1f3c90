//! The expressions of a runbook: CEL's grammar (read by the `cel` crate) over JSON values.
//!
//! The values are evaluated here and not by the crate's interpreter: that one cannot be stopped or
//! counted, does not mix the integers of JSON with those of a literal, and copies the whole scope for
//! every call. Every node visited here costs one of a fixed budget.

mod arithmetic;
mod ast;
mod dates;
mod evaluator;
mod functions;
mod interpret;
mod parse;
mod paths;
mod value;

pub(crate) use ast::{Kind, Loop, Node, Op, Writer};
pub use evaluator::Evaluator;
pub use functions::Function;
pub(crate) use parse::{Why, parse};
pub(crate) use paths::paths;

/// Longest expression in bytes.
pub const TEXT_MAX_BYTES: usize = 2_000;
/// Deepest nesting of brackets and operators.
pub const DEPTH_MAX: usize = 24;
/// Most nodes of one expression.
pub const NODES_MAX: usize = 500;
/// Deepest nesting of `filter`, `map`, `all`, `exists`, `exists_one` and `in`: each multiplies the work.
pub const LOOPS_MAX: usize = 2;
/// Longest list that a loop walks or a function makes.
pub const LIST_MAX: usize = 10_000;
/// Longest text that an expression may make, in bytes.
pub const STRING_MAX_BYTES: usize = 64 * 1024;
/// `steps.x.state` of a step to which the lane did not come.
pub const UNREACHED: &str = "unreached";
/// Nodes that may be visited in one evaluation: about twenty milliseconds of one core.
pub const BUDGET: u64 = 1_000_000;
