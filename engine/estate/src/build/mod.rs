//! Files → checked estate. Each section has a file of its own here.
//!
//! All faults are collected before anything is refused. Not here: formats of single values.

mod assets;
mod auth;
mod catalog;
mod connections;
mod customers;
mod people;
mod times;

pub(crate) use times::beside;

use crate::at::{At, Position};
use crate::fault::{Bad, Collector, Faults};
use crate::file::File;
use crate::model::Estate;
use crate::selector::Selector;
use crate::{read, text, when};
use hostler_calendar::business::BusinessDays;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Files of one estate.
const FILES_MAX: usize = 1_000;
/// Assets of one realm; who has more divides the estate into realms.
pub const ASSETS_MAX: usize = 100_000;

/// What is known outside the estate, for checking references. None: not checked.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Names of contracts (`guest-patch`).
    pub contracts: Option<BTreeSet<String>>,
    /// Names of installed plugins.
    pub plugins: Option<BTreeSet<String>>,
}

/// Gives the text of a file, or why it cannot be read.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads the files at these paths, and those that they name, and checks all of it together.
///
/// # Errors
/// All faults found, each with file, line, column and remedy.
pub fn load(paths: &[&str], read: ReadFile<'_>, known: &Known) -> Result<Estate, Faults> {
    let mut out = Collector {
        files: paths.iter().map(|&path| path.to_owned()).collect(),
        faults: Vec::new(),
    };
    if paths.is_empty() || paths.len() > FILES_MAX {
        let message = format!("an estate has 1 to {FILES_MAX} files, not {}", paths.len());
        out.add(
            0,
            Position::default(),
            "HE050",
            message,
            "name the files to read",
        );
        return Err(Faults(out.faults));
    }
    let mut files = Vec::with_capacity(paths.len());
    for (number, path) in paths.iter().enumerate() {
        match read(path) {
            Ok(text) => files.extend(read::read(number, &text, &mut out)),
            Err(why) => {
                out.add(
                    number,
                    Position::default(),
                    "HE060",
                    format!("the file cannot be read: {why}"),
                    "check path and permissions",
                );
            }
        }
    }
    if !out.faults.is_empty() {
        return Err(Faults(out.faults));
    }
    Builder {
        files: &files,
        known,
        read,
        out,
        estate: Estate::empty(),
        business: BTreeMap::new(),
    }
    .build()
}

struct Builder<'a> {
    files: &'a [File],
    known: &'a Known,
    read: ReadFile<'a>,
    out: Collector,
    estate: Estate,
    /// Calendars by id, for the windows that count in business days.
    business: BTreeMap<String, Arc<BusinessDays>>,
}

/// Where ids of one section were first seen.
type Seen<'a> = BTreeMap<&'a str, (usize, Position)>;

impl<'a> Builder<'a> {
    fn build(mut self) -> Result<Estate, Faults> {
        self.realm();
        self.calendars();
        self.windows();
        self.catalogs();
        self.roles();
        self.staff();
        self.customers();
        self.connections();
        self.ways();
        self.assets();
        self.freezes();
        self.selectors();
        if !self.out.faults.is_empty() {
            return Err(Faults(self.out.faults));
        }
        self.estate.times.business = self.business;
        self.estate.seal();
        Ok(self.estate)
    }

    fn realm(&mut self) {
        let mut realm = None;
        let mut zone = None;
        for (file, parsed) in self.files.iter().enumerate() {
            for (at, seen, name) in [
                (&parsed.realm, &mut realm, "realm"),
                (&parsed.zone, &mut zone, "zone"),
            ] {
                let Some(at) = at else { continue };
                if seen.replace(&at.value).is_some() {
                    self.out.add(
                        file,
                        at.position,
                        "HE011",
                        format!("`{name}` stands in two files"),
                        "keep one of them",
                    );
                }
                self.format(
                    file,
                    at,
                    name,
                    if name == "realm" {
                        text::id
                    } else {
                        when::zone
                    },
                );
            }
        }
        if let Some(realm) = realm {
            self.estate.realm.clone_from(realm);
        }
        match zone {
            Some(zone) => self.estate.zone.clone_from(zone),
            None => self.out.add(
                0,
                Position { line: 1, column: 1 },
                "HE040",
                "`zone` is missing",
                "add `zone: <IANA name>` at the top",
            ),
        }
    }

    /// Filters inside the estate are held against it once it is complete.
    fn selectors(&mut self) {
        for (file, parsed) in self.files.iter().enumerate() {
            let filters = parsed.defaults.iter().map(|default| &default.matches);
            for at in filters.chain(parsed.freezes.iter().map(|freeze| &freeze.applies)) {
                if let Err(fault) =
                    Selector::parse(&at.value).and_then(|selector| selector.check(&self.estate))
                {
                    let message = format!(
                        "filter `{}`, at `{}`: {}",
                        fault.selector, fault.term, fault.why
                    );
                    self.out
                        .add(file, at.position, "HE030", message, fault.remedy);
                }
            }
        }
    }

    fn format(
        &mut self,
        file: usize,
        at: &At<String>,
        what: &str,
        check: fn(&str) -> Result<(), Bad>,
    ) -> bool {
        check(&at.value)
            .map_err(|why| self.out.bad(file, at, what, why))
            .is_ok()
    }

    fn format_if(
        &mut self,
        file: usize,
        at: Option<&At<String>>,
        what: &str,
        check: fn(&str) -> Result<(), Bad>,
    ) {
        if let Some(at) = at {
            self.format(file, at, what, check);
        }
    }

    /// An id of a section: well written, and there only once.
    fn id(&mut self, file: usize, at: &'a At<String>, what: &str, seen: &mut Seen<'a>) -> bool {
        if let Err(why) = text::id(&at.value) {
            self.out.add(
                file,
                at.position,
                "HE010",
                format!("{what} `{}` {}", at.value, why.why),
                why.remedy,
            );
            return false;
        }
        if let Some((other, position)) = seen.insert(&at.value, (file, at.position)) {
            let place = format!(
                "{}:{}",
                self.out.files.get(other).map_or("", String::as_str),
                position.line
            );
            let message = format!("{what} `{}` stands already in {place}", at.value);
            self.out.add(
                file,
                at.position,
                "HE011",
                message,
                "remove or rename one of them",
            );
            return false;
        }
        true
    }

    /// One of a closed list of words.
    fn choice(&mut self, file: usize, at: Option<&At<String>>, what: &str, choices: &[&str]) {
        let Some(at) = at else { return };
        if !choices.contains(&at.value.as_str()) {
            let why = Bad::new(
                "is none of the choices",
                format!("write one of: {}", choices.join(", ")),
            );
            self.out.bad(file, at, what, why);
        }
    }

    /// A contract that exists.
    fn contract(&mut self, file: usize, at: &At<String>) {
        if let Some(contracts) = &self.known.contracts
            && !contracts.contains(&at.value)
        {
            self.out.unknown(
                file,
                at,
                "contract",
                "sdk/contracts",
                contracts.iter().map(String::as_str),
            );
        }
    }

    fn connection_exists(&mut self, file: usize, at: &At<String>) {
        if !self.estate.connections.contains_key(&at.value) {
            self.out.unknown(
                file,
                at,
                "connection",
                "connections",
                self.estate.connections.keys().map(String::as_str),
            );
        }
    }
}
