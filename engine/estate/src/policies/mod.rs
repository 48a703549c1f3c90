//! Policies from files: classes of change, who owes what, who is asked, told, stood in for, and for how long.
//!
//! Each policy is a file of its own, `policies/<policy>.yaml`, and each may be missing: `Policies`
//! says what holds then. Not here: enforcing any of it.

mod answers;
mod build;
mod defaults;
mod duty;
mod file;
mod model;
mod people;
mod source;
mod span;

pub use answers::{Climb, Notice, Reached};
pub(crate) use defaults::consent as consent_without_files;
pub use duty::{Attributes, DUTIES, Duty, OS_GROUPS, Owed, Row};
pub use model::{
    Budget, CHANNELS, CLASSES, Class, Consent, Cure, Deadline, Debt, Deferral, Fit, Freeze, Impact,
    KEPT, Keep, Ladder, Per, Policies, RingNotice, Rung, Spend, StepUp, Trigger, Unproven, VERBS,
    Windows, Within,
};
pub use people::{Absence, Dates, Delegation};
pub use source::FILES;
pub use span::{Span, written};

use crate::build::ReadFile;
use crate::fault::{Collector, Fault, Faults};
use crate::{Estate, model as estate_model};
use std::collections::BTreeSet;

/// What an estate knows, for checking references. None: not checked.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub people: Option<BTreeSet<String>>,
    /// Roles beside those of `roles.yaml`.
    pub roles: Option<BTreeSet<String>>,
    pub customers: Option<BTreeSet<String>>,
}

impl Known {
    #[must_use]
    pub fn of(estate: &Estate) -> Self {
        Self {
            people: Some(estate.people.keys().cloned().collect()),
            roles: Some(estate.roles.keys().cloned().collect()),
            customers: Some(estate.customers.keys().cloned().collect()),
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        let mut policies = defaults::policies();
        policies.digest = source::digest(&Default::default());
        policies
    }
}

/// Reads the files at these paths and checks all of them together. The name of a file says which
/// policy it is; no paths at all give the defaults.
///
/// # Errors
/// All faults found, each with file, line, column and remedy. Their codes are stable: `HP001` syntax,
/// `HP002` unknown key, `HP003` wrong shape, `HP010` bad id, `HP011` duplicate, `HP020` unknown
/// reference, `HP030` bad value, `HP040` something is missing, `HP050` over a limit, `HP060` an
/// unreadable file; and across values: `HP101` a reminder or floor that is not shorter than its lead,
/// `HP102` a ladder without an end, `HP103` a circle of delegates, `HP104` a time that ends before it
/// begins, `HP105` a role without any person, `HP106` a deadline that no lead can keep, `HP107` a row
/// that never matches, `HP108` rows without a last one, `HP109` silence that agrees too late, `HP110`
/// an emergency that is deferred or blocked, `HP111` a debt that blocks its own cure, `HP112`
/// evidence that is dropped before what it proves, `HP113` a ladder that takes longer than its class waits,
/// `HP114` a way of telling people that this engine does not have.
pub fn load(paths: &[&str], read: ReadFile<'_>, known: &Known) -> Result<Policies, Faults> {
    let mut out = Collector {
        files: paths.iter().map(|&path| path.to_owned()).collect(),
        faults: Vec::new(),
    };
    let texts = source::texts(paths, read, &mut out);
    let sources = source::Sources::read(&texts, &mut out);
    let mut policies = build::Builder::new(known, &mut out).build(&sources);
    if out.faults.is_empty() {
        policies.digest = source::digest(&texts);
        return Ok(policies);
    }
    Err(Faults(out.faults.into_iter().map(named).collect()))
}

/// The codes of shared checks, as policies call them.
const CODES: [(&str, &str); 10] = [
    ("HE001", "HP001"),
    ("HE002", "HP002"),
    ("HE003", "HP003"),
    ("HE010", "HP010"),
    ("HE011", "HP011"),
    ("HE020", "HP020"),
    ("HE030", "HP030"),
    ("HE040", "HP040"),
    ("HE050", "HP050"),
    ("HE060", "HP060"),
];

fn named(mut fault: Fault) -> Fault {
    if let Some((_, ours)) = CODES.iter().find(|(shared, _)| *shared == fault.code) {
        fault.code = ours;
    }
    fault
}

/// Roles of a customer's people who may be asked or told, as a ladder names them.
pub const CUSTOMER_ROLES: [&str; 6] = estate_model::CONTACT_ROLES;
