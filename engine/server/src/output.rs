//! What a command prints: data on standard output in the wanted form, everything else on standard
//! error. Nothing else in this program prints.

use crate::failure::Failure;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle, presets};
use serde::Serialize;
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// A line under the head, none between rows: a matrix of hosts stays on one screen.
const STYLE: TableStyle = presets::NOTHING.header_separator(LineStyle::new('─', '─', '─', '─'));

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Table,
    Json,
    Yaml,
    Csv,
    Ndjson,
    /// A picture; only of a simulation
    Svg,
    /// A calendar; only of a simulation
    Ics,
}

impl Format {
    fn unfit(self) -> Failure {
        let name = if self == Self::Svg { "svg" } else { "ics" };
        Failure::Usage(format!(
            "-o {name} is for `hostler simulate`; write -o table or -o json"
        ))
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub format: Format,
    /// Nothing but data and faults.
    pub quiet: bool,
    pub color: bool,
}

/// Rows for people; machines get the values.
#[derive(Debug, Default)]
pub struct Rows {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Rows {
    pub fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub fn text(&self) -> String {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(self.head.clone());
        for row in &self.rows {
            table.add_row(row.clone());
        }
        table.to_string()
    }

    /// RFC 4180, and no cell that a spreadsheet would take for a formula.
    pub fn csv(&self) -> String {
        let mut text = self.head.join(",") + "\r\n";
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
            text.push_str(&(cells.join(",") + "\r\n"));
        }
        text
    }
}

fn csv_cell(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '@', '\t'])
        || (cell.starts_with('-') && cell.parse::<f64>().is_err());
    let cell = if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

impl Output {
    /// A list: `rows` for people and CSV, `values` for the rest.
    pub fn list<T: Serialize>(&self, rows: &Rows, values: &[T]) -> Result<(), Failure> {
        match self.format {
            Format::Table if rows.rows.is_empty() => {
                self.note("nothing");
                Ok(())
            }
            Format::Table => print(&rows.text()),
            Format::Csv => print(rows.csv().trim_end()),
            Format::Ndjson => {
                for value in values {
                    print(&serde_json::to_string(value)?)?;
                }
                Ok(())
            }
            Format::Json => print(&serde_json::to_string_pretty(values)?),
            Format::Yaml => print(&yaml(&values)?),
            Format::Svg | Format::Ics => Err(self.format.unfit()),
        }
    }

    /// One thing: `text` for people, the value for the rest.
    pub fn one<T: Serialize>(&self, text: &str, value: &T) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Csv => print(text),
            Format::Json => print(&serde_json::to_string_pretty(value)?),
            Format::Ndjson => print(&serde_json::to_string(value)?),
            Format::Yaml => print(&yaml(value)?),
            Format::Svg | Format::Ics => Err(self.format.unfit()),
        }
    }

    /// For people who watch; never data.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Whether somebody watches a screen that can be drawn upon.
    pub fn is_live(&self) -> bool {
        !self.quiet
            && self.format == Format::Table
            && std::io::stderr().is_terminal()
            && std::io::stdout().is_terminal()
    }

    /// Words coloured by what they mean, never by colour alone.
    pub fn state(&self, state: &str) -> String {
        if !self.color {
            return state.to_owned();
        }
        let code = match state {
            "succeeded" | "recovered" | "nothing" => 32,
            "failed" | "rolled_back" | "rejected" | "denied" | "expired" => 31,
            "waiting" | "held" | "paused" | "stopping" => 33,
            _ => 36,
        };
        format!("\u{1b}[{code}m{state}\u{1b}[0m")
    }
}

/// A line of data.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // Who reads has heard enough (`hostler run list | head`).
        Err(fault) if fault.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    let value: Value = serde_json::to_value(value)?;
    serde_saphyr::to_string(&value)
        .map(|text| text.trim_end().to_owned())
        .map_err(|fault| Failure::Internal(anyhow::anyhow!("{fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_and_disarms() {
        let cases = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("-5", "-5"),
            ("-x", "'-x"),
        ];
        for (cell, expected) in cases {
            assert_eq!(csv_cell(cell), expected);
        }
    }
}
