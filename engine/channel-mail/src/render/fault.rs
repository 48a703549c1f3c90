//! Why a template cannot be used or rendered. For authors and operators; never part of a message.

use handlebars::{RenderError, TemplateError};
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// A fault with its place and remedy.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
pub struct RenderFault {
    /// Full name: `maintenance.text`.
    pub template: String,
    /// The field that the context does not have.
    pub field: Option<String>,
    /// From 1; none when the fault has no place.
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub why: String,
    pub remedy: String,
}

impl fmt::Display for RenderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {}", self.template)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.why, self.remedy)
    }
}

impl RenderFault {
    pub(super) fn new(template: &str, why: String, remedy: &str) -> Self {
        Self {
            template: template.to_owned(),
            field: None,
            line: None,
            column: None,
            why,
            remedy: remedy.to_owned(),
        }
    }

    pub(super) fn at(mut self, line: Option<usize>, column: Option<usize>) -> Self {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (self.line, self.column) = (line.map(small), column.map(small));
        self
    }
}

pub(super) fn syntax(template: &str, error: &TemplateError) -> RenderFault {
    let (line, column) = error.pos().unzip();
    let remedy = "fields are written `{{asset.name}}`, conditions `{{#if …}}…{{/if}}`";
    RenderFault::new(template, error.reason().to_string(), remedy).at(line, column)
}

pub(super) fn missing(template: &str, field: Option<&str>, error: &RenderError) -> RenderFault {
    let field = field.unwrap_or("?");
    let why = format!("the field `{field}` is missing");
    let mut fault = RenderFault::new(
        template,
        why,
        "remove it from the template, or give it in the context",
    );
    fault.field = Some(field.to_owned());
    fault.at(error.line_no, error.column_no)
}
