//! A code frame: the line at fault, marked, with the remedy under it.

use crate::fault::{Fault, Severity};
use crate::source::SourceFile;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use std::fmt;

struct Framed<'a> {
    fault: &'a Fault,
    source: NamedSource<String>,
    /// False for a fault in a template, whose text is not this one.
    marked: bool,
}

impl fmt::Display for Framed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marked {
            f.write_str(&self.fault.message)
        } else {
            write!(
                f,
                "{}:{}: {}",
                self.fault.file, self.fault.line, self.fault.message
            )
        }
    }
}

impl fmt::Debug for Framed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.fault, f)
    }
}

impl std::error::Error for Framed<'_> {}

impl Diagnostic for Framed<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.fault.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.fault.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.fault.remedy))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.marked.then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if !self.marked {
            return None;
        }
        let own = label(
            &self.source,
            "here",
            self.fault.span.start,
            self.fault.span.end,
        );
        let related = self.fault.related.iter().map(|place| {
            label(
                &self.source,
                &place.message,
                place.span.start,
                place.span.end,
            )
        });
        Some(Box::new(std::iter::once(own).chain(related)))
    }
}

/// A label that stays on its first line: a whole block marked helps nobody.
fn label(source: &NamedSource<String>, text: &str, start: usize, end: usize) -> LabeledSpan {
    let line = source
        .inner()
        .get(start..end)
        .and_then(|part| part.find('\n'))
        .map_or(end, |length| start + length);
    LabeledSpan::new(Some(text.to_owned()), start, (line - start).max(1))
}

/// All faults as text without colour, ready for a terminal or a log.
#[must_use]
pub fn frame(source: &SourceFile, faults: &[Fault]) -> String {
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut out = String::new();
    for fault in faults {
        let framed = Framed {
            fault,
            source: NamedSource::new(&source.name, source.text.clone()),
            marked: fault.file == source.name,
        };
        if handler.render_report(&mut out, &framed).is_err() {
            // A frame that cannot be drawn must not hide the fault.
            out.push_str(&format!(
                "{}:{}:{} {} {}\n  {}\n",
                fault.file, fault.line, fault.column, fault.code, fault.message, fault.remedy
            ));
        }
    }
    out
}
