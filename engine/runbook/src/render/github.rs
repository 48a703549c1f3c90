//! Faults as workflow commands that a code host shows beside the line.

use crate::fault::{Fault, Severity};

/// One line a fault.
#[must_use]
pub fn github(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(|fault| {
            let kind = match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let message = data(&format!("{} ({})", fault.message, fault.remedy));
            format!(
                "::{kind} file={},line={},col={},title={}::{message}\n",
                property(&fault.file),
                fault.line,
                fault.column,
                property(fault.code)
            )
        })
        .collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
