//! From the text of a runbook to a checked definition. Every fault has a code, a place and a remedy.
//!
//! Not here: files, clocks, the network, execution.
#![forbid(unsafe_code)]

mod ast;
mod check;
pub mod codes;
mod compile;
pub mod environment;
pub mod expr;
pub mod fault;
pub mod graph;
mod read;
pub mod release;
pub mod render;
pub mod schema;
pub mod source;
pub mod template;
mod yaml;

pub use compile::{FORMAT, digest};
pub use environment::{Callee, Environment, EstateFacts, PolicyFacts};
pub use expr::Evaluator;
pub use fault::{Fault, Severity};
pub use read::STEPS_MAX;
pub use source::SourceFile;

use fault::Faults;
use hostler_core::definition::{Definition, Input};
use std::collections::BTreeMap;

/// What a check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// In the order of the file.
    pub faults: Vec<Fault>,
    /// There is one unless a fault is an error.
    pub definition: Option<Definition>,
}

/// Reads, checks and compiles a runbook. Pure: the same texts and environment, the same answer.
#[must_use]
pub fn check(source: &SourceFile, env: &Environment) -> Checked {
    let mut faults = Faults::new(source);
    let runbook = yaml::parse(&mut faults).and_then(|root| read::read(&mut faults, &root));
    let definition = runbook.and_then(|runbook| {
        let spend = check::check(&mut faults, env, &runbook);
        if faults.any_errors() {
            return None;
        }
        compile::compile(source, env, &runbook, spend)
    });
    Checked {
        faults: faults.finish(),
        definition,
    }
}

/// The inputs that a runbook declares, even when its steps have faults: what callers are checked
/// against while both are being written.
#[must_use]
pub fn declared_inputs(source: &SourceFile) -> BTreeMap<String, Input> {
    let mut faults = Faults::new(source);
    let runbook = yaml::parse(&mut faults).and_then(|root| read::read(&mut faults, &root));
    runbook
        .map(|runbook| compile::inputs(&runbook))
        .unwrap_or_default()
}

/// The text as plain JSON, expressions as texts: for editors' schemas. None when it is not YAML as
/// the language reads it.
#[must_use]
pub fn plain_json(source: &SourceFile) -> Option<serde_json::Value> {
    yaml::parse(&mut Faults::new(source)).map(|root| root.json())
}
