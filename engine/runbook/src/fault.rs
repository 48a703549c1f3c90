//! What is wrong with a runbook: where, why, and what to do about it. The same shape on the terminal,
//! in the API, on the page and in the editor.

use crate::codes::Code;
use crate::source::{SourceFile, Span, position};
use serde::Serialize;

/// More faults than this help nobody; the rest is counted.
pub const FAULTS_MAX: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// There is no definition while it stands.
    Error,
    /// Worth a look; the runbook can be released.
    Warning,
}

/// Another place that explains a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    pub message: String,
    pub line: usize,
    pub column: usize,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `HR022`
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub remedy: String,
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub span: Span,
    pub related: Vec<Related>,
}

/// Collects faults of one source.
pub(crate) struct Faults<'a> {
    source: &'a SourceFile,
    list: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub fn new(source: &'a SourceFile) -> Self {
        Self {
            source,
            list: Vec::new(),
        }
    }

    pub fn source(&self) -> &'a SourceFile {
        self.source
    }

    pub fn add(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (line, column) = position(&self.source.text, span.start);
        let file = self.source.name.clone();
        self.push(Fault {
            code: code.id,
            severity: code.severity,
            message: message.into(),
            remedy: remedy.into(),
            file,
            line,
            column,
            span,
            related: Vec::new(),
        });
    }

    /// A fault in a template beside the runbook.
    pub fn add_in_template(
        &mut self,
        code: Code,
        template: &str,
        line: usize,
        message: String,
        remedy: String,
    ) {
        let folder = self
            .source
            .name
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let file = if folder.is_empty() {
            format!("notices/{template}")
        } else {
            format!("{folder}/notices/{template}")
        };
        self.push(Fault {
            code: code.id,
            severity: code.severity,
            message,
            remedy,
            file,
            line,
            column: 1,
            span: Span::default(),
            related: Vec::new(),
        });
    }

    /// Adds a place to the latest fault.
    pub fn relate(&mut self, span: Span, message: impl Into<String>) {
        let (line, column) = position(&self.source.text, span.start);
        if let Some(fault) = self.list.last_mut() {
            fault.related.push(Related {
                message: message.into(),
                line,
                column,
                span,
            });
        }
    }

    fn push(&mut self, fault: Fault) {
        if self.list.len() < FAULTS_MAX && !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    pub fn any_errors(&self) -> bool {
        self.list
            .iter()
            .any(|fault| fault.severity == Severity::Error)
    }

    /// Sorted by file and place.
    pub fn finish(mut self) -> Vec<Fault> {
        let own = self.source.name.clone();
        self.list.sort_by(|a, b| {
            (a.file != own, &a.file, a.line, a.column, a.code).cmp(&(
                b.file != own,
                &b.file,
                b.line,
                b.column,
                b.code,
            ))
        });
        self.list
    }
}
