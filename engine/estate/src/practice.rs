//! The practice estate of `hostler dev`: 40 servers of 6 customers that do not exist.
//!
//! Not here: the practice platform that answers for them.

use crate::build::{Known, load};
use crate::fault::Faults;
use crate::model::Estate;

const ESTATE: &str = include_str!("../practice/estate.yaml");
const PEOPLE: &str = include_str!("../practice/people.yaml");

/// The files by name, with the port of the practice platform on 127.0.0.1 filled in.
#[must_use]
pub fn files(port: u16) -> [(&'static str, String); 2] {
    [
        (
            "estate.yaml",
            ESTATE.replace(":PORT/", &format!(":{port}/")),
        ),
        ("people.yaml", PEOPLE.to_owned()),
    ]
}

/// The practice estate behind a platform on 127.0.0.1 at this port.
///
/// # Errors
/// When contracts or plugins that it needs are not among the known ones.
pub fn estate(port: u16, known: &Known) -> Result<Estate, Faults> {
    of(&files(port), known)
}

/// The estate of these files, as they are or changed.
///
/// # Errors
/// As `load`.
pub fn of(files: &[(&'static str, String)], known: &Known) -> Result<Estate, Faults> {
    let read = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| text.clone())
            .ok_or_else(|| "no such practice file".to_owned())
    };
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    load(&names, &read, known)
}
